"""Consent and suppression on the command line."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.cli.main import app
from segue.runtime.assembly import assemble, check
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.store.database import Store
from tests.runtime.rulebook import T0, event


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def segue(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def shop(tmp_path: Path) -> None:
    """A store in which one customer said something."""
    Path("a.rules").write_text('event paid\nwhen paid send email "hello"\n', encoding="utf-8")
    assembly = assemble(tmp_path)
    book = check(assembly, content=False).checked.book
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        store.apply(lambda tx: publish(tx, book, T0, "test"))
        running = store.apply(lambda tx: resume(tx, assembly.setting))
        assert running is not None
        said = event("unsubscribed", id="m1", channel="email", proof="form \x1b[31m7", wording="2026-03")
        store.apply(lambda tx: ingest(tx, running, [said], T0))


@pytest.mark.usefixtures("shop")
def test_the_ledger_of_a_customer_is_shown_with_its_proof() -> None:
    shown = segue("customer", "consent", "ann").stdout
    assert "consent withdrawn for promotional email" in shown
    assert "withdrawn promotional by email" in shown
    assert "wording: 2026-03" in shown
    assert "proof: form �[31m7" in shown, "a form moves no terminal's cursor"
    lines = [json.loads(line) for line in segue("customer", "consent", "ann", "--json").stdout.splitlines()]
    assert [(one["channel"], one["kind"], one["state"], one["event"]) for one in lines] == [
        ("email", "promotional", "withdrawn", "m1"),
        ("email", "informational", "withdrawn", "m1"),
    ]


@pytest.mark.usefixtures("shop")
def test_a_customer_nobody_knows_is_said_to_be_so() -> None:
    found = segue("customer", "consent", "nobody")
    assert found.exit_code == 1
    assert found.stderr == "segue: nobody is known by nobody\n"


@pytest.mark.usefixtures("shop")
def test_an_address_is_suppressed_listed_and_let_go_again() -> None:
    assert segue("suppress").stdout == "No address is suppressed.\n"
    assert (
        segue("suppress", " Ann@Example.com").stdout == "ann@example.com (email) is suppressed: nothing goes there.\n"
    )
    assert "email is" not in segue("customer", "consent", "ann").stdout
    assert "email suppressed by command" in segue("customer", "consent", "ann").stdout
    (one,) = [json.loads(line) for line in segue("suppress", "--json").stdout.splitlines()]
    assert (one["address"], one["sort"], one["reason"]) == ("ann@example.com", "email", "asked")
    assert segue("suppress", "ann@example.com", "--lift").exit_code == 0
    again = segue("suppress", "ann@example.com", "--lift")
    assert (again.exit_code, again.stderr) == (1, "segue: ann@example.com (email) is not suppressed\n")


def test_addresses_are_suppressed_while_a_daemon_holds_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "segue.db")
    store.start()
    try:
        assert segue("suppress", "+358 40 1234567", "--reason", "stopped", "--note", "called us").exit_code == 0
        assert "+358401234567  phone, since " in segue("suppress").stdout
    finally:
        store.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["abc"], "say --as TRAIT"),
        (["a@b.example", "--reason", "spite"], "there are bounced, complained, stopped, asked"),
        (["--lift"], "--lift needs the address"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(words: list[str], said: str) -> None:
    found = segue("suppress", *words)
    assert found.exit_code == 2
    assert said in found.stderr
