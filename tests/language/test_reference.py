"""The language reference is true: its rules check, and its list of words is the table's."""

from __future__ import annotations

import re
from pathlib import Path

from segue.language.book import Source, check_book
from segue.language.keywords import KEYWORDS, WEEKDAYS
from tests.language.words import WORDS

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "language.md").read_text(encoding="utf-8")


def test_every_block_of_rules_is_right() -> None:
    blocks = re.findall(r"^```rules\n(.*?)^```$", REFERENCE, re.DOTALL | re.MULTILINE)
    book = [Source(f"block-{number}.rules", text) for number, text in enumerate(blocks)]
    found = check_book(book, WORDS).diagnostics
    assert [(d.code, d.message) for d in found if d.code != "W0703"] == []
    assert len(blocks) >= 5


def test_the_list_of_words_is_the_table() -> None:
    section = REFERENCE.split("### Words that can't be names")[1].split("###")[0]
    listed = set(re.findall(r"`(\w+)`", section)) - {"trigger", "weekday"}
    assert listed == KEYWORDS - set(WEEKDAYS)
