"""A story told to Segue in three ways that must decide alike.

`in_replay` runs it over a store in memory in the loop of `segue replay`; `in_store` through the daemon's own loop
functions on a store file that is closed and opened again between every two inputs; `by_command` through the command
line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from typer.testing import CliRunner

from segue.api import Answer, ChannelSpec, Event, Instant, Money, Rejected, Report, Retry, Sent, Unknown
from segue.api.values import HOUR, MINUTE, SECOND
from segue.cli.main import app
from segue.host import discover
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.messages.catalogue import Catalogue
from segue.messages.rendering import render
from segue.runtime.assembly import Assembly, assemble
from segue.runtime.claiming import claim
from segue.runtime.dispatch import Claim, Outcome, recover, report, settle
from segue.runtime.due import end_recurrence, next_due, pass_time
from segue.runtime.ingest import ingest
from segue.runtime.publishing import Setting, load, publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.runtime.sweeping import chores, sweep
from segue.runtime.turn import Done
from segue.runtime.wake import Woke
from segue.scenario.record_writing import write_answers, write_arrivals, write_suppressions
from segue.scenario.recording import Recording
from segue.scenario.replay import SPAN, Arrival, Replay
from segue.store import ledger as ledger_rows
from segue.store.database import Store, Transaction
from segue.store.sweeps import count_rules
from tests.acceptance.stories import Input, Story

T = TypeVar("T")

_HERE: Final = Path(__file__).parent
REACTIONS: Final = ("opened", "clicked", "replied")


class Scripted(msgspec.Struct, frozen=True):
    """What a channel answers from a moment on."""

    answer: Answer
    delay: int = 0


# The project


@cache
def _assembly(folder: Path) -> Assembly:
    return assemble(folder, discover())


@cache
def setting() -> Setting:
    """A project without a segue.toml: all its channels are on the console. Three are changed: `rcs` counts as settled
    only with its report, a letter is held when its outcome is unknown, and an SMS costs ten cents. Events whose field
    `source` is `shop` come from one that only reports how carts change."""
    found = _assembly(_HERE).setting
    channels: dict[str, ChannelSpec] = {
        name: msgspec.structs.replace(spec, reactions=REACTIONS) for name, spec in found.channels.items()
    }
    channels["rcs"] = msgspec.structs.replace(channels["rcs"], settles="report", settles_within=600.0)
    channels["letter"] = msgspec.structs.replace(channels["letter"], unknown="hold")
    costs = {"sms": Money(Decimal("0.10"), "EUR")}
    return msgspec.structs.replace(found, channels=channels, costs=costs, carts={"shop": HOUR})


def read_rules(text: str) -> m.Book:
    """The checked book of a rule text, with the words of the installed plugins. A text with errors fails the test."""
    checked = check_book([Source("case.rules", text)], _assembly(_HERE).words(None))
    assert checked.ok, "\n".join(f"{each.code} {each.message}" for each in checked.diagnostics if each.is_error)
    return checked.book


def _decode(line: bytes) -> tuple[Event, Instant]:
    source = _assembly(_HERE).plugins.sources["segment"]
    assert source.decode is not None
    return source.decode(line)


def _prepare(tx: Transaction, book: m.Book, now: Instant) -> Running:
    publish(tx, book, now, "test")
    running = resume(tx, setting())
    assert running is not None
    return running


# Replay, in memory


def in_replay(story: Story, record: Path | None = None, span: int = SPAN) -> list[DecisionLine]:
    """Decide a story by replay. ``record`` is the file that a run left, where channels did not take everything."""
    store = Store(None)
    try:
        book = read_rules(story.rules)
        running = store.apply(lambda tx: _prepare(tx, book, _before(story)))
        known = Recording(record, _decode) if record is not None else None
        assert known is None or not known.bad, known.bad
        arrivals = list(known.arrivals()) if known is not None else _arrivals(story.inputs)
        replay = Replay(store, running, Catalogue(), known.record if known is not None else None, span=span)
        lines: list[DecisionLine] = []
        for edit in (each for each in story.inputs if each.what == "rules"):
            before = [arrival for arrival in arrivals if arrival.received < edit.at]
            arrivals = arrivals[len(before) :]
            lines += replay.run(before, until=edit.at)
            changed = store.apply(partial(_prepare, book=read_rules(story.edits[edit.words[0]]), now=edit.at))
            lines += replay.edit(changed, edit.at)
        lines += replay.run(arrivals)
        _hold_the_law(store.apply(count_rules))
        return lines
    finally:
        store.close()


def _before(story: Story) -> Instant:
    """When the first book of a story is published."""
    return Instant((story.inputs[0].at if story.inputs else Instant(1)) - 1)


def _sweep(write: Callable[..., Any], running: Running, now: Instant) -> list[DecisionLine]:
    """Do what a publication leaves to do, in pieces of two."""
    lines: list[DecisionLine] = []
    for chore in write(partial(chores, running=running)):
        left = chore
        while left is not None:
            swept = write(partial(sweep, running=running, chore=left, now=now, limit=2))
            lines += swept.done.lines
            left = swept.left
    return lines


def _arrivals(inputs: Iterable[Input]) -> list[Arrival]:
    return [Arrival(*_decode(each.line)) for each in inputs if each.what == "event"]


def _hold_the_law(counts: Sequence[Any]) -> None:
    assert all(count.balanced for count in counts), counts


# The daemon's loops, on a file


class Call(msgspec.Struct, frozen=True):
    """A call to a provider: when, and what it was handed."""

    at: Instant
    customer: str
    channel: str
    key: str
    attempt: int
    content: Mapping[str, str]


class Daemon:
    """The daemon's own functions, called in the order of time on a store file with its writer thread.

    ``crash_after`` names calls, counted from 1, that the provider accepts and after which the process is gone before it
    noted the answer.
    """

    def __init__(self, path: Path, content: Catalogue | None = None, crash_after: frozenset[int] = frozenset()) -> None:
        self.path = path
        self.content = content or Catalogue()
        self.lines: list[DecisionLine] = []
        self.calls: list[Call] = []
        self.now = Instant(0)
        self.running: Running | None = None
        self._crash_after = crash_after
        self._scripts: dict[str, Scripted] = {}
        self._pending: list[tuple[Instant, Outcome]] = []
        self._reports = 0
        self._open()

    def _open(self) -> None:
        self.store = Store(self.path)
        self.store.start()
        self.running = self._write(lambda tx: load(tx, setting()))

    def reopen(self) -> None:
        """Stop and start again: all that is known afterwards is what the file says."""
        self.store.close()
        self._open()

    def close(self) -> None:
        _hold_the_law(self._write(count_rules))
        self.store.close()

    def _write(self, job: Callable[[Transaction], T]) -> T:
        return self.store.write(job).result(timeout=30)

    def _do(self, job: Callable[..., Any], **values: Any) -> Any:
        assert self.running is not None
        return self._write(partial(job, running=self.running, now=self.now, **values))

    def _keep(self, done: Done) -> None:
        self.lines.extend(done.lines)

    # Inputs

    def take(self, story: Story, each: Input) -> None:
        """One input, at its moment."""
        self.now = each.at
        match each.what:
            case "event":
                self._keep(self._do(ingest, events=[_decode(each.line)[0]]).done)
            case "rules":
                self.publish(story.edits[each.words[0]], each.at)
            case "channel":
                self._script(each.words)
            case "report":
                self._report(each.words)

    def publish(self, rules: str, at: Instant) -> None:
        """Publish a book; whoever is inside a rule that is gone leaves."""
        self.now = at
        book = read_rules(rules)
        self.running = self._write(lambda tx: _prepare(tx, book, at))
        self.lines += _sweep(self._write, self.running, at)

    def _script(self, words: Sequence[str]) -> None:
        channel, verb, *rest = words
        delay = next((_seconds(word[6:]) for word in rest if word.startswith("after=")), 0)
        reason = next((word for word in rest if not word.startswith("after=")), "no reason")
        answers: dict[str, Answer] = {
            "sends": Sent(),
            "rejects": Rejected(reason),
            "rejects-gone": Rejected(reason, address_gone=True),
            "retries": Retry(reason),
            "cut-off": Unknown(reason),
        }
        self._scripts[channel] = Scripted(answers[verb], delay)

    def _report(self, words: Sequence[str]) -> None:
        customer, channel, what, *gone = words
        key = next(call.key for call in reversed(self.calls) if (call.customer, call.channel) == (customer, channel))
        self._reports += 1
        one = Report(
            id=f"report-{self._reports}",
            what=what,
            at=self.now,
            key=key,
            reason="unregistered" if gone else "",
            address_gone=bool(gone),
        )
        self._keep(self._do(report, channel=channel, reports=[one]))

    # Time

    def wake_early(self, at: Instant) -> int:
        """Look for waits that are over although none is due. Gives how many ended."""
        self.now = at
        return self._fired()

    def run_until(self, limit: Instant | None) -> None:
        """Do all that is due before a moment, in the order of time; None is to the end, as replay has it."""
        assert self.running is not None
        if limit is None:
            self.running = msgspec.structs.replace(self.running, recurs_until=self.now)
            self._write(partial(end_recurrence, running=self.running))
        while (moment := self._next_moment()) is not None and (limit is None or moment < limit):
            self.now = max(self.now, moment)
            self._answer_due()
            while self._fired():
                pass
            while self._sent():
                pass

    def _next_moment(self) -> Instant | None:
        running = self.running
        assert running is not None

        def look(tx: Transaction) -> list[Instant | None]:
            return [
                next_due(tx, running),
                *(ledger_rows.next_due(tx, name) for name in ledger_rows.due_channels(tx)),
            ]

        moments = [due for due in self._write(look) if due is not None] + [at for at, _ in self._pending]
        return min(moments, default=None)

    def _answer_due(self) -> None:
        due = [outcome for at, outcome in self._pending if at <= self.now]
        self._pending = [(at, outcome) for at, outcome in self._pending if at > self.now]
        if due:
            self._keep(self._do(settle, outcomes=due))

    def _fired(self) -> int:
        fired = 0
        while True:
            woke: Woke = self._do(pass_time, limit=2)
            self._keep(woke.done)
            fired += woke.fired
            if woke.next_due is None or woke.next_due > self.now:
                return fired

    def _sent(self) -> bool:
        for channel in sorted(self._write(ledger_rows.due_channels)):
            claims = self._do(claim, content=self.content, channel=channel, limit=100)
            self._keep(claims.done)
            for one in claims.claims:
                self._call(one)
            for one in claims.retractions:
                answer = self._scripts.get(channel, Scripted(Sent())).answer
                self._keep(self._do(settle, outcomes=[Outcome(one.row, answer, retraction=True)]))
            if claims.seen:
                return True
        return False

    def _call(self, one: Claim) -> None:
        content = render(one.template, one.values) if one.template is not None else {}
        self.calls.append(Call(self.now, one.customer, one.channel, one.key, one.attempt, content))
        script = self._scripts.get(one.channel, Scripted(Sent()))
        if len(self.calls) in self._crash_after:
            self.reopen()
            self._keep(self._do(recover))
            return
        outcome = Outcome(one.row, script.answer)
        if script.delay:
            self._pending.append((Instant(self.now + script.delay), outcome))
        else:
            self._keep(self._do(settle, outcomes=[outcome]))

    # Records

    def record(self, target: Path) -> None:
        """What `segue record` would write."""
        lines: list[bytes] = []
        for write in (write_arrivals, write_answers, write_suppressions):
            after, piece = 0, [b""]
            while piece:
                last, piece = self._write(partial(write, after=after, limit=100))
                lines += piece
                if not last:
                    break
                after = last
        target.write_bytes(b"\n".join(lines) + b"\n")


def _seconds(written: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|min)", written).groups()  # type: ignore[union-attr]
    return int(number) * (SECOND if unit == "s" else MINUTE)


def in_store(story: Story, folder: Path, crash_after: Iterable[int] = ()) -> Daemon:
    """Decide a story on a file, opened anew between every two inputs. The daemon that comes back is closed and has left
    a record."""
    daemon = Daemon(folder / "segue.db", crash_after=frozenset(crash_after))
    daemon.publish(story.rules, _before(story))
    for each in story.inputs:
        daemon.run_until(each.at)
        daemon.reopen()
        daemon.take(story, each)
    daemon.run_until(None)
    daemon.record(folder / "record.jsonl")
    daemon.close()
    return daemon


# The command line


def by_command(story: Story, folder: Path) -> list[dict[str, Any]]:
    """Decide a story with `segue replay --json`. Gives its lines."""
    rules, events = folder / "case.rules", folder / "events.jsonl"
    (folder / "segue.toml").write_text('[sources.shop]\nuse = "segment"\ncart_abandoned = "1h"\n', encoding="utf-8")
    rules.write_text(story.rules, encoding="utf-8")
    events.write_bytes(b"\n".join(each.line for each in story.inputs) + b"\n")
    outcome = CliRunner().invoke(app, ["replay", "--rules", str(rules), "--events", str(events), "--json"])
    assert outcome.exit_code == 0, outcome.output
    return [msgspec.json.decode(line) for line in outcome.stdout.splitlines()]


def check_by_command(rules: str, folder: Path) -> list[dict[str, Any]]:
    """What `segue check --json` says of rules that are wrong."""
    place = folder / "case.rules"
    place.write_text(rules, encoding="utf-8")
    outcome = CliRunner().invoke(app, ["check", str(place), "--json"])
    assert outcome.exit_code == 1, outcome.output
    return [msgspec.json.decode(line) for line in outcome.stdout.splitlines()]
