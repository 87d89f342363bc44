"""A project in a folder of its own, and the real daemon on it: a process, spoken to over HTTP and ended by its id."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from segue.store.database import Transaction, read_only
from tests.counterparts.kannel import Kannel
from tests.counterparts.process import free_port

KEY = "acceptance"
SECRET = "a-secret-of-these-tests"
SENTENCE = "when cart_abandoned wait 1d unless ordered send email then sms\n"
HOUR = 3_600_000_000
DAY = 24 * HOUR

_QUICK = "import sys; sys.modules['interegular'] = None; from segue.cli.main import main; main()"
"""`segue` as it starts where interegular is not installed. Here it is, for the tests of the grammar, and Lark then
compares all terminals with each other: half a second of each start."""

MESSAGE = {
    "email.txt": "---\nsubject: Your cart, {{ customer.first_name }}\n---\n"
    "Hi {{ customer.first_name }}, your cart is still here.\n",
    "sms.txt": "Hi {{ customer.first_name }}, your cart is still here.\n",
}


class Answer(msgspec.Struct, frozen=True):
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Finished(msgspec.Struct, frozen=True):
    """A command that ended. ``records`` are the JSON objects that it printed."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.split("\n") if line]  # a text may hold U+2028, a line to Python


class DaemonFailed(AssertionError):
    """The daemon ended, or did not do in time what was waited for. The text has the end of its log."""


class Project:
    """A project folder, written anew. ``messages`` are files by name within names of messages, ``channels`` tables of
    segue.toml."""

    def __init__(
        self,
        root: Path,
        *,
        rules: Mapping[str, str] | str = SENTENCE,
        messages: Mapping[str, Mapping[str, str]] | None = None,
        channels: str = "",
        zone: str = "UTC",
        port: int = 0,
        database: Path | None = None,
        log_ids: str = "clear",
    ) -> None:
        self.root = root
        self.port = port or free_port()
        self.database = database or root / "segue.db"
        root.mkdir(parents=True, exist_ok=True)
        self.write_rules(rules)
        for name, files in ({"cart_abandoned": MESSAGE} if messages is None else messages).items():
            for file, text in files.items():
                self.write(f"rules/messages/{name}/{file}", text)
        self.write(
            "segue.toml",
            f'zone = "{zone}"\ndatabase = "{self.database}"\n\n[http]\nport = {self.port}\nurl = "http://127.0.0.1:{self.port}"\n\n'
            f'[privacy]\nlog_ids = "{log_ids}"\n\n'  # most tests read in the log whom a decision was about
            f'[sources.segment]\nuse = "segment"\nwrite_keys = {{ env = "WRITE_KEY" }}\n\n{channels}',
        )

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def write_rules(self, rules: Mapping[str, str] | str) -> None:
        for file, text in ({"rule": rules} if isinstance(rules, str) else rules).items():
            self.write(f"rules/{file}.rules", text)

    def command(self, *arguments: str | Path, timeout: float = 60.0) -> Finished:
        """Run `segue` with these arguments in the project's folder."""
        done = subprocess.run(
            [sys.executable, "-c", _QUICK, *map(str, arguments)],
            cwd=self.root,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def store(self) -> Iterator[Transaction]:
        """One look at the store, beside whoever writes it."""
        with read_only(self.database) as tx:
            yield tx

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.store() as tx:
            return tx.rows(sql, values)

    def is_drained(self) -> bool:
        """Whether nobody is inside and no message is to be sent."""
        return not self.rows(
            "select 1 from journey where state = 0 union all select 1 from message where due is not null limit 1"
        )

    # Speaking to the daemon

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 20.0,
    ) -> Answer:
        """One HTTP exchange. Raises OSError or HTTPException where there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, body: Any, key: str = KEY) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        credentials = base64.b64encode(f"{key}:".encode()).decode()
        return self.request(
            "POST", path, raw, {"authorization": f"Basic {credentials}", "content-type": "application/json"}
        )

    def send(self, *calls: Mapping[str, Any]) -> None:
        """Segment calls in one batch, which must be acknowledged."""
        answer = self.post("/v1/batch", {"batch": calls})
        assert answer.status == 200, answer.body
        assert answer.json() == {"success": True}


class Daemon:
    """``segue run`` on a project, in a process group of its own. As a context it waits until it runs, and ends it.

    ``environment`` adds to the process's; ``script`` starts the installed console script, half a second slower.
    """

    def __init__(
        self,
        project: Project,
        *,
        speed: float = 1.0,
        level: str = "info",
        environment: Mapping[str, str] | None = None,
        script: bool = False,
    ) -> None:
        self.project = project
        self._log = project.root / "daemon.log"
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        program = [_script()] if script else [sys.executable, "-c", _QUICK]
        with self._log.open("ab") as err, (project.root / "daemon.out").open("ab") as out:
            self._process = subprocess.Popen(
                [*program, "run", "--json", "--level", level, "--speed", f"{speed:g}"],
                cwd=project.root,
                env=_environment() | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs. Ended by a signal it is that signal's number, negative."""
        return self._process.poll()

    @property
    def log(self) -> str:
        """What it has written to standard error since it was started, whole lines only."""
        with self._log.open("rb") as file:
            file.seek(self._begin)
            text = file.read().decode("utf-8", "replace")
        return text[: text.rfind("\n") + 1]

    def entries(self, event: str | None = None) -> list[dict[str, Any]]:
        """Its log's entries, perhaps of one event. Fails where a line is no JSON object."""
        found = [json.loads(line) for line in self.log.splitlines()]
        assert all(isinstance(entry, dict) for entry in found)
        return [entry for entry in found if event is None or entry["event"] == event]

    def wait_for(self, event: str, count: int = 1, within: float = 20.0) -> dict[str, Any]:
        """The ``count``-th entry of an event, once it is there."""
        mark = f'"event":"{event}"'
        until = time.monotonic() + within
        while True:
            if self.log.count(mark) >= count:
                return self.entries(event)[count - 1]
            if self.code is not None or time.monotonic() > until:
                raise DaemonFailed(f"no {event!r} (exit code {self.code}):\n{self.log[-3000:]}")
            time.sleep(0.01)

    def wait_until_running(self, within: float = 30.0) -> Self:
        self.wait_for("running", within=within)
        return self

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, within: float = 20.0) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise DaemonFailed(f"it still runs after {within:g} s:\n{self.log[-3000:]}") from None

    def stop(self, within: float = 20.0) -> int:
        """Ask it to drain and end."""
        self.signal(signal.SIGTERM)
        return self.wait(within)

    def kill(self) -> None:
        """End it as a power cut would, if it has not ended by itself."""
        if self.code is None:
            self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> Self:
        try:
            return self.wait_until_running()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, *error: object) -> None:
        if error[0] is None and self.code is None:
            code = self.stop()
            assert code == 0, f"exit code {code}:\n{self.log[-3000:]}"
        self.kill()


def wait_until(condition: Any, within: float = 30.0, what: str = "") -> Any:
    """What ``condition`` gives, once that is true."""
    until = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > until:
            raise AssertionError(f"{what or condition}: not within {within:g} s")
        time.sleep(0.05)
    return found


# Segment calls


def identify(user: str, message_id: str | None = None, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": message_id or f"identify-{user}", "userId": user, "traits": traits}


def track(user: str, event: str, message_id: str | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": message_id or f"{event}-{user}",
        "userId": user,
        "event": event,
        "properties": properties,
    }


# Channels, as tables of segue.toml


def email_table(port: int, **more: str) -> str:
    extra = "".join(f"{name} = {value}\n" for name, value in more.items())
    return (
        f'[channels.email]\nuse = "email-smtp"\nconsent = "opt-out"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'
        f'sender = "shop@example.test"\n{extra}\n'
    )


def sms_table(gateway: Kannel, **more: str) -> str:
    extra = "".join(f"{name} = {value}\n" for name, value in more.items())
    return (
        f'[channels.sms]\nuse = "sms-gateway"\nconsent = "opt-out"\nurl = "{gateway.sendsms_url}"\n'
        f'username = "{gateway.user}"\n'
        f'password = {{ env = "SMS_PASSWORD" }}\nsender = "Shop"\n{extra}\n'
    )


def console_table(name: str, path: Path) -> str:
    return f'[channels.{name}]\nuse = "console"\nconsent = "opt-out"\nstream = "none"\npath = "{path}"\n\n'


def mailbox(path: Path) -> list[dict[str, Any]]:
    """The messages in a console channel's file, in order."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _script() -> str:
    program = Path(sys.executable).parent / "segue"
    assert program.exists(), f"{program} is missing: pip install -e ."
    return str(program)


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SEGUE_", "NOTIFY_", "WATCHDOG_"))
    }
    return {**kept, "WRITE_KEY": KEY, "SMS_PASSWORD": "gateway", "SMS_CALLBACK_SECRET": SECRET, "PYTHONUNBUFFERED": "1"}
