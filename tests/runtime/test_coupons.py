"""Codes of a pool: one for each journey, taken with the claim, given back where nothing came of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from segue.api import Instant, Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR
from segue.messages.codes import ALPHABET, make_code, problem_with
from segue.runtime.claiming import claim
from segue.store.coupons import Pool, add_codes, describe_pool, load_given, load_pools
from segue.store.database import Store
from segue.store.erasures import secret
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


@pytest.mark.parametrize("end", ["refused", "not in time", "not called", "consent"])
def test_a_code_that_was_never_handed_over_goes_to_the_next(store: Store, end: str) -> None:
    stage = with_codes(store, "A1")
    stage.arrive("paid", order_id="1")
    (claimed,), _ = stage.claim()
    match end:
        case "refused":
            stage.answer(claimed, Rejected("no such box"))
        case "not in time":
            stage.answer(claimed, Retry("busy", after=3 * 3600))
        case "not called":  # consent was withdrawn between the claim and the call
            stage.arrive("unsubscribed")
            stage.answer(claimed, None)
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


# Made codes, and those that expire


def described(store: Store, **said: object) -> None:
    store.apply(lambda tx: describe_pool(tx, Pool("CART10", 0, 0, **said)))  # type: ignore[arg-type]


def test_a_pool_makes_codes_that_nobody_can_guess_once_its_own_are_given_out(store: Store) -> None:
    stage = with_codes(store, "A1")
    described(store, pattern="CART-{8}", valid=2 * DAY)
    for number in "123":
        stage.arrive("paid", order_id=number, id=number)
    claims, _ = stage.claim()
    first, second, third = (one.values["code"] for one in claims)
    assert first == "A1"
    assert second != third
    for code in (second, third):
        assert code.startswith("CART-")
        assert len(code) == len("CART-") + 8
        assert set(code.removeprefix("CART-")) <= set(ALPHABET)
    expires = store.apply(lambda tx: tx.rows("select expires from coupon order by id"))
    assert expires == [(None,), (stage.now + 2 * DAY,), (stage.now + 2 * DAY,)]


def test_a_made_code_stays_with_its_journey_and_another_store_makes_others(store: Store) -> None:
    found = []
    other = Store(None)
    for one in (store, other):
        stage = Stage(one, TWICE)
        described(one, pattern="{10}")
        stage.arrive("paid", order_id="1")
        (claimed,), _ = stage.claim()
        stage.answer(claimed, Retry("busy"))
        stage.later(HOUR)
        (again,), _ = stage.claim()
        assert again.values["code"] == claimed.values["code"]
        found.append(again.values["code"])
    assert found[0] != found[1]
    other.close()


def test_a_made_code_that_was_imported_before_is_made_anew(store: Store) -> None:
    stage = Stage(store, TWICE)
    key = store.apply(secret)
    taken = make_code("{8}", key, "CART10", 1, 0)
    store.apply(lambda tx: add_codes(tx, "CART10", [taken], Instant(1)))  # expired, so nobody gets it
    described(store, pattern="{8}")
    stage.arrive("paid", order_id="1")
    (claimed,), _ = stage.claim()
    assert claimed.values["code"] == make_code("{8}", key, "CART10", 1, 1)


def test_codes_that_expire_first_are_given_out_first_and_expired_ones_never(store: Store) -> None:
    stage = Stage(store, TWICE)
    for code, expires in (("never", None), ("late", stage.now + 2 * HOUR), ("soon", stage.now + HOUR)):
        at = Instant(expires) if expires is not None else None
        store.apply(lambda tx, code=code, at=at: add_codes(tx, "CART10", [code], at))  # type: ignore[misc]
    stage.arrive("paid", order_id="1")
    assert [one.values["code"] for one in stage.claim()[0]] == ["soon"]
    stage.later(3 * HOUR)
    stage.arrive("paid", order_id="2", id="2")
    assert [one.values["code"] for one in stage.claim()[0]] == ["never"]


def test_a_closed_pool_gives_nothing_out(store: Store) -> None:
    stage = with_codes(store, "A1", "A2")
    described(store, until=stage.now + HOUR, pattern="{8}")
    stage.arrive("paid", order_id="1")
    assert len(stage.claim()[0]) == 1
    stage.later(HOUR)
    stage.arrive("paid", order_id="2", id="2")
    assert not stage.claim()[0]


@pytest.mark.parametrize("event", ["ordered", "coupon_applied"])
def test_an_order_that_names_a_code_uses_it_however_it_is_typed_and_then_it_is_never_given_back(
    store: Store, event: str
) -> None:
    stage = with_codes(store, "Abc1", "Abc2")
    stage.arrive("paid", order_id="1")
    (claimed,), _ = stage.claim()
    stage.arrive(event, "bob", id="2", coupon=" ABC1 ")
    stage.arrive(event, "bob", id="3", coupon="abc2")  # nobody has it
    stage.arrive("cart_abandoned", "bob", id="4", coupon="abc1")
    assert [pool.redeemed for pool in pools(stage)] == [1]
    given = store.apply(lambda tx: load_given(tx, "CART10", 0, 10))
    assert [(one.code, one.customer, one.rule, one.redeemed) for _, one in given] == [
        ("Abc1", "u:ann", "paid", stage.now)
    ]
    stage.answer(claimed, Rejected("no such box"))
    assert [pool.free for pool in pools(stage)] == [1]


@pytest.mark.parametrize(
    ("free", "codes", "low", "runs_low"), [(9, 100, None, True), (10, 100, None, False), (10, 100, 50, True)]
)
def test_a_pool_runs_low_below_a_tenth_or_what_was_said(free: int, codes: int, low: int | None, runs_low: bool) -> None:
    assert Pool("P", codes, free, low=low).runs_low is runs_low
    assert not Pool("P", codes, free, low=low, pattern="{8}").runs_low


@pytest.mark.parametrize("pattern", ["SUMMER", "A{5}", "{8", "A B{8}", "{41}", "<b>{8}"])
def test_a_pattern_that_can_be_guessed_or_read_wrongly_is_refused(pattern: str) -> None:
    assert problem_with(pattern) is not None


def test_no_code_is_ever_given_twice_by_many_threads_and_another_process(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    store = Store(path)
    text = 'event paid order_id text\nwhen paid per order_id send email "a" with code = coupon("CART10") ' + (
        'and sms "b" with code = coupon("CART10") and push "c" with code = coupon("CART10")'
    )
    stage = Stage(store, text)
    people = [f"customer {number}" for number in range(150)]
    for name in people:
        stage.arrive("paid", name, order_id="1", id=name)
    store.start()
    more = tmp_path / "more.txt"
    more.write_text("\n".join(f"C{number}" for number in range(100)))
    adding = subprocess.Popen(
        [sys.executable, "-m", "segue.cli.main", "coupons", "add", "CART10", str(more)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    described_in = Pool("CART10", 0, 0, pattern="{8}")
    store.write(lambda tx: describe_pool(tx, described_in)).result()
    found: list[tuple[str, str]] = []

    def drain(channel: str) -> None:
        look = partial(claim, running=stage.running, content=stage.content, channel=channel, now=stage.now, limit=7)
        while claims := store.write(look).result().claims:
            found.extend((one.customer, one.values["code"]) for one in claims)

    threads = [threading.Thread(target=drain, args=(channel,)) for channel in ("email", "sms", "push")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert adding.wait(60) == 0, adding.stderr and adding.stderr.read()
    if adding.stderr is not None:
        adding.stderr.close()
    store.close()
    assert len(found) == 3 * len(people)
    codes = dict(found)
    assert len(set(found)) == len(codes) == len(people), "one code for each journey, on whatever channel"
    assert len(set(codes.values())) == len(people)
