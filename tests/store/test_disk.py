"""A full disk: what was not kept is said, nothing half is kept, and it goes on by itself once there is room."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.store.database import Store, Transaction, back_up, read_only
from segue.store.errors import StoreUnavailable

ROW = b"x" * 10_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(options, capture_output=True, text=True, timeout=20, check=False)
        said = mounted.stderr.strip() if mounted.returncode else ""
    except OSError as error:
        said = str(error)
    if said:
        pytest.skip(f"a small disk needs the right to mount one: {said}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], timeout=20, check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Something else takes what room there is, but for ``leave`` bytes."""
    ballast = disk / "ballast"
    state = os.statvfs(disk)
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as handle:
        for _ in range(max(0, state.f_bavail * state.f_frsize - leave) // 4096):
            handle.write(b"b" * 4096)
    return ballast


def insert(number: int) -> Callable[[Transaction], int]:
    return lambda tx: tx.run("insert into filler values (?, ?)", (number, ROW))


def numbers(store: Store) -> list[int]:
    return [number for (number,) in store.apply(lambda tx: tx.rows("select number from filler order by number"))]


@pytest.mark.parametrize("threaded", [True, False], ids=["in the writer", "here and now"])
def test_every_row_that_was_acknowledged_is_there_and_no_other(disk: Path, threaded: bool) -> None:
    store = Store(disk / "segue.db")
    store.apply(lambda tx: tx.run("create table filler (number, content)"))
    if threaded:
        store.start()
    kept: list[int] = []
    refusals: set[str] = set()
    for number in range(600):
        try:
            store.apply(insert(number))
        except StoreUnavailable as error:
            refusals.add(str(error))
        else:
            kept.append(number)
    assert 0 < len(kept) < 500
    assert refusals
    assert all("full" in refusal for refusal in refusals)
    assert numbers(store) == kept
    store.close()
    with contextlib.closing(Store(disk / "segue.db")) as again:
        assert numbers(again) == kept
        assert again.apply(lambda tx: tx.row("pragma integrity_check")) == ("ok",)


def test_it_goes_on_by_itself_once_there_is_room(disk: Path) -> None:
    store = Store(disk / "segue.db")
    store.apply(lambda tx: tx.run("create table filler (number, content)"))
    store.start()
    store.write(insert(0)).result(10)
    ballast = fill(disk)
    lost = [store.write(insert(number)) for number in range(1, 30)]
    assert all(isinstance(future.exception(10), StoreUnavailable) for future in lost)
    assert numbers(store) == [0]
    with read_only(disk / "segue.db") as tx:  # looking still goes
        assert tx.rows("select number from filler") == [(0,)]
    ballast.unlink()
    assert store.write(insert(99)).result(10) == 1
    assert numbers(store) == [0, 99]
    store.close()


def test_a_store_with_rows_opens_on_a_full_disk_and_tells_of_it_at_the_first_write(disk: Path) -> None:
    with contextlib.closing(Store(disk / "segue.db")) as store:
        store.apply(lambda tx: tx.run("create table filler (number, content)"))
        store.apply(insert(0))
    ballast = fill(disk, leave=65_536)  # the index of the write-ahead log must fit
    with contextlib.closing(Store(disk / "segue.db")) as store:
        assert numbers(store) == [0]
        fill(disk)
        with pytest.raises(StoreUnavailable):
            store.apply(insert(1))
        ballast.unlink()
        assert store.apply(insert(99)) == 1


def test_a_new_store_on_a_full_disk_is_refused_in_words(disk: Path) -> None:
    ballast = fill(disk)
    with pytest.raises(StoreUnavailable, match=r"segue\.db"):
        Store(disk / "segue.db")
    ballast.unlink()
    Store(disk / "segue.db").close()


def test_a_backup_that_does_not_fit_leaves_nothing_and_harms_nothing(disk: Path, tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        store.apply(lambda tx: tx.run("create table filler (number, content)"))
        for number in range(600):
            store.apply(insert(number))
        with pytest.raises(StoreUnavailable, match="full"):
            back_up(tmp_path / "segue.db", disk / "copy.db")
        assert list(disk.iterdir()) == []
        assert len(numbers(store)) == 600
