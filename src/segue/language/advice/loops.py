"""Advice about rules that set each other off in a circle: by `emit`, by `set`, or by segments that hang on these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.items import Items
from segue.language.looking import nodes
from segue.language.rules import CheckedRule


class _Effect(msgspec.Struct, frozen=True):
    """One way in which a rule sets off another: the step that does it, and what it does in words."""

    rule: int
    place: t.Syntax
    words: str


def advise_on_loops(items: Items) -> None:
    """Tell of each circle once, at the step that closes it. `once` on any rule of a circle opens it."""
    rules = items.rules
    listeners = _Listeners(items)
    effects = [tuple(listeners.set_off_by(checked)) for checked in rules]
    for circle in _circles(effects, {place for place, checked in enumerate(rules) if checked.rule.once is None}):
        _tell(rules, circle)


class _Listeners:
    """Which rules begin by an event, a trait or a segment."""

    def __init__(self, items: Items) -> None:
        self._by_event: dict[str, list[int]] = {}
        self._by_trait: dict[str, list[tuple[int, model.Expression | None]]] = {}
        by_segment: dict[str, list[int]] = {}
        for place, checked in enumerate(items.rules):
            for event in checked.rule.events:
                self._by_event.setdefault(event, []).append(place)
            match checked.rule.trigger:
                case model.OnChange(trait=trait, to=to):
                    self._by_trait.setdefault(trait, []).append((place, to))
                case model.OnMembership(segment=segment):
                    by_segment.setdefault(segment, []).append(place)
                case _:
                    pass
        self._segments_by_event: dict[str, list[tuple[int, str]]] = {}
        self._segments_by_trait: dict[str, list[tuple[int, str]]] = {}
        conditions = {checked.segment.name: checked.segment.condition for checked in items.segments}
        for segment, places in by_segment.items():
            events, traits = _looked_at(segment, conditions)
            for event in events:
                self._segments_by_event.setdefault(event, []).extend((place, segment) for place in places)
            for trait in traits:
                self._segments_by_trait.setdefault(trait, []).extend((place, segment) for place in places)

    def set_off_by(self, checked: CheckedRule) -> Iterator[_Effect]:
        for written, made in checked.made:
            match written, made:
                case t.Emit(event=event), model.Emit(event=name):
                    for place in self._by_event.get(name, ()):
                        yield _Effect(place, event, f"makes `{name}` happen")
                    for place, segment in self._segments_by_event.get(name, ()):
                        yield _Effect(place, event, f"makes `{name}` happen, on which `{segment}` hangs")
                case t.Set(trait=trait), model.Set(trait=name, value=value):
                    for place, to in self._by_trait.get(name, ()):
                        if to is None or not isinstance(value, model.Literal_) or value == to:
                            yield _Effect(place, trait, f"sets `customer.{name}`")
                    for place, segment in self._segments_by_trait.get(name, ()):
                        yield _Effect(place, trait, f"sets `customer.{name}`, on which `{segment}` hangs")
                case _:
                    pass


def _looked_at(segment: str, conditions: Mapping[str, model.Expression]) -> tuple[set[str], set[str]]:
    """The events and traits that a segment looks at, itself and through others."""
    events: set[str] = set()
    traits: set[str] = set()
    waiting, seen = [segment], {segment}
    while waiting:
        for node in nodes(conditions.get(waiting.pop())):
            match node:
                case model.Happened(event=event) | model.Aggregate(event=event):
                    events.add(event)
                case model.Trait(name=name):
                    traits.add(name)
                case model.InSegment(name=name) if name not in seen:
                    seen.add(name)
                    waiting.append(name)
                case _:
                    pass
    return events, traits


def _circles(effects: list[tuple[_Effect, ...]], open_: set[int]) -> Iterator[list[tuple[int, _Effect]]]:
    """The circles among the rules in ``open_``, each with the effects that lead around it. Depth first, by a stack of
    its own."""
    done: set[int] = set()
    for start in sorted(open_):
        if start in done:
            continue
        way: list[tuple[int, _Effect]] = []
        on_way = {start: 0}
        waiting = [(start, iter(effects[start]))]
        while waiting:
            rule, following = waiting[-1]
            effect = next(following, None)
            if effect is None:
                waiting.pop()
                del on_way[rule]
                done.add(rule)
                if way:
                    way.pop()
            elif effect.rule in on_way:
                yield [*way[on_way[effect.rule] :], (rule, effect)]
            elif effect.rule in open_ and effect.rule not in done:
                on_way[effect.rule] = len(waiting)
                way.append((rule, effect))
                waiting.append((effect.rule, iter(effects[effect.rule])))


def _tell(rules: list[CheckedRule], circle: list[tuple[int, _Effect]]) -> None:
    last, closing = circle[-1]
    first = rules[closing.rule].rule.name
    if len(circle) == 1:
        message = f"the rule `{first}` {closing.words}, and so sets itself off, again and again"
    else:
        around = ", ".join(f"`{rules[rule].rule.name}` {effect.words}" for rule, effect in circle)
        message = f"these rules set each other off, again and again: {around}"
    rules[last].report.add(
        "W0901",
        closing.place,
        message,
        label=f"begins `{first}` again",
        hint="write `once` or `once per 30d` in one of them, or ask in its `where` whether it is still needed",
        also=tuple(
            Label(rules[rule].report.span(effect.place), f"begins `{rules[effect.rule].rule.name}`")
            for rule, effect in circle[:-1]
        ),
    )
