"""Telling systemd how the daemon is: the protocol of sd_notify(3), written out.

A message is one datagram of ``NAME=value`` lines to the socket that systemd names in ``NOTIFY_SOCKET``. With no such
variable there is nobody to tell, and every call does nothing: the same code runs under systemd, in a terminal and in
tests.

Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

import structlog

_log = structlog.get_logger(__name__)
_MOST = 500
"""The longest status sent, in characters. ``systemctl status`` shows one line of it."""


class Notifier:
    """The line to systemd, or to nobody.

    ``environment`` is read once, when it is made. The socket is opened for each message: messages are few, and a
    manager that was re-executed listens on a new socket under the old name.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        known = os.environ if environment is None else environment
        self._address = _address(known.get("NOTIFY_SOCKET", ""))
        self._interval = _watchdog_interval(known)
        self._complained = False

    @property
    def listening(self) -> bool:
        """Whether somebody asked to be told."""
        return self._address is not None

    def ready(self, status: str = "") -> bool:
        """The daemon is up, or has finished reloading. Every call here returns whether the message was delivered."""
        return self._tell("READY=1", *_status(status))

    def status(self, text: str) -> bool:
        """One line for ``systemctl status``; line breaks and other control characters become spaces."""
        return self._tell(*_status(text))

    def reloading(self) -> bool:
        """A reload has begun; `ready` ends it, whether or not the new rules were taken.

        ``MONOTONIC_USEC`` lets a systemd of 253 or newer (``Type=notify-reload``) tell this reload from an earlier one.
        """
        return self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> bool:
        """The daemon has begun to drain."""
        return self._tell("STOPPING=1")

    def watchdog(self) -> bool:
        """The loops made progress. Call it only where they did: a fed watchdog hides a daemon that is stuck."""
        return self._tell("WATCHDOG=1")

    def watchdog_interval(self) -> float | None:
        """Seconds within which `watchdog` must be called (best, twice as often); None where nobody watches."""
        return self._interval

    def _tell(self, *lines: str) -> bool:
        if self._address is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as line:
                line.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            # Delivering messages to customers matters more than telling systemd so; say it once, and go on.
            if not self._complained:
                self._complained = True
                _log.warning("systemd could not be told", what=lines[0], error=str(error))
            return False
        return True


def _address(name: str) -> str | None:
    """``/run/…`` is a path; ``@name`` is abstract, its first byte NUL. Other kinds (vsock) are not for a service."""
    if name.startswith("@") and len(name) > 1:
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _status(text: str) -> tuple[str, ...]:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return (f"STATUS={line[:_MOST]}",) if line else ()


def _watchdog_interval(environment: Mapping[str, str]) -> float | None:
    """As sd_watchdog_enabled(3): microseconds, and meant for this process unless ``WATCHDOG_PID`` names another."""
    micros, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not _is_number(micros) or int(micros) == 0:
        return None
    if process and not (_is_number(process) and int(process) == os.getpid()):
        return None
    return int(micros) / 1_000_000


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
