"""What can be told of a segment: who is in it, what it was on past days, and why one customer is in it or out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.customers.identity import show
from segue.program.calendar import at_wall, local
from segue.program.facts import Scene
from segue.program.horizon import next_change
from segue.program.parts import Part, take_apart
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.crossings import Crossings, count_customers, count_members, load_crossings
from segue.store.customers import load_customers
from segue.store.database import Transaction, read_only
from segue.store.history import first_moment
from segue.store.lookouts import load_watches

_PIECE: Final = 5_000


class Kept(msgspec.Struct, frozen=True):
    """Of a segment whose members are kept: how many they are, whether every customer has been looked at, and the
    changes noticed by day."""

    members: int
    complete: bool
    since: Instant
    crossings: tuple[Crossings, ...]


class Reason(msgspec.Struct, frozen=True):
    """Why a customer is in a segment or out of it, and when time alone may change that (None: never)."""

    customer: str
    member: bool
    part: Part
    due: Instant | None


def load_kept(tx: Transaction, running: Running, name: str, since: str) -> Kept | None:
    """What is kept of a segment's members; None where nothing is to be."""
    subject = running.beginnings.watched.get(name)
    if subject is None:
        return None
    watch = load_watches(tx).get(name)
    if watch is None or watch.definition != subject.definition:  # it was published and nobody has run it since
        return Kept(0, False, running.published, ())
    return Kept(count_members(tx, name), watch.complete, watch.at, tuple(load_crossings(tx, name, since)))


def asked_by(running: Running, name: str) -> tuple[str, ...]:
    """The rules for whose sake the members of a segment are kept."""
    begun = {
        program.name
        for (_, segment), among in running.beginnings.memberships.items()
        if segment == name
        for program in among
    }
    watching = {running.programs[content].name for content, named in running.beginnings.names.items() if name in named}
    return tuple(sorted(begun | watching))


def midnights(now: Instant, zone: tzinfo, days: int, first: Instant | None) -> tuple[Instant, ...]:
    """The beginning of today and of so many days before it, of those since history begins."""
    today = local(now, zone).date()
    moments = (at_wall(today - timedelta(days=back), 0, zone) for back in range(days, -1, -1))
    return tuple(moment for moment in moments if first is not None and first <= moment <= now)


def look_around(tx: Transaction) -> tuple[int, Instant | None]:
    """How many customers there are, and when history begins."""
    return count_customers(tx), first_moment(tx)


def explain_membership(tx: Transaction, running: Running, name: str, customer: int, now: Instant) -> Reason:
    """Why a customer is in a segment or out of it."""
    turn = Turn(tx, running, now)
    turn.load((customer,))
    facts = turn.people[customer].facts
    condition = running.segments[name].condition
    part = take_apart(condition, Scene(facts, now), running.segments)
    return Reason(facts.key, part.holds, part, next_change(condition, facts, now, running.segments))


def read_members(path: Path, members: Sequence[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The members of a segment by their number: the id of each, and the traits. In pieces, each a look of its own."""
    for start in range(0, len(members), _PIECE):
        with read_only(path) as tx:
            found = load_customers(tx, members[start : start + _PIECE])
        for number in members[start : start + _PIECE]:
            if number in found:  # who was erased meanwhile is left out
                yield show(found[number].key), found[number].traits
