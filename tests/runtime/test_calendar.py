"""Moments of the calendar: in pieces with a durable cursor, never twice, and not when they were slept through."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from segue.api import Instant, from_datetime
from segue.api.values import DAY, HOUR, MINUTE
from segue.runtime.admissions import MISSED
from segue.runtime.due import next_due, pass_time, postpone_first
from segue.runtime.fan_out import fan_out
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.runtime.running import DecisionLine, Running
from segue.store.database import Store
from segue.store.schedules import load_schedules
from segue.store.sweeps import count_rules
from tests.engine.stage import setting
from tests.runtime.rulebook import event, pass_all_time, publish_text

NOON = from_datetime(datetime.fromisoformat("2026-03-02T12:00+00:00"))
"""A Monday."""
NEXT = Instant(NOON + 21 * HOUR)
BOOK = "event seen\nsegment everyone where seen\nrule digest every day at 09:00 for everyone wait 1h\n"


def visit(store: Store, running: Running, customers: Iterable[str], now: Instant, **traits: str) -> None:
    events = [event("seen", one, at=now, traits=traits) for one in customers]
    store.apply(lambda tx: ingest(tx, running, events, now))


def entries(lines: Iterable[DecisionLine]) -> Counter[str]:
    return Counter(line.customer for line in lines if line.decision == "entered")


def test_customers_enter_in_pieces_and_a_crash_between_them_asks_nobody_twice(tmp_path: Path) -> None:
    path, pieces = tmp_path / "segue.db", 0
    lines: list[DecisionLine] = []
    with contextlib.closing(Store(path)) as store:
        running = publish_text(store, BOOK, NOON)
        visit(store, running, [f"c{number}" for number in range(25)], NOON)
    while True:
        with contextlib.closing(Store(path)) as store:
            found = store.apply(lambda tx: resume(tx, setting()))
            assert found is not None
            woke = store.apply(lambda tx: fan_out(tx, found, NEXT, 4))  # noqa: B023
            if not woke.fired and woke.next_due != NEXT:
                break
            with pytest.raises(ZeroDivisionError):
                store.apply(lambda tx: (fan_out(tx, found, NEXT, 4), 1 / 0))  # noqa: B023 - it died before the commit
        lines += woke.done.lines
        pieces += 1
        assert woke.fired <= 4
    assert entries(lines) == Counter({f"c{number}": 1 for number in range(25)})
    assert pieces == 7
    assert {line.at for line in lines} == {NEXT}


def test_whoever_comes_while_the_customers_enter_was_not_there_at_the_moment() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, ["ann", "bob"], NOON)
    lines = list(store.apply(lambda tx: fan_out(tx, running, NEXT, 1)).done.lines)
    visit(store, running, ["cyd"], Instant(NEXT + 1))
    lines += pass_all_time(store, running, Instant(NEXT + 2))
    assert entries(lines) == Counter(["ann", "bob"])


def test_a_moment_that_came_while_segue_did_not_run_is_made_up_for_within_a_day() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, ["ann"], NOON)
    lines = pass_all_time(store, running, Instant(NEXT + 3 * DAY + 23 * HOUR))
    told = [(line.customer, line.decision, line.reason, (line.at - NEXT) // DAY) for line in lines]
    assert told[:3] == [("", "ignored", MISSED, 0), ("", "ignored", MISSED, 1), ("", "ignored", MISSED, 2)]
    assert ("ann", "entered", "", 3) in told
    (count,) = store.apply(count_rules)
    assert (count.entered, count.ignored, count.balanced) == (1, 3, True)


def test_how_late_a_moment_may_be_is_the_projects_own() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, ["ann"], NOON)
    patient = msgspec.structs.replace(running, stale=10 * DAY)
    lines = pass_all_time(store, patient, Instant(NEXT + 3 * DAY))
    assert entries(lines) == Counter({"ann": 4})


def test_a_zone_that_is_new_has_its_moments_from_then_on() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    assert [one.zone for one in store.apply(load_schedules)] == [""]
    visit(store, running, ["ann"], NOON)
    visit(store, running, ["ken"], Instant(NOON + MINUTE), timezone="Asia/Tokyo")
    visit(store, running, ["oda"], Instant(NOON + MINUTE), timezone="Middle/Earth")
    assert [one.zone for one in store.apply(load_schedules)] == ["", "Asia/Tokyo"]
    assert store.apply(lambda tx: next_due(tx, running)) == NOON + 12 * HOUR
    tokyo = pass_all_time(store, running, Instant(NOON + 13 * HOUR))
    assert entries(tokyo) == Counter(["ken"])
    assert entries(pass_all_time(store, running, NEXT)) == Counter(["ann", "oda"])


def test_customers_of_few_zones_are_found_among_many_of_others() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, [f"t{number}" for number in range(120)], NOON, timezone="Asia/Tokyo")
    visit(store, running, ["ann"], NOON)
    visit(store, running, [f"u{number}" for number in range(120)], NOON, timezone="Asia/Tokyo")
    lines = pass_all_time(store, running, Instant(NOON + 13 * HOUR), limit=7)
    assert len(entries(lines)) == 240
    assert entries(pass_all_time(store, running, NEXT, limit=7)) == Counter(["ann"])


def test_an_edit_of_the_steps_goes_on_with_a_moment_that_is_under_way() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, ["ann", "bob", "cyd"], NOON)
    lines = list(store.apply(lambda tx: pass_time(tx, running, NEXT, 1)).done.lines)
    edited = publish_text(store, BOOK.replace("1h", "2h"), Instant(NEXT + 1))
    lines += pass_all_time(store, edited, Instant(NEXT + 2))
    assert entries(lines) == Counter(["ann", "bob", "cyd"])


def test_a_rule_that_leaves_the_book_leaves_the_calendar() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, ["ann"], NOON)
    other = publish_text(store, "event seen\nrule other when seen stop", Instant(NOON + 1))
    assert store.apply(load_schedules) == []
    assert pass_all_time(store, other, NEXT) == []


def test_a_customer_who_cannot_be_asked_is_passed_over() -> None:
    store = Store(None)
    running = publish_text(store, BOOK, NOON)
    visit(store, running, ["ann", "bob"], NOON)
    assert store.apply(lambda tx: postpone_first(tx, running, NEXT, NEXT)) == "digest of customer 1"
    assert entries(pass_all_time(store, running, NEXT)) == Counter(["bob"])
