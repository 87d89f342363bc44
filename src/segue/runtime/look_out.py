"""What is to be looked at again since time alone may have changed it: a piece of the lookouts, in one transaction."""

from __future__ import annotations

from segue.api import Instant
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.runtime.wake import Woke
from segue.store import lookouts as lookout_rows
from segue.store.database import Transaction


def look_out(tx: Transaction, running: Running, now: Instant, limit: int = 500) -> Woke:
    """Look at up to ``limit`` of what was due by ``now``, each at the logical moment it was due, in the order of these
    moments."""
    due = lookout_rows.load_due(tx, now, limit)
    if not due:
        return Woke(0, Done(()), lookout_rows.next_due(tx))
    turn = Turn(tx, running, now)
    turn.load([customer for _, _, customer in due])
    watched = turn.lookouts.subjects if turn.lookouts is not None else {}
    lost = {(subject, row) for _, subject, row in due if subject not in watched or row not in turn.people}
    if lost:  # of a subject that is being forgotten
        lookout_rows.remove_lookouts(tx, lost)
    found = [(moment, subject, turn.people[row]) for moment, subject, row in due if (subject, row) not in lost]
    names: set[str] = set()
    for subject in {subject for _, subject, _ in found}:
        condition, program = watched[subject].condition, watched[subject].program
        if condition is not None:
            names |= condition.events
        if program is not None:
            names |= program.entry_reads | program.ahead[0]
    turn.load_history(turn.people, names)
    turn.load_journeys([row for row, person in turn.people.items() if person.journeys is None])
    for moment, _, person in found:
        turn.advance(person, Instant(moment + 1))
    return Woke(len(due), turn.flush(), lookout_rows.next_due(tx))
