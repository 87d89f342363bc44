"""Waits that are over: a piece of the due table, in one transaction."""

from __future__ import annotations

import heapq

import msgspec

from segue.api import Instant
from segue.engine.journey import Journey, Woken
from segue.runtime.people import Person
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import journeys as journey_rows
from segue.store.database import Transaction


class Woke(msgspec.Struct, frozen=True):
    """What came of one piece: how many waits ended, what was done, and when the next wait is due (None: none)."""

    fired: int
    done: Done
    next_due: Instant | None


def wake(tx: Transaction, running: Running, now: Instant, limit: int = 1000) -> Woke:
    """End up to ``limit`` waits that were due by ``now``, each at the logical moment it was due, in the order of these
    moments. Where the loop was late, a wait may begin and be over in between, also one of a journey that another one's
    step began: it has its turn in that order too."""
    due = journey_rows.load_due(tx, now, limit)
    if not due:
        return Woke(0, Done(()), journey_rows.next_due(tx))
    turn = Turn(tx, running, now)
    turn.load([customer for customer, _ in due])
    turn.load_ahead(journey for _, journey in due)
    queue = [
        (journey.due, number, customer, journey)
        for number, (customer, journey) in enumerate(due)
        if journey.due is not None
    ]
    heapq.heapify(queue)
    # Beyond the last one of a full piece lie waits that were not loaded, and may be earlier than what begins here.
    until = now if len(due) < limit else due[-1][1].due or now
    fired, number = 0, len(queue)
    while queue and fired < 4 * limit:
        moment, _, customer, journey = heapq.heappop(queue)
        fired += end_wait(turn, turn.people[customer], journey, moment)
        for overdue, one, begun in turn.overdue:
            if overdue <= until:
                number += 1
                heapq.heappush(queue, (overdue, number, one, begun))
        turn.overdue.clear()
    done = turn.flush()
    return Woke(fired, done, journey_rows.next_due(tx))


def end_wait(turn: Turn, person: Person, journey: Journey, moment: Instant) -> bool:
    """The moment came at which a wait of the journey was to end. False where this very turn ended it, or moved it."""
    turn.look_out_until(person, moment)
    journey = turn.taken_over(person, turn.latest(person, journey), moment)
    if journey.due != moment:
        return False
    turn.feed(person, journey, Woken(), moment)
    return True
