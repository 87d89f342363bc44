"""Codes of a pool: one for each journey, taken with the claim, given back where nothing came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue.api import Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR
from segue.store.coupons import Pool, add_codes, load_pools
from segue.store.database import Store
from tests.engine.stage import spec
from tests.runtime.stage import Stage

TWICE = """
    event paid order_id text
    event stopped
    when paid per order_id until stopped
      send email "a" with code = coupon("CART10") within 2h
      wait 1d
      send email "b" with code = coupon("CART10") within 2h
"""


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def pools(stage: Stage) -> list[Pool]:
    return stage.store.apply(load_pools)


def with_codes(store: Store, *codes: str, text: str = TWICE, **specs: object) -> Stage:
    stage = Stage(store, text, **specs)
    store.apply(lambda tx: add_codes(tx, "CART10", codes))
    return stage


def test_each_journey_gets_one_code_of_a_pool_and_keeps_it(store: Store) -> None:
    stage = with_codes(store, "A1", "A2", "A3")
    stage.arrive("paid", order_id="1")
    stage.arrive("paid", order_id="2", id="2")
    claims, _ = stage.claim()
    assert [one.values["code"] for one in claims] == ["A1", "A2"]
    for one in claims:
        stage.answer(one, Sent())
    stage.later(DAY)
    stage.wake()
    claims, _ = stage.claim()
    assert [one.values["code"] for one in claims] == ["A1", "A2"]
    assert pools(stage) == [Pool("CART10", 3, 1)]


def test_an_empty_pool_skips_the_message_with_that_reason(store: Store) -> None:
    stage = with_codes(store, "A1")
    for number in range(3):
        stage.arrive("paid", f"customer {number}", order_id="1")
    found = stage.look()
    assert [one.values["code"] for one in found.claims] == ["A1"]
    skipped = [line.reason for line in found.done.lines if line.decision == "skipped"]
    assert skipped == ["no code is left in the pool CART10"] * 2


@pytest.mark.parametrize("end", ["refused", "not in time", "consent"])
def test_a_code_that_was_never_handed_over_goes_to_the_next(store: Store, end: str) -> None:
    stage = with_codes(store, "A1")
    stage.arrive("paid", order_id="1")
    (claimed,), _ = stage.claim()
    match end:
        case "refused":
            stage.answer(claimed, Rejected("no such box"))
        case "not in time":
            stage.answer(claimed, Retry("busy", after=3 * 3600))
        case _:
            stage.answer(claimed, Retry("busy"))
            stage.arrive("unsubscribed")
            stage.later(HOUR)
            stage.claim()
    assert pools(stage) == [Pool("CART10", 1, 1)]


@pytest.mark.parametrize("end", ["unknown", "undelivered"])
def test_a_code_that_may_have_been_seen_stays_with_its_journey(store: Store, end: str) -> None:
    stage = with_codes(store, "A1", email=spec("email", unknown="hold"))
    stage.arrive("paid", order_id="1")
    (claimed,), _ = stage.claim()
    if end == "unknown":
        stage.answer(claimed, Unknown("timed out"))
    else:
        stage.answer(claimed, Sent())
        stage.report(claimed, "undelivered")
    assert pools(stage) == [Pool("CART10", 1, 0)]


def test_the_second_message_failing_does_not_take_the_code_from_the_first(store: Store) -> None:
    stage = with_codes(store, "A1")
    stage.arrive("paid", order_id="1")
    stage.answer(stage.claim()[0][0], Sent())
    stage.later(DAY)
    stage.wake()
    stage.answer(stage.claim()[0][0], Rejected("no such box"))
    assert pools(stage) == [Pool("CART10", 1, 0)]


def test_two_messages_of_a_journey_that_fail_together_give_the_code_back(store: Store) -> None:
    text = """
        event paid
        event stopped
        when paid until stopped
          send email "a" with code = coupon("CART10") and sms "a" with code = coupon("CART10")
    """
    stage = with_codes(store, "A1", text=text)
    stage.arrive("paid")
    for channel in ("email", "sms"):
        (claimed,), _ = stage.claim(channel)
        assert claimed.values["code"] == "A1"
        stage.answer(claimed, Retry("busy"))
    stage.arrive("stopped")
    assert pools(stage) == [Pool("CART10", 1, 1)]


def test_a_message_tried_again_carries_the_same_code(store: Store) -> None:
    stage = with_codes(store, "A1", "A2")
    stage.arrive("paid", order_id="1")
    stage.answer(stage.claim()[0][0], Retry("busy"))
    stage.later(HOUR)
    assert [one.values["code"] for one in stage.claim()[0]] == ["A1"]


def test_codes_that_a_pool_has_are_not_added_twice(store: Store) -> None:
    assert store.apply(lambda tx: add_codes(tx, "CART10", ["A1", "A2", "A1"])) == 2
    assert store.apply(lambda tx: add_codes(tx, "CART10", ["A2", "A3"])) == 1
    assert store.apply(lambda tx: add_codes(tx, "OTHER", ["A1"])) == 1
    assert store.apply(load_pools) == [Pool("CART10", 3, 3), Pool("OTHER", 1, 1)]
