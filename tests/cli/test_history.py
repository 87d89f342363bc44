"""``segue history`` and going back with ``segue publish --version``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.cli.main import app
from segue.store import books
from segue.store.database import read_only


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "segue.toml").write_text('database = "segue.db"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ann")
    return tmp_path  # type: ignore[return-value]


def segue(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def write(project: Path, text: str, file: str = "a") -> None:
    (project / "rules" / f"{file}.rules").write_text(text, encoding="utf-8")


@pytest.fixture
def two_versions(project: Path) -> Path:
    write(project, "event paid\nrule one when paid wait 1d stop\n")
    assert segue("publish").output == "+ one\n1 rule published\n"
    write(project, "event paid\nrule one when paid wait 2d stop\nrule two when paid stop\n")
    assert segue("publish").output == "+ two\n~ one\n2 rules published\n"
    return project


def test_versions_are_listed_with_when_who_and_what_changed(two_versions: Path) -> None:
    lines = segue("history").output.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "+", "~", "1", "+"]
    assert lines[0].endswith("  ann")
    assert lines[1:3] == ["  + two", "  ~ one"]
    records = [json.loads(line) for line in segue("history", "--json").output.splitlines()]
    assert [(one["version"], one["added"], one["changed"], one["removed"]) for one in records] == [
        (2, ["two"], ["one"], []),
        (1, ["one"], [], []),
    ]


def test_the_time_is_that_of_the_project_s_zone_and_says_so(two_versions: Path) -> None:
    in_utc = json.loads(segue("history", "--json").output.splitlines()[0])["at"]
    (two_versions / "segue.toml").write_text('database = "segue.db"\nzone = "Asia/Tokyo"\n', encoding="utf-8")
    shown = segue("history").output.splitlines()[0]
    at = datetime.fromisoformat(in_utc) + timedelta(hours=9)
    assert f"{at:%Y-%m-%d %H:%M:%S} Asia/Tokyo  ann" in shown


def test_a_version_shows_its_difference_to_the_one_before(two_versions: Path) -> None:
    said = segue("history", "2").output
    assert "-rule one when paid wait 1d stop" in said
    assert "+rule one when paid wait 2d stop" in said
    assert "+rule two when paid stop" in said
    assert " event paid" in said
    assert "difference" in json.loads(segue("history", "2", "--json").output)


def test_the_first_version_is_all_new(two_versions: Path) -> None:
    said = segue("history", "1").output
    assert "--- /dev/null" in said
    assert "+rule one when paid wait 1d stop" in said


def test_a_version_that_there_is_not_is_a_usage_error(two_versions: Path) -> None:
    assert segue("history", "7").exit_code == 2
    assert "there are 1 to 2" in segue("history", "7").output
    assert segue("publish", "--version", "7").exit_code == 2


def test_without_a_store_history_says_so(project: Path) -> None:
    said = segue("history")
    assert (said.exit_code, "there is no database" in said.output) == (1, True)


def test_going_back_is_an_edit_like_any_other(two_versions: Path) -> None:
    said = segue("publish", "--version", "1")
    assert said.exit_code == 0
    assert said.output.splitlines()[:3] == ["~ one", "- two", "1 rule published"]
    with read_only(two_versions / "segue.db") as tx:
        assert books.last_publication(tx) == 3
        assert books.load_sources(tx, 3) == books.load_sources(tx, 1)
    assert segue("publish").output == "+ two\n~ one\n2 rules published\n"


def test_going_back_to_what_cannot_run_any_more_changes_nothing(two_versions: Path) -> None:
    write(two_versions, "event other\nwhen other stop\n")
    (two_versions / "segue.toml").write_text('database = "segue.db"\ncurrency = "SEK"\n', encoding="utf-8")
    assert segue("publish", "--version", "2").exit_code == 0
    with read_only(two_versions / "segue.db") as tx:
        assert set(books.load_book(tx)) == {"one", "two"}


def test_a_segment_that_changes_is_a_change(project: Path) -> None:
    write(project, "event paid\nsegment payers where paid\nrule one when paid for payers stop\n")
    assert segue("publish").output == "+ one\n+ payers\n1 rule published\n"
    write(project, "event paid\nsegment payers where paid at least 2 times\nrule one when paid for payers stop\n")
    assert segue("publish").output == "~ payers\n1 rule published\n"
    assert segue("publish").output == "Nothing changed.\n"
