"""The page of each code holds an example that gets it and one that does not: documentation that can't lie."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from segue.diagnostics import CODES, FAMILIES, family, page, title
from segue.language.book import Source, check_book
from tests.language.test_cases import ELSEWHERE
from tests.language.words import KEPT, OPT_IN, UNSETTLED, WITH_LANGUAGES, WITH_MESSAGES, WORDS

_SECTION = re.compile(r"^## (.+)\n\n((?:(?!^## ).*\n)+)", re.MULTILINE)
_PROJECTS = {"E0503": WITH_MESSAGES, "W0712": WITH_LANGUAGES, "W0715": UNSETTLED, "W0716": OPT_IN, "W0905": KEPT}
_BLOCK = re.compile(r"## (Example|Instead)\n\n```rules\n(.*?)\n```", re.DOTALL)


def _examples(code: str) -> dict[str, str]:
    return dict(_BLOCK.findall(page(code)))


def _codes(code: str, text: str) -> list[str]:
    words = _PROJECTS.get(code, WORDS)
    return [diagnostic.code for diagnostic in check_book([Source("page.rules", text)], words).diagnostics]


@pytest.mark.parametrize("code", CODES)
def test_page_has_its_heading(code: str) -> None:
    assert page(code).startswith(f"# {code}: {title(code)}\n")


@pytest.mark.parametrize("code", CODES)
def test_page_says_what_it_is_why_it_matters_and_what_to_write_instead(code: str) -> None:
    about, *_ = page(code).split("\n\n")[1:]
    assert about.strip().endswith((".", ".)"))
    sections = dict(_SECTION.findall(page(code)))
    asked = ["Why it matters", "Example", "Instead"]
    assert [name for name in sections if name != "Example" or code not in ELSEWHERE] == [
        name for name in asked if name != "Example" or code not in ELSEWHERE
    ]
    assert all(text.strip() for text in sections.values())


def test_every_page_belongs_to_a_code() -> None:
    shipped = {file.name for file in files("segue.diagnostics").joinpath("pages").iterdir()}
    assert shipped == {f"{code}.md" for code in CODES}


@pytest.mark.parametrize("code", CODES)
def test_a_code_belongs_to_a_family(code: str) -> None:
    assert family(code) in FAMILIES


@pytest.mark.parametrize("code", [code for code in CODES if code not in ELSEWHERE])
def test_example_gets_its_code_and_nothing_else(code: str) -> None:
    assert _codes(code, _examples(code)["Example"]) == [code]


@pytest.mark.parametrize("code", [code for code in CODES if code not in ELSEWHERE])
def test_what_to_write_instead_is_clean(code: str) -> None:
    assert _codes(code, _examples(code)["Instead"]) == []


def test_a_code_that_does_not_exist_has_no_page() -> None:
    with pytest.raises(KeyError):
        page("E9999")
