"""Two customers who are one: a visitor known by a device alone signs in as somebody who is known already.

They share history and traits from then on. Of two journeys of one rule and value the older goes on, the other exits as
merged. Every journey then looks again, since an order of the one may be what a guard of the other waits for. Whoever
was in a live segment as either of the two still is, unless what they share says otherwise: then that is a change like
any other. Traits that come together are no change of a trait.
"""

from __future__ import annotations

from segue.api import Instant
from segue.customers.reach import merge_consent
from segue.engine.journey import Merged, mint
from segue.runtime.admissions import Cause
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store.customers import merge_customers
from segue.store.database import Transaction
from segue.store.lookouts import remove_lookouts


def merge(tx: Transaction, running: Running, kept: int, gone: int, now: Instant) -> tuple[Done, Done]:
    """Make the customer ``gone`` part of ``kept``. Gives what ended on both sides, and what followed from the shared
    history."""
    apart = Turn(tx, running, now)
    apart.load((kept, gone))
    people = [apart.people[kept], apart.people[gone]]
    for person in people:
        apart.advance(person, now)
    inside = [
        (journey.entered, journey.row, person)
        for person in people
        for journey in apart.journeys(person).values()
        if journey.state == "inside"
    ]
    older: set[tuple[str, str | None]] = set()
    for _, row, person in sorted(inside, key=lambda one: one[:2]):
        journey = apart.journeys(person).get(row)
        if journey is None or journey.state != "inside":
            continue
        if (journey.rule, journey.value) in older:
            apart.end(person, journey, "merged", now)
        older.add((journey.rule, journey.value))
    watched = dict(apart.lookouts.known_of(people[1])) if apart.lookouts is not None else {}
    ended = apart.flush()
    known, unknown = people[0].row, people[1].row
    known.traits = {**unknown.traits, **known.traits}
    known.consent = merge_consent(known.consent, unknown.consent)
    merge_customers(tx, known, unknown)
    remove_lookouts(tx, [(subject, gone) for subject in watched])
    together = Turn(tx, running, now)
    together.load((kept,))
    person = together.people[kept]
    for journey in list(together.journeys(person).values()):
        latest = together.latest(person, journey)
        if latest.state == "inside":
            together.feed(person, latest, Merged(), now)
    if together.lookouts is not None:
        together.lookouts.join(person, watched, Cause(mint("merged", known.key, unknown.key), now, -1), now)
    return ended, together.flush()


def join(dones: list[Done]) -> Done:
    """Several pieces of one transaction as one."""
    if len(dones) == 1:
        return dones[0]
    return Done(
        lines=tuple(line for done in dones for line in done.lines),
        due=min((done.due for done in dones if done.due is not None), default=None),
        channels=frozenset().union(*(done.channels for done in dones)),
    )
