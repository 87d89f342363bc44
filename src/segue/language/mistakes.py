"""What is wrong where a sentence stops making sense, in the author's words.

The parser knows which kinds of words it could have taken. From those, the word it met and the word before, this
module says what was probably meant. The order of the questions matters: the most particular explanation comes first.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from segue.diagnostics import Diagnostic, Fix, Label, Lines
from segue.language.durations import number_for_duration, odd_number
from segue.language.expectations import STEP_TERMINALS, expectation, plain_words, short
from segue.language.keywords import KEYWORDS, STEPS, TOP_LEVEL
from segue.language.nearest import nearest
from segue.language.pieces import DEEPEST, Piece, last_word
from segue.language.slip import Place, Slip, earlier, later
from segue.language.slips import find_slip, missing_limit
from segue.language.slips_of_values import compared_by_is
from segue.language.slips_of_words import slip_of_reserved

_WORD: Final = re.compile(r"\w[\w.]*")
_OPERATORS: Final = {
    "==": "=",
    "<>": "!=",
    "=<": "<=",
    "=>": ">=",
    "&&": "and",
    "||": "or",
    "&": "and",
    "|": "or",
    "!": "not",
}


class Mistake(msgspec.Struct, frozen=True):
    """``complete_before``: what stands before ``at`` is whole by itself."""

    diagnostic: Diagnostic
    at: int
    complete_before: bool = False


def too_deep(lines: Lines, at: int) -> Diagnostic:
    return Diagnostic(
        severity="error",
        code="E0209",
        message=f"blocks and brackets are nested more than {DEEPEST} deep here",
        primary=lines.span(at, at + 1),
        hint="nobody can follow this; take it apart into several rules",
    )


def explain(error: UnexpectedInput, text: str, piece: Piece, lines: Lines) -> Mistake:
    """The diagnostic for the first place in a piece that cannot be read."""
    taken = _taken(error)
    reserved = next((token for token in taken if token.type == "NAME" and str(token) in KEYWORDS), None)
    if reserved is not None:
        return _keyword_as_name(reserved, text, piece, lines)
    match error:
        case UnexpectedToken() if error.token.type != "$END":
            return _unexpected_word(error, text, piece, lines)
        case UnexpectedCharacters():
            return _unexpected_character(error, text, piece, lines)
        case _:
            return _stops_too_early(error, text, piece, lines)


def _taken(error: UnexpectedInput) -> list[Token]:
    """The words already taken when it went wrong, in their order."""
    parser = getattr(error, "interactive_parser", None) or getattr(error, "state", None)
    state = getattr(parser, "parser_state", parser)
    found: list[Token] = []
    pending = list(reversed(getattr(state, "value_stack", [])))
    while pending:
        value = pending.pop()
        if isinstance(value, Token):
            found.append(value)
        elif isinstance(value, Tree):
            pending += reversed(value.children)
    return found


def _accepts(error: UnexpectedInput) -> frozenset[str]:
    parser = getattr(error, "interactive_parser", None)
    if parser is not None:
        return frozenset(parser.accepts())
    return frozenset(getattr(error, "allowed", None) or getattr(error, "expected", None) or ())


def _mistake(
    lines: Lines,
    code: str,
    start: int,
    end: int,
    message: str,
    *,
    label: str = "",
    hint: str = "",
    fix: Fix | None = None,
    secondary: tuple[Label, ...] = (),
    complete: bool = False,
) -> Mistake:
    span = lines.span(start, end)
    return Mistake(
        Diagnostic(
            severity="error",
            code=code,
            message=message,
            primary=span,
            label=label,
            secondary=secondary,
            hint=hint,
            fix=fix,
        ),
        start,
        complete,
    )


def _writes(lines: Lines, start: int, end: int, text: str, *, safe: bool) -> Fix:
    title = f"write `{text.strip()}`" if text.strip() else "delete it"
    return Fix(title, lines.span(start, end), text, safe)


def _keyword_as_name(token: Token, text: str, piece: Piece, lines: Lines) -> Mistake:
    start, end = token.start_pos or 0, token.end_pos or 0
    before = last_word(text, piece.start, start)
    around = earlier(text, piece.start, start), later(text, end, piece.end)
    place = Place(str(token), start, end, before, *around, frozenset())
    slip = compared_by_is(place) or slip_of_reserved(place)
    if slip is not None:
        return _slipped(slip, lines)
    expected = f"after `{before}` comes a name" if before else "a name belongs here"
    return _mistake(
        lines,
        "E0202",
        start,
        end,
        f"`{token}` is a word of the language and cannot be a name",
        label="a name belongs here",
        hint=f"{expected}; put one before `{token}`, or choose another name",
    )


def _slipped(slip: Slip, lines: Lines, *, complete: bool = False) -> Mistake:
    return Mistake(slip.diagnostic(lines), slip.start, complete)


def _unexpected_word(error: UnexpectedToken, text: str, piece: Piece, lines: Lines) -> Mistake:
    token = error.token
    start, end = token.start_pos or 0, token.end_pos or 0
    word = str(token)
    accepts = _accepts(error)
    complete = "$END" in accepts
    before = last_word(text, piece.start, start)
    if word == "end" and piece.stray is not None and not piece.open:
        return _mistake(
            lines,
            "E0204",
            start,
            end,
            "this `end` closes nothing",
            label="no open block",
            hint="`end` closes `if`, `split` and `repeat`; a rule needs none: delete it",
            # A guess: the word that opened the block may be what is missing.
            fix=_writes(lines, start, end, "", safe=False),
            complete=complete,
        )
    slip = find_slip(
        Place(word, start, end, before, earlier(text, piece.start, start), later(text, end, piece.end), accepts)
    )
    if slip is not None:
        return _slipped(slip, lines, complete=complete)
    if "DURATION" in accepts and token.type in ("INT", "DECIMAL"):
        return _slipped(number_for_duration(str(token), start, end, text), lines)
    if word == "else" or token.type == "ELSE_IF":
        return _mistake(
            lines,
            "E0201",
            start,
            end,
            f"`{word}` stands outside an `if`" if not piece.open else f"`{word}` cannot stand here",
            label="no open `if`" if not piece.open else "",
            hint="`else` belongs between `if COND …` and its `end`, and comes last there",
        )
    pair = text[start - 1 : end]
    if pair in _OPERATORS:
        sign = _OPERATORS[pair]
        return _mistake(
            lines,
            "E0201",
            start - 1,
            end,
            "one `=` is enough" if pair == "==" else f"`{pair}` is written `{sign}`",
            hint=f"write `{sign}`",
            fix=_writes(lines, start - 1, end, sign, safe=True),
        )
    options = plain_words(accepts) | (TOP_LEVEL if complete or start == piece.start else frozenset())
    # A word of the language is no misspelling of another, and two letters are near to everything.
    meant = nearest(word, options) if token.type == "NAME" and word not in KEYWORDS and len(word) > 2 else None
    if meant:
        return _mistake(
            lines,
            "E0201",
            start,
            end,
            f"I don't understand `{word}` here",
            label=f"did you mean `{meant}`?",
            hint=expectation(accepts, before),
            fix=_writes(lines, start, end, meant, safe=False),
            complete=complete,
        )
    if start == piece.start:
        return _mistake(
            lines,
            "E0201",
            start,
            end,
            f"nothing in a rule file begins with `{short(word)}`",
            label="not a beginning",
            hint="a rule begins with `when`, `every`, `on` or `rule`; "
            "a declaration with `event`, `customer`, `segment` or `policy`",
        )
    hint = expectation(accepts, before)
    if word in STEPS and before in STEPS | {"else"}:
        message = f"`{before}` is not finished before `{word}` begins"
    elif piece.begins in ("when", "every", "on", "rule") and word in _HEADER_WORDS and accepts & STEP_TERMINALS:
        message = f"`{word}` comes too late: it belongs between the trigger and the first step"
        hint = "move the line up, to right after the trigger"
    elif complete:
        message = f"the sentence is complete before `{short(word)}`"
    else:
        message = f"`{short(word)}` cannot stand here"
    return _mistake(lines, "E0201", start, end, message, label="unexpected", hint=hint, complete=complete)


_HEADER_WORDS: Final = frozenset(
    ("once", "until", "goal", "expect", "rollout", "holdout", "from", "as", "where", "per", "for", "on")
)


def _unexpected_character(error: UnexpectedCharacters, text: str, piece: Piece, lines: Lines) -> Mistake:
    start = int(getattr(error, "pos_in_stream", None) or 0)
    character = text[start] if start < len(text) else ""
    line_end = text.find("\n", start)
    if character == '"':
        return _mistake(
            lines,
            "E0106",
            start,
            line_end if line_end >= 0 else len(text),
            "this text is not closed on its line",
            label="begins here",
            hint='put a `"` where the text ends',
        )
    if character in "'`":
        closed = re.compile(rf'{character}([^{character}"\n]*){character}').match(text, start)
        straight = f'"{closed.group(1)}"' if closed else None
        return _mistake(
            lines,
            "E0105",
            start,
            closed.end() if closed else start + 1,
            f"texts stand in double quotes, not in {character}",
            label="not a quote in rules",
            hint=f"write `{straight}`" if straight else 'write `"text"`',
            fix=_writes(lines, start, closed.end(), straight, safe=True) if closed and straight else None,
        )
    if character.isdigit():
        word = _WORD.match(text, start)
        return _slipped(odd_number(word.group() if word else character, start), lines)
    slip = find_slip(
        Place(
            character,
            start,
            start + 1,
            last_word(text, piece.start, start),
            earlier(text, piece.start, start),
            later(text, start + 1, piece.end),
            _accepts(error),
        )
    )
    if slip is not None:
        return _slipped(slip, lines)
    pair = text[start : start + 2]
    operator = pair if pair in _OPERATORS else character
    meant = _OPERATORS.get(operator)
    if meant:
        return _mistake(
            lines,
            "E0105",
            start,
            start + len(operator),
            f"`{operator}` has no meaning in rules",
            label=f"write `{meant}`",
            hint=f"in rules it is written `{meant}`",
            fix=_writes(lines, start, start + len(operator), _apart(text, start, operator, meant), safe=True),
        )
    before = last_word(text, piece.start, start)
    shown = (
        f"`{character}`"
        if character.isprintable()
        else f"the character number {ord(character)}"
        if character
        else "this"
    )
    return _mistake(
        lines,
        "E0105",
        start,
        start + 1,
        f"{shown} has no meaning in rules",
        label="no meaning here",
        hint=expectation(_accepts(error), before) or "delete it",
    )


def _apart(text: str, start: int, operator: str, word: str) -> str:
    """What stands in an operator's place: a word keeps apart from its neighbours."""
    if not word.isalpha():
        return word
    end = start + len(operator)
    before = "" if text[start - 1 : start].isspace() else " "
    return f"{before}{word}{'' if text[end : end + 1].isspace() else ' '}"


def _stops_too_early(error: UnexpectedInput, text: str, piece: Piece, lines: Lines) -> Mistake:
    accepts = _accepts(error)
    before = last_word(text, piece.start, piece.end)
    if piece.open and "END" in accepts:
        opener = piece.open[-1]
        line = text.rfind("\n", 0, opener.start) + 1
        indent = text[line : opener.start]
        closing = f"\n{indent}end" if not indent.strip() else " end"
        # A guess: the block may end earlier.
        fix = Fix("write `end` after the last step", lines.span(piece.end, piece.end), closing)
        others = tuple(
            Label(lines.span(other.start, other.start + len(other.word)), "also without `end`")
            for other in piece.open[:-1][-3:]
        )
        return _mistake(
            lines,
            "E0203",
            opener.start,
            opener.start + len(opener.word),
            f"this `{opener.word}` has no `end`",
            label="begins here and is never closed",
            hint=f"write `end` after the last step that belongs to the `{opener.word}`",
            fix=fix,
            secondary=others,
        )
    end = piece.end
    start = max(piece.start, end - len(before))
    slip = missing_limit(Place("", start, end, before, earlier(text, piece.start, end), "", accepts))
    if slip is not None:
        return _slipped(slip, lines)
    steps_missing = piece.begins in ("when", "every", "on", "rule") and accepts & STEP_TERMINALS
    if steps_missing:
        return _mistake(
            lines,
            "E0205",
            start,
            end,
            "nothing is to be done here: at least one step is missing",
            label="the text stops here",
            hint="a step begins with `wait`, `send`, `if`, `split`, `repeat`, `set`, `emit` or `stop`",
        )
    return _mistake(
        lines,
        "E0205",
        start,
        end,
        "the sentence stops before it is complete",
        label="something is missing after this",
        hint=expectation(accepts, before),
    )
