"""The grammar: one LALR(1) grammar without conflicts, and one table of words that cannot be names."""

from __future__ import annotations

import os
from importlib.resources import files
from importlib.util import find_spec

import pytest
from lark import Lark

from segue.language.keywords import BUILT_IN, HEADER_LINES, KEYWORDS, OPENERS, STEPS, TOP_LEVEL, WEEKDAYS
from segue.language.parser import grammar, terminal_states, whole_word

_GRAMMAR = files("segue.language").joinpath("grammar.lark").read_text(encoding="utf-8")


def test_the_grammar_has_no_conflicts() -> None:
    # strict=True also compares the terminals with each other, for which Lark needs interegular.
    if find_spec("interegular") is None:
        if os.environ.get("CI"):
            pytest.fail("interegular is missing: pip install interegular")
        pytest.skip("interegular is not installed, so conflicts of terminals cannot be found")
    Lark(
        _GRAMMAR,
        start="piece",
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        strict=True,
        edit_terminals=whole_word,
    )


def test_words_that_compete_with_names_stand_in_the_table() -> None:
    patterns = {terminal.name: terminal.pattern.value.removesuffix(r"(?!\w)") for terminal in grammar().terminals}
    words = {name: word for name, word in patterns.items() if word.isalpha()}
    assert len(words) > 70
    competing = {words[name] for state in terminal_states() if "NAME" in state for name in state if name in words}
    if any({"NAME", "WEEKDAY"} <= state for state in terminal_states()):
        competing.update(WEEKDAYS)
    assert competing - KEYWORDS == set()


def test_every_word_of_the_table_stands_in_the_grammar() -> None:
    unknown = {word for word in KEYWORDS - set(WEEKDAYS) if f'"{word}"' not in _GRAMMAR and f"{word}[" not in _GRAMMAR}
    assert unknown == set()


def test_groups_of_words_are_part_of_the_table() -> None:
    assert TOP_LEVEL | STEPS | HEADER_LINES | OPENERS <= KEYWORDS
    assert not BUILT_IN & KEYWORDS
