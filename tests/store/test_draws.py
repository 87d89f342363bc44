"""The log of exposures, read in its own order, against a slow reading customer by customer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant
from segue.measure.experiments.exposed import CONTROL, collect
from segue.measure.period import Period
from segue.store.database import Store, Transaction
from segue.store.draws import each_piece

NOW = Instant(100)
BEFORE = 30
HALF, LESS = json.dumps({"a": 0.5, "b": 0.5}), json.dumps({"a": 0.1, "b": 0.9})


class Line(msgspec.Struct, frozen=True):
    """A customer is put into an arm by a journey."""

    customer: int
    experiment: str
    arm: str
    shares: str
    at: int
    window: int | None
    converted: int | None
    kept: bool


lines = st.builds(
    Line,
    st.sampled_from([1, 2, 4000]),  # a number far from the others
    st.sampled_from([CONTROL, "words"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([HALF, LESS]),
    st.sampled_from([45, 50, 60, 80]),  # few moments, so that many are the same
    st.sampled_from([10, 20, 30, 60, 0, None]),
    st.sampled_from([50, 60, 70, 110, None]),
    st.sampled_from([True, True, True, False]),
)
events = st.lists(st.tuples(st.sampled_from([1, 2, 3, 5, 4000]), st.sampled_from([10, 15, 20, 30, 50, 60])), max_size=8)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store(None)
    yield store
    store.close()


def write(tx: Transaction, log: list[Line], done: list[tuple[int, int]]) -> None:
    for table in ("program", "journey", "exposure", "event", "name"):
        tx.run(f"delete from {table}")
    tx.run("insert into program (id, rule, hash, body) values (1, 'r', 'h', x'00')")
    tx.run("insert into name (id, name) values (7, 'ordered')")
    for number, line in enumerate(log, 1):
        if line.kept:
            tx.run(
                'insert into journey (id, key, customer, program, entered, "order", state, step, visit, since, mark, '
                "goal_until, converted, worth, live) values (?, ?, ?, 1, ?, 0, 1, 0, 0, 0, 0, ?, ?, '2 EUR', ?)",
                (number, b"%d" % number, line.customer, line.at, _until(line), line.converted, number % 2),
            )
        tx.run(
            "insert into exposure values (?, ?, 'r', ?, ?, ?, ?, 0.5, ?)",
            (number, line.customer, line.experiment, line.arm, line.at, number, line.shares),
        )
    for number, (customer, at) in enumerate(done, 1):
        tx.run(
            "insert into event (id, hash, message_id, customer, name, at, received, kind) "
            "values (?, 0, '', ?, 7, ?, 0, 0)",
            (number, customer, at),
        )


def _until(line: Line) -> int | None:
    return line.at + line.window if line.window is not None else None


def slow(log: list[Line], done: list[tuple[int, int]], experiment: str, period: Period) -> dict[str, Counter[str]]:
    """Each customer looked up by themselves."""
    groups: dict[str, Counter[str]] = {}
    for customer in sorted({line.customer for line in log}):
        ours = [line for line in log if line.customer == customer and line.experiment == experiment]
        if not ours or not period.since <= ours[0].at < period.until:
            continue
        first = ours[0]
        group = groups.setdefault(first.arm, Counter())
        group["drawn"] += 1
        group["mixed"] += any(line.arm != first.arm for line in ours)
        until = _until(first)
        if not first.kept or until is None or until <= first.at or first.at >= (first.converted or 1000):
            group["gone"] += 1
        elif until > NOW:
            group["open"] += 1
        else:
            theirs = [line for line in log if line.customer == customer and line.kept and line.converted is not None]
            met = sum(first.at < (line.converted or 0) <= until for line in theirs)
            earlier = sum(who == customer and first.at - BEFORE <= at < first.at for who, at in done)
            group["counted"] += 1
            group["met"] += met > 0
            group["worth"] += 2 * met
            group["before"] += earlier
            group["squares"] += earlier**2
    return groups


@given(st.lists(lines, max_size=12), events, st.integers(1, 9), st.integers(40, 60))
@settings(max_examples=120, deadline=None)
def test_reading_in_the_order_of_the_log_finds_what_looking_customers_up_finds(
    store: Store, log: list[Line], done: list[tuple[int, int]], size: int, since: int
) -> None:
    period = Period(Instant(since), Instant(75))
    store.apply(lambda tx: write(tx, log, done))
    pieces = store.apply(lambda tx: list(each_piece(tx, {"r": "ordered"}, period, NOW, BEFORE, size)))
    for experiment in (CONTROL, "words"):
        groups = collect(piece for _, name, piece in pieces if name == experiment).groups
        expected = slow(log, done, experiment, period)
        assert groups.keys() == expected.keys()
        for arm, group in groups.items():
            found = Counter(
                drawn=group.drawn,
                mixed=group.mixed,
                gone=group.gone,
                open=group.open,
                counted=group.rate.customers,
                met=group.rate.met,
                worth=round(group.values.get("EUR", 0)),
                before=round(group.conversions.x),
                squares=round(group.conversions.xx),
            )
            assert +found == +expected[arm]
