"""What can be told of a condition from its text alone: that it never holds, always holds, or never changes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from segue.api import Money, Period
from segue.api.values import DAY
from segue.language import model
from segue.language.lengths import least, most
from segue.language.looking import nodes

_OPPOSITE: Final = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRRORED: Final = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def certain(condition: model.Expression) -> bool | None:
    """True or False where the condition always or never holds, None where that hangs on something.

    A missing value makes comparisons false, so "always" is said only of conditions that no value is asked for.
    """
    match condition:
        case model.Literal_(value=bool() as truth):
            return truth
        case model.Not(value=inner):
            known = certain(inner)
            return None if known is None else not known
        case model.All(parts=parts):
            known_parts = [certain(part) for part in parts]
            if False in known_parts or _contradict(parts):
                return False
            return True if all(known_parts) else None
        case model.Any_(parts=parts):
            known_parts = [certain(part) for part in parts]
            if True in known_parts:
                return True
            return False if all(known is False for known in known_parts) else None
        case model.Compare(op=op, left=left, right=right):
            a, b = _constant(left), _constant(right)
            return _holds(op, a, b) if a is not None and b is not None and a[0] == b[0] else None
        case model.Between(low=low, high=high):
            a, b = _constant(low), _constant(high)
            return False if a is not None and b is not None and a[0] == b[0] and _compare(">", a[1], b[1]) else None
        case _:
            return None


def never_changes(condition: model.Expression) -> bool:
    """Whether a condition looks only at what began the journey, so that it holds at once or never."""
    asked = False
    for node in nodes(condition):
        match node:
            case model.TriggerField():
                asked = True
            case (
                model.Now()
                | model.Weekday()
                | model.TimeBetween()
                | model.Trait()
                | model.Happened()
                | model.Aggregate()
                | model.Reacted()
                | model.CanGet()
                | model.InSegment()
                | model.InRule()
            ):
                return False
            case _:
                pass
    return asked


def parts_of_all(condition: model.Expression | None) -> Iterator[model.Expression]:
    """The conditions that all must hold."""
    if isinstance(condition, model.All):
        for part in condition.parts:
            yield from parts_of_all(part)
    elif condition is not None:
        yield condition


def parts_of_any(condition: model.Expression | None) -> Iterator[model.Expression]:
    """The conditions of which one is enough."""
    if isinstance(condition, model.Any_):
        for part in condition.parts:
            yield from parts_of_any(part)
    elif condition is not None:
        yield condition


# Contradictions within one `and`: what one part says of a value leaves nothing for another.


def _contradict(parts: tuple[model.Expression, ...]) -> bool:
    said: dict[model.Expression, list[tuple[str, tuple[str, Decimal | str]]]] = {}
    denied: dict[model.Expression, list[tuple[str, tuple[str, Decimal | str]]]] = {}
    plain = set(parts)
    for part in parts:
        if isinstance(part, model.Not) and part.value in plain:
            return True
        for value, op, constant in _said(part):
            said.setdefault(value, []).append((op, constant))
        if isinstance(part, model.Not) and isinstance(part.value, model.Compare):
            for value, op, constant in _said(part.value):
                denied.setdefault(value, []).append((_OPPOSITE[op], constant))
    # What is denied of a value may be denied because it is missing; where something is said of it, it is there.
    return any(_nothing_left([*limits, *denied.get(value, ())]) for value, limits in said.items())


def _said(part: model.Expression) -> Iterator[tuple[model.Expression, str, tuple[str, Decimal | str]]]:
    match part:
        case model.Compare(op=op, left=left, right=right):
            a, b = _constant(left), _constant(right)
            if a is None and b is not None:
                yield left, op, b
            elif a is not None and b is None:
                yield right, _MIRRORED[op], a
        case model.Between(value=value, low=low, high=high):
            a, b = _constant(low), _constant(high)
            if a is not None:
                yield value, ">=", a
            if b is not None:
                yield value, "<=", b
        case _:
            return


def _nothing_left(limits: list[tuple[str, tuple[str, Decimal | str]]]) -> bool:
    kinds = {constant[0] for _, constant in limits}
    if len(kinds) > 1:
        # Two currencies, told elsewhere.
        return False
    equal = next((one for op, (_, one) in limits if op == "="), None)
    if equal is not None:
        return not all(_compare(op, equal, other) for op, (_, other) in limits)
    # The tightest bounds alone decide; of two at one value, that which excludes it.
    lowest = max(((one, op == ">") for op, (_, one) in limits if op in (">", ">=")), default=None)
    highest = min(((one, op != "<") for op, (_, one) in limits if op in ("<", "<=")), default=None)
    if lowest is None or highest is None:
        return False
    excluded = lowest[1] or not highest[1]
    return not _compare("<" if excluded else "<=", lowest[0], highest[0])


def _constant(node: model.Expression) -> tuple[str, Decimal | str] | None:
    """A constant as (what it is, a value of that kind with an order)."""
    if not isinstance(node, model.Literal_):
        return None
    match node.value:
        case bool() as truth:
            return "boolean", Decimal(truth)
        case int() | Decimal() as number:
            return "number", Decimal(number)
        case str() as text:
            return "text", text
        case Money(amount=amount, currency=currency):
            return currency, amount
        case Period() as period if least(period) == most(period):
            return "period", Decimal(least(period)) / DAY
        case Period():
            return None
        case model.Clock(minute=minute):
            return "time", Decimal(minute)
        case model.Day(iso=iso):
            return "day", iso


def _holds(op: str, left: tuple[str, Decimal | str], right: tuple[str, Decimal | str]) -> bool:
    return _compare(op, left[1], right[1])


def _compare(op: str, one: Decimal | str, other: Decimal | str) -> bool:
    match op:
        case "=":
            return one == other
        case "!=":
            return one != other
        case "<":
            return one < other  # type: ignore[operator]
        case "<=":
            return one <= other  # type: ignore[operator]
        case ">":
            return one > other  # type: ignore[operator]
        case _:
            return one >= other  # type: ignore[operator]
