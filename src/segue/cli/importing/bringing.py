"""One file's way into the store: read ahead of those who take it in, by a few pieces, and from where the store says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from segue.api import Fetched, Instant, Rejection, SourceFile
from segue.api.rejected import RejectedRows
from segue.cli.importing.desk import Desk
from segue.cli.importing.files import Given, Unreadable
from segue.store import imports as import_rows
from segue.store.database import Transaction
from segue.store.imports import ImportRow
from segue.store.rejections import reject

_AHEAD: Final = 4
"""Pieces of a file that may wait: enough that nobody waits for the reading."""
_PATIENCE: Final = 300.0
"""Seconds without progress, after which nobody seems to take anything in."""


class Progress(msgspec.Struct, frozen=True):
    """How far a file is: bytes read of how many, rows read, events taken in or found to be known."""

    at: int
    size: int
    read: int
    done: int


class Brought(msgspec.Struct, frozen=True):
    """What came of a file. ``since`` is when this run began with it, ``before``: it had been imported already then.
    ``report`` names the refused rows."""

    row: ImportRow
    refused: int
    seconds: float
    since: Instant
    before: bool
    report: Path | None


Told = Callable[[Progress], None]


async def bring(desk: Desk, given: Given, told: Told, *, starts: bool) -> Brought:
    """Import a file, from where an earlier run came to. Raises Unreadable where it cannot be read to its end; what was
    read before that is taken in, and the mended file brings the rest."""
    began = time.monotonic()
    identity = await asyncio.to_thread(given.identify, lambda _: None)
    name, since = str(given.path), desk.now()
    row = await desk.write(partial(import_rows.begin_import, identity=identity, file=name, starts=starts, now=since))
    if row.ended is not None:
        return Brought(row, row.refused, 0.0, since, True, None)
    report = RejectedRows(given.report_folder, given.path.name, row.refused)
    try:
        with given.path.open("rb") as content:
            file = SourceFile(given.path.name, content, given.modified)
            pieces = given.read(file, row.position)
            trouble = await _hand_in(desk, row, pieces, report, content.tell, given, told)
        await _let_finish(desk, row.row, given, told)
        faults = await desk.write(partial(import_rows.load_faults, number=row.row))
        report.add(Rejection(place=f"event {message_id}", reason=reason) for message_id, reason in faults)
        if trouble is not None:
            raise Unreadable(f"{given.path}: {trouble}")
        now = desk.now()
        await desk.write(partial(import_rows.end_import, number=row.row, now=now))
    finally:
        report.close()
    found = await desk.write(partial(import_rows.find_import, identity=identity))
    assert found is not None
    path = report.path if report.count else None
    return Brought(found, report.count, time.monotonic() - began, since, False, path)


async def _hand_in(
    desk: Desk,
    row: ImportRow,
    pieces: Iterator[Fetched],
    report: RejectedRows,
    place: Callable[[], int],
    given: Given,
    told: Told,
) -> str | None:
    """Hand all pieces in; says what is wrong where the file cannot be read to its end."""
    read = row.read
    while True:
        try:
            piece = await asyncio.to_thread(next, pieces, None)
        except (ValueError, OSError) as error:
            return str(error)
        if piece is None:
            return None
        await asyncio.to_thread(report.add, piece.rejections)
        refused = len(piece.rejections)
        job = partial(_put, number=row.row, piece=piece, source=given.source, now=desk.now())
        read += len(piece.events) + refused
        patience = _Patience(desk)
        while not await desk.write(job):
            found = await desk.write(partial(import_rows.count_done, number=row.row))
            told(Progress(place(), given.size, read, found))
            patience.see(found)
            await desk.wait(0.02)


def _put(tx: Transaction, number: int, piece: Fetched, source: str, now: Instant) -> bool:
    """Hand a piece in, unless too many wait; what of it was refused is kept for `segue rejected` too."""
    put = import_rows.put_piece(
        tx,
        number,
        piece.position,
        import_rows.encode_events(piece.events),
        len(piece.events) + len(piece.rejections),
        len(piece.rejections),
        keep=_AHEAD,
    )
    if put and piece.rejections:
        reject(tx, source, piece.rejections, now)
    return put


async def _let_finish(desk: Desk, number: int, given: Given, told: Told) -> None:
    """Wait until all that was handed in is taken in."""
    patience = _Patience(desk)
    while await desk.write(partial(import_rows.waiting, number=number)):
        found = await desk.write(partial(import_rows.count_done, number=number))
        told(Progress(given.size, given.size, found, found))
        patience.see(found)
        await desk.wait(0.05)


class _Patience:
    """Ends an import that nobody takes in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen = -1
        self._since = time.monotonic()

    def see(self, done: int) -> None:
        """So much is done. Raises Unreadable where that has been so for too long."""
        if done != self._seen:
            self._seen, self._since = done, time.monotonic()
        elif time.monotonic() - self._since > _PATIENCE:
            raise Unreadable(
                f"the running Segue (process {self._desk.daemon}) has taken nothing in for {_PATIENCE:.0f} s: "
                "its log says why; the same command goes on from here"
            )
