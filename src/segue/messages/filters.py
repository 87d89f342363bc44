"""Filters that Liquid lacks, or has in a form that can be made to take too long."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import msgspec
from liquid import Markup
from liquid.undefined import Undefined

from segue.messages.formats import FORMATS
from segue.messages.markdown import paragraphs

_TAG_END: Final = re.compile(">")
_ENDINGS: Final = {
    "<!--": re.compile("-->"),
    "<script": re.compile(r"</script\s*>", re.IGNORECASE),
    "<style": re.compile(r"</style\s*>", re.IGNORECASE),
}


def strip_html(value: object) -> str:
    """The text without tags, comments, scripts and styles, in one pass: the parser behind Liquid's own filter takes
    time that grows with the square of a hostile text."""
    if value is None:
        return ""
    text = str(value)
    kept = []
    place = 0
    while (start := text.find("<", place)) >= 0:
        kept.append(text[place:start])
        begins = text[start : start + 7].lower()
        pattern = next((pattern for begin, pattern in _ENDINGS.items() if begins.startswith(begin)), _TAG_END)
        found = pattern.search(text, start)
        if found is None:
            # A lone "<" is text; a script without an end hides the rest, as it does in a browser.
            place = start if pattern is _TAG_END else len(text)
            break
        place = found.end()
    kept.append(text[place:])
    # A text that was safe stays safe: pieces without tags.
    return Markup("".join(kept)) if isinstance(value, Markup) else "".join(kept)


_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_SAFE_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "sms", "cid"})


def link_address(value: object) -> object:
    """An address as a link may have it: one whose scheme would run a script, or show what somebody else wrote
    (``javascript:``, ``data:``), becomes ``#``. Added by Segue to every value that stands for a whole address."""
    if value is None or isinstance(value, Undefined):
        return value
    text = str(value)
    scheme = _SCHEME.match(_CONTROLS.sub("", text[:200]))
    if scheme is not None and scheme[1].lower() not in _SAFE_SCHEMES:
        return "#"
    return value


_MORE_THAN_A_VALUE: Final = re.compile(
    r"[;{}\\<>\x00-\x1f]|/\*|\b(?:url|src|image|image-set|expression|attr|var)\s*\(|@import", re.IGNORECASE
)
_NOT_IN_AN_ADDRESS: Final = re.compile(r"[^A-Za-z0-9._~:/?#@!$&*+,=%\[\]-]")


def style_value(value: object) -> object:
    """A value as it may stand among styles: one that would be more than a value of them (a further style, a picture
    from elsewhere) becomes nothing. An address of the web stays one, also inside ``url()``. Added by Segue to every
    value in a ``style`` attribute or a style sheet; what went through ``safe`` is left as it is."""
    if value is None or isinstance(value, Undefined | Markup):
        return value
    text = str(value)
    if re.match(r"https?://", text, re.IGNORECASE):
        return _NOT_IN_AN_ADDRESS.sub(lambda found: quote(found[0], safe=""), text)
    return "" if _MORE_THAN_A_VALUE.search(text) else value


def in_json(value: object) -> object:
    """A value as it stands inside the quotes of a JSON text. Added by Segue to the values of structured parts."""
    if value is None or isinstance(value, Undefined):
        return ""
    return msgspec.json.encode(str(value)).decode()[1:-1]


def as_paragraphs(value: object) -> Markup:
    """A plain text that was escaped for HTML, as paragraphs with links. Segue's own layout shows ``.txt`` so."""
    return Markup(paragraphs(str(value)))


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    **FORMATS,
    "strip_html": strip_html,
    "link_address": link_address,
    "style_value": style_value,
    "in_json": in_json,
    "as_paragraphs": as_paragraphs,
}
"""Liquid's name of each filter, and the filter."""
