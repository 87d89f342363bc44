"""Advice about times and dates: messages at midnight and in quiet hours, steps lost to those who come late."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from segue.api import Kind
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.lengths import least, most, until_minute, within
from segue.language.looking import parts
from segue.language.report import Place
from segue.language.rules import CheckedRule

MIDNIGHT = model.Clock(0)


class _Moment(msgspec.Struct, frozen=True):
    """The time of day at which a journey stands: said by ``place``, in ``zone`` (None: the customer's). ``midnight``
    when nobody wrote it."""

    minute: int
    zone: str | None
    place: Place
    midnight: bool


def advise_on_clocks(checked: CheckedRule, quiet: dict[Kind, tuple[model.Quiet, ...]]) -> None:
    """What can be said about the times of one rule. ``quiet`` are the quiet hours for each kind of message."""
    _Clocks(checked, quiet).walk(checked.written.steps, _beginning(checked))
    _lost(checked, checked.written.steps, guarded=False)


def _beginning(checked: CheckedRule) -> _Moment | None:
    """The time of day at which every journey of a rule begins, None where there is none."""
    written = checked.written.trigger
    match checked.rule.trigger:
        case model.OnSchedule(clock=clock, zone=zone) | model.OnDate(clock=clock, zone=zone):
            unsaid = isinstance(written, t.OnSchedule | t.OnDate) and written.at is None
            return _Moment(clock.minute, zone, written, unsaid)
        case model.OnOffset(clock=model.Clock(minute=minute), zone=zone):
            return _Moment(minute, zone, written, False)
        case model.OnOffset(clock=None, period=period) if not period.micros:
            return _Moment(0, None, written, True)
        case _:
            return None


class _Clocks:
    def __init__(self, checked: CheckedRule, quiet: dict[Kind, tuple[model.Quiet, ...]]) -> None:
        self._checked = checked
        self._quiet = quiet
        self._told: set[int] = set()
        self._made: dict[int, list[model.Step]] = {}
        for written, understood in checked.made:
            self._made.setdefault(id(written), []).append(understood)

    def walk(self, steps: Iterable[t.Step], at: _Moment | None) -> _Moment | None:
        """Where journeys stand after these steps."""
        for step in steps:
            match step:
                case t.Send():
                    if at is not None:
                        self._sends(step, at)
                    at = None
                case t.Wait() | t.WaitFor():
                    at = None
                case t.WaitUntil():
                    at = self._moment(step)
                case t.If(branches=branches, otherwise=otherwise):
                    ways = [self.walk(branch.steps, at) for branch in branches] + [self.walk(otherwise, at)]
                    at = at if all(way is at for way in ways) else None
                case t.Split(arms=arms):
                    ways = [self.walk(arm.steps, at) for arm in arms]
                    at = at if all(way is at for way in ways) else None
                case t.Repeat(steps=inner):
                    self.walk(inner, at)
                    at = None
                case _:
                    pass
        return at

    def _moment(self, step: t.WaitUntil) -> _Moment | None:
        (understood,) = self._made[id(step)]
        if not isinstance(understood, model.WaitUntil):
            return None
        match understood.moment:
            case model.AtClock(clock=clock, zone=zone):
                return _Moment(clock.minute, zone, step.moment, False)
            case model.AtDate(date=model.Literal_(value=model.Day()) | model.Trait()):
                return _Moment(0, None, step.moment, True)
            case model.Offset(clock=model.Clock(minute=minute), zone=zone):
                return _Moment(minute, zone, step.moment, False)
            case model.Offset(clock=None, period=period, date=model.Literal_() | model.Trait()) if not period.micros:
                return _Moment(0, None, step.moment, True)
            case _:
                return None

    def _sends(self, step: t.Send, at: _Moment) -> None:
        send = self._made[id(step)][0]
        if not isinstance(send, model.Send):
            return
        for delivery in (delivery for group in send.together for delivery in group):
            if delivery.kind == "transactional":
                continue
            hours = next(
                (each for each in self._quiet.get(delivery.kind, ()) if self._holds(each, at)),
                None,
            )
            if hours is not None:
                if not at.midnight:
                    self._in_quiet_hours(step, at, delivery, hours)
                return
            if at.midnight and id(at) not in self._told:
                self._told.add(id(at))
                self._checked.report.add(
                    "W0717",
                    at.place,
                    "no time of day is said here, so the message goes out at midnight",
                    label="at 00:00",
                    hint="add a time: " + ("`… 09:00`" if isinstance(at.place, t.DateMoment) else "`at 09:00`"),
                    also=(Label(self._checked.report.span(step), "this goes out at midnight"),),
                )
                return

    def _holds(self, quiet: model.Quiet, at: _Moment) -> bool:
        return quiet.zone == at.zone and within(at.minute, quiet.start, quiet.end)

    def _in_quiet_hours(self, step: t.Send, at: _Moment, delivery: model.Delivery, quiet: model.Quiet) -> None:
        hours = f"{_clock(quiet.start)} to {_clock(quiet.end)}"
        late = until_minute(at.minute, quiet.end)
        longest = least(quiet.overflow.longest or delivery.within)
        never = quiet.overflow.action == "drop" or late > min(longest, least(delivery.within))
        self._checked.report.add(
            "W0721",
            at.place,
            f"{_clock(model.Clock(at.minute))} lies in the quiet hours of {delivery.kind} messages, {hours}: "
            + ("the message never goes out" if never else f"the message always waits until {_clock(quiet.end)}"),
            label="quiet hours",
            hint=f"choose a time between {_clock(quiet.end)} and {_clock(quiet.start)}",
            also=(Label(self._checked.report.span(step), "this message"),),
        )


def _clock(clock: model.Clock) -> str:
    return f"{clock.minute // 60:02}:{clock.minute % 60:02}"


# Steps lost to those who enter after a `before`


def _lost(checked: CheckedRule, steps: tuple[t.Step, ...], *, guarded: bool) -> None:
    """`wait until 7d before DATE` ends the journey of those who come later, and with it all that stands below: told
    where something below comes at a time of its own. Inside an `if` that looks at the time the author has thought of
    it."""
    for place, step in enumerate(steps):
        match step:
            case t.WaitUntil(moment=t.OffsetMoment(side="before") as moment) if not (
                guarded or _begins_before(checked, moment)
            ):
                later = _later_send(steps[place + 1 :])
                if later is not None:
                    written = checked.report.text(moment.duration), checked.report.text(moment.date)
                    checked.report.add(
                        "W0710",
                        step.moment,
                        f"who enters later than {written[0]} before {written[1]} gets none of the messages below, "
                        f"also not the one on line {checked.report.line(later)}",
                        label="past for those who enter late",
                        hint=f"write `if now < {written[1]} - {written[0]} … end` around this wait and its message",
                        also=(Label(checked.report.span(later), "this would still be in time"),),
                    )
                    return
            case t.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    _lost(checked, branch.steps, guarded=guarded or _looks_at_time(branch.condition))
                _lost(checked, otherwise, guarded=guarded or any(_looks_at_time(each.condition) for each in branches))
            case t.Split(arms=arms):
                for arm in arms:
                    _lost(checked, arm.steps, guarded=guarded)
            case t.Repeat(steps=inner):
                _lost(checked, inner, guarded=guarded)
            case _:
                pass


def _begins_before(checked: CheckedRule, moment: t.OffsetMoment) -> bool:
    """Whether the rule begins by the same date, longer before it: then nobody enters late."""
    begun = checked.rule.trigger
    return (
        isinstance(begun, model.OnOffset)
        and begun.direction == "before"
        and isinstance(moment.date, t.TraitPath)
        and moment.date.name.text == begun.trait
        and least(begun.period) > most(moment.duration.period)
    )


def _later_send(steps: tuple[t.Step, ...]) -> t.Send | None:
    """The first send after another wait below a wait and its own send."""
    sent = waited = False
    for step in steps:
        match step:
            case t.Send() if waited:
                return step
            case t.Send():
                sent = True
            case t.Wait() | t.WaitUntil() | t.WaitFor():
                waited = waited or sent
            case _:
                inner = _sends_within(step)
                if inner and waited:
                    return inner[0]
                sent = sent or bool(inner)
    return None


def _sends_within(step: t.Step) -> list[t.Send]:
    match step:
        case t.If(branches=branches, otherwise=otherwise):
            found = [part for branch in branches for inner in branch.steps for part in _sends_within(inner)]
            return found + [part for inner in otherwise for part in _sends_within(inner)]
        case t.Split(arms=arms):
            return [part for arm in arms for inner in arm.steps for part in _sends_within(inner)]
        case t.Repeat(steps=steps):
            return [part for inner in steps for part in _sends_within(inner)]
        case t.Send():
            return [step]
        case _:
            return []


def _looks_at_time(condition: t.Expression) -> bool:
    return any(isinstance(part, t.Now) for part in parts(condition))
