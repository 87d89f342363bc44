"""Whose turn it is: transactional messages first, rules in turn, what is paused not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from segue.api import Instant, Period, Retry, Sent
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.delivery.accounts import AccountState
from segue.delivery.ledger import MessageState
from segue.language import model as m
from segue.runtime.accounts import Account, AccountTerms
from segue.runtime.choosing import Turns
from segue.runtime.claiming import Claims, claim
from segue.store.database import Store
from segue.store.lanes import Lane
from segue.store.pauses import Pause, Sort, put_pause, remove_pause
from tests.engine.stage import spec
from tests.runtime.stage import Stage

RULES = """
event paid
event asked
event forgot
rule news
  when paid send push "news"
rule tips
  when asked send push "tips"
rule reset
  when forgot send push "reset" as transactional
"""


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


@pytest.fixture
def stage(store: Store) -> Stage:
    return Stage(store, RULES)


def look(stage: Stage, most: int = 10, turns: Turns | None = None, account: Account | None = None) -> Claims:
    return stage.store.apply(
        lambda tx: claim(
            tx, stage.running, stage.content, "push", stage.now, most, turns=turns or Turns(), account=account
        )
    )


def rules_of(claims: Claims) -> Counter[str]:
    return Counter(one.rule for one in claims.claims)


def skipped(claims: Claims) -> list[str]:
    return [line.reason for line in claims.done.lines if line.decision == "skipped"]


def crowd(stage: Stage, name: str, count: int) -> None:
    for number in range(count):
        stage.arrive(name, f"{name}{number}")
    stage.later(SECOND)


def pause(stage: Stage, sort: Sort, name: str) -> None:
    stage.store.apply(lambda tx: put_pause(tx, Pause(sort, name, stage.now, "eve")))


def account(state: AccountState, now: Instant, rate: float | None = None) -> Account:
    opened = Account(AccountTerms("push", ("push",), rate), lambda: now)
    opened.go_on(state)
    return opened


def test_a_transactional_message_overtakes_everything_that_was_due_before_it(stage: Stage) -> None:
    crowd(stage, "paid", 50)
    stage.arrive("forgot", "bob")
    found = look(stage)
    assert found.claims[0].rule == "reset"
    assert len(found.claims) == 10
    assert found.more


def test_rules_take_turns_however_much_one_of_them_has(stage: Stage) -> None:
    crowd(stage, "paid", 50)
    crowd(stage, "asked", 3)
    first = look(stage)
    assert rules_of(first) == {"news": 7, "tips": 3}


def test_rules_take_turns_where_there_is_room_for_one_message_at_a_time(stage: Stage) -> None:
    crowd(stage, "paid", 20)
    crowd(stage, "asked", 20)
    turns = Turns()
    order = [look(stage, 1, turns).claims[0].rule for _ in range(6)]
    assert Counter(order) == {"news": 3, "tips": 3}


def test_within_a_rule_the_earliest_goes_first(stage: Stage) -> None:
    crowd(stage, "paid", 12)
    people = [one.customer for _ in range(3) for one in look(stage, 4).claims]
    assert people == [f"paid{number}" for number in range(12)]


def test_a_paused_rule_sends_nothing_and_all_others_go(stage: Stage) -> None:
    crowd(stage, "paid", 20)
    crowd(stage, "asked", 2)
    pause(stage, "rule", "news")
    assert rules_of(look(stage)) == {"tips": 2}
    found = look(stage)
    assert (found.seen, found.more, found.next_due) == (0, False, None)


def test_what_a_pause_held_goes_when_it_ends(stage: Stage) -> None:
    crowd(stage, "paid", 2)
    pause(stage, "channel", "push")
    assert look(stage).seen == 0
    stage.later(HOUR)
    assert stage.store.apply(lambda tx: remove_pause(tx, "channel", "push"))
    assert rules_of(look(stage)) == {"news": 2}


def test_a_message_that_a_pause_made_too_late_waits_and_is_not_sent_after_it(stage: Stage) -> None:
    crowd(stage, "paid", 1)
    pause(stage, "rule", "news")
    stage.later(3 * DAY)
    assert look(stage).seen == 0
    stage.store.apply(lambda tx: remove_pause(tx, "rule", "news"))
    found = look(stage)
    assert not found.claims
    assert skipped(found) == ["too late"]


def test_who_waits_for_a_report_goes_on_while_the_channel_is_paused(store: Store) -> None:
    stage = Stage(store, RULES, push=spec("push", settles="report", settles_within=60))
    stage.arrive("paid")
    (claimed,) = look(stage).claims
    stage.answer(claimed, Sent())
    pause(stage, "channel", "push")
    assert look(stage).next_due == stage.now + 60 * SECOND
    stage.later(61 * SECOND)
    assert look(stage).seen == 1
    assert stage.state("push") is MessageState.HANDED
    assert look(stage).next_due is None


def test_an_outage_holds_messages_without_a_try_and_lets_go_of_those_that_are_too_late(stage: Stage) -> None:
    crowd(stage, "paid", 3)
    down = account(AccountState(opened=stage.now, probe=Instant(stage.now + 30 * DAY), failures=5), stage.now)
    found = look(stage, account=down)
    assert (found.seen, found.more) == (0, False)
    assert found.wait is not None
    stage.later(2 * DAY)
    down = account(AccountState(opened=stage.now, probe=Instant(stage.now + HOUR), failures=5), stage.now)
    found = look(stage, account=down)
    assert skipped(found) == ["too late"] * 3


def test_the_first_look_after_an_outage_claims_one_message_alone(stage: Stage) -> None:
    crowd(stage, "paid", 5)
    half = account(AccountState(opened=stage.now, probe=stage.now, failures=5), stage.now)
    assert len(look(stage, account=half).claims) == 1
    beside = look(stage, account=half)
    assert (beside.claims, beside.wait) == ((), None)
    half.begin_call(half.depart(stage.now))
    half.end_call([Sent()])
    half.leave("push")
    assert len(look(stage, account=half).claims) == 4


def test_one_that_had_nothing_to_try_lets_another_channel_try(stage: Stage) -> None:
    half = account(AccountState(opened=stage.now, probe=stage.now, failures=5), stage.now)
    woken: list[str] = []
    half.listeners.update({name: lambda name=name: woken.append(name) for name in ("push", "sms")})  # type: ignore[misc]
    assert half.room(10, "push") == 1
    assert half.room(10, "sms") == 0
    half.leave("push")
    assert woken == ["sms"]
    assert half.room(10, "sms") == 1


def test_what_a_rate_has_no_room_for_is_looked_at_when_it_has(stage: Stage) -> None:
    crowd(stage, "paid", 5)
    slow = account(AccountState(), stage.now, rate=2)
    found = look(stage, account=slow)
    assert (len(found.claims), found.more, found.next_due is None or found.next_due > stage.now) == (2, False, True)
    assert found.wait is not None
    assert 0.9 < found.wait <= 1.0


def test_a_refused_try_is_no_reason_to_overtake(stage: Stage) -> None:
    crowd(stage, "paid", 1)
    (claimed,) = look(stage).claims
    stage.answer(claimed, Retry("busy"))
    assert look(stage).seen == 0


def test_of_two_that_keep_each_other_waiting_the_one_due_first_goes_whosever_turn_it_is(stage: Stage) -> None:
    """Both were tried in vain and hold a place, so that either keeps the other at a distance."""
    stage.under(m.Space(Period(micros=30 * MINUTE)))
    stage.arrive("paid")
    stage.arrive("asked")
    stage.later(HOUR)
    long_ago = Instant(stage.now - HOUR)
    stage.store.apply(lambda tx: tx.run("update message set claimed = ?, attempts = 1, due = ?", (long_ago, stage.now)))
    turns = Turns()
    turns.had(Lane(MessageState.DECIDED, "promotional", "news"))
    assert [claimed.rule for claimed in look(stage, 2, turns).claims] == ["news"]
