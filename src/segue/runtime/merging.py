"""Two customers who are one: a visitor known by a device alone signs in as somebody who is known already.

They share history and traits from then on. Of two journeys of one rule and value the older goes on, the other exits as
merged. Every journey then looks again, since an order of the one may be what a guard of the other waits for. Whoever
was in a live segment as either of the two still is, unless what they share says otherwise: then that is a change like
any other. Traits that come together are no change of a trait.
"""

from __future__ import annotations

from collections.abc import Collection

from segue.api import Instant
from segue.customers.consent import join_all
from segue.customers.identity import show
from segue.customers.traits import join
from segue.engine.journey import Merged, mint
from segue.runtime.admissions import Cause
from segue.runtime.turn import Turn
from segue.store.arrivals import name_user
from segue.store.customers import CustomerRow, merge_customers
from segue.store.database import Transaction
from segue.store.lookouts import remove_lookouts


def merge(turn: Turn, kept: int, gone: int, now: Instant) -> None:
    """Make the customer ``gone`` part of ``kept``; both are loaded. First what ends on both sides, then what follows
    from the shared history."""
    tx = turn.tx
    people = [turn.people[kept], turn.people[gone]]
    for person in people:
        turn.advance(person, now)
    inside = [
        (journey.entered, journey.row, person)
        for person in people
        for journey in turn.journeys(person).values()
        if journey.state == "inside"
    ]
    older: set[tuple[str, str | None]] = set()
    for _, row, person in sorted(inside, key=lambda one: one[:2]):
        journey = turn.journeys(person).get(row)
        if journey is None or journey.state != "inside":
            continue
        if (journey.rule, journey.value) in older:
            turn.end(person, journey, "merged", now)
        older.add((journey.rule, journey.value))
    watched = dict(turn.lookouts.known_of(people[1])) if turn.lookouts is not None else {}
    turn.flush()
    known, unknown = people[0].row, people[1].row
    mark_arrivals(tx, unknown)
    join(known.traits, known.origins, unknown.traits, unknown.origins)
    known.consent = join_all(known.consent, unknown.consent)
    if turn.running.in_hand is not None:  # what the one said holds for what is claimed for the other
        turn.running.in_hand.stop_customers((kept, gone))
    merge_customers(tx, known, unknown)
    remove_lookouts(tx, [(subject, gone) for subject in watched])
    turn.became[gone] = kept
    moved(turn, (kept, gone))
    person = turn.people[kept]
    for journey in list(turn.journeys(person).values()):
        latest = turn.latest(person, journey)
        if latest.state == "inside":
            turn.feed(person, latest, Merged(), now)
    if turn.carts is not None:
        turn.carts.join(person)
    if turn.lookouts is not None:
        turn.lookouts.join(person, watched, Cause(mint("merged", known.key, unknown.key), now, -1), now)


def moved(turn: Turn, customers: Collection[int]) -> None:
    """The history of customers is another one than it was, and all of it is written: what the turn holds of them is
    brought anew."""
    turn.forget(customers)
    turn.load(customers)


def mark_arrivals(tx: Transaction, customer: CustomerRow) -> None:
    """A customer is about to go by another identifier, or to become part of somebody: what was stored as theirs says by
    itself whose it was."""
    if customer.key[0] == "u":
        name_user(tx, customer.row, show(customer.key))
