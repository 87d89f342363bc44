"""The words of a text with markup: what a mail program without HTML shows, what a screen reader reads first."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_UNSEEN: Final = frozenset({"head", "script", "style", "title", "template", "noscript"})
_VOID: Final = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_PARAGRAPHS: Final = frozenset(
    {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr", "section", "pre"}
)
_LINES: Final = frozenset({"br", "tr", "li"})
_NO_ADDRESS: Final = ("#", "cid:", "data:", "javascript:")
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_RULE: Final = "-" * 40


def plain_text(markup: str) -> str:
    """The words of HTML, with paragraphs, the marks and numbers of lists, and the addresses of links; an image gives
    its ``alt``. What is hidden (``display: none``) is left out. Never raises for what the markup is."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    lines = (re.sub(r"[ \t\r\f\v\u00a0]+", " ", line).strip(" ") for line in "".join(reader.pieces).split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return text.replace(_INDENT, "  ") + "\n"


_INDENT: Final = "\ue000"
"""Stands for two spaces at the begin of a line until runs of spaces are one; a private character."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._verbatim = 0
        self._lists: list[int] = []
        """For each open list the number of its next item; 0 where items have none."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if (
            (self._unseen and tag not in _VOID)
            or tag in _UNSEEN
            or (tag not in _VOID and _HIDDEN.search(attributes.get("style") or ""))
        ):
            self._unseen.append(tag)
        if self._unseen:
            return
        if tag in {"ul", "ol"}:
            self.pieces.append("" if self._lists else "\n\n")
            self._lists.append(int(tag == "ol"))
            return
        self._break(tag)
        self._verbatim += tag == "pre"
        if tag == "li":
            self.pieces.append(_INDENT * (len(self._lists) - 1) + self._number())
        elif tag == "hr":
            self.pieces.append(f"{_RULE}\n\n")
        elif tag == "a":
            self._links.append((attributes.get("href") or "", len(self.pieces)))
        elif tag == "img" and attributes.get("alt"):
            self.pieces.append(attributes["alt"] or "")
        elif tag in {"td", "th"}:
            self.pieces.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unseen:
            if tag == "body":
                self._unseen.clear()
            elif tag in self._unseen:
                while self._unseen.pop() != tag:
                    pass
            return
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
        if tag == "a" and self._links:
            target, start = self._links.pop()
            words = "".join(self.pieces[start:]).strip()
            if target and not target.lower().startswith(_NO_ADDRESS) and words != target:
                self.pieces.append(f" ({target})")
        elif tag in {"ul", "ol"}:
            if self._lists:
                self._lists.pop()
            self.pieces.append("" if self._lists else "\n\n")
        elif tag not in _VOID and tag not in _LINES:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._lists and data.strip() and self.pieces and self.pieces[-1].endswith("\n"):
            # Words of the list itself, such as a loop that is still to run: its items cannot be counted yet.
            self._lists[-1] = 0
        self.pieces.append(data if self._verbatim else data.replace("\n", " "))

    def _number(self) -> str:
        number = self._lists[-1] if self._lists else 0
        if not number:
            return "- "
        self._lists[-1] += 1
        return f"{number}. "

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            # The first paragraph of an item stands behind the item's mark.
            if not (self._lists and self.pieces and self.pieces[-1].endswith(("- ", ". "))):
                self.pieces.append("\n\n")
        elif tag in _LINES:
            self.pieces.append("\n")
