"""The customers who enter when a moment of the calendar comes.

They do so in pieces. A piece's journeys and how far it came are written in one transaction, so that a crash in the
middle neither loses a customer nor asks one twice.
"""

from __future__ import annotations

from segue.api import Instant
from segue.engine.journey import mint
from segue.program.program import Program
from segue.runtime.admissions import MISSED, Cause, occasion
from segue.runtime.beginnings import zone_written
from segue.runtime.calendars import next_moment
from segue.runtime.lookouts import mint_moment
from segue.runtime.running import DecisionLine, Running
from segue.runtime.turn import Done, Turn
from segue.runtime.wake import Woke
from segue.store import schedules as schedule_rows
from segue.store.database import Transaction
from segue.store.schedules import Schedule

PIECE = 500
"""Customers who enter in one transaction."""


def fan_out(tx: Transaction, running: Running, now: Instant, limit: int = PIECE) -> Woke:
    """A piece of the customers whom the earliest moment that has come lets enter, each at that moment."""
    return let_enter(Turn(tx, running, now), limit)


def let_enter(turn: Turn, limit: int = PIECE) -> Woke:
    """The same in a turn that has done nothing so far."""
    tx, running, now = turn.tx, turn.running, turn.now
    schedule = schedule_rows.load_due(tx, now)
    if schedule is None:
        return Woke(0, Done(()), schedule_rows.next_due(tx))
    program = running.beginnings.schedules.get(schedule.rule)
    if program is None or schedule.due is None:
        schedule_rows.remove_schedules(tx, [schedule])
        return Woke(0, turn.flush(), schedule_rows.next_due(tx))
    moment, asked = schedule.due, 0
    if schedule.last is None and now - moment > running.stale:
        _miss(turn, program, schedule, moment)
        after: int | None = None
        last = 0
    else:
        zone = None if zone_written(program) is not None else schedule.zone
        last = schedule.last if schedule.last is not None else schedule_rows.newest_customer(tx)
        rows, after = schedule_rows.load_customers_in(tx, zone, schedule.cursor, last, limit)
        asked = len(rows)
        _let_enter(turn, program, rows, moment)
    if after is None:
        due = next_moment(running, program, schedule.zone, moment)
        moved = Schedule(schedule.rule, schedule.zone, schedule.definition, due)
    else:
        moved = Schedule(schedule.rule, schedule.zone, schedule.definition, moment, after, last)
    done = turn.flush()
    schedule_rows.put_schedules(tx, [moved])
    return Woke(asked, done, schedule_rows.next_due(tx))


def _let_enter(turn: Turn, program: Program, rows: list[int], moment: Instant) -> None:
    turn.load(rows)
    turn.load_journeys([row for row in rows if turn.people[row].journeys is None])
    turn.load_history(rows, program.entry_reads | program.ahead[0])
    for row in rows:
        person = turn.people[row]
        turn.advance(person, moment)
        cause = Cause(mint_moment(person, moment), moment, -1)
        turn.admissions.admit(person, program, occasion(cause, program.name), moment, 0)


def _miss(turn: Turn, program: Program, schedule: Schedule, moment: Instant) -> None:
    """Nobody enters at a moment that was found too late; it is recorded once, for no customer."""
    turn.tally[program.name, "ignored", MISSED] += 1
    key = mint("ignored", program.name, schedule.zone, moment)
    turn.lines.append(DecisionLine(moment, "", program.name, key, "ignored", reason=MISSED))
