"""Pausing and resuming channels and rules on the command line, and what `segue doctor` and `segue why` say of it."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.api import Instant, to_rfc3339
from segue.api.values import HOUR
from segue.cli.main import app
from segue.delivery.accounts import AccountState
from segue.runtime.assembly import assemble, check
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.store.accounts import put_account
from segue.store.database import Store
from tests.runtime.rulebook import T0, event


def segue(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in which one message waits to be sent."""
    monkeypatch.chdir(tmp_path)
    Path("a.rules").write_text('event paid\nrule thanks\n  when paid send email "hello"\n', encoding="utf-8")
    assembly = assemble(tmp_path)
    book = check(assembly, content=False).checked.book
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        store.apply(lambda tx: publish(tx, book, T0, "test"))
        running = store.apply(lambda tx: resume(tx, assembly.setting))
        assert running is not None
        store.apply(lambda tx: ingest(tx, running, [event("paid")], T0))


def doctor(what: str) -> list[str]:
    lines = [json.loads(line) for line in segue("doctor", "--json").stdout.splitlines()]
    return [one["found"] for one in lines if one["what"] == what]


def test_a_pause_is_listed_with_who_waits_behind_it_until_it_ends() -> None:
    assert segue("pause").stdout == "Nothing is paused.\n"
    assert segue("pause", "thanks", "--note", "wrong \x1b[31mprices").exit_code == 0
    assert "was paused already" in segue("pause", "thanks").stdout
    (one,) = [json.loads(line) for line in segue("pause", "--json").stdout.splitlines()]
    assert (one["sort"], one["name"], one["waiting"]) == ("rule", "thanks", 1)
    shown = segue("pause").stdout
    assert "rule thanks  since " in shown
    assert "waiting: 1 message" in shown
    assert "\x1b" not in shown
    (found,) = doctor("paused")
    assert found.startswith("rule thanks since ")
    assert "rule thanks is paused since" in segue("why", "ann", "thanks").stdout
    assert segue("resume", "thanks").exit_code == 0
    assert doctor("paused") == []
    assert segue("resume", "thanks").exit_code == 1


def test_a_name_of_nothing_is_refused_with_the_nearest() -> None:
    found = segue("pause", "thank")
    assert found.exit_code == 2
    assert "no channel or rule thank; did you mean thanks?" in found.output


def test_all_that_is_paused_goes_on_together() -> None:
    segue("pause", "thanks")
    segue("pause", "email")
    assert "channel email is paused since" in segue("why", "ann", "thanks").stdout
    assert segue("resume").exit_code == 2
    lines = [json.loads(line) for line in segue("resume", "--all", "--json").stdout.splitlines()]
    assert lines == [{"sort": "channel", "name": "email"}, {"sort": "rule", "name": "thanks"}]
    assert segue("resume", "--all").exit_code == 1


def test_an_open_breaker_is_found_by_the_doctor_and_said_by_why(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        state = AccountState(failures=5, opened=T0, probe=T0, reason="connection refused")
        store.apply(lambda tx: put_account(tx, "email", state))
    (found,) = doctor("account")
    assert "email: the circuit breaker is half-open since" in found
    assert "5 calls in a row came to nothing" in found
    assert "the circuit breaker is open since" in segue("why", "ann", "thanks").stdout


@pytest.mark.parametrize("probe", ["to come", "due"])
def test_resume_closes_a_breaker_that_is_open_and_one_that_tries_one_message(tmp_path: Path, probe: str) -> None:
    at = Instant(time.time_ns() // 1000 + HOUR) if probe == "to come" else T0
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        state = AccountState(failures=5, opened=T0, probe=at, reason="connection refused")
        store.apply(lambda tx: put_account(tx, "email", state))
    assert "The account email is called again" in segue("resume", "email").stdout
    assert doctor("account") == []
    assert "is not paused" in segue("resume", "email").output


def test_a_wait_that_a_provider_asks_for_is_told_of_and_resume_ends_it(tmp_path: Path) -> None:
    asked = Instant(time.time_ns() // 1000 + HOUR)
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        store.apply(lambda tx: put_account(tx, "email", AccountState(asked=asked, wish="429")))
    (found,) = doctor("account")
    assert found == f"email: its provider asks to wait until {to_rfc3339(asked)}: 429"
    assert f"its provider asks to wait until {to_rfc3339(asked)}" in segue("why", "ann", "thanks").stdout
    assert "The account email is called again" in segue("resume", "email").stdout
    assert doctor("account") == []
    assert "is not paused" in segue("resume", "email").output
