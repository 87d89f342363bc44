"""The tags of an HTML source with Liquid in it, each attribute with its place.

Liquid is taken out first, character for character, so that what it holds is no markup and places stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

import msgspec

FILLED: Final = "\x01"
"""Stands for each character that Liquid fills in."""
TOLD: Final = "\x02"
"""Stands for each character of what Liquid is told, which shows nothing by itself."""

_LIQUID: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TAG: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<raw>script|style|title)\b[^>]*>(?P<inside>.*?)(?:</(?P=raw)\s*>|\Z)"
    r"|<(?P<slash>/?)(?P<name>[a-z][a-z0-9:-]*)(?P<rest>(?:[^\"'>]|\"[^\"]*\"|'[^']*')*+)>",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"(?P<name>[^\s\"'<>/=\x01\x02]+)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'=<>`]+)))?"
)
_EMPTY: Final = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)


class Attribute(msgspec.Struct, frozen=True):
    """The value of an attribute, and where it stands without its quotes."""

    value: str
    start: int
    end: int


class Tag(msgspec.Struct, frozen=True):
    """A tag. ``kind``: it opens an element, closes one, or is a whole element by itself."""

    kind: str
    name: str
    start: int
    end: int
    attributes: dict[str, Attribute] = {}

    def value(self, name: str) -> str:
        """The value of an attribute, empty where there is none."""
        found = self.attributes.get(name)
        return found.value if found is not None else ""


def masked(source: str) -> str:
    """The source with `FILLED` for each character of ``{{ … }}``, and `TOLD` for those of ``{% … %}``."""
    return _LIQUID.sub(lambda found: (FILLED if found[0][1] == "{" else TOLD) * len(found[0]), source)


def tags(source: str) -> Iterator[Tag]:
    """The tags of a masked source in their order; comments, scripts and styles are passed over."""
    for found in _TAG.finditer(source):
        name = (found["name"] or "").lower()
        if not name:
            continue
        if found["slash"]:
            yield Tag("closes", name, found.start(), found.end())
            continue
        alone = name in _EMPTY or found["rest"].rstrip().endswith("/")
        yield Tag("alone" if alone else "opens", name, found.start(), found.end(), _attributes(found))


def styles(source: str) -> bool:
    """Whether a source has a style sheet, by which elements may look otherwise than their attributes say."""
    return "<style" in source.lower() or "<mj-style" in source.lower() or "<link" in source.lower()


def _attributes(tag: re.Match[str]) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    begin = tag.start("rest")
    for one in _ATTRIBUTE.finditer(tag["rest"]):
        group = next((name for name in ("double", "single", "bare") if one[name] is not None), None)
        start, end = one.span(group) if group is not None else (one.end(), one.end())
        value = unescape(one[group]) if group is not None else ""
        found.setdefault(one["name"].lower(), Attribute(value, begin + start, begin + end))
    return found
