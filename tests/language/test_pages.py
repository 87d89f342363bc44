"""The page of each code holds an example that gets it and one that does not: documentation that can't lie."""

from __future__ import annotations

import re

import pytest

from segue.diagnostics import CODES, page, title
from segue.language.book import Source, check_book
from tests.language.words import WITH_MESSAGES, WORDS

_BLOCK = re.compile(r"## (Example|Instead)\n\n```rules\n(.*?)\n```", re.DOTALL)
_NOT_ABOUT_TEXT = {"E0107", "E0504"}


def _examples(code: str) -> dict[str, str]:
    return dict(_BLOCK.findall(page(code)))


def _codes(code: str, text: str) -> list[str]:
    words = WITH_MESSAGES if code == "E0503" else WORDS
    return [diagnostic.code for diagnostic in check_book([Source("page.rules", text)], words).diagnostics]


@pytest.mark.parametrize("code", CODES)
def test_page_has_its_heading(code: str) -> None:
    assert page(code).startswith(f"# {code}: {title(code)}\n")


@pytest.mark.parametrize("code", [code for code in CODES if code not in _NOT_ABOUT_TEXT])
def test_example_gets_its_code_and_nothing_else(code: str) -> None:
    assert _codes(code, _examples(code)["Example"]) == [code]


@pytest.mark.parametrize("code", [code for code in CODES if code not in _NOT_ABOUT_TEXT])
def test_what_to_write_instead_is_clean(code: str) -> None:
    assert _codes(code, _examples(code)["Instead"]) == []


def test_a_code_that_does_not_exist_has_no_page() -> None:
    with pytest.raises(KeyError):
        page("E9999")
