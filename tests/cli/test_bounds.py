"""The bounds of each rule, as `segue check` shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.cli.main import app

RULES = """\
customer
  renewal date
policy promotional
  quiet 21:00 to 08:00 Europe/Helsinki
  limit 5 messages per 7d
  budget 200 EUR per 1d
when cart_abandoned wait 1d unless ordered send email then sms
rule later when cart_abandoned
  wait until customer.renewal + 9h
  set customer.renewal = now
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(text: str, *arguments: str) -> Result:
    Path("a.rules").write_text(text, "utf-8")
    return CliRunner().invoke(app, ["check", *arguments])


def test_a_table_shows_messages_length_and_what_holds_them_back() -> None:
    result = check(RULES)
    assert result.exit_code == 0
    head, first, second = result.stdout.splitlines()
    assert head.split("  ")[0] == "rule"
    assert " ".join(first.split()) == (
        "cart_abandoned 2: 1 email, 1 sms 3d quiet 21:00 to 08:00 Europe/Helsinki, limit 5 messages per 7d, "
        "budget 200 EUR per 1d, leaves 5 a week"
    )
    assert " ".join(second.split()) == "later none until the date on line 9"


def test_channels_that_stand_for_each_other_come_to_more_than_goes_out() -> None:
    assert "  2: up to 2 email, 1 sms  " in check('when cart_abandoned send email then email "b" or sms').stdout


def test_without_a_policy_there_is_no_column_for_it() -> None:
    assert "held back" not in check("when cart_abandoned send email").stdout


def test_a_book_that_is_wrong_and_one_with_many_rules_show_it_only_when_asked() -> None:
    assert check("when cart_abandoned send email\nwhen orderd send email").stdout == ""
    many = "\n".join(f"rule r{number} when cart_abandoned send email" for number in range(21))
    assert check(many).stdout == ""
    assert len(check(many, "--bounds").stdout.splitlines()) == 22


def test_the_same_as_json() -> None:
    first, second = (json.loads(line) for line in check(RULES, "--json", "--bounds").stdout.splitlines())
    assert first == {
        "rule": "cart_abandoned",
        "messages": 2,
        "by_channel": {"email": 1, "sms": 1},
        "longest": "3d",
        "dates": [],
        "policies": ["quiet 21:00 to 08:00 Europe/Helsinki", "limit 5 messages per 7d", "budget 200 EUR per 1d"],
        "a_week": 5,
    }
    assert (second["longest"], second["dates"], second["a_week"]) == (None, [9], None)
    assert check(RULES, "--json").stdout == ""
