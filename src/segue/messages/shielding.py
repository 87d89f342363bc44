"""Liquid inside another language: hidden while MJML, HTML or CSS is worked on, and put back afterwards.

A message is laid out once, when it is loaded, and not for each customer. So what lays it out reads a text with Liquid
in it, which is no HTML: ``{% for %}`` stands between two rows of a table, ``{{ }}`` in an address. Each piece of Liquid
is therefore replaced by something that the language lets stand just there: a comment between elements, a name
elsewhere. Laws of this file:

- What comes back is the author's Liquid, in its place, each piece exactly as often as it should; else it is an error.
- A block begins and ends inside the same element, so that whatever it leaves out or repeats is whole elements.
- A value that stands for a whole address loses it where that would run a script, and one among styles where it would
  be more than one value of them (`segue.messages.filters`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from html import escape
from typing import Final, Literal

import msgspec

Where = Literal["text", "tag", "raw", "style", "comment"]

LIQUID: Final = re.compile(
    r"\{%-?\s*(?P<verbatim>raw|doc|comment)\s*-?%\}.*?\{%-?\s*end(?P=verbatim)\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL
)
"""A piece of Liquid, in a text whose braces are closed (`segue.messages.syntax`)."""

ELEMENT: Final = re.compile(r"<(/?)([A-Za-z][\w:-]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)>")
COMMENT: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
VOID: Final = frozenset(
    "area base br col embed hr img input link meta param source track wbr mj-all mj-class".split()  # noqa: SIM905
)
_RAW: Final = frozenset("style script title textarea mj-style mj-title mj-preview".split())  # noqa: SIM905
_START: Final = re.compile(r"<!--|<(/?)([A-Za-z][\w:-]*)|\{[{%]")
_IN_TAG: Final = re.compile(r"[\"'>]|\{[{%]")
_ADDRESS: Final = re.compile(r"\b(?:href|src|action|background|background-url)\s*=\s*$", re.IGNORECASE)
_STYLES: Final = re.compile(r"\sstyle\s*=\s*$", re.IGNORECASE)
_FILTERS: Final = {"u": "link_address", "s": "style_value"}
"""What a value goes through, by the letter behind its number."""
_VALUE: Final = re.compile(r"=\s*$")
_TAG: Final = re.compile(r"\{%-?\s*(\w+)")
_PLAIN_PATH: Final = re.compile(r"\{\{-?\s*(\w+(?:\.\w+)*)\s*-?\}\}")
_TURNS: Final = frozenset("elsif else when".split())  # noqa: SIM905
_DEEPEST: Final = 100


class ContentError(Exception):
    """Content that cannot be laid out. ``line`` counts from 1 in the text, and is 0 where none can be named; so does
    ``other``, a second line that the message names after its words."""

    def __init__(self, message: str, line: int = 0, other: int = 0) -> None:
        super().__init__(message)
        self._words = message
        self.line = line
        self.other = other

    @property
    def message(self) -> str:
        return f"{self._words} (line {self.other})" if self.other else self._words

    def moved(self, lines: int) -> ContentError:
        """The same of a text that so many lines stand before."""
        line, other = (place + lines if place else 0 for place in (self.line, self.other))
        return ContentError(self._words, line, other)

    def without_lines(self) -> ContentError:
        """The same where lines of the text mean nothing to the reader."""
        return ContentError(self._words)


class _Piece(msgspec.Struct, frozen=True):
    """A piece of Liquid, and where it stands: in which part of which tag, or between elements (0)."""

    source: str
    where: Where
    place: int
    line: int


class Shield:
    """A text whose Liquid is hidden: ``text``. ``fixed`` are values that are known already, by their paths: a piece
    that only writes one of them is replaced by it, so that it may also stand where a name could not. With
    ``isolate``, values between elements are held apart from the text around them (Unicode UAX 9, FSI and PDI): in a
    language that is written from right to left, a name in Latin letters would else turn the order beside it."""

    def __init__(self, source: str, fixed: Mapping[str, str] | None = None, *, isolate: bool = False) -> None:
        self.mark = "zqliquid"
        while self.mark in source.lower():
            self.mark += "q"
        self._pieces: list[_Piece] = []
        self._fixed = fixed or {}
        self._isolate = isolate
        self._source = source
        self.text = "".join(self._hidden())
        self._held = re.compile(rf"<!--{self.mark}(\d+)z\n*-->|{self.mark}(\d+)([zus])", re.IGNORECASE)

    def restore(self, text: str) -> str:
        """The text with its Liquid again."""
        return self._held.sub(self._back, text)

    def check(self, text: str, language: str) -> None:
        """Raise ContentError where what was made of the text lost a piece of Liquid, or tore a block apart."""
        found = {int(match[1] or match[2]) for match in self._held.finditer(text)}
        for number, piece in enumerate(self._pieces):
            if number not in found and piece.where != "comment":
                shown = piece.source if len(piece.source) <= 40 else piece.source[:39] + "…"
                raise ContentError(f"{shown} stands where {language} has no place for it", piece.line)
        self._check_blocks(text)

    def words(self, text: str) -> str:
        """The text with every hidden piece as a word, for whoever reads words only. Pieces that say the same become
        the same word, so that an address and the words for it can be compared."""
        first: dict[str, int] = {}
        names = [first.setdefault(piece.source, number) for number, piece in enumerate(self._pieces)]
        return self._held.sub(lambda match: f"{self.mark}{names[int(match[1] or match[2])]}z", text)

    def restore_words(self, text: str) -> str:
        """Words with their Liquid again, for a part without markup."""
        return self._held.sub(lambda match: _as_words(self._pieces[int(match[1] or match[2])].source), text)

    def _back(self, match: re.Match[str]) -> str:
        piece = self._pieces[int(match[1] or match[2])]
        if self._isolate and piece.where == "text" and piece.source.startswith("{{"):
            return f"\u2068{piece.source}\u2069"
        name = _FILTERS.get((match[3] or "").lower())
        return _with_filter(piece.source, name) if name is not None else piece.source

    def _hidden(self) -> Iterator[str]:
        source = self._source
        place = 0
        while found := _START.search(source, place):
            yield source[place : found.start()]
            if found[0] == "<!--":
                end = source.find("-->", found.end())
                end = len(source) if end < 0 else end + 3
                yield self._flat(found.start(), end, "comment")
                place = end
            elif found[2] is None:
                place = self._end_of(found.start())
                yield self._piece(found.start(), place, "text", 0)
            else:
                place = yield from self._element(found)
        yield source[place:]

    def _element(self, found: re.Match[str]) -> Generator[str, None, int]:
        """A tag, and what follows it where that is no markup; gives the place behind it."""
        source = self._source
        place = found.end()
        yield found[0]
        quote = ""
        opened = found.start()
        while True:
            inside = _IN_TAG.search(source, place)
            if inside is None:
                raise ContentError(f"this <{found[2]} has no end: a quote or > is missing", self._line(found.start()))
            yield source[place : inside.start()]
            if inside[0][0] == "{":
                before = source[max(found.start(), inside.start() - 60) : inside.start()]
                if not quote and _VALUE.search(before) is None:
                    raise ContentError(
                        "Liquid inside a tag belongs into the quotes of an attribute, as in "
                        'class="{% if a %}b{% endif %}"',
                        self._line(inside.start()),
                    )
                place = self._end_of(inside.start())
                whole = _ADDRESS.search(before[:-1] if quote and before[-1:] == quote else before if not quote else "")
                begun = source[max(found.start(), opened - 60) : opened] if quote else before
                kind = "u" if whole is not None else "s" if _STYLES.search(begun) is not None else "z"
                yield self._piece(inside.start(), place, "tag", opened, kind)
                continue
            yield inside[0]
            place = inside.end()
            if quote:
                quote = "" if inside[0] == quote else quote
            elif inside[0] == ">":
                break
            else:
                quote, opened = inside[0], inside.start()
        name = found[2].lower()
        if name in _RAW and not found[1] and source[place - 2] != "/":
            ending = re.compile(rf"</{name}\b", re.IGNORECASE).search(source, place)
            end = ending.start() if ending is not None else len(source)
            yield self._flat(place, end, "style" if name in ("style", "mj-style") else "raw")
            place = end
        return place

    def _flat(self, start: int, end: int, where: Where) -> str:
        """A stretch of text in which nothing but Liquid is looked for."""
        pieces = []
        place = start
        while (found := re.compile(r"\{[{%]").search(self._source, place, end)) is not None:
            pieces.append(self._source[place : found.start()])
            place = self._end_of(found.start())
            pieces.append(self._piece(found.start(), place, where, start + 1, "s" if where == "style" else "z"))
        pieces.append(self._source[place:end])
        return "".join(pieces)

    def _end_of(self, start: int) -> int:
        found = LIQUID.match(self._source, start)
        if found is None:
            raise ContentError("this piece of Liquid has no end", self._line(start))
        return found.end()

    def _piece(self, start: int, end: int, where: Where, place: int, kind: str = "z") -> str:
        source = self._source[start:end]
        path = _PLAIN_PATH.fullmatch(source)
        if path is not None and path[1] in self._fixed:
            return self._fixed[path[1]] if where == "style" else escape(self._fixed[path[1]])
        number = len(self._pieces)
        self._pieces.append(_Piece(source, where, place, self._line(start)))
        lines = "\n" * source.count("\n")
        return f"<!--{self.mark}{number}z{lines}-->" if where == "text" else f"{self.mark}{number}{kind}"

    def _line(self, index: int) -> int:
        return self._source.count("\n", 0, index) + 1

    def _check_blocks(self, text: str) -> None:
        homes = self._homes(text)
        open_blocks: list[tuple[str, _Piece, int]] = []
        tags = [found[1] if (found := _TAG.match(piece.source)) else "" for piece in self._pieces]
        blocks = {name.removeprefix("end") for name in tags if name.startswith("end")}
        for number, (piece, name) in enumerate(zip(self._pieces, tags, strict=True)):
            home = homes.get(number, 0) if piece.where == "text" else -1 - piece.place
            if name in blocks:
                open_blocks.append((name, piece, home))
            elif (name in _TURNS or name.startswith("end")) and open_blocks:
                block, begin, begun = open_blocks[-1]
                if home != begun:
                    raise ContentError(
                        f"this {block} begins in one element, and its {name} stands in another: put both around whole "
                        "elements, and close each element inside",
                        begin.line,
                        piece.line,
                    )
                if name == f"end{block}":
                    open_blocks.pop()

    def _homes(self, text: str) -> dict[int, int]:
        """In which element each hidden piece between elements came to stand."""
        homes: dict[int, int] = {}
        for home, found in walk(text):
            held = self._held.fullmatch(found[0])
            if held is not None and held[1] is not None:
                homes[int(held[1])] = home
        return homes


_THING: Final = re.compile(rf"{COMMENT.pattern}|{ELEMENT.pattern}", re.DOTALL)


def walk(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Comments and tags of a text without Liquid, each with the number of the element it stands in. A match has the
    comment in group 1, or ``/``, name and attributes in groups 2 to 4. Raises ContentError for what is nested too
    deeply for those that read it."""
    stack: list[tuple[str, int]] = []
    count = 0
    raw = ""
    for found in _THING.finditer(text):
        name = found[3].lower() if found[3] is not None else ""
        if raw and not (found[2] and name == raw):
            continue
        home = stack[-1][1] if stack else 0
        if name and found[2]:
            raw = ""
            if any(opened == name for opened, _ in stack):
                while stack.pop()[0] != name:
                    pass
        yield home, found
        if name and not found[2] and name not in VOID and not found[4].endswith("/"):
            count += 1
            stack.append((name, count))
            raw = name if name in _RAW else ""
            if len(stack) > _DEEPEST:
                raise ContentError(
                    f"elements are nested more than {_DEEPEST} deep here", text.count("\n", 0, found.start()) + 1
                )


def _with_filter(source: str, name: str) -> str:
    """A piece that writes a value, through one more filter; any other piece as it is."""
    if not source.startswith("{{") or re.search(rf"\|\s*{name}\s*-?\}}\}}$", source):
        return source
    end = -3 if source.endswith("-}}") else -2
    return f"{source[:end].rstrip()} | {name} {source[end:]}"


_MARKUP: Final = re.compile(r"\|\s*(?:safe|newline_to_br)\b")


def _as_words(source: str) -> str:
    return _with_filter(source, "strip_html") if _MARKUP.search(source) else source
