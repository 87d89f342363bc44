"""Queries for funnels: all journeys of a rule, in pieces, each a short look of its own beside a daemon that goes on.

A journey's steps are read from its trace. Measured with a million journeys of 3.7 messages each on two cores, reading
takes half a minute; counts that the daemon kept would cost every journey a little, for ever.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from segue.delivery.ledger import MessageState
from segue.measure.funnels.courses import CLICKED, DEEDS, DELIVERED, FATES, OPENED, Books, Contact, Course, Version
from segue.measure.funnels.reasons import alike, sort_reason
from segue.measure.period import Period
from segue.messages.template import Template, from_canonical
from segue.program import program as p
from segue.program.codec import decode_rule
from segue.store.books import load_publications
from segue.store.database import Transaction
from segue.store.sweeps import count_rules

Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the store."""
Tell = Callable[[int, int], None]
"""Is told how many journeys have been passed, and of how many."""

_PIECE: Final = 10_000
_LATEST: Final = 10_000
"""Entries whose source is looked at."""
_TOLD: Final = frozenset({MessageState.SKIPPED, MessageState.FAILED, MessageState.UNDELIVERED, MessageState.UNKNOWN})
"""States of messages whose reason says why they did not arrive."""


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


class _Trigger(msgspec.Struct):
    """Of the event that began a journey where it came from: a field as any other, which may be anything."""

    source: Any = None


_decode_trigger: Final = msgspec.json.Decoder(_Trigger).decode

_JOURNEYS: Final = (
    "select id, program, customer, entered, state, step, ended, reason, goal_until, converted, detail from journey "
    "where id > ? and id <= ? and entered >= ? and entered < ? and program in (select value from json_each(?))"
)
_OF: Final = (
    "from journey cross join message indexed by message_customer "
    "on message.customer = journey.customer and message.journey = journey.id {} "
    "where journey.id > ? and journey.id <= ? and journey.entered >= ? and journey.entered < ? "
    "and journey.program in (select value from json_each(?))"
)
_MESSAGES: Final = (
    "select message.journey, message.id, message.key, message.channel, message.message, message.state, message.reason, "
    f"message.handed, message.template {_OF.format('')}"
)
_HITS: Final = (
    "select message.id, hit.what, max(hit.machine = ''), max(hit.machine <> '') "
    f"{_OF.format('cross join hit on hit.message = message.id')} and hit.machine is not null "
    "group by message.id, hit.what"
)


class Found(msgspec.Struct, frozen=True):
    """What is known of a rule before its journeys are read: its versions by the store's number, its books, and the
    number of the newest journey."""

    versions: Mapping[int, Version]
    books: Books
    newest: int


def rules_entered(tx: Transaction) -> list[str]:
    """The rules that were ever published or entered, by name."""
    return [rule for (rule,) in tx.rows("select rule from program union select rule from tally where what = 'entered'")]


def find_rules(tx: Transaction, rules: Sequence[str]) -> dict[str, Found]:
    """What is known of rules, those of them that are known."""
    books = {
        one.rule: Books(
            entered=one.entered,
            inside=one.inside,
            finished=one.finished,
            exited=one.exited,
            failed=one.failed,
            ignored=one.ignored,
            converted=one.converted,
            sent=one.sent,
        )
        for one in count_rules(tx)
    }
    newest = tx.row("select coalesce(max(id), 0) from journey")
    return {
        rule: Found(versions, books.get(rule, Books()), newest[0] if newest is not None else 0)
        for rule in rules
        if (versions := _versions(tx, rule)) or rule in books
    }


def _versions(tx: Transaction, rule: str) -> dict[int, Version]:
    rows = tx.rows("select id, body from program where rule = ? order by id", (rule,))
    current = tx.row("select program from book where rule = ?", (rule,))
    told = [
        one.at
        for one in load_publications(tx)
        if one.changes is not None and rule in (*one.changes.added, *one.changes.changed)
    ]
    return {
        row: Version(
            number,
            row,
            p.compile_rule(decode_rule(body)),
            told[number - 1] if len(told) == len(rows) else None,
            current is not None and current[0] == row,
        )
        for number, (row, body) in enumerate(rows, 1)
    }


def read_courses(
    look: Look, versions: Mapping[int, Version], newest: int, period: Period, tell: Tell
) -> Iterator[Course]:
    """The journeys of these versions that were entered in a period, up to the one numbered ``newest``, in the order of
    their numbers."""
    wanted = msgspec.json.encode(sorted(versions)).decode()
    places = {row: _Sends(version.program) for row, version in versions.items()}
    with look() as tx:
        hits = tx.row("select 1 from hit limit 1") is not None
    for after in range(0, newest, _PIECE):
        values = (after, min(after + _PIECE, newest), period.since, period.until, wanted)
        with look() as tx:
            journeys = tx.rows(_JOURNEYS, values)
            messages = tx.rows(_MESSAGES, values) if journeys else []
            judged = _judged(tx.rows(_HITS, values)) if hits and messages else {}
        of = defaultdict[int, list[tuple[Any, ...]]](list)
        for message in messages:
            of[message[0]].append(message)
        for row in journeys:
            yield _course(row, of.get(row[0], ()), judged, places)
        tell(values[1], newest)


Judged = dict[int, tuple[int, int]]
"""Of a message, by number: what persons did with it by its hits, and what machines did."""


def _judged(rows: Sequence[tuple[Any, ...]]) -> Judged:
    found: Judged = {}
    for message, what, persons, machines in rows:
        bit = DEEDS.get(what, 0)
        before = found.get(message, (0, 0))
        found[message] = before[0] | bit * persons, before[1] | bit * machines
    return found


def _course(
    row: tuple[Any, ...], messages: Sequence[tuple[Any, ...]], judged: Judged, places: Mapping[int, _Sends]
) -> Course:
    version, detail = row[1], _decode(row[10]) if row[10] is not None else _NOTHING
    contacts: list[Contact] = []
    if messages:
        deeds: dict[str, int] = {}
        for reaction in detail.reactions:
            if (bit := DEEDS.get(reaction.what)) is not None:
                deeds[reaction.key] = deeds.get(reaction.key, 0) | bit
        sends = places[version]
        for _, number, raw, channel, message, state, reason, handed, template in messages:
            key = raw.hex()
            persons, machines = deeds.get(key, 0), 0
            if number in judged:
                people, machines = judged[number]
                # Rules were told of one that turned out to be a machine's only later.
                persons = (persons & ~(machines & (OPENED | CLICKED))) | people
            contacts.append(
                Contact(
                    channel,
                    message,
                    sends.find(channel, message, key, detail, row[5]),
                    FATES[state],
                    _reason(state, reason),
                    handed,
                    persons | DELIVERED if state == MessageState.CONFIRMED else persons,
                    machines,
                    template or "",
                )
            )
    return Course(
        version,
        row[2],
        row[3],
        row[4],
        row[5],
        row[6],
        alike(row[7]) if row[7] else "",
        row[8],
        row[9],
        detail.holdout,
        tuple([(one.step, one.outcome) for one in detail.trace if one.step >= 0]),
        contacts,
    )


def _reason(state: int, reason: str | None) -> str:
    """Why a message did not arrive; empty where it may have."""
    if not reason or state not in _TOLD:
        return ""
    return sort_reason(reason)[1] if state == MessageState.SKIPPED else alike(reason)


class _Sends:
    """Which step of a program a message is of."""

    def __init__(self, program: p.Program) -> None:
        self._steps: dict[tuple[str | None, str], list[int]] = {}
        for number, step in enumerate(program.steps):
            if isinstance(step, p.Send):
                for place in {(one.channel, one.message) for group in step.together for one in group}:
                    self._steps.setdefault(place, []).append(number)

    def find(self, channel: str, message: str, key: str, detail: _Detail, at: int) -> int | None:
        """By its channel and name where one step alone sends such a message, or one alone of those that the journey
        came to, up to that ``at`` which it is; else as the journey remembers. None where nothing tells."""
        able = self._steps.get((channel, message), []) + self._steps.get((None, message), [])
        if len(able) > 1:
            for one in detail.sends:
                if one.key == key:
                    return one.step if one.step >= 0 else None
            reached = {one.step for one in detail.trace} | {at}
            able = [step for step in dict.fromkeys(able) if step in reached]
        return able[0] if len(able) == 1 else None


def count_sources(tx: Transaction, versions: Mapping[int, Version], period: Period) -> dict[str, int]:
    """The latest entries by the source of the event that began them; what was begun without one has none."""
    wanted = msgspec.json.encode(sorted(versions)).decode()
    rows = tx.rows(
        "select trigger from journey where entered >= ? and entered < ? and trigger is not null "
        "and program in (select value from json_each(?)) order by id desc limit ?",
        (period.since, period.until, wanted, _LATEST),
    )
    sources = (_decode_trigger(trigger).source for (trigger,) in rows)
    return Counter(source for source in sources if isinstance(source, str) and source)


def load_templates(tx: Transaction, hashes: Sequence[str]) -> dict[str, Template]:
    """Contents as they were sent, by hash; those that are still kept."""
    wanted = msgspec.json.encode(list(hashes)).decode()
    rows = tx.rows("select hash, body from template where hash in (select value from json_each(?))", (wanted,))
    return {content: from_canonical(body) for content, body in rows}
