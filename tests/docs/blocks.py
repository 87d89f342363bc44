"""The fenced blocks of a page, and a page acted out: its commands are run, and its outputs are what they print.

How a page is read (the words behind the language are not shown to its readers):

- ``sh``            commands, in a shell that lasts for the page
- ``sh run``        a command in the first terminal, which goes on until the page ends it
- ``sh install``    not run: it fetches packages
- ``text``          what the commands before it print, errors included; ``text exact`` to the last digit
- ``text run``      what the first terminal shows, sooner or later
- any language with ``file=PATH``   a file that the reader writes
- ``<!-- first terminal: ctrl-c -->`` or ``kill -9``   ends what runs there
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$|^<!-- first terminal: (.+?) -->$", re.MULTILINE | re.DOTALL)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
_KEY = re.compile(r"\b[0-9a-f]{32}\b")
_SIZE = re.compile(r"\b[\d,]+\.\d MB")
_TOOK = re.compile(r"\bin \d+\.\d\d s\b")
_DONE = "~~~ done ~~~"

DOCUMENTED_PORT = 8080
PATIENCE = 120.0
"""Seconds, for a machine that is busy with something else; a day on a page takes 24 of them."""


class Block(msgspec.Struct, frozen=True):
    """One block: its language, the words behind it, its text, and the line of the page on which it begins."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    @property
    def file(self) -> str | None:
        return next((word.removeprefix("file=") for word in self.words if word.startswith("file=")), None)


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in order; what happens in the first terminal has the language ``terminal``."""
    text = page.read_text("utf-8")
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[4] is not None:
            yield Block("terminal", (), match[4], line)
        else:
            yield Block(match[1], tuple(match[2].split()), match[3], line)


class Reader:
    """Somebody who does what a page says, in an empty folder, on a port that is free."""

    def __init__(self, page: Path, home: Path) -> None:
        self.page = page
        self.home = home
        self.port = _free_port()
        self._said = ""
        self._first: subprocess.Popen[str] | None = None
        self._shown = home / "first-terminal.txt"
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=home,
            env=_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read(self) -> int:
        """Act the page out; the number of outputs that were compared."""
        compared = 0
        try:
            for block in blocks(self.page):
                compared += self._take(block)
        finally:
            self._end_first(signal.SIGKILL)
            assert self._shell.stdin is not None
            assert self._shell.stdout is not None
            self._shell.stdin.close()
            self._shell.wait(10)
            self._shell.stdout.close()
        return compared

    def _take(self, block: Block) -> int:
        where = f"{self.page.name}, line {block.line}"
        if block.language == "terminal":
            self._end_first({"ctrl-c": signal.SIGINT, "kill -9": signal.SIGKILL}[block.text])
        elif block.file is not None:
            self._command(f"cat > {block.file} <<'END-OF-FILE'\n{block.text}END-OF-FILE\n", where)
        elif block.language == "sh" and "install" in block.words:
            return 0
        elif block.language == "sh" and "run" in block.words:
            self._start_first(block.text)
        elif block.language == "sh":
            self._said = self._command(block.text, where)
        elif block.language == "text" and "run" in block.words:
            self._await(block.text, where)
            return 1
        elif block.language == "text":
            exact = "exact" in block.words
            expected, found = (self._told(text, exact=exact) for text in (block.text, self._said))
            assert found == expected, f"{where}: the page shows\n{expected}\nand the commands print\n{found}"
            return 1
        return 0

    def _command(self, text: str, where: str) -> str:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{self._adapted(text)}\nprintf '\\n%s\\n' '{_DONE}'\n")
        self._shell.stdin.flush()
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.rstrip("\n") == _DONE:
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"{where}: the shell ended, after it said\n{''.join(lines)}")

    def _adapted(self, text: str) -> str:
        return text.replace(f"127.0.0.1:{DOCUMENTED_PORT}", f"127.0.0.1:{self.port}")

    # The first terminal

    def _start_first(self, text: str) -> None:
        folder = Path(self._command("pwd", "the shell").strip())
        settings = folder / "segue.toml"
        known = settings.read_text("utf-8") if settings.exists() else "[http]\nport = 8080\n"
        settings.write_text(known.replace(f"port = {DOCUMENTED_PORT}", f"port = {self.port}"), "utf-8")
        with self._shown.open("a") as shown:
            self._first = subprocess.Popen(
                ["bash", "-c", f"exec {self._adapted(text).strip()}"],
                cwd=folder,
                env=_environment(self.home),
                stdout=shown,
                stderr=subprocess.STDOUT,
                text=True,
            )
        until = time.monotonic() + PATIENCE
        while not _listens(self.port):
            assert self._first.poll() is None, f"{text.strip()!r} ended at once: {self._shown.read_text()}"
            assert time.monotonic() < until, f"{text.strip()!r} does not listen: {self._shown.read_text()}"
            time.sleep(0.1)

    def _await(self, text: str, where: str) -> None:
        expected = self._told(text)
        until = time.monotonic() + PATIENCE
        while expected not in (found := self._told(self._shown.read_text("utf-8"))):
            assert time.monotonic() < until, f"{where}: the first terminal should show\n{expected}\nand shows\n{found}"
            time.sleep(0.2)

    def _end_first(self, how: signal.Signals) -> None:
        if self._first is not None:
            with suppress(ProcessLookupError):
                self._first.send_signal(how)
            self._first.wait(20)
            self._first = None

    # What does not differ from reader to reader

    def _told(self, text: str, *, exact: bool = False) -> str:
        text = text.replace(str(self.home.resolve()), "/home/segue").replace(str(self.port), str(DOCUMENTED_PORT))
        if not exact:
            text = _TOOK.sub("in SECONDS", _SIZE.sub("SIZE", _KEY.sub("KEY", _MOMENT.sub("MOMENT", text))))
        return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _environment(home: Path) -> dict[str, str]:
    beside = str(Path(sys.executable).parent)
    return {
        "PATH": f"{beside}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",  # or what goes to a pipe comes after what goes to standard error
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "160",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
