"""The demo as plain lines: where the output is no terminal, and at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Final, TypeVar

from segue.api import Instant, to_datetime
from segue.cli.demonstration.annotations import MARKS
from segue.cli.demonstration.scene import Counts, Scene
from segue.cli.demonstration.screen import tell_reason, word_worth
from segue.store.sweeps import RuleCount

T = TypeVar("T")

A_SECOND: Final = 6
"""Lines a wall second at the most; what is beyond is counted."""
STATUS: Final = 5.0
"""Wall seconds between two lines about each rule."""


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
            self._line(arrival.at, f"{mark} {letter.channel:<6} {letter.address:<24} {letter.words[:80]}")
        self._letters = scene.messages
        for judged in _last(scene.decisions, scene.heard - self._decisions):
            line = judged.line
            if line.decision != "sent":  # the message itself tells of that
                self._line(line.at, f"  {line.decision:<12} {line.customer:<11} {line.rule:<14} {tell_reason(line)}")
        self._decisions = scene.heard
        if present - self._status >= STATUS:
            self._status = present
            for text in tell_counts(scene.counts):
                self._write(f"  {text}")

    def _line(self, at: Instant, text: str) -> None:
        if self._room <= 0:
            self._left_out += 1
            return
        self._room -= 1
        moment = to_datetime(at).astimezone(self._zone)
        self._write(f"{moment:%a %H:%M} {text}".rstrip())


def _last(kept: Sequence[T], number: int) -> list[T]:
    return list(kept)[max(0, len(kept) - number) :]


def tell_counts(counts: Counts) -> list[str]:
    """Two lines for each rule: its law, and what it came to."""
    width = max([len(count.rule) for count in counts.rules], default=0)
    lines = []
    for count in counts.rules:
        balance = "=" if count.balanced else "is not"
        lines += [
            f"{count.rule:<{width}}  {count.entered:,} entered {balance} {count.inside:,} inside"
            f" + {count.finished:,} finished + {count.exited:,} exited + {count.failed:,} failed",
            f"{'':<{width}}  {count.sent:,} messages sent, {count.skipped:,} skipped; {_tell_goal(count, counts)}",
        ]
    return lines


def _tell_goal(count: RuleCount, counts: Counts) -> str:
    worth = word_worth(counts.worth.get(count.rule, {}))
    return f"{count.converted:,} converted, worth {worth}" if worth else f"{count.converted:,} converted"
