"""Queries for imports: files and how far they were read, pieces that wait to be taken in, and what is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from segue.api import Event, Instant
from segue.store.database import Transaction

_events: Final = msgspec.msgpack.Decoder(list[Event])
_faults: Final = msgspec.json.Decoder(list[tuple[str, str]])


class ImportRow(msgspec.Struct, frozen=True):
    """A file that is, or was, imported: see the migration."""

    row: int
    file: str
    starts: bool
    began: Instant
    position: str | None
    read: int
    accepted: int
    known: int
    erased: int
    refused: int
    ended: Instant | None


class Piece(msgspec.Struct, frozen=True):
    """Events that wait, without those that were taken in already. ``starts``: they may begin journeys."""

    row: int
    of: int
    events: tuple[Event, ...]
    taken: int
    starts: bool


class Outcome(msgspec.Struct, frozen=True):
    """What became of events of a piece: how many were new, known, or about somebody who was erased; which were refused,
    each with its message id and the reason."""

    accepted: int = 0
    known: int = 0
    erased: int = 0
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def count(self) -> int:
        return self.accepted + self.known + self.erased + len(self.faults)


def find_import(tx: Transaction, identity: bytes) -> ImportRow | None:
    """The import of a file, by the file's identity."""
    row = tx.row(
        "select id, file, starts, began, position, read, accepted, known, erased, refused, ended from import "
        "where identity = ?",
        (identity,),
    )
    return ImportRow(row[0], row[1], bool(row[2]), *row[3:]) if row is not None else None


def begin_import(tx: Transaction, identity: bytes, file: str, *, starts: bool, now: Instant) -> ImportRow:
    """The import of a file, where there is one also the one that was begun before."""
    tx.run(
        "insert into import (identity, file, starts, began) values (?, ?, ?, ?) "
        "on conflict (identity) do update set file = excluded.file, starts = excluded.starts",
        (identity, file, starts, now),
    )
    found = find_import(tx, identity)
    assert found is not None
    return found


def put_piece(
    tx: Transaction, number: int, position: str | None, events: bytes | None, read: int, refused: int, keep: int
) -> bool:
    """Have the next piece of a file wait (`encode_events`), together with the position after it, where fewer than
    ``keep`` wait; whether it does. ``read`` are its rows, ``refused`` those of them which are no events."""
    waiting = tx.row("select count(*) from import_piece where import = ? and events is not null", (number,))
    if waiting is not None and waiting[0] >= keep:
        return False
    if events is not None:
        tx.run("insert into import_piece (import, events) values (?, ?)", (number, events))
    tx.run(
        "update import set position = ?, read = read + ?, refused = refused + ? where id = ?",
        (position, read, refused, number),
    )
    return True


def encode_events(events: Sequence[Event]) -> bytes | None:
    """Events as a piece holds them; None where there are none."""
    return msgspec.msgpack.encode(events) if events else None


def load_piece(tx: Transaction) -> Piece | None:
    """The piece that has waited for longest; None where none waits."""
    row = tx.row(
        "select import_piece.id, import, events, taken, starts from import_piece "
        "join import on import.id = import_piece.import where events is not null order by import_piece.id limit 1"
    )
    if row is None:
        return None
    number, of, events, taken, starts = row
    return Piece(number, of, tuple(_events.decode(events)[taken:]), taken, bool(starts))


def advance_piece(tx: Transaction, piece: Piece, outcome: Outcome) -> None:
    """Events at the beginning of a piece were taken in. Done in one transaction with them."""
    last = outcome.count >= len(piece.events)
    faults = [*_faults_of(tx, piece.row), *outcome.faults] if outcome.faults or last else []
    if last and not faults:
        tx.run("delete from import_piece where id = ?", (piece.row,))
    else:
        tx.run(
            "update import_piece set taken = ?, faults = coalesce(?, faults), events = iif(?, null, events) "
            "where id = ?",
            (piece.taken + outcome.count, msgspec.json.encode(faults) if faults else None, last, piece.row),
        )
    tx.run(
        "update import set accepted = accepted + ?, known = known + ?, erased = erased + ? where id = ?",
        (outcome.accepted, outcome.known, outcome.erased, piece.of),
    )


def _faults_of(tx: Transaction, piece: int) -> Iterable[tuple[str, str]]:
    row = tx.row("select faults from import_piece where id = ?", (piece,))
    return _faults.decode(row[0]) if row is not None and row[0] is not None else ()


def waiting(tx: Transaction, number: int) -> int:
    """How many pieces of an import wait."""
    row = tx.row("select count(*) from import_piece where import = ? and events is not null", (number,))
    return int(row[0]) if row is not None else 0


def load_faults(tx: Transaction, number: int) -> list[tuple[str, str]]:
    """Events of an import that were refused when they were to be taken in: message id and reason, in order."""
    rows = tx.rows("select faults from import_piece where import = ? and events is null order by id", (number,))
    return [fault for (faults,) in rows for fault in _faults.decode(faults)]


def end_import(tx: Transaction, number: int, now: Instant) -> None:
    """Everything of a file was taken in."""
    tx.run("update import set ended = coalesce(ended, ?) where id = ?", (now, number))


def key_of(message_id: str) -> bytes:
    """What is kept of a message id for good: a hash wide enough that equal means the same."""
    return blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def find_known(tx: Transaction, keys: Mapping[str, bytes]) -> set[str]:
    """Those of these message ids that were imported before."""
    wanted = msgspec.json.encode([key.hex() for key in keys.values()]).decode()
    found = {
        key
        for (key,) in tx.rows(
            "select key from imported where key in (select unhex(value) from json_each(?))", (wanted,)
        )
    }
    return {message_id for message_id, key in keys.items() if key in found} if found else set()


def put_known(tx: Transaction, keys: Iterable[bytes]) -> None:
    """These are known from now on."""
    tx.run_many("insert or ignore into imported (key) values (?)", ((key,) for key in keys))


def count_done(tx: Transaction, number: int) -> int:
    """How many events of an import were taken in, whatever became of them."""
    row = tx.row("select accepted + known + erased from import where id = ?", (number,))
    return int(row[0]) if row is not None else 0
