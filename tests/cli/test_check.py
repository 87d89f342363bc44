"""``segue check``: its formats, its fixes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.cli.fixing import FileChanged, difference, write
from segue.cli.main import app
from segue.language.book import Source

DECLARED = "event ordered\n  total money\n"
WRONG = (
    DECLARED + "rule a when ordered where total == 5\n"
    "  Wait 2 days; send email “hello” with n = total\n"
    'rule b when orderd send email "x"\n'
)
MENDED = (
    DECLARED + "rule a when ordered where total = 5\n"
    '  wait 2d send email "hello" with n = total\n'
    'rule b when orderd send email "x"\n'
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("hello", "x"):
        home = tmp_path / "rules" / "messages" / name
        home.mkdir(parents=True)
        (home / "email.txt").write_text("---\nsubject: Hi\n---\nHi {{ unsubscribe_url }}", "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def put(shop: Path, text: str) -> Path:
    path = shop / "rules" / "a.rules"
    path.write_bytes(text.encode())
    return path


def test_a_clean_book_ends_with_0(shop: Path) -> None:
    put(shop, DECLARED + 'when ordered send email "hello" then email "x"')
    result = run()
    assert result.exit_code == 0
    assert result.stderr == "1 rule in 1 file: all good\n"


def test_a_wrong_book_ends_with_1_and_says_what_can_be_done(shop: Path) -> None:
    put(shop, WRONG)
    result = run("--format", "concise")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "3 errors in 1 file; 0 rules without errors\n2 can be fixed by `segue check --fix`\n"
        "`segue explain E0201` says more about a code\n"
    ), result.stderr


@pytest.mark.parametrize("style", ["github", "sarif", "json"])
def test_formats_for_programs_stand_alone_on_standard_output(shop: Path, style: str) -> None:
    put(shop, WRONG)
    result = run("--format", style, str(shop / "rules"))
    assert result.exit_code == 1
    assert result.stderr == ""
    assert "rules/a.rules" in result.stdout
    assert str(shop) not in result.stdout


def test_a_format_that_does_not_exist_is_wrong_usage(shop: Path) -> None:
    result = run("--format", "xml")
    assert result.exit_code == 2
    assert "there are full, concise, json, github and sarif" in result.stderr


def test_fix_mends_the_file_and_shows_what_is_left(shop: Path) -> None:
    path = put(shop, WRONG)
    path.chmod(0o640)
    result = run("--fix")
    assert path.read_text("utf-8") == MENDED
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == ["a.rules"]
    assert result.exit_code == 1
    assert result.stderr.startswith("5 fixed in 1 file\nerror[E0301]: I don't know the event `orderd`\n")


def test_fix_that_leaves_nothing_ends_with_0(shop: Path) -> None:
    put(shop, WRONG.replace("orderd", "ordered"))
    assert run("--fix").exit_code == 0
    assert run("--fix").stderr == "2 rules in 1 file: all good\n"


def test_diff_shows_what_fix_would_change_and_writes_nothing(shop: Path) -> None:
    path = put(shop, WRONG)
    result = run("--fix", "--diff")
    assert path.read_text("utf-8") == WRONG
    assert result.exit_code == 1
    assert "-rule a when ordered where total == 5\n" in result.stdout
    assert "+rule a when ordered where total = 5\n" in result.stdout
    assert "5 can be fixed in 1 file\n" in result.stderr


def test_diff_of_warnings_alone_ends_with_1_only_where_something_would_change(shop: Path) -> None:
    put(shop, DECLARED + 'when ordered Send email "hello"')
    assert run("--fix", "--diff").exit_code == 1
    put(shop, DECLARED + 'when ordered send email "hello"')
    assert run("--fix", "--diff").exit_code == 0


def test_diff_without_fix_is_wrong_usage(shop: Path) -> None:
    assert run("--diff").exit_code == 2


def test_fix_in_json_gives_a_line_for_each_fix_before_what_is_left(shop: Path) -> None:
    put(shop, WRONG)
    lines = [json.loads(line) for line in run("--fix", "--json").stdout.splitlines()]
    assert [line.get("fixed") for line in lines] == ["E0201", "E0101", "E0201", "E0207", "E0105", None]
    assert lines[0] == {
        "fixed": "E0201",
        "file": "rules/a.rules",
        "line": 3,
        "column": 33,
        "message": "one `=` is enough",
        "fix": "write `=`",
    }
    assert lines[-1]["code"] == "E0301"


def test_a_file_behind_a_link_is_mended_and_the_link_stays(shop: Path) -> None:
    path = put(shop, WRONG)
    real = shop / "real.txt"
    path.rename(real)
    path.symlink_to(real)
    run("--fix")
    assert path.is_symlink()
    assert real.read_text("utf-8") == MENDED


def test_a_file_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.rules"
    path.write_text("mine", "utf-8")
    with pytest.raises(FileChanged):
        write(Source(str(path), "before"), Source(str(path), "after"))
    assert path.read_text("utf-8") == "mine"


def test_a_file_that_cannot_be_written_is_told_and_the_command_ends_with_1(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(shop, DECLARED + 'when ordered Send email "hello"')

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    result = run("--fix")
    assert result.exit_code == 1
    assert f"segue: {Path('rules', 'a.rules')} cannot be written: Permission denied\n" in result.stderr
    assert "Send" in path.read_text("utf-8")
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == ["a.rules"]


def test_a_write_protected_file_stays_as_it_is(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(shop, DECLARED + 'when ordered Send email "hello"')
    # A test may run as root, who may write every file.
    monkeypatch.setattr("os.access", lambda *_: False)
    result = run("--fix")
    assert result.exit_code == 1
    assert "cannot be written: it is write-protected\n" in result.stderr
    assert "Send" in path.read_text("utf-8")


def test_a_difference_is_a_patch_also_without_a_last_line_end() -> None:
    assert difference(Source("a", "x\r\nWhen"), Source("a", "x\r\nwhen")) == (
        "--- a\n+++ a\n@@ -1,2 +1,2 @@\n x\r\n"
        "-When\n\\ No newline at end of file\n+when\n\\ No newline at end of file\n"
    )
