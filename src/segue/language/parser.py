"""Text to tree. Never raises, whatever the text; what is wrong is told in diagnostics, one broken piece at a time.

The file is cut at its top-level words (`segue.language.pieces`) and each piece is parsed by itself, in place, so
that offsets are those of the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from copy import copy
from functools import cache
from importlib.resources import files
from typing import Final

from lark import Lark, Token
from lark.common import LexerConf
from lark.exceptions import UnexpectedInput, VisitError
from lark.lexer import ContextualLexer, Lexer, LexerState, LexerThread, LineCounter, PatternRE, PatternStr, TerminalDef
from lark.utils import TextOrSlice, TextSlice

from segue.diagnostics import Diagnostic, Lines, in_order
from segue.language import tree as t
from segue.language.characters import clean, mixed_scripts
from segue.language.mistakes import explain, too_deep
from segue.language.pieces import Piece, cut
from segue.language.transform import Transformer

EDITIONS: Final = (2026,)

_BEGINNING: Final = re.compile(r"[^\W\d]\w*[ \t\f\r\n]+([^\W\d]\w*)")


class _TrustingLexer(ContextualLexer):
    """Lark's own lexer without its look for terminals that collide. Where interegular is installed that look takes
    seconds at every start; a test has it done, strictly."""

    def __init__(
        self, conf: LexerConf, states: dict[int, Collection[str]], always_accept: Collection[str] = ()
    ) -> None:
        trusted = copy(conf)
        trusted.skip_validation = True
        super().__init__(trusted, states, always_accept)


@cache
def grammar() -> Lark:
    """The parser of one piece, built once; it keeps no state between texts."""
    text = files("segue.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        text,
        start="piece",
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
        edit_terminals=whole_word,
        _plugins={"ContextualLexer": _TrustingLexer, "LexerThread": _InPlace},
    )


class _InPlace(LexerThread):
    """Begins in the middle of a text without counting the lines before: Lark would count them anew for every piece,
    which takes a file of 10,000 rules a minute. Places come from offsets, so nothing asks for its lines."""

    @classmethod
    def from_text(cls, lexer: Lexer, text_or_slice: TextOrSlice[str]) -> _InPlace:
        text = TextSlice.cast_from(text_or_slice)
        counter = LineCounter("\n")  # type: ignore[no-untyped-call]
        counter.char_pos = text.start
        return cls(lexer, LexerState(text, counter))


def whole_word(terminal: TerminalDef) -> None:
    """A word of the language ends where the word ends: Lark would read `sendemail` as `send email` wherever no name
    can stand. The priority keeps the word before NAME, as Lark does by itself for plain strings."""
    if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isalpha():
        terminal.pattern = PatternRE(terminal.pattern.value + r"(?!\w)")
        terminal.priority = 1


def parse(path: str, text: str) -> tuple[t.File, tuple[Diagnostic, ...]]:
    """The tree of a file, and everything that is wrong with its text. Pieces that could not be read are
    `tree.Broken`."""
    lines = Lines(path, text)
    cleaned, found = clean(lines)
    pieces, comments, foreign = cut(cleaned)
    for start, word in foreign:
        mixed = mixed_scripts(lines, start, word)
        if mixed:
            found.append(mixed)
    transformer = Transformer(lines)
    items: list[t.Item] = []
    waiting = list(reversed(pieces))
    while waiting:
        piece = waiting.pop()
        item, rest = _parse_piece(cleaned, piece, lines, transformer, found)
        items.append(item)
        if rest is not None:
            items.append(rest)
    found += transformer.problems
    found += _editions(items, lines)
    return t.File(path, text, tuple(items), tuple(comments)), in_order(found)


def _parse_piece(
    text: str, piece: Piece, lines: Lines, transformer: Transformer, found: list[Diagnostic]
) -> tuple[t.Item, t.Broken | None]:
    broken = _broken(text, piece.begins, piece.start, piece.end)
    if piece.too_deep is not None:
        found.append(too_deep(lines, piece.too_deep))
        return broken, None
    try:
        return _read(text, piece.start, piece.end, transformer), None
    except UnexpectedInput as error:
        mistake = explain(error, text, piece, lines)
        found.append(mistake.diagnostic)
        begins_new = mistake.complete_before and _begins_a_line(text, mistake.at, piece.start)
        if begins_new and mistake.at > piece.start:
            # What stands before is whole: the mistake is in how the next thing begins, and only that is broken.
            try:
                before = _read(text, piece.start, mistake.at, transformer)
            except (UnexpectedInput, VisitError, RecursionError):
                return broken, None
            return before, _broken(text, "", mistake.at, piece.end)
        return broken, None
    except RecursionError:
        found.append(too_deep(lines, piece.start))
        return broken, None


def _read(text: str, start: int, end: int, transformer: Transformer) -> t.Item:
    return transformer.item(grammar().parse(TextSlice(text, start, end)))


def _broken(text: str, begins: str, start: int, end: int) -> t.Broken:
    beginning = _BEGINNING.match(text, start, end)
    return t.Broken(start, end, begins, beginning.group(1) if beginning else None)


def _begins_a_line(text: str, offset: int, start: int) -> bool:
    """Whether nothing stands before ``offset`` on its line, and it is indented no further than the piece itself."""
    line = text.rfind("\n", 0, offset) + 1
    own = text.rfind("\n", 0, start) + 1
    return not text[line:offset].strip() and offset - line <= start - own


def _editions(items: list[t.Item], lines: Lines) -> list[Diagnostic]:
    found = []
    for place, item in enumerate(items):
        if not isinstance(item, t.Edition):
            continue
        if item.year not in EDITIONS:
            found.append(
                Diagnostic(
                    severity="error",
                    code="E0211",
                    message=f"there is no edition {item.year} of the rule language",
                    primary=lines.span(item.start, item.end),
                    label="unknown edition",
                    hint=f"write `edition {EDITIONS[-1]}`, or leave the line out",
                )
            )
        elif place:
            found.append(
                Diagnostic(
                    severity="error",
                    code="E0201",
                    message="`edition` can stand only at the beginning of a file",
                    primary=lines.span(item.start, item.end),
                    hint="move the line to the top",
                )
            )
    return found


def terminal_states() -> list[frozenset[str]]:
    """For each state of the parser, the terminals it takes; for the test that compares them with `keywords`."""
    table = grammar().parser.parser._parse_table
    return [
        frozenset(name for name in row if isinstance(name, str) and not isinstance(name, Token))
        for row in table.states.values()
    ]
