"""Sends of several channels: which is taken, what follows when one fails, in one journey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.api import Period, Rejected, Sent
from segue.api.values import DAY, HOUR, MINUTE
from segue.language import model as m
from segue.store.coupons import add_codes
from segue.store.database import Store
from tests.runtime.stage import Stage

DROP, DEFER = m.Overflow("drop"), m.Overflow("defer")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def messages(stage: Stage, channel: str) -> list[str]:
    return [one.message for one in stage.claim(channel)[0]]


def test_a_preferred_channel_that_is_capped_gives_way_to_the_next_that_is_preferred(store: Store) -> None:
    stage = Stage(store, 'event paid order_id text\nwhen paid per order_id send preferred "x"')
    stage.under(m.Limit(1, "email", Period(days=7), DROP))
    stage.arrive("paid", order_id="1", id="1")
    assert messages(stage, "email") == ["x"]
    stage.arrive("paid", order_id="2", id="2")
    assert messages(stage, "email") == []
    assert messages(stage, "sms") == ["x"]
    assert messages(stage, "push") == []


def test_a_preferred_channel_that_fails_for_good_is_followed_by_the_alternative_alone(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send preferred "x" or push "y" wait 1d')
    stage.arrive("paid")
    (claimed,) = stage.claim("email")[0]
    stage.answer(claimed, Rejected("no such box"))
    assert messages(stage, "sms") == []
    assert messages(stage, "push") == ["y"]


def test_preferred_and_email_goes_by_both_and_once_where_they_are_one(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send preferred "x" and email "y" wait 1d')
    stage.arrive("paid", traits={"email": "a@example.com", "phone": "+358401234567", "preferred_channel": "sms"})
    assert messages(stage, "sms") == ["x"]
    assert messages(stage, "email") == ["y"]


def test_one_of_two_that_fails_for_good_leaves_the_other_and_the_journey_goes_on_after_both(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "a" and sms "b" then push "c" wait 1d')
    stage.arrive("paid")
    (email,), (sms,) = stage.claim("email")[0], stage.claim("sms")[0]
    stage.answer(email, Rejected("no such box"))
    assert messages(stage, "push") == []
    stage.answer(sms, Sent())
    assert messages(stage, "push") == ["c"]


def test_a_late_failure_of_the_first_falls_back_beside_what_came_then(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "a" or sms "a" then push "b" wait 2d')
    stage.arrive("paid")
    (email,) = stage.claim("email")[0]
    stage.answer(email, Sent())
    (push,) = stage.claim("push")[0]
    stage.answer(push, Sent())
    stage.later(HOUR)
    stage.report(email, "undelivered")
    (sms,) = stage.claim("sms")[0]
    stage.answer(sms, Rejected("no"))
    assert messages(stage, "push") == messages(stage, "email") == []
    stage.report(email, "undelivered", id="again")
    assert messages(stage, "sms") == []


def test_alternatives_inside_a_repeat_are_tried_anew_in_every_turn(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid repeat 3 times send email "a" or sms "b" wait 1d end')
    stage.arrive("paid")
    for _ in range(3):
        (email,) = stage.claim("email")[0]
        stage.answer(email, Rejected("full"))
        (sms,) = stage.claim("sms")[0]
        stage.answer(sms, Sent())
        stage.later(DAY)
        stage.wake()
    assert messages(stage, "email") == messages(stage, "sms") == []
    rows = store.apply(lambda tx: tx.rows("select count(*), count(distinct key) from message"))
    assert rows == [(6, 6)]


def test_a_fallback_carries_the_code_of_the_try_before_it(store: Store) -> None:
    stage = Stage(
        store,
        'event paid\nwhen paid send email "a" with code = coupon("TEN") or sms "a" with code = coupon("TEN") wait 2d',
    )
    store.apply(lambda tx: add_codes(tx, "TEN", ["one", "two"]))
    stage.arrive("paid")
    (email,) = stage.claim("email")[0]
    stage.answer(email, Sent())
    stage.later(HOUR)
    stage.report(email, "undelivered")
    (sms,) = stage.claim("sms")[0]
    assert email.values["code"] == sms.values["code"] == "one"


def test_a_fallback_of_a_refused_message_carries_its_code_too(store: Store) -> None:
    stage = Stage(
        store,
        'event paid\nwhen paid send email "a" with code = coupon("TEN") or sms "a" with code = coupon("TEN") wait 2d',
    )
    store.apply(lambda tx: add_codes(tx, "TEN", ["one", "two"]))
    stage.arrive("paid")
    (email,) = stage.claim("email")[0]
    stage.answer(email, Rejected("no such box"))
    (sms,) = stage.claim("sms")[0]
    assert email.values["code"] == sms.values["code"] == "one"
    assert store.apply(lambda tx: tx.rows("select code from coupon where journey is null")) == [("two",)]


def test_a_message_that_lives_shorter_than_the_night_is_given_up_in_it(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "a" within 6h wait 2d')
    stage.under(m.Quiet(m.Clock(20 * 60), m.Clock(8 * 60)))  # it is 20:26
    stage.arrive("paid")
    assert messages(stage, "email") == []
    assert stage.due() == stage.now + 6 * HOUR
    stage.later(6 * HOUR)
    assert stage.claim("email")[1] == [("paid", "skipped", "email")]
    stage.later(6 * HOUR + MINUTE)
    assert messages(stage, "email") == []


def test_a_fallback_has_its_own_time_from_when_it_is_decided(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "a" or sms "a" within 6h wait 2d')
    stage.under(m.Quiet(m.Clock(20 * 60), m.Clock(23 * 60)))
    stage.arrive("paid")
    (email,) = stage.claim("email")[0] or (None,)
    assert email is None
    stage.later(3 * HOUR)
    (email,) = stage.claim("email")[0]
    stage.answer(email, Rejected("no such box"))
    stage.later(5 * HOUR)
    assert messages(stage, "sms") == ["a"]


def test_one_time_that_is_over_is_not_begun_anew_on_every_preferred_channel(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send preferred "a" within 6h wait 2d')
    stage.under(m.Quiet(m.Clock(20 * 60), m.Clock(8 * 60)))
    stage.arrive("paid")
    assert messages(stage, "email") == []
    stage.later(6 * HOUR)
    assert stage.claim("email")[1] == [("paid", "skipped", "email")]
    stage.later(6 * HOUR)
    assert messages(stage, "sms") == messages(stage, "push") == []


def test_a_preferred_channel_whose_consent_went_meanwhile_gives_way_to_the_next(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send preferred "a" or email "b" wait 2d')
    stage.under(m.Quiet(m.Clock(20 * 60), m.Clock(23 * 60)))
    stage.arrive("paid")
    assert messages(stage, "email") == []
    stage.arrive("unsubscribed", channel="email", id="2")
    stage.later(3 * HOUR)
    assert messages(stage, "email") == []
    assert messages(stage, "sms") == ["a"]
    assert messages(stage, "push") == messages(stage, "email") == []


def test_a_slot_stays_with_who_was_due_earlier_over_restarts_and_whatever_transactional_goes_between(
    tmp_path: Path,
) -> None:
    text = """
        event paid order_id text
        event asked order_id text
        event bought order_id text
        rule early when paid per order_id send sms "early" or push "early" within 3d
        rule late when asked per order_id send email "late" within 3d
        rule receipt when bought per order_id as transactional send email "receipt" and sms "receipt"
    """
    path = tmp_path / "segue.db"
    went: list[str] = []
    store = Store(path)
    stage = Stage(store, text)
    stage.under(m.Limit(1, None, Period(days=1), DEFER))
    for number, name in enumerate(["paid", "asked", "bought", "paid", "asked"]):
        stage.arrive(name, order_id=str(number), id=str(number))
        stage.later(MINUTE)
    for turn in range(30):
        now = stage.now
        store.close()
        store = Store(path)  # a restart
        stage = Stage(store, text)
        stage.now = now
        stage.under(m.Limit(1, None, Period(days=1), DEFER))
        if turn == 0:
            went += [one.message for one in stage.claim("sms")[0] if one.message == "early"]  # and a crash
        stage.recover()
        for channel in ("email", "sms", "push")[:: 1 if turn % 2 else -1]:
            for one in stage.claim(channel)[0]:
                went.append(one.message)
                stage.answer(one, Sent())
        stage.later(4 * HOUR)
    store.close()
    assert went.count("receipt") == 2
    # The first is called again after the crash; the last would have been the second "late", at 76 hours.
    assert [one for one in went if one != "receipt"] == ["early", "early", "late", "early"]
