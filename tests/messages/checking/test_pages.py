"""The page of each code about content holds files that get it, and files that get nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.diagnostics import CODES, family, page
from tests.messages.checking.content import RULE, codes

_BLOCK = re.compile(r"```(\S+)\n(.*?)\n```", re.DOTALL)
_CODES = [code for code in CODES if family(code) == "10"]


def _codes_of(folder: Path, code: str, section: str) -> list[str]:
    text = page(code).partition(f"## {section}\n")[2].partition("\n## ")[0]
    files = dict(_BLOCK.findall(text))
    rules = files.pop("rules", RULE)
    assert files
    return codes(folder, {name: f"{text}\n" for name, text in files.items()}, rules)


@pytest.mark.parametrize("code", _CODES)
def test_the_example_gets_its_code_and_nothing_else(code: str, tmp_path: Path) -> None:
    assert _codes_of(tmp_path, code, "Example") == [code]


@pytest.mark.parametrize("code", _CODES)
def test_what_to_write_instead_is_clean(code: str, tmp_path: Path) -> None:
    assert _codes_of(tmp_path, code, "Instead") == []
