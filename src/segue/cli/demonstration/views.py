"""Rules in their own words, with what stands and happens at each line; in turns, where not all have room."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from segue.cli.demonstration.annotations import Line, annotate, read_text
from segue.cli.demonstration.drawing import colour_rule, fill, shorten, title_line, without_ends
from segue.cli.demonstration.freshness import Freshness
from segue.cli.demonstration.scene import Counts
from segue.program.program import Program

TURN: Final = 7.0
"""Wall seconds for which rules stay in view, where not all have room."""

SIGNS: Final = {
    "entered": ("→", "bold"),
    "ignored": ("·", "dim"),
    "converted": ("★", "magenta"),
    "exited": ("↳", "yellow"),
    "sent": ("", "bright_blue"),
    "finished": ("■", "green"),
    "failed": ("✗", "red"),
    "held": ("◌", "bright_blue"),
}


class Page(msgspec.Struct, frozen=True):
    """A column of the screen: the rules in it, and its lines."""

    rules: tuple[str, ...]
    lines: tuple[Text, ...]


class Views:
    """The texts of all rules, of which those that somebody has entered take turns."""

    def __init__(self, programs: Sequence[Program], fresh: Freshness) -> None:
        self._programs = [(program, read_text(program)) for program in programs]
        self._fresh = fresh
        self._first: tuple[str, ...] = ()
        self._since = time.monotonic()

    def show(self, counts: Counts, today: date, width: int, room: int, columns: int) -> list[Page]:
        """So many columns of at most ``room`` lines, each ``width`` wide."""
        if room < 3:
            return []
        pages = self._pages(counts, today, width, room)
        place = next((number for number, page in enumerate(pages) if page.rules == self._first), None)
        present = time.monotonic()
        if place is None:
            place, self._since = 0, present
        elif present - self._since >= TURN:
            place, self._since = (place + columns) % len(pages), present
        if len(pages) <= columns:
            place = 0
        self._first = pages[place].rules if pages else ()
        return [pages[(place + number) % len(pages)] for number in range(min(columns, len(pages)))]

    def _pages(self, counts: Counts, today: date, width: int, room: int) -> list[Page]:
        """The lively rules in columns; a rule that is too long for one goes on in the next."""
        lively = [one for one in self._programs if counts.of(one[0].name).entered] or self._programs
        pages: list[Page] = []
        names: tuple[str, ...] = ()
        lines: list[Text] = []
        for program, text in lively:
            title, *body = self._draw(program, text, counts, today, width, low=len(text) > room)
            if lines and len(lines) + 1 + len(body) > room:
                pages.append(Page(names, tuple(lines)))
                names, lines = (), []
            parts = -(-len(body) // (room - len(lines) - 1))
            piece = -(-len(body) // parts)  # of a rule that goes on, no column is left with a line or two
            for part in range(parts):
                names = (*names, program.name if part == 0 else f"{program.name} {part + 1}")
                lines.append(title if part == 0 else self._title(program, width, "goes on"))
                lines += body[part * piece : (part + 1) * piece]
                if part < parts - 1:
                    pages.append(Page(names, tuple(lines)))
                    names, lines = (), []
        if lines:
            pages.append(Page(names, tuple(lines)))
        return pages

    def _draw(
        self, program: Program, text: Sequence[tuple[int, str]], counts: Counts, today: date, width: int, *, low: bool
    ) -> list[Text]:
        """One rule below its title. ``low``: without the lines that say only ``end``."""
        lines = annotate(program, text, counts, today)
        if low:
            lines = without_ends(lines)
        written = max([cell_len(line.text) for line in lines], default=0) + 1
        if written + max([_width(line) for line in lines], default=0) + 2 > width:
            # Where the words of the notes have no room, their signs and numbers do.
            lines = [_shortened(line) for line in lines]
            written = min(written, max(24, width - 16))
        notes = max([_width(line) for line in lines if line.inside is not None], default=0)
        column = max(0, width - written - notes - 8)
        most = max([line.inside or 0 for line in lines], default=0)
        drawn = [self._title(program, width)]
        for line in lines:
            if not line.text.startswith("rule "):
                drawn.append(self._line(program.name, line, width, written, column, most))
        return drawn

    def _title(self, program: Program, width: int, more: str = "") -> Text:
        return title_line(program.rule.title or program.name, width, (program.name, "cyan"), (more, "dim"))

    def _line(self, rule: str, line: Line, width: int, written: int, column: int, most: int) -> Text:
        taken = _width(line) + (0 if line.inside is None else len(f"{line.inside:,}") + 2)
        shown = shorten(line.text, width - taken - 3) if taken else line.text
        text = Text(" ")
        text.append_text(colour_rule(shown))
        if taken:
            text.append(" " * max(2, written - cell_len(shown) + 1))
        if line.inside is not None:
            room = max(0, column - max(0, cell_len(shown) - written))
            dots = line.inside if most <= room else -(-line.inside * room // most)
            text.append("●" * dots, "cyan")
            if dots:
                text.append(" ")
            style = "bold cyan" if line.inside else "dim"
            text.append_text(self._fresh.number(f"{rule} {line.text} inside", line.inside, 0, style))
            text.append("  ")
        for sign, note in line.notes:
            mark, style = SIGNS[sign]
            number = re.search(r"[\d,]+", note)
            value = int(number.group().replace(",", "")) if number else 0
            if sign == "exited" and not value:
                continue
            style = self._fresh.style(f"{rule} {line.text} {sign} {note[:1]}", value, style)
            text.append(f"{mark} {note}".strip() + "  ", style if value else "dim")
        text.rstrip()
        return text


def _width(line: Line) -> int:
    """The columns that a line's notes take."""
    return sum(cell_len(note) + 4 for _, note in line.notes)


def _shortened(line: Line) -> Line:
    """The line with notes that say only how many."""
    notes = tuple((sign, note if sign == "sent" else note.split()[0]) for sign, note in line.notes)
    return msgspec.structs.replace(line, notes=notes)


def stack(pages: Sequence[Page], room: int) -> list[list[Text]]:
    """The lines of pages, each filled up to ``room``."""
    return [fill(list(page.lines), room) for page in pages]
