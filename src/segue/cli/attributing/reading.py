"""Touches, conversions and their paths, from a project's store, beside a daemon that may be running."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import msgspec

from segue.api import Instant
from segue.api.attribution import Ints
from segue.cli.attributing.deleted import Deleted, find_deleted
from segue.cli.ending import USAGE, fail
from segue.cli.segments.progress import Telling
from segue.host.touchpoints import Touchpoints
from segue.language.nearest import nearest
from segue.measure.orders import ORDERS, REFUNDS_LATER, notes
from segue.measure.period import Period
from segue.measure.touchpoints.columns import OTHERS, Conversions, Touches
from segue.measure.touchpoints.gathering import Bounds
from segue.measure.touchpoints.joining import SKEW, Joined, Selected, Windows, join, select
from segue.measure.touchpoints.origins import Naming
from segue.messages.links import Tracking
from segue.runtime.assembly import Assembly
from segue.store.conversions import read_goals
from segue.store.database import read_only
from segue.store.errors import StoreError
from segue.store.funnels import rules_entered
from segue.store.orders import read_orders
from segue.store.touchpoints import Choice, read_touches


class Read(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What happened in a period: touches, conversions, the paths from the ones to the others, and these by currency,
    the one with most conversions first."""

    touches: Touches
    conversions: Conversions
    joined: Joined
    selected: tuple[Selected, ...]
    deleted: Deleted = Deleted()

    def notes(self) -> tuple[str, ...]:
        """What was left out, and why, in sentences."""
        joined = self.joined
        said = (
            (joined.old, "touch", "touches", "longer before the conversion than the look-back: on no path"),
            (self.touches.folded, "touch", "touches", f"of campaigns beyond the first thousands: as {OTHERS}"),
        )
        missing = self.deleted.orders if self.conversions.name == ORDERS else self.deleted.goals
        return (
            *(one for one in (missing, self.deleted.touches) if one),
            REFUNDS_LATER,
            *notes(self.conversions),
            *(f"{number:,} {one if number == 1 else many} {rest}." for number, one, many, rest in said if number),
        )


def choice_of(settings: Touchpoints, tracking: Tracking, currency: str, *, machines: bool, arms: bool) -> Choice:
    """Which touches a project's settings mean."""
    own = tuple(domain for domain in tracking.domains if domain != "*")
    return Choice(
        messages=settings.messages,
        events=settings.events,
        visits=settings.visits,
        naming=Naming(
            own=(*own, *settings.referrers),
            source=tracking.parameters.get("utm_source", ""),
            mediums=settings.mediums,
        ),
        parameters=tracking.parameters,
        currency=currency,
        machines=machines,
        arms=arms,
    )


def read_paths(
    assembly: Assembly,
    period: Period,
    *,
    lookback: int | None = None,
    goal: str | None = None,
    machines: bool = False,
    arms: bool = False,
    orders: Conversions | None = None,
    others: Iterable[Conversions] = (),
) -> Read:
    """What happened in a period. ``goal`` is the rule whose goal is the conversion; without one, orders are.
    ``lookback`` stands before the settings'. ``orders`` are those from the look-back before the period on, where they
    are read already. The touches are enough for paths to ``others`` as well. Ends the command where there is no such
    rule, or no store."""
    project = assembly.project
    settings = project.touchpoints
    windows = settings.windows if lookback is None else Windows(lookback, settings.windows.shorter)
    since = Instant(max(0, period.since - windows.usual))
    look = partial(read_only, project.database, much=True)
    choice = choice_of(settings, project.tracking, project.currency, machines=machines, arms=arms)
    try:
        if goal is not None:
            with look() as tx:
                known = rules_entered(tx)
            if goal not in known:
                near = nearest(goal, known)
                hint = f"; did you mean {near}?" if near else f"; there are {', '.join(known)}" if known else ""
                fail(f"no rule {goal} was ever published to this store{hint}", USAGE)
        found = orders if orders is not None else read_orders_of(assembly, period, since)
        if goal is not None:
            with Telling("at goals", of="journeys") as tell:
                found = read_goals(look, since, period, [goal], found, project.currency, tell)[goal]
        with Telling("at touches", of="rows") as tell:
            bounds = Bounds(since, period.since, _converted(period, (found, *others)))
            touches = read_touches(look, bounds, Instant(period.until + SKEW), choice, tell)
        with look() as tx:
            deleted = find_deleted(tx, assembly, period.since, since)
    except StoreError as error:
        fail(str(error))
    joined = join(touches, found, period, windows)
    selected = by_currency(touches, found, joined, period)
    return Read(touches=touches, conversions=found, joined=joined, selected=selected, deleted=deleted)


def _converted(period: Period, conversions: Iterable[Conversions]) -> Ints:
    """Customers of the period's conversions. What others met before the period is on no path of it."""
    import numpy as np

    return np.concatenate([one.customers[(one.at >= period.since) & (one.at < period.until)] for one in conversions])


def read_orders_of(assembly: Assembly, period: Period, since: Instant) -> Conversions:
    """The project's orders from ``since`` until the end of a period. Raises StoreError."""
    project = assembly.project
    look = partial(read_only, project.database, much=True)
    with Telling("at orders", of="rows") as tell:
        return read_orders(look, since, period, project.touchpoints.orders, project.currency, tell)


def read_goals_of(assembly: Assembly, period: Period, since: Instant, orders: Conversions) -> dict[str, Conversions]:
    """The goals of all rules from ``since`` until the end of a period. Raises StoreError."""
    project = assembly.project
    look = partial(read_only, project.database, much=True)
    with look() as tx:
        rules = sorted(rules_entered(tx))
    with Telling("at goals", of="journeys") as tell:
        return read_goals(look, since, period, rules, orders, project.currency, tell)


def by_currency(touches: Touches, found: Conversions, joined: Joined, period: Period) -> tuple[Selected, ...]:
    """The paths of each currency, the one with most conversions first."""
    import numpy as np

    within = (found.at >= period.since) & (found.at < period.until)
    counts = np.bincount(found.currencies[within], minlength=len(found.money))
    present = sorted(np.flatnonzero(counts).tolist(), key=lambda place: (-counts[place], found.money[place])) or [0]
    return tuple(select(touches, found, joined, place) for place in present)
