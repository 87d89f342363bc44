"""What the database driver reports reaches callers as the store's own errors, and the store goes on afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from segue.store.database import Store, Transaction, back_up, library_version, read_only
from segue.store.errors import StoreUnavailable


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(tmp_path / "one.db")
    yield one
    one.close()


def put(name: str, size: int = 1) -> Callable[[Transaction], int]:
    def job(tx: Transaction) -> int:
        return tx.run("insert into meta (name, value) values (?, zeroblob(?))", (name, size))

    return job


def names(tx: Transaction) -> list[str]:
    return [name for (name,) in tx.rows("select name from meta order by name")]


def limit_pages(store: Store, more: int | None) -> None:
    """Let the file grow by so many pages and no further, as on a disk that is nearly full; None lets it grow freely."""

    def job(tx: Transaction) -> None:
        (pages,) = tx.rows("pragma page_count")[0]
        most = pages + more if more is not None else 1_000_000
        tx.rows(f"pragma max_page_count = {most}")

    store.apply(job)


def test_a_full_disk_is_the_stores_own_error_and_acknowledges_nothing(store: Store) -> None:
    store.apply(put("before"))
    limit_pages(store, 3)
    store.start()
    failed = [store.write(put(f"large {number}", 100_000)) for number in range(3)]
    for future in failed:
        with pytest.raises(StoreUnavailable, match="full"):
            future.result(10)
    assert store.write(names).result(10) == ["before"]


def test_the_store_goes_on_once_there_is_room_again(store: Store) -> None:
    limit_pages(store, 3)
    store.start()
    with pytest.raises(StoreUnavailable):
        store.write(put("large", 100_000)).result(10)
    store.write(lambda tx: tx.rows("pragma max_page_count = 1000000")).result(10)
    store.write(put("large", 100_000)).result(10)
    assert store.write(names).result(10) == ["large"]


def test_a_constraint_undoes_its_own_job_alone(store: Store) -> None:
    first, twice, last = store.write(put("a")), store.write(put("a")), store.write(put("b"))
    store.start()
    assert first.result(10) == 1
    with pytest.raises(apsw.ConstraintError):
        twice.result(10)
    assert last.result(10) == 1
    assert store.write(names).result(10) == ["a", "b"]


def test_text_that_no_database_holds_undoes_its_own_job_alone(store: Store) -> None:
    wrong, good = store.write(put("half an emoji \ud83d")), store.write(put("good"))
    store.start()
    with pytest.raises(UnicodeEncodeError):
        wrong.result(10)
    assert good.result(10) == 1


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"these are notes, not a database\n" * 200)
    with pytest.raises(StoreUnavailable, match="not a database"):
        Store(path)


def test_a_reader_cannot_write(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="readonly"), read_only(tmp_path / "one.db") as tx:
        tx.run("insert into meta (name, value) values ('a', 1)")


def test_a_reader_sees_one_moment(store: Store, tmp_path: Path) -> None:
    store.apply(put("a"))
    with read_only(tmp_path / "one.db") as tx:
        before = names(tx)
        store.apply(put("b"))
        assert names(tx) == before == ["a"]


def test_what_an_interrupted_backup_left_does_not_stop_the_next(store: Store, tmp_path: Path) -> None:
    store.apply(put("a"))
    (tmp_path / "copy.db.partial").write_bytes(b"half a database")
    back_up(tmp_path / "one.db", tmp_path / "copy.db")
    with read_only(tmp_path / "copy.db") as tx:
        assert names(tx) == ["a"]


def test_sqlite_is_new_enough() -> None:
    assert tuple(int(part) for part in library_version().split(".")) >= (3, 46)
