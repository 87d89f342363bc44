"""Queries for programs and publications: every version ever published, the book that runs now, and what each
publication changed."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import apsw
import msgspec

from segue.api import Instant
from segue.store.database import Transaction
from segue.store.errors import StoreUnavailable

REQUEST = "publish"
"""The store's own value that asks a running daemon to publish: a `Request`."""


class Changes(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a publication added, changed and removed: rules, segments and policies, by name."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class Publication(msgspec.Struct, frozen=True):
    """One version of the rule book: when and by whom it was published, and what that changed. ``changes`` None: an
    earlier Segue published it, which did not note them."""

    number: int
    at: Instant
    who: str
    changes: Changes | None


class Request(msgspec.Struct, frozen=True):
    """What a daemon is asked to publish: the rules on disk, or those of an earlier version."""

    who: str
    version: int | None = None


def put_programs(tx: Transaction, programs: Iterable[tuple[str, str, bytes]]) -> None:
    """Keep programs: hash, rule, body. One that is kept already stays."""
    tx.run_many("insert into program (hash, rule, body) values (?, ?, ?) on conflict (hash) do nothing", programs)
    tx.store.caches.pop("programs", None)
    tx.store.caches.pop("program numbers", None)


def load_programs(tx: Transaction) -> dict[str, bytes]:
    """Bodies of programs by hash: all that journeys still run or that the book names."""
    return dict(
        tx.rows(
            "select hash, body from program where id in (select program from book) "
            "or id in (select distinct program from journey where live = 1)"
        )
    )


def load_book(tx: Transaction) -> dict[str, str]:
    """The book that runs now: rule to program hash."""
    return dict(tx.rows("select book.rule, program.hash from book join program on program.id = book.program"))


def list_rules(tx: Transaction) -> list[str]:
    """The rules that were ever published: of each that is no more, customers may still be inside."""
    return [rule for (rule,) in tx.rows("select distinct rule from program order by rule")]


def rules_since(tx: Transaction) -> dict[str, Instant]:
    """When each rule of the book came into it."""
    return dict(tx.rows("select rule, since from book"))


def put_book(
    tx: Transaction,
    book: Mapping[str, str],
    words: bytes,
    now: Instant,
    who: str,
    sources: Mapping[str, str],
    changes: Changes,
) -> None:
    """Make this the book that runs: rule to program hash. Kept with the publication: ``words`` (its events, segments
    and policies), ``sources`` (its files: name to text), and what it changed."""
    since = rules_since(tx)
    tx.run("delete from book")
    tx.run_many(
        "insert into book (rule, program, since) select ?, id, ? from program where hash = ?",
        [(rule, since.get(rule, now), content) for rule, content in book.items()],
    )
    tx.run(
        "insert into publication (at, who, book, sources, changes) values (?, ?, ?, ?, ?)",
        (now, who, words, zlib.compress(msgspec.json.encode(dict(sources))), msgspec.json.encode(changes)),
    )


def load_words(tx: Transaction) -> bytes | None:
    """The words of the book that runs now; None before the first publication."""
    row = tx.row("select book from publication order by id desc limit 1")
    return row[0] if row is not None else None


def last_publication(tx: Transaction) -> int:
    """The number of the latest publication, 0 before the first."""
    row = tx.row("select max(id) from publication")
    return row[0] or 0 if row is not None else 0


def last_published(tx: Transaction) -> Instant:
    """When the latest publication was made."""
    row = tx.row("select at from publication order by id desc limit 1")
    return Instant(row[0]) if row is not None else Instant(0)


def load_publications(tx: Transaction) -> list[Publication]:
    """All publications, the oldest first."""
    return [
        Publication(number, at, who, msgspec.json.decode(changes, type=Changes) if changes is not None else None)
        for number, at, who, changes in tx.rows("select id, at, who, changes from publication order by id")
    ]


def load_sources(tx: Transaction, number: int) -> dict[str, str] | None:
    """The files of a publication, name to text; None where there is no such publication, or its files were not kept."""
    row = tx.row("select sources from publication where id = ?", (number,))
    if row is None or row[0] is None:
        return None
    return msgspec.json.decode(zlib.decompress(row[0]), type=dict[str, str])


def request(path: Path, wanted: Request | None) -> None:
    """Leave word for the daemon that uses a store what it is to publish at its next reload; None takes that back."""
    try:
        with contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.set_busy_timeout(10_000)
            connection.execute("delete from meta where name = ?", (REQUEST,))
            if wanted is not None:
                value = msgspec.json.encode(wanted).decode()
                connection.execute("insert into meta (name, value) values (?, ?)", (REQUEST, value))
    except apsw.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def take_request(tx: Transaction) -> Request | None:
    """What was asked for, if anything was: it is asked for once."""
    known = load_meta(tx, REQUEST)
    if known is None:
        return None
    put_meta(tx, REQUEST, None)
    return msgspec.json.decode(known, type=Request)


def load_meta(tx: Transaction, name: str) -> str | None:
    """A value of the store's own, by name."""
    row = tx.row("select value from meta where name = ?", (name,))
    return row[0] if row is not None else None


def put_meta(tx: Transaction, name: str, value: str | None) -> None:
    """Set a value of the store's own; None removes it."""
    if value is None:
        tx.run("delete from meta where name = ?", (name,))
    else:
        tx.run(
            "insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
            (name, value),
        )
