"""The engine by itself: one rule, one customer, no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.engine.admit import Admission, admit
from segue.engine.follow import follow
from segue.engine.journey import Arrived, Decide, Effect, Input, Journey, Settled, Woken
from segue.engine.step import step
from segue.language import model as m
from segue.program.calendar import find_zone
from segue.program.facts import Customer, Past, Scene, Standing
from segue.program.program import compile_rule
from segue.program.reads import NO_SEGMENTS
from segue.program.steps import compile_segments
from tests.engine.stage import at

MONDAY = "2026-01-05T10:00:00Z"


class Known(Standing):
    """What is known of a customer, given by hand."""

    def __init__(
        self,
        *,
        seed: str = "",
        inside: Sequence[str] = (),
        arms: Mapping[str, str] | None = None,
        weights: Mapping[str, float] | None = None,
        preferred: Sequence[str] = (),
        best: int = 600,
    ) -> None:
        self.seed = seed
        self.rules = inside
        self.arms = dict(arms or {})
        self.learned = weights
        self.channels = preferred
        self.best = best

    def inside(self, rule: str) -> bool:
        return rule in self.rules

    def arm(self, rule: str, split: str) -> str | None:
        return self.arms.get(split)

    def weights(self, rule: str, split: str) -> Mapping[str, float] | None:
        return self.learned

    def preferred(self, kind: str, message: str) -> Sequence[str]:
        return self.channels

    def best_minute(self, now: Instant) -> int:
        return self.best


class Alone:
    """A customer and their journey through a rule. ``effects`` are those of the latest call."""

    def __init__(
        self,
        rule: m.Rule,
        *,
        key: str = "ann",
        zone: str = "UTC",
        traits: Mapping[str, Any] | None = None,
        known: Known | None = None,
        refusal: Callable[[str, str], str | None] = lambda channel, kind: None,
        segments: Mapping[str, m.Segment] = NO_SEGMENTS,
    ) -> None:
        place = find_zone(zone)
        assert place is not None
        self.segments = segments
        self.program = compile_rule(rule, segments)
        self.known = known or Known()
        self.history: dict[str, list[Past]] = {}
        judges: dict[str, Callable[[Scene], bool]] = {
            name: condition.judge for name, condition in compile_segments(segments).items()
        }
        self.customer = Customer(key, dict(traits or {}), place, "EUR", self.history, refusal, judges, self.known)
        self.arrived = 0
        self.effects: list[Effect] = []
        self.entered: Journey | None = None

    @property
    def journey(self) -> Journey:
        assert self.entered is not None
        return self.entered

    @property
    def due(self) -> Instant | None:
        return self.journey.due

    def told(self, kind: type[Any]) -> list[Any]:
        """The latest effects of a kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def event(self, name: str, when: str, **fields: Any) -> Arrived:
        self.arrived += 1
        raw = msgspec.json.encode(fields)
        if name:
            self.history.setdefault(name, []).append(Past(at(when), self.arrived, raw))
        return Arrived(name, at(when), self.arrived, raw, fields, f"m{self.arrived}")

    def admit(self, event: Arrived, now: str = "", **more: Any) -> Admission | None:
        inside = [self.entered] if self.entered is not None and self.entered.state == "inside" else []
        moment = at(now) if now else event.at
        return admit(self.program, inside, more.pop("last", None), event, self.customer, moment, DAY, **more)

    def enter(self, when: str = MONDAY, name: str = "cart", **fields: Any) -> Alone:
        admission = self.admit(self.event(name, when, **fields))
        assert admission is not None
        assert admission.entered is not None, admission.ignored
        self.entered, self.effects = admission.entered, admission.effects
        return self

    def feed(self, happening: Input, when: str) -> Alone:
        self.entered, self.effects = step(self.program, self.journey, happening, self.customer, at(when))
        return self

    def arrive(self, name: str, when: str, **fields: Any) -> Alone:
        return self.feed(self.event(name, when, **fields), when)

    def wake(self) -> Alone:
        due = self.journey.due
        assert due is not None
        self.entered, self.effects = step(self.program, self.journey, Woken(), self.customer, due)
        return self

    def settle(self, when: str, how: Any = "sent") -> Alone:
        (key,) = (one.key for one in self.journey.sends if not one.settled)
        return self.feed(Settled(key, how), when)

    def edit(self, rule: m.Rule, when: str) -> Alone:
        new = compile_rule(rule, self.segments)
        self.entered, self.effects = follow(self.program, new, self.journey, self.customer, at(when))
        self.program = new
        return self

    @property
    def sent(self) -> list[tuple[str, str]]:
        """Channel and message of what was decided to be sent."""
        return [(one.channel, one.message) for one in self.told(Decide)]


def rule(*steps: m.Step, **more: Any) -> m.Rule:
    return m.Rule("any", None, more.pop("events", ("cart",)), steps, **more)
