"""What the arrays need to hold for a condition to be judged by them, found out once from its tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segue.language import model as m
from segue.program.reads import Reads, Segments, collect_reads


def nodes(value: object) -> Iterator[m.Node]:
    """A node and all below it."""
    if isinstance(value, m.Node):
        yield value
        for field in value.__struct_fields__:
            yield from nodes(getattr(value, field))
    elif isinstance(value, tuple):
        for part in value:
            yield from nodes(part)


def whole(expressions: Iterable[m.Expression], segments: Segments) -> tuple[m.Expression, ...]:
    """The expressions, with the conditions of all segments that they name, and that those name."""
    found = list(expressions)
    seen = set[str]()
    for expression in found:  # it grows meanwhile
        for node in nodes(expression):
            if isinstance(node, m.InSegment) and node.name in segments and node.name not in seen:
                seen.add(node.name)
                found.append(segments[node.name].condition)
    return tuple(found)


def columns(expressions: Iterable[m.Expression]) -> dict[str, frozenset[str]]:
    """The events whose history the expressions read, and of each the fields."""
    found: dict[str, set[str]] = {}
    for expression in expressions:
        for node in nodes(expression):
            match node:
                case m.Happened(event=event, where=where):
                    found.setdefault(event, set()).update(fields_of(where))
                case m.Aggregate(event=event, where=where):
                    found.setdefault(event, set()).update(fields_of(where), fields_of(value_of(node)))
                case _:
                    pass
    return {event: frozenset(fields) for event, fields in found.items()}


def value_of(node: m.Aggregate) -> m.EventField | None:
    """The field that an aggregate is a figure of; None for ``count``."""
    return m.EventField(node.field, node.type) if node.field is not None and node.function != "count" else None


def fields_of(expression: m.Expression | None) -> frozenset[str]:
    """The fields of an event that an expression reads, of those that lie in its JSON. Money has its currency beside
    it."""
    found: set[str] = set()
    for node in nodes(expression):
        if isinstance(node, m.EventField) and node.name != "timestamp":
            found.add(node.name)
            if node.type == "money":
                found.add("currency")
    return frozenset(found)


def traits_of(expression: m.Expression) -> tuple[str, ...]:
    """The traits that an expression reads, money's currency among them."""
    found: set[str] = set()
    for node in nodes(expression):
        if isinstance(node, m.Trait):
            found.add(node.name)
            if node.type == "money":
                found.add("currency")
    return tuple(sorted(found))


def zoned(expression: m.Expression | None) -> bool:
    """Whether the customer's zone may make a difference to an expression without windows."""
    for node in nodes(expression):
        match node:
            case m.Now() | m.Weekday() | m.TimeBetween() | m.Literal_(value=m.Day()):
                return True
            case m.Trait(type="date") | m.EventField(type="date") | m.TriggerField(type="date"):
                return True
            case m.Arithmetic():  # dates are moved by the calendar
                return True
            case _:
                pass
    return False


def timed(expression: m.Expression | None) -> bool:
    """Whether time alone may change an expression that names no segment."""
    return collect_reads(expression, Reads()).clock


def of_customer_alone(expression: m.Expression) -> bool:
    """Whether an expression reads traits at most: no history, no consent, no segment, no rule."""
    reads = collect_reads(expression, Reads())
    return not (reads.events or reads.reach or reads.names)


def of_event_alone(where: m.Expression | None) -> bool:
    """Whether what stands in the brackets of ``where (…)`` reads the event's own JSON and the zone at most."""
    reads = collect_reads(where, Reads())
    asks_when = any(isinstance(node, m.EventField) and node.name == "timestamp" for node in nodes(where))
    return not (reads.events or reads.reach or reads.names or reads.traits or reads.clock or asks_when)


def constant(expression: m.Expression) -> bool:
    """Whether an expression is the same for everybody at any time."""
    return all(isinstance(node, m.Literal_) for node in nodes(expression))
