"""What systemd would receive, read from a real datagram socket."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.runtime.notify import Notifier


class Manager:
    """The other end: a socket such as systemd opens for a service."""

    def __init__(self, address: str, name: str) -> None:
        self.environment = {"NOTIFY_SOCKET": name}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(5)
        self._socket.bind(address)

    def hears(self) -> list[str]:
        return self._socket.recv(4096).decode().split("\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    if request.param == "a path":
        path = str(tmp_path / "notify")
        manager = Manager(path, path)
    else:
        name = f"segue-test-{secrets.token_hex(8)}"
        manager = Manager("\0" + name, "@" + name)
    yield manager
    manager.close()


def test_ready_is_told(manager: Manager) -> None:
    assert Notifier(manager.environment).ready()
    assert manager.hears() == ["READY=1"]


def test_ready_may_carry_a_status(manager: Manager) -> None:
    assert Notifier(manager.environment).ready("3 rules, 12 journeys inside")
    assert manager.hears() == ["READY=1", "STATUS=3 rules, 12 journeys inside"]


def test_status_stays_one_line_whatever_it_says(manager: Manager) -> None:
    assert Notifier(manager.environment).status("höher\nREADY=1\r\x1b[31mred\x00")
    assert manager.hears() == ["STATUS=höher READY=1 [31mred"]


def test_a_long_status_still_fits_a_datagram(manager: Manager) -> None:
    assert Notifier(manager.environment).status("ö" * 1_000_000)
    assert len(manager.hears()[0]) < 600


def test_reloading_carries_the_monotonic_clock_in_microseconds(manager: Manager) -> None:
    before = time.monotonic_ns() // 1000
    assert Notifier(manager.environment).reloading()
    after = time.monotonic_ns() // 1000
    first, second = manager.hears()
    assert first == "RELOADING=1"
    name, _, value = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= after


def test_stopping_and_watchdog_are_told_in_order(manager: Manager) -> None:
    notifier = Notifier(manager.environment)
    assert notifier.watchdog()
    assert notifier.stopping()
    assert manager.hears() == ["WATCHDOG=1"]
    assert manager.hears() == ["STOPPING=1"]


@pytest.mark.parametrize(
    "environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": "@"}]
)
def test_without_systemd_every_call_does_nothing(environment: dict[str, str]) -> None:
    notifier = Notifier(environment)
    assert not notifier.listening
    assert not notifier.ready("up")
    assert not notifier.status("fine")
    assert not notifier.reloading()
    assert not notifier.watchdog()
    assert not notifier.stopping()


def test_the_environment_of_the_process_is_what_counts_by_default(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.environment["NOTIFY_SOCKET"])
    assert Notifier().ready()
    assert manager.hears() == ["READY=1"]


def test_a_manager_that_is_gone_does_not_stop_the_daemon(tmp_path: Path) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert notifier.listening
    assert not notifier.ready()
    assert not notifier.watchdog()


def test_a_manager_that_does_not_read_never_makes_the_daemon_wait(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    deaf = Manager(path, path)
    notifier = Notifier(deaf.environment)
    delivered = [notifier.watchdog() for _ in range(5_000)]
    deaf.close()
    assert delivered[0]
    assert not delivered[-1]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        pytest.param({}, None, id="not watched"),
        pytest.param({"WATCHDOG_USEC": "30000000"}, 30.0, id="no process named"),
        pytest.param({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5, id="this process"),
        pytest.param({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None, id="another process"),
        pytest.param({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "x"}, None, id="no number for a process"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="zero"),
        pytest.param({"WATCHDOG_USEC": "-5"}, None, id="negative"),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="no number"),
    ],
)
def test_the_watchdog_interval_is_in_seconds_and_for_this_process_only(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert Notifier(environment).watchdog_interval() == seconds
