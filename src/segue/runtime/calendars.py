"""The moments of recurring and dated triggers: the next one of each rule in each zone.

Where a rule says ``local``, every zone that a customer lives in has moments of its own, and so has the project's, for
customers whose zone is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from segue.api import Instant
from segue.engine.occasions import next_occasion
from segue.language import model as m
from segue.program.calendar import find_zone
from segue.program.program import Program
from segue.runtime.beginnings import trigger_digest, zone_written
from segue.runtime.running import Running
from segue.store import schedules as schedule_rows
from segue.store.database import Transaction
from segue.store.schedules import Schedule


def arrange_calendar(tx: Transaction, running: Running) -> None:
    """Have the store know the moments of the book that runs. What was known of an unchanged trigger stays."""
    known = {(one.rule, one.zone): one for one in schedule_rows.load_schedules(tx)}
    wanted = dict.fromkeys(
        (name, zone)
        for name, program in running.beginnings.schedules.items()
        for zone in ([""] if zone_written(program) is not None else ["", *schedule_rows.customer_zones(tx)])
    )
    schedule_rows.remove_schedules(tx, [one for place, one in known.items() if place not in wanted])
    fresh = []
    for name, zone in wanted:
        program = running.beginnings.schedules[name]
        digest = trigger_digest(program)
        before = known.get((name, zone))
        if before is None or before.definition != digest:
            fresh.append(Schedule(name, zone, digest, next_moment(running, program, zone, running.published)))
    schedule_rows.put_schedules(tx, fresh)


def add_zones(tx: Transaction, running: Running, zones: Iterable[str], now: Instant) -> Instant | None:
    """Customers live in these zones now: a zone that is new has its moments from now on, this very one included, as
    for everyone who arrives at it. The first of them."""
    new = sorted(set(zones) - schedule_rows.scheduled_zones(tx))
    schedules = [
        Schedule(program.name, zone, trigger_digest(program), next_moment(running, program, zone, Instant(now - 1)))
        for zone in new
        for program in running.beginnings.local
    ]
    if schedules:
        schedule_rows.put_schedules(tx, schedules)
    return min((one.due for one in schedules if one.due is not None), default=None)


def next_moment(running: Running, program: Program, zone: str, after: Instant) -> Instant | None:
    """When the calendar of a program comes to its next moment in a zone (empty: the project's)."""
    trigger = program.rule.trigger
    if not isinstance(trigger, m.OnSchedule | m.OnDate):
        return None
    due = next_occasion(trigger, _place(running, program, zone), after)
    recurs, until = isinstance(trigger, m.OnSchedule), running.recurs_until
    return None if due is not None and recurs and until is not None and due > until else due


def _place(running: Running, program: Program, zone: str) -> tzinfo:
    written = zone_written(program)
    return (find_zone(written or zone) if written or zone else None) or running.zone
