"""The doctor on sources: which there are, what they last brought, and what was rejected."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segue.api import Instant, Rejection
from segue.api.values import DAY, HOUR
from segue.cli.main import app
from segue.store.clocks import ClockState, put_clocks
from segue.store.database import Transaction, change
from segue.store.fetching import put_position
from segue.store.names import add_left_out, put_names
from segue.store.rejections import reject


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor() -> str:
    return CliRunner().invoke(app, ["doctor"]).stdout


def test_it_says_when_a_source_last_brought_something(folder: Path) -> None:
    change(folder / "segue.db", lambda tx: put_position(tx, "crm", "7", Instant(1_790_000_000_000_000)))
    assert "✓ source     crm last brought something at 2026-09-21T14:13:20Z" in doctor()
    assert "✓ source     segment, called over HTTP" in doctor()


def test_two_sources_that_answer_one_path_are_told_apart_from_those_that_work(folder: Path) -> None:
    (folder / "segue.toml").write_text('[sources.site]\nuse = "segment"\n[sources.app]\nuse = "segment"\n')
    said = " ".join(doctor().split())
    assert "✓ source site, called over HTTP" in said
    assert "✗ source sources.app:" in said
    assert "is answered by sources.site already: keep one" in said


def test_what_was_rejected_since_yesterday_is_told_with_what_to_do(folder: Path) -> None:
    present = Instant(time.time_ns() // 1000)

    def job(tx: Transaction) -> None:
        reject(tx, "kafka", [Rejection(reason="No.")] * 2, present)
        reject(tx, "nats", [Rejection(reason="No.")], Instant(present - 2 * DAY))

    change(folder / "segue.db", job)
    said = doctor()
    assert "✓ source     kafka: 2 rejections, the newest at" in said
    assert "segue rejected kafka" in said
    assert "nats: " not in said


def test_a_clock_that_is_wrong_is_told_with_what_to_do(folder: Path) -> None:
    clocks = [
        ClockState("crm", "ahead", 3 * HOUR, 250, Instant(1_790_000_000_000_000)),
        ClockState("erp", "behind", -2 * HOUR, 0, Instant(1_790_000_000_000_000)),
        ClockState("till", "right", 0, 3, Instant(1_790_000_000_000_000)),
        ClockState("former", "ahead", HOUR, 900, Instant(1_790_000_000_000_000)),
    ]
    tables = "".join(f'[sources.{name}]\nuse = "segment"\n' for name in ("crm", "erp", "till"))
    (folder / "segue.toml").write_text(tables, encoding="utf-8")
    change(folder / "segue.db", lambda tx: put_clocks(tx, clocks))
    said = doctor()
    assert "✗ clock      crm: 25% of its events are dated in the future, by about 3.0 hours; noticed at 2026" in said
    assert "✗ clock      erp: its events are dated at least 2.0 hours before they arrive" in said
    assert "set its clock or its time zone right" in said
    assert "clock      till" not in said
    assert "former" not in said


def test_names_too_many_are_told_with_what_to_do(folder: Path) -> None:
    present = Instant(time.time_ns() // 1000)

    def job(tx: Transaction) -> None:
        put_names(tx, [("app", "event", n) for n in range(2000)] + [("till", "trait", n) for n in range(1800)])
        add_left_out(tx, {("app", "event"): 7}, present)
        add_left_out(tx, {("shop", "trait"): 1}, Instant(present - 2 * DAY))

    change(folder / "segue.db", job)
    said = doctor()
    assert "✗ names      app uses 2,000 names of events that nobody declared, and may use 2,000; 7 events " in said
    assert "rejected so far, last at 20" in said
    assert "raise event_names below [limits] in segue.toml" in said
    assert "✓ names      till uses 1,800 names of traits that nobody declared, and may use 2,000" in said
    assert "shop" not in said
