"""A folder that is watched: every row once, wherever a crash comes, and nothing that only looks like a file of it."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import segue_files.reading
from segue.api import Fetched, SourceTools
from segue_files import Config, FolderSource
from segue_files.folder import DONE, REJECTED

TOOLS = SourceTools(source="till")


class Host:
    """What Segue does with the source: commit, then settle. ``crash`` forgets what is not committed."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.config = Config(folder=str(folder), **{"settle": 0, "every": 1, **more})
        self.position: str | None = None
        self.committed: list[str] = []
        self.rejected: list[tuple[str, str]] = []
        self.source = FolderSource(self.config, TOOLS)

    def fetch(self) -> Fetched:
        return asyncio.run(self.source.fetch(self.position))

    def commit(self, fetched: Fetched) -> None:
        self.committed += [event.message_id for event in fetched.events]
        self.rejected += [(one.place, one.reason) for one in fetched.rejections]
        self.position = fetched.position if fetched.position is not None else self.position

    def settle(self, fetched: Fetched) -> None:
        asyncio.run(self.source.settle(fetched))

    def crash(self) -> None:
        asyncio.run(self.source.close())
        self.source = FolderSource(self.config, TOOLS)

    def run(self) -> None:
        """All there is, until it says to come again later."""
        for _ in range(200):
            fetched = self.fetch()
            self.commit(fetched)
            self.settle(fetched)
            if fetched.again >= 1:
                return
        raise AssertionError("it has no end")


def write(folder: Path, name: str, users: Sequence[str], head: str = "user_id,email") -> Path:
    path = folder / name
    path.write_text("\n".join([head, *(f"{user},{user}@example.com" for user in users)]) + "\n", "utf-8")
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_read_and_moved(tmp_path: Path) -> None:
    host = Host(tmp_path)
    write(tmp_path, "a.csv", ["ann", "bob"])
    host.run()
    assert len(host.committed) == 2
    assert names(tmp_path) == {DONE}
    assert names(tmp_path / DONE) == {"a.csv"}


def test_a_file_of_the_same_name_later_is_another_file(tmp_path: Path) -> None:
    host = Host(tmp_path)
    for users in (["ann"], ["bob"], ["bob"]):
        write(tmp_path, "a.csv", users)
        host.run()
    assert len(host.committed) == 3
    assert len(set(host.committed)) == 2
    assert len(names(tmp_path / DONE)) == 2


def test_refused_rows_are_reported_and_the_rest_is_kept(tmp_path: Path) -> None:
    host = Host(tmp_path)
    (tmp_path / "a.csv").write_text('user_id,email\nann,a@x\n,\n"bob,b@x\ncat\ndan,d@x\n', "utf-8")
    host.run()
    assert len(host.committed) == 2
    assert [place for place, _ in host.rejected] == ["a.csv, line 3", "a.csv, line 4", "a.csv, line 5"]
    report = (tmp_path / REJECTED / "a.csv.rejected.csv").read_text("utf-8").splitlines()
    assert report[0] == "file,place,reason,row"
    assert report[1].startswith("a.csv,line 3,")
    assert len(report) == 4


def test_a_file_that_cannot_be_read_is_put_aside_whole(tmp_path: Path) -> None:
    host = Host(tmp_path)
    write(tmp_path, "b.csv", ["ann"])
    (tmp_path / "a.csv").write_text("colour,size\nred,3\n", "utf-8")
    os.utime(tmp_path / "a.csv", (1, 1))
    host.run()
    assert len(host.committed) == 1
    ((place, reason),) = host.rejected
    assert place == "a.csv"
    assert "has no column that says whose its rows are" in reason
    assert names(tmp_path / REJECTED) == {"a.csv"}


def test_files_that_stay_are_remembered_by_their_content(tmp_path: Path) -> None:
    host = Host(tmp_path, after="keep")
    write(tmp_path, "a.csv", ["ann", "bob"])
    host.run()
    host.crash()
    host.run()
    os.utime(tmp_path / "a.csv")
    host.run()
    (tmp_path / "a.csv").rename(tmp_path / "renamed.csv")
    host.run()
    assert len(host.committed) == 2
    write(tmp_path, "renamed.csv", ["ann", "bob", "cat"])
    host.run()
    assert len(set(host.committed)) == 3
    assert names(tmp_path) == {"renamed.csv"}


def test_nothing_is_committed_anew_while_nothing_comes(tmp_path: Path) -> None:
    host = Host(tmp_path, after="keep")
    write(tmp_path, "a.csv", ["ann"])
    host.run()
    idle = host.fetch()
    assert idle == Fetched(again=1)


def test_a_file_counts_once_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("segue_files.folder.time.monotonic", lambda: now)
    host = Host(tmp_path, settle=10)
    path = write(tmp_path, "a.csv", ["ann"])
    write(tmp_path, "b.csv.part", ["ann"])
    write(tmp_path, ".c.csv", ["ann"])
    host.run()
    now = 108.0
    path.write_text(path.read_text() + "bob,b@x\n")
    host.run()
    now = 112.0
    host.run()
    assert host.committed == []
    now = 119.0
    host.run()
    assert len(host.committed) == 2


def test_a_file_with_a_marker_counts_once_that_is_there(tmp_path: Path) -> None:
    host = Host(tmp_path, marker=".done", settle=3600)
    write(tmp_path, "a.csv", ["ann"])
    host.run()
    assert host.committed == []
    (tmp_path / "a.csv.done").touch()
    host.run()
    assert len(host.committed) == 1
    assert names(tmp_path) == {DONE}


def test_links_and_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    secret = write(tmp_path, "secret.csv", ["eve"])
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    host = Host(folder)
    host.run()
    host.run()
    assert host.committed == []
    assert sorted(place for place, _ in host.rejected) == ["folder.csv", "link.csv", "pipe.csv"]


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "drop", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / DONE).symlink_to(elsewhere)
    host = Host(folder)
    write(folder, "a.csv", ["ann"])
    with pytest.raises(ValueError, match="leads elsewhere"):
        host.run()
    assert names(elsewhere) == set()


def test_a_file_that_is_changed_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    host = Host(tmp_path)
    path = write(tmp_path, "a.csv", [f"c{n}" for n in range(1500)])
    host.commit(host.fetch())
    with path.open("a", encoding="utf-8") as file:
        file.write("late,late@example.com\n")
    host.run()
    assert len(set(host.committed)) == 1501
    assert names(tmp_path) == {DONE}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"folder": ""}, "`folder` is missing"),
        ({"folder": "/nowhere/at/all"}, "there is no folder"),
        ({"delimiter": ";;"}, "`delimiter` should be one character"),
        ({"zone": "Mars/Base"}, "`zone` 'Mars/Base' is not a time zone"),
        ({"marker": "../x"}, "`marker` should be an ending"),
        ({"every": -1}, "`every` should be a number of seconds"),
        ({"time_format": "%"}, "`time_format` cannot be used"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        FolderSource(Config(**{"folder": str(tmp_path), **more}), TOOLS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(["commit", "settle", "crash", "crash"]), max_size=25),
    after=st.sampled_from(["move", "keep"]),
)
def test_no_row_is_lost_or_doubled_wherever_a_crash_comes(
    steps: list[str], after: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("drop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segue_files.reading, "PIECE", 3)
        for number in range(3):
            with write(folder, f"{number}.csv", [f"c{number}{n}" for n in range(7)]).open("a") as file:
                file.write(",\n")
        host = Host(folder, after=after)
        for step in steps:
            fetched = host.fetch()
            if step == "crash":
                host.crash()
                continue
            host.commit(fetched)
            if step == "settle":
                host.settle(fetched)
            else:
                host.crash()
        host.run()
        assert Counter(host.committed).most_common(1)[0][1] == 1
        assert len(host.committed) == 21
        assert len(host.rejected) == 3
        for number in range(3):
            report = (folder / REJECTED / f"{number}.csv.rejected.csv").read_text("utf-8").splitlines()
            assert len(report) == 2
