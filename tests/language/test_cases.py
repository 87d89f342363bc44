"""Runs the Markdown suite in `cases/`: prose, and blocks of rules with the expected codes in a comment on their
line."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from segue.language.book import Source, check_book
from tests.language.words import WORDS

_BLOCK = re.compile(r"^```rules\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_EXPECTED = re.compile(r"#(?: [EW]\d{4})+\s*$")
_CODE = re.compile(r"[EW]\d{4}")


def _blocks() -> list[tuple[str, str]]:
    found = []
    for file in sorted((Path(__file__).parent / "cases").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 2
            found.append((f"{file.name}:{line}", block.group(1)))
    return found


_BLOCKS = _blocks()


@pytest.mark.parametrize("text", [text for _, text in _BLOCKS], ids=[place for place, _ in _BLOCKS])
def test_each_line_gets_the_codes_it_names(text: str) -> None:
    expected: Counter[tuple[int, str]] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        marker = _EXPECTED.search(line)
        if marker:
            expected.update((number, code) for code in _CODE.findall(marker.group()))
    found = check_book([Source("case.rules", text)], WORDS).diagnostics
    got = Counter((diagnostic.primary.line, diagnostic.code) for diagnostic in found if diagnostic.primary)
    assert got == expected, "\n".join(f"{d.primary and d.primary.line}: {d.code} {d.message}" for d in found)


def test_the_suite_is_found() -> None:
    assert len(_BLOCKS) >= 20
