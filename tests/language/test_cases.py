"""Runs the Markdown suite in `cases/`: prose, and blocks of rules with the expected codes in a comment on their
line. A word behind ```` ```rules ```` says in which project a block is checked: see `_PROJECTS`."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from segue.diagnostics import CODES, family
from segue.language.book import Checked, Source, check_book
from segue.language.vocabulary import Words
from tests.language.words import KEPT, OPT_IN, UNSETTLED, WITH_LANGUAGES, WITH_MESSAGES, WORDS

_BLOCK = re.compile(r"^```rules(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_EXPECTED = re.compile(r"#(?: [EW]\d{4})+\s*$")
_CODE = re.compile(r"[EW]\d{4}")


ELSEWHERE = {"E0107", "E0108", "E0504"} | {code for code in CODES if family(code) == "10"}
"""Codes that no text of rules can get: they are about files, and tested in `tests/messages/checking`,
`tests/language/test_book.py`, `tests/language/test_formatting.py` and `tests/runtime/test_what_is_checked.py`."""


_PROJECTS = {
    None: WORDS,
    "messages": WITH_MESSAGES,
    "opt-in": OPT_IN,
    "unsettled": UNSETTLED,
    "languages": WITH_LANGUAGES,
    "kept": KEPT,
}


def _blocks() -> dict[str, tuple[str, Words]]:
    """The blocks by place: the text, and the words of the project."""
    found = {}
    for file in sorted((Path(__file__).parent / "cases").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 2
            found[f"{file.name}:{line}"] = (block.group(2), _PROJECTS[block.group(1)])
    return found


_BLOCKS = _blocks()


@cache
def _checked(place: str) -> Checked:
    text, words = _BLOCKS[place]
    return check_book([Source("case.rules", text)], words)


@pytest.mark.parametrize("place", _BLOCKS)
def test_each_line_gets_the_codes_it_names(place: str) -> None:
    expected: Counter[tuple[int, str]] = Counter()
    for number, line in enumerate(_BLOCKS[place][0].splitlines(), 1):
        marker = _EXPECTED.search(line)
        if marker:
            expected.update((number, code) for code in _CODE.findall(marker.group()))
    found = _checked(place).diagnostics
    got = Counter((diagnostic.primary.line, diagnostic.code) for diagnostic in found if diagnostic.primary)
    assert got == expected, "\n".join(f"{d.primary and d.primary.line}: {d.code} {d.message}" for d in found)


@pytest.mark.parametrize("code", [code for code in CODES if code not in ELSEWHERE])
def test_every_code_has_a_block_in_which_it_fires_beside_something_that_gets_none(code: str) -> None:
    beside = [place for place in _BLOCKS if _fires(code, _checked(place)) and _has_clean_item(_checked(place))]
    assert beside, f"add a block to tests/language/cases in which {code} fires on one rule and not on its neighbour"


def _fires(code: str, checked: Checked) -> bool:
    return any(diagnostic.code == code for diagnostic in checked.diagnostics)


def _has_clean_item(checked: Checked) -> bool:
    places = [diagnostic.primary.start for diagnostic in checked.diagnostics if diagnostic.primary]
    (tree,) = checked.trees
    return any(not any(item.start <= place < item.end for place in places) for item in tree.items)


def test_the_suite_is_found() -> None:
    assert len(_BLOCKS) >= 20
