"""Lark's tree to the typed tree: the steps of a rule."""

from __future__ import annotations

from typing import Any, cast

from lark import Token

from segue.language import tree as t
from segue.language.transform_values import Node, ValueTransformer, ends, places


class StepTransformer(ValueTransformer):
    """Adds the steps to values and conditions."""

    def _unless(self, node: Node) -> Any:
        return self._all(node)[0]

    def _wait(self, node: Node) -> t.Wait:
        duration, *unless = self._all(node)
        return t.Wait(*places(node), duration, unless[0] if unless else None)

    def _wait_until(self, node: Node) -> t.WaitUntil:
        moment, *unless = self._all(node)
        return t.WaitUntil(*places(node), moment, unless[0] if unless else None)

    def _wait_for(self, node: Node) -> t.WaitFor:
        parts = self._all(node)
        looks_forward = isinstance(parts[0], Token)
        condition, up_to, *unless = parts[1:] if looks_forward else parts
        return t.WaitFor(*places(node), condition, looks_forward, up_to, unless[0] if unless else None)

    # Moments

    def _at_date(self, node: Node) -> t.Moment:
        value = self._all(node)[0]
        if isinstance(value, t.ClockTime):
            return t.ClockMoment(*places(node), None, value, None)
        return t.DateMoment(*places(node), value)

    def _at_clock_in_zone(self, node: Node) -> t.ClockMoment:
        clock, zone = self._all(node)
        return t.ClockMoment(*places(node), None, self._clock_token(clock), zone)

    def _at_weekday(self, node: Node) -> t.ClockMoment:
        day, clock, *zone = self._all(node)
        return t.ClockMoment(
            *places(node), self._weekday_token(day), self._clock_token(clock), zone[0] if zone else None
        )

    def _at_tomorrow(self, node: Node) -> t.ClockMoment:
        clock, *zone = self._all(node)
        return t.ClockMoment(*places(node), "tomorrow", self._clock_token(clock), zone[0] if zone else None)

    def _at_date_and_clock(self, node: Node) -> t.ClockMoment:
        day, clock, *zone = self._all(node)
        return t.ClockMoment(*places(node), self._date_token(day), self._clock_token(clock), zone[0] if zone else None)

    def _offset(self, node: Node) -> t.OffsetMoment:
        duration, side, when, *at = self._all(node)
        return t.OffsetMoment(*places(node), duration, side, when, at[0] if at else None)

    def _window_of_day(self, node: Node) -> t.WindowMoment:
        _, first, last, *zone = self._all(node)
        return t.WindowMoment(
            *places(node), self._clock_token(first), self._clock_token(last), zone[0] if zone else None
        )

    def _best_time(self, node: Node) -> t.BestTime:
        return t.BestTime(*places(node))

    def _before(self, _: Node) -> str:
        return "before"

    def _after(self, _: Node) -> str:
        return "after"

    def _at_clock(self, node: Node) -> t.At:
        clock, *zone = self._all(node)
        return t.At(*places(node), self._clock_token(clock), zone[0] if zone else None)

    # Sending

    def _send(self, node: Node) -> t.Send:
        return t.Send(*places(node), tuple(self._all(node)))

    def _together(self, node: Node) -> t.Together:
        return t.Together(*places(node), tuple(self._all(node)))

    def _alternatives(self, node: Node) -> t.Alternatives:
        return t.Alternatives(*places(node), tuple(self._all(node)))

    def _delivery(self, node: Node) -> t.Delivery:
        channel, *rest = self._all(node)
        preferred = channel.type == "PREFERRED"
        place = t.Name(*ends(channel), str(channel)) if preferred else self._name(channel)
        message: t.Text | None = None
        values: tuple[t.Assignment, ...] | None = None
        kind: t.Name | None = None
        within: t.Duration | None = None
        for part in rest:
            match part:
                case Token():
                    message = self._string(part)
                case tuple():
                    self._single("with", values is not None, part[0].start, part[-1].end)
                    values = part
                case t.Name():
                    self._single("as", kind is not None, part.start, part.end)
                    kind = part
                case _:
                    self._single("within", within is not None, part.start, part.end)
                    within = part
        return t.Delivery(*places(node), None if preferred else place, place, message, values, kind, within)

    def _single(self, word: str, given: bool, start: int, end: int) -> None:
        """What follows a channel may come in any order, each once."""
        if given:
            self._problem(
                "E0210",
                start,
                end,
                f"`{word}` is given twice for one channel",
                "the second time",
                "keep one of them",
            )

    def _with_(self, node: Node) -> tuple[t.Assignment, ...]:
        assignments: tuple[t.Assignment, ...] = tuple(self._all(node))
        seen: set[str] = set()
        for assignment in assignments:
            if assignment.name.text in seen:
                self._problem(
                    "E0210",
                    assignment.start,
                    assignment.end,
                    f"`{assignment.name.text}` is given twice",
                    "the second time",
                    "keep one of them",
                )
            seen.add(assignment.name.text)
        return assignments

    def _assignment(self, node: Node) -> t.Assignment:
        name, _, value = self._all(node)
        return t.Assignment(*places(node), self._name(name), value)

    def _as_kind(self, node: Node) -> t.Name:
        return self._name(cast(Token, node.children[0]))

    def _within(self, node: Node) -> t.Duration:
        return cast(t.Duration, self._all(node)[0])

    # Blocks

    def _if_(self, node: Node) -> t.If:
        parts = self._all(node)
        branches = tuple(part for part in parts if isinstance(part, t.Branch))
        otherwise = next((part for part in parts if isinstance(part, tuple)), ())
        return t.If(*places(node), branches, otherwise)

    def _if_part(self, node: Node) -> t.Branch:
        condition, *steps = self._all(node)
        return t.Branch(*places(node), condition, tuple(steps))

    def _else_if(self, node: Node) -> t.Branch:
        _, condition, *steps = self._all(node)
        return t.Branch(*places(node), condition, tuple(steps))

    def _else_(self, node: Node) -> tuple[t.Step, ...]:
        return tuple(self._all(node))

    def _split(self, node: Node) -> t.Split:
        parts = self._all(node)
        arms = tuple(part for part in parts if isinstance(part, t.Arm))
        name = self._string(parts[0]) if isinstance(parts[0], Token) else None
        towards = next((part for part in parts if not isinstance(part, Token | t.Arm)), None)
        return t.Split(*places(node), name, towards, arms)

    def _towards(self, node: Node) -> Any:
        return self._all(node)[0]

    def _arm(self, node: Node) -> t.Arm:
        percent, *rest = self._all(node)
        name = self._string(rest.pop(0)) if rest and isinstance(rest[0], Token) else None
        return t.Arm(*places(node), self._percent(percent), name, tuple(rest))

    def _repeat(self, node: Node) -> t.Repeat:
        times, *rest = self._all(node)
        until = rest.pop(0)[0] if isinstance(rest[0], list) else None
        return t.Repeat(*places(node), self._int(times), until, tuple(rest))

    def _until_turn(self, node: Node) -> list[t.Expression]:
        # In a list, so that it is not taken for a step.
        return [self._all(node)[0]]

    def _set_(self, node: Node) -> t.Set:
        trait, _, value = self._all(node)
        return t.Set(*places(node), trait, value)

    def _emit(self, node: Node) -> t.Emit:
        name, *values = self._all(node)
        return t.Emit(*places(node), self._name(name), values[0] if values else ())

    def _stop(self, node: Node) -> t.Stop:
        return t.Stop(*places(node))
