"""What lies at the edge of a period counts as it does in a longer one, so that days add up to their week."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from segue.api import Event, from_datetime
from segue.cli.main import app
from segue.runtime.assembly import assemble
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.store.database import Store


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("segue.toml").write_text('[tracking]\ndomain = "https://t.example"\ndomains = ["shop.example"]\n')
    Path("rules").mkdir()
    Path("rules", "a.rules").write_text("rule hello\n  when signed_up\n  send email\n")
    assert CliRunner().invoke(app, ["publish"]).exit_code == 0


def tell(*happened: tuple[str, str, dict[str, Any]]) -> None:
    store = Store(Path("segue.db"))
    try:
        running = store.apply(lambda tx: resume(tx, assemble(Path.cwd()).setting))
        assert running is not None
        for text, name, fields in happened:
            at = from_datetime(datetime.fromisoformat(f"2026-03-{text}Z"))
            event = Event(message_id=text, timestamp=at, source="web", name=name, user_id="ann", properties=fields)
            store.apply(partial(ingest, running=running, events=[event], now=at))
    finally:
        store.close()


def last(*words: str) -> dict[str, float]:
    found = CliRunner().invoke(app, ["attribute", "--model", "last", "--json", *words])
    assert found.exit_code == 0, found.stderr
    rows = map(json.loads, found.stdout.splitlines())
    return {one["channel"]: one["conversions"] for one in rows if one["conversions"]}


def test_a_visit_told_by_a_clock_that_is_a_little_late_may_be_of_the_day_after() -> None:
    tell(
        ("10T23:59:50", "ordered", {"total": 5}),
        ("11T00:00:20", "page_viewed", {"url": "https://shop.example/?gclid=1"}),
    )
    assert last("--since", "2026-03-10", "--until", "2026-03-10") == {"paid search": 1}
    assert last("--since", "2026-03-10", "--until", "2026-03-11") == {"paid search": 1}


def test_a_visit_that_began_before_the_look_back_does_not_begin_in_it() -> None:
    tell(
        ("09T11:50:00", "page_viewed", {"url": "https://shop.example/?gclid=1"}),
        ("09T12:05:00", "page_viewed", {"url": "https://shop.example/cart"}),
        ("10T12:00:00", "ordered", {"total": 5}),
    )
    for since in ("2026-03-09", "2026-03-10T12:00"):
        assert last("--since", since, "--until", "2026-03-10", "--lookback", "1d") == {"(no touch)": 1}
