"""``segue explain``: rules in plain words, and the pages of codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segue.cli import explain as module
from segue.cli.main import app
from segue.diagnostics import CODES, page, title


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("written", ["E0301", "e0301"])
def test_a_code_shows_its_page(written: str) -> None:
    assert run(written) == (0, page("E0301"), "")


def test_a_code_as_json_has_its_page() -> None:
    code, out, _ = run("W0704", "--json")
    assert code == 0
    assert json.loads(out) == {
        "code": "W0704",
        "severity": "warning",
        "title": "The same message twice",
        "family": "Advice on a rule",
        "page": page("W0704"),
    }


def test_without_a_code_all_are_listed() -> None:
    code, out, _ = run()
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == list(CODES)
    assert all(title(one).replace("`", "") in out for one in CODES)
    lines = [json.loads(line) for line in run("--json")[1].splitlines()]
    assert [line["code"] for line in lines] == list(CODES)


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    code, out, err = run("E0399")
    assert (code, out) == (2, "")
    assert err.startswith("segue: there is no code E0399; did you mean E03")


def test_in_a_terminal_a_page_is_laid_out(capsys: pytest.CaptureFixture[str]) -> None:
    module._show(page("E0301"))
    out = capsys.readouterr().out
    assert out.startswith("E0301: An unknown name ")
    assert "```" not in out
    assert "when cart_abandonned send email" in out


# Rules

SENTENCE = "when cart_abandoned wait 1d unless ordered send email then sms"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "segue.toml").write_text('zone = "Europe/Helsinki"\n')
    (tmp_path / "carts.rules").write_text(SENTENCE)
    return tmp_path


def records(*arguments: str) -> list[dict[str, object]]:
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_a_rule_is_told_with_dates_for_a_customer_who_does_nothing(shop: Path) -> None:
    lines = records("cart_abandoned", "--at", "2026-10-24T12:00+00:00")
    sample = [(one["at"], one["text"]) for one in lines if one["part"] == "sample"]
    assert sample == [
        ("2026-10-24T12:00:00Z", "enters"),
        ("2026-10-24T12:00:00Z", "Wait 1 day"),
        ("2026-10-25T13:00:00Z", 'email "cart_abandoned"'),  # the clocks went back: the same time of day
        ("2026-10-25T13:00:00Z", 'sms "cart_abandoned"'),
        ("2026-10-25T13:00:00Z", "finished"),
    ]


def test_the_seventeen_questions_are_answered_or_left_open_with_the_clause_that_would(shop: Path) -> None:
    questions = {one["number"]: one for one in records("cart_abandoned") if one["part"] == "question"}
    assert sorted(questions, key=str) == sorted(range(1, 18), key=str)
    assert questions[9]["answer"] == "At most 2 messages in one journey."
    assert (questions[2]["answer"], questions[2]["clause"]) == (None, "expect 100 per 1d")
    assert questions[14]["answer"] == "Wherever segue-segment sends the events from."


@pytest.mark.parametrize(
    ("head", "begins"),
    [
        ("when cart_abandoned where total > 1000", "2026-11-27T09:00:00Z"),
        ("when customer enters lapsed", "2026-11-27T09:00:00Z"),
        ('when customer.plan changes to "gold"', "2026-11-27T09:00:00Z"),
        ("when 3d before customer.birthday at 09:00", "2026-11-27T09:00:00Z"),
        ("every monday at 09:00 for lapsed", "2026-11-30T07:00:00Z"),
        ("every year on customer.birthday at 09:00", "2026-11-27T09:00:00Z"),
        ("on 2026-12-01 at 08:00 Europe/Paris for lapsed", "2026-12-01T07:00:00Z"),
    ],
)
def test_every_kind_of_rule_has_a_sample_customer(shop: Path, head: str, begins: str) -> None:
    (shop / "carts.rules").write_text(
        f"segment lapsed where ordered ever\nrule r {head} wait 2h send email as transactional"
    )
    sample = [one for one in records("r", "--at", "2026-11-27T09:00+00:00") if one["part"] == "sample"]
    assert (sample[0]["at"], sample[0]["text"]) == (begins, "enters")
    assert [one["text"] for one in sample[-2:]] == ['email "r"', "finished"]


def test_a_rule_in_the_terminal_has_its_parts_in_order(shop: Path) -> None:
    code, out, _ = run("cart_abandoned")
    assert code == 0
    places = [
        out.index(part)
        for part in (
            "A journey begins when cart_abandoned happens.",
            "Step by step",
            "Wait 1 day.",
            "A customer who enters and does nothing",
            'email "cart_abandoned"',
            "The seventeen questions",
            "left open: expect 100 per 1d",
        )
    ]
    assert places == sorted(places)


def test_a_rule_that_is_not_there_is_answered_with_the_nearest(shop: Path) -> None:
    code, out, err = run("cart_abandonned")
    assert (code, out) == (2, "")
    assert "did you mean cart_abandoned?" in err


def test_a_rule_with_errors_says_what_they_are(shop: Path) -> None:
    (shop / "carts.rules").write_text("rule broken when cart_abandoned wait 1d unless orderd send email")
    code, _, err = run("broken")
    assert code == 2
    assert "E0301" in err
    assert "there is no rule without errors named broken" in err
