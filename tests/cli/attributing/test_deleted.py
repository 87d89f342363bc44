"""What was deleted by age is missing from figures on the past, and no figure shows that: it is said beside them."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from segue.api import Event, Instant
from segue.api.values import DAY
from segue.cli.main import app
from segue.runtime.assembly import assemble
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.runtime.retaining import retain, sorts_of
from segue.store.database import Store

RULES = "rule hello\n  when signed_up\n  goal ordered within 3d worth total\n  send email\n"
TOML = '[channels.email]\nuse = "console"\nconsent = "opt-out"\n'
NOW = Instant(time.time_ns() // 1000)


def segue(*words: str) -> str:
    outcome = CliRunner().invoke(app, [*words], env={"COLUMNS": "300"})
    assert outcome.exit_code == 0, outcome.stderr
    page = Path("report.html")
    return " ".join((outcome.stdout + (page.read_text(encoding="utf-8") if words[0] == "report" else "")).split())


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop of eighty days, in each of which somebody visits it and orders."""
    monkeypatch.chdir(tmp_path)
    Path("segue.toml").write_text(TOML, encoding="utf-8")
    Path("rules").mkdir()
    Path("rules", "a.rules").write_text(RULES, encoding="utf-8")
    segue("publish")
    _with_store(_fill)


def _with_store(work: Any) -> None:
    store = Store(Path("segue.db"))
    assembly = assemble(Path.cwd())
    try:
        work(store, store.apply(lambda tx: resume(tx, assembly.setting)), assembly.project.retention)
    finally:
        store.close()


def _fill(store: Store, running: Any, _keeping: Any) -> None:
    for day in range(80, 0, -1):
        at = Instant(NOW - day * DAY)
        events = [
            Event(
                message_id=f"{name}{day}", timestamp=at, source="web", name=name, user_id=f"c{day}", properties=fields
            )
            for name, fields in (("page_viewed", {}), ("ordered", {"total": 10}))
        ]
        store.apply(partial(ingest, running=running, events=events, now=at))


def keep(**spans: str) -> None:
    """Have retention delete what is older."""
    lines = "".join(f'{name} = "{span}"\n' for name, span in spans.items())
    Path("segue.toml").write_text(f"{TOML}\n[retention]\n{lines}", encoding="utf-8")

    def sweep(store: Store, running: Any, keeping: Any) -> None:
        for sort in sorts_of(keeping):
            store.apply(partial(retain, running=running, keeping=keeping, sort=sort, now=NOW, limit=1000))

    _with_store(sweep)


def _day(ago: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(NOW // 10**6 - ago * 86_400))


VISITS = f"Deleted by age, as [retention] says: visits from before {_day(20)}. So they are on no path, and their credit"
ORDERS = f"Deleted by age, as [retention] says: orders from before {_day(20)}. So they are not counted."


def test_deleted_touches_are_told_of_where_they_would_count() -> None:
    keep(page_viewed="20d")
    for command in ("attribute", "spend", "report"):
        said = segue(command, "--last", "10d")
        assert VISITS in said
        assert "orders from before" not in said
    assert VISITS not in segue("attribute", "--last", "10d", "--lookback", "5d")


def test_deleted_orders_are_told_of_in_the_period_alone() -> None:
    keep(ordered="20d")
    assert ORDERS in segue("attribute", "--last", "30d")
    assert ORDERS in segue("spend", "--last", "30d")
    assert "Deleted by age" not in segue("attribute", "--last", "10d")


def test_nothing_is_said_of_what_was_not_deleted() -> None:
    keep(page_viewed="1y", ordered="1y", messages="1y", journeys="1y")
    assert "Deleted by age" not in segue("attribute", "--last", "3y")
