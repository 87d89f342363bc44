"""``segue rejected``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.api import Instant, Rejection
from segue.cli.main import app
from segue.store.database import change
from segue.store.rejections import reject

Ask = Callable[..., Result]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "segue.toml").write_text('zone = "Europe/Helsinki"\n[sources.quiet]\nuse = "segment"\n')
    return lambda *arguments: CliRunner().invoke(app, ["rejected", *arguments])


def keep(folder: Path, source: str, count: int = 1, reason: str = "`event` is missing.", dropped: int = 0) -> None:
    found = [
        Rejection(place=f"orders[0] @ {n}", reason=reason, raw=b'{"type": "track", "writeKey": "k"}')
        for n in range(count)
    ]
    at = Instant(1_790_000_000_000_000)
    change(folder / "segue.db", lambda tx: reject(tx, source, found, at, dropped))


def test_it_shows_when_where_and_why_and_what_to_do(ask: Ask, tmp_path: Path) -> None:
    keep(tmp_path, "kafka", 2)
    done = ask()
    assert done.exit_code == 0
    head, first, second, *rest = done.stdout.splitlines()
    assert head.split() == ["when", "(Europe/Helsinki)", "where", "why"]
    assert first.split("  ")[0] == "2026-09-21 17:13:20"
    assert "orders[0] @ 1" in first
    assert first.rstrip().endswith("`event` is missing.")
    assert "orders[0] @ 0" in second
    assert any(line.startswith("2 rejections.") for line in rest)
    assert any(line.startswith("Next: ") for line in rest)


def test_several_sources_are_told_apart_and_one_can_be_asked_for(ask: Ask, tmp_path: Path) -> None:
    keep(tmp_path, "kafka")
    keep(tmp_path, "nats")
    assert [line.split()[0] for line in ask().stdout.splitlines()[:3]] == ["source", "nats", "kafka"]
    assert "nats" not in ask("kafka").stdout
    assert "Nothing of quiet was rejected." in ask("quiet").stdout


def test_more_than_are_shown_are_counted(ask: Ask, tmp_path: Path) -> None:
    keep(tmp_path, "kafka", 30, dropped=1_000)
    assert "the newest 20 of 30; 1,030 ever, of which the rest is counted only." in ask().stdout
    assert "the newest 5 of 30" in ask("--limit", "5").stdout


def test_json_has_one_a_line_and_raw_only_when_asked_for(ask: Ask, tmp_path: Path) -> None:
    keep(tmp_path, "kafka")
    (line,) = ask("--json").stdout.splitlines()
    assert json.loads(line) == {
        "source": "kafka",
        "at": "2026-09-21T14:13:20Z",
        "place": "orders[0] @ 0",
        "reason": "`event` is missing.",
    }
    (line,) = ask("--json", "--raw").stdout.splitlines()
    assert json.loads(line)["raw"] == '{"type": "track", "writeKey": "***"}'


def test_raw_shows_each_as_it_came_without_steering_the_terminal(ask: Ask, tmp_path: Path) -> None:
    keep(tmp_path, "kafka", reason="\x1b[31mred\x1b[0m")
    shown = ask("--raw").stdout
    assert '"writeKey": "***"' in shown
    assert "\x1b" not in shown


def test_an_unknown_source_is_a_usage_error_that_names_the_known(ask: Ask, tmp_path: Path) -> None:
    keep(tmp_path, "kafka")
    done = ask("kafak")
    assert done.exit_code == 2
    assert "no source kafak: there are kafka, quiet" in done.stderr


def test_nothing_rejected_is_said(ask: Ask, tmp_path: Path) -> None:
    change(tmp_path / "segue.db", lambda tx: None)
    assert ask().stdout == "Nothing was rejected.\n"
