"""Steps, laid out: one a row, blocks two columns in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from segue.language import tree as t
from segue.language.layout_values import DEEPER, ValueLayout
from segue.language.page import HANGING, LINE, SPACE, Doc, Pause, Statement, group, joined, nest

BLOCK = 2
"""Columns by which a block stands in."""


class StepLayout(ValueLayout):
    """Adds the steps to values and conditions. ``_out`` collects the statements."""

    _out: list[Statement]

    def _put(self, indent: int, pause: Pause, content: Doc, *, blank: bool) -> None:
        self._out.append(Statement(indent, pause, content, blank))

    def _steps(self, steps: Sequence[t.Step], indent: int, *, blank: bool = False) -> None:
        """The steps of a block; ``blank``: a blank line may stand before the first."""
        for step in steps:
            pause = self._pause()
            may, blank = blank and pause.begins_blank, True
            match step:
                case t.If():
                    self._if(step, indent, pause, blank=may)
                case t.Split():
                    self._split(step, indent, pause, blank=may)
                case t.Repeat():
                    self._repeat(step, indent, pause, blank=may)
                case _:
                    self._put(indent, pause, self._step(step), blank=may)

    def _step(self, step: t.Wait | t.WaitUntil | t.WaitFor | t.Send | t.Set | t.Emit | t.Stop) -> Doc:
        match step:
            case t.Wait():
                first = joined(self._word("wait"), SPACE, self._duration(step.duration))
                return self._guarded(first, step.unless)
            case t.WaitUntil():
                first = joined(self._words("wait", "until"), SPACE, self._moment(step.moment))
                return self._guarded(first, step.unless)
            case t.WaitFor():
                words = self._words("wait", "for", "next") if step.next else self._words("wait", "for")
                condition = self._condition(step.condition, HANGING + DEEPER)
                up_to = joined(self._words("up", "to"), SPACE, self._duration(step.up_to))
                return self._guarded(joined(words, SPACE, condition, nest(HANGING, LINE, up_to)), step.unless)
            case t.Send():
                return self._send(step)
            case t.Set():
                trait = joined(self._word("set"), SPACE, self._path(step.trait), SPACE, self._word("="))
                return joined(trait, SPACE, self._condition(step.value))
            case t.Emit():
                event = joined(self._word("emit"), SPACE, self._name(step.event))
                return joined(event, nest(HANGING, LINE, self._assignments(step.values))) if step.values else event
            case t.Stop():
                return self._word("stop")
            case _:
                assert_never(step)

    def _guarded(self, first: Doc, unless: t.Expression | None) -> Doc:
        if unless is None:
            return first
        guard = joined(self._word("unless"), SPACE, self._condition(unless, DEEPER))
        return joined(first, nest(HANGING, LINE, guard))

    # Moments

    def _moment(self, moment: t.Moment) -> Doc:
        match moment:
            case t.ClockMoment(day=day):
                clock: Doc
                if day is None:
                    clock = self._clock(moment.clock)
                else:
                    first = self._word("tomorrow") if day == "tomorrow" else self._value(day)
                    clock = joined(first, SPACE, self._clock(moment.clock))
                return self._with_zone(clock, moment.zone)
            case t.WindowMoment():
                return self._between(moment.first, moment.last, moment.zone)
            case t.DateMoment():
                return self._condition(moment.date)
            case t.OffsetMoment():
                offset = joined(self._duration(moment.duration), SPACE, self._word(moment.side), SPACE)
                return joined(offset, self._condition(moment.date), *self._at_clock(moment.at))
            case t.BestTime():
                return self._words("best", "time")
            case _:
                assert_never(moment)

    def _at_clock(self, at: t.At | None) -> tuple[Doc, ...]:
        if at is None:
            return ()
        clock = joined(self._word("at"), SPACE, self._clock(at.clock))
        return (SPACE, self._with_zone(clock, at.zone))

    # Sending

    def _send(self, send: t.Send) -> Doc:
        return joined(self._word("send"), SPACE, self._then(send, HANGING))

    def _then(self, send: t.Send, by: int) -> Doc:
        if len(send.parts) == 1:
            return self._together(send.parts[0], by)
        parts: list[Doc] = [self._together(send.parts[0], by + DEEPER)]
        for part in send.parts[1:]:
            word = self._word("then")
            parts += (nest(by, LINE, word), SPACE, self._together(part, by + DEEPER))
        return group(*parts)

    def _together(self, together: t.Together, by: int) -> Doc:
        if len(together.groups) == 1:
            return self._alternatives(together.groups[0], by)
        parts: list[Doc] = [self._alternatives(together.groups[0], by + DEEPER)]
        for each in together.groups[1:]:
            word = self._word("and")
            parts += (nest(by, LINE, word), SPACE, self._alternatives(each, by + DEEPER))
        return group(*parts)

    def _alternatives(self, alternatives: t.Alternatives, by: int) -> Doc:
        if len(alternatives.deliveries) == 1:
            return self._delivery(alternatives.deliveries[0], by)
        parts: list[Doc] = [self._delivery(alternatives.deliveries[0], by + DEEPER)]
        for delivery in alternatives.deliveries[1:]:
            word = self._word("or")
            parts += (nest(by, LINE, word), SPACE, self._delivery(delivery, by + DEEPER))
        return group(*parts)

    def _delivery(self, delivery: t.Delivery, by: int) -> Doc:
        channel: Doc = self._name(delivery.place)
        if delivery.message is not None:
            channel = joined(channel, SPACE, self._node(delivery.message))
        rest: list[tuple[int, str]] = []
        if delivery.values is not None:
            rest.append((delivery.values[0].start, "with"))
        if delivery.kind is not None:
            rest.append((delivery.kind.start, "as"))
        if delivery.within is not None:
            rest.append((delivery.within.start, "within"))
        parts: list[Doc] = [channel]
        for _, word in sorted(rest):  # in the order in which they were written
            if word == "with" and delivery.values is not None:
                parts += (LINE, self._assignments(delivery.values))
            elif word == "as" and delivery.kind is not None:
                parts += (LINE, self._word("as"), SPACE, self._name(delivery.kind))
            elif delivery.within is not None:
                parts += (LINE, self._word("within"), SPACE, self._duration(delivery.within))
        return group(nest(by, *parts))

    # Blocks

    def _if(self, step: t.If, indent: int, pause: Pause, *, blank: bool) -> None:
        for place, branch in enumerate(step.branches):
            if place:
                pause, blank = self._pause_of(indent), False
            words = self._words("else", "if") if place else self._word("if")
            self._put(indent, pause, joined(words, SPACE, self._condition(branch.condition)), blank=blank)
            self._steps(branch.steps, indent + BLOCK)
        if step.otherwise:
            self._put(indent, self._pause_of(indent), self._word("else"), blank=False)
            self._steps(step.otherwise, indent + BLOCK)
        self._end(indent)

    def _split(self, step: t.Split, indent: int, pause: Pause, *, blank: bool) -> None:
        parts: list[Doc] = [self._word("split")]
        if step.name is not None:
            parts += (SPACE, self._node(step.name))
        if step.towards is not None:
            towards = joined(self._word("towards"), SPACE, self._condition(step.towards, DEEPER))
            parts.append(nest(HANGING, LINE, towards))
        self._put(indent, pause, joined(*parts), blank=blank)
        inside = indent + BLOCK
        for place, arm in enumerate(step.arms):
            pause = self._pause_of(inside) if place else self._pause()
            share: Doc = self._digits("%")
            if arm.name is not None:
                share = joined(share, SPACE, self._node(arm.name))
            self._put(inside, pause, share, blank=place > 0 and pause.begins_blank)
            self._steps(arm.steps, inside + BLOCK)
        self._end(indent)

    def _repeat(self, step: t.Repeat, indent: int, pause: Pause, *, blank: bool) -> None:
        times = joined(self._word("repeat"), SPACE, self._digits(), SPACE, self._word("times"))
        if step.until is not None:
            until = joined(self._word("until"), SPACE, self._condition(step.until, DEEPER))
            times = joined(times, nest(HANGING, LINE, until))
        self._put(indent, pause, times, blank=blank)
        self._steps(step.steps, indent + BLOCK)
        self._end(indent)

    def _end(self, indent: int) -> None:
        """`end`. What is remarked before it is about the block."""
        self._remarks(indent + BLOCK, self._pause())
        self._put(indent, Pause((), False), self._word("end"), blank=False)

    def _pause_of(self, indent: int) -> Pause:
        """The pause before the next part of a block. Remarks that stand in deeper than that part are about the part
        before it, such as a step that was commented out, and stay there."""
        pause = self._pause()
        column = self._at - self._text.rfind("\n", 0, self._at) - 1
        deeper = 0
        while deeper < len(pause.remarks) and pause.remarks[deeper].column > column:
            deeper += 1
        self._remarks(indent + BLOCK, Pause(pause.remarks[:deeper], False))
        return Pause(pause.remarks[deeper:], pause.blank)

    def _remarks(self, indent: int, pause: Pause) -> None:
        if pause.remarks:
            self._out.append(Statement(indent, pause, None, pause.begins_blank))
