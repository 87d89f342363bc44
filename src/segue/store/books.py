"""Queries for programs: every version ever published, the book that runs now, and what was published when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segue.api import Instant
from segue.store.database import Transaction


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


def put_book(tx: Transaction, book: Mapping[str, str], words: bytes, now: Instant, who: str) -> None:
    """Make this the book that runs: rule to program hash; ``words`` are its events and traits,
    kept with the publication."""
    tx.run("delete from book")
    tx.run_many("insert into book (rule, program) select ?, id from program where hash = ?", [*book.items()])
    tx.run("insert into publication (at, who, book) values (?, ?, ?)", (now, who, words))


def load_words(tx: Transaction) -> bytes | None:
    """The words of the book that runs now; None before the first publication."""
    row = tx.row("select book from publication order by id desc limit 1")
    return row[0] if row is not None else None


def last_publication(tx: Transaction) -> int:
    """The number of the latest publication, 0 before the first."""
    row = tx.row("select max(id) from publication")
    return row[0] or 0 if row is not None else 0


def rules_inside(tx: Transaction) -> set[str]:
    """Rules that have customers inside."""
    return {
        rule
        for (rule,) in tx.rows(
            "select distinct rule from program "
            "where id in (select distinct program from journey where live = 1 and state = 0)"
        )
    }


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
