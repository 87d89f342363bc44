"""Carts that nobody touched for long enough: a piece of them, in one transaction."""

from __future__ import annotations

from segue.api import Instant
from segue.customers.carts import ABANDONED
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.runtime.wake import Woke
from segue.store import carts as cart_rows
from segue.store.database import Transaction


def abandon_carts(tx: Transaction, running: Running, now: Instant, limit: int = 500) -> Woke:
    """Look at up to ``limit`` of the carts that were due by ``now``, each at the logical moment it was due, in the
    order of these moments."""
    due = cart_rows.load_due(tx, now, limit)
    turn = Turn(tx, running, now)
    turn.load([customer for _, customer in due])
    turn.load_journeys(turn.people)
    begun = running.triggers.get(ABANDONED, ())
    turn.load_history(turn.people, {name for program in begun for name in program.events | program.entry_reads})
    for moment, customer in due:
        turn.advance(turn.people[customer], Instant(moment + 1))
    return Woke(len(due), turn.flush(), cart_rows.next_due(tx))
