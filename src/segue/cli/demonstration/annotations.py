"""A rule's own text with the living numbers beside it: the rule is the map of its journeys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal

import msgspec

from segue.cli.demonstration.scene import Counts
from segue.language import model as m
from segue.program.program import Program, Send, Split, Wait, WaitFor, WaitUntil

Sign = Literal["entered", "ignored", "converted", "exited", "sent", "finished", "failed", "held"]

MARKS: Final[dict[str, str]] = {"email": "✉", "sms": "✆", "push": "◆", "letter": "⚑", "onsite": "▣", "chat": "❝"}
"""Signs for channels; another channel has a dot."""
_ARM: Final = re.compile(r'\s*[\d.]+% "(.+?)"')

_BEGINS: Final = ("rule ", "segment ", "event ", "customer")


class Line(msgspec.Struct, frozen=True):
    """One line of a rule. ``inside`` is how many journeys stand at it (None where none can), ``notes`` what happened
    there."""

    text: str
    inside: int | None = None
    notes: tuple[tuple[Sign, str], ...] = ()


def read_text(program: Program) -> list[tuple[int, str]]:
    """The lines of a rule in its file, by number, without comments and empty lines."""
    rule = program.rule
    lines = Path(rule.file).read_text("utf-8").splitlines()
    kept: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if number < rule.line:
            continue
        text = _without_comment(line).rstrip()
        if kept and text.startswith(_BEGINS if kept[0][1].startswith("rule ") else (*_BEGINS, "when ")):
            break
        if text.strip():
            kept.append((number, text))
    return kept


def _without_comment(line: str) -> str:
    quoted = False
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == "#" and not quoted:
            return line[:place]
    return line


def annotate(program: Program, text: Sequence[tuple[int, str]], counts: Counts, today: date) -> list[Line]:
    """The lines of a rule with what the counts say of each."""
    rule = program.rule
    count = counts.of(rule.name)
    standing = {one.step: one.inside for one in counts.positions if one.program == program.hash}
    handed = {(one.channel, one.message): one.count for one in counts.handed_over if one.rule == rule.name}
    arms = {(one.split, one.arm): one.count for one in counts.assigned if one.rule == rule.name}
    left = counts.reasons("exited", rule.name)
    ignored = sum(counts.reasons("ignored", rule.name).values())
    trigger = next((number for number, written in text if not written.startswith("rule ")), 0)
    told: set[tuple[str, str]] = set()
    split = ""
    lines = []
    for place, (number, written) in enumerate(text):
        inside: int | None = None
        notes: list[tuple[Sign, str]] = []
        word = written.split()[0]
        if number == trigger:
            notes.append(("entered", f"{count.entered:,} entered"))
            if not count.entered and (day := word_day(rule, today)):
                notes.append(("ignored", day))
        elif word in ("once", "on") and ignored:
            notes.append(("ignored", f"{ignored:,} left alone"))
        elif word == "goal":
            notes.append(("converted", f"{count.converted:,} converted"))
        elif word == "holdout":
            notes.append(("held", f"{counts.held_out_of(rule.name).entered:,} held out"))
        elif word == "until":
            n = sum(n for reason, n in left.items() if reason.startswith("until "))
            notes.append(("exited", f"{n:,} exited"))
        elif arm := _ARM.match(written):
            notes.append(("entered", f"{arms.get((split, arm[1]), 0):,} went this way"))
        for index, step in enumerate(program.steps):
            if step.line != number:
                continue
            if isinstance(step, (Wait, WaitUntil, WaitFor)):
                inside = (inside or 0) + standing.get(index, 0)
            elif isinstance(step, Send):
                notes += [("sent", note) for note in _sent(step, handed, told)]
            elif isinstance(step, Split):
                split = step.name
            if step.reached is not None and (reason := program.guards[step.reached].reason) in left:
                notes.append(("exited", f"{left.pop(reason):,} exited"))
        if place == len(text) - 1:
            notes.append(("finished", f"{count.finished:,} finished"))
            if count.failed:
                notes.append(("failed", f"{count.failed:,} failed"))
        lines.append(Line(written, inside, tuple(notes)))
    return lines


def _sent(send: Send, handed: dict[tuple[str, str], int], told: set[tuple[str, str]]) -> Iterator[str]:
    """What a send handed over, by channel. Two lines that send the same message on the same channel share a number,
    which the first of them shows; ``told`` remembers that."""
    for group in send.together:
        written = {one.channel for one in group}
        for one in group:
            if one.channel is not None:
                channels = [one.channel]
            else:  # preferred: whichever it was for each customer
                channels = sorted(name for name, message in handed if message == one.message and name not in written)
            for channel in channels:
                if (channel, one.message) not in told:
                    told.add((channel, one.message))
                    yield f"{MARKS.get(channel, '•')} {handed.get((channel, one.message), 0):,}"


def word_day(rule: m.Rule, today: date) -> str:
    """Of a rule for one day: how far it is. Nothing for another rule."""
    if not isinstance(rule.trigger, m.OnDate):
        return ""
    days = (date.fromisoformat(rule.trigger.day.iso) - today).days
    if days < 0:
        return "its day has passed"
    return "its day is today" if days == 0 else f"its day is in {days:,} day{'s' if days > 1 else ''}"
