"""The database file: opening, migrating and locking it, and the one thread that writes.

All writes go through `Store.write`. The writer takes whatever waits, runs it in one transaction, commits once, and only
then answers: the price of the disk's sync is shared by all that waited (group commit). A job that raises is undone
alone, by its savepoint; a commit that fails fails every job of its transaction.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from importlib import resources
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import apsw
import msgspec

from segue.customers import normal
from segue.customers.identity import address_key
from segue.customers.suppression import comparable
from segue.store.checkpoints import Checkpointer
from segue.store.errors import StoreError, StoreInUse, StoreTooNew, StoreUnavailable

T = TypeVar("T")

FIRST: Final = 0
"""Priority of claims and outcomes: what the outside waits for."""
NORMAL: Final = 1
LAST: Final = 2
"""Priority of sweeps and other work that can wait."""

_HOLD: Final = 0.04
"""Seconds that a transaction goes on taking jobs for, so that none holds the writer for long."""


class Transaction:
    """What a job may do: run statements on the writing connection. Valid only until the job returns."""

    __slots__ = ("_connection", "store")

    def __init__(self, store: Store | _View, connection: apsw.Connection) -> None:
        self.store = store
        self._connection = connection

    def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query, with its values by place or by name."""
        return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one after the other, for what is too much to hold."""
        return iter(self._connection.execute(sql, values))

    def named(self, sql: str, values: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns of a query by name, and all its rows."""
        cursor = self._connection.execute(sql, values)
        rows: list[tuple[Any, ...]] = []
        columns: list[str] = []
        for row in cursor:
            columns = columns or [name for name, _ in cursor.get_description()]
            rows.append(row)
        return columns, rows

    def row(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query, None where there is none."""
        return self._connection.execute(sql, values).fetchone()

    def run(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run one statement that inserts, updates or deletes, with its values by place or by name; how many rows it
        changed."""
        self._connection.execute(sql, values)
        return self._connection.changes()

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(sql, values)


class Store:
    """An open store: SQLite in WAL with synchronous=FULL, one writer thread, readers of their own."""

    def __init__(self, path: Path | None, *, durable: bool = True) -> None:
        """``path`` None keeps everything in memory (rule tests, replay). Without ``durable`` nothing is synced: for
        data that can be made again. Raises StoreInUse, StoreTooNew, StoreUnavailable."""
        self.path = path
        self._lock = _lock(path) if path is not None else None
        self._jobs: queue.PriorityQueue[tuple[int, int, Any, Any]] = queue.PriorityQueue()
        self._count = 0
        self._counting = threading.Lock()
        self.commits = 0
        self.longest = 0.0
        try:
            self._connection = _connect(path, durable)
            _migrate(self._connection)
        except apsw.Error as error:
            self._unlock()
            raise StoreUnavailable(f"{path}: {error}") from error
        except StoreError:
            self._unlock()
            raise
        self.ids = _Ids(self._connection)
        self.caches: dict[str, dict[Any, Any]] = {}
        self._closed = False
        self._thread: threading.Thread | None = None
        self._checkpointer: Checkpointer | None = None

    def start(self) -> None:
        """Start the writer thread; before this, `apply` runs jobs in the caller's."""
        if self.path is not None:
            with contextlib.suppress(apsw.Error):  # then the writer does its checkpoints itself
                self._checkpointer = Checkpointer(self.path, self._connection)
        self._thread = threading.Thread(target=self._serve, name="segue-store", daemon=True)
        self._thread.start()

    def write(self, job: Callable[[Transaction], T], priority: int = NORMAL) -> Future[T]:
        """Have the job run in the writer's next transaction. The future is done once that is committed; it fails with
        what the job raised, or with StoreUnavailable where the commit failed."""
        future: Future[T] = Future()
        with self._counting:
            if self._closed:
                future.set_exception(StoreUnavailable("the store is closed"))
                return future
            self._count += 1
            self._jobs.put((priority, self._count, job, future))
        return future

    def apply(self, job: Callable[[Transaction], T]) -> T:
        """Run one job in a transaction of its own, here and now. Only where no writer thread runs: commands,
        tests, replay."""
        if self._thread is not None:
            return self.write(job).result()
        transaction = Transaction(self, self._connection)
        try:
            self._connection.execute("begin immediate")
            try:
                outcome = job(transaction)
            except BaseException:
                self._roll_back()
                raise
            self._connection.execute("commit")
            self.commits += 1
        except apsw.Error as error:
            self._roll_back()
            raise StoreUnavailable(str(error)) from error
        return outcome

    @property
    def waiting(self) -> int:
        """How many jobs wait for the writer."""
        return self._jobs.qsize()

    def reader(self) -> apsw.Connection:
        """A connection for reading beside the writer; close it after use."""
        if self.path is None:
            raise StoreError("a store in memory has no second connection")
        return open_reader(self.path)

    def close(self) -> None:
        """Finish what waits, then close. Safe to call twice."""
        with self._counting:
            if self._closed:
                return
            self._closed = True
            self._jobs.put((LAST + 1, self._count + 1, None, None))
        if self._thread is not None:
            self._thread.join()
        if self._checkpointer is not None:
            self._checkpointer.close()
        with contextlib.suppress(apsw.Error):
            self._connection.execute("pragma optimize")
        self._connection.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _serve(self) -> None:
        while True:
            _, _, job, future = self._jobs.get()
            if job is None:
                return
            if not self._transact(job, future):
                return

    def _transact(self, job: Any, future: Any) -> bool:
        """Run the job and whatever else waits in one transaction; False when asked to stop."""
        done: list[tuple[Future[Any], Any]] = []
        going_on = True
        began = time.monotonic()
        transaction = Transaction(self, self._connection)
        try:
            self._connection.execute("begin immediate")
            last = began
            while True:
                self._run_job(transaction, job, future, done)
                now = time.monotonic()
                if now - began + (now - last) > _HOLD:  # the next job is likely to take as long as this one
                    break
                last = now
                try:
                    _, _, job, future = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    going_on = False
                    break
            self._connection.execute("commit")
        except apsw.Error as error:
            self._roll_back()
            unavailable = StoreUnavailable(str(error))
            unavailable.__cause__ = error
            for waiting, _ in done:
                waiting.set_exception(unavailable)
            if all(future is not waiting for waiting, _ in done):
                with contextlib.suppress(InvalidStateError):  # done already, or cancelled this moment
                    future.set_exception(unavailable)
            return going_on
        self.commits += 1
        self.longest = max(self.longest, time.monotonic() - began)
        for waiting, outcome in done:
            waiting.set_result(outcome)
        return going_on

    def _run_job(self, transaction: Transaction, job: Any, future: Any, done: list[tuple[Future[Any], Any]]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        self._connection.execute("savepoint job")
        try:
            outcome = job(transaction)
        except apsw.ConstraintError as error:
            self._undo_job()
            future.set_exception(error)
        except apsw.Error:
            raise
        except BaseException as error:
            self._undo_job()
            future.set_exception(error)
        else:
            self._connection.execute("release job")
            done.append((future, outcome))

    def _undo_job(self) -> None:
        self._connection.execute("rollback to job")
        self._connection.execute("release job")
        self.forget()

    def _roll_back(self) -> None:
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("rollback")
        self.forget()

    def forget(self) -> None:
        """Drop what was remembered of the database's content: it may have been undone."""
        self.caches.clear()
        self.ids.forget()


class _Ids:
    """The next free row numbers, remembered so that a batch can name its rows before it writes them."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._next: dict[str, int] = {}

    def take(self, table: str) -> int:
        """A fresh row number of a table; numbers grow in the order of writing."""
        number = self._next.get(table)
        if number is None:
            last = (
                "select coalesce(max(id), 0) as id from {0} union all select last from numbered where \"table\" = '{0}'"
            )
            number = _number(self._connection, f"select max(id) from ({last.format(table)})") + 1
        self._next[table] = number + 1
        return number

    def forget(self) -> None:
        self._next.clear()


def _number(connection: apsw.Connection, sql: str) -> int:
    """What a query answers that gives one whole number."""
    number = connection.execute(sql).get
    assert isinstance(number, int)
    return number


def _lock(path: Path) -> IO[str]:
    """Hold the store's lock for this process. The kernel lets go of it when the process ends in any way."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = open(path.with_name(path.name + ".lock"), "a+", encoding="utf-8")  # noqa: SIM115 - held as long as the store
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror or error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        handle.close()
        raise StoreInUse(
            f"{path} is in use by another Segue (process {holder}): stop it first, or set another `database`"
        ) from error
    with contextlib.suppress(OSError):  # a full disk must not keep the daemon from starting: the lock itself holds
        os.ftruncate(handle.fileno(), 0)
        os.write(handle.fileno(), str(os.getpid()).encode())  # by no buffer, whose rest would fail again at closing
    return handle


@contextlib.contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Keep every other process from a store without opening it: it may be damaged, or too new to be read. Raises
    StoreInUse, StoreUnavailable."""
    with contextlib.closing(_lock(path)):
        yield


def library_version() -> str:
    """The version of SQLite that is in use: the driver brings its own."""
    return apsw.sqlite_lib_version()


def holder(path: Path) -> int | None:
    """The process that holds a store; None where it cannot be told."""
    try:
        return int(path.with_name(path.name + ".lock").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _connect(path: Path | None, durable: bool) -> apsw.Connection:
    connection = apsw.Connection(str(path) if path is not None else ":memory:", statementcachesize=500)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {'full' if durable else 'off'}")
    connection.execute("pragma cache_size = -131072")  # KiB: the indexes of a million customers come in at random
    connection.execute("pragma temp_store = memory")
    connection.execute("pragma secure_delete = on")  # what is deleted is overwritten: an erasure leaves no remains
    connection.set_busy_timeout(5000)
    connection.execute("pragma wal_autocheckpoint = 1000")
    return connection


@contextlib.contextmanager
def read_only(path: Path, *, much: bool = False) -> Iterator[Transaction]:
    """One consistent look at a database that may be in use: all queries see the same moment. Nothing can be written.
    Who reads ``much`` of it does so through the system's own pages, and twice as fast."""
    view = _View()
    with contextlib.closing(open_reader(path)) as connection:
        if much:
            connection.execute(f"pragma mmap_size = {2**40}")
        view.ids = _Ids(connection)
        try:
            connection.execute("begin")
            yield Transaction(view, connection)
        except apsw.Error as error:
            raise StoreUnavailable(f"{path}: {_other_schema(connection) or error}") from error


def beside(store: Store, job: Callable[[Transaction], T]) -> T:
    """Read beside the writer of an open store; one in memory has nothing beside it."""
    if store.path is None:
        return store.write(job, LAST).result()
    with read_only(store.path) as tx:
        return job(tx)


class _View:
    """What a transaction of a reader has in place of a store."""

    def __init__(self) -> None:
        self.caches: dict[str, dict[Any, Any]] = {}
        self.ids: _Ids


def open_reader(path: Path) -> apsw.Connection:
    """A read-only connection to a database file. Raises StoreUnavailable where there is none."""
    if not path.exists():
        raise StoreUnavailable(f"there is no database at {path}: `segue run` makes it")
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5000)
        return connection
    except apsw.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def change(path: Path, job: Callable[[Transaction], T]) -> T:
    """Run one short job in a transaction of its own, whether a daemon holds the store or not. A store that there is not
    yet, or of an older schema, is made ready first. Raises StoreError."""
    try:
        with contextlib.closing(Store(path)) as store:
            return store.apply(job)
    except StoreInUse:
        pass
    view = _View()
    try:
        with contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.set_busy_timeout(10_000)
            connection.execute("pragma secure_delete = on")
            view.ids = _Ids(connection)
            connection.execute("begin immediate")
            done = job(Transaction(view, connection))
            connection.execute("commit")
            return done
    except apsw.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def empty_log(path: Path) -> bool:
    """Bring everything from the write-ahead log into the file and cut the log to nothing, so that no earlier content of
    a page is left in it. False where somebody reads an older state just now: ask again later."""
    try:
        with contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.execute("pragma wal_checkpoint(passive)").fetchall()  # the long part, beside the writer
            connection.set_busy_timeout(20)
            row = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            return row is not None and row[0] == 0
    except apsw.BusyError:
        return False
    except apsw.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def release_hold(path: Path) -> bool:
    """Take away the hold of a restored store, in use or not. Whether it was held."""
    try:
        with contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
            connection.set_busy_timeout(10_000)
            connection.execute("delete from meta where name = 'hold'")
            return connection.changes() > 0
    except apsw.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def back_up(path: Path, target: Path) -> None:
    """Copy a database, in use or not, to ``target``, which must not exist. Goes in pieces,
    so that the writer goes on."""
    if target.exists():
        raise StoreError(f"{target} exists already: give another name")
    partial = target.with_name(target.name + ".partial")
    _discard(partial)  # what an earlier backup left that was cut off
    try:
        _copy(path, partial)
        with open(partial, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(partial, target)
    except (apsw.Error, OSError) as error:
        raise StoreUnavailable(f"{target}: {_describe(error)}") from error
    finally:
        _discard(partial)


def _discard(partial: Path) -> None:
    """Remove a copy that is not whole, and its journal: SQLite would play that into the next file of this name."""
    for leftover in (partial, partial.with_name(partial.name + "-journal")):
        leftover.unlink(missing_ok=True)


def _describe(error: Exception) -> str:
    """What went wrong with a copy: SQLite's backup says "not an error" of errors of the file it writes."""
    if isinstance(error, apsw.FullError):
        return "the disk is full"
    text = str(error)
    return "reading or writing failed" if text == "not an error" else text


def _copy(path: Path, target: Path) -> None:
    with contextlib.closing(open_reader(path)) as source, contextlib.closing(apsw.Connection(str(target))) as copy:
        # One moment is held throughout: else every commit of the writer would have the copy begin anew.
        source.execute("begin")
        source.execute("select count(*) from meta").get  # noqa: B018 - the moment is that of the first look
        with copy.backup("main", source, "main") as pieces:
            while not pieces.done:
                pieces.step(4096)
                time.sleep(0.005)
        copy.execute("pragma journal_mode = delete")


def migrations() -> Iterator[tuple[int, str]]:
    """The migrations in order: number and SQL."""
    folder = resources.files("segue.store") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            yield int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8")


def _derived_zone(*values: Any) -> str | None:
    """The zone that the JSON of a customer's traits tells."""
    return normal.derived_zone(msgspec.json.decode(values[0]))


_FUNCTIONS: Final = {
    "known_zone": (lambda *values: normal.zone(values[0]), 1),
    "derived_zone": (_derived_zone, 1),
    "address_key": (lambda *values: address_key(values[0], values[1]), 2),
    "comparable": (lambda *values: comparable(values[0], values[1]), 2),
}
"""What the migrations call."""


def _other_schema(connection: apsw.Connection) -> str:
    """Why a query fails that asks for what this version knows, where the database is of another."""
    with contextlib.suppress(apsw.Error):
        current, newest = _number(connection, "pragma user_version"), max(number for number, _ in migrations())
        if current != newest:
            cure = "start `segue run` anew, which brings it up to date" if current < newest else "install the newer one"
            return f"the database has schema {current}, and this version of Segue reads {newest}: {cure}"
    return ""


def _migrate(connection: apsw.Connection) -> None:
    """Bring the schema to this version: each migration in one transaction with its number,
    so a kill in between leaves a whole one."""
    for name, (function, values) in _FUNCTIONS.items():
        connection.create_scalar_function(name, function, values, deterministic=True)
    current = _number(connection, "pragma user_version")
    known = list(migrations())
    if current > known[-1][0]:
        raise StoreTooNew(
            f"the database has schema {current}, this Segue knows up to {known[-1][0]}: "
            "install the newer version, or restore a backup"
        )
    for number, sql in known:
        if number > current:
            connection.execute(f"begin immediate;\n{sql}\npragma user_version = {number};\ncommit;")
