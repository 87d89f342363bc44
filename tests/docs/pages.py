"""Pages of the documentation as tests read them: sections, tables, and the JSON that they show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.docs.blocks import blocks
from tests.shape.repository import ROOT

_HEADING = re.compile(r"^(#{2,4}) (.+)$", re.MULTILINE)
_NAME = re.compile(r"`([^`]+)`")


def read(page: str) -> str:
    """A page below docs/, without its fenced blocks."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def sections(page: str) -> dict[str, str]:
    """The text below each heading of second to fourth order, up to the next heading of any order."""
    text = read(page)
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {match[2].replace("`", ""): text[match.end() : end] for match, end in zip(found, ends, strict=True)}


def rows(text: str) -> Iterator[list[str]]:
    """The rows of the tables in a text, their headings included, a cell for each column."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def first_names(text: str, heading: str) -> set[str]:
    """What stands in backticks in the first column of the tables that are headed so."""
    found: set[str] = set()
    inside = False
    for line in [*text.splitlines(), ""]:
        cells = next(rows(line), None)
        if not line.startswith("|"):
            inside = False
        elif cells is not None and cells[0] == heading:
            inside = True
        elif cells is not None and inside:
            found.update(_NAME.findall(cells[0]))
    return found


def shown_json(page: str) -> dict[str, list[Any]]:
    """The JSON lines that a page shows, by the heading that they stand under."""
    path = ROOT / "docs" / page
    lines = path.read_text("utf-8").splitlines()
    found: dict[str, list[Any]] = {}
    for block in blocks(path):
        if block.language == "json":
            above = [match[2] for line in lines[: block.line] if (match := _HEADING.match(line))]
            found.setdefault(above[-1].replace("`", ""), []).extend(
                json.loads(line) for line in block.text.splitlines()
            )
    return found
