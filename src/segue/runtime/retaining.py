"""Retention: what is older than the project keeps it is deleted, once a day, in pieces.

What something still needs stays, however old: history since the entry of a journey that is live, messages that a limit
may count, or with which anything is to be done. Counts stay: tallies, spending, what arms learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.host.privacy import LEAST, Retention
from segue.language import model as m
from segue.program.calendar import longest
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import retention as rows
from segue.store.database import Transaction
from segue.store.retention import EventCuts, Kept, Lost, Piece

EVERY: Final = DAY
_LOOKED_AT: Final = 100
"""Events of a piece after which customers may have to be looked at again: about 20 ms."""


class Retained(msgspec.Struct, frozen=True):
    """What came of a piece: how many rows were deleted, whether the sweep goes on, and what followed."""

    deleted: int
    going_on: bool
    done: Done = Done(())


def sorts_of(keeping: Retention) -> tuple[str, ...]:
    """What is deleted by age at all."""
    found = [name for name in ("messages", "journeys", "ignored") if getattr(keeping, name) is not None]
    if keeping.events is not None or keeping.messages is not None or any(keeping.by_event.values()):
        found.insert(0, "events")
    return tuple(found)


def due_sorts(tx: Transaction, keeping: Retention, now: Instant) -> list[str]:
    """What is to be swept now: a sweep that was cut off goes on, another begins a day after the last began."""
    known = rows.load_kept(tx)
    return [
        sort
        for sort in sorts_of(keeping)
        if (one := known.get(sort)) is None or one.cursor is not None or one.began + EVERY <= now
    ]


def next_sweep(tx: Transaction, keeping: Retention, now: Instant) -> Instant | None:
    """When there is something to sweep next; None where nothing is deleted by age."""
    known = rows.load_kept(tx)
    moments = [known[sort].began + EVERY if sort in known else now for sort in sorts_of(keeping)]
    return Instant(min(moments)) if moments else None


def retain(tx: Transaction, running: Running, keeping: Retention, sort: str, now: Instant, limit: int) -> Retained:
    """Delete a piece of one sort. Where it has come to is written with that, so that it goes on there after a
    restart."""
    known = rows.load_kept(tx).get(sort, Kept(sort, now))
    if known.cursor is None:
        known = Kept(sort, now, 0, known.ended, known.deleted)
    done = Done(())
    if sort == "events":
        forgetful = _forgetful(running, keeping)
        cuts = _event_cuts(keeping, known.began)
        limit = min(limit, _LOOKED_AT) if forgetful else limit
        (deleted, cursor), lost = rows.sweep_events(tx, known.cursor or 0, cuts, limit)
        done = _look_again(tx, running, forgetful, lost, now)
    else:
        deleted, cursor = _piece(tx, running, keeping, sort, known, limit)
    ended = Instant(now) if cursor is None else known.ended
    rows.put_kept(tx, Kept(sort, known.began, cursor, ended, known.deleted + deleted))
    return Retained(deleted, cursor is not None, done)


def _event_cuts(keeping: Retention, began: Instant) -> EventCuts:
    return EventCuts(
        named={name: _cut(began, span) for name, span in keeping.by_event.items()},
        default=_cut(began, keeping.events),
        reports=_cut(began, keeping.messages),
        recent=Instant(began - LEAST),
    )


def _forgetful(running: Running, keeping: Retention) -> dict[str, frozenset[str]]:
    """By event the segments that look further back than it is kept. Of the others a sweep changes nothing."""
    found: dict[str, frozenset[str]] = {}
    for event, looks in running.beginnings.looks_back.items():
        span = keeping.by_event.get(event, keeping.events)
        if span is not None:
            further = frozenset(name for name, back in looks.items() if back is None or back > span)
            if further:
                found[event] = further
    return found


def _look_again(
    tx: Transaction, running: Running, forgetful: Mapping[str, frozenset[str]], lost: Lost, now: Instant
) -> Done:
    """Who is in a segment is what the history that there is says: look again at those who lost some of it."""
    concerned = {
        customer: sorted(frozenset().union(*(forgetful.get(name, ()) for name in names)))
        for customer, names in lost.items()
        if not names.isdisjoint(forgetful)
    }
    if not concerned:
        return Done(())
    turn = Turn(tx, running, now)
    turn.load(concerned)
    if turn.lookouts is not None:
        for customer, segments in concerned.items():
            person = turn.people[customer]
            turn.advance(person, now)
            turn.lookouts.look_silently(person, segments, now)
    return turn.flush()


def _piece(tx: Transaction, running: Running, keeping: Retention, sort: str, known: Kept, limit: int) -> Piece:
    began, cursor = known.began, known.cursor or 0
    counted = Instant(began - _longest_window(running))
    match sort:
        case "messages":
            return rows.sweep_messages(tx, cursor, _before(began, keeping.messages), counted, limit)
        case "journeys":
            return rows.sweep_journeys(tx, cursor, _before(began, keeping.journeys), counted, limit)
        case _:
            return rows.sweep_ignored(tx, cursor, _before(began, keeping.ignored), limit)


def _cut(now: Instant, span: int | None) -> Instant | None:
    return Instant(now - span) if span is not None else None


def _before(now: Instant, span: int | None) -> Instant:
    """The same of a sort that is swept; nothing is older than the beginning of time."""
    return Instant(now - span) if span is not None else Instant(-(2**62))


def _longest_window(running: Running) -> int:
    """How far back the contact policies count messages, and a day more."""
    spans = [
        longest(line.per if isinstance(line, m.Limit) else line.period)
        for policy in running.policies.values()
        for line in policy.lines
        if isinstance(line, m.Limit | m.Space)
    ]
    return max(spans, default=0) + DAY
