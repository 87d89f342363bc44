"""Journeys as they went, from rows of the store: what funnels are counted from.

A million journeys have some millions of messages, of few sorts. What tells the sorts apart is looked at once for each;
of a message itself only when it went, and what was done with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from segue.delivery.ledger import MessageState
from segue.engine.journey import mint
from segue.measure.funnels.courses import CLICKED, DEEDS, DELIVERED, FATES, OPENED, Contact, Course, Sort, Version
from segue.measure.funnels.reasons import Reasons, alike, told
from segue.program import program as p

_MOST_SORTS: Final = 50_000
"""Sorts of messages that are remembered as they stand in the ledger, where reasons name what was in the way."""
_TOLD: Final = frozenset({MessageState.SKIPPED, MessageState.FAILED, MessageState.UNDELIVERED, MessageState.UNKNOWN})
"""States of messages whose reason says why they did not arrive."""

Row = tuple[Any, ...]
Judged = tuple[int, int]
"""What persons did with a message by its hits, and what machines did, in bits."""


class _Trace(msgspec.Struct, array_like=True, gc=False):
    at: int
    step: int
    outcome: str = ""


class _Reaction(msgspec.Struct, array_like=True, gc=False):
    what: str
    channel: str
    message: str
    at: int
    key: str = ""


class _Sending(msgspec.Struct, array_like=True, gc=False):
    key: str
    step: int


class _Detail(msgspec.Struct, array_like=True):
    """The first parts of what `segue.store.journeys` writes, and no more of each than is needed here."""

    sends: tuple[_Sending, ...] = ()
    reactions: tuple[_Reaction, ...] = ()
    trace: tuple[_Trace, ...] = ()
    choices: msgspec.Raw = msgspec.Raw(b"")
    turns: msgspec.Raw = msgspec.Raw(b"")
    holdout: bool = False


_decode: Final = msgspec.msgpack.Decoder(_Detail).decode
_NOTHING: Final = _Detail()
_CONFIRMED: Final = int(MessageState.CONFIRMED)


class CourseReader:
    """Reads journeys of some versions, each with its messages.

    A journey is a row of id, program, customer, entered, state, step, ended, reason, goal_until, converted, detail,
    order and key. A message is one of journey, id, key, channel, message, state, reason, handed and template."""

    def __init__(self, versions: Mapping[int, Version]) -> None:
        self._of = {row: _Sorting(version) for row, version in versions.items()}
        self._reasons: dict[str, str] = {}

    def read(self, journeys: Sequence[Row], messages: Sequence[Row], hits: Sequence[Row]) -> Iterator[Course]:
        """Journeys in the order of their numbers, with their messages in the same order. Hits say of a message what was
        done, whether by a person, and whether by a machine."""
        judged = _judged(hits)
        place, count = 0, len(messages)
        for row in journeys:
            number, program, customer, entered, state, step, ended, reason, until, converted, packed, order, key = row
            detail = _decode(packed) if packed is not None else _NOTHING
            sorting = self._of[program]
            contacts: list[Contact] = []
            while place < count and messages[place][0] < number:  # of a journey that is not asked for
                place += 1
            if place < count and messages[place][0] == number:
                first = place
                while place < count and messages[place][0] == number:
                    place += 1
                self._read_messages(contacts, messages[first:place], judged, sorting, _Way(key, detail, step))
            yield Course(
                program,
                customer,
                entered,
                state,
                step,
                ended,
                self._alike(reason) if reason else "",
                until,
                converted,
                detail.holdout,
                tuple([(one.step, one.outcome) for one in detail.trace if one.step >= 0]),
                contacts,
                sorting.since is not None and entered < sorting.since and sorting.moved(order),
            )

    def _read_messages(
        self,
        contacts: list[Contact],
        messages: Sequence[Row],
        judged: Mapping[int, Judged],
        sorting: _Sorting,
        way: _Way,
    ) -> None:
        """The messages of one journey."""
        deeds: dict[str, int] = {}
        for reaction in way.detail.reactions:
            if (bit := DEEDS.get(reaction.what)) is not None:
                deeds[reaction.key] = deeds.get(reaction.key, 0) | bit
        known = sorting.known
        for _, number, raw, channel, name, state, reason, handed, template in messages:
            place = (channel, name, state, reason, template)
            sort = known.get(place) or sorting.find(place, raw.hex(), way)
            persons = deeds.get(raw.hex(), 0) if deeds else 0
            machines = 0
            if judged and number in judged:
                people, machines = judged[number]
                # Rules were told of one that turned out to be a machine's only later.
                persons = (persons & ~(machines & (OPENED | CLICKED))) | people
            if state == _CONFIRMED:
                persons |= DELIVERED
            contacts.append(Contact(sort, handed, persons, machines))

    def _alike(self, reason: str) -> str:
        found = self._reasons.get(reason)
        if found is None:
            if len(self._reasons) >= _MOST_SORTS:
                self._reasons.clear()
            found = self._reasons[reason] = alike(reason)
        return found


def _judged(hits: Sequence[Row]) -> dict[int, Judged]:
    found: dict[int, Judged] = {}
    for message, what, persons, machines in hits:
        bit = DEEDS.get(what, 0)
        before = found.get(message, (0, 0))
        found[message] = before[0] | bit * persons, before[1] | bit * machines
    return found


class _Way(msgspec.Struct):
    """What tells the step of a message: the journey's key, its trace, and the step ``at`` which it is."""

    key: bytes
    detail: _Detail
    at: int


class _Sorting:
    """The sorts of messages of a version. ``since`` is when it was published, where that is known; ``known`` are the
    sorts by what stands in the ledger, of messages that one step alone sends."""

    def __init__(self, version: Version) -> None:
        self.since = version.published
        self.known: dict[tuple[str, str, int, str | None, str | None], Sort] = {}
        self._arrivals = version.arrivals
        self._steps = version.program.steps
        self._sending: dict[tuple[str | None, str], list[int]] = {}
        self._sorts: dict[tuple[Any, ...], Sort] = {}
        self._reasons = Reasons()
        for number, step in enumerate(self._steps):
            if isinstance(step, p.Send):
                for place in {(one.channel, one.message) for group in step.together for one in group}:
                    self._sending.setdefault(place, []).append(number)

    def moved(self, order: int) -> bool:
        """Whether a journey that began, by its event's own time, before this version was published began with another:
        not where its event arrived only later."""
        return self._arrivals is None or order < self._arrivals

    def find(self, row: tuple[str, str, int, str | None, str | None], key: str, way: _Way) -> Sort:
        """The sort of a message, as it stands in the ledger."""
        channel, name, state, reason, template = row
        able = self._sending.get((channel, name), []) + self._sending.get((None, name), [])
        step = able[0] if len(able) == 1 else self._step_of(key, channel, able, way) if able else None
        told = self._reasons.tell(_reason(state, reason))
        place = (channel, name, step, FATES[state], told, template)
        sort = self._sorts.get(place)
        if sort is None:
            sort = self._sorts[place] = Sort(channel, name, step, FATES[state], told, template or "")
        if len(able) < 2:
            if len(self.known) >= _MOST_SORTS:
                self.known.clear()
            self.known[row] = sort
        return sort

    def _step_of(self, key: str, channel: str, able: Sequence[int], way: _Way) -> int | None:
        """Which of several steps sent a message: as the journey remembers, else the visit whose message has this key,
        else the only one that it came to. None where nothing tells."""
        for one in way.detail.sends:
            if one.key == key:
                return one.step if one.step >= 0 else None
        visits = [*(one.step for one in way.detail.trace), way.at]
        journey = way.key.hex()
        for visit, step in enumerate(visits):
            if step in able and self._sends(step, visit, journey, channel, key):
                return step
        reached = [step for step in dict.fromkeys(able) if step in visits]
        return reached[0] if len(reached) == 1 else None

    def _sends(self, number: int, visit: int, journey: str, channel: str, key: str) -> bool:
        step = self._steps[number]
        assert isinstance(step, p.Send)
        return any(
            mint("message", journey, visit, group, place, channel) == key
            for group, alternatives in enumerate(step.together)
            for place in range(len(alternatives))
        )


def _reason(state: int, reason: str | None) -> str:
    """Why a message did not arrive; empty where it may have."""
    if not reason or state not in _TOLD:
        return ""
    return told(reason, skipped=state == MessageState.SKIPPED)
