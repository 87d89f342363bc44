"""Documentation that leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from tests.shape.repository import ROOT, files, shown

DOCS = ROOT / "docs"
_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def test_every_link_between_our_pages_leads_somewhere() -> None:
    dead = [f"{shown(page)} → {target}" for page in pages() for target in links(page) if not leads(page, target)]
    assert dead == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    ahead = [DOCS / "index.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        ahead += [place for target in links(page) if (place := where(page, target)) is not None]
    assert {shown(page) for page in files(DOCS, ".md")} - {shown(page) for page in reached} == set()


def test_the_readme_leads_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    places = [readme.find(text) for text in ("make demo", "make test", "pip install", "segue run")]
    assert -1 not in places
    assert places == sorted(places)


def test_every_page_begins_with_its_title() -> None:
    untitled = [shown(page) for page in pages() if not page.read_text("utf-8").startswith("# ")]
    assert untitled == []


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    words = re.findall(r"^\*\*(.+?)\*\* — ", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(words) > 40
    assert words == sorted(set(words), key=str.casefold)


def pages() -> Iterator[Path]:
    yield ROOT / "README.md"
    yield from files(DOCS, ".md")
    yield from (ROOT / "plugins").glob("*/README.md")


def links(page: Path) -> Iterator[str]:
    text = _CODE.sub("", _FENCED.sub("", page.read_text("utf-8")))
    for match in _LINK.finditer(text):
        yield match[1] or match[2]


def where(page: Path, target: str) -> Path | None:
    """The file that a link means; None for one that leads out of the repository."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    path = unquote(target.partition("#")[0])
    return (page.parent / path).resolve() if path else page


def leads(page: Path, target: str) -> bool:
    place = where(page, target)
    if place is None:
        return True
    if not place.exists() or not place.is_relative_to(ROOT):
        return False
    anchor = unquote(target.partition("#")[2])
    return not anchor or place.suffix != ".md" or anchor in anchors(place)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text("utf-8"))):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        again = 0
        while (name := f"{anchor}-{again}" if again else anchor) in found:
            again += 1
        found.add(name)
    return found
