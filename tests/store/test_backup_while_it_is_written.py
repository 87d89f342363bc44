"""Backups: of a store that is never quiet, and onto a disk that cannot take them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import apsw
import pytest

from segue.store.database import Store, Transaction, back_up
from segue.store.errors import StoreError, StoreUnavailable


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "segue.db", durable=False)
    opened.apply(lambda tx: tx.run("create table filler (content blob)"))
    opened.apply(lambda tx: tx.run_many("insert into filler values (?)", [(b"x" * 4000,)] * 20_000))
    opened.start()
    yield opened
    opened.close()


def test_a_backup_ends_while_every_millisecond_brings_a_commit(store: Store, tmp_path: Path) -> None:
    stopping = threading.Event()

    def write() -> None:
        while not stopping.is_set():
            store.write(lambda tx: tx.run("insert into filler values (1)")).result()

    writer = threading.Thread(target=write)
    writer.start()
    copied = threading.Thread(target=back_up, args=(tmp_path / "segue.db", tmp_path / "copy.db"), daemon=True)
    copied.start()
    copied.join(20)
    was_stuck = copied.is_alive()
    stopping.set()
    writer.join()
    copied.join()
    assert not was_stuck
    with contextlib.closing(Store(tmp_path / "copy.db")) as copy:
        rows = copy.apply(lambda tx: tx.rows("select count(*) from filler"))
        assert rows[0][0] >= 20_000


def test_a_backup_into_no_folder_is_refused_in_words_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        back_up(tmp_path / "segue.db", tmp_path / "missing" / "copy.db")
    (tmp_path / "not.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError):
        back_up(tmp_path / "not.db", tmp_path / "copy.db")
    assert sorted(entry.name for entry in tmp_path.iterdir() if "copy" in entry.name) == []


def test_a_job_cancelled_as_the_disk_fails_does_not_end_the_writer(tmp_path: Path) -> None:
    class Late(Future[int]):
        """Cancelled between the writer's look and its answer."""

        def set_exception(self, exception: BaseException | None) -> None:
            self.cancel()
            super().set_exception(exception)

    store = Store(tmp_path / "segue.db", durable=False)
    begun: list[str] = []

    class Failing:
        """A connection whose next transaction does not begin."""

        def __init__(self, connection: apsw.Connection) -> None:
            self.connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

        def execute(self, sql: str, *values: object) -> object:
            if sql == "begin immediate" and not begun:
                begun.append(sql)
                raise apsw.FullError("disk is full")
            return self.connection.execute(sql, *values)  # type: ignore[arg-type]

    store._connection = Failing(store._connection)  # type: ignore[assignment]

    def job(tx: Transaction) -> int:
        return 1

    store._jobs.put((0, 0, job, Late()))
    store.start()
    try:
        assert store.write(job).result(5) == 1
    except StoreUnavailable:  # both were of the transaction that failed
        assert store.write(job).result(5) == 1
    store.close()
