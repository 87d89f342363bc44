"""What is watched for every customer: the silent look at publication, in pieces, and what an input before it does."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.runtime.admissions import MISSED
from segue.runtime.due import postpone_first
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.runtime.running import DecisionLine, Running
from segue.runtime.sweeping import chores, sweep
from segue.store.database import Store
from segue.store.lookouts import load_watches
from tests.engine.stage import setting
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text, sweep_all, told

ORDERS = "event ordered\nevent seen\nrule r when seen stop\n"
LAPSED = "event ordered\nevent seen\nrule r when seen stop\nsegment lapsed where ordered and not ordered in last 30d\n"
ENTERS = LAPSED + "rule back when customer enters lapsed send push"


def order(
    store: Store, running: Running, customers: Iterable[str], now: Instant, name: str = "ordered"
) -> list[DecisionLine]:
    events = [event(name, one, at=now, traits={}) for one in customers]
    return list(store.apply(lambda tx: ingest(tx, running, events, now)).done.lines)


def entries(lines: Iterable[DecisionLine], rule: str = "back") -> Counter[str]:
    return Counter(line.customer for line in lines if line.decision == "entered" and line.rule == rule)


@pytest.fixture
def store() -> Store:
    return Store(None)


def test_the_look_at_publication_goes_in_pieces_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    path, names = tmp_path / "segue.db", [f"c{number}" for number in range(11)]
    with contextlib.closing(Store(path)) as store:
        running = publish_text(store, ORDERS, T0)
        order(store, running, names, T0)
        publish_text(store, ENTERS, Instant(T0 + 29 * DAY))
    pieces = 0
    while True:
        with contextlib.closing(Store(path)) as store:
            found = store.apply(lambda tx: resume(tx, setting()))
            assert found is not None
            left = store.apply(partial(chores, running=found))
            if not left:
                break
            now = Instant(T0 + 29 * DAY + HOUR)
            swept = store.apply(partial(sweep, running=found, chore=left[0], now=now, limit=3))
            assert swept.done.lines == ()
        pieces += 1
    assert pieces == 4
    with contextlib.closing(Store(path)) as store:
        found = store.apply(lambda tx: resume(tx, setting()))
        assert found is not None
        assert entries(pass_all_time(store, found, Instant(T0 + 30 * DAY))) == Counter(names)


def test_what_turned_between_the_publication_and_the_look_is_a_change(store: Store) -> None:
    running = publish_text(store, ORDERS, T0)
    order(store, running, ["ann"], T0)
    running = publish_text(store, ENTERS, Instant(T0 + 29 * DAY))
    assert sweep_all(store, running, Instant(T0 + 31 * DAY)) == []
    (line, *_) = pass_all_time(store, running, Instant(T0 + 31 * DAY))
    assert (line.customer, line.decision, line.at) == ("ann", "entered", T0 + 30 * DAY)


def test_an_input_before_the_look_has_it_first(store: Store) -> None:
    running = publish_text(store, ORDERS, T0)
    order(store, running, ["ann", "bob"], T0)
    running = publish_text(
        store, ENTERS + "\nrule thanks when customer leaves lapsed send push", Instant(T0 + 40 * DAY)
    )
    lines = order(store, running, ["ann"], Instant(T0 + 41 * DAY))
    assert entries(lines) == Counter()
    assert entries(lines, "thanks") == Counter(["ann"])
    assert sweep_all(store, running, Instant(T0 + 42 * DAY)) == []
    assert entries(pass_all_time(store, running, Instant(T0 + 80 * DAY))) == Counter()  # missed by days: recorded
    assert entries(order(store, running, ["bob"], Instant(T0 + 81 * DAY)), "thanks") == Counter(["bob"])


def test_a_change_by_time_that_is_found_days_late_begins_nothing(store: Store) -> None:
    running = publish_text(store, ENTERS, T0)
    order(store, running, ["ann", "bob"], T0)
    lines = pass_all_time(store, running, Instant(T0 + 31 * DAY + 1))
    assert told(lines) == [("back", "ignored", MISSED)] * 2
    assert pass_all_time(store, running, Instant(T0 + 31 * DAY + 1)) == []


def test_a_rule_added_to_a_watched_segment_begins_nothing_for_its_members(store: Store) -> None:
    running = publish_text(store, ENTERS, T0)
    order(store, running, ["ann"], T0)
    pass_all_time(store, running, Instant(T0 + 30 * DAY))
    running = publish_text(store, ENTERS + "\nrule again when customer enters lapsed send push", Instant(T0 + 31 * DAY))
    assert sweep_all(store, running, Instant(T0 + 31 * DAY)) == []
    assert pass_all_time(store, running, Instant(T0 + 32 * DAY)) == []


def test_what_nobody_watches_any_more_is_forgotten_in_pieces(store: Store) -> None:
    running = publish_text(store, ENTERS, T0)
    order(store, running, [f"c{number}" for number in range(30)], T0)
    assert store.apply(lambda tx: tx.row("select count(*) from lookout")) == (30,)
    running = publish_text(store, LAPSED, Instant(T0 + DAY))
    sweep_all(store, running, Instant(T0 + DAY), limit=2)
    assert store.apply(lambda tx: tx.row("select count(*) from lookout")) == (0,)
    assert store.apply(load_watches) == {}


def test_what_nobody_watches_is_not_looked_for_on_the_way_of_an_event(store: Store) -> None:
    running = publish_text(store, LAPSED, T0)
    assert not running.beginnings.watched
    order(store, running, ["ann"], T0)
    assert store.apply(lambda tx: tx.row("select count(*) from lookout")) == (0,)


def test_an_edit_that_means_the_same_looks_at_nobody_again(store: Store) -> None:
    running = publish_text(store, ENTERS, T0)
    order(store, running, ["ann"], T0)
    running = publish_text(
        store, "\n\n" + ENTERS.replace("segment lapsed", 'segment lapsed "gone quiet"'), Instant(T0 + DAY)
    )
    assert store.apply(lambda tx: chores(tx, running)) == ()


def test_a_customer_who_cannot_be_looked_at_waits_an_hour(store: Store) -> None:
    running = publish_text(store, ENTERS, T0)
    order(store, running, ["ann", "bob"], T0)
    due, later = Instant(T0 + 30 * DAY), Instant(T0 + 30 * DAY + HOUR)
    assert store.apply(lambda tx: postpone_first(tx, running, due, later)) == "lapsed of customer 1"
    assert entries(pass_all_time(store, running, due)) == Counter(["bob"])
    assert entries(pass_all_time(store, running, later)) == Counter(["ann"])
