"""The facts that an expression reads, named at compile time: the runtime fetches them for a whole batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from segue.language import model as m

REACH: Final = "can get"
"""Stands among the traits of a condition that asks whether a channel reaches the customer: it may turn when an address
or a consent changes. No rule can name a trait so."""

Segments = Mapping[str, m.Segment]
"""The published segments by name."""

NO_SEGMENTS: Final[Segments] = {}


class Reads:
    """The facts an expression reads, named at compile time.

    ``events`` names the history it looks at, ``traits`` the traits, ``reach`` the channels asked for by ``can get``;
    ``reactions`` whether it asks for reactions, ``clock`` whether its value can change by time alone, ``fields`` the
    fields of the trigger, ``names`` the segments and rules that it asks about. What a segment reads is read too,
    however many segments lie between.
    """

    __slots__ = ("clock", "events", "fields", "names", "reach", "reactions", "segments", "traits")

    def __init__(self, segments: Segments = NO_SEGMENTS) -> None:
        self.segments = segments
        self.names: set[str] = set()
        self.events: set[str] = set()
        self.traits: set[str] = set()
        self.reach: set[str] = set()
        self.fields: set[str] = set()
        self.reactions = False
        self.clock = False


def collect_reads(expression: m.Expression | None, into: Reads) -> Reads:
    """Add what the expression reads to ``into``, and return it."""
    match expression:
        case None | m.Literal_() | m.Coupon():
            pass
        case m.Now() | m.Weekday() | m.TimeBetween():
            into.clock = True
        case m.TriggerField(name=name):
            into.fields.add(name)
        case m.Trait(name=name):
            into.traits.add(name)
        case m.EventField():
            pass
        case m.Happened(event=event, window=window, where=where):
            into.events.add(event)
            into.clock = into.clock or window.since == "last"
            collect_reads(where, into)
        case m.Aggregate(event=event, window=window, where=where):
            into.events.add(event)
            into.clock = into.clock or window.since == "last"
            collect_reads(where, into)
        case m.Reacted():
            into.reactions = True
        case m.CanGet(channel=channel):
            into.reach.add(channel)
        case m.InSegment(name=name):
            if name not in into.names:
                into.names.add(name)
                segment = into.segments.get(name)
                collect_reads(segment.condition if segment is not None else None, into)
        case m.InRule(name=name):
            into.names.add(name)
        case m.Compare(left=left, right=right) | m.Arithmetic(left=left, right=right):
            collect_reads(left, into)
            collect_reads(right, into)
        case m.Between(value=value, low=low, high=high):
            for part in (value, low, high):
                collect_reads(part, into)
        case m.OneOf(value=value, among=among):
            for part in (value, *among):
                collect_reads(part, into)
        case m.Contains(value=value, list=among):
            collect_reads(value, into)
            collect_reads(among, into)
        case m.Present(value=value) | m.Not(value=value):
            collect_reads(value, into)
        case m.All(parts=parts) | m.Any_(parts=parts):
            for part in parts:
                collect_reads(part, into)
        case _:
            assert_never(expression)
    return into
