"""Messages from due to handed over: claimed under a policy, rendered, handed to a provider, and noted. Their links are
signed, and mails carry a DKIM signature by an RSA key of 2048 bits.

The providers are Postfix's ``smtp-sink`` and a small HTTP server, each in a process of its own. Beside each figure
stands what the same channel reaches in the same run with messages that are ready, without store, policy and templates.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from segue.api import Event, Instant, Message, Sent, Tools
from segue.cli.benchmarks.figures import Tell
from segue.clock.clock import Clock
from segue.delivery.ledger import MessageState
from segue.host import configure
from segue.host.channels import OpenChannel
from segue.host.http import AiohttpClient
from segue.messages.rendering import render
from segue.runtime.assembly import Assembly, CheckedBook, assemble, check
from segue.runtime.daemon import Daemon
from segue.runtime.links import Links, load_keys
from segue.store.database import NORMAL, Store, Transaction

T = TypeVar("T")
Way = Literal["smtp", "http"]

WHOLE: Final = 20_000
QUICK: Final = 3_000
MARKS: Final = {"smtp": 50_000.0, "http": 100_000.0}
"""Messages a minute to reach."""
_PARTS: Final = {"Sender._claim": "claim", "Sender._note": "outcome"}
_AT_ONCE: Final = 500
_SINK: Final = "/usr/sbin/smtp-sink"

RULES: Final = """\
event paid
  total number
policy promotional
  quiet 03:00 to 03:01 Pacific/Kiritimati
  limit 5 messages per 7d
  space 1h
  budget 1000000 EUR per 1d
rule offers
  when paid
  send {channel} "offer" with total = total
"""
EMAIL: Final = """\
---
subject: "{{ customer.first_name | default: 'Hello' }}, your receipt of {{ total }} EUR"
---
<html><body><p>Dear {{ customer.first_name }},</p>
<p>thank you for {{ total }} EUR.{% if total > 100 %} You get free delivery.{% else %} From 100 EUR delivery is
free.{% endif %}</p>
<ul>{% for one in (1..3) %}<li>Reason {{ one }} to come back</li>{% endfor %}</ul>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p></body></html>
"""
SMS: Final = "{{ customer.first_name }}, thank you for {{ total }} EUR. Stop: {{ unsubscribe_url }}\n"


class NoSink(Exception):
    """There is nothing to send to, or nothing to send with; the text says what to install."""


class Sending(msgspec.Struct, frozen=True):
    """One way of sending. ``seconds`` is from the first claim to the last outcome, ``cpu`` what this process used in
    it, ``sink_cpu`` what the provider's used (None: it does not say). ``bare`` is the bare loop's seconds, and
    ``bare_cpu`` its CPU. ``parts`` are seconds of CPU by part, ``grown`` the bytes by which memory grew in the second
    half."""

    way: Way
    messages: int
    seconds: float
    cpu: float
    sink_cpu: float | None
    bare: float
    bare_cpu: float
    parts: dict[str, float]
    grown: int

    @property
    def a_minute(self) -> float:
        """Messages a minute, by the clock."""
        return self.messages / self.seconds * 60

    @property
    def a_core(self) -> float:
        """Messages a minute of this process's CPU: what it reaches with a core of its own."""
        return self.messages / self.cpu * 60

    @property
    def bare_a_core(self) -> float:
        """The same for the bare loop."""
        return self.messages / self.bare_cpu * 60


class _TimedStore(Store):
    """Counts the CPU of jobs by who asked for them."""

    def __init__(self, path: Path) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        super().__init__(path)

    def write(self, job: Callable[[Transaction], T], priority: int = NORMAL) -> Future[T]:
        part = next((part for name, part in _PARTS.items() if getattr(job, "__qualname__", "").startswith(name)), "")
        if not part:
            return super().write(job, priority)

        def timed(tx: Transaction) -> T:
            began = time.thread_time()
            try:
                return job(tx)
            finally:
                self.spent[part] += time.thread_time() - began

        return super().write(timed, priority)


async def measure_sending(folder: Path, way: Way, count: int, tell: Tell) -> Sending:
    """Send so many messages. Raises NoSink."""
    async with _sink(way) as (port, ended):
        assembly, book = _project(folder, way, port)
        name = "email" if way == "smtp" else "sms"
        client = AiohttpClient()
        spec, settings = assembly.channels[name]
        tools = Tools(channel=name, http=client)
        channel = await OpenChannel.open(spec, configure(spec.config, settings.settings, name), tools)
        store = _TimedStore(assembly.project.database)
        store.start()
        try:
            tell(f"{count:,} messages over {way}: making them due")
            await _make_due(store, assembly, book, channel, name, count)
            tell(f"{count:,} messages over {way}: sending")
            found = await _send(store, assembly, book, channel, name, way, count)
            tell(f"{count:,} messages over {way}: the bare loop")
            bare, bare_cpu = await _bare(store, assembly, book, channel, name, count)
        finally:
            await channel.close()
            store.close()
    return msgspec.structs.replace(found, sink_cpu=ended.get("cpu"), bare=bare, bare_cpu=bare_cpu)


def _project(folder: Path, way: Way, port: int) -> tuple[Assembly, CheckedBook]:
    channel, ending, text = ("email", "html", EMAIL) if way == "smtp" else ("sms", "txt", SMS)
    messages = folder / "rules" / "messages" / "offer"
    messages.mkdir(parents=True)
    (messages / f"{channel}.{ending}").write_text(text, "utf-8")
    (folder / "rules" / "a.rules").write_text(RULES.format(channel=channel), "utf-8")
    (folder / "segue.toml").write_text(_SETTINGS[way].format(port=port), "utf-8")
    assembly = assemble(folder)
    if channel not in assembly.channels:
        raise NoSink(f"{'; '.join(assembly.problems)}: `pip install segue-{_PLUGINS[way]}`")
    book = check(assembly)
    wrong = [one.message for one in book.diagnostics if one.is_error]
    if wrong:
        raise RuntimeError(f"the benchmark's rule book is wrong: {wrong}")
    return assembly, book


_PLUGINS: Final = {"smtp": "email-smtp", "http": "sms-gateway"}
_SETTINGS: Final = {
    "smtp": """\
[channels.email]
use = "email-smtp"
consent = "opt-out"
cost = "0.0001 EUR"
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "shop@example.com"

[[channels.email.dkim]]
selector = "bench"
key = {{ env = "SEGUE_BENCH_KEY" }}
""",
    "http": """\
[channels.sms]
use = "sms-gateway"
consent = "opt-out"
cost = "0.01 EUR"
url = "http://127.0.0.1:{port}/cgi-bin/sendsms"
username = "segue"
password = {{ env = "SEGUE_BENCH" }}
""",
}


async def _make_due(
    store: Store, assembly: Assembly, book: CheckedBook, channel: OpenChannel, name: str, count: int
) -> None:
    """Have every message decided, and none claimed: the daemon that takes the events is held."""
    one = Daemon(store, Clock(), assembly.setting, {name: channel}, book.content)
    await one.start(book.checked.book)
    one.held = True
    at = one.clock.look()
    for first in range(0, count, _AT_ONCE):
        await one.accept([_event(number, at) for number in range(first, min(count, first + _AT_ONCE))])
    await one.stop()


def _event(number: int, at: Instant) -> Event:
    return Event(
        message_id=f"m{number}",
        timestamp=at,
        source="bench",
        name="paid",
        user_id=f"c{number}",
        traits={"first_name": "Ann", "email": f"c{number}@example.com", "phone": f"+35840{number:07d}"},
        properties={"total": number % 200},
    )


async def _send(
    store: _TimedStore, assembly: Assembly, book: CheckedBook, channel: OpenChannel, name: str, way: Way, count: int
) -> Sending:
    signer = await asyncio.wrap_future(store.write(lambda tx: load_keys(tx, ())))
    one = Daemon(
        store,
        Clock(),
        assembly.setting,
        {name: channel},
        book.content,
        links=Links(signer, assembly.project.http.url),
    )
    noted = [0]
    half = [0]
    done = asyncio.Event()

    def hear(line: Any) -> None:
        if line.decision == "sent":
            noted[0] += 1
            if noted[0] == count // 2:
                half[0] = _memory()
            if noted[0] == count:
                done.set()

    one._listener = hear
    threads = _thread_times()
    began, cpu = time.perf_counter(), time.process_time()
    await one.start(None)
    await asyncio.wait_for(done.wait(), 600)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    spent = {thread: after - threads.get(thread, 0.0) for thread, after in _thread_times().items()}
    grown = _memory() - half[0]
    await one.stop()
    states = store.write(lambda tx: dict(tx.rows("select state, count(*) from message group by state"))).result(60)
    if states != {int(MessageState.HANDED): count}:
        raise RuntimeError(f"not all were handed over: {states}")
    hand_over = sum(used for thread, used in spent.items() if thread.startswith("segue-channel"))
    parts = {**store.spent, "hand-over": hand_over}
    return Sending(way, count, seconds, cpu, None, 0.0, 0.0, parts, grown)


async def _bare(
    store: Store, assembly: Assembly, book: CheckedBook, channel: OpenChannel, name: str, count: int
) -> tuple[float, float]:
    """The same channel, with messages that are rendered already: seconds, and seconds of CPU."""
    template = book.content.find("offer", name)
    assert template is not None
    content = render(
        template, {"customer": {"first_name": "Ann"}, "total": 120, "unsubscribe_url": "https://x.example"}
    )
    far = Instant(2**62)
    messages = [
        Message(
            key=f"{number:032x}",
            channel=name,
            name="offer",
            kind="promotional",
            customer=f"c{number}",
            address=f"c{number}@example.com" if name == "email" else f"+35840{number:07d}",
            content=content,
            rule="offers",
            expires=far,
        )
        for number in range(count)
    ]
    began, cpu = time.perf_counter(), time.process_time()
    answers = await channel.send(messages)
    if not all(isinstance(answer, Sent) for answer in answers):
        raise RuntimeError(f"the bare loop was refused: {answers[0]}")
    return time.perf_counter() - began, time.process_time() - cpu


def _dkim_key() -> str:
    """A key such as most shops sign their mail with. Raises NoSink."""
    if shutil.which("openssl") is None:
        raise NoSink("there is no openssl, which makes the key that mails are signed with: apt-get install openssl")
    made = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True, timeout=60)
    return made.stdout.decode("ascii")


def _memory() -> int:
    """The bytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


def _thread_times() -> dict[str, float]:
    """Seconds of CPU by thread, by name."""
    tick = os.sysconf("SC_CLK_TCK")
    found: dict[str, float] = {}
    for thread in threading.enumerate():
        path = Path(f"/proc/self/task/{thread.native_id}/stat")
        if path.exists():
            fields = path.read_text("ascii").rpartition(")")[2].split()
            found[thread.name] = found.get(thread.name, 0.0) + (int(fields[11]) + int(fields[12])) / tick
    return found


@asynccontextmanager
async def _sink(way: Way) -> AsyncIterator[tuple[int, dict[str, float]]]:
    """A provider in a process of its own: its port, and, after its end, what it said of itself."""
    ended: dict[str, float] = {}
    if way == "http":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "segue.cli.benchmarks.http_sink",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            yield int(await process.stdout.readline()), ended
        finally:
            said, _ = await process.communicate(b"")
            ended.update(json.loads(said))
        return
    if shutil.which(_SINK) is None:
        raise NoSink(f"there is no {_SINK}: apt-get install postfix")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    who = ("-u", "nobody") if os.geteuid() == 0 else ()
    process = await asyncio.create_subprocess_exec(_SINK, *who, f"127.0.0.1:{port}", "1000")
    try:
        await asyncio.sleep(0.3)
        yield port, ended
    finally:
        process.terminate()
        await process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        ended["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(ways: Sequence[Way], count: int, tell: Tell, folder: Path | None) -> list[Sending]:
    """Send by each way. Raises NoSink."""
    os.environ.setdefault("SEGUE_BENCH", "no-secret")
    if "smtp" in ways:
        os.environ.setdefault("SEGUE_BENCH_KEY", _dkim_key())
    found = []
    for way in ways:
        place = Path(tempfile.mkdtemp(prefix="segue-bench-", dir=folder))
        try:
            found.append(asyncio.run(measure_sending(place, way, count, tell)))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return found
