"""The hour in which a customer answers most: what they did themselves, smoothed towards what everybody does.

With ``n`` for the customer's own answers and ``N`` for everybody's, by hour of the day ``h`` and day of the week ``d``:

    Q(h)    = (N(h) + 1 + [h is the project's best time]) / (N + 25)
    W(d|h)  = (N(d, h) + 1) / (N(h) + 7)
    C(h)    = (n(h) + 10 Q(h)) / (n + 10)
    S(d, h) = n(d, h) + 10 C(h) W(d|h)

Of the next twenty-four hours the one with the greatest ``S`` is the best, of several alike the next to come. This is a
Dirichlet prior in two steps (A. Gelman et al., *Bayesian Data Analysis*, 3rd ed., sections 3.4 and 5.3): ten answers of
everybody's weigh as much as ten of one's own, so one answer in the night does not make the night the best time, and two
or three do. The hour counts for all days, and more for the day it happened on.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

HOURS: Final = 24
WEEK: Final = 7 * HOURS
OWN: Final = 10
"""So many answers of one's own weigh as much as what everybody does."""

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Best(msgspec.Struct, frozen=True):
    """When to write to a customer within the next day, in minutes since midnight of their own clock, and why then."""

    minute: int
    because: str


class Answers(msgspec.Struct, frozen=True):
    """How often there were answers: by hour of the day, and by hour of the week from Monday 00:00."""

    by_hour: tuple[float, ...]
    by_slot: tuple[float, ...]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.by_hour)


def place_of(wall: datetime) -> int:
    """The hour of the week of a clock's time."""
    return wall.weekday() * HOURS + wall.hour


def gather(counted: Iterable[tuple[int, int]]) -> Answers:
    """Counts as the store has them: by hour of the week, or by 168 and the hour of a day that nobody noted, which
    counts for each day of the week alike."""
    hours, slots = [0.0] * HOURS, [0.0] * WEEK
    for place, times in counted:
        hours[place % HOURS] += times
        if place < WEEK:
            slots[place] += times
        else:
            for day in range(7):
                slots[day * HOURS + place % HOURS] += times / 7
    return Answers(tuple(hours), tuple(slots))


def best_time(own: Answers, everyone: Answers, wall: datetime, project: int) -> Best:
    """The best time in the day that begins now, at ``wall`` on the customer's clock. ``project`` is the project's best
    time, in minutes since midnight."""
    total, known = everyone.total, own.total
    best, most = project // 60, -1.0
    for ahead in range(HOURS):
        hour = (wall.hour + ahead) % HOURS
        slot = ((wall.weekday() + (wall.hour + ahead) // HOURS) % 7) * HOURS + hour
        share = (everyone.by_hour[hour] + 1 + (hour == project // 60)) / (total + HOURS + 1)
        weekday = (everyone.by_slot[slot] + 1) / (everyone.by_hour[hour] + 7)
        likely = (own.by_hour[hour] + OWN * share) / (known + OWN)
        score = own.by_slot[slot] + OWN * likely * weekday
        if score > most + 1e-9:  # sums in another order differ in the last bits: such hours are alike
            best, most = hour, score
    minute = project if best == project // 60 and not known and not everyone.by_hour[best] else best * 60
    day = _DAYS[(wall.weekday() + (best < wall.hour)) % 7]
    return Best(minute, _words(own, everyone, best, day, minute))


def _words(own: Answers, everyone: Answers, hour: int, day: str, minute: int) -> str:
    clock = f"{minute // 60:02}:{minute % 60:02}"
    if own.by_hour[hour]:
        return f"{clock} on {day}: {own.by_hour[hour]:.0f} of their {own.total:.0f} answers came in that hour"
    few = f"their {own.total:.0f} answers say too little" if own.total else "they have answered nothing yet"
    if everyone.by_hour[hour]:
        share = everyone.by_hour[hour] / everyone.total
        return f"{clock} on {day}: {few}, and {share:.0%} of everybody's answers come in that hour"
    return f"{clock} on {day}, the project's best time: {few}"
