"""What came under an identifier goes with it, from one customer to another.

An event belongs to whoever its strongest identifier belongs to; where that changes, since another event came late or
since customers were parted, history and traits follow. Journeys and messages stay: what was decided stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from segue.api import Instant
from segue.customers.consent import sum_up
from segue.customers.identity import Rules, identifiers
from segue.customers.traits import Origin, newest, read_traits
from segue.engine.journey import Merged, mint
from segue.runtime.admissions import Cause
from segue.runtime.merging import moved
from segue.runtime.turn import Turn
from segue.store import arrivals as rows
from segue.store.aggregates import forget
from segue.store.arrivals import Arrival
from segue.store.consent import give_statements, load_statements


class Owners(Protocol):
    """Who knows whose an identifier is."""

    def expect(self, keys: Collection[str], links: Collection[tuple[str, str]], /) -> None: ...

    def owner(self, key: str, at: Instant, /) -> int: ...


def identifiers_of(arrival: Arrival, own: str, rules: Rules) -> tuple[str, ...]:
    """The identifiers of an event that is stored with a customer who goes by ``own``."""
    rest = arrival.rest
    user = rest["userId"] if "userId" in rest else own[2:] if own[0] == "u" and "anonymousId" not in rest else None
    return identifiers(
        user,
        rest.get("anonymousId"),
        rest.get("previousId"),
        rest.get("ids", {}),
        rest.get("traits", {}),
        rules.country,
    )


def move_arrivals(turn: Turn, owners: Owners, sources: Collection[int], targets: Collection[int]) -> set[int]:
    """Give the events of customers to whom they belong, and all of them the traits that follow. ``targets`` are those
    whom more may go to. Everything is written before, and after. Gives whom it concerned."""
    tx, rules = turn.tx, turn.running.identity
    turn.load({*sources, *targets})
    found = [
        (arrival, identifiers_of(arrival, turn.people[arrival.customer].row.key, rules))
        for arrival in rows.load_arrivals_of(tx, sources)
    ]
    owners.expect({key for _, keys in found for key in keys}, ())
    moves = {
        arrival.row: owner
        for arrival, keys in found
        if keys and (owner := owners.owner(keys[0], arrival.at)) != arrival.customer
    }
    changed = {arrival.customer for arrival, _ in found if arrival.row in moves} | set(moves.values())
    if not moves:
        return set()
    rows.give_arrivals(tx, moves)
    _give_consent(
        turn, sources, {arrival.message_id: moves[arrival.row] for arrival, _ in found if arrival.row in moves}
    )
    forget(tx, changed)
    _give_traits(turn, changed, {(arrival.at, arrival.message_id) for arrival, _ in found})
    return changed


def _give_consent(turn: Turn, sources: Collection[int], owners: Mapping[str, int]) -> None:
    """What was said in events goes with them, and for whom it was and is, their ledger says what stands."""
    concerned = give_statements(turn.tx, sources, owners)
    turn.load(concerned)
    for row in concerned:
        person = turn.people[row]
        person.row.consent = sum_up(load_statements(turn.tx, row))
        turn.refresh(person)
    if turn.running.in_hand is not None:
        turn.running.in_hand.stop_customers(concerned)


def _give_traits(turn: Turn, customers: Collection[int], said: set[tuple[Instant, str]]) -> None:
    """Have customers the traits that their events brought, and what else is known of them: what rules set, and what
    came with events that are not kept any more."""
    running = turn.running
    turn.load(customers)
    arrivals = rows.load_arrivals_of(turn.tx, customers)
    said |= {(arrival.at, arrival.message_id) for arrival in arrivals}
    for row in customers:
        person = turn.people[row]
        origins = person.row.origins
        entries: list[tuple[dict[str, Any], Origin]] = [
            ({name: person.row.traits.get(name)}, origin)
            for name in person.row.traits.keys() | origins.keys()
            for origin in (origins.get(name, _UNKNOWN),)
            if (origin.at, origin.message_id) not in said
        ]
        entries += [
            (read_traits(arrival.rest["traits"], running.traits, running.identity.country)[0], _origin_of(arrival))
            for arrival in arrivals
            if arrival.customer == row and arrival.rest.get("traits")
        ]
        person.row.traits, person.row.origins = newest(entries)
        turn.refresh(person)
    turn.flush()


_UNKNOWN = Origin(Instant(0), "", "")
"""Where a trait is from that came before origins were kept."""


def _origin_of(arrival: Arrival) -> Origin:
    source = arrival.rest.get("source", arrival.fields.get("source", ""))
    return Origin(arrival.at, arrival.message_id, source if isinstance(source, str) else "")


def look_again(turn: Turn, customers: Collection[int], now: Instant) -> None:
    """The history of customers is another one: their journeys, and whatever is watched, look again."""
    moved(turn, customers)
    for row in sorted(customers):
        person = turn.people[row]
        turn.advance(person, now)
        for journey in list(turn.journeys(person).values()):
            latest = turn.latest(person, journey)
            if latest.state == "inside":
                turn.feed(person, latest, Merged(), now)
        if turn.lookouts is not None:
            turn.lookouts.look_at_all(person, Cause(mint("moved", person.row.key, now), now, -1), now)
