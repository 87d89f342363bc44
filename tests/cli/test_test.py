"""`segue test`: what it shows, writes and answers."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from segue.cli.main import app
from segue.cli.verdicts.timelines import failure
from tests.scenario.trying import try_one

RULE = """rule cart "Win back carts"
  when cart_abandoned
  wait 1h unless ordered
  send email "reminder"
"""
GOOD = """test "a reminder goes out" for cart
  at 0h cart_abandoned
  expect email "reminder" at 1h
"""
BAD = """test "an order stops it" for cart
  at 0h cart_abandoned
  # too late
  at 2h ordered
  expect no messages   # nothing at all
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one rule; its tests are in a file beside it."""
    (tmp_path / "segue.toml").write_text('zone = "Europe/Helsinki"\n', "utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "cart.rules").write_text(RULE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def write(project: Path, text: str) -> Path:
    file = project / "rules" / "cart.test.rules"
    file.write_text(text, "utf-8")
    return file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["test", *arguments])


def test_passing_tests_exit_with_0_and_a_short_summary(project: Path) -> None:
    write(project, GOOD)
    result = run()
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "rules/cart.test.rules  ✓"
    assert lines[-1].startswith("1 test: all passed in ")


def test_a_failing_test_shows_both_timelines_and_exits_with_1(project: Path) -> None:
    write(project, GOOD + BAD)
    result = run()
    assert result.exit_code == 1
    shown = [line.rstrip() for line in result.stdout.splitlines()]
    assert shown[:-1] == [
        "rules/cart.test.rules  ✓✗",
        "",
        "✗ an order stops it",
        "  cart, rules/cart.test.rules:4, on the clock of Europe/Helsinki",
        "",
        "     after    clock              expected       happened",
        "     0h       Mon 5 Jan 09:00                 » cart_abandoned",
        "                                                entered",
        '  ▶  1h       Mon 5 Jan 10:00                 ✗ email "reminder"',
        "                                                finished",
        "     2h       Mon 5 Jan 11:00                 » ordered",
        "     overall                   ✗ no messages",
        "",
        "  rules/cart.test.rules:8",
        "    expect no messages",
        '    email "reminder" at 1h',
        "",
    ]
    assert shown[-1].startswith("2 tests: 1 passed, 1 failed in ")


def test_what_was_expected_stands_beside_what_met_it(project: Path) -> None:
    write(project, GOOD + "  expect email at 5h\n")
    shown = [" ".join(line.split()) for line in run().stdout.splitlines()]
    assert '1h Mon 5 Jan 10:00 ✓ email "reminder" email "reminder"' in shown
    assert "▶ 5h Mon 5 Jan 14:00 ✗ email" in shown


def test_only_tests_with_the_title_run(project: Path) -> None:
    write(project, GOOD + BAD)
    result = run("-k", "REMINDER goes")
    assert result.exit_code == 0
    assert "1 test: all passed" in result.stdout
    assert run("-k", "unheard of").exit_code == 2


def test_a_path_chooses_tests_and_the_rules_of_the_project_stay(project: Path) -> None:
    write(project, BAD)
    other = project / "rules" / "more.test.rules"
    other.write_text(GOOD.replace("a reminder", "the reminder"), "utf-8")
    assert run("rules/more.test.rules").exit_code == 0
    assert run("rules").exit_code == 1
    assert run("nowhere.rules").exit_code == 2


def test_a_rule_with_an_error_is_told_and_the_tests_of_the_others_run(project: Path) -> None:
    write(project, GOOD)
    (project / "rules" / "broken.rules").write_text("rule broken when signed_up wait 1x send email\n", "utf-8")
    result = run()
    assert result.exit_code == 1
    assert "rules/cart.test.rules  ✓" in result.stdout
    assert "1 error in the rules" in result.stdout
    assert "broken.rules" in result.stderr


def test_no_tests_are_no_mistake(project: Path) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout == "no tests\n"


def test_json_has_a_line_for_each_test_with_all_its_decisions(project: Path) -> None:
    write(project, GOOD + BAD)
    result = run("--json")
    assert result.exit_code == 1
    good, bad = (json.loads(line) for line in result.stdout.splitlines())
    assert (good["test"], good["outcome"], good["unmet"]) == ("a reminder goes out", "passed", [])
    assert [one["decision"] for one in good["decisions"]] == ["entered", "sent", "finished"]
    assert good["decisions"][1] | {"key": ""} == {
        "after": "1h",
        "at": "2026-01-05T08:00:00Z",
        "customer": "the customer",
        "rule": "cart",
        "key": "",
        "decision": "sent",
        "channel": "email",
        "message": "reminder",
        "reason": None,
    }
    assert bad["unmet"] == [{"line": 8, "expected": "expect no messages", "reason": 'email "reminder" at 1h'}]


def test_junit_counts_failures_and_has_the_timelines(project: Path) -> None:
    write(project, GOOD + BAD + 'test "odd 💌 & <title>" for cart at 0h opened expect no sms\n')
    assert run("--junit", "report.xml").exit_code == 1
    root = ElementTree.parse(project / "report.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "3", "1", "1")
    (suite,) = root
    assert suite.get("name") == "rules/cart.test.rules"
    assert [case.get("name") for case in suite] == ["a reminder goes out", "an order stops it", "odd 💌 & <title>"]
    assert [case.get("classname") for case in suite] == ["cart", "cart", "cart"]
    failed = suite[1].find("failure")
    assert failed is not None
    assert failed.get("message") == 'expect no messages: email "reminder" at 1h'
    assert "▶  1h" in (failed.text or "")
    error = suite[2].find("error")
    assert error is not None
    assert "nothing to react to" in (error.get("message") or "")


def test_update_rewrites_what_fails_and_then_all_passes(project: Path) -> None:
    file = write(project, GOOD + BAD)
    result = run("--update")
    assert result.exit_code == 0, result.output
    assert file.read_text("utf-8") == GOOD + BAD.replace("expect no messages", 'expect email "reminder" at 1h')
    assert "rewrote expectations in rules/cart.test.rules" in result.stderr
    assert run().exit_code == 0


def test_update_keeps_line_ends_and_leaves_good_files_alone(project: Path) -> None:
    file = project / "rules" / "cart.test.rules"
    file.write_bytes((GOOD + BAD).replace("\n", "\r\n").encode())
    assert run("--update").exit_code == 0
    assert file.read_bytes().count(b"\r\n") == (GOOD + BAD).count("\n")
    before = file.stat().st_mtime_ns
    assert run("--update").exit_code == 0
    assert file.stat().st_mtime_ns == before


def test_coverage_names_what_no_test_took_and_rules_without_a_test(project: Path) -> None:
    write(project, GOOD)
    (project / "rules" / "other.rules").write_text("rule other when signed_up send email\n", "utf-8")
    result = run("--coverage")
    assert result.exit_code == 0
    shown = [line.rstrip() for line in result.stdout.splitlines()]
    assert shown[2:6] == [
        "rule     tests  steps  ways",
        "cart         1    2/2   0/1",
        "  rules/cart.rules:3  unless ordered: it came true",
        "other  no test    0/1   0/0",
    ]
    lines = [json.loads(line) for line in run("--coverage", "--json").stdout.splitlines()]
    assert lines[1] == {
        "coverage": "cart",
        "file": "rules/cart.rules",
        "tests": 1,
        "steps": 2,
        "steps_taken": 2,
        "ways": 1,
        "ways_taken": 0,
        "steps_missed": [],
        "ways_missed": [{"line": 3, "way": "unless ordered: it came true"}],
    }
    assert lines[2]["coverage"] == "other"


def test_watching_runs_again_after_each_change_and_outlives_mistakes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(project, GOOD)
    edits = [BAD, "test oh no\n", GOOD, None]

    def sleep(_: float) -> None:
        edit = edits.pop(0)
        if edit is None:
            raise KeyboardInterrupt
        file.write_text(edit, "utf-8")

    monkeypatch.setattr("segue.cli.test.time.sleep", sleep)
    result = run("--watch")
    assert result.exit_code == 0, result.output
    summaries = [line for line in result.stdout.splitlines() if "passed" in line or "failed" in line or "error" in line]
    assert [line.partition(" in ")[0] for line in summaries] == [
        "1 test: all passed",
        "1 test: 0 passed, 1 failed",
        "no tests; 1 error",
        "1 test: all passed",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_timelines_fit_their_terminal_and_lose_nothing(
    width: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    long = "a_long_name_" * 8
    (project / "rules" / "long.rules").write_text(
        f'rule long when cart_abandoned wait 40d send email "{long}"\n'
        'test "one" for long at 0h cart_abandoned total 60 expect no messages\n',
        "utf-8",
    )
    result = run()
    assert max(map(len, result.stdout.splitlines())) <= width
    assert long in "".join(result.stdout.split())


def test_colour_is_for_terminals_only() -> None:
    outcome = try_one(RULE, "at 0h cart_abandoned expect no messages")
    shown = {}
    for terminal in (True, False):
        console = Console(force_terminal=terminal, color_system="auto", highlight=False, _environ={"TERM": "xterm"})
        with console.capture() as captured:
            console.print(failure(outcome))
        shown[terminal] = captured.get()
    assert "\x1b[1;31m" in shown[True]
    assert "\x1b" not in shown[False]


def test_a_narrow_terminal_does_without_the_clock(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "44")
    write(project, GOOD + BAD)
    lines = [line.split() for line in run().stdout.splitlines()]
    assert ["after", "expected", "happened"] in lines
    assert not any("clock" in line and "after" in line for line in lines)
