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
from segue.runtime.retaining import Retained, due_sorts, next_sweep, retain
from segue.runtime.turn import Turn
from segue.store.crossings import count_crossings
from segue.store.database import Store, Transaction
from segue.store.retention import load_kept
from segue.store.sweeps import count_rules
from tests.runtime.rulebook import T0, event, pass_all_time
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
            one: Retained = stage.store.apply(
                lambda tx, sort=sort: retain(tx, stage.running, retention, sort, stage.now, piece)  # type: ignore[misc]
            )
            going_on = one.going_on
            gone[sort] = gone.get(sort, 0) + one.deleted
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
    assert store.apply(lambda tx: retain(tx, stage.running, keeping, "events", stage.now, 3)) == Retained(3, True)
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


SEGMENTS = """\
event paid
event viewed
customer
  seen text
segment buyers where paid ever
segment newcomers where not paid ever
segment lately where paid in last 20d
segment this_month where paid in last 1mo
rule gone
  when customer leaves buyers
  set customer.seen = "gone"
rule new
  when customer enters newcomers
  set customer.seen = "new"
rule away
  when customer leaves lately
  set customer.seen = "away"
rule month
  when customer leaves this_month
  stop
rule regular
  when viewed where in buyers
  wait 30d unless not in buyers
  set customer.seen = "stayed"
"""


def live(stage: Stage, days: int) -> None:
    """Let so many days pass, one by one: what comes by time comes in time."""
    for _ in range(days):
        stage.later(DAY)
        pass_all_time(stage.store, stage.running, stage.now)


def members(store: Store) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for subject, customer in store.apply(
        lambda tx: tx.rows("select subject, customer from lookout where member = 1 order by subject, customer")
    ):
        found.setdefault(subject, []).append(customer)
    return found


def seen(store: Store) -> list[Any]:
    return [row[0] for row in store.apply(lambda tx: tx.rows("select json_extract(traits, '$.seen') from customer"))]


def test_who_is_in_a_segment_that_looks_further_back_follows_what_is_kept_and_that_begins_nothing(
    store: Store,
) -> None:
    stage = Stage(store, SEGMENTS)
    stage.arrive("paid", "ann")
    live(stage, 35)
    assert (members(store), seen(store)) == ({"buyers": [1]}, ["away"])
    crossed = store.apply(count_crossings)
    assert sweep(stage, Retention(events=30 * DAY)) == {"events": 1}
    assert (members(store), seen(store)) == ({"newcomers": [1]}, ["away"])
    stage.later(DAY)
    stage.arrive("viewed", "ann")
    assert (members(store), seen(store)) == ({"newcomers": [1]}, ["away"])
    assert store.apply(count_crossings) == crossed, "nobody came or went"


def test_a_guard_that_names_the_segment_hears_of_it(store: Store) -> None:
    stage = Stage(store, SEGMENTS)
    stage.arrive("paid", "ann")
    stage.later(25 * DAY)
    stage.arrive("viewed", "ann")
    live(stage, 10)
    sweep(stage, Retention(events=30 * DAY))
    (count,) = (one for one in store.apply(count_rules) if one.rule == "regular")
    assert (count.inside, count.exited) == (0, 1)


def test_only_segments_that_look_further_back_than_is_kept_are_looked_at_again(store: Store) -> None:
    looks = Stage(store, SEGMENTS).running.beginnings.looks_back["paid"]
    assert looks == {"buyers": None, "newcomers": None, "lately": 20 * DAY, "this_month": 31 * DAY}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["paid", "viewed"]), st.integers(0, 90)), max_size=8),
    st.integers(8, 60),
    st.integers(0, 40),
)
def test_after_a_sweep_the_index_says_what_the_history_says(
    story: list[tuple[str, str, int]], kept: int, rest: int
) -> None:
    store = Store(None)
    stage = Stage(store, SEGMENTS)
    for number, (customer, name, after) in enumerate(sorted(story, key=lambda one: one[2])):
        live(stage, after - (stage.now - T0) // DAY)
        stage.arrive(name, customer, id=str(number))
    live(stage, rest)
    sweep(stage, Retention(events=kept * DAY))
    noted = members(store)

    def judged(tx: Transaction) -> dict[str, list[int]]:
        turn = Turn(tx, stage.running, stage.now)
        turn.load(row for (row,) in tx.rows("select id from customer"))
        found = {
            name: [row for row, person in sorted(turn.people.items()) if person.facts.belongs(name, stage.now)]
            for name in stage.running.beginnings.watched
        }
        return {name: rows for name, rows in found.items() if rows}

    assert noted == store.apply(judged)
    store.close()
