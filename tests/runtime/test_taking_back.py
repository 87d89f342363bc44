"""What stands, or is only queued, is taken back when its journey ends."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from segue.api import Answer, Money, Period, Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR, MINUTE
from segue.delivery.ledger import MessageState
from segue.delivery.policy import MILLIONTHS
from segue.language import model as m
from segue.runtime.dispatch import Claim
from segue.store import ledger as ledger_rows
from segue.store.database import Store
from tests.engine.stage import spec
from tests.runtime.stage import Stage, Told

STANDS = 'event paid\nevent ordered_it\nwhen paid send audience "x" wait 14d unless ordered_it'


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def standing(store: Store, text: str = STANDS, *, stands: bool = True) -> Stage:
    return Stage(store, text, audience=spec("audience", stands=stands, retracts=True))


def put_up(stage: Stage) -> Claim:
    stage.arrive("paid")
    (claimed,), _ = stage.claim("audience")
    stage.answer(claimed, Sent("r1"))
    return claimed


def asked_back(stage: Stage) -> list[Claim]:
    return list(stage.look("audience").retractions)


def take_back(stage: Stage, answer: Answer = Sent()) -> Told:  # noqa: B008 - an answer is a value
    (claimed,) = asked_back(stage)
    return stage.answer(claimed, answer, retraction=True)


def test_what_stands_is_taken_back_when_its_journey_exits_with_the_same_key(store: Store) -> None:
    stage = standing(store)
    claimed = put_up(stage)
    stage.later(3 * DAY)
    assert stage.arrive("ordered_it") == [("paid", "exited", "unless ordered_it")]
    (back,) = asked_back(stage)
    assert (back.key, back.address) == (claimed.key, claimed.address)
    assert stage.answer(back, Sent(), retraction=True) == [("paid", "retracted", "audience")]
    assert stage.state("audience") is MessageState.RETRACTED
    assert not asked_back(stage)


def test_what_stands_is_taken_back_when_its_journey_finishes_and_not_before(store: Store) -> None:
    stage = standing(store)
    put_up(stage)
    stage.later(14 * DAY - 1)
    stage.wake()
    assert not asked_back(stage)
    stage.later(1)
    assert stage.wake() == [("paid", "finished", "")]
    assert take_back(stage) == [("paid", "retracted", "audience")]


def test_what_is_only_queued_is_taken_back_on_exit_and_not_at_the_end(store: Store) -> None:
    stage = standing(store, stands=False)
    put_up(stage)
    stage.later(14 * DAY)
    assert stage.wake() == [("paid", "finished", "")]
    assert not asked_back(stage)
    stage.arrive("paid", "bob")
    stage.answer(stage.claim("audience")[0][0], Sent())
    stage.arrive("ordered_it", "bob")
    assert take_back(stage) == [("paid", "retracted", "audience")]


def test_a_channel_that_cannot_take_back_is_not_asked(store: Store) -> None:
    stage = Stage(store, STANDS, audience=spec("audience", stands=True, retracts=False))
    put_up(stage)
    stage.arrive("ordered_it")
    assert not asked_back(stage)
    assert stage.state("audience") is MessageState.HANDED


def test_a_journey_that_ends_while_the_call_is_under_way_takes_back_what_comes_of_it(store: Store) -> None:
    stage = standing(store, 'event paid\nevent ordered_it\nwhen paid until ordered_it send audience "x" wait 14d')
    stage.arrive("paid")
    (claimed,), _ = stage.claim("audience")
    stage.arrive("ordered_it")
    assert not asked_back(stage)
    assert stage.answer(claimed, Sent()) == [("paid", "sent", "audience")]
    assert take_back(stage) == [("paid", "retracted", "audience")]


def test_a_report_that_ends_the_wait_for_it_takes_back_what_stands(store: Store) -> None:
    late = spec("audience", stands=True, retracts=True, settles="report", settles_within=60.0)
    stage = Stage(store, 'event paid\nwhen paid send audience "x"', audience=late)
    claimed = put_up(stage)
    assert stage.report(claimed, "delivered", "audience") == [("paid", "finished", "")]
    assert take_back(stage) == [("paid", "retracted", "audience")]


def test_the_end_of_waiting_for_a_report_takes_back_what_stands(store: Store) -> None:
    late = spec("audience", stands=True, retracts=True, settles="report", settles_within=60.0)
    stage = Stage(store, 'event paid\nwhen paid send audience "x"', audience=late)
    put_up(stage)
    stage.later(MINUTE)
    assert stage.claim("audience")[1] == [("paid", "finished", "")]
    assert take_back(stage) == [("paid", "retracted", "audience")]


def test_a_refusal_to_take_back_is_kept_and_asked_no_more(store: Store) -> None:
    stage = standing(store)
    put_up(stage)
    stage.arrive("ordered_it")
    assert take_back(stage, Rejected("printed already")) == []
    assert stage.state("audience") is MessageState.HANDED
    reason = store.apply(lambda tx: tx.rows("select reason from message"))
    assert reason == [("could not be taken back: printed already",)]
    stage.later(DAY)
    assert not asked_back(stage)


@pytest.mark.parametrize("answer", [Retry("busy"), Unknown("timed out")])
def test_taking_back_is_tried_again_for_three_days(store: Store, answer: Answer) -> None:
    stage = standing(store)
    claimed = put_up(stage)
    stage.arrive("ordered_it")
    asked, began = 0, stage.now
    while (found := asked_back(stage)) and asked < 2000:
        asked += 1
        assert found[0].key == claimed.key
        stage.answer(found[0], answer, retraction=True)
        if stage.state("audience") is MessageState.RETRACTING:
            stage.now = stage.due()
    assert 3 * DAY - HOUR < stage.now - began <= 3 * DAY
    assert stage.state("audience") is MessageState.HANDED


def test_a_crash_repeats_taking_back_with_the_same_key(store: Store) -> None:
    stage = standing(store)
    claimed = put_up(stage)
    stage.arrive("ordered_it")
    assert [one.key for one in asked_back(stage)] == [claimed.key]
    assert not asked_back(stage), "the call is under way"
    stage.recover()
    stage.later(MINUTE)
    assert [one.key for one in asked_back(stage)] == [claimed.key]


def test_an_answer_to_sending_that_comes_late_is_none_to_taking_back(store: Store) -> None:
    stage = standing(store)
    claimed = put_up(stage)
    stage.arrive("ordered_it")
    asked_back(stage)
    assert stage.answer(claimed, Sent("r1")) == []
    assert stage.state("audience") is MessageState.RETRACTING


def test_a_provider_that_could_not_deliver_it_after_all_leaves_nothing_to_take_back(store: Store) -> None:
    stage = standing(store)
    claimed = put_up(stage)
    stage.arrive("ordered_it")
    assert stage.report(claimed, "undelivered", "audience") == [("paid", "undelivered", "audience")]
    assert not asked_back(stage)


def test_what_stands_is_not_put_up_for_a_journey_that_is_over(store: Store) -> None:
    stage = standing(store, 'event paid\nwhen paid send email "hello" or audience "x" wait 1h')
    stage.arrive("paid")
    (claimed,), _ = stage.claim()
    stage.answer(claimed, Sent())
    stage.later(HOUR)
    stage.report(claimed, "undelivered")
    assert stage.wake() == [("paid", "finished", "")]
    assert stage.claim("audience") == ((), [("paid", "skipped", "audience")])


def test_a_journey_without_such_a_channel_asks_nothing_at_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> list[object]:
        raise AssertionError("nothing can stand")

    monkeypatch.setattr(ledger_rows, "load_of_journey", asked)
    stage = standing(store, 'event paid\nwhen paid send email "hello"')
    stage.arrive("paid")
    assert stage.answer(stage.claim()[0][0], Sent()) == [("paid", "sent", "email"), ("paid", "finished", "")]


@pytest.mark.parametrize("stands", [True, False])
def test_what_never_went_costs_nothing_and_what_stood_has_cost_what_it_cost(store: Store, stands: bool) -> None:
    stage = standing(store, stands=stands)
    stage.under(costs={"audience": Money(Decimal(2), "EUR")})
    put_up(stage)
    stage.arrive("ordered_it")
    take_back(stage)
    (amount,) = store.apply(lambda tx: tx.rows("select amount from spend"))[0]
    assert amount == (2 * MILLIONTHS if stands else 0)


def test_what_is_queued_on_a_preferred_channel_is_taken_back_too(store: Store) -> None:
    text = 'event paid\nevent stopped\nwhen paid until stopped send preferred "x" wait 1d'
    stage = Stage(store, text, letter=spec("letter", retracts=True))
    stage.arrive("paid", traits={"preferred_channel": "letter"})
    (claimed,), _ = stage.claim("letter")
    stage.answer(claimed, Sent())
    stage.arrive("stopped", traits={})
    (back,) = stage.look("letter").retractions
    assert back.key == claimed.key


def test_what_is_taken_back_before_it_went_leaves_its_slot_at_once(store: Store) -> None:
    text = """
        event paid
        event asked
        event stopped
        rule first when paid until stopped send audience "x" wait 1d
        rule second when asked send email "y" within 3d
    """
    stage = standing(store, text, stands=False)
    stage.under(m.Limit(1, None, Period(days=2), m.Overflow("defer")))
    stage.arrive("paid")
    stage.answer(stage.claim("audience")[0][0], Sent())
    stage.arrive("asked", id="2")
    assert not stage.claim()[0]
    stage.later(HOUR)
    stage.arrive("stopped", id="3")
    assert not stage.claim()[0], "the printer may print it still"
    stage.answer(stage.look("audience").retractions[0], Sent(), retraction=True)
    assert [one.message for one in stage.claim()[0]] == ["y"]


@pytest.mark.parametrize("cut_off", ["by a crash", "by the provider"])
@pytest.mark.parametrize("ended", ["meanwhile", "later"])
def test_what_may_stand_although_its_call_was_cut_off_is_taken_back_when_its_journey_ends(
    store: Store, cut_off: str, ended: str
) -> None:
    stage = standing(store, 'event paid\nevent stopped\nwhen paid until stopped send audience "x" wait 14d')
    stage.arrive("paid")
    (claimed,), _ = stage.claim("audience")
    if ended == "meanwhile":
        stage.arrive("stopped")
    if cut_off == "by a crash":
        stage.recover()
    else:
        stage.answer(claimed, Unknown("timed out"))
    if ended == "later":
        stage.arrive("stopped")
    assert take_back(stage) == [("paid", "retracted", "audience")]
    assert stage.state("audience") is MessageState.RETRACTED


def test_what_may_stand_since_it_was_held_is_taken_back_too(store: Store) -> None:
    held = spec("audience", stands=True, retracts=True, unknown="hold")
    stage = Stage(store, 'event paid\nwhen paid send audience "x" wait 1h', audience=held)
    stage.arrive("paid")
    stage.answer(stage.claim("audience")[0][0], Unknown("timed out"))
    stage.later(HOUR)
    stage.wake()
    assert take_back(stage) == [("paid", "retracted", "audience")]


def test_what_may_stand_and_cannot_be_taken_back_stays_unknown(store: Store) -> None:
    held = spec("audience", stands=True, retracts=True, unknown="hold")
    stage = Stage(store, 'event paid\nwhen paid send audience "x" wait 1h', audience=held)
    stage.arrive("paid")
    stage.answer(stage.claim("audience")[0][0], Unknown("timed out"))
    stage.later(HOUR)
    stage.wake()
    take_back(stage, Rejected("no such member"))
    assert stage.state("audience") is MessageState.UNKNOWN
    assert not asked_back(stage)
