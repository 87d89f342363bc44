"""Pieces of the picture: lines cut, filled and put side by side, rules in colour, bars.

Every piece is a line, or a list of lines, of a known number of columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
from pygments.token import Keyword, Number, Operator, String
from rich.cells import cell_len
from rich.text import Text

from segue.cli.demonstration.annotations import Line
from segue.lsp.pygments_lexer import RulesLexer
from segue.store.sweeps import RuleCount

STATES: Final = (("inside", "cyan"), ("finished", "green"), ("exited", "yellow"), ("failed", "red"))
_COLOURS: Final = (
    (String, "green"),
    (Number, "yellow"),
    (Keyword, "bold cyan"),
    (Operator.Word, "bold cyan"),
)
_LEXER: Final = RulesLexer(ensurenl=False, stripnl=False)


def title_line(title: str, width: int, *more: tuple[str, str]) -> Text:
    """A rule across the screen that begins with a title, and further words, each with its style."""
    line = Text.assemble(("── ", "dim"), (title, "bold"))
    for words, style in more:
        if words and line.cell_len + 2 + cell_len(words) < width:
            line.append(f"  {words}", style)
    line.append(" " + "─" * max(0, width - line.cell_len - 1), "dim")
    return line


def without_ends(lines: Sequence[Line]) -> list[Line]:
    """The lines without those that only say ``end``, whose notes go to the line before."""
    kept: list[Line] = []
    for line in lines:
        if line.text.strip() == "end" and kept:
            kept[-1] = msgspec.structs.replace(kept[-1], notes=(*kept[-1].notes, *line.notes))
        else:
            kept.append(line)
    return kept


def colour_rule(text: str) -> Text:
    """A line of a rule with its keywords, numbers and texts in colour."""
    return Text.assemble(*_coloured(text))


@lru_cache(maxsize=1000)
def _coloured(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (part, next((style for kind, style in _COLOURS if token in kind), ""))
        for token, part in _LEXER.get_tokens(text)
    )


def share_bar(count: RuleCount, width: int) -> Text:
    """A bar of what became of all that entered."""
    bar = Text()
    if not count.entered:
        return Text("─" * width, "dim")
    done = drawn = 0
    for state, colour in STATES:
        done += getattr(count, state)
        upto = round(done * width / count.entered)
        bar.append("█" * (upto - drawn), colour)
        drawn = upto
    return bar


def shorten(text: str, most: int) -> str:
    """The text, cut to so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def fill(lines: list[Text], room: int) -> list[Text]:
    """Exactly so many lines."""
    return [*lines, *(Text() for _ in range(room - len(lines)))][: max(0, room)]


def fit(line: Text, width: int) -> Text:
    """The line, cut or padded to the width."""
    line.truncate(width, overflow="ellipsis", pad=True)
    line.no_wrap = True
    line.end = ""
    return line


def apart(left: Text, right: Text, width: int) -> Text:
    """One line with something at each end; the right one wins."""
    left.truncate(max(0, width - right.cell_len - 1), overflow="ellipsis", pad=True)
    return Text.assemble(left, " ", right)


def beside(columns: Sequence[list[Text]], first: int) -> list[Text]:
    """Columns side by side; all but the last are ``first`` wide."""
    lines = []
    for place in range(max((len(column) for column in columns), default=0)):
        line = Text()
        for number, column in enumerate(columns):
            part = column[place].copy() if place < len(column) else Text()
            if number < len(columns) - 1:
                part.truncate(first, overflow="ellipsis", pad=True)
                part.append("  ")
            line.append_text(part)
        lines.append(line)
    return lines
