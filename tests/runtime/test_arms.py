"""Arms of splits in the store: given once, counted where they learn, the same in whatever batches customers come."""

from __future__ import annotations

from collections import Counter

from segue.api import Instant
from segue.api.values import HOUR
from segue.runtime.arms import STEP
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.store.arms import load_counts
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, publish_text

LEARNS = 'rule r when paid goal ordered within 7d split "who" towards ordered 50% "a" stop 50% "b" wait 1h end'


def play(batch: int, count: int) -> tuple[Store, Running]:
    """Customers come in batches; those in arm b order an hour later."""
    store = Store(None)
    running = publish_text(store, f"event paid\nevent ordered\n{LEARNS}", T0)
    for first in range(0, count, batch):
        names = [f"c{number}" for number in range(first, min(first + batch, count))]
        now = Instant(T0 + first * HOUR)
        arrivals = []
        for name in names:
            arrivals.append(event("paid", name, at=now, traits={}))
            arrivals.append(event("ordered", name, at=now, traits={}, id=f"o-{name}"))
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
            )
        )
    assert found[0] == found[1] == found[2]
    counts = found[0][0]
    assert sum(one.assigned for one in counts.values()) == 400
    assert {arm: one.met == one.assigned for arm, one in counts.items()} == {"a": True, "b": True}


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
