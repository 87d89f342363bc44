"""``segue report`` over a store, beside a daemon or without one."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from segue.api import Event, Instant
from segue.api.values import DAY, HOUR
from segue.cli.main import app
from segue.runtime.assembly import assemble
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.store.database import Store

RULES = """\
rule carts "Win back carts"
  when cart_abandoned
  goal ordered within 3d worth total
  send email "reminder"
policy promotional
  budget 10 EUR per 1d
"""
TOML = '[channels.email]\nuse = "console"\nconsent = "opt-out"\ncost = "0.5 EUR"\n'


def segue(*words: str) -> Result:
    return CliRunner().invoke(app, ["report", *words])


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop in which three carts are abandoned, two days ago or less, and two are bought."""
    monkeypatch.chdir(tmp_path)
    Path("segue.toml").write_text(TOML, encoding="utf-8")
    Path("rules").mkdir()
    Path("rules", "a.rules").write_text(RULES, encoding="utf-8")
    assert CliRunner().invoke(app, ["publish"]).exit_code == 0
    store = Store(tmp_path / "segue.db")
    running = store.apply(lambda tx: resume(tx, assemble(tmp_path).setting))
    assert running is not None
    try:
        for event in _events(Instant(time.time_ns() // 1000)):
            store.apply(partial(ingest, running=running, events=[event], now=event.timestamp))
    finally:
        store.close()


def _events(now: Instant) -> Iterator[Event]:
    for place, who in enumerate(("ann", "bob", "eve")):
        begun = Instant(now - 2 * DAY + place * HOUR)
        yield _event(who, "cart_abandoned", begun)
        if who != "eve":
            currency = "EUR" if who == "ann" else "SEK"
            yield _event(who, "ordered", Instant(begun + HOUR), order_id=who, total=40, currency=currency)
    yield _event("ann", "order_refunded", Instant(now - HOUR), order_id="ann", total=15, currency="EUR")
    yield _event("old", "ordered", Instant(now - 20 * DAY), total=99, currency="EUR")


def _event(who: str, name: str, at: Instant, **fields: Any) -> Event:
    return Event(message_id=f"{who} {name}", timestamp=at, source="test", name=name, user_id=who, properties=fields)


def tables(*words: str) -> list[dict[str, Any]]:
    outcome = segue("--json", *words)
    assert outcome.exit_code == 0, outcome.stderr
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_a_page_is_written_and_says_what_happened() -> None:
    outcome = segue("--last", "7d")
    assert outcome.exit_code == 0, outcome.stderr
    assert "report.html" in outcome.stderr
    page = Path("report.html").read_text(encoding="utf-8")
    assert "3 journeys began, 0 messages went out, and 2 goals were met." in page
    assert "2 orders brought €25.00 and SEK\N{NO-BREAK SPACE}40.00, after €15.00 of refunds." in page
    assert "How far they came: Win back carts" in page


def test_a_page_is_written_anew_where_there_is_one_already() -> None:
    Path("week.html").write_text("old", encoding="utf-8")
    assert segue("--out", "week.html").exit_code == 0
    assert "<h1>" in Path("week.html").read_text(encoding="utf-8")


def test_orders_count_by_their_own_time_and_currencies_are_kept_apart() -> None:
    money = [one for one in tables("--last", "7d") if one["table"] == "money"]
    assert [(one["currency"], one["orders"], one["refunds"]) for one in money] == [("EUR", 40, 15), ("SEK", 40, 0)]
    month = next(one for one in tables("--last", "30d") if one["table"] == "money")
    assert month["orders"] == 139


def test_rules_bring_what_their_goals_were_worth() -> None:
    found = {(one["rule"], one["currency"]): one for one in tables() if one["table"] == "rule_results"}
    assert found["carts", "EUR"]["worth"] == 40
    assert found["carts", "EUR"]["entries"] == 3
    assert found["carts", "SEK"]["entries"] is None


def test_every_table_is_a_file_and_no_page_is_written_unless_asked_for() -> None:
    outcome = segue("--csv", "tables")
    assert outcome.exit_code == 0, outcome.stderr
    assert not Path("report.html").exists()
    with Path("tables", "rule_results.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["rule"] == "carts"
    written = {path.stem for path in Path("tables").iterdir()}
    assert written >= {"headline", "days", "channel_results", "budgets", "steps", "attribution", "experiments"}


def test_a_budget_is_shown_with_what_is_spent_of_it() -> None:
    [budget] = [one for one in tables() if one["table"] == "budgets"]
    assert (budget["budget"], budget["spent"], budget["span"]) == (10, 0, "today")


def test_a_folder_without_a_store_is_told_so_in_words() -> None:
    Path("segue.db").unlink()
    outcome = segue()
    assert outcome.exit_code == 1
    assert "there is no database" in outcome.stderr


def test_only_what_the_store_knows_whole_is_compared() -> None:
    """Its first journey began two days ago."""
    now = datetime.now(UTC)

    def page(since: float, until: float) -> str:
        ends = [(now - timedelta(hours=hours)).isoformat() for hours in (since, until)]
        outcome = segue("--since", ends[0], "--until", ends[1])
        assert outcome.exit_code == 0, outcome.stderr
        return Path("report.html").read_text(encoding="utf-8")

    assert "Against the 1 hr before: journeys unchanged" in page(46.5, 45.5)
    assert "the store does not know all of the stretch before" in page(47.5, 0)
