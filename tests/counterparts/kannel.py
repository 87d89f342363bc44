"""Kannel's gateway with its fake operator: bearerbox, smsbox and fakesmsc on free ports.

with Kannel(callback_url="http://127.0.0.1:8000/callbacks/sms?token=…") as gateway:
    ...                                # GET gateway.sendsms_url with gateway.user and gateway.password
    gateway.wait_for(1)                # texts as the fake operator got them, long ones put together again
    gateway.reply("+358401234567", "STOP")   # a customer's message, posted to callback_url
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.counterparts.process import Counterpart, CounterpartFailed, Program, free_port, require

_CORE = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = admin
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"

group = smsc
smsc = fake
smsc-id = fake
port = {operator}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
sendsms-chars = "0123456789 +-"
global-sender = 100
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
concatenation = true
max-messages = 10
"""

# max-messages = 0: nothing that Segue answers is sent on to the customer.
_SERVICE = """
group = sms-service
keyword = default
catch-all = true
max-messages = 0
post-url = "{url}"
"""


@dataclass(frozen=True)
class Delivered:
    """A text as a telephone shows it. ``parts`` is how many messages the operator charges for."""

    sender: str
    recipient: str
    text: str
    parts: int = 1


class Kannel(Counterpart):
    """A running gateway. Without a directory it gets a temporary one and removes it at the end. Customers' messages are
    posted to ``callback_url``; delivery reports go to the address that each message names itself."""

    def __init__(self, directory: Path | None = None, *, callback_url: str | None = None) -> None:
        self._owned = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="segue-kannel-"))
        self.callback_url = callback_url
        self.user = "segue"
        self.password = "gateway"
        self._sendsms_port = 0
        self._operator_port = 0
        self._programs: list[Program] = []
        self._operator: Program | None = None

    @property
    def sendsms_url(self) -> str:
        return f"http://127.0.0.1:{self._sendsms_port}/cgi-bin/sendsms"

    @property
    def log(self) -> str:
        return "".join(
            f"--- {p.name}\n{p.tail()}" for p in [*self._programs, *([self._operator] if self._operator else [])]
        )

    def start(self) -> Self:
        """Start the three programs. Raises CounterpartMissing or CounterpartFailed."""
        self._bearerbox = require("bearerbox", "kannel")
        self._smsbox = require("smsbox", "kannel")
        self._fakesmsc = require("fakesmsc", "kannel kannel-extras")
        self.directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(3):  # a port that was free may be taken by another process in between
            try:
                self._launch()
            except CounterpartFailed as failure:
                log = f"{failure}{self.log}"
                self._end()
                if attempt == 2 or "in use" not in log:
                    raise
            else:
                return self
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """End the programs, and remove the directory if it was made here."""
        self._end()
        if self._owned:
            shutil.rmtree(self.directory, ignore_errors=True)

    def delivered(self) -> list[Delivered]:
        """Every text that the fake operator got so far, in order. One in several parts appears with its last part."""
        log = self.directory / "fakesmsc.log"
        return read_fakesmsc(log.read_text("utf-8", "replace")) if log.exists() else []

    def wait_for(self, count: int, within: float = 30.0) -> list[Delivered]:
        """The texts, once there are at least ``count``; raises CounterpartFailed after ``within`` seconds."""
        deadline = time.monotonic() + within
        while len(found := self.delivered()) < count:
            if time.monotonic() > deadline:
                raise CounterpartFailed(f"{len(found)} of {count} texts after {within:g} s:\n{self.log}")
            time.sleep(0.05)
        return found

    def reply(self, sender: str, text: str, to: str = "100") -> None:
        """Let a customer write: the fake operator reconnects, hands the text in, and goes on taking messages."""
        try:
            text.encode("ascii")
            message = f"{sender} {to} text {text}"
        except UnicodeEncodeError:
            encoded = "".join(f"%{byte:02x}" for byte in text.encode("utf-16-be"))
            message = f"{sender} {to} ucs2 {encoded}"
        if self._operator is not None:
            self._operator.stop()
        self._connect_operator("-m", "1", message)

    def _launch(self) -> None:
        admin, boxes, self._operator_port, self._sendsms_port = (free_port() for _ in range(4))
        configuration = _CORE.format(
            admin=admin,
            boxes=boxes,
            operator=self._operator_port,
            sendsms=self._sendsms_port,
            user=self.user,
            password=self.password,
        )
        if self.callback_url:
            configuration += _SERVICE.format(url=self.callback_url)
        path = self.directory / "kannel.conf"
        path.write_text(configuration)
        bearerbox = Program([self._bearerbox, "-v", "1", str(path)], self.directory / "bearerbox.log")
        self._programs.append(bearerbox)
        bearerbox.wait_for_text("MAIN: Start-up done")
        smsbox = Program([self._smsbox, "-v", "1", str(path)], self.directory / "smsbox.log")
        self._programs.append(smsbox)
        smsbox.wait_for_port(self._sendsms_port)
        # It listens before it has reached bearerbox, and until then answers 503.
        bearerbox.wait_for_text("Client connected from")
        self._connect_operator("-m", "0", "0 0 text nothing")

    def _connect_operator(self, *arguments: str) -> None:
        log = self.directory / "fakesmsc.log"
        deadline = time.monotonic() + 20
        while True:
            # It gives up at once while bearerbox does not listen, or still holds the connection before.
            said = len(log.read_bytes()) if log.exists() else 0
            command = [self._fakesmsc, "-H", "127.0.0.1", "-r", str(self._operator_port), "-i", "0.1", *arguments]
            self._operator = operator = Program(command, log)
            time.sleep(0.3)
            if operator.running:
                return
            if time.monotonic() > deadline:
                raise CounterpartFailed(f"fakesmsc cannot connect: {log.read_text('utf-8', 'replace')[said:]}")

    def _end(self) -> None:
        for program in [*([self._operator] if self._operator else []), *reversed(self._programs)]:
            program.stop()
        self._operator = None
        self._programs = []


_GOT = re.compile(r"^\S+ \S+ \[\d+\] \[\d+\] \w+: Got message \d+: <(.*)$")
_LOGGED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d+\] \[\d+\] \w+: ")
_TEXT = re.compile(r"(\S+) (\S+) (text|udh|data|ucs-2) (.*)", re.DOTALL)


def read_fakesmsc(log: str) -> list[Delivered]:
    """The texts in fakesmsc's log. What follows a text's line break reaches it as a message of its own, without sender
    and recipient: it is joined to the one before. Parts with a concatenation header (3GPP TS 23.040, 9.2.3.24.1) are
    put together."""
    raw: list[str] = []
    for entry in _entries(log):
        if _TEXT.fullmatch(entry) or not raw:
            raw.append(entry)
        else:
            raw[-1] += "\n" + entry
    found: list[Delivered] = []
    parts: dict[tuple[str, str, int, int], dict[int, bytes]] = {}
    for entry in raw:
        if (match := _TEXT.fullmatch(entry)) is None:
            continue
        sender, recipient, kind, rest = match.groups()
        if kind == "text":
            found.append(Delivered(sender, recipient, rest))
        elif kind == "udh":
            header, _, body = rest.partition(" data ")
            udh = urllib.parse.unquote_to_bytes(header)
            reference, total, number = udh[3], udh[4], udh[5]
            collected = parts.setdefault((sender, recipient, reference, total), {})
            collected[number] = _unquote(body)
            if len(collected) == total:
                del parts[sender, recipient, reference, total]
                found.append(
                    Delivered(sender, recipient, _decode(b"".join(collected[n] for n in sorted(collected))), total)
                )
        else:
            data = _unquote(rest)
            found.append(Delivered(sender, recipient, data.decode("utf-16-be") if kind == "ucs-2" else _decode(data)))
    return found


def _entries(log: str) -> list[str]:
    entries: list[str] = []
    for line in log.split("\n"):
        if match := _GOT.match(line):
            entries.append(match[1])
        elif entries and not _LOGGED.match(line) and not entries[-1].endswith(">"):
            entries[-1] += "\n" + line
    return [entry.removesuffix(">") for entry in entries]


def _unquote(text: str) -> bytes:
    return urllib.parse.unquote_to_bytes(text.replace("+", " "))


def _decode(data: bytes) -> str:
    """The fake operator doesn't say in which alphabet a part is: Kannel hands it GSM-7 as UTF-8, and UCS-2 as it is."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-16-be", "replace")
    return data.decode("utf-16-be", "replace") if any(c < " " and c not in "\n\r\f" for c in text) else text
