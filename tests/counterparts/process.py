"""Starting a counterpart's programs in the foreground, waiting until they answer, and ending them by process id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class CounterpartMissing(Exception):
    """A program is not installed. The text names the command that installs it."""


class CounterpartFailed(Exception):
    """A program ended, or did not answer in time. The text carries the end of its log."""


def require(program: str, package: str) -> str:
    """The path of a program. Raises CounterpartMissing, naming the Debian package, where there is none."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/kannel/test")
    if found is None:
        raise CounterpartMissing(f"{program} is missing: apt-get install --no-install-recommends {package}")
    return found


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """One program in a process group of its own, with everything it says in ``log``."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.name = Path(command[0]).name
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for_port(self, port: int, within: float = 20.0) -> None:
        """Return once the port accepts; raises CounterpartFailed when the program ends first, or too late."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if not self.running:
                raise CounterpartFailed(f"{self.name} ended with {self._process.returncode}: {self.tail()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise CounterpartFailed(f"{self.name} does not listen on port {port} after {within:g} s: {self.tail()}")

    def wait_for_text(self, text: str, within: float = 20.0) -> None:
        """Return once the log contains ``text``; raises like `wait_for_port`."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if text in self.log.read_text("utf-8", "replace"):
                return
            if not self.running:
                raise CounterpartFailed(f"{self.name} ended with {self._process.returncode}: {self.tail()}")
            time.sleep(0.05)
        raise CounterpartFailed(f"{self.name} did not say {text!r} within {within:g} s: {self.tail()}")

    def tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-1500:]

    def kill(self) -> None:
        """End its process group as a power cut would."""
        if self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self, patience: float = 5.0) -> None:
        """Ask it to end, and kill its process group when it has not after ``patience`` seconds."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(patience)


class Counterpart(ABC):
    """A server of somebody else's. As a context it is started and stopped, also where it does not start as a whole."""

    @abstractmethod
    def start(self) -> Self:
        """Start it; returns once it answers."""

    @abstractmethod
    def stop(self) -> None:
        """End it; harmless where it has not started."""

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
