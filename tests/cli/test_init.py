from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from segue.cli.init import init
from segue.host.plugins import discover
from segue.host.project import load_project
from segue.messages import load_messages, render
from segue.runtime.assembly import assemble, check

APP = typer.Typer()
APP.command()(init)

FILES = [
    ".gitignore",
    "rules/cart_recovery/cart_recovery.rules",
    "rules/cart_recovery/messages/cart_abandoned/email.html",
    "rules/cart_recovery/messages/cart_abandoned/email.txt",
    "rules/cart_recovery/messages/cart_abandoned/sms.txt",
    "segue.toml",
]


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, args)
    return result.exit_code, result.stdout, result.stderr


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_project_is_made_in_a_new_folder(tmp_path: Path) -> None:
    code, out, _ = run(str(tmp_path / "my shop"))
    assert code == 0
    assert written(tmp_path / "my shop") == FILES
    assert f"cd '{tmp_path / 'my shop'}'" in out
    assert "segue run" in out


def test_a_project_is_made_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run()
    assert code == 0
    assert written(tmp_path) == FILES
    assert "cd " not in out


def test_nothing_is_overwritten_and_nothing_is_half_made(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text("# mine")
    code, out, err = run(str(tmp_path))
    assert (code, out) == (1, "")
    assert str(tmp_path / "segue.toml") in err
    assert written(tmp_path) == ["segue.toml"]
    assert (tmp_path / "segue.toml").read_text() == "# mine"


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert run(str(tmp_path))[0] == 0
    assert written(tmp_path) == sorted(["README.md", *FILES])


def test_a_link_to_nowhere_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").symlink_to(tmp_path / "elsewhere")
    assert run(str(tmp_path))[0] == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("place", ["shop", "shop/below"])
def test_a_file_in_a_folders_place_is_wrong_usage(tmp_path: Path, place: str) -> None:
    (tmp_path / "shop").write_text("a file")
    code, _, err = run(str(tmp_path / place))
    assert code == 2
    assert "a folder is needed" in err


def test_json_names_each_file(tmp_path: Path) -> None:
    code, out, _ = run(str(tmp_path), "--json")
    assert code == 0
    created = [Path(json.loads(line)["created"]).relative_to(tmp_path).as_posix() for line in out.splitlines()]
    assert sorted(created) == FILES


def test_a_project_can_begin_with_themes_of_the_gallery(tmp_path: Path) -> None:
    code, out, _ = run(str(tmp_path), "--theme", "survey", "--theme", "birthday", "--theme", "contact_policy")
    assert code == 0
    made = written(tmp_path)
    assert {".gitignore", "segue.toml", "rules/survey/survey.rules", "rules/survey/survey.test.rules"} <= set(made)
    assert "rules/contact_policy/contact_policy.rules" in made
    assert not any("cart_recovery" in path for path in made), "a theme takes the first rule's place"
    assert "edit rules/survey/survey.rules" in out
    assert check(assemble(tmp_path)).diagnostics == ()


def test_a_theme_is_added_to_a_project_where_its_rules_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "segue.toml").write_text('rules = "journeys"\n')
    (tmp_path / "journeys").mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("--theme", "birthday")
    assert code == 0
    assert "edit journeys/birthday/birthday.rules" in out
    assert all(path == "segue.toml" or path.startswith("journeys/birthday/") for path in written(tmp_path))
    before = written(tmp_path)
    code, _, err = run("--theme", "birthday", "--theme", "welcome")
    assert code == 1
    assert "birthday.rules" in err
    assert written(tmp_path) == before


def test_a_theme_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    code, out, err = run(str(tmp_path / "shop"), "--theme", "christmas")
    assert (code, out) == (2, "")
    assert "christmas" in err
    assert "weekly_digest" in err
    assert not (tmp_path / "shop").exists()


def test_a_project_that_cannot_be_read_gets_no_theme(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text("rules = 7")
    code, _, err = run(str(tmp_path), "--theme", "welcome")
    assert code == 2
    assert "rules" in err
    assert written(tmp_path) == ["segue.toml"]


def test_the_project_is_one_that_segue_reads(tmp_path: Path) -> None:
    run(str(tmp_path))
    project = load_project(tmp_path)
    assert project.configured
    assert project.rules == (tmp_path / "rules").resolve()
    assert project.channels == {}
    assert project.sources["segment"].settings == {"write_keys": ["segue"]}


def test_the_channels_that_are_commented_out_are_correct(tmp_path: Path) -> None:
    run(str(tmp_path))
    text = (tmp_path / "segue.toml").read_text()
    (tmp_path / "segue.toml").write_text(re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE))
    channels = load_project(tmp_path).channels
    assert set(channels) == {"email", "sms"}
    plugins = discover()
    for settings in channels.values():
        spec = plugins.channels[settings.use]
        assert settings.consent == "opt-in"
        assert isinstance(msgspec.convert(settings.settings | {"password": "secret"}, spec.config), spec.config)


def test_the_rule_is_the_canonical_sentence(tmp_path: Path) -> None:
    run(str(tmp_path))
    lines = (tmp_path / "rules/cart_recovery/cart_recovery.rules").read_text().splitlines()
    sentence = [line for line in lines if line and not line.startswith("#")]
    assert sentence == ["when cart_abandoned wait 1d unless ordered send email then sms"]


def test_the_messages_render_with_and_without_what_is_known(tmp_path: Path) -> None:
    run(str(tmp_path))
    catalogue = load_messages([tmp_path / "rules"])
    assert catalogue.problems == ()
    email = catalogue.find("cart_abandoned", "email")
    sms = catalogue.find("cart_abandoned", "sms")
    assert email is not None
    assert sms is not None
    known = render(email, {"customer": {"first_name": "Ann"}, "event": {"total": 60, "currency": "EUR"}})
    assert known["subject"] == "Ann, your cart is waiting"
    assert "(€60.00)" in known["text"]
    assert "(€60.00)" in known["html"]
    assert render(email, {})["subject"] == "Hello, your cart is waiting"
    assert len(render(sms, {})["text"]) <= 160
