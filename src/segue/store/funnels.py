"""Queries for funnels: all journeys of a rule, in pieces, each a short look of its own beside a daemon that goes on.

A journey's steps are read from its trace. Measured with a million journeys of 3.7 messages each, reading takes about
a quarter of a minute of one core; counts that the daemon kept would cost every journey a little, for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.measure.funnels.answers import LATEST
from segue.measure.funnels.courses import Books, Course, Version
from segue.measure.period import Period
from segue.messages.template import Template, from_canonical
from segue.program import program as p
from segue.program.codec import decode_rule
from segue.store.books import load_publications
from segue.store.courses import CourseReader
from segue.store.database import Transaction
from segue.store.results import LATE, last_before
from segue.store.seeding import first_arrival_since
from segue.store.sweeps import count_rules

Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the store."""
Tell = Callable[[int, int], None]
"""Is told how many journeys have been passed, and of how many."""

_PIECE: Final = 10_000


class _Trigger(msgspec.Struct):
    """Of the event that began a journey where it came from: a field as any other, which may be anything."""

    source: Any = None


_decode_trigger: Final = msgspec.json.Decoder(_Trigger).decode

_JOURNEYS: Final = (
    'select id, program, customer, entered, state, step, ended, reason, goal_until, converted, detail, "order", key '
    "from journey "
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
    f"message.handed, message.template {_OF.format('')} order by journey.id"
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
    wanted = msgspec.json.encode(list(rules)).decode()
    programs: dict[str, list[tuple[int, bytes]]] = {}
    for rule, row, body in tx.rows(
        "select rule, id, body from program where rule in (select value from json_each(?)) order by id", (wanted,)
    ):
        programs.setdefault(rule, []).append((row, body))
    current: dict[str, int] = dict(tx.rows("select rule, program from book"))
    told: dict[str, list[Instant]] = {}
    for one in load_publications(tx):
        if one.changes is not None:
            for rule in (*one.changes.added, *one.changes.changed):
                told.setdefault(rule, []).append(one.at)
    newest = tx.row("select coalesce(max(id), 0) from journey")
    arrivals: dict[Instant, int | None] = {}
    return {
        rule: Found(
            _versions(tx, programs.get(rule, []), current.get(rule), told.get(rule, []), arrivals),
            books.get(rule, Books()),
            newest[0] if newest is not None else 0,
        )
        for rule in rules
        if rule in programs or rule in books
    }


def _versions(
    tx: Transaction,
    rows: Sequence[tuple[int, bytes]],
    current: int | None,
    told: Sequence[Instant],
    arrivals: dict[Instant, int | None],
) -> dict[int, Version]:
    """The versions of a rule, of its programs in order. ``told`` is when texts of it were published, ``arrivals`` the
    first arrival since publications, as far as it was looked up."""
    found: dict[int, Version] = {}
    for number, (row, body) in enumerate(rows, 1):
        published = told[number - 1] if len(told) == len(rows) else None
        if published is not None and number > 1 and published not in arrivals:
            arrivals[published] = _first_arrival(tx, published)
        found[row] = Version(
            number,
            row,
            p.compile_rule(decode_rule(body)),
            published,
            current == row,
            arrivals.get(published) if published is not None else None,
        )
    return found


def _first_arrival(tx: Transaction, published: Instant) -> int | None:
    """The first arrival since a publication; None where what came before it is not kept, so that it can't be told."""
    number = first_arrival_since(tx, published)
    return number if tx.row("select 1 from event where id < ? limit 1", (number,)) is not None else None


def count_programs(tx: Transaction) -> int:
    """How many texts of rules there are: more than before where something was published meanwhile."""
    row = tx.row("select count(*) from program")
    return int(row[0]) if row is not None else 0


def read_courses(
    look: Look, versions: Mapping[int, Version], newest: int, period: Period, tell: Tell
) -> Iterator[Course]:
    """The journeys of these versions that were entered in a period, up to the one numbered ``newest``, in the order of
    their numbers."""
    wanted = msgspec.json.encode(sorted(versions)).decode()
    reader = CourseReader(versions)
    with look() as tx:
        hits = tx.row("select 1 from hit limit 1") is not None
        begin = last_before(tx, "journey", "entered", Instant(period.since - LATE))
    for after in range(begin, newest, _PIECE):
        values = (after, min(after + _PIECE, newest), period.since, period.until, wanted)
        with look() as tx:
            journeys = tx.rows(_JOURNEYS, values)
            messages = tx.rows(_MESSAGES, values) if journeys else []
            judged = tx.rows(_HITS, values) if hits and messages else []
        yield from reader.read(journeys, messages, judged)
        tell(values[1] - begin, newest - begin)


def count_sources(tx: Transaction, versions: Mapping[int, Version], period: Period) -> dict[str, int]:
    """The latest entries by the source of the event that began them; what was begun without one has none."""
    wanted = msgspec.json.encode(sorted(versions)).decode()
    rows = tx.rows(
        "select trigger from journey where entered >= ? and entered < ? and trigger is not null "
        "and program in (select value from json_each(?)) order by id desc limit ?",
        (period.since, period.until, wanted, LATEST),
    )
    sources = (_decode_trigger(trigger).source for (trigger,) in rows)
    return Counter(source for source in sources if isinstance(source, str) and source)


def load_templates(tx: Transaction, hashes: Sequence[str]) -> dict[str, Template]:
    """Contents as they were sent, by hash; those that are still kept."""
    wanted = msgspec.json.encode(list(hashes)).decode()
    rows = tx.rows("select hash, body from template where hash in (select value from json_each(?))", (wanted,))
    return {content: from_canonical(body) for content, body in rows}
