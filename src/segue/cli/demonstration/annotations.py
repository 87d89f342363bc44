"""A rule's own text with the living numbers beside it: the rule is the map of its journeys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from segue.cli.demonstration.scene import Counts
from segue.program.program import Program, Send, Wait, WaitFor, WaitUntil

Sign = Literal["entered", "ignored", "converted", "exited", "sent", "finished", "failed"]

MARKS: Final[dict[str, str]] = {"email": "✉", "sms": "✆"}
"""Signs for channels; another channel has a dot."""

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


def annotate(program: Program, text: Sequence[tuple[int, str]], counts: Counts) -> list[Line]:
    """The lines of a rule with what the counts say of each."""
    rule = program.rule
    count = counts.of(rule.name)
    standing = {one.step: one.inside for one in counts.positions if one.program == program.hash}
    handed = {(one.channel, one.message): one.count for one in counts.handed_over if one.rule == rule.name}
    left = {reason: n for name, what, reason, n in counts.endings if name == rule.name and what == "exited"}
    lines = []
    for place, (number, written) in enumerate(text):
        inside: int | None = None
        notes: list[tuple[Sign, str]] = []
        match written.split()[0]:
            case "when":
                notes.append(("entered", f"{count.entered:,} entered"))
            case "once" | "on" if count.ignored:
                notes.append(("ignored", f"{count.ignored:,} left alone"))
            case "goal":
                notes.append(("converted", f"{count.converted:,} converted"))
            case "until":
                n = sum(n for reason, n in left.items() if reason.startswith("until "))
                notes.append(("exited", f"{n:,} exited"))
            case _:
                pass
        for index, step in enumerate(program.steps):
            if step.line != number:
                continue
            if isinstance(step, (Wait, WaitUntil, WaitFor)):
                inside = (inside or 0) + standing.get(index, 0)
            elif isinstance(step, Send):
                for group in step.together:
                    for one in group:
                        if one.channel is None:  # preferred: whichever it is for each customer
                            continue
                        n = handed.get((one.channel, one.message), 0)
                        notes.append(("sent", f"{MARKS.get(one.channel, '•')} {n:,}"))
            if step.reached is not None and (reason := program.guards[step.reached].reason) in left:
                notes.append(("exited", f"{left.pop(reason):,} exited"))
        if place == len(text) - 1:
            notes.append(("finished", f"{count.finished:,} finished"))
            if count.failed:
                notes.append(("failed", f"{count.failed:,} failed"))
        lines.append(Line(written, inside, tuple(notes)))
    return lines
