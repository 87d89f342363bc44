"""How long things take, as far as the text says: the least and the most, in microseconds.

A month is 28 to 31 days and a calendar day 23 to 25 hours, so a duration has two lengths where they matter.
"""

from __future__ import annotations

from typing import Final, assert_never

from segue.api import Period
from segue.api.values import DAY, HOUR, MINUTE
from segue.language import model

_LEAST_MONTH: Final = 28 * DAY
_MOST_MONTH: Final = 31 * DAY


def least(period: Period) -> int:
    """The shortest that a written duration can be."""
    return period.months * _LEAST_MONTH + period.days * DAY + period.micros


def most(period: Period) -> int:
    """The longest that a written duration can be, apart from an hour when the clocks change."""
    return period.months * _MOST_MONTH + period.days * DAY + period.micros


def minutes_of(start: model.Clock, end: model.Clock) -> range | tuple[range, range]:
    """The minutes of a day from ``start`` to ``end``, which may cross midnight; the end is excluded."""
    if start.minute < end.minute:
        return range(start.minute, end.minute)
    return range(start.minute, 24 * 60), range(end.minute)


def within(minute: int, start: model.Clock, end: model.Clock) -> bool:
    """Whether a minute of the day lies in hours that may cross midnight."""
    if start.minute < end.minute:
        return start.minute <= minute < end.minute
    return minute >= start.minute or minute < end.minute


def until_minute(minute: int, end: model.Clock) -> int:
    """Microseconds from a minute of the day to the next ``end``."""
    return ((end.minute - minute) % (24 * 60)) * MINUTE


def longest_until(moment: model.Moment) -> int | None:
    """The most that `wait until` can take, None where it waits for a date, however far."""
    match moment:
        case model.AtClock(date=model.Day()):
            return None
        case model.AtClock(day=int()):
            return 7 * DAY + HOUR
        case model.AtClock(day="tomorrow"):
            return 2 * DAY + HOUR
        case model.AtClock() | model.InWindow() | model.BestTime():
            return DAY + HOUR
        case model.AtDate() | model.Offset():
            return None
        case _:
            assert_never(moment)


def shortest_to_send(steps: tuple[model.Step, ...]) -> tuple[int | None, int | None]:
    """The least time from here to the first send, None where there is none, and the least time to go past these steps
    without one, None where no journey does. Moments and conditions count as no time at all."""
    passed = 0
    first: int | None = None
    for step in steps:
        match step:
            case model.Send():
                return _lesser(first, passed), None
            case model.Wait(period=period):
                passed += least(period)
            case model.Stop():
                return first, None
            case model.If(branches=branches, otherwise=otherwise):
                ways = [shortest_to_send(block) for block in (*(branch.steps for branch in branches), otherwise)]
                first, past = _joined(first, passed, ways)
                if past is None:
                    return first, None
                passed = past
            case model.Split(arms=arms):
                first, past = _joined(first, passed, [shortest_to_send(arm.steps) for arm in arms])
                if past is None:
                    return first, None
                passed = past
            case model.Repeat(steps=inner, until=until):
                ways = [shortest_to_send(inner), *([(None, 0)] if until is not None else [])]
                first, past = _joined(first, passed, ways)
                if past is None:
                    return first, None
                passed = past
            case _:
                pass
    return first, passed


def _joined(first: int | None, passed: int, ways: list[tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    """What several ways from one place come to."""
    for to_send, _ in ways:
        if to_send is not None:
            first = _lesser(first, passed + to_send)
    past = [way for _, way in ways if way is not None]
    return first, passed + min(past) if past else None


def _lesser(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)
