"""Judging one value at a time, by the functions that judge a single customer: for the few distinct values of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import Final

import numpy as np

from segue.api import Instant
from segue.customers.bulk.answers import Answers
from segue.customers.bulk.crowd import ABSENT, NEVER, Crowd, Longs, as_json, from_json
from segue.customers.bulk.outcomes import Outcome, known
from segue.customers.bulk.reading import timed, traits_of, zoned
from segue.language import model as m
from segue.program.conditions import Evaluate, compile_expression
from segue.program.facts import Customer, Past, Scene
from segue.program.horizon import compile_change

_MOMENTS: Final = 64
"""Moments for which answers are kept."""


def nobody(zone: tzinfo, currency: str) -> Customer:
    """A customer of whom nothing is known."""
    return Customer("", {}, zone, currency, {}, lambda channel, kind: None)


class OfTraits:
    """A part of a condition that reads traits and the clock at most: judged once for each distinct customer."""

    def __init__(self, expression: m.Expression, currency: str) -> None:
        self._traits = traits_of(expression)
        self._zoned, self._timed = zoned(expression), timed(expression)
        self._judge, self._change = compile_expression(expression), compile_change(expression)
        self._currency = currency
        self._kept: dict[tuple[Instant | None, bool], Answers] = {}

    def look(self, crowd: Crowd, now: Instant, *, dues: bool) -> Outcome:
        dictionaries = crowd.dictionaries
        columns = [crowd.zones] if self._zoned else [np.zeros(crowd.size, dtype=np.int64)]
        sizes = [len(dictionaries.zones.known)]
        for name in self._traits:
            columns.append(crowd.trait(name))
            sizes.append(len(dictionaries.trait(name).known))

        def customer(codes: tuple[int, ...]) -> Customer:
            raws = {
                name: dictionaries.trait(name).known[code] for name, code in zip(self._traits, codes[1:], strict=True)
            }
            traits = {name: from_json(raw) for name, raw in raws.items() if raw != ABSENT}
            zone = dictionaries.zones.known[codes[0]]
            return Customer("", traits, zone, self._currency, {}, lambda channel, kind: None)

        def judge(codes: tuple[int, ...]) -> int:
            return int(bool(self._judge(Scene(customer(codes), now))))

        def change(codes: tuple[int, ...]) -> int:
            found = self._change(Scene(customer(codes), now))
            return NEVER if found is None else found

        truth = self._answers(now, due=False).of(columns, sizes, judge) > 0
        if not (dues and self._timed):
            return known(truth)
        return known(truth, self._answers(now, due=True).of(columns, sizes, change))

    def _answers(self, now: Instant, *, due: bool) -> Answers:
        key = (now if self._timed else None, due)
        if key not in self._kept:
            while len(self._kept) >= 2 * _MOMENTS:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = Answers(1 + len(self._traits))
        return self._kept[key]


class OfFields:
    """A function of an event's fields (and of the zone): asked once for each distinct event."""

    def __init__(self, fields: Iterable[str], currency: str, ask: Callable[[Scene], int], *, zoned: bool) -> None:
        self.fields = tuple(sorted(fields))
        self._zoned = zoned
        self._currency = currency
        self._ask = ask
        self._answers = Answers(1 + len(self.fields))

    def of(self, crowd: Crowd, codes: Sequence[Longs], zones: Longs) -> Longs:
        """The answer for each event, of which the codes of the fields are given, and of the zones of their
        customers."""
        dictionaries = crowd.dictionaries
        sizes = [len(dictionaries.zones.known), *(len(dictionaries.field(name).known) for name in self.fields)]

        def ask(codes: tuple[int, ...]) -> int:
            raws = [dictionaries.field(name).known[code] for name, code in zip(self.fields, codes[1:], strict=True)]
            scene = Scene(nobody(dictionaries.zones.known[codes[0]], self._currency), Instant(0))
            scene.subject = event_of(self.fields, raws)
            return self._ask(scene)

        return self._answers.of([zones if self._zoned else np.zeros_like(zones), *codes], sizes, ask)


def event_of(fields: Sequence[str], raws: Sequence[bytes]) -> Past:
    """A past event that has only these fields."""
    parts = [b"%b:%b" % (as_json(name), raw) for name, raw in zip(fields, raws, strict=True) if raw != ABSENT]
    return Past(Instant(0), 0, b"{%b}" % b",".join(parts))


def truth_of(judge: Evaluate) -> Callable[[Scene], int]:
    """A condition as a function of an event."""
    return lambda scene: int(bool(judge(scene)))
