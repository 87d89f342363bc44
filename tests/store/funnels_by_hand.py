"""A funnel counted by hand: slowly, journey by journey, from what the engine and the ledger read of the store.

Nothing of this is the code that `segue funnel` counts by: journeys are the engine's, messages the ledger's, what
customers did is in the events, and which step a message is of is found by minting its key again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.delivery.ledger import LedgerRow, MessageState
from segue.engine.journey import Journey, mint
from segue.measure.period import Period
from segue.program.codec import decode_rule
from segue.program.program import Jump, Program, Send, Split, compile_rule
from segue.store.database import Transaction
from segue.store.history import REPORT
from segue.store.journeys import load_journeys
from segue.store.ledger import select_messages

DEEDS = ("delivered", "opened", "clicked", "replied")
ANSWERS = frozenset(DEEDS[1:])
SENT = (
    MessageState.HANDED,
    MessageState.CONFIRMED,
    MessageState.UNDELIVERED,
    MessageState.RETRACTED,
    MessageState.RETRACTING,
)


class Told(msgspec.Struct):
    """A journey with its messages, and what was done with each."""

    customer: int
    program: Program
    version: int
    journey: Journey
    letters: list[tuple[LedgerRow, frozenset[str]]]

    @property
    def group(self) -> str:
        return "held out" if self.journey.holdout else "sent to"

    @property
    def sent(self) -> list[tuple[LedgerRow, frozenset[str]]]:
        return [(row, deeds) for row, deeds in self.letters if row.state in SENT]

    @property
    def visited(self) -> list[int]:
        """The steps it took, and the one that it is at or ended at."""
        return [one.step for one in self.journey.trace if one.step >= 0] + [self.journey.step]

    def step_of(self, message: LedgerRow) -> int | None:
        """The step that decided a message, found by its key."""
        visits = [*(one.step for one in self.journey.trace), self.journey.step]
        for visit, number in enumerate(visits):
            step = self.program.steps[number] if 0 <= number < len(self.program.steps) else None
            for group, places in enumerate(step.together if isinstance(step, Send) else ()):
                for place in range(len(places)):
                    if mint("message", self.journey.key, visit, group, place, message.channel) == message.key:
                        return number
        return None


def tell(tx: Transaction, rule: str) -> list[Told]:
    """All that is stored of a rule's journeys."""
    programs = {
        content: (number, compile_rule(decode_rule(body)))
        for number, (content, body) in enumerate(
            tx.rows("select hash, body from program where rule = ? order by id", (rule,)), 1
        )
    }
    done: dict[str, set[str]] = {}
    for (fields,) in tx.rows("select fields from event where kind = ?", (REPORT,)):
        report = msgspec.json.decode(fields)
        done.setdefault(report["key"], set()).add(report["what"])
    letters: dict[int, list[tuple[LedgerRow, frozenset[str]]]] = {}
    for message in select_messages(tx, "1 order by id", ()):
        deeds = set(done.get(message.key, ())) & set(DEEDS)
        letters.setdefault(message.journey, []).append((message, frozenset(deeds)))
    return [
        Told(customer, programs[journey.program][1], programs[journey.program][0], journey, letters.get(row, []))
        for row, (customer, journey) in load_journeys(tx, [row for (row,) in tx.rows("select id from journey")]).items()
        if journey.rule == rule
    ]


def entered_in(told: Iterable[Told], period: Period) -> list[Told]:
    return [one for one in told if period.since <= one.journey.entered < period.until]


def count(told: Sequence[Told], wanted: Callable[[Told], bool]) -> int:
    return sum(wanted(one) for one in told)


def journeys(told: Sequence[Told]) -> dict[tuple[str, str], dict[str, int]]:
    """A line for each version and group."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for version, group in {(one.version, one.group) for one in told}:
        ours = [one for one in told if (one.version, one.group) == (version, group)]
        line = {"entered": len(ours), "sent_to": count(ours, lambda one: bool(one.sent))}
        for state in ("inside", "finished", "exited", "failed"):
            line[state] = sum(one.journey.state == state for one in ours)
        for deed in DEEDS:
            line[deed] = sum(any(deed in deeds for _, deeds in one.letters) for one in ours)
        line["converted"] = count(ours, lambda one: one.journey.converted is not None)
        found[str(version), group] = line
    return found


def steps(told: Sequence[Told]) -> dict[tuple[str, str, int], Counter[str]]:
    """A line for each step that anybody reached; the end is not one, nor are jumps, which no text has."""
    found: dict[tuple[str, str, int], Counter[str]] = {}
    for one in told:
        visited, journey = one.visited, one.journey
        for number in set(visited) - {len(one.program.steps)}:
            if isinstance(one.program.steps[number], Jump):
                continue
            line = found.setdefault((str(one.version), one.group, number), Counter())
            line["reached"] += 1
            line["times"] += visited.count(number)
            ends_here = journey.step == number
            line["here" if journey.state == "inside" else journey.state] += ends_here
            line["went_on"] += not ends_here
    return found


def arms(told: Iterable[Told]) -> dict[tuple[str, str, int, str], Counter[str]]:
    """A line for each arm of each split that anybody took."""
    found: dict[tuple[str, str, int, str], Counter[str]] = {}
    for one in told:
        taken = {(trace.step, trace.outcome) for trace in one.journey.trace if trace.step >= 0}
        for number, arm in taken:
            if isinstance(one.program.steps[number], Split):
                line = found.setdefault((str(one.version), one.group, number, arm), Counter())
                line.update(["entered", one.journey.state])
                line["converted"] += one.journey.converted is not None
    return found


def ends(told: Iterable[Told]) -> Counter[tuple[str, str]]:
    return Counter((one.journey.state, one.journey.reason) for one in told if one.journey.state in ("exited", "failed"))


def ways(told: Iterable[Told]) -> Counter[tuple[str, str, str]]:
    """How often each way was taken, by the words of nothing but the version, the group and the way."""
    return Counter(
        (str(one.version), one.group, trace.outcome)
        for one in told
        for trace in one.journey.trace
        if trace.step >= 0 and trace.outcome
    )


def kept_back(told: Iterable[Told]) -> Counter[tuple[str, str, str, str]]:
    """Messages that did not arrive: outcome, channel, message, and the reason before what was in its way this time."""
    outcomes = {
        MessageState.SKIPPED: "skipped",
        MessageState.FAILED: "failed",
        MessageState.UNDELIVERED: "undelivered",
        MessageState.UNKNOWN: "unknown",
    }
    return Counter(
        (outcomes[row.state], row.channel, row.message, row.reason.split(", taken by")[0])
        for one in told
        for row, _ in one.letters
        if row.state in outcomes and row.reason
    )


def channels(told: Iterable[Told]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for one in told:
        for row, deeds in one.sent:
            line = found.setdefault(row.channel, Counter())
            line.update(["sent", *deeds])
            line["answered"] += bool(deeds & ANSWERS)
    return found


def content(told: Iterable[Told]) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for one in told:
        converted = one.journey.converted
        for row, deeds in one.sent:
            line = found.setdefault((row.message, row.channel), Counter())
            line.update(["sent", *deeds])
            line["converted"] += converted is not None and row.handed is not None and row.handed <= converted
    return found


def times(told: Iterable[Told]) -> dict[str, list[int]]:
    """From entry to what, in microseconds, in order."""
    found: dict[str, list[int]] = {}
    for one in told:
        entered = one.journey.entered
        handed = [row.handed for row, _ in one.sent if row.handed is not None]
        for what, moment in (
            ("entry to first message", min(handed, default=None)),
            ("entry to goal", one.journey.converted),
            ("entry to end", one.journey.ended),
        ):
            if moment is not None:
                found.setdefault(what, []).append(max(0, moment - entered))
    return {what: sorted(values) for what, values in found.items()}


def quantile(values: Sequence[int], at: float) -> int:
    """The smallest value that so many do not exceed."""
    return values[max(ceil(at * len(values) - 1e-9), 1) - 1]


def windows(told: Iterable[Told], now: Instant) -> Counter[int]:
    """On which day after the entry the goal was met, of those whose window is over."""
    return Counter(
        max(0, journey.converted - journey.entered) // DAY + 1
        for journey in (one.journey for one in told)
        if journey.goal_until is not None and journey.goal_until <= now and journey.converted is not None
    )


def touches(told: Sequence[Told]) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """By how many messages: journeys, those that converted, and customers. Those held out are left out."""
    reached = [one for one in told if not one.journey.holdout]
    each = Counter[int]()
    for one in reached:
        each[one.customer] += len(one.sent)
    return (
        Counter(len(one.sent) for one in reached),
        Counter(len(one.sent) for one in reached if one.journey.converted is not None),
        Counter(each.values()),
    )


def figures(records: Iterable[Mapping[str, Any]], key: Sequence[str], names: Sequence[str]) -> dict[Any, Any]:
    """Records of a table by what tells them apart, with those of their numbers that are not nothing."""
    return {
        tuple(record[name] for name in key): {name: record[name] for name in names if record[name]}
        for record in records
    }


def numbers(counted: Mapping[Any, Mapping[str, int]]) -> dict[Any, dict[str, int]]:
    """What was counted by hand, in the form of `figures`."""
    return {
        key if isinstance(key, tuple) else (key,): {name: number for name, number in line.items() if number}
        for key, line in counted.items()
    }
