"""``segue publish`` beside whoever holds the store: it says "published" only where that is so."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import segue.cli.publish as publishing
from segue.api import Instant
from segue.cli.main import app
from segue.runtime.assembly import assemble, check
from segue.runtime.publishing import publish
from segue.store import books
from segue.store.database import Store, hold_lock, read_only


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "segue.toml").write_text('database = "segue.db"\n', encoding="utf-8")
    (tmp_path / "rules" / "a.rules").write_text("event paid\nwhen paid wait 1d stop\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(publishing, "ANSWERED_WITHIN", 1.0)
    before = signal.getsignal(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield tmp_path
    signal.signal(signal.SIGHUP, before)


def segue_publish() -> Result:
    return CliRunner().invoke(app, ["publish"])


def test_rules_that_the_holder_does_not_take_are_not_called_published(project: Path) -> None:
    assert segue_publish().exit_code == 0
    (project / "rules" / "a.rules").write_text("event paid\nwhen paid wait 2d stop\n", encoding="utf-8")
    with hold_lock(project / "segue.db"):
        said = segue_publish()
    assert said.exit_code == 1
    assert "did not take the rules" in said.output


def test_rules_that_the_holder_takes_are_published(project: Path) -> None:
    assert segue_publish().exit_code == 0
    (project / "rules" / "a.rules").write_text("event paid\nwhen paid wait 2d stop\n", encoding="utf-8")
    book = check(assemble(project)).checked.book
    with contextlib.closing(Store(project / "segue.db")) as store:
        store.start()

        def take() -> None:
            time.sleep(0.3)
            store.write(lambda tx: publish(tx, book, Instant(time.time_ns() // 1000), "daemon")).result()

        daemon = threading.Thread(target=take)
        daemon.start()
        said = segue_publish()
        daemon.join()
    assert (said.exit_code, said.output) == (0, "~ paid\n1 rule published\n")


def test_a_holder_that_lets_go_is_waited_for(project: Path) -> None:
    assert segue_publish().exit_code == 0
    (project / "rules" / "a.rules").write_text("event paid\nwhen paid wait 2d stop\n", encoding="utf-8")
    held = threading.Event()

    def hold() -> None:
        with hold_lock(project / "segue.db"):
            held.set()
            time.sleep(0.4)

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    said = segue_publish()
    other.join()
    assert said.exit_code == 0, said.output
    with read_only(project / "segue.db") as tx:
        assert books.last_publication(tx) == 2


def test_a_hangup_before_the_daemon_is_up_is_kept_until_it_is(project: Path) -> None:
    """The signal comes as soon as the store is held: then the rules have not even been read."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (project / "segue.toml").write_text(f'database = "segue.db"\n[http]\nport = {port}\n', encoding="utf-8")
    daemon = subprocess.Popen(
        [sys.executable, "-c", "from segue.cli.main import app; app()", "run", "--log", "json"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        lock = project / "segue.db.lock"
        until = time.monotonic() + 30
        while not (lock.exists() and lock.read_text(encoding="utf-8")) and time.monotonic() < until:
            assert daemon.poll() is None
            time.sleep(0.005)
        os.kill(daemon.pid, signal.SIGHUP)
        assert daemon.stdout is not None
        said = ""
        for line in daemon.stdout:
            said += line
            if '"reloaded"' in line:
                break
        assert '"reloaded"' in said, said
    finally:
        daemon.terminate()
        daemon.communicate(timeout=20)
