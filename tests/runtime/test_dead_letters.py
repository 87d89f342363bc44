"""Dead letters: what they are, and what becomes of one that is put up again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue.api import Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR
from segue.delivery.dead_letters import Sort, sort_of
from segue.delivery.ledger import LedgerRow, MessageState
from segue.scenario.record_writing import write_answers
from segue.store.database import Store
from segue.store.dead_letters import load_dead, put_up_again
from tests.engine.stage import spec
from tests.runtime.stage import Stage

RULES = """
event paid
event asked
rule thanks
  when paid
  until asked
  send email "hello" within 2h
"""


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


def test_the_record_tells_what_its_journey_saw(store: Store) -> None:
    stage = failed(store, Rejected("no credit left"))
    before = stage.store.apply(lambda tx: write_answers(tx, 0, 10))
    stage.later(HOUR)
    again(stage)
    (claimed,) = stage.claim()[0]
    stage.answer(claimed, Sent())
    assert stage.store.apply(lambda tx: write_answers(tx, 0, 10)) == before


def test_they_are_found_by_their_index(store: Store) -> None:
    plan = store.apply(
        lambda tx: tx.rows(
            "explain query plan select id from message where (state in (5, 7) or (state = 6 and (reason = 'too late' "
            "or substr(reason, 1, 15) = 'no content for '))) and id < 9 order by id desc limit 1"
        )
    )
    assert "message_dead" in str(plan)
