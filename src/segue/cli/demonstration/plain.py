"""The demo as plain lines: where the output is no terminal, and at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, tzinfo
from typing import Final, TypeVar

from segue.api import Instant, to_datetime
from segue.cli.demonstration.annotations import MARKS, word_day
from segue.cli.demonstration.scene import Counts, Scene
from segue.cli.demonstration.screen import KIND, tell_reason
from segue.cli.demonstration.tables import word_worth
from segue.language import model as m
from segue.store.sweeps import RuleCount

T = TypeVar("T")

A_SECOND: Final = 6
"""Lines a wall second at the most; what is beyond is counted."""
STATUS: Final = 5.0
"""Wall seconds between two lines about all rules together."""
REASONS: Final = 3
"""Reasons that are named for what was not sent, or later; the most frequent ones."""


class Reporter:
    """Writes what is new in a scene, in lines, never more than a reader can bear."""

    def __init__(self, scene: Scene, zone: tzinfo, write: Callable[[str], None]) -> None:
        self._scene = scene
        self._zone = zone
        self._write = write
        self._letters = 0
        self._decisions = 0
        self._window = time.monotonic()
        self._room = A_SECOND
        self._left_out = 0
        self._status = time.monotonic()

    def report(self) -> None:
        """Write what has come since the last time."""
        present = time.monotonic()
        if present - self._window >= 1.0:
            if self._left_out:
                self._write(f"      … and {self._left_out} more")
            self._window, self._room, self._left_out = present, A_SECOND, 0
        scene = self._scene
        for arrival in list(scene.letters)[
            len(scene.letters) - min(len(scene.letters), scene.messages - self._letters) :
        ]:
            letter = arrival.letter
            mark = MARKS.get(letter.channel, "•")
            self._line(arrival.at, f"{mark} {letter.channel:<7}{letter.address:<24} {letter.words[:80]}")
        self._letters = scene.messages
        for judged in _last(scene.decisions, scene.heard - self._decisions):
            line = judged.line
            if line.decision != "sent":  # the message itself tells of that
                self._line(
                    line.at,
                    f"  {line.decision:<12} {line.customer:<13} {line.rule:<14} {tell_reason(line, self._zone)}",
                )
        self._decisions = scene.heard
        if present - self._status >= STATUS:
            self._status = present
            self._write(f"  all {len(scene.counts.rules)} rules: {tell_law(scene.counts.all)}")

    def _line(self, at: Instant, text: str) -> None:
        if self._room <= 0:
            self._left_out += 1
            return
        self._room -= 1
        moment = to_datetime(at).astimezone(self._zone)
        self._write(f"{moment:%a %H:%M} {text}".rstrip())


def _last(kept: Sequence[T], number: int) -> list[T]:
    return list(kept)[max(0, len(kept) - number) :]


def tell_law(count: RuleCount) -> str:
    """Entered = inside + finished + exited + failed, in words."""
    balance = "=" if count.balanced else "is not"
    return (
        f"{count.entered:,} entered {balance} {count.inside:,} inside + {count.finished:,} finished"
        f" + {count.exited:,} exited + {count.failed:,} failed"
    )


def tell_counts(counts: Counts, rules: Sequence[m.Rule], today: date, width: int) -> list[str]:
    """What each rule came to, in lines of about that width: its law, its messages, and its goal beside that of those
    who were held out."""
    by_name = {rule.name: rule for rule in rules}
    name = max([len(count.rule) for count in counts.rules], default=0)
    lines = []
    for count in counts.rules:
        told = [tell_law(count) if count.entered else "nobody entered"]
        if not count.entered and count.rule in by_name and (day := word_day(by_name[count.rule], today)):
            told[0] += f": {day}"
        told += _flow(_tell_messages(count, counts), width - name - 2)
        if count.converted or counts.held_out_of(count.rule).entered:
            told.append(_tell_goal(count, counts))
        lines += [f"{count.rule if place == 0 else '':<{name}}  {text}" for place, text in enumerate(told)]
    return lines


def _flow(parts: Iterable[str], width: int) -> list[str]:
    """Parts in lines, as many in each as fit."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def _tell_messages(count: RuleCount, counts: Counts) -> Iterator[str]:
    """Sent by channel, skipped and deferred by reason."""
    by_channel: Counter[str] = Counter()
    for one in counts.handed_over:
        if one.rule == count.rule:
            by_channel[one.channel] += one.count
    order = {channel: place for place, channel in enumerate(MARKS)}
    channels = sorted(by_channel, key=lambda channel: order.get(channel, len(order)))
    if channels:
        yield "  ".join(f"{MARKS.get(channel, '•')} {by_channel[channel]:,} {channel}" for channel in channels)
    for what in ("skipped", "deferred"):
        if reasons := counts.reasons(what, count.rule):
            named = [f"{n:,} {KIND.sub('', reason) or 'without a reason'}" for reason, n in reasons.items()]
            if len(named) > REASONS + 1:
                others = sum(list(reasons.values())[REASONS:])
                named = [*named[:REASONS], f"{others:,} for other reasons"]
            yield f"{sum(reasons.values()):,} {what}: {', '.join(named)}"
    if retracted := sum(counts.reasons("retracted", count.rule).values()):
        yield f"{retracted:,} taken back"


def _tell_goal(count: RuleCount, counts: Counts) -> str:
    """How many converted, with and without messages, and what it was worth."""
    held = counts.held_out_of(count.rule)
    worth = word_worth(counts.worth.get(count.rule, {}))
    sum_of_money = f", worth {worth}" if worth else ""
    if not held.entered:
        return f"{count.converted:,} of {count.entered:,} converted{sum_of_money}"
    entered, converted = count.entered - held.entered, count.converted - held.converted
    return (
        f"{_share(converted, entered)} converted, without messages (held out) {_share(held.converted, held.entered)}"
        f"{sum_of_money}"
    )


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.0%})" if whole else "0 of 0"
