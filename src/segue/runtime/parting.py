"""Parting identifiers that were found to be one customer's and are not: by hand, and for good.

The identifier goes, and with it whatever belongs to the customer only by way of it; what came under them goes along
(`segue.runtime.moving`). That the two are not one is kept beside the links, and counts like them: no event makes one of
them again.
"""

from __future__ import annotations

from collections.abc import Collection

from segue.api import Instant
from segue.customers.identity import Link
from segue.runtime.identifying import Identities
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import identity as rows
from segue.store.database import Transaction


def part(tx: Transaction, running: Running, key: str, now: Instant) -> Done:
    """Give an identifier a customer of its own. Nothing happens where it is one that its customer goes by: who is to
    keep what is then said by parting another."""
    turn = Turn(tx, running, now)
    found, _ = rows.find_customers(tx, (key,))
    if key in found:
        members = rows.identifiers_of(tx, found[key])
        if members[0] != key:
            rest = staying(key, members, rows.load_links(tx, members))
            rows.put_partings(tx, key, rest, now)
            Identities(turn).settle(members, now)
    return turn.flush()


def staying(key: str, members: Collection[str], links: Collection[Link]) -> set[str]:
    """Those identifiers of a customer from which one is parted: all but what belongs to them only by way of it. The
    first of ``members`` is the one that the customer goes by."""
    own = next(iter(members))
    near: dict[str, set[str]] = {member: set() for member in members}
    for link in links:
        if link.key in near and link.other in near:
            near[link.key].add(link.other)
            near[link.other].add(link.key)
    reached, frontier = {own}, [own]
    while frontier:
        for member in near[frontier.pop()] - reached - {key}:
            reached.add(member)
            frontier.append(member)
    return reached


def carry_out(tx: Transaction, running: Running, now: Instant) -> list[Done]:
    """Part what was asked for beside the daemon."""
    done = []
    for number, key in rows.wanted_partings(tx):
        done.append(part(tx, running, key, now))
        rows.parting_done(tx, number)
    return done
