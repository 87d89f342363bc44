"""The steps of a rule: written to checked."""

from __future__ import annotations

from typing import assert_never, cast

from segue.api import Kind
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions
from segue.language.keywords import KINDS, is_reserved
from segue.language.names import Names
from segue.language.nearest import listed, nearest
from segue.language.report import Report
from segue.language.sends import Filled, fill
from segue.language.structure import only_the_clock
from segue.language.vocabulary import Lexicon


class Steps:
    """Reads the steps of one rule. What is wrong is told, and the step left out: a rule with an error is not carried
    out anyway."""

    def __init__(
        self, lexicon: Lexicon, report: Report, expressions: Expressions, names: Names, rule: str, kind: Kind
    ) -> None:
        self._lexicon = lexicon
        self._report = report
        self._expressions = expressions
        self._names = names
        self._rule = rule
        self._kind = kind

    def read(self, written: tuple[t.Step, ...]) -> tuple[model.Step, ...]:
        steps: list[model.Step] = []
        for step in written:
            steps += self._step(step)
        return tuple(steps)

    def kind(self, name: t.Name) -> Kind | None:
        """A written kind of message."""
        if name.text in KINDS:
            return cast(Kind, name.text)
        if not is_reserved(name.text):
            near = nearest(name.text, KINDS)
            self._report.unknown(
                "E0305", name, f"there is no kind of message `{name.text}`", near, f"the kinds are {listed(KINDS)}"
            )
        return None

    def _step(self, step: t.Step) -> list[model.Step]:
        line = self._report.line(step)
        match step:
            case t.Wait(duration=duration, unless=unless):
                return [model.Wait(duration.period, self._guard(unless), line)]
            case t.WaitUntil(moment=moment, unless=unless):
                guard = self._guard(unless)
                when = self._moment(moment)
                return [model.WaitUntil(when, guard, line)] if when is not None else []
            case t.WaitFor():
                return self._wait_for(step, line)
            case t.Send():
                return self._send(step, line)
            case t.If():
                return self._if(step, line)
            case t.Split(arms=arms, towards=towards):
                self._report.refuse((step.start, step.start + len("split")), "`split`")
                if towards is not None:
                    self._expressions.condition(towards)
                for arm in arms:
                    self.read(arm.steps)
                return []
            case t.Repeat(until=until, steps=steps):
                self._report.refuse((step.start, step.start + len("repeat")), "`repeat`")
                if until is not None:
                    self._expressions.condition(until)
                self.read(steps)
                return []
            case t.Set():
                return self._set(step, line)
            case t.Emit():
                return self._emit(step, line)
            case t.Stop():
                return [model.Stop(line)]
            case _:
                assert_never(step)

    def _guard(self, unless: t.Expression | None) -> model.Expression | None:
        return self._expressions.condition(unless) if unless is not None else None

    def _moment(self, moment: t.Moment) -> model.Moment | None:
        read = self._expressions
        match moment:
            case t.ClockMoment(day=day, clock=clock, zone=zone):
                time, place = read.clock(clock), read.zone(zone)
                match day:
                    case t.DayOfWeek(day=number):
                        return model.AtClock(time, day=number, zone=place)
                    case t.Date(iso=iso):
                        return model.AtClock(time, date=model.Day(iso), zone=place)
                    case "tomorrow" | None:
                        return model.AtClock(time, day=day, zone=place)
                    case _:
                        assert_never(day)
            case t.WindowMoment(first=first, last=last, zone=zone):
                return model.InWindow(read.clock(first), read.clock(last), read.zone(zone))
            case t.DateMoment(date=date):
                at = read.date(date)
                return model.AtDate(at) if at is not None else None
            case t.OffsetMoment(duration=duration, side=side, date=date, at=clock_at):
                base = read.date(date)
                clock_time = read.clock(clock_at.clock) if clock_at else None
                zone_name = read.zone(clock_at.zone) if clock_at else None
                return model.Offset(duration.period, side, base, clock_time, zone_name) if base is not None else None
            case t.BestTime():
                self._report.refuse(
                    moment, "`wait until best time`", "until then write a time, such as `wait until 09:00`"
                )
                return None
            case _:
                assert_never(moment)

    def _wait_for(self, step: t.WaitFor, line: int) -> list[model.Step]:
        condition = self._expressions.condition(step.condition)
        guard = self._guard(step.unless)
        if condition is None:
            return []
        if only_the_clock(condition):
            self._report.add(
                "W0708",
                step.condition,
                "nothing a customer does can make this true, only the clock",
                label="no event, reaction or trait here",
                hint="to wait for a time write `wait until`",
            )
        return [model.WaitFor(condition, step.up_to.period, step.next, guard, line)]

    # Sending

    def _send(self, step: t.Send, line: int) -> list[model.Step]:
        read: dict[int, tuple[tuple[str, model.Expression], ...]] = {}
        sends: list[model.Step] = []
        for part in fill(step, self._rule):
            together = []
            for group in part:
                deliveries = [self._delivery(filled, read) for filled in group]
                together.append(tuple(delivery for delivery in deliveries if delivery is not None))
            sends.append(model.Send(tuple(together), line))
        return sends

    def _delivery(
        self, filled: Filled, read: dict[int, tuple[tuple[str, model.Expression], ...]]
    ) -> model.Delivery | None:
        written = filled.written
        kind = self.kind(filled.kind) if filled.kind is not None and filled.kind is written.kind else None
        if kind is None:
            kind = cast(Kind, filled.kind.text) if filled.kind is not None and filled.kind.text in KINDS else self._kind
        key = filled.values[0].start if filled.values else -1
        if key not in read:
            read[key] = self._values(filled.values)
        if written.channel is None:
            self._report.refuse(written.place, "`preferred`", "until then name the channels: `email or sms`")
            return None
        if not self._names.channel(written.channel):
            return None
        channel = written.channel.text
        if self._lexicon.channels[channel].stands:
            self._report.refuse(
                written.place,
                f"`send {channel}`, which stands until it is taken back,",
                "it would not be taken back when the journey ends, so the rule does not run; leave it out for now",
            )
        self._content(filled, channel)
        return model.Delivery(channel, filled.message, read[key], kind, filled.within)

    def _values(self, written: tuple[t.Assignment, ...]) -> tuple[tuple[str, model.Expression], ...]:
        values = []
        for assignment in written:
            value = self._expressions.value(assignment.value)
            if value is not None:
                values.append((assignment.name.text, value.node))
        return tuple(values)

    def _content(self, filled: Filled, channel: str) -> None:
        messages = self._lexicon.words.messages
        if messages is None or not self._lexicon.channels[channel].needs_content:
            return
        known = messages.get(channel, frozenset())
        if filled.message in known:
            return
        written = filled.written
        place = written.message or written.place
        near = nearest(filled.message, known) if written.message is not None else None
        source = "" if filled.named else " (the rule's name, since the `send` names none)"
        self._report.add(
            "E0503",
            place,
            f'the message "{filled.message}"{source} has no content for the channel `{channel}`',
            label=f'did you mean "{near}"?' if near else "no content",
            hint=f"put its content into messages/{filled.message}/{channel}.txt beside the rule, "
            "or into a file with another ending that the channel knows",
            write=f'"{near}"' if near else None,
        )

    # Blocks and effects

    def _if(self, step: t.If, line: int) -> list[model.Step]:
        branches = []
        for branch in step.branches:
            condition = self._expressions.condition(branch.condition)
            steps = self.read(branch.steps)
            if condition is not None:
                branches.append(model.Branch(condition, steps))
        return [model.If(tuple(branches), self.read(step.otherwise), line)]

    def _set(self, step: t.Set, line: int) -> list[model.Step]:
        type_ = self._names.trait_type(step.trait)
        name = step.trait.name.text
        if type_ is None:
            self._expressions.value(step.value)
            return []
        value = self._expressions.fitting(step.value, type_, f"`customer.{name}`")
        return [model.Set(name, type_, value, line)] if value is not None else []

    def _emit(self, step: t.Emit, line: int) -> list[model.Step]:
        event = self._names.event(step.event)
        values = []
        for assignment in step.values:
            if event is None:
                self._expressions.value(assignment.value)
                continue
            type_ = self._names.field(event, assignment.name)
            if type_ is None:
                self._expressions.value(assignment.value)
                continue
            value = self._expressions.fitting(assignment.value, type_, f"`{event}.{assignment.name.text}`")
            if value is not None:
                values.append((assignment.name.text, value))
        return [model.Emit(event, tuple(values), line)] if event is not None else []
