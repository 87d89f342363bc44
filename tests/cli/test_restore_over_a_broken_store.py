"""``segue restore`` where it is needed most: over a store that cannot be opened."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segue.cli.main import app
from segue.store import books
from segue.store.database import Store, back_up, hold_lock


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    (folder / "rules").mkdir(parents=True)
    (folder / "segue.toml").write_text('database = "segue.db"\n', encoding="utf-8")
    monkeypatch.chdir(folder)
    with contextlib.closing(Store(folder / "segue.db")) as store:
        store.apply(lambda tx: books.put_meta(tx, "mark", "of the backup"))
    back_up(folder / "segue.db", tmp_path / "backup.db")
    return folder


def mark(path: Path) -> str | None:
    with contextlib.closing(Store(path)) as store:
        return store.apply(lambda tx: books.load_meta(tx, "mark"))


def restore(backup: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["restore", str(backup), "--hold"])
    return result.exit_code, result.output


def test_a_store_that_is_no_database_any_more_is_replaced_and_kept(project: Path, tmp_path: Path) -> None:
    (project / "segue.db").write_bytes(b"\0broken" * 5000)
    code, said = restore(tmp_path / "backup.db")
    assert code == 0, said
    assert mark(project / "segue.db") == "of the backup"
    assert (project / "segue.db.before-restore-1").read_bytes().startswith(b"\0broken")


def test_a_store_of_a_newer_segue_is_replaced(project: Path, tmp_path: Path) -> None:
    with contextlib.closing(Store(project / "segue.db")) as store:
        store._connection.execute("pragma user_version = 9999")
    code, said = restore(tmp_path / "backup.db")
    assert code == 0, said
    assert mark(project / "segue.db") == "of the backup"


def test_what_the_log_of_a_killed_daemon_holds_is_kept_with_its_store(project: Path, tmp_path: Path) -> None:
    with contextlib.closing(Store(project / "segue.db")) as store:
        store.apply(lambda tx: books.put_meta(tx, "mark", "only in the log"))
        for suffix in ("", "-wal"):
            shutil.copyfile(project / f"segue.db{suffix}", tmp_path / f"killed.db{suffix}")
    for suffix in ("", "-wal"):
        shutil.copyfile(tmp_path / f"killed.db{suffix}", project / f"segue.db{suffix}")
    code, said = restore(tmp_path / "backup.db")
    assert code == 0, said
    assert mark(project / "segue.db") == "of the backup"
    assert mark(project / "segue.db.before-restore-1") == "only in the log"


def test_a_log_left_by_a_restore_that_was_cut_off_is_not_read_into_the_next(project: Path, tmp_path: Path) -> None:
    with contextlib.closing(Store(project / "segue.db")) as store:
        store.apply(lambda tx: books.put_meta(tx, "mark", "of the log"))
        shutil.copyfile(project / "segue.db-wal", project / "segue.db.restoring-wal")
    code, said = restore(tmp_path / "backup.db")
    assert code == 0, said
    assert mark(project / "segue.db") == "of the backup"
    assert not list(project.glob("*.restoring*"))


def test_a_damaged_backup_changes_nothing(project: Path, tmp_path: Path) -> None:
    (tmp_path / "backup.db").write_bytes(b"\0broken" * 5000)
    code, said = restore(tmp_path / "backup.db")
    assert code == 1
    assert "nothing was restored" in said
    assert mark(project / "segue.db") == "of the backup"
    assert not list(project.glob("*.restoring*"))


def test_a_store_in_use_is_not_replaced(project: Path, tmp_path: Path) -> None:
    with hold_lock(project / "segue.db"):
        code, said = restore(tmp_path / "backup.db")
    assert code == 1
    assert "in use" in said
