"""What a publication leaves to do for those whom it concerns, in pieces, each in one transaction.

Customers inside a removed rule exit; those inside a rule that follows its edits are taken over by its new text;
whoever existed when something began to be watched is looked at once, silently; and long histories are counted for what
the book asks of them that nothing is kept of yet. What is left is asked of the store, so
that the work goes on after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, assert_never

import msgspec

from segue.api import Instant
from segue.engine.journey import Journey
from segue.runtime.long_history import MOST_SCANNED, count_anew
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import aggregates as aggregate_rows
from segue.store import journeys as journey_rows
from segue.store import lookouts as lookout_rows
from segue.store.aggregates import ALL
from segue.store.database import Transaction
from segue.store.lookouts import Watch
from segue.store.schedules import load_customers_in, newest_customer

if TYPE_CHECKING:
    from segue.runtime.rebuilding import Ahead, Rebuilder

REMOVED = "the rule was removed"
"""Why everyone exits who was inside a rule that is not in the book any more."""


class Chore(msgspec.Struct, frozen=True):
    """One thing to do: ``names`` are hashes of programs, the subject (or all segments that began to be watched together
    and have come equally far), the event, or the number of an aggregate; ``after`` is how far it came."""

    what: Literal["expel", "follow", "forget", "look", "count", "drop"]
    names: tuple[str, ...]
    after: int = 0


class Swept(msgspec.Struct, frozen=True):
    """What came of a piece. ``left`` is the rest of the chore, None where it is done; ``ahead`` what was found ahead of
    it and is not written yet."""

    done: Done
    left: Chore | None
    ahead: Ahead | None = None


def chores(tx: Transaction, running: Running) -> tuple[Chore, ...]:
    """What there is to do."""
    inside = journey_rows.programs_inside(tx)
    gone = tuple(sorted(content for content, rule in inside.items() if rule not in running.current))
    old = tuple(sorted(inside.keys() & running.superseded.keys()))
    found = [Chore(what, names) for what, names in (("expel", gone), ("follow", old)) if names]  # type: ignore[arg-type]
    together: dict[tuple[Instant, int, int, str], list[str]] = {}
    for watch in lookout_rows.load_watches(tx).values():
        if not watch.definition:
            found.append(Chore("forget", (watch.subject,)))
        elif not watch.complete:
            subject = running.beginnings.watched.get(watch.subject)
            apart = "" if subject is not None and subject.condition is not None else watch.subject
            together.setdefault((watch.at, watch.cursor, watch.last, apart), []).append(watch.subject)
    found += [Chore("look", tuple(names)) for names in together.values()]
    events: set[str] = set()
    for one in aggregate_rows.load_aggregates(tx):
        if one.digest is None:
            found.append(Chore("drop", (str(one.number),)))
        elif one.cursor < one.last:
            events.add(one.event)
    found += [Chore("count", (event,)) for event in sorted(events)]
    return tuple(found)


def sweep(
    tx: Transaction, running: Running, chore: Chore, now: Instant, limit: int = 500, ahead: Ahead | None = None
) -> Swept:
    """A piece of a chore; ``ahead`` is what a `Pioneer` found for it."""
    match chore.what:
        case "expel" | "follow":
            return _move(tx, running, chore, now, limit)
        case "forget":
            gone = lookout_rows.forget(tx, chore.names[0], limit * 4)
            return Swept(Done(()), None if gone else chore)
        case "look":
            return _look(tx, running, chore, now, limit, ahead)
        case "count":
            return Swept(Done(()), _count(tx, running, chore, limit))
        case "drop":
            dropped = aggregate_rows.drop(tx, int(chore.names[0]), limit * 4)
            return Swept(Done(()), None if dropped else chore)
        case _:
            assert_never(chore.what)


def _move(tx: Transaction, running: Running, chore: Chore, now: Instant, limit: int) -> Swept:
    found = journey_rows.load_inside(tx, chore.names, chore.after, limit)
    turn = Turn(tx, running, now)
    turn.load([customer for customer, _ in found])
    turn.load_journeys([row for row, person in turn.people.items() if person.journeys is None])
    turn.load_ahead(journey for _, journey in found)
    for customer, journey in found:
        person = turn.people[customer]
        turn.advance(person, now)  # also takes over what an edit concerns
        latest: Journey = turn.latest(person, journey)
        if chore.what == "expel" and latest.state == "inside":
            turn.end(person, latest, REMOVED, now)
    done = turn.flush()
    return Swept(done, Chore(chore.what, chore.names, found[-1][0]) if found else None)


def _look(tx: Transaction, running: Running, chore: Chore, now: Instant, limit: int, ahead: Ahead | None) -> Swept:
    if _of_segments(running, chore):
        from segue.runtime.rebuilding import look_at_segments  # numpy loads here, where there are customers to look at

        piece = look_at_segments(tx, running, chore.names, ahead, now, limit)
        return Swept(piece.done, None if piece.complete else chore, piece.ahead)
    watch = lookout_rows.load_watches(tx).get(chore.names[0])
    if watch is None or watch.complete:
        return Swept(Done(()), None)
    rows, more = load_customers_in(tx, None, watch.cursor, watch.last, limit)
    turn = Turn(tx, running, now)
    turn.load(rows)
    if turn.lookouts is None or watch.subject not in turn.lookouts.subjects:
        return Swept(turn.flush(), None)
    for row in rows:
        turn.lookouts.settle(turn.people[row], watch.subject)
    cursor = more if more is not None else watch.last
    turn.lookouts.cover(watch.subject, cursor)
    done = turn.flush()
    lookout_rows.put_watches(tx, [msgspec.structs.replace(watch, cursor=cursor)])
    return Swept(done, chore if cursor < watch.last else None)


def _of_segments(running: Running, chore: Chore) -> bool:
    """Whether a look is at segments, and not at a date of the customers."""
    subjects = running.beginnings.watched
    return all(name in subjects and subjects[name].condition is not None for name in chore.names)


class Pioneer:
    """Finds out beside the writer what a look at all customers comes to, for a store on disk; in memory the writer does
    that itself."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rebuilder: Rebuilder | None = None

    def look_ahead(self, running: Running, chore: Chore, ahead: Ahead | None) -> Ahead | None:
        """What the next piece of a chore may go by: what is left of the last look, else a new one. Takes up to a
        second, in which nobody waits for the writer."""
        if ahead is not None or self._path is None or chore.what != "look" or not _of_segments(running, chore):
            return ahead
        from segue.runtime.rebuilding import Rebuilder

        known = self._rebuilder
        if known is None or known.running is not running or known.names != chore.names:
            known = self._rebuilder = Rebuilder(running, chore.names)
        return known.look_ahead(self._path)


def _count(tx: Transaction, running: Running, chore: Chore, limit: int) -> Chore | None:
    """Count the long histories of an event for what nothing is kept of yet: of as many customers as have about so many
    events as a piece of another chore has customers."""
    (event,) = chore.names
    open_ = [one for one in aggregate_rows.load_aggregates(tx) if one.event == event and one.digest is not None]
    cursor, last = min((one.cursor for one in open_), default=0), max((one.last for one in open_), default=0)
    customers = aggregate_rows.find_long(tx, event, cursor, last, max(1, limit // (2 * MOST_SCANNED)))
    known = aggregate_rows.numbers(tx)
    kept = [one for one in running.kept.get(event, ()) if one.digest in known]
    counted = aggregate_rows.load_buckets(tx, [known[one.digest] for one in kept], customers, ALL, ALL)
    for row in customers:
        missing = [one for one in kept if (known[one.digest], row, ALL) not in counted]
        if missing:
            count_anew(tx, row, event, missing)
    aggregate_rows.cover(tx, event, customers[-1] if customers else last)
    return chore if customers else None


def arrange_aggregates(tx: Transaction, running: Running) -> None:
    """Have the store know what is to be kept of long histories. What is asked for the first time is counted as of now;
    what nobody asks any more is dropped."""
    wanted = {one.digest: event for event, asked in running.kept.items() for one in asked}
    aggregate_rows.arrange(tx, wanted, newest_customer(tx))


async def do_chore(
    chore: Chore,
    pioneer: Pioneer,
    running: Callable[[], Running],
    now: Callable[[], Instant],
    write: Callable[[Callable[[Transaction], Swept]], Awaitable[Swept]],
    tell: Callable[[Done], bool],
) -> None:
    """Do a chore beside other work, piece by piece. ``write`` runs a job in one of the writer's next transactions;
    ``tell`` is told what was done, and says whether to go on: if not, the rest is done after the next start."""
    swept = Swept(Done(()), chore)
    while (left := swept.left) is not None:
        ahead = await asyncio.to_thread(pioneer.look_ahead, running(), left, swept.ahead)

        def job(tx: Transaction, left: Chore = left, ahead: Ahead | None = ahead) -> Swept:
            return sweep(tx, running(), left, now(), ahead=ahead)

        swept = await write(job)
        if not tell(swept.done):
            return


def arrange_watches(tx: Transaction, running: Running) -> None:
    """Have the store know what is watched. A subject that is new, or means something else now, is watched as of the
    publication."""
    newest = newest_customer(tx)
    known = lookout_rows.load_watches(tx)
    watched = running.beginnings.watched
    changed = [
        Watch(name, subject.definition, running.published, 0, newest)
        for name, subject in watched.items()
        if name not in known or known[name].definition != subject.definition
    ]
    dropped = [msgspec.structs.replace(watch, definition="") for name, watch in known.items() if name not in watched]
    lookout_rows.put_watches(tx, changed + dropped)
