"""Steps and moments in the words of the language, each as its first line would be written."""

from __future__ import annotations

from typing import assert_never

from segue.language import model as m
from segue.language.keywords import WEEKDAYS
from segue.program import program as p
from segue.program.wording import word, word_clock, word_period


def word_step(step: p.AnyStep) -> str:
    """A step without the steps inside it, and without what it gives or waits for besides."""
    match step:
        case p.Wait(period=period):
            return f"wait {word_period(period)}"
        case p.WaitUntil(moment=moment):
            return f"wait until {word_moment(moment)}"
        case p.WaitFor(condition=condition, up_to=up_to, next=forward):
            return f"wait for {'next ' if forward else ''}{condition.text} up to {word_period(up_to)}"
        case p.Send(together=together):
            groups = (" or ".join(one.channel or "preferred" for one in group) for group in together)
            return f"send {' and '.join(groups)}"
        case p.Branch(condition=condition):
            return f"if {condition.text}"
        case p.Split(name=name):
            return "split" if name.isdigit() else f'split "{name}"'
        case p.Loop(times=times, until=until):
            return f"repeat {times} times" + (f" until {until.text}" if until is not None else "")
        case p.Jump():
            return "end"
        case p.Set(trait=trait):
            return f"set customer.{trait}"
        case p.Emit(event=event):
            return f"emit {event}"
        case p.Stop():
            return "stop"
        case _:
            assert_never(step)


def word_moment(moment: m.Moment) -> str:
    """What stands behind ``wait until``."""
    match moment:
        case m.AtClock(clock=clock, day=day, date=date, zone=zone):
            when = date.iso if date is not None else WEEKDAYS[day] if isinstance(day, int) else day
            return " ".join(part for part in (when, word_clock(clock), zone) if part)
        case m.InWindow(start=start, end=end, zone=zone):
            return f"time between {word_clock(start)} and {word_clock(end)}" + (f" {zone}" if zone else "")
        case m.BestTime():
            return "best time"
        case m.AtDate(date=date_):
            return word(date_)
        case m.Offset(period=period, direction=direction, date=date_, clock=clock_, zone=zone):
            at = f" at {word_clock(clock_)}" if clock_ is not None else ""
            return f"{word_period(period)} {direction} {word(date_)}{at}" + (f" {zone}" if zone else "")
        case _:
            assert_never(moment)
