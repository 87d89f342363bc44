"""A rule book put on a store by hand, without rule text: what the tests of the engine and its neighbours play on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from segue.api import ChannelSpec, ContentPart, Event, Instant, Period, from_datetime
from segue.customers.reach import ChannelReach, Reach
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.program.calendar import find_zone
from segue.runtime.publishing import Setting, publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario.replay import Arrival, Record, Replay
from segue.store.database import Store

HOUR = Period(micros=3_600_000_000)
DAY = Period(days=1)
ENTRY = m.Window("entry")
EVER = m.Window("ever")
BEGINNING = Instant(0)


class NoSettings(msgspec.Struct, frozen=True):
    """A channel without settings."""


def at(text: str) -> Instant:
    """``2026-01-05T10:00Z`` as an instant."""
    return from_datetime(datetime.fromisoformat(text))


def hours(count: float) -> Period:
    return Period(micros=int(count * 3_600_000_000))


def happened(event: str, window: m.Window = ENTRY, **more: Any) -> m.Happened:
    return m.Happened(event, window, **more)


def last(period: Period) -> m.Window:
    return m.Window("last", period)


def deliver(channel: str, message: str = "hello", **more: Any) -> m.Delivery:
    fields: dict[str, Any] = {"values": (), "kind": "promotional", "within": DAY, **more}
    return m.Delivery(channel, message, **fields)


def send(*channels: str, **more: Any) -> m.Send:
    """``send A or B``."""
    return m.Send((tuple(deliver(channel, **more) for channel in channels),))


def spec(name: str, **more: Any) -> ChannelSpec:
    def never(config: Any, tools: Any) -> Any:
        raise AssertionError("nothing is opened here")

    fields: dict[str, Any] = {"doc": name, "config": NoSettings, "open": never, "address": None, **more}
    return ChannelSpec(name=name, **fields)


def with_content(name: str, **more: Any) -> ChannelSpec:
    """A channel that cannot send without a text."""
    return spec(name, content=(ContentPart("text", extensions=("txt",)),), **more)


REACH = Reach(
    {"email": ChannelReach("email"), "sms": ChannelReach("phone"), "push": ChannelReach(None)},
)
"""Email and SMS need an address, push needs none."""


def book(*rules: m.Rule, events: Iterable[str] = ()) -> m.Book:
    names = {name for rule in rules for name in rule.events} | set(events)
    return m.Book(tuple(rules), {name: m.EventType(name, {}, (name,)) for name in sorted(names)}, {})


def setting(
    zone: str = "UTC",
    reach: Reach = REACH,
    channels: Mapping[str, ChannelSpec] | None = None,
    kept: frozenset[str] = frozenset(),
) -> Setting:
    found = find_zone(zone)
    assert found is not None
    specs = dict(channels) if channels is not None else {name: spec(name) for name in reach.channels}
    return Setting(zone=found, currency="EUR", reach=reach, channels=specs, kept=kept)


def put(store: Store, rules: m.Book, how: Setting | None = None, now: Instant = BEGINNING) -> Running:
    """Publish a book to a store, and give what then runs."""
    using = how or setting()

    def job(tx: Any) -> Running | None:
        publish(tx, rules, now, "test")
        return resume(tx, using)

    running = store.apply(job)
    assert running is not None
    return running


def event(message_id: str, name: str | None, when: Instant, customer: str | None = "ann", **fields: Any) -> Event:
    """An event; ``traits=`` are the customer's, everything else is a field."""
    traits = fields.pop("traits", {})
    return Event(
        message_id=message_id,
        timestamp=when,
        source="shop",
        name=name,
        user_id=customer,
        properties=fields,
        traits=traits,
    )


def arrival(
    message_id: str, name: str | None, when: str, customer: str | None = "ann", *, happened_at: str = "", **fields: Any
) -> Arrival:
    """An event that arrives at ``when``; it happened then too, unless ``happened_at`` says otherwise."""
    moment = at(when)
    return Arrival(event(message_id, name, at(happened_at) if happened_at else moment, customer, **fields), moment)


def play(
    rules: m.Book | Sequence[m.Rule],
    arrivals: Iterable[Arrival],
    *,
    zone: str = "UTC",
    record: Record | None = None,
    store: Store | None = None,
    after: Callable[[Store], None] | None = None,
    **more: Any,
) -> list[DecisionLine]:
    """Replay arrivals over a book, in a store of their own, to the end of the last wait. Everybody is reached."""
    checked = rules if isinstance(rules, m.Book) else book(*rules)
    own = store if store is not None else Store(None)
    reach = more.pop("reach", Reach({name: ChannelReach(None) for name in ("email", "sms", "push")}))
    running = put(own, checked, setting(zone, reach, more.pop("channels", None)))
    try:
        lines = list(Replay(own, running, more.pop("content", Catalogue()), record).run(arrivals))
        if after is not None:
            after(own)
        return lines
    finally:
        if store is None:
            own.close()


def told(lines: Iterable[DecisionLine]) -> list[tuple[str, str, str]]:
    """Decisions as (``05T10:00:00``, what, channel or reason), to compare with."""
    from segue.api import to_datetime

    return [
        (to_datetime(line.at).strftime("%dT%H:%M:%S"), line.decision, line.channel or line.reason) for line in lines
    ]
