"""A survey: the conditions of segments, each compiled once, and judged for crowds. What two conditions share is judged
once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from segue.api import Instant
from segue.customers.bulk.alone import OfTraits
from segue.customers.bulk.crowd import Crowd, Dictionaries
from segue.customers.bulk.figures import OfFigure, figure_in
from segue.customers.bulk.history import OfHappened
from segue.customers.bulk.outcomes import Outcome, join, known, negate, unknown
from segue.customers.bulk.reading import nodes, of_customer_alone
from segue.language import model as m
from segue.program.codec import encode_node


class Part(Protocol):
    """A compiled part of a condition."""

    def look(self, crowd: Crowd, now: Instant, *, dues: bool) -> Outcome:
        """Judge it for a crowd at a moment; with ``dues`` also when time alone may change it."""


class Survey:
    """Judges segments for one crowd after another. ``segments`` are all that are published, ``currency`` the
    project's."""

    def __init__(self, segments: Mapping[str, m.Segment], currency: str) -> None:
        self.dictionaries = Dictionaries()
        self._segments = segments
        self._currency = currency
        self._parts: dict[bytes, Part] = {}
        self._keys: dict[int, tuple[bytes, m.Expression]] = {}
        self._crowd: Crowd | None = None
        self._now = Instant(0)
        self._dues = True
        self._found: dict[bytes, Outcome] = {}

    def judge(self, condition: m.Expression, crowd: Crowd, now: Instant, *, dues: bool = True) -> Outcome:
        """Who of a crowd meets a condition at a moment. What was found for this crowd and moment is used again."""
        if (crowd, now, dues) != (self._crowd, self._now, self._dues):
            self._crowd, self._now, self._dues = crowd, now, dues
            self._found = {}
        return self._look(condition, frozenset())

    def _look(self, expression: m.Expression, within: frozenset[str]) -> Outcome:
        key = self._key(expression)
        found = self._found.get(key)
        if found is None:
            found = self._judge(expression, key, within)
            self._found[key] = found
        return found

    def _key(self, expression: m.Expression) -> bytes:
        """What two conditions share that mean the same. (As values 1, 1.0 and true are equal, and so are the trees.)"""
        known_ = self._keys.get(id(expression))
        if known_ is None:
            known_ = self._keys[id(expression)] = (encode_node(expression, meaning=True), expression)
        return known_[0]

    def _judge(self, expression: m.Expression, key: bytes, within: frozenset[str]) -> Outcome:
        crowd = self._crowd
        assert crowd is not None
        match expression:
            case m.All(parts=parts) | m.Any_(parts=parts) if parts:
                looks = [self._look(part, within) for part in parts]
                return join(looks, decisive=isinstance(expression, m.Any_))
            case m.Not(value=value):
                return negate(self._look(value, within))
            case m.CanGet(channel=channel):
                return known(~crowd.refused(channel))
            case m.InRule(name=rule):
                return known(crowd.inside(rule))
            case m.InSegment(name=name):
                segment = self._segments.get(name)
                if segment is None:
                    return known(np.zeros(crowd.size, dtype=np.bool_))
                if name in within:
                    return unknown(crowd.size)
                return self._look(segment.condition, within | {name})
            case _:
                part = self._parts.get(key)
                if part is None:
                    part = self._parts[key] = self._compile(expression)
                return part.look(crowd, self._now, dues=self._dues)

    def _compile(self, expression: m.Expression) -> Part:
        if of_customer_alone(expression):
            return OfTraits(expression, self._currency)
        if not any(isinstance(node, m.InSegment | m.InRule | m.CanGet) for node in nodes(expression)):
            if isinstance(expression, m.Happened):
                return OfHappened(expression, self._currency)
            figure = figure_in(expression)
            if figure is not None:
                return OfFigure(expression, figure, self._currency)
        return _Alone()


class _Alone:
    """A part of a form that arrays don't hold."""

    def look(self, crowd: Crowd, now: Instant, *, dues: bool) -> Outcome:
        """Open for everybody."""
        return unknown(crowd.size)
