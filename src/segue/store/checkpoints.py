"""Checkpoints beside the writer: what the log of writes holds is brought into the database file by a thread of its own.

A transaction costs the sync of the log. Were it the writer that also brings the log into the file, now and then one
would cost the writing and the sync of pages from all over that file as well, and everybody would wait. SQLite lets
another connection do that meanwhile. Once all of the log is in the file, the writer begins it anew.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Final

import apsw

_SOME: Final = 1_000
"""Pages of 4 KB by which the log grows between two checkpoints."""
_MUCH: Final = 8_000
"""Pages by which it may grow until the writer waits for a checkpoint after all: the disk, or a reader who stays long,
keeps the other one from coming to an end."""
_ROUNDS: Final = 20
"""While one checkpoint runs, the log grows; the next has less to do, and ends up with nothing left."""


class Checkpointer:
    """Does the checkpoints of the database that a connection, the only one that writes much, writes to."""

    def __init__(self, path: Path, writer: apsw.Connection) -> None:
        """Raises apsw.Error."""
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        self._connection.execute("pragma synchronous = full")
        self._wake = threading.Event()
        self._closed = False
        self._begun = self._waited = 0
        writer.set_wal_hook(self._grew)  # in the place of the checkpoints that the connection does by itself
        self._thread = threading.Thread(target=self._serve, name="segue-checkpoints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let a checkpoint that is under way end, and do no more."""
        self._closed = True
        self._wake.set()
        self._thread.join()
        self._connection.close()

    def _grew(self, writer: apsw.Connection, database: str, pages: int) -> int:
        """After each commit of the writer: the log has so many pages now."""
        if pages < self._begun:  # it was begun anew
            self._begun = self._waited = 0
        if pages - self._waited >= _MUCH:
            self._waited = self._begun = pages
            _checkpoint(writer)
        elif pages - self._begun >= _SOME:
            self._begun = pages
            self._wake.set()
        return apsw.SQLITE_OK

    def _serve(self) -> None:
        while True:
            self._wake.wait()
            if self._closed:
                return
            self._wake.clear()
            for _ in range(_ROUNDS):
                if _checkpoint(self._connection) or self._closed:
                    break


def _checkpoint(connection: apsw.Connection) -> bool:
    """Bring into the file what no reader needs to be elsewhere; whether that is all there is. A failure loses nothing:
    what is in the log stays there, and counts."""
    with contextlib.suppress(apsw.Error):
        pages, done = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return pages == done
    return True
