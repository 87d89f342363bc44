"""Every block of rules in the documentation is read, laid out as `segue fmt` would, and right.

The examples of the codes are wrong on purpose: `tests.language.test_pages` holds each to its code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.diagnostics import render_full
from segue.language.book import Source, check_book
from segue.language.formatting import format_text
from segue.runtime.assembly import assemble
from tests.docs.blocks import Block, blocks
from tests.shape.repository import ROOT

CODES = ROOT / "docs" / "reference" / "codes.md"
SHOWN = {
    page: shown
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")])
    if page != CODES and (shown := [block for block in blocks(page) if block.language == "rules"])
}
BLOCKS = [(page, block) for page, shown in SHOWN.items() for block in shown]
# What depends on a project: a reaction that no channel reports yet, a channel of a plugin that the page has written,
# a field that the events of an empty project lack.
OF_A_PROJECT = {"W0703", "W0706", "E0304"}


def test_the_pages_show_rules() -> None:
    assert len(BLOCKS) > 20
    assert {page.stem for page in SHOWN} >= {"language", "contact-policy", "test-a-rule", "your-first-journey"}


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{page.stem}-{block.line}" for page, block in BLOCKS])
def test_a_block_is_laid_out_as_segue_fmt_would(page: Path, block: Block) -> None:
    formatted = format_text(f"{page.name}:{block.line}", block.text)
    assert list(formatted.diagnostics) == []
    assert formatted.text == block.text


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_the_rules_of_a_page_are_right_in_an_empty_project(page: Path, tmp_path: Path) -> None:
    words = assemble(tmp_path).words(None)
    books: list[dict[str, Source]] = [{}]
    for block in SHOWN[page]:
        name = block.file or f"line-{block.line}.rules"
        if name in books[-1]:  # the reader writes the file anew: an edit
            books.append(dict(books[-1]))
        books[-1][name] = Source(f"line-{block.line}.rules", block.text)
    found = [one for book in books for one in check_book(list(book.values()), words).diagnostics]
    assert [(str(one.primary), one.code, one.message) for one in found if one.code not in OF_A_PROJECT] == []


def test_the_reference_shows_a_mistake_as_segue_check_does(tmp_path: Path) -> None:
    (shown,) = (
        block.text
        for block in blocks(ROOT / "docs" / "reference" / "language.md")
        if block.language == "text" and block.text.startswith("error[")
    )
    rule = next(line.removeprefix("1 | ") for line in shown.splitlines() if line.startswith("1 | "))
    found = check_book([Source("rules/carts.rules", rule)], assemble(tmp_path).words(None))
    assert render_full(found.diagnostics, found.texts) == shown
