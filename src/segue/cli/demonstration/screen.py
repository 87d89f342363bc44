"""The picture: rules with their journeys moving through them, messages arriving, decisions being made.

Every line is composed to the width of the terminal, and as many lines as it has rows, so that nothing wraps, scrolls
or flickers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR
from segue.cli.demonstration.annotations import MARKS, Line, annotate, read_text
from segue.cli.demonstration.drawing import (
    STATES,
    apart,
    beside,
    colour_rule,
    fill,
    fit,
    share_bar,
    shorten,
    title_line,
    without_ends,
)
from segue.cli.demonstration.scene import Arrival, Judged, Scene
from segue.program.program import Program
from segue.runtime.running import DecisionLine

FRESH: Final = 1.2
"""Wall seconds for which something new stands out."""
TURN: Final = 7.0
"""Wall seconds for which a rule stays in view, where only one has room."""
WIDE: Final = 118
"""Columns from which two rules, and messages and decisions, stand side by side."""

ROOMY: Final = 136
"""Columns from which messages show their addresses."""
LOW: Final = 30
"""Rows below which every line is saved that can be."""

SIGNS: Final = {
    "entered": ("→", "bold"),
    "ignored": ("·", "dim"),
    "converted": ("★", "magenta"),
    "exited": ("↳", "yellow"),
    "sent": ("", "bright_blue"),
    "finished": ("■", "green"),
    "failed": ("✗", "red"),
}
DECISIONS: Final = {
    "entered": "bold",
    "converted": "magenta",
    "sent": "bright_blue",
    "finished": "green",
    "exited": "yellow",
    "skipped": "yellow",
    "ignored": "dim",
    "failed": "red",
    "undelivered": "red",
}


class Places(msgspec.Struct, frozen=True):
    """Where to look next, as the footer shows it. ``mailbox`` is a file in ``folder``."""

    url: str
    folder: str
    mailbox: str
    tutorial: str


class Screen:
    """A renderable of the whole terminal. `frame` gives its lines for a size; rich asks for them at each refresh."""

    def __init__(self, scene: Scene, programs: Sequence[Program], places: Places, zone: tzinfo) -> None:
        self._scene = scene
        self._programs = [(program, read_text(program)) for program in programs]
        self._places = places
        self._zone = zone
        self._seen: dict[str, tuple[int, float]] = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = console.size
        lines = self.frame(width, height)
        for place, line in enumerate(lines):
            yield from line.render(console)
            if place < len(lines) - 1:
                yield Segment.line()

    def frame(self, width: int, height: int) -> list[Text]:
        """The picture as exactly ``height`` lines of ``width`` columns."""
        foot = self._footer(width, low=height < LOW)
        lines = [self._header(width), *self._table(width)]
        room = height - len(lines) - len(foot)
        wide = width >= WIDE
        views = self._views(width // 2 - 1 if wide else width, low=height < LOW)
        least = 7 if wide or height < LOW else 12
        if wide:  # in pairs
            views = [beside(views[place : place + 2], width // 2 - 1) for place in range(0, len(views), 2)]
        shown = self._stack(views, room - least)
        lines += shown[: max(0, room - 3)]
        room = max(0, height - len(lines) - len(foot))
        if wide:
            half = width // 2 - 1
            lines += beside(
                [self._letters(half + 7, room, addresses=width >= ROOMY), self._decisions(width - half - 9, room)],
                half + 7,
            )
        else:
            few = min(room, max(3, room * 2 // 5))
            lines += self._letters(width, room - few, addresses=False) + self._decisions(width, few)
        lines = lines[: max(0, height - len(foot))]
        lines += [Text() for _ in range(height - len(foot) - len(lines))]
        return [fit(line, width) for line in (*lines, *foot)][:height]

    # Parts

    def _header(self, width: int) -> Text:
        scene = self._scene
        events, messages = scene.rates
        left = Text.assemble((" Segue ", "bold reverse"), "  ", (self._moment(scene.now, "%a %d %b %H:%M"), "bold"))
        left.append(f"  {_passed(scene.now - scene.began)} in {int(time.monotonic() - scene.started)}s", "dim")
        if width >= WIDE:
            left.append(f"   {word_speed(scene.clock.speed)}   a simulated shop and its customers", "dim")
        right = Text.assemble(
            (f"{scene.events:,}", "bold"),
            f" events {events:.1f}/s  ",
            (f"{scene.messages:,}", "bold bright_blue"),
            f" messages {messages:.1f}/s ",
        )
        return apart(left, right, width)

    def _table(self, width: int) -> list[Text]:
        """The law, rule by rule: entered = inside + finished + exited + failed."""
        name = max([len(program.name) for program, _ in self._programs], default=4)
        rest = width - name - 2 - 8 - 4 * 11 - 12
        worth = rest >= 14
        bar = min(rest - (14 if worth else 0), 60)
        head = Text(" " * (name + 2))
        head.append(f"{'entered':>7} ", "dim")
        for mark, (state, colour) in zip("=+++", STATES, strict=True):
            head.append(f"{mark} ", "dim")
            head.append(f"{state:>8} ", colour)
        head.append(f"{'converted':>11}", "magenta")
        lines = [head]
        for program, _ in self._programs:
            count = self._scene.counts.of(program.name)
            line = Text.assemble((f" {program.name:<{name}} ", "bold"))
            line.append_text(self._number(f"{program.name} entered", count.entered, 7, "bold"))
            line.append(" ")
            for mark, (state, colour) in zip("=+++", STATES, strict=True):
                line.append(f"{mark} ", "dim")
                n = getattr(count, state)
                line.append_text(self._number(f"{program.name} {state}", n, 8, colour if n else "dim"))
                line.append(" ")
            line.append_text(self._number(f"{program.name} converted", count.converted, 11, "magenta"))
            if worth:
                line.append(f"{word_worth(self._scene.counts.worth.get(program.name, {})):>13}", "magenta")
            if bar >= 8:
                line.append(" ")
                line.append_text(share_bar(count, bar))
            lines.append(line)
        return lines

    def _views(self, width: int, *, low: bool) -> list[list[Text]]:
        return [self._view(program, text, width, low=low) for program, text in self._programs]

    def _view(self, program: Program, text: Sequence[tuple[int, str]], width: int, *, low: bool) -> list[Text]:
        """A rule in its own words, with what stands and happens at each line."""
        lines = annotate(program, text, self._scene.counts)
        if low:
            lines = without_ends(lines)
        written = max([cell_len(line.text) for line in lines], default=0) + 1
        notes = max(
            [sum(cell_len(note) + 4 for _, note in line.notes) for line in lines if line.inside is not None], default=0
        )
        column = max(8, width - written - notes - 8)
        most = max([line.inside or 0 for line in lines], default=0)
        drawn = [title_line(program.rule.title or program.name, width)]
        for line in lines:
            if line.text.startswith("rule "):
                continue
            drawn.append(self._line(program.name, line, written, column, most))
        return drawn

    def _line(self, rule: str, line: Line, written: int, column: int, most: int) -> Text:
        text = Text(" ")
        text.append_text(colour_rule(line.text))
        text.append(" " * (written - cell_len(line.text) + 1))
        if line.inside is not None:
            dots = line.inside if most <= column else -(-line.inside * column // most)
            text.append("●" * dots, "cyan")
            if dots:
                text.append(" ")
            text.append_text(
                self._number(f"{rule} {line.text} inside", line.inside, 0, "bold cyan" if line.inside else "dim")
            )
            text.append("  ")
        for sign, note in line.notes:
            mark, style = SIGNS[sign]
            number = re.search(r"[\d,]+", note)
            value = int(number.group().replace(",", "")) if number else 0
            if sign == "exited" and not value:
                continue
            style = self._style(f"{rule} {line.text} {sign} {note[:1]}", value, style)
            text.append(f"{mark} {note}".strip() + "  ", style if value else "dim")
        text.rstrip()
        return text

    def _stack(self, views: list[list[Text]], room: int) -> list[Text]:
        """All rules where they have room, else one after the other."""
        if not views:
            return []
        if sum(len(view) for view in views) <= room:
            return [line for view in views for line in view]
        return views[int((time.monotonic() - self._scene.started) / TURN) % len(views)]

    def _letters(self, width: int, room: int, *, addresses: bool) -> list[Text]:
        lines = [title_line("messages arriving", width)]
        for arrival in reversed(self._scene.letters):
            if len(lines) >= room:
                break
            lines.append(self._letter(arrival, width, addresses=addresses))
        return fill(lines, room)

    def _letter(self, arrival: Arrival, width: int, *, addresses: bool) -> Text:
        letter = arrival.letter
        fresh = time.monotonic() - arrival.seen < FRESH
        line = Text(" ")
        line.append(self._moment(arrival.at, "%H:%M "), "dim")
        mark = MARKS.get(letter.channel, "•")
        line.append(f"{mark} {letter.channel:<6}", "bold bright_blue" if fresh else "bright_blue")
        who, room = (letter.address, 22) if addresses else (letter.customer, 12)
        line.append(f"{shorten(who, room):<{room}} ", "bold" if fresh else "")
        subject, _, text = letter.words.partition(" · ")
        line.append(subject, "bold" if fresh else "")
        if text:
            line.append(f"  {text}", "dim")
        line.truncate(width, overflow="ellipsis")
        return line

    def _decisions(self, width: int, room: int) -> list[Text]:
        lines = [title_line("decisions", width)]
        for judged in reversed(self._scene.decisions):
            if len(lines) >= room:
                break
            lines.append(self._decision(judged, width))
        return fill(lines, room)

    def _decision(self, judged: Judged, width: int) -> Text:
        decided = judged.line
        fresh = time.monotonic() - judged.seen < FRESH
        line = Text(" ")
        line.append(self._moment(decided.at, "%H:%M "), "dim")
        style = DECISIONS.get(decided.decision, "")
        line.append(f"{decided.decision:<11}", f"bold {style}" if fresh and style != "dim" else style)
        line.append(f"{shorten(decided.customer, 11):<12}", "bold" if fresh else "")
        line.append(f"{decided.rule:<14}" if width >= 60 else f"{shorten(decided.rule, 13):<14}", "dim")
        line.append(_tell_briefly(decided), "" if fresh else "dim")
        line.truncate(width, overflow="ellipsis")
        return line

    def _footer(self, width: int, *, low: bool) -> list[Text]:
        places, (customer, rule) = self._places, self._scene.known
        first = Text.assemble((" look  ", "dim"))
        first.append(f"{places.url}/healthz  ", "cyan")
        first.append("/metrics  ", "cyan")
        mailbox = f"{places.folder}/{places.mailbox}"
        first.append(f"tail -f {mailbox if width >= WIDE else places.mailbox}", "cyan")
        second = Text.assemble((" why?  ", "dim"))
        second.append(f"segue why {customer or 'CUSTOMER'} {rule or 'RULE'}", "cyan")
        second.append(f"  in {places.folder}", "dim")
        learn = Text.assemble(("learn  ", "dim"), (f"{places.tutorial} ", "cyan")) if width >= WIDE else Text()
        ends = Text.assemble(("Ctrl-C", "bold"), " ends ")
        lines = [apart(first, learn, width), apart(second, ends, width)]
        return lines if low else [Text("─" * width, "dim"), *lines]

    # Pieces

    def _moment(self, at: Instant, form: str) -> str:
        return to_datetime(at).astimezone(self._zone).strftime(form)

    def _number(self, name: str, value: int, width: int, style: str) -> Text:
        digits = f"{value:,}"
        return Text.assemble(" " * max(0, width - len(digits)), (digits, self._style(name, value, style)))

    def _style(self, name: str, value: int, style: str) -> str:
        """The style of a number, which stands out for a moment when it has changed."""
        present = time.monotonic()
        before, since = self._seen.get(name, (value, 0.0))
        if before != value or name not in self._seen:
            since = present if before != value else 0.0
            self._seen[name] = (value, since)
        return "bold bright_white" if present - since < FRESH / 2 and style != "dim" else style


def tell_reason(line: DecisionLine) -> str:
    """What a decision was about, in a few words."""
    what = f'{line.channel} "{line.message}"' if line.channel else ""
    return " · ".join(part for part in (what, line.reason) if part)


def _tell_briefly(line: DecisionLine) -> str:
    if not line.channel:
        return line.reason
    return f"{MARKS.get(line.channel, line.channel)} {line.reason or line.message}"


def word_speed(speed: float) -> str:
    """``2 h a second``."""
    seconds = speed
    for unit, size in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit} a second"
    return f"{seconds:g} s a second"


def word_worth(sums: dict[str, Decimal]) -> str:
    """``2,310 EUR``; nothing for nothing."""
    return " ".join(f"{amount:,.0f} {currency}" for currency, amount in sorted(sums.items()))


def _passed(micros: int) -> str:
    days, rest = divmod(micros, DAY)
    return f"{days}d {rest // HOUR}h" if days else f"{rest // HOUR}h"
