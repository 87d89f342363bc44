"""The doctor on who is who: identifiers that too many share, and traits that were kept out."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from segue.api import Instant
from segue.cli.main import app
from segue.store.database import Transaction, change
from segue.store.identity import put_crowded
from segue.store.traits import put_refused


def test_it_names_what_links_nobody_and_what_was_kept_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    at = Instant(1_790_000_000_000_000)

    def job(tx: Transaction) -> None:
        put_crowded(tx, ["p:+358401234567", "x:loyalty:0"], at)
        put_refused(tx, {("age", "crm", "no number"): 3}, at)

    change(tmp_path / "segue.db", job)
    said = CliRunner().invoke(app, ["doctor"]).stdout
    assert "✓ identity   phone number +358401234567 links nobody since 2026-09-21T14:13:20Z: too many have it" in said
    assert "✓ identity   loyalty 0 links nobody" in said
    assert "✓ traits     age: 3 from crm kept out: no number" in said
    assert "raise most_links" in said
