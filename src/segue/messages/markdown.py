"""Markdown (CommonMark, with tables) that holds Liquid, to HTML that holds the same Liquid.

Liquid inside a line is a word to Markdown. A line that is only a tag (``{% for %}``) stands between blocks; where all
that its block holds are items of a list or rows of a table, it stands between those, so that a loop makes one list
with many items and not many lists.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Final

import msgspec

from segue.messages.shielding import LIQUID

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_BEFORE: Final = "\ue001"
_AFTER: Final = "\ue002"
_END: Final = "\ue003"
"""Around the number of a tag that belongs before or after the item it was put into; private characters."""

_ITEM: Final = re.compile(r"(\s*(?:[-*+]|\d{1,9}[.)])\s+)(.*)")
_ROW: Final = re.compile(r"(\s*\|)(.*)")
_TAG_LINE: Final = re.compile(r"\s*\{%-?\s*(\w+)[^\n]*%\}\s*")
_AUTOLINK: Final = re.compile(r"<(\{\{[^\n<>]*?\}\})>")


def to_html(source: str) -> str:
    """The HTML of a Markdown text with Liquid in it. HTML in the text stays: it is the author's."""
    words = _Words(source)
    made = _markdown().render(words.text)
    return words.restore(made)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class _Block(msgspec.Struct):
    """A block of Liquid whose tags have lines of their own: the numbers of those lines."""

    lines: list[int]


class _Words:
    """The text with words in the place of Liquid."""

    def __init__(self, source: str) -> None:
        self._mark = "zqliquid"
        while self._mark in source:
            self._mark += "q"
        self._pieces: list[str] = []
        source = source.translate({ord(one): None for one in (_BEFORE, _AFTER, _END)})
        source = _AUTOLINK.sub(lambda match: f"[{match[1]}]({match[1]})", source)
        self.text = "\n".join(self._lines(source.split("\n")))

    def restore(self, html: str) -> str:
        """HTML with the Liquid again."""
        html = re.sub(rf"<(li|tr)>((?:\s*<(?:p|td|th)\b[^>]*>)?\s*)((?:{_BEFORE}\d+{_END})+)", self._moved_before, html)
        html = re.sub(
            rf"((?:{_AFTER}\d+{_END})+)(\s*(?:</p>)?\s*(?:</td>)?\s*(?:<[uo]l>.*?</[uo]l>\s*)?</(?:li|tr)>)",
            r"\2\1",
            html,
            flags=re.DOTALL,
        )
        html = re.sub(rf"[{_BEFORE}{_AFTER}](\d+){_END}", self._back, html)
        return re.sub(rf"(?:<!--)?{self._mark}(\d+)z(?:-->)?", self._back, html)

    @staticmethod
    def _moved_before(match: re.Match[str]) -> str:
        return f"{match[3]}<{match[1]}>{match[2]}"

    def _back(self, match: re.Match[str]) -> str:
        return self._pieces[int(match[1])]

    def _hide(self, text: str) -> str:
        return LIQUID.sub(lambda match: f"{self._mark}{self._keep(match[0])}z", text)

    def _keep(self, piece: str) -> int:
        self._pieces.append(piece)
        return len(self._pieces) - 1

    def _lines(self, lines: list[str]) -> list[str]:
        fenced = _fenced(lines)
        tags = {
            number: match[1]
            for number, line in enumerate(lines)
            if number not in fenced and (match := _TAG_LINE.fullmatch(line)) and len(LIQUID.findall(line)) == 1
        }
        inside = _within_lists(lines, tags)
        made: list[str] = []
        before: list[str] = []
        for number, line in enumerate(lines):
            if number not in tags:
                hidden = self._hide(line)
                if before:
                    found = _ITEM.fullmatch(hidden) or _ROW.fullmatch(hidden)
                    if found is not None:
                        hidden = f"{found[1]}{''.join(before)}{found[2]}"
                        before = []
                made.append(hidden)
                continue
            kept = self._keep(line.strip())
            if number not in inside:
                # An HTML block to Markdown; it ends whatever list or table came before.
                made += [f"<!--{self._mark}{kept}z-->"]
            elif _comes_before(lines, number, tags, inside):
                before.append(f"{_BEFORE}{kept}{_END}")
            else:
                row = made[-1].rstrip()
                cut = row.removesuffix("|") if _ROW.fullmatch(row) else row
                made[-1] = f"{cut}{_AFTER}{kept}{_END}{row[len(cut) :]}"
        return made


def _fenced(lines: list[str]) -> frozenset[int]:
    """The lines of fenced code, where a tag is shown and stands for itself."""
    found = []
    fence = ""
    for number, line in enumerate(lines):
        begins = re.match(r" {0,3}(```+|~~~+)", line)
        if fence:
            found.append(number)
            fence = "" if begins is not None and begins[1].startswith(fence) else fence
        elif begins is not None:
            fence = begins[1]
    return frozenset(found)


def _within_lists(lines: list[str], tags: dict[int, str]) -> frozenset[int]:
    """The lines of tags that stand between the items of one list, or the rows of one table: every block that holds
    nothing but such, with a first item before anything else."""
    inside: set[int] = set()
    blocks = {name.removeprefix("end") for name in tags.values() if name.startswith("end")}
    open_blocks: list[_Block] = []
    for number in sorted(tags):
        name = tags[number]
        if name.startswith("end"):
            if open_blocks:
                block = open_blocks.pop()
                block.lines.append(number)
                if _only_items(lines[block.lines[0] + 1 : number], block.lines[0], lines, tags):
                    inside.update(block.lines)
        elif name in ("else", "elsif", "when"):
            if open_blocks:
                open_blocks[-1].lines.append(number)
        elif name in blocks:
            open_blocks.append(_Block([number]))
    return frozenset(inside)


def _only_items(held: list[str], start: int, lines: list[str], tags: dict[int, str]) -> bool:
    kinds: set[str] = set()
    for number, line in enumerate(held, start + 1):
        if number in tags:
            continue
        row, item = _ROW.fullmatch(line), _ITEM.fullmatch(line)
        if row is None and item is None:
            if not line.startswith((" ", "\t")) or not kinds or not line.strip():
                return False
            continue
        kinds.add("row" if row is not None else "item")
    if kinds == {"row"}:
        # A table begins with its head, which no loop can stand before.
        above = next((lines[n] for n in range(start - 1, -1, -1) if n not in tags), "")
        return _ROW.fullmatch(above) is not None
    return kinds == {"item"}


def _comes_before(lines: list[str], number: int, tags: dict[int, str], inside: frozenset[int]) -> bool:
    """Whether a tag opens what comes next, rather than ending what came."""
    if tags[number].startswith("end"):
        return False
    following = next((n for n in range(number + 1, len(lines)) if n not in tags or n not in inside), None)
    ends_first = any(tags[n].startswith("end") for n in range(number + 1, following or number + 1) if n in tags)
    return following is not None and not ends_first


def paragraphs(text: str) -> str:
    """Plain text, already escaped for HTML, as paragraphs with line breaks and links: what a ``.txt`` looks like where
    HTML is shown."""
    blocks = re.split(r"\n[ \t]*\n\s*", text.strip())
    return "\n".join(f"<p>{_linked(block)}</p>".replace("\n", "<br>\n") for block in blocks if block.strip())


_URL: Final = re.compile(r"https?://[^\s<>\"']+")
_QUOTED: Final = re.compile(r"&(?:gt|lt|quot|#34|#39|#x27);")


def _linked(text: str) -> str:
    return _URL.sub(_link, text)


def _link(match: re.Match[str]) -> str:
    """A link to an address in a text, without the full stop or the bracket that follows it there."""
    quoted = _QUOTED.search(match[0])
    address = (match[0] if quoted is None else match[0][: quoted.start()]).rstrip(".,;:!?)]")
    return f'<a href="{address}">{address}</a>{match[0][len(address) :]}'


def escape_around(source: str) -> str:
    """A plain text with Liquid in it, escaped for HTML; its Liquid stays as it is."""
    pieces = []
    place = 0
    for found in LIQUID.finditer(source):
        pieces += [escape(source[place : found.start()], quote=False), found[0]]
        place = found.end()
    return "".join([*pieces, escape(source[place:], quote=False)])
