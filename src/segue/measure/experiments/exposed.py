"""Who is in an experiment: a customer counts in the group that they came into first, whatever happened then.

That is intention to treat. A customer counts with the journey in which they came into the group, so that everybody is
watched for the same time, and once the window of its goal is over: while it is open it would count what has come early,
and not yet what comes late. What they bring is whether that journey converted, and what it was worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from segue.api import Instant
from segue.measure.experiments.groups import Moments, Rate
from segue.measure.experiments.weighing import Weighted

CONTROL: Final = ""
"""The experiment that a rule's ``holdout`` is; every other one is a split, which has a name."""
HELD_OUT: Final = "holdout"
TREATED: Final = "treated"
"""The arms of `CONTROL`."""


class Exposed(msgspec.Struct, frozen=True, array_like=True):
    """A customer of an experiment, with the journey in which they came into it: when it began, until when its goal
    counts, and when that was met, with what it was worth (``12.50 EUR``); None where there is none any more.

    ``shares`` are the probabilities that the groups had in the draw. ``mixed``: they were in two groups, as two
    customers who turned out to be one. ``before`` is a figure of the time before they came into it.
    """

    customer: int
    arm: str
    at: Instant
    shares: dict[str, float]
    mixed: bool
    before: float
    entered: Instant | None
    goal_until: Instant | None
    converted: Instant | None
    worth: str | None


class Group(msgspec.Struct):
    """A group: the customers ``drawn`` into it, those of them that count (``rate``), and those whose window is still
    ``open``; ``mixed`` were in another group as well. ``worth`` is what they brought, by currency, ``conversions``
    whether they converted, beside what was known before; ``weighted`` the same by how improbable their group was."""

    drawn: int = 0
    open: int = 0
    mixed: int = 0
    rate: Rate = Rate(0, 0)
    conversions: Moments = Moments()
    weighted: Weighted = Weighted()
    worth: dict[str, Moments] = {}

    @property
    def values(self) -> dict[str, float]:
        """What they brought together, by currency."""
        return {currency: one.y for currency, one in sorted(self.worth.items())}

    def of(self, currency: str) -> Moments:
        """What each of them brought in a currency; whoever brought nothing brought 0."""
        known = self.worth.get(currency, Moments())
        whole = self.conversions
        return msgspec.structs.replace(known, n=whole.n, x=whole.x, xx=whole.xx)


class Collected(msgspec.Struct):
    """Everybody in one experiment, and how many customers each group should have: the sums of the probabilities that it
    had in their draws."""

    groups: dict[str, Group] = {}
    expected: dict[str, float] = {}


def collect(pieces: Iterable[Iterable[Exposed]], now: Instant) -> Collected:
    """Count everybody."""
    found = Collected()
    for piece in pieces:
        for one in piece:
            _count(found, one, now)
    return found


def _count(found: Collected, one: Exposed, now: Instant) -> None:
    group = found.groups.setdefault(one.arm, Group())
    group.drawn += 1
    group.mixed += one.mixed
    for arm, share in one.shares.items():
        found.expected[arm] = found.expected.get(arm, 0.0) + share
    if one.goal_until is None or one.goal_until > now:
        group.open += 1
        return
    met = one.converted is not None and one.converted >= one.at
    y, x = float(met), one.before
    group.rate = Rate(group.rate.customers + 1, group.rate.met + met)
    group.conversions += Moments(1, y, y, x, x * x, x * y)
    if (share := one.shares.get(one.arm, 0.0)) > 0:
        w, before = 1 / share, group.weighted
        group.weighted = Weighted(
            before.n + 1,
            before.w + w,
            before.ww + w * w,
            before.wy + w * y,
            before.wwy + w * w * y,
            before.wwyy + w * w * y * y,
        )
    if met and (worth := _amount(one.worth)) is not None:
        currency, amount = worth
        before_it = group.worth.get(currency, Moments())
        group.worth[currency] = before_it + Moments(0, amount, amount * amount, 0.0, 0.0, x * amount)


def _amount(worth: str | None) -> tuple[str, float] | None:
    """The currency and the amount of ``12.50 EUR``; None for what is no amount."""
    amount, _, currency = (worth or "").partition(" ")
    try:
        number = float(amount)
    except ValueError:
        return None
    return (currency, number) if math.isfinite(number) else None
