"""A condition taken apart for one customer: each part with its truth, and the value that was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from segue.api import Instant, Money, Period, to_rfc3339
from segue.language import model as m
from segue.language.keywords import WEEKDAYS
from segue.program.calendar import local
from segue.program.conditions import compile_expression
from segue.program.facts import Scene
from segue.program.plain import listed, say_count, say_period
from segue.program.reads import Segments
from segue.program.values import Elapsed, to_json
from segue.program.wording import word

_MOST: Final = 60
"""Characters of a text that are shown."""


class Part(msgspec.Struct, frozen=True):
    """A part of a condition. ``text`` is its wording in rules, ``seen`` what its truth comes from. ``needs`` says what
    its own parts (``under``) have to do for it to hold."""

    text: str
    holds: bool
    seen: str = ""
    needs: Literal["all", "any", "none", ""] = ""
    under: tuple[Part, ...] = ()


def take_apart(expression: m.Expression, scene: Scene, segments: Segments) -> Part:
    """A condition of a segment, as it is judged in a scene. ``segments`` are the published ones."""
    return _part(expression, scene, segments, frozenset())


def _part(expression: m.Expression, scene: Scene, segments: Segments, within: frozenset[str]) -> Part:
    holds = bool(compile_expression(expression)(scene))
    text = word(expression)
    match expression:
        case m.All(parts=parts) | m.Any_(parts=parts):
            under = tuple(_part(part, scene, segments, within) for part in parts)
            return Part("", holds, needs="all" if isinstance(expression, m.All) else "any", under=under)
        case m.Not(value=m.InSegment() as value):
            return Part(text, holds, needs="none", under=_part(value, scene, segments, within).under)
        case m.Not(value=m.All() | m.Any_() as value):
            return Part(text, holds, needs="none", under=(_part(value, scene, segments, within),))
        case m.Not(value=value):
            return Part(text, holds, _part(value, scene, segments, within).seen)
        case m.InSegment(name=name) if name in segments and name not in within:
            inner = _part(segments[name].condition, scene, segments, within | {name})
            if inner.needs in ("all", "any"):
                return Part(text, holds, needs=inner.needs, under=inner.under)
            return Part(text, holds, needs="all", under=(inner,))
        case m.InSegment():
            return Part(text, holds, "there is no such segment")
        case m.InRule():
            return Part(text, holds, "inside it now" if holds else "not inside it now")
        case m.CanGet(channel=channel):
            return Part(text, holds, scene.customer.refusal(channel, scene.kind) or "reaches them")
        case m.Happened():
            return Part(text, holds, _times(expression, scene))
        case _:
            seen = list(_seen(expression, scene))
            alone = len(seen) == 1
            told = (f"{'it' if alone and what in text else what} is {value}" for what, value in seen)
            return Part(text, holds, "; ".join(told))


def _times(node: m.Happened, scene: Scene) -> str:
    def figure(function: Any, field: str | None, kind: Any) -> Any:
        return compile_expression(m.Aggregate(function, node.event, field, kind, node.window, node.where))(scene)

    count = int(figure("count", None, "number"))
    if count:
        latest = figure("last", "timestamp", "date")
        return f"{say_count(count, 'time')}, last on {_moment(latest, scene)}"
    ever = m.Aggregate("last", node.event, "timestamp", "date", m.Window("ever"))
    latest = compile_expression(ever)(scene)
    return f"not then; last on {_moment(latest, scene)}" if latest is not None else f"{node.event} never happened"


def _seen(expression: m.Expression, scene: Scene) -> Iterator[tuple[str, str]]:
    """The values that an expression without parts compares: what each is of, and the value."""
    match expression:
        case m.Compare(left=left, right=right) | m.Arithmetic(left=left, right=right):
            yield from _seen(left, scene)
            yield from _seen(right, scene)
        case m.Contains(value=left, list=right):
            yield from _seen(left, scene)
            yield from _seen(right, scene)
        case m.Between(value=value, low=low, high=high):
            for one in (value, low, high):
                yield from _seen(one, scene)
        case m.OneOf(value=value, among=among):
            for one in (value, *among):
                yield from _seen(one, scene)
        case m.Present(value=value):
            yield from _seen(value, scene)
        case m.Literal_():
            return
        case m.Weekday():
            yield "it", WEEKDAYS[local(scene.now, scene.customer.zone).weekday()]
        case m.Now() | m.TimeBetween():
            yield "it", _moment(scene.now, scene)
        case _:
            yield word(expression), show(compile_expression(expression)(scene), scene)


def show(value: Any, scene: Scene) -> str:
    """A value as people read it; dates on the customer's own clock."""
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case Money(amount=amount, currency=currency):
            return f"{amount:f} {currency}"
        case str():
            return f'"{value[:_MOST]}{"…" if len(value) > _MOST else ""}"'
        case list() | tuple():
            return listed(str(one)[:_MOST] for one in value[:5]) or "empty"
        case Elapsed():
            return say_period(Period(0, 0, int(value)))
        case int():
            return _moment(Instant(value), scene)
        case _:
            return str(to_json(value))


def _moment(moment: Instant, scene: Scene) -> str:
    try:
        return local(moment, scene.customer.zone).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError):
        return to_rfc3339(moment)
