"""Rewriting the expectations of a failing test to what happens: only their own places in the file, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import assert_never

from segue.api import Instant
from segue.diagnostics import Lines
from segue.language import model as m
from segue.language import tree as t
from segue.program.calendar import local
from segue.runtime.running import DecisionLine
from segue.scenario.moments import word_after
from segue.scenario.trials import Outcome
from segue.scenario.verdicts import MESSAGES, Expectation, is_about, is_decision, meeting, word_expectation

_Expected = (t.ExpectNone, t.ExpectOne, t.ExpectCount)


def rewrite(file: t.File, outcomes: Sequence[Outcome]) -> str:
    """The text of a rule file in which the expectations that its tests do not meet say what happens. A test that could
    not be carried out stays as it is."""
    lines = Lines(file.path, file.text)
    by_line = {one.test.line: one for one in outcomes if one.test.file == file.path and one.unmet}
    edits: list[tuple[int, int, str]] = []
    for item in file.items:
        if isinstance(item, t.Test) and (outcome := by_line.get(lines.line(item.start))) is not None:
            written = [line for line in item.lines if isinstance(line, _Expected)]
            edits += _edits(file.text, written, outcome)
    text = file.text
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _edits(text: str, written: Sequence[t.Syntax], outcome: Outcome) -> list[tuple[int, int, str]]:
    unmet = {one.number for one in outcome.unmet}
    said = [word_expectation(one) for number, one in enumerate(outcome.test.expects) if number not in unmet]
    edits = []
    for number, place in enumerate(written):
        if number not in unmet:
            continue
        news = [new for new in _instead(outcome.test.expects[number], outcome, said) if new not in said]
        said += news
        edits.append(_edit(text, place.start, place.end, news))
    return edits


def _edit(text: str, start: int, end: int, news: Sequence[str]) -> tuple[int, int, str]:
    """Put lines in place of one, indented like it; where there is none, take the line away with its break, unless
    something else stands on it."""
    line_start = text.rfind("\n", 0, start) + 1
    before = text[line_start:start]
    if news:
        joint = "\n" + before if not before.strip() else " "
        return start, end, joint.join(news)
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end + 1
    if not before.strip() and not text[end:line_end].strip():
        return line_start, line_end, ""
    return start, end, ""


def _instead(expected: Expectation, outcome: Outcome, said: Sequence[str]) -> list[str]:
    """What an expectation should say."""
    decisions, start, own = outcome.decisions, outcome.start, outcome.zone
    match expected:
        case m.ExpectNone():
            return [
                _written(line, expected.what, None, start, own) for line in meeting(expected, decisions, start, own)
            ]
        case m.ExpectCount(what=what):
            count = len(meeting(expected, decisions, start, own))
            return [word_expectation(m.ExpectCount(count, what) if count else m.ExpectNone(what))]
        case m.ExpectOne(what=what, at=at):
            if meeting(expected, decisions, start, own):
                return []  # the same line once too often
            found = meeting(expected, decisions, start, own, timed=False)
            others = [line for line in decisions if is_about(line, what)]
            if not found and not others:
                return [word_expectation(m.ExpectNone(what))]
            written = [_written(line, what, at, start, own) for line in found or others]
            return [next((one for one in written if one not in said), written[0])] if found else written
        case _:
            assert_never(expected)


def _written(line: DecisionLine, what: str, at: m.TestMoment | None, start: Instant, own: tzinfo) -> str:
    """An expectation that a decision meets, with its moment in the notation of the line it replaces."""
    if at is not None and at.day is not None:
        wall = local(line.at, own)
        when = f"{wall:%Y-%m-%d %H:%M}" if not wall.second else word_after(line.at, start, own)
    else:
        when = word_after(line.at, start, own)
    word = what if is_decision(what) and what != MESSAGES else line.channel
    message = f' "{line.message}"' if line.message else ""
    return f"expect {word}{message} at {when}"


def rewritten(files: Sequence[t.File], outcomes: Sequence[Outcome]) -> Mapping[str, str]:
    """The files whose text changes, by path, with the new text."""
    texts = {file.path: rewrite(file, outcomes) for file in files}
    return {file.path: texts[file.path] for file in files if texts[file.path] != file.text}
