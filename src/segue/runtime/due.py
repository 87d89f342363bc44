"""All that comes by time, in the order in which it does: abandoned carts, looks at what is watched, moments of the
calendar, waits."""

from __future__ import annotations

import msgspec

from segue.api import Instant
from segue.language import model as m
from segue.runtime.abandon import abandon_carts
from segue.runtime.fan_out import fan_out
from segue.runtime.look_out import look_out
from segue.runtime.running import YEAR, Running
from segue.runtime.turn import Done
from segue.runtime.wake import Woke, wake
from segue.store import carts as cart_rows
from segue.store import journeys as journey_rows
from segue.store import lookouts as lookout_rows
from segue.store import schedules as schedule_rows
from segue.store.database import Transaction


def next_due(tx: Transaction, running: Running) -> Instant | None:
    """When something comes by time next."""
    return min((due for due in _moments(tx, running) if due is not None), default=None)


def _moments(
    tx: Transaction, running: Running
) -> tuple[Instant | None, Instant | None, Instant | None, Instant | None]:
    return (
        cart_rows.next_due(tx) if running.carts else None,
        lookout_rows.next_due(tx) if running.beginnings.watched else None,
        schedule_rows.next_due(tx) if running.beginnings.schedules else None,
        journey_rows.next_due(tx),
    )


def pass_time(tx: Transaction, running: Running, now: Instant, limit: int = 1000) -> Woke:
    """Do a piece of what was due by ``now``, of the kind that was due first. At one moment carts are
    abandoned first, then customers go into and out of segments, then the calendar lets some enter, then waits end."""
    if not running.beginnings.watched and not running.beginnings.schedules and not running.carts:
        return wake(tx, running, now, limit)
    carts, looks, calendar, waits = _moments(tx, running)
    first = min((due for due in (carts, looks, calendar, waits) if due is not None), default=None)
    if first is None or first > now:
        return Woke(0, Done(()), first)
    if carts == first:
        woke = abandon_carts(tx, running, now, limit)
    elif looks == first:
        woke = look_out(tx, running, now, limit)
    elif calendar == first:
        woke = fan_out(tx, running, now, limit)
    else:
        woke = wake(tx, running, now, limit)
    return msgspec.structs.replace(woke, next_due=next_due(tx, running))


def end_recurrence(tx: Transaction, running: Running) -> Instant | None:
    """From now on nothing recurs after ``running.recurs_until``: forget what was awaited beyond it.
    When something comes next."""
    until = running.recurs_until
    if until is None:
        return next_due(tx, running)
    for name, subject in running.beginnings.watched.items():
        if subject.condition is not None or subject.recurs:
            lookout_rows.stop_after(tx, name, Instant(until + YEAR) if subject.condition is not None else until)
    for name, program in running.beginnings.schedules.items():
        if isinstance(program.rule.trigger, m.OnSchedule):
            schedule_rows.stop_after(tx, name, until)
    return next_due(tx, running)


def postpone_first(tx: Transaction, running: Running, now: Instant, until: Instant) -> str:
    """What is due first cannot be done: have it wait until another moment, or, of a moment of the calendar, pass over
    the customer whose turn it is. Says what it was; empty where nothing is due."""
    moments = carts, looks, calendar, _ = _moments(tx, running)
    first = min((due for due in moments if due is not None and due <= now), default=None)
    if first is None:
        return ""
    if carts == first:
        return cart_rows.postpone_earliest(tx, now, until)
    if looks == first:
        return lookout_rows.postpone_earliest(tx, now, until)
    if calendar == first:
        return schedule_rows.pass_over_one(tx, now)
    return journey_rows.postpone_earliest(tx, now, until)
