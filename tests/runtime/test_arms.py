"""Arms of splits in the store: given once, counted where they learn, the same in whatever batches customers come."""

from __future__ import annotations

from collections import Counter

import msgspec

from segue.api import Instant
from segue.api.values import HOUR, MINUTE
from segue.runtime.arms import STEP
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.store.arms import load_counts
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, publish_text

LEARNS = 'rule r when paid goal ordered within 1h split "who" towards ordered 50% "a" stop 50% "b" wait 1h end'


def at(number: int) -> Instant:
    return Instant(T0 + 3 * number * MINUTE)


def play(batch: int, count: int) -> tuple[Store, Running]:
    """Customers come three minutes apart, in batches; two of three order at once."""
    store = Store(None)
    running = publish_text(store, f"event paid\nevent ordered\n{LEARNS}", T0)
    for first in range(0, count, batch):
        arrivals = []
        for number in range(first, min(first + batch, count)):
            arrivals.append(event("paid", f"c{number}", at=at(number), traits={}))
            if number % 3:
                arrivals.append(event("ordered", f"c{number}", at=at(number), traits={}, id=f"o-{number}"))
        now = at(min(first + batch, count) - 1)
        store.apply(lambda tx: ingest(tx, running, arrivals, now))  # noqa: B023
    return store, running


def test_the_same_customers_learn_the_same_in_any_batches() -> None:
    found = []
    for batch in (1, 7, 400):
        store, _ = play(batch, 400)
        found.append(
            (
                store.apply(lambda tx: load_counts(tx, "r", "who")),
                store.apply(lambda tx: tx.rows("select customer, arm from assignment order by customer")),
                store.apply(lambda tx: tx.rows("select customer, arm, at, shares from exposure order by customer")),
            )
        )
    assert found[0] == found[1] == found[2]
    counts = found[0][0]
    assert sum(one.assigned for one in counts.values()) == 400
    assert sum(one.met for one in counts.values()) == sum(1 for number in range(400) if number % 3)
    assert len({shares for *_, shares in found[0][2]}) > 2  # they learned something on the way


def test_an_arm_that_works_at_once_is_no_better_for_it() -> None:
    """One of two orders in either arm, in the one at once and in the other when the window is nearly over."""
    store = Store(None)
    running = publish_text(store, f"event paid\nevent ordered\n{LEARNS}", T0)
    late: dict[int, list[int]] = {}
    orders = Counter[str]()
    for number in range(700):
        now = at(number)
        store.apply(lambda tx: ingest(tx, running, [event("paid", f"c{number}", at=now, traits={})], now))  # noqa: B023
        (arm,) = store.apply(lambda tx: tx.row("select arm from assignment order by customer desc limit 1")) or ("",)
        orders[arm] += 1
        if orders[arm] % 2:
            late.setdefault(number if arm == "a" else number + 19, []).append(number)
        arrivals = [event("ordered", f"c{buyer}", at=now, traits={}, id=f"o-{buyer}") for buyer in late.get(number, ())]
        store.apply(lambda tx: ingest(tx, running, arrivals, now))  # noqa: B023
    for shares in store.apply(lambda tx: tx.rows("select distinct shares from exposure")):
        assert 0.3 < msgspec.json.decode(shares[0])["a"] < 0.7


def test_the_written_shares_hold_until_there_is_evidence() -> None:
    store, _ = play(50, STEP)
    counts = store.apply(lambda tx: load_counts(tx, "r", "who"))
    assert all(one.share is None for one in counts.values())


def test_a_customer_keeps_the_arm_they_were_given() -> None:
    store, running = play(50, 50)
    before = store.apply(lambda tx: dict(tx.rows("select customer, arm from assignment")))
    now = Instant(T0 + 500 * HOUR)
    again = [event("paid", f"c{number}", at=now, traits={}, id=f"again-{number}") for number in range(50)]
    store.apply(lambda tx: ingest(tx, running, again, now))
    assert store.apply(lambda tx: dict(tx.rows("select customer, arm from assignment"))) == before
    assert Counter(before.values()).keys() == {"a", "b"}


def test_arms_of_an_edited_split_begin_with_the_written_shares() -> None:
    store, _ = play(100, 400)
    edited = LEARNS.replace('50% "b" wait 1h', '25% "b" wait 1h 25% "c" stop')
    running = publish_text(store, f"event paid\nevent ordered\n{edited}", Instant(T0 + 500 * HOUR))
    now = Instant(T0 + 501 * HOUR)
    arrivals = [event("paid", f"new{number}", at=now, traits={}) for number in range(40)]
    store.apply(lambda tx: ingest(tx, running, arrivals, now))
    assert store.apply(lambda tx: load_counts(tx, "r", "who"))["c"].assigned > 0
