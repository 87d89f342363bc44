"""What a funnel lost, as tables: why journeys ended early, and why messages did not arrive."""

from __future__ import annotations

from collections import Counter
from typing import Final

from segue.measure.funnels.counting import Funnel, Letter
from segue.measure.funnels.rates import counted, share
from segue.measure.funnels.reasons import sort_reason
from segue.measure.funnels.stages import stages_by_version
from segue.measure.funnels.tables import EXITED, FAILED, GROUPS, STATES
from segue.measure.table import Column, Table


def exits_table(funnel: Funnel) -> Table:
    """Why and where journeys exited or failed, the most frequent first."""
    counts: Counter[tuple[int, str, str, str]] = Counter()
    stages = stages_by_version(funnel.versions)
    for place, count in funnel.places.items():
        if place.state in (EXITED, FAILED):
            number, stage = funnel.versions[place.version].number, stages[place.version].get(place.step)
            at = f"line {stage.line}: {stage.title}" if stage is not None else "the end"
            counts[number, STATES[place.state], place.reason, at] += count
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    left = Counter[int]()
    for (number, *_), count in counts.items():
        left[number] += count
    return Table(
        "exits",
        "Why journeys ended early",
        (
            Column("rule", "Rule"),
            Column("version", "Version"),
            Column("how", "How"),
            Column("reason", "Reason"),
            Column("at", "At"),
            Column("journeys", "Journeys", "count"),
            Column("share", "Of these", "share"),
        ),
        tuple(
            (funnel.rule, str(number), how, reason or None, at, count, share(count, left[number]))
            for (number, how, reason, at), count in ordered
        ),
    )


_LOST: Final = (
    Column("by", "By"),
    Column("reason", "Reason"),
    Column("outcome", "Outcome"),
    Column("channel", "Channel"),
    Column("message", "Message"),
    Column("messages", "Messages", "count"),
)
"""What is told of messages that did not arrive, whatever they are counted by."""


def _why(letter: Letter) -> tuple[str, str, str]:
    """What kept a message back, in which words, and what became of it."""
    by = sort_reason(letter.reason)[0] if letter.fate == "skipped" else "provider"
    return by, letter.reason, "undelivered" if letter.fate == "sent" else letter.fate


def dropped_table(funnel: Funnel) -> Table:
    """Which messages did not go, and what kept them back."""
    counts: Counter[tuple[str, str, str, str, str]] = Counter()
    for letter, count in funnel.letters.items():
        if letter.reason:
            counts[(*_why(letter), letter.channel, letter.message)] += count
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return Table(
        "dropped",
        "Messages that did not arrive, and why",
        (
            Column("rule", "Rule"),
            *_LOST,
        ),
        tuple(
            (funnel.rule, by, reason, fate, channel, message, count)
            for (by, reason, fate, channel, message), count in ordered
        ),
    )


def told_dropped(dropped: Table) -> Table:
    """The same for people: whichever message it was, and without those held out, who are sent none."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    held_out = 0
    for record in dropped.records():
        count = record["messages"]
        assert isinstance(count, int)
        if record["by"] == "holdout":
            held_out += count
        else:
            counts[str(record["by"]), str(record["reason"]), str(record["outcome"]), str(record["channel"])] += count
    keep = [at for at, column in enumerate(dropped.columns) if column.name not in ("rule", "message")]
    rows = tuple((*place, count) for place, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    notes = (f"{counted(held_out, 'message')} more to customers who are held out.",) if held_out and rows else ()
    columns = tuple(dropped.columns[at] for at in keep)
    return Table(dropped.name, dropped.title, columns, rows, (*notes, *dropped.notes))


def dropped_by_step_table(funnel: Funnel) -> Table:
    """The same for each step of each version, and for those held out apart."""
    counts: Counter[tuple[int, str, int, str, str, str, str, str]] = Counter()
    for letter, count in funnel.letters.items():
        if letter.reason:
            number = funnel.versions[letter.version].number
            step = -1 if letter.step is None else letter.step
            place = (-number, GROUPS[letter.held_out], step, *_why(letter), letter.channel, letter.message)
            counts[place] += count
    stages = {funnel.versions[row].number: of for row, of in stages_by_version(funnel.versions).items()}
    ordered = sorted(counts.items(), key=lambda one: (one[0][:3], -one[1], one[0]))
    return Table(
        "dropped_by_step",
        "Messages that did not arrive, by step",
        (
            Column("rule", "Rule"),
            Column("version", "Version"),
            Column("group", "Group"),
            Column("step", "Step", "count"),
            Column("line", "Line", "count"),
            Column("words", "What happens"),
            *_LOST,
        ),
        tuple(
            (
                funnel.rule,
                str(-number),
                group,
                step if step >= 0 else None,
                stage.line if (stage := stages[-number].get(step)) is not None else None,
                stage.words if stage is not None else None,
                *why,
                count,
            )
            for (number, group, step, *why), count in ordered
        ),
    )
