"""`segue dead-letters`: listed with their reasons, filtered, and tried again."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from segue.api import Answer, Rejected
from segue.api.values import DAY, HOUR
from segue.cli.clocks import Anchor, put_anchor
from segue.cli.main import app
from segue.runtime.assembly import assemble, check
from segue.runtime.claiming import claim
from segue.runtime.dispatch import Outcome, settle
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.store.database import Store
from tests.runtime.rulebook import T0, event


def segue(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def lines(*words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in segue("dead-letters", *words, "--json").stdout.splitlines()]


@pytest.fixture(autouse=True)
def _shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with a message that was refused, and one of which nobody knows whether it went."""
    monkeypatch.chdir(tmp_path)
    rules = 'event paid\nevent asked\nrule thanks\n  when paid send email "hello"\n'
    Path("a.rules").write_text(rules + 'rule news\n  when asked send sms "hello"\n', encoding="utf-8")
    Path("messages/hello").mkdir(parents=True)
    Path("messages/hello/email.txt").write_text("---\nsubject: Hello\n---\nHi\n", encoding="utf-8")
    Path("messages/hello/sms.txt").write_text("Hi\n", encoding="utf-8")
    assembly = assemble(tmp_path)
    checked = check(assembly, content=False)
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        store.apply(lambda tx: publish(tx, checked.checked.book, T0, "test"))
        running = store.apply(lambda tx: resume(tx, assembly.setting))
        assert running is not None
        store.apply(lambda tx: ingest(tx, running, [event("paid"), event("asked", "bob")], T0))
        answers: dict[str, Answer] = {"email": Rejected("no \x1b[31mcredit"), "sms": Rejected("later unknown")}
        for channel, answer in answers.items():
            (one,) = store.apply(lambda tx, at=channel: claim(tx, running, checked.content, at, T0, 10)).claims  # type: ignore[misc]
            store.apply(lambda tx, row=one.row, say=answer: settle(tx, running, [Outcome(row, say)], T0))  # type: ignore[misc]
        store.apply(lambda tx: tx.run("update message set state = 5, doubt = 1 where channel = 'sms'"))


def test_they_are_listed_with_their_reasons_and_found_by_options() -> None:
    shown = segue("dead-letters").stdout
    assert 'thanks email "hello"  refused: no ' in shown
    assert "\x1b" not in shown
    assert "2 dead letters: " in shown
    assert [one["sort"] for one in lines()] == ["unknown", "refused"]
    assert [one["rule"] for one in lines("--channel", "email")] == ["thanks"]
    assert [one["rule"] for one in lines("--rule", "news")] == ["news"]
    assert [one["rule"] for one in lines("--sort", "unknown")] == ["news"]
    assert len(lines("--limit", "1")) == 1
    assert len(lines("--since", "2026-05-01")) == 2
    assert segue("dead-letters", "--since", "2026-09-01").exit_code == 1
    assert segue("dead-letters", "--since", "soon").exit_code == 2
    assert segue("dead-letters", "--sort", "lost").exit_code == 2


def test_what_may_have_gone_out_is_tried_again_only_when_told() -> None:
    assert segue("dead-letters", "--retry").exit_code == 2
    done = segue("dead-letters", "--retry", "--all")
    assert "1 message will be tried again" in done.stdout
    assert "1 message may have gone out already" in done.stdout
    assert "put up again by" in segue("why", "ann", "thanks").stdout
    (left,) = lines()
    assert left["sort"] == "unknown"
    assert segue("dead-letters", "--retry", left["key"]).exit_code == 1
    assert segue("dead-letters", "--retry", left["key"], "--unknown").exit_code == 0
    assert segue("dead-letters").exit_code == 1


def test_one_is_put_up_by_the_store_s_own_clock(tmp_path: Path) -> None:
    shown = T0 + 400 * DAY  # a clock that was compressed
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        store.apply(lambda tx: put_anchor(tx, Anchor(1.0, time.time_ns() // 1000, shown)))
    assert segue("dead-letters", "--retry", "--all").exit_code == 0
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        ((due, expires),) = store.apply(lambda tx: tx.rows("select due, expires from message where channel = 'email'"))
    assert shown <= due < shown + HOUR
    assert expires - due == DAY
