"""The store: opening and migrating, one owner, and what a transaction keeps when something in it goes wrong."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import apsw
import pytest

from segue.api import Event, Instant
from segue.runtime.ingest import ingest
from segue.store import customers as customer_rows
from segue.store import database
from segue.store.books import load_meta, put_meta
from segue.store.database import FIRST, LAST, NORMAL, Store, Transaction, holder, migrations, read_only
from segue.store.errors import StoreError, StoreInUse, StoreTooNew, StoreUnavailable
from tests.engine.stage import book, put

TABLES = {
    "account",
    "pause",
    "hit",
    "short_link",
    "import",
    "import_piece",
    "imported",
    "access",
    "crossing",
    "left_out",
    "source_clock",
    "undeclared_name",
    "aggregate",
    "aggregate_day",
    "long_history",
    "cart",
    "coupon",
    "pool",
    "product",
    "bought_together",
    "interest",
    "reaction_total",
    "erasure",
    "erasure_call",
    "secret",
    "tombstone",
    "numbered",
    "retained",
    "reaction",
    "spend",
    "meta",
    "program",
    "book",
    "publication",
    "name",
    "customer",
    "alias",
    "link",
    "parting",
    "parting_wanted",
    "joining",
    "crowded",
    "trait_refused",
    "event",
    "journey",
    "entry",
    "ignored",
    "message",
    "template",
    "consent",
    "suppression",
    "tally",
    "watch",
    "lookout",
    "schedule",
    "pace",
    "assignment",
    "arm",
    "arm_hour",
    "exposure",
    "source_position",
    "rejection",
    "rejected",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "segue.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(path)) as opened:
        opened.apply(lambda tx: tx.run("create table filler (content)"))
        yield opened


def insert(value: object) -> Callable[[Transaction], int]:
    return lambda tx: tx.run("insert into filler values (?)", (value,))


def contents(store: Store) -> list[Any]:
    return [value for (value,) in store.apply(lambda tx: tx.rows("select content from filler order by rowid"))]


class Gate:
    """A job that holds the writer until it is opened, so that others have to wait for the next transaction."""

    def __init__(self, store: Store) -> None:
        self._open = threading.Event()
        self._inside = threading.Event()
        self.future = store.write(self._job)
        assert self._inside.wait(5)

    def _job(self, tx: Transaction) -> None:
        self._inside.set()
        assert self._open.wait(5)
        time.sleep(0.05)  # longer than a transaction is held open for further jobs

    def open(self) -> None:
        self._open.set()


class Broken:
    """A connection on which a statement fails, as often as told."""

    def __init__(self, store: Store, statement: str, times: int = 1) -> None:
        self._real: Any = store._connection
        self._statement = statement
        self.times = times
        store._connection = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql == self._statement and self.times > 0:
            self.times -= 1
            raise apsw.FullError("database or disk is full")
        return self._real.execute(sql, *values)


# Opening


def test_an_empty_file_gets_the_whole_schema_and_its_number(path: Path) -> None:
    path.touch()
    with contextlib.closing(Store(path)) as store:
        names = {
            name for (name,) in store.apply(lambda tx: tx.rows("select name from sqlite_master where type = 'table'"))
        }
        assert names == TABLES
        assert store.apply(lambda tx: tx.row("pragma user_version")) == (max(number for number, _ in migrations()),)


def test_writes_are_synced_in_a_write_ahead_log(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        assert store.apply(lambda tx: [tx.row("pragma journal_mode"), tx.row("pragma synchronous")]) == [("wal",), (2,)]


def test_opening_again_changes_nothing_and_keeps_what_was_written(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        store.apply(lambda tx: put_meta(tx, "zone", "UTC"))
        before = store.apply(
            lambda tx: tx.rows("select name, sql from sqlite_master where name not like 'sqlite_stat%'")
        )
    with contextlib.closing(Store(path)) as store:
        assert store.apply(lambda tx: load_meta(tx, "zone")) == "UTC"
        assert (
            store.apply(lambda tx: tx.rows("select name, sql from sqlite_master where name not like 'sqlite_stat%'"))
            == before
        )


def test_a_migration_that_is_cut_off_leaves_the_version_before_it_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(path).close()
    known = list(migrations())
    bad = (known[-1][0] + 1, "create table half (x); create table half (x);")
    with monkeypatch.context() as patched:
        patched.setattr(database, "migrations", lambda: iter([*known, bad]))
        with pytest.raises(StoreUnavailable, match="half"):
            Store(path)
    with contextlib.closing(Store(path)) as store:
        assert store.apply(lambda tx: tx.row("pragma user_version")) == (known[-1][0],)
        assert store.apply(lambda tx: tx.row("select 1 from sqlite_master where name = 'half'")) is None


def test_a_newer_schema_is_refused_in_words_and_left_as_it_is(path: Path) -> None:
    Store(path).close()
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        connection.execute("pragma user_version = 999")
    for _ in range(2):  # the lock is let go of each time
        with pytest.raises(StoreTooNew, match=r"schema 999.*install the newer version"):
            Store(path)
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        assert connection.execute("pragma user_version").get == 999


def test_what_is_no_database_is_refused_in_words(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 500)
    with pytest.raises(StoreUnavailable, match=r"segue\.db"):
        Store(path)
    assert path.read_bytes() == b"Dear diary, " * 500


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    Store(tmp_path / "new" / "folder" / "segue.db").close()
    assert (tmp_path / "new" / "folder" / "segue.db").exists()


def test_a_store_in_memory_has_no_second_connection() -> None:
    with contextlib.closing(Store(None)) as store, pytest.raises(StoreError):
        store.reader()


# One owner


_HOLD_IT = """
import sys
from pathlib import Path
from segue.store.database import Store
store = Store(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_the_store_and_may_have_it_after_a_kill(path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLD_IT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreInUse, match=f"process {other.pid}"):
            Store(path)
        assert holder(path) == other.pid
        with read_only(path) as tx:  # looking is allowed
            assert load_meta(tx, "zone") is None
    finally:
        other.kill()
        other.communicate()
    Store(path).close()


def test_one_process_cannot_open_a_store_twice_either(path: Path) -> None:
    with contextlib.closing(Store(path)), pytest.raises(StoreInUse):
        Store(path)
    Store(path).close()


# Group commit


def test_jobs_that_wait_are_committed_once_together_and_in_order(store: Store) -> None:
    store.start()
    gate = Gate(store)
    waiting = [store.write(insert(number)) for number in range(200)]
    assert store.waiting == 200
    before = store.commits
    gate.open()
    assert [future.result(5) for future in waiting] == [1] * 200
    assert store.commits - before <= 2 + 200 // 20  # the gate's own, then as few as time allows
    assert contents(store) == list(range(200))


def test_a_job_is_answered_only_once_it_is_committed(store: Store, path: Path) -> None:
    store.start()
    store.write(insert("kept")).result(5)
    with read_only(path) as tx:
        assert tx.rows("select content from filler") == [("kept",)]


def test_what_the_outside_waits_for_goes_first_and_sweeps_go_last(store: Store) -> None:
    store.start()
    gate = Gate(store)
    futures = [
        store.write(insert(name), priority)
        for name, priority in (("sweep", LAST), ("event", NORMAL), ("outcome", FIRST))
    ]
    gate.open()
    for future in futures:
        future.result(5)
    assert contents(store) == ["outcome", "event", "sweep"]


def test_a_job_that_raises_is_undone_alone(store: Store) -> None:
    def bad(tx: Transaction) -> None:
        insert("bad")(tx)
        raise LookupError("no such thing")

    def doubled(tx: Transaction) -> None:
        tx.run("insert into customer (id, key) values (1, 'u:ann'), (2, 'u:ann')")

    store.start()
    gate = Gate(store)
    futures: list[Future[Any]] = [
        store.write(insert("a")),
        store.write(bad),
        store.write(doubled),
        store.write(insert("b")),
    ]
    gate.open()
    assert futures[0].result(5) == futures[3].result(5) == 1
    with pytest.raises(LookupError, match="no such thing"):
        futures[1].result(5)
    with pytest.raises(apsw.ConstraintError):
        futures[2].result(5)
    assert contents(store) == ["a", "b"]
    assert store.apply(lambda tx: tx.rows("select * from customer")) == []


def test_a_commit_that_fails_fails_every_job_of_it_and_keeps_nothing(store: Store) -> None:
    store.apply(insert("before"))
    store.start()
    gate = Gate(store)
    futures: list[Future[Any]] = [gate.future, *(store.write(insert(number)) for number in range(3))]
    Broken(store, "commit", times=2)  # the gate's, and that of what waited for it
    gate.open()
    assert all(isinstance(future.exception(5), StoreUnavailable) for future in futures)
    assert contents(store) == ["before"]
    assert store.write(insert("after")).result(5) == 1  # and the writer goes on
    assert contents(store) == ["before", "after"]


@pytest.mark.parametrize("statement", ["begin immediate", "savepoint job"])
def test_a_job_whose_transaction_cannot_go_on_is_answered_and_keeps_nothing(store: Store, statement: str) -> None:
    store.start()
    gate = Gate(store)
    futures = [store.write(insert(number)) for number in range(3)]
    broken = Broken(store, statement)
    gate.open()
    outcomes = [future.exception(5) for future in futures]
    assert broken.times == 0
    assert isinstance(outcomes[0], StoreUnavailable)
    assert contents(store) == [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert store.write(insert("after")).result(5) == 1


def test_a_job_here_and_now_is_undone_whole_when_it_raises_or_its_commit_fails(store: Store) -> None:
    def bad(tx: Transaction) -> None:
        insert("bad")(tx)
        raise LookupError

    with pytest.raises(LookupError):
        store.apply(bad)
    Broken(store, "commit")
    with pytest.raises(StoreUnavailable, match="full"):
        store.apply(insert("lost"))
    assert contents(store) == []
    assert store.apply(insert("kept")) == 1


def test_a_job_that_was_cancelled_in_time_is_not_run(store: Store) -> None:
    store.start()
    gate = Gate(store)
    future = store.write(insert("never"))
    assert future.cancel()
    gate.open()
    store.write(insert("later")).result(5)
    assert contents(store) == ["later"]


# What is remembered


@pytest.mark.parametrize("how", ["raises", "commit fails"])
def test_what_was_remembered_of_undone_rows_is_forgotten(store: Store, how: str) -> None:
    def name_things(tx: Transaction, *, fail: bool) -> tuple[int, dict[str, int]]:
        number = tx.store.ids.take("customer")
        customer_rows.insert_customers(tx, [customer_rows.CustomerRow(number, f"u:{number}", {}, {})])
        names = dict(customer_rows.name_numbers(tx, ["ordered"]))
        if fail and how == "raises":
            raise LookupError
        return number, names

    if how == "commit fails":
        Broken(store, "commit")
    with pytest.raises((LookupError, StoreUnavailable)):
        store.apply(lambda tx: name_things(tx, fail=True))
    assert store.caches == {}
    assert store.apply(lambda tx: name_things(tx, fail=False)) == (1, {"ordered": 1})
    assert store.apply(lambda tx: tx.rows("select id, name from name")) == [(1, "ordered")]
    assert store.apply(lambda tx: name_things(tx, fail=False))[0] == 2


def test_a_job_that_raises_among_others_leaves_the_numbers_of_its_neighbours_right(store: Store) -> None:
    def add(tx: Transaction) -> int:
        number = tx.store.ids.take("customer")
        customer_rows.insert_customers(tx, [customer_rows.CustomerRow(number, f"u:{number}", {}, {})])
        return number

    def bad(tx: Transaction) -> None:
        add(tx)
        raise LookupError

    store.start()
    gate = Gate(store)
    futures: list[Future[Any]] = [store.write(job) for job in (add, bad, add, bad, add)]
    gate.open()
    assert [future.result(5) for future in futures[::2]] == [1, 2, 3]
    assert store.apply(lambda tx: tx.rows("select id from customer order by id")) == [(1,), (2,), (3,)]


# Duplicates


def sent(message_id: str, customer: str) -> Event:
    return Event(message_id=message_id, timestamp=Instant(1_000_000), source="shop", name="ordered", user_id=customer)


def take(store: Store, *events: Event) -> tuple[int, int]:
    running = put(store, book(events=["ordered"]))
    done = store.apply(lambda tx: ingest(tx, running, events, Instant(2_000_000)))
    return done.accepted, done.duplicates


def test_a_hash_only_finds_candidates_and_equality_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(message_id: str) -> int:
        return 7

    monkeypatch.setattr(customer_rows, "hash_id", same)
    monkeypatch.setattr("segue.runtime.ingest.hash_id", same)
    with contextlib.closing(Store(None)) as store:
        assert take(store, sent("m1", "ann"), sent("m2", "ann"), sent("m1", "bob")) == (2, 1)
        assert take(store, sent("m3", "ann"), sent("m2", "bob")) == (1, 1)
        assert store.apply(lambda tx: tx.rows("select hash, message_id from event order by id")) == [
            (7, "m1"),
            (7, "m2"),
            (7, "m3"),
        ]


def test_a_message_id_comes_again_only_once_also_after_a_restart(path: Path) -> None:
    with contextlib.closing(Store(path)) as store:
        assert take(store, sent("m1", "ann")) == (1, 0)
    with contextlib.closing(Store(path)) as store:
        assert take(store, sent("m1", "ann"), sent("M1", "ann")) == (1, 1)


@pytest.mark.parametrize("message_id", ["", "x" * 10_000, "\0", "é", "e\u0301"])
def test_any_message_id_has_a_hash_that_a_column_holds(message_id: str) -> None:
    assert -(2**63) <= customer_rows.hash_id(message_id) < 2**63


# Closing


def test_close_finishes_what_waits_and_refuses_what_comes_after(path: Path) -> None:
    store = Store(path)
    store.apply(lambda tx: tx.run("create table filler (content)"))
    store.start()
    gate = Gate(store)
    waiting = [store.write(insert(number), priority) for number in range(50) for priority in (FIRST, NORMAL, LAST)]
    closing = threading.Thread(target=store.close)
    closing.start()
    gate.open()
    closing.join(10)
    assert not closing.is_alive()
    assert [future.result(0) for future in waiting] == [1] * 150
    with pytest.raises(StoreUnavailable, match="closed"):
        store.write(insert("late")).result(0)
    store.close()  # twice does no harm
    with contextlib.closing(Store(path)) as again:
        assert len(contents(again)) == 150
