"""``segue fmt``: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from segue.cli.fmt import fmt
from segue.language import formatting

APP = typer.Typer()
APP.command()(fmt)

LOOSE = "when  a\n  send email # mail\n"
TIDY = "when a\n  send email  # mail\n"
WRONG = "when  a send\n"


def run(*args: str, given: bytes | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, args, input=given)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/loose.rules").write_text(LOOSE)
    (tmp_path / "rules/tidy.rules").write_text(TIDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_projects_rules_are_formatted(folder: Path) -> None:
    (folder / "segue.toml").write_text('rules = "rules"\n')
    assert run() == (0, "rules/loose.rules\n", "2 files: 1 formatted\n")
    assert (folder / "rules/loose.rules").read_text() == TIDY
    assert run() == (0, "", "2 files: all good\n")


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(folder: Path) -> None:
    file = folder / "rules/loose.rules"
    file.chmod(0o640)
    link = folder / "linked.rules"
    link.symlink_to(file)
    assert run("linked.rules")[0] == 0
    assert link.is_symlink()
    assert file.read_text() == TIDY
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in (folder / "rules").iterdir()) == ["loose.rules", "tidy.rules"]


def test_what_is_formatted_is_not_written_again(folder: Path) -> None:
    file = folder / "rules/tidy.rules"
    before = file.stat()
    assert run("rules/tidy.rules")[0] == 0
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_check_lists_what_would_change_and_writes_nothing(folder: Path) -> None:
    assert run("--check", "rules") == (1, "rules/loose.rules\n", "2 files: 1 would change\n")
    assert (folder / "rules/loose.rules").read_text() == LOOSE
    assert run("--check", "rules/tidy.rules") == (0, "", "1 file: all good\n")


def test_diff_shows_what_would_change_and_writes_nothing(folder: Path) -> None:
    (folder / "rules/loose.rules").write_bytes(LOOSE.rstrip("\n").encode())
    code, out, err = run("--diff", "rules")
    assert (code, err) == (1, "2 files: 1 would change\n")
    assert out == (
        "--- rules/loose.rules\n"
        "+++ rules/loose.rules\n"
        "@@ -1,2 +1,2 @@\n"
        "-when  a\n"
        "-  send email # mail\n"
        "\\ No newline at end of file\n"
        "+when a\n"
        "+  send email  # mail\n"
    )
    assert (folder / "rules/loose.rules").read_text() == LOOSE.rstrip("\n")


def test_a_mistake_is_shown_and_its_file_left_alone_while_others_are_formatted(folder: Path) -> None:
    (folder / "rules/wrong.rules").write_text(WRONG)
    code, out, err = run("rules")
    assert (code, out) == (1, "rules/loose.rules\n")
    assert "E0205" in err
    assert "rules/wrong.rules:1:9" in err
    assert err.endswith("3 files: 1 formatted, 1 left alone\n")
    assert (folder / "rules/wrong.rules").read_text() == WRONG


def test_a_file_that_is_no_text_is_left_alone(folder: Path) -> None:
    (folder / "rules/loose.rules").write_bytes(b"when \xff")
    code, _, err = run("rules")
    assert code == 1
    assert "E0107" in err
    assert (folder / "rules/loose.rules").read_bytes() == b"when \xff"


def test_json_has_a_line_for_each_file(folder: Path) -> None:
    (folder / "rules/wrong.rules").write_text(WRONG)
    code, out, err = run("--diff", "--json", "rules")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (1, "")
    assert [line["file"] for line in lines if "file" in line] == [
        *("rules/loose.rules", "rules/tidy.rules", "rules/wrong.rules")
    ]
    assert [line["code"] for line in lines if "code" in line] == ["E0205"]
    assert lines[0]["changed"]
    assert not lines[0]["written"]
    assert lines[0]["diff"].startswith("--- rules/loose.rules\n")
    assert json.loads(run("--json", "rules/loose.rules")[1]) == {
        "file": "rules/loose.rules",
        "changed": True,
        "written": True,
        "diff": None,
    }


def test_standard_input_goes_to_standard_output() -> None:
    assert run("-", given=LOOSE.encode()) == (0, TIDY, "")
    assert run("-", "--check", given=LOOSE.encode()) == (1, "", "")
    assert run("-", "--check", given=TIDY.encode()) == (0, "", "")
    assert "+when a\n" in run("-", "--diff", given=LOOSE.encode())[1]


def test_standard_input_with_a_mistake_comes_out_as_it_went_in() -> None:
    code, out, err = run("-", given=WRONG.encode())
    assert (code, out) == (1, WRONG)
    assert "E0205" in err
    result = CliRunner().invoke(APP, ["-"], input=b"when \xff")
    assert (result.exit_code, result.stdout_bytes) == (1, b"when \xff")


def test_wrong_usage_is_told(folder: Path) -> None:
    assert run("nowhere.rules") == (2, "", "segue: nowhere.rules: there is no such file or folder\n")
    (folder / "empty").mkdir()
    assert run("empty") == (2, "", "segue: no *.rules files under empty; `segue init` makes a first one\n")
    assert run("-", "rules", given=b"")[0] == 2
    assert run("-", "--json", given=b"")[0] == 2
    (folder / "segue.toml").write_text("rules = 5\n")
    assert run()[0] == 2


def test_a_write_that_fails_leaves_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = run("rules/loose.rules")
    assert (code, out) == (1, "")
    assert err == ("segue: rules/loose.rules: No space left on device; it stays as it was\n1 file: 1 left alone\n")
    assert (folder / "rules/loose.rules").read_text() == LOOSE
    assert sorted(path.name for path in (folder / "rules").iterdir()) == ["loose.rules", "tidy.rules"]


def test_a_fault_of_the_formatter_is_told_and_damages_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "lay_out", lambda _, known: ("when another send email\n", known))
    code, _, err = run("rules/loose.rules")
    assert code == 1
    assert "E0108" in err
    assert (folder / "rules/loose.rules").read_text() == LOOSE
