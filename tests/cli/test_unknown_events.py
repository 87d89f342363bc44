"""Events that only segue.toml names: the check and the doctor say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.cli.main import app
from segue.store.customers import name_numbers
from segue.store.database import Store

SETTINGS = """[retention]
events = "forever"
{name} = "2y"
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.rules").write_text('event paid_by_card is "card_paid"\nwhen cart_abandoned send sms\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, project: Path, name: str, rest: str = "") -> Result:
    (project / "segue.toml").write_text(SETTINGS.format(name=name) + rest, "utf-8")
    return CliRunner().invoke(app, [command])


@pytest.mark.parametrize("name", ["ordered", "paid_by_card", "arrived_once"])
def test_what_rules_or_plugins_know_or_what_arrived_is_not_told(project: Path, name: str) -> None:
    store = Store(project / "segue.db")
    store.apply(lambda tx: name_numbers(tx, ["arrived_once"]))
    store.close()
    assert "retention" not in run("check", project, name).stderr
    assert "retention" not in run("doctor", project, name).stdout


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("orderd", "did you mean ordered?"),
        ("card_paid", "did you mean paid_by_card?"),
        ("flurb", "mend it, or declare it in your rules where it is still to come: event flurb"),
    ],
)
def test_a_name_that_nobody_knows_is_told_with_its_line_and_does_not_keep_rules_from_being_published(
    project: Path, name: str, advice: str
) -> None:
    found = f"retention names {name}, an event that no rule and no plugin knows and that never arrived"
    checked = run("check", project, name)
    assert f"segue: {project}/segue.toml:3: {found}; {advice}\n" in checked.stderr
    assert checked.exit_code == 0
    told = run("doctor", project, name)
    assert f"✗ settings   {project}/segue.toml:3: {found}\n{'':13}{advice}\n" in told.stdout
    assert told.exit_code == 1


def test_so_is_an_event_that_is_to_erase(project: Path) -> None:
    checked = run("check", project, "ordered", '[privacy]\nerase_on = ["customer_redcat"]\n')
    assert "segue.toml:5: privacy.erase_on names customer_redcat" in checked.stderr
    assert "did you mean customer_redact?" in checked.stderr


def test_a_part_of_the_rules_or_wrong_ones_say_nothing_about_names(project: Path) -> None:
    run("check", project, "flurb")
    assert "flurb" not in CliRunner().invoke(app, ["check", "a.rules"]).stderr
    (project / "b.rules").write_text("when", "utf-8")
    assert "flurb" not in CliRunner().invoke(app, ["check"]).stderr
