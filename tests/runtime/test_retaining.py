"""What is older than the project keeps it is deleted, and nothing that something still needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant, Period, Sent
from segue.api.values import DAY, HOUR
from segue.host.privacy import Retention
from segue.language import model as m
from segue.runtime.ingest import ingest
from segue.runtime.retaining import due_sorts, next_sweep, retain
from segue.store.database import Store
from segue.store.retention import load_kept
from segue.store.sweeps import count_rules
from tests.runtime.rulebook import event
from tests.runtime.stage import Stage

TEXT = "event paid\nevent viewed\nevent ordered_it\nwhen paid send push wait 20d unless ordered_it stop"


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def sweep(stage: Stage, retention: Retention, piece: int = 3) -> dict[str, int]:
    """Do all that is due, in pieces; how many rows went, by sort."""
    gone: dict[str, int] = {}
    for sort in stage.store.apply(lambda tx: due_sorts(tx, retention, stage.now)):
        going_on = True
        while going_on:
            deleted, going_on = stage.store.apply(
                lambda tx, sort=sort: retain(tx, stage.running, retention, sort, stage.now, piece)  # type: ignore[misc]
            )
            gone[sort] = gone.get(sort, 0) + deleted
    return gone


def names(store: Store) -> list[str]:
    rows = store.apply(
        lambda tx: tx.rows("select name.name from event join name on name.id = event.name order by event.id")
    )
    return [name for (name,) in rows]


def rows(store: Store, table: str) -> int:
    found = store.apply(lambda tx: tx.row(f"select count(*) from {table}"))
    assert found is not None
    return int(found[0])


def test_events_go_by_their_own_time_and_the_others_by_the_default(store: Store) -> None:
    stage = Stage(store, TEXT)
    stage.arrive("viewed", "ann")
    stage.arrive("ordered_it", "ann")
    stage.later(15 * DAY)
    assert sweep(stage, Retention(events=30 * DAY, by_event={"viewed": 10 * DAY})) == {"events": 1}
    assert names(store) == ["ordered_it"]
    stage.later(16 * DAY)
    assert sweep(stage, Retention(events=30 * DAY, by_event={"ordered_it": None})) == {"events": 0}
    stage.later(DAY)
    assert sweep(stage, Retention(events=30 * DAY)) == {"events": 1}


def test_what_a_journey_inside_may_look_at_stays(store: Store) -> None:
    stage = Stage(store, TEXT)
    stage.arrive("viewed", "ann")
    stage.later(HOUR)
    stage.arrive("paid", "ann")
    stage.arrive("viewed", "ann", id="second")
    stage.answer(stage.claim("push")[0][0], Sent())
    stage.later(10 * DAY)
    assert sweep(stage, Retention(events=7 * DAY)) == {"events": 1}
    assert names(store) == ["paid", "viewed"]
    stage.later(11 * DAY)
    stage.wake()
    assert sweep(stage, Retention(events=7 * DAY)) == {"events": 2}


def test_an_event_that_comes_again_within_a_week_is_known_however_old_it_is(store: Store) -> None:
    stage = Stage(store, TEXT)
    old = event("viewed", "ann", at=Instant(stage.now - 400 * DAY), id="late")

    def arrive() -> int:
        return store.apply(lambda tx: ingest(tx, stage.running, [old], stage.now)).accepted

    assert arrive() == 1
    stage.later(6 * DAY)
    assert sweep(stage, Retention(events=30 * DAY)) == {"events": 0}
    assert arrive() == 0
    stage.later(DAY + 1)
    assert sweep(stage, Retention(events=30 * DAY)) == {"events": 1}


def test_messages_that_a_limit_counts_or_a_journey_needs_stay(store: Store) -> None:
    stage = Stage(store, TEXT)
    stage.under(m.Limit(2, None, Period(days=60)))
    stage.arrive("paid", "ann")
    (claimed,), _ = stage.claim("push")
    stage.answer(claimed, Sent())
    stage.later(15 * DAY)
    retention = Retention(messages=10 * DAY)
    assert sweep(stage, retention)["messages"] == 0, "its journey is inside"
    stage.later(6 * DAY)
    stage.wake()
    assert sweep(stage, retention)["messages"] == 0, "the limit looks back so far"
    stage.later(41 * DAY)
    assert sweep(stage, retention)["messages"] == 1
    assert stage.report(claimed, "opened", "push") == [], "a late report finds nothing"


def test_a_journey_goes_with_its_messages_and_the_counts_stay(store: Store) -> None:
    stage = Stage(store, TEXT)
    stage.arrive("paid", "ann")
    (claimed,), _ = stage.claim("push")
    stage.answer(claimed, Sent())
    stage.later(20 * DAY)
    stage.wake()
    stage.later(DAY)
    stage.arrive("paid", "bob")
    stage.later(10 * DAY)
    assert sweep(stage, Retention(journeys=5 * DAY)) == {"journeys": 1}
    assert (rows(store, "journey"), rows(store, "message")) == (1, 1)
    (count,) = store.apply(count_rules)
    assert (count.entered, count.inside, count.finished, count.balanced) == (2, 1, 1, True)


def test_triggers_that_began_nothing_go(store: Store) -> None:
    stage = Stage(store, TEXT)
    stage.arrive("paid", "ann")
    stage.arrive("paid", "ann", id="again")
    stage.later(2 * DAY)
    assert sweep(stage, Retention(ignored=3 * DAY)) == {"ignored": 0}
    stage.later(2 * DAY)
    assert sweep(stage, Retention(ignored=3 * DAY)) == {"ignored": 1}


def test_a_sweep_goes_on_where_it_was_cut_off_and_the_next_comes_a_day_later(store: Store) -> None:
    stage = Stage(store, TEXT)
    for number in range(7):
        stage.arrive("viewed", f"c{number}")
    stage.later(30 * DAY)
    keeping = Retention(events=7 * DAY)
    assert store.apply(lambda tx: retain(tx, stage.running, keeping, "events", stage.now, 3)) == (3, True)
    kept = store.apply(load_kept)["events"]
    assert (kept.cursor, kept.deleted, kept.ended) == (3, 3, None)
    assert store.apply(lambda tx: due_sorts(tx, keeping, stage.now)) == ["events"]
    assert sweep(stage, keeping) == {"events": 4}
    assert store.apply(load_kept)["events"].deleted == 7
    assert store.apply(lambda tx: due_sorts(tx, keeping, stage.now)) == []
    assert store.apply(lambda tx: next_sweep(tx, keeping, stage.now)) == stage.now + DAY
    assert store.apply(lambda tx: next_sweep(tx, Retention(), stage.now)) is None


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["paid", "viewed", "ordered_it"]), st.integers(0, 2), st.integers(1, 30)), max_size=12
    )
)
def test_sweeping_changes_no_decision_where_no_rule_looks_further_back(story: list[tuple[str, int, int]]) -> None:
    def told(retention: Retention | None) -> list[Any]:
        opened = Store(None)
        stage = Stage(opened, TEXT)
        found: list[Any] = []
        for place, (name, customer, days) in enumerate(story):
            found += stage.arrive(name, f"c{customer}", id=str(place))
            found += stage.claim("push")[1]
            stage.later(days * DAY)
            found += stage.wake()
            if retention is not None:
                sweep(stage, retention)
        opened.close()
        return found

    swept = Retention(events=7 * DAY, messages=DAY, journeys=DAY, ignored=DAY)
    assert told(swept) == told(None)
