"""The links of finished HTML and text: where they stand, and other addresses in their places.

Nothing but the addresses changes: what a mail client is given is otherwise what was written, byte for byte. HTML of
mail is no well-formed document, so it is read as a browser's tokenizer does: comments, scripts and styles are passed
over, but for the conditional comments in which Outlook finds its own links.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

__all__ = ["Link", "find_in_html", "find_in_text", "put_in", "put_last"]

LEFT_ALONE: Final = "data-no-track"
"""The attribute of an HTML link that is left as it is."""

_OPENING: Final = re.compile(r"<(?:(!--)|(script|style|title|textarea)\b|(?:a|area|v:[a-z]+)(?=[\s/]))", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"""[\s/]*+([^\s>/=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)))?""",
)
_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"'“”«»]+", re.IGNORECASE)
_AFTER_TEXT: Final = ".,;:!?…'\"*_"
_END: Final = re.compile(r"</body\s*>", re.IGNORECASE)


class Link(msgspec.Struct, frozen=True):
    """An address, and between which characters it is written."""

    address: str
    begin: int
    end: int


def find_in_html(html: str) -> Iterator[Link]:
    """The addresses of links (``a``, ``area``, and Outlook's shapes), in order, but for those that are to be left
    alone. One is given as it is meant, without entities."""
    position = 0
    lowered = ""
    while (opening := _OPENING.search(html, position)) is not None:
        position = opening.end()
        if opening[1]:  # a comment; a conditional one is read on, since Outlook does
            if not html.startswith("[if", position):
                end = html.find("-->", position - 2)  # `<!-->` is a whole comment
                position = len(html) if end < 0 else end + 3
        elif opening[2]:
            lowered = lowered or html.lower()
            end = lowered.find(f"</{opening[2].lower()}", position)
            position = len(html) if end < 0 else end
        else:
            link, position = _read_tag(html, position)
            if link is not None:
                yield link


def _read_tag(html: str, position: int) -> tuple[Link | None, int]:
    """The address in a tag that has begun, and where the tag ends."""
    found: Link | None = None
    alone = False
    while (attribute := _ATTRIBUTE.match(html, position)) is not None:
        position = attribute.end()
        name = attribute[1].lower()
        if name == LEFT_ALONE:
            alone = True
        elif name == "href" and found is None:  # of two the first counts, as in a browser
            group = next((number for number in (2, 3, 4) if attribute[number] is not None), 0)
            if group:
                written = attribute[group]
                stripped = written.strip()
                begin = attribute.start(group) + len(written) - len(written.lstrip())
                found = Link(entities.unescape(stripped), begin, begin + len(stripped))
    return (None if alone else found), position


def find_in_text(text: str) -> Iterator[Link]:
    """The addresses in plain text, in order, without the marks of the sentence around them."""
    for match in _IN_TEXT.finditer(text):
        address = match[0]
        while True:
            shorter = address.rstrip(_AFTER_TEXT)
            for opening, closing in ("()", "[]", "{}"):
                if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                    shorter = shorter[:-1]
            if shorter == address:
                break
            address = shorter
        yield Link(address, match.start(), match.start() + len(address))


def put_in(text: str, links: Iterable[Link], other: Callable[[str], str | None], *, html: bool) -> str:
    """The text with other addresses in the places of its own, where ``other`` gives one."""
    pieces: list[str] = []
    done = 0
    for link in links:
        address = other(link.address)
        if address is not None:
            pieces += [text[done : link.begin], entities.escape(address) if html else address]
            done = link.end
    pieces.append(text[done:])
    return "".join(pieces)


def put_last(html: str, more: str) -> str:
    """The HTML with something at the end of what is shown."""
    place = len(html)
    for end in _END.finditer(html):
        place = end.start()
    return html[:place] + more + html[place:]
