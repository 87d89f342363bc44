"""Advice about rules that set each other off in a circle: by `emit`, by `set`, or by segments that hang on these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.items import Items
from segue.language.looking import nodes
from segue.language.rules import CheckedRule

Place = tuple[Literal["rule"], int] | tuple[Literal["event", "trait", "value", "segment"], str, model.Expression | None]
"""A place of the graph: a rule, or what rules do and begin by: an event, a trait, a trait set to a value, a segment."""


class _Way(msgspec.Struct, frozen=True):
    """A way from one place to another: ``step`` is what a rule does for it, ``words`` says that."""

    to: Place
    step: t.Syntax | None = None
    words: str = ""


def advise_on_loops(items: Items) -> None:
    """Tell of each circle once, at the step that closes it. `once` on any rule of a circle opens it."""
    ways = _ways(items)
    for circle in _circles(ways):
        _tell(items.rules, circle)


def _ways(items: Items) -> dict[Place, list[_Way]]:
    """The graph. What happens stands between the rules, so that a thousand rules around one event stay a thousand
    ways."""
    ways: dict[Place, list[_Way]] = {}
    watched: dict[str, None] = {}
    for number, checked in enumerate(items.rules):
        if checked.rule.once is not None:
            continue
        for begins in _begun_by(checked.rule):
            ways.setdefault(begins, []).append(_Way(("rule", number)))
            if begins[0] == "segment":
                watched[str(begins[1])] = None
        ways.setdefault(("rule", number), []).extend(_done_by(checked))
    conditions = {checked.segment.name: checked.segment.condition for checked in items.segments}
    for segment in watched:
        for looked_at in _looked_at(segment, conditions):
            ways.setdefault(looked_at, []).append(_Way(("segment", segment, None), None, f"on which `{segment}` hangs"))
    return ways


def _begun_by(rule: model.Rule) -> Iterator[Place]:
    for event in rule.events:
        yield "event", event, None
    match rule.trigger:
        case model.OnChange(trait=trait, to=to):
            yield ("trait", trait, None) if to is None else ("value", trait, to)
        case model.OnMembership(segment=segment):
            yield "segment", segment, None
        case _:
            pass


def _done_by(checked: CheckedRule) -> Iterator[_Way]:
    begins = set(_begun_by(checked.rule))
    for written, made in checked.made:
        match written, made:
            case t.Emit(event=event), model.Emit(event=name):
                yield _Way(("event", name, None), event, f"makes `{name}` happen")
            case t.Set(trait=trait), model.Set(trait=name, value=value):
                words = f"sets `customer.{name}`"
                yield _Way(("trait", name, None), trait, words)
                # A trait that is set to what it has just changed to does not change.
                if isinstance(value, model.Literal_) and ("value", name, value) not in begins:
                    yield _Way(("value", name, value), trait, words)
            case _:
                pass


def _looked_at(segment: str, conditions: Mapping[str, model.Expression]) -> dict[Place, None]:
    """The events and traits that a segment looks at, itself and through others."""
    found: dict[Place, None] = {}
    waiting, seen = [segment], {segment}
    while waiting:
        for node in nodes(conditions.get(waiting.pop())):
            match node:
                case model.Happened(event=event) | model.Aggregate(event=event):
                    found["event", event, None] = None
                case model.Trait(name=name):
                    found["trait", name, None] = None
                case model.InSegment(name=name) if name not in seen:
                    seen.add(name)
                    waiting.append(name)
                case _:
                    pass
    return found


Circle = list[tuple[Place, _Way]]
"""Each place of a circle with the way that leads on from it."""


def _circles(ways: Mapping[Place, list[_Way]]) -> Iterator[Circle]:
    """Depth first, by a stack of its own: at least one circle of all those that hang together."""
    done: set[Place] = set()
    for start in ways:
        if start in done:
            continue
        went: Circle = []
        on_way = {start: 0}
        waiting = [(start, iter(ways[start]))]
        while waiting:
            here, following = waiting[-1]
            way = next(following, None)
            if way is None:
                waiting.pop()
                del on_way[here]
                done.add(here)
                if went:
                    went.pop()
            elif way.to in on_way:
                yield [*went[on_way[way.to] :], (here, way)]
            elif way.to not in done:
                on_way[way.to] = len(waiting)
                went.append((here, way))
                waiting.append((way.to, iter(ways.get(way.to, ()))))


def _tell(rules: list[CheckedRule], circle: Circle) -> None:
    # Turned so that it begins with a rule.
    first = next(number for number, (place, _) in enumerate(circle) if place[0] == "rule")
    circle = circle[first:] + circle[:first]
    acts: list[tuple[CheckedRule, t.Syntax, str]] = []
    for place, way in circle:
        if place[0] == "rule" and way.step is not None:
            acts.append((rules[place[1]], way.step, way.words))
        elif way.words:
            checked, step, words = acts.pop()
            acts.append((checked, step, f"{words}, {way.words}"))
    last, closing, does = acts[-1]
    name = acts[0][0].rule.name
    if len(acts) == 1:
        message = f"the rule `{name}` {does}, and so sets itself off, again and again"
    else:
        around = "; ".join(f"`{checked.rule.name}` {words}" for checked, _, words in acts)
        message = f"these rules set each other off, again and again: {around}"
    following = [checked.rule.name for checked, _, _ in acts[1:]]
    last.report.add(
        "W0901",
        closing,
        message,
        label=f"begins `{name}` again",
        hint="write `once` or `once per 30d` in one of them, or ask in its `where` whether it is still needed",
        also=tuple(
            Label(checked.report.span(step), f"begins `{then}`")
            for (checked, step, _), then in zip(acts, following, strict=False)
        ),
    )
