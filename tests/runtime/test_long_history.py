"""What is kept of a long history gives exactly what a look through all of its events gives."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Instant, Money, Period
from segue.api.values import DAY, HOUR
from segue.customers.identity import user_key
from segue.language import model as m
from segue.program.calendar import find_zone
from segue.program.conditions import compile_expression
from segue.program.facts import Customer, Past, Scene
from segue.program.horizon import compile_change
from segue.runtime import long_history
from segue.runtime.ingest import ingest
from segue.runtime.long_history import find_kept
from segue.runtime.running import Running
from segue.runtime.sweeping import arrange_aggregates
from segue.runtime.turn import Turn
from segue.store import aggregates as rows
from segue.store.customers import load_history
from segue.store.database import Store, Transaction
from segue.store.identity import find_customers
from tests.engine.stage import put, setting
from tests.runtime.rulebook import T0, book_of, event

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "60"))
pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)

# What a rule may ask

EVER: Final = m.Window("ever")
WINDOWS: Final = (
    EVER,
    m.Window("last", Period(0, 0, HOUR)),
    m.Window("last", Period(0, 1)),
    m.Window("last", Period(0, 3, 1)),
    m.Window("last", Period(1)),
    m.Window("last", Period(12, 5)),
    m.Window("last", Period(120_000)),
)
WHERES: Final = (
    None,
    m.Compare(">", m.EventField("total", "money"), m.Literal_(Money(Decimal(20), "EUR"))),
    m.Not(m.Present(m.EventField("gift", "boolean"))),
    m.Any_((m.Contains(m.Literal_("b"), m.EventField("items", "list")), m.EventField("gift", "boolean"))),
    m.Between(m.EventField("score", "number"), m.Literal_(1), m.Literal_(Decimal("2.50"))),
)
FIELDS: Final[tuple[tuple[str, Any], ...]] = (
    ("total", "money"),
    ("score", "number"),
    ("slot", "time"),
    ("timestamp", "date"),
    ("coupon", "text"),
    ("gift", "boolean"),
)
ONLY_EDGES: Final = ("text", "boolean")


def _looks(window: m.Window, where: m.Expression | None) -> Iterator[m.Happened | m.Aggregate]:
    yield m.Happened("ordered", window, where)
    yield m.Happened("ordered", window, where, 3)
    yield m.Aggregate("count", "ordered", None, "number", window, where)
    for field, kind in FIELDS:
        yield m.Aggregate("first", "ordered", field, kind, window, where)
        yield m.Aggregate("last", "ordered", field, kind, window, where)
        if kind not in ONLY_EDGES:
            yield m.Aggregate("min", "ordered", field, kind, window, where)
            yield m.Aggregate("max", "ordered", field, kind, window, where)
        if kind in ("number", "money"):
            yield m.Aggregate("sum", "ordered", field, kind, window, where)
            yield m.Aggregate("average", "ordered", field, kind, window, where)


LOOKS: Final = tuple(look for window in WINDOWS for where in WHERES for look in _looks(window, where))

# What may have happened

NUMBERS = st.one_of(
    st.sampled_from(["12.50", "12.5", 12.5, "1e-20", "-0", 0, "7.000", 1e28, "0.1", 0.2, 0.3, "abc", True, "1" * 40]),
    st.integers(-5, 5),
    st.decimals(-100, 100, places=3).map(str),
    st.floats(-1e6, 1e6),
)
FIELD_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "total": NUMBERS | st.fixed_dictionaries({"amount": NUMBERS, "currency": st.sampled_from(["usd", "EUR"])}),
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "USD", 5]),
        "score": NUMBERS,
        "slot": st.sampled_from(["09:00", "09:00:30", "23:59", "25:00", 9]),
        "coupon": st.sampled_from(["A", "B", 12, 1.5, [], None]),
        "gift": st.sampled_from([True, False, "true"]),
        "items": st.lists(st.sampled_from(["a", "b", 1]), max_size=2),
    },
)
# Moments collide, lie on midnights, and on the edges of windows that end at one another.
MOMENTS = st.one_of(
    st.integers(0, 40 * DAY),
    st.integers(0, 40).map(lambda day: day * DAY),
    st.sampled_from([0, 1, DAY - 1, DAY, DAY + 1, 3 * DAY + 1, 30 * DAY, 31 * DAY, HOUR, HOUR + 1]),
    st.integers(-400 * DAY, 0),
)
ZONES: Final = tuple(zone for name in ("UTC", "Europe/Paris", "Australia/Lord_Howe") if (zone := find_zone(name)))
ORDERS = st.lists(st.tuples(MOMENTS, FIELD_VALUES), min_size=1, max_size=14)

BOOK = "event ordered\n  total money\nwhen ordered where count(ordered ever) >= 0 wait 1h emit paid\nevent paid"
CHECKED: Final = book_of(BOOK)
START = Instant(T0 - 60 * DAY)


ASKED: Final = find_kept(LOOKS, "EUR")


def running_on(store: Store) -> Running:
    """A book whose rule reads the history, and that asks all of it that there is to ask."""
    running = msgspec.structs.replace(put(store, CHECKED, setting(), Instant(0)), kept=ASKED)
    store.apply(lambda tx: arrange_aggregates(tx, running))
    return running


@contextmanager
def lengths(most: int) -> Iterator[None]:
    """Histories are long from so many events on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(long_history, "MOST_SCANNED", most)
        yield


def send(store: Store, running: Running, orders: Sequence[tuple[int, Mapping[str, Any]]], number: int = 0) -> None:
    """One batch of orders by their moments after the start."""
    batch = [
        event("ordered", at=Instant(START + at), id=f"order-{number}-{place}", traits={}, **fields)
        for place, (at, fields) in enumerate(orders)
    ]
    store.apply(lambda tx: ingest(tx, running, batch, T0))


def number_of(tx: Transaction) -> int:
    return find_customers(tx, [user_key("ann")])[0][user_key("ann")]


class Both:
    """One customer twice: as a turn reads a long history, and with all events to look through."""

    def __init__(self, tx: Transaction, running: Running, unwritten: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        row = number_of(tx)
        self.turn = Turn(tx, running, T0)
        self.turn.load([row])
        self.turn.load_history([row], ["ordered"])
        events = load_history(tx, [row], ["ordered"])[row, "ordered"]
        person = self.turn.people[row]
        for place, (at, fields) in enumerate(unwritten):
            raw = msgspec.json.encode(dict(fields))
            order = self.turn.record(f"now-{place}", row, "ordered", Instant(START + at), 0, raw)
            person.history.remember("ordered", Past(Instant(START + at), order, raw))
            events.append(Past(Instant(START + at), order, raw))
        assert "ordered" in person.history.long
        self.events = events
        self.kept = person.facts
        plain = person.facts
        self.plain = Customer("u:ann", {}, plain.zone, "EUR", {"ordered": events}, plain.refusal)

    def scenes(self, now: int, without: int, zone: Any) -> tuple[Scene, Scene]:
        for customer in (self.kept, self.plain):
            customer.zone = zone
        return tuple(  # type: ignore[return-value]
            Scene(customer, Instant(now), without=without) for customer in (self.kept, self.plain)
        )


def exactly(value: Any) -> str:
    """A value to the last digit: two decimals that are equal may be written otherwise."""
    return repr(value)


JUDGES: Final = tuple((look, compile_expression(look)) for look in LOOKS)
CHANGES: Final = tuple(
    (look, judge, compile_change(look))
    for look, judge in JUDGES
    if isinstance(look, m.Happened) and look.window is not EVER
)

A_FEW = st.integers(0, 2**32).map(lambda seed: random.Random(seed).sample(JUDGES, 40))
SOME_CHANGES = st.integers(0, 2**32).map(lambda seed: random.Random(seed).sample(CHANGES, 12))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_kept_gives_what_a_look_through_all_events_gives(data: st.DataObject) -> None:
    before = data.draw(st.lists(ORDERS, min_size=1, max_size=3))
    unwritten = data.draw(st.lists(st.tuples(MOMENTS, FIELD_VALUES), max_size=4))
    store = Store(None)
    with lengths(0):
        running = running_on(store)
        for number, orders in enumerate(before):
            send(store, running, orders, number)

        def compare(tx: Transaction) -> None:
            both = Both(tx, running, unwritten)
            edges = [past.at + length for past in both.events for length in (0, 1, -1, DAY, HOUR, 3 * DAY + 1)]
            for _ in range(4):
                now = data.draw(st.sampled_from([int(T0), *edges]) | st.integers(START - DAY, T0), "now")
                without = data.draw(st.sampled_from([-1, *(past.order for past in both.events)]), "without")
                zone = data.draw(st.sampled_from(ZONES), "zone")
                kept, plain = both.scenes(now, without, zone)
                for look, judge in data.draw(A_FEW):
                    assert exactly(judge(kept)) == exactly(judge(plain)), (look, now)
            both.turn.flush()

        store.apply(compare)
        store.apply(lambda tx: assert_kept_is_whole(tx, running))
    store.close()


def assert_kept_is_whole(tx: Transaction, running: Running) -> None:
    """Every row says what the stored events of its day come to."""
    row = number_of(tx)
    known = rows.numbers(tx)
    stored = {
        place: msgspec.json.encode(bucket, order="sorted")
        for place, bucket in rows.load_buckets(tx, known.values(), [row], rows.ALL, 10**9).items()
    }
    long_history.count_anew(tx, row, "ordered", running.kept["ordered"])
    anew = rows.load_buckets(tx, known.values(), [row], rows.ALL, 10**9)
    assert stored == {place: msgspec.json.encode(bucket, order="sorted") for place, bucket in anew.items()}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(ORDERS, st.lists(st.tuples(MOMENTS, FIELD_VALUES), max_size=3), st.data())
def test_a_change_by_time_alone_is_never_told_too_late(
    orders: list[tuple[int, Mapping[str, Any]]], unwritten: list[tuple[int, Mapping[str, Any]]], data: st.DataObject
) -> None:
    store = Store(None)
    with lengths(0):
        running = running_on(store)
        send(store, running, orders)

        def compare(tx: Transaction) -> None:
            both = Both(tx, running, unwritten)
            now = data.draw(st.sampled_from([past.at + ahead for past in both.events for ahead in (0, 1, HOUR, DAY)]))
            zone = data.draw(st.sampled_from(ZONES))
            kept, _ = both.scenes(now, -1, zone)
            coming = sorted(
                moment
                for past in both.events
                for length in (0, HOUR, DAY, 3 * DAY + 1, *range(27 * DAY, 32 * DAY, DAY), 365 * DAY, 371 * DAY)
                for moment in (past.at + length - 1, past.at + length, past.at + length + 1)
                if moment > now
            )
            for look, judge, change in data.draw(SOME_CHANGES):
                told = change(kept)
                here = judge(both.scenes(now, -1, zone)[1])
                assert told is None or told > now
                for moment in coming:
                    if told is not None and moment >= told:
                        break
                    assert judge(both.scenes(moment, -1, zone)[1]) == here, (look, moment, told)

        store.apply(compare)
    store.close()
