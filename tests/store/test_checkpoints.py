"""What the log of writes holds comes into the database file beside the writer, and the log does not grow for ever."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from segue.store import checkpoints
from segue.store.database import Store, Transaction, read_only

PAGE = 4096


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of which little is much."""
    monkeypatch.setattr(checkpoints, "_SOME", 20)
    monkeypatch.setattr(checkpoints, "_MUCH", 200)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "segue.db"


def write(store: Store, pages: int) -> None:
    """Commit so many pages, one at a time."""

    def job(tx: Transaction) -> None:
        tx.run("insert into meta (name, value) values (hex(randomblob(8)), randomblob(?))", (PAGE,))

    for _ in range(pages):
        store.write(job).result()


def log_of(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


def times_begun(path: Path) -> int:
    """How often the log was begun anew: its checkpoint sequence number (sqlite.org/fileformat2.html, section 4.1). The
    file keeps the size that it once had."""
    return int.from_bytes(path.with_name(path.name + "-wal").read_bytes()[12:16], "big")


def soon(holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold within some seconds."""
    until = time.monotonic() + 10
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_what_is_written_comes_into_the_file_while_the_writer_rests(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        before = path.stat().st_size
        store.start()
        write(store, 60)
        assert soon(lambda: path.stat().st_size > before + 20 * PAGE)


def test_the_log_is_begun_anew_once_all_of_it_is_in_the_file(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        store.start()
        first = times_begun(path)

        def often() -> bool:
            write(store, 30)
            time.sleep(0.02)  # the writer rests, and what it wrote comes into the file
            return times_begun(path) >= first + 3

        assert soon(often)


def test_a_reader_who_stays_lets_the_log_grow_and_no_longer_than_they_stay(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        store.start()
        with read_only(path) as tx:
            tx.row("select count(*) from meta")
            write(store, 300)
            assert log_of(path) > 300 * PAGE
        size = log_of(path)
        write(store, 250)  # the writer waits for a checkpoint itself, at the latest
        write(store, 600)
        assert log_of(path) < size + 900 * PAGE


def test_closing_a_store_ends_its_checkpoints(path: Path) -> None:
    store = Store(path)
    store.start()
    write(store, 30)
    store.close()
    assert all(thread.name != "segue-checkpoints" for thread in threading.enumerate())
    with contextlib.closing(Store(path)) as again:
        assert again.apply(lambda tx: tx.row("select count(*) from meta where length(value) = ?", (PAGE,))) == (30,)
