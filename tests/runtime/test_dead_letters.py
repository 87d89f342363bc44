"""Dead letters: what they are, and what becomes of one that is put up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Answer, Period, Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR, SECOND
from segue.delivery.dead_letters import Sort, sort_of
from segue.delivery.ledger import LedgerRow, MessageState
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.scenario.replay import Replay
from segue.store.database import Store
from segue.store.dead_letters import load_dead, put_up_again
from segue.store.pauses import Pause, put_pause
from tests.engine.stage import spec
from tests.runtime.rulebook import publish_text, told
from tests.runtime.stage import Stage, Told
from tests.scenario.test_recording import write

RULES = """
event paid
event asked
event joined
rule thanks
  when paid
  until asked
  send email "hello" within 2h
rule news
  when joined
  send email "hello"
"""


def weekly() -> m.Limit:
    return m.Limit(1, None, Period(days=7))


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def failed(store: Store, answer: Rejected | Unknown | Retry) -> Stage:
    """One message that came to nothing, by this answer to the last try that was in time."""
    stage = Stage(store, RULES, email=spec("email", unknown="hold"))
    stage.arrive("paid")
    (claimed,) = stage.claim()[0]
    if isinstance(answer, Retry):
        stage.later(2 * HOUR)
    stage.answer(claimed, answer)
    return stage


def dead(stage: Stage) -> list[LedgerRow]:
    return stage.store.apply(lambda tx: load_dead(tx, 2**62, 100))


def sorts(stage: Stage) -> list[Sort | None]:
    return [sort_of(row) for row in dead(stage)]


def again(stage: Stage) -> None:
    rows = dead(stage)
    stage.store.apply(lambda tx: put_up_again(tx, rows, stage.now, "eve"))


def test_each_reason_that_is_worth_a_try_has_a_name() -> None:
    for answer, sort in (
        (Retry("busy"), "retries"),
        (Unknown("cut off"), "unknown"),
        (Rejected("no"), "refused"),
        (Rejected("its content cannot be rendered: no such filter"), "content"),
    ):
        store = Store(None)
        assert sorts(failed(store, answer)) == [sort]
        store.close()


def test_what_became_too_late_is_one_and_what_a_guard_stopped_is_none(store: Store) -> None:
    stage = Stage(store, RULES)
    stage.arrive("paid", "ann")
    stage.arrive("paid", "bob")
    stage.arrive("asked", "bob")
    stage.later(DAY)
    stage.claim()
    assert [(row.reason, sort_of(row)) for row in dead(stage)] == [("too late", "late")]


def test_a_dead_address_gets_no_second_try(store: Store) -> None:
    assert sorts(failed(store, Rejected("no such mailbox", address_gone=True))) == []


def test_a_further_try_has_the_same_key_and_as_much_time_as_the_first(store: Store) -> None:
    stage = failed(store, Retry("busy"))
    before = dead(stage)[0]
    stage.later(DAY)
    again(stage)
    (claimed,) = stage.claim()[0]
    assert (claimed.key, claimed.expires, claimed.attempt) == (before.key, stage.now + 2 * HOUR, 1)
    assert stage.answer(claimed, Sent()) == [("thanks", "sent", "email")]
    assert sorts(stage) == []


def test_a_guard_that_came_true_meanwhile_stops_it(store: Store) -> None:
    stage = failed(store, Rejected("no credit left"))
    stage.arrive("asked")
    again(stage)
    claims, told = stage.claim()
    assert not claims
    assert told == [("thanks", "skipped", "email")]
    assert stage.state() is MessageState.SKIPPED


def test_a_withdrawal_that_came_meanwhile_stops_it(store: Store) -> None:
    stage = failed(store, Rejected("no credit left"))
    stage.arrive("unsubscribed", channel="email")
    again(stage)
    assert not stage.claim()[0]


def test_one_that_may_have_gone_out_stays_unknown_where_it_is_not_sent_again(store: Store) -> None:
    stage = failed(store, Unknown("cut off"))
    stage.arrive("asked")
    again(stage)
    assert not stage.claim()[0]
    assert stage.state() is MessageState.UNKNOWN
    assert sorts(stage) == ["unknown"]


def test_it_can_be_put_up_again_more_than_once(store: Store) -> None:
    stage = failed(store, Rejected("no credit left"))
    for _ in range(2):
        again(stage)
        (claimed,) = stage.claim()[0]
        stage.answer(claimed, Rejected("still none"))
    assert [one.reason for one in dead(stage)[0].again] == ["no credit left", "still none"]


def test_each_further_try_has_as_much_time_as_the_first(store: Store) -> None:
    stage = failed(store, Rejected("no credit left"))
    for _ in range(3):
        stage.later(DAY)
        again(stage)
        (claimed,) = stage.claim()[0]
        assert claimed.expires == stage.now + 2 * HOUR
        stage.answer(claimed, Rejected("still none"))


def test_one_that_never_went_has_no_slot_before_its_further_try_is_claimed(store: Store) -> None:
    stage = failed(store, Rejected("no credit left"))
    stage.under(weekly())
    stage.store.apply(lambda tx: put_pause(tx, Pause("rule", "thanks", stage.now, "eve")))
    again(stage)
    stage.arrive("joined")
    assert [claimed.rule for claimed in stage.claim()[0]] == ["news"]


class Heard(Stage):
    """A stage that remembers what it was told."""

    def __init__(self, store: Store, text: str, **specs: Any) -> None:
        super().__init__(store, text, **specs)
        self.all: Told = []

    def arrive(self, name: str | None, customer: str | None = "ann", **fields: Any) -> Told:
        self.later(1)
        return self._hear(super().arrive(name, customer, **fields))

    def send(self, answer: Answer) -> None:
        """Claim what is due, and answer."""
        self.later(1)
        claims, lines = self.claim()
        self._hear(lines)
        self.later(1)
        for claimed in claims:
            self._hear(self.answer(claimed, answer))

    def _hear(self, lines: Told) -> Told:
        self.all += lines
        return lines


@pytest.mark.parametrize("first", [Rejected("no credit left"), Unknown("cut off"), Retry("busy", after=3 * 3600.0)])
@pytest.mark.parametrize("then", [Sent(), Rejected("still none"), Unknown("cut off"), Retry("busy", after=60.0), None])
def test_a_replay_of_the_record_makes_each_further_try_and_holds_its_slot(
    tmp_path: Path, store: Store, first: Answer, then: Answer | None
) -> None:
    stage = Heard(store, RULES, email=spec("email", unknown="hold"))
    stage.under(weekly())
    stage.arrive("paid")
    stage.send(first)
    for _ in range(2):
        stage.later(4 * HOUR)
        again(stage)
        if then is None:
            stage.arrive("asked")
        stage.send(then or Sent())
        if isinstance(then, Retry):
            stage.later(90 * SECOND)
            stage.send(Rejected("no more"))
    stage.arrive("joined")
    stage.send(Sent())

    record = write(store, tmp_path / "record.jsonl")
    replayed = Store(None)
    try:
        running = publish_text(replayed, RULES, channels=stage.channels, reach=stage.running.reach)
        running = msgspec.structs.replace(running, policies=stage.running.policies)
        lines = list(Replay(replayed, running, Catalogue(), record.record).run(record.arrivals()))
    finally:
        replayed.close()
    assert told(lines) == stage.all
    assert ("news", "sent" if isinstance(then, Rejected | Retry) else "skipped", "email") in stage.all or then is None


def test_they_are_found_by_their_index(store: Store) -> None:
    plan = store.apply(
        lambda tx: tx.rows(
            "explain query plan select id from message where (state in (5, 7) or (state = 6 and (reason = 'too late' "
            "or substr(reason, 1, 15) = 'no content for '))) and id < 9 order by id desc limit 1"
        )
    )
    assert "message_dead" in str(plan)
