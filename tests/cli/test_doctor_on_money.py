"""The doctor on budgets that cannot hold anything back."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from segue.api import Instant
from segue.cli.main import app
from segue.runtime.assembly import assemble, check
from segue.runtime.publishing import publish
from segue.store.database import Store

RULES = "policy promotional budget 200 EUR per 1d\nwhen cart_abandoned send sms"


def doctor(folder: Path, monkeypatch: pytest.MonkeyPatch, channels: str) -> str:
    """What the doctor says of a project whose rules are published."""
    (folder / "a.rules").write_text(RULES, encoding="utf-8")
    (folder / "segue.toml").write_text(f'zone = "UTC"\n{channels}', encoding="utf-8")
    monkeypatch.chdir(folder)
    store = Store(folder / "segue.db")
    store.apply(lambda tx: publish(tx, check(assemble(folder)).checked.book, Instant(0), "test"))
    store.close()
    return CliRunner().invoke(app, ["doctor"]).stdout


def test_a_budget_without_any_cost_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = doctor(tmp_path, monkeypatch, '[channels.sms]\nuse = "console"\n')
    assert "✗ budget     budget 200 EUR per 1d (promotional): no channel has a cost, so nothing is ever spent" in said
    assert 'write cost = "0.06 EUR" below [channels.NAME]' in said


def test_a_cost_in_another_currency_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = doctor(tmp_path, monkeypatch, '[channels.sms]\nuse = "console"\ncost = "0.60 SEK"\n')
    assert "not counted, since it costs in another currency: sms" in said
    assert "give their cost in EUR in segue.toml" in said


def test_a_budget_with_a_cost_in_its_currency_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "✗ budget" not in doctor(tmp_path, monkeypatch, '[channels.sms]\nuse = "console"\ncost = "0.06 EUR"\n')
