"""What an editor shows when one points at a word: what it means, in plain words, and the dates it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Final

import msgspec

from segue.api import Instant, Period
from segue.language import tree as t
from segue.language.explained import explain_word
from segue.language.occurrences import Meaning
from segue.lsp.dates import after, next_dates, shown, wait_ends
from segue.lsp.draft import Draft
from segue.lsp.wording import describe, fields_table
from segue.program.calendar import find_zone

_WORD: Final = re.compile(r"[^\W\d]\w*")


class Hover(msgspec.Struct, frozen=True):
    """Markdown about the text between two offsets."""

    text: str
    start: int
    end: int


def hover(draft: Draft, path: str, offset: int, now: Instant) -> Hover | None:
    """What there is to say about a place of a file; ``now`` is where dates are counted from."""
    found = draft.at(path, offset)
    if found:
        first = found[0]
        meanings = dict.fromkeys(
            one.meaning for one in found if one.start == first.start and not (one.implied and len(found) > 1)
        )
        return Hover("\n\n".join(_about(draft, one) for one in meanings), first.start, first.end)
    tree = draft.tree(path)
    if any(comment.start <= offset < comment.end for comment in tree.comments):
        return None
    zone = find_zone(draft.assembly.project.zone) or UTC
    around = _around(tree, offset)
    innermost = around[-1] if around else None
    if isinstance(innermost, t.Duration):
        return Hover(_duration(innermost.period, now, zone), innermost.start, innermost.end)
    word = _word_at(tree.text, offset)
    if word is None or isinstance(innermost, t.Text):
        return _dates_hover(around, tree.text, now, zone) if innermost is not None else None
    start, end, key = word
    explained = explain_word(key)
    if explained is None:
        return None
    text = f"**{key}** — {explained.sentence}\n\n```segue\n{explained.example}\n```"
    dates = _dates(around, tree.text[start:end], now, zone)
    return Hover(f"{dates}\n\n{text}" if dates else text, start, end)


def _about(draft: Draft, meaning: Meaning) -> str:
    detail, doc = describe(draft, meaning)
    text = f"**{meaning.name}** — {detail}"
    if doc:
        text += f"\n\n{doc}"
    if meaning.what == "event":
        text += f"\n\n{fields_table(draft, meaning.name)}"
    if meaning.what in ("segment", "rule"):
        written = _written(draft, meaning)
        text += f"\n\n```segue\n{written}\n```" if written else ""
    return text


def _written(draft: Draft, meaning: Meaning, most: int = 12) -> str:
    """The text of a segment, or of the beginning of a rule."""
    for path, one in draft.everywhere(meaning):
        if not one.defines:
            continue
        item = next((item for item in draft.tree(path).items if item.start <= one.start < item.end), None)
        if item is not None:
            lines = draft.text(path)[item.start : item.end].splitlines()
            return "\n".join([*lines[:most], *(["  …"] if len(lines) > most else [])])
    return ""


def _duration(period: Period, now: Instant, zone: tzinfo) -> str:
    end = after(period, now, zone)
    before = after(Period(-period.months, -period.days, -period.micros), now, zone)
    said = f"**{_in_words(period)}**"
    if end is None or before is None:
        return said
    return f"{said}\n\nFrom now: {shown(end)}. Back from now: {shown(before)}."


def _in_words(period: Period) -> str:
    seconds = period.micros // 1_000_000
    counts = [
        (period.months, "month"),
        (period.days // 7 if period.days % 7 == 0 else 0, "week"),
        (period.days if period.days % 7 else 0, "day"),
        (seconds // 3600, "hour"),
        (seconds % 3600 // 60, "minute"),
        (seconds % 60, "second"),
    ]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count) or "no time"


def _dates_hover(around: list[t.Syntax], text: str, now: Instant, zone: tzinfo) -> Hover | None:
    """Numbers and clock times: the dates of the schedule or wait that they belong to."""
    innermost = around[-1]
    dates = _dates(around, text[innermost.start : innermost.end], now, zone)
    return Hover(dates, innermost.start, innermost.end) if dates else None


def _dates(around: list[t.Syntax], word: str, now: Instant, zone: tzinfo) -> str:
    for node in reversed(around):
        match node:
            case t.OnSchedule() | t.OnDate():
                if word in ("where", "per", "for"):
                    return ""
                dates = next_dates(node, now, zone)
                if not dates:
                    return ""
                written = node.at.zone.name if node.at is not None and node.at.zone is not None else None
                whose = written or f"{dates[0].tzname()}; each customer's own clock counts"
                return f"Next: {'; '.join(shown(date) for date in dates)} ({whose})"
            case t.Wait() | t.WaitUntil() | t.WaitFor():
                if word == "unless":
                    return ""
                end = wait_ends(node, now, zone)
                most = "At the latest" if isinstance(node, t.WaitFor) else "From now"
                return f"{most}: {shown(end)} ({end.tzname()})" if end is not None else ""
            case _:
                pass
    return ""


def _around(tree: t.File, offset: int) -> list[t.Syntax]:
    """The nodes that hold a place, the outermost first."""
    found: list[t.Syntax] = []
    node: t.Syntax | None = next((item for item in tree.items if item.start <= offset <= item.end), None)
    while node is not None:
        found.append(node)
        node = next((inner for inner in _parts(node) if inner.start <= offset <= inner.end), None)
    return found


def _parts(node: t.Syntax) -> Iterator[t.Syntax]:
    for field in node.__struct_fields__:
        pending = [getattr(node, field)]
        while pending:
            value = pending.pop()
            if isinstance(value, t.Syntax):
                yield value
            elif isinstance(value, tuple):
                pending += reversed(value)


def _word_at(text: str, offset: int) -> tuple[int, int, str] | None:
    """The word of the language at a place, together with its neighbour where only both mean something."""
    line_start = text.rfind("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    words = list(_WORD.finditer(text, line_start, line_end if line_end >= 0 else len(text)))
    for place, match in enumerate(words):
        if not match.start() <= offset <= match.end():
            continue
        word = match.group()
        for first, second in ((place - 1, place), (place, place + 1)):
            if first >= 0 and second < len(words):
                between = text[words[first].end() : words[second].start()]
                phrase = f"{words[first].group()} {words[second].group()}"
                if not between.strip() and explain_word(phrase) is not None:
                    return words[first].start(), words[second].end(), phrase
        return match.start(), match.end(), word
    return None
