"""Text that is hard to read against its background: WCAG 2.2, success criterion 1.4.3.

Only what stands in the tags themselves is looked at, and only pairs of which both colours are certain: a colour from a
style sheet, a picture behind the text or a value that is filled in ends the search, and nothing is said.
Source: https://www.w3.org/TR/WCAG22/#contrast-minimum
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from segue.messages.checking.markup import TOLD, Tag, masked, styles, tags
from segue.messages.checking.sheet import Sheet

NORMAL: Final = 4.5
"""Least contrast of text."""
LARGE: Final = 3.0
"""Least contrast of large text: 24 pixels, or 18.66 where it is bold."""
_MIDDLE: Final = 0.179
"""The luminance that is as far from black as from white."""

_Colour = tuple[int, int, int]

# CSS Color Module Level 4, section 6.1: the sixteen of HTML, and orange.
_NAMED: Final[Mapping[str, _Colour]] = {
    "black": (0, 0, 0),
    "silver": (192, 192, 192),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "white": (255, 255, 255),
    "maroon": (128, 0, 0),
    "red": (255, 0, 0),
    "purple": (128, 0, 128),
    "fuchsia": (255, 0, 255),
    "green": (0, 128, 0),
    "lime": (0, 255, 0),
    "olive": (128, 128, 0),
    "yellow": (255, 255, 0),
    "navy": (0, 0, 128),
    "blue": (0, 0, 255),
    "teal": (0, 128, 128),
    "aqua": (0, 255, 255),
    "orange": (255, 165, 0),
}
_HEX: Final = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_RGB: Final = re.compile(r"rgb\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*\)")
_PIXELS: Final = re.compile(r"(\d{1,4}(?:\.\d+)?)px")
_HIDDEN: Final = re.compile(
    r"display:none|visibility:hidden|opacity:0|font-size:0|(?:max-)?height:0(?:px)?(?:;|$)|mso-hide:all"
)
_LARGE_BY_ITSELF: Final = frozenset(["h1", "h2", "h3"])
_BUTTONS: Final = frozenset(["a", "mj-button"])


class Element(msgspec.Struct):
    """An open element: what its own tag says of colours. ``unsure`` keys may be set from elsewhere."""

    tag: Tag
    style: Mapping[str, str]
    unsure: bool


def check_contrast(sheet: Sheet) -> None:
    """Note each pair of colours that is too weak, once for a part."""
    for part, origin in sheet.sources.items():
        if origin.form in ("html", "mjml", "md"):
            _check_part(sheet, part, masked(origin.source).replace(TOLD, " "))


def _check_part(sheet: Sheet, part: str, source: str) -> None:
    told: set[tuple[_Colour, _Colour]] = set()
    for stack in _with_text(source):
        text, behind = _text_colour(stack), _background(stack)
        if text is None or behind is None or (text[0], behind[0]) in told:
            continue
        least = _least(stack)
        found = contrast(text[0], behind[0])
        if found < least:
            told.add((text[0], behind[0]))
            tag = text[1] if text[1].start > behind[1].start else behind[1]
            sheet.add(
                "W1016",
                part,
                (tag.start, tag.end),
                f"the text is hard to read: {_hex(text[0])} on {_hex(behind[0])} has a contrast of "
                f"{int(found * 10) / 10} to 1",
                label="too weak",
                hint=f"from {least:g} to 1 on most people can read it: make the text "
                f"{'darker' if _luminance(behind[0]) > _MIDDLE else 'lighter'}",
            )


def _with_text(source: str) -> Iterator[list[Element]]:
    """The open elements around each piece of text that is shown."""
    sheets = styles(source)
    stack: list[Element] = []
    place = 0
    for tag in tags(source):
        if source[place : tag.start].strip() and stack and not _is_hidden(stack):
            yield list(stack)
        place = tag.end
        if tag.kind == "opens":
            style = _style(tag)
            by_sheet = sheets and ("class" in tag.attributes or "id" in tag.attributes)
            stack.append(Element(tag, style, by_sheet or "mj-class" in tag.attributes))
        elif tag.kind == "closes":
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth].tag.name == tag.name:
                    del stack[depth:]
                    break


def _style(tag: Tag) -> dict[str, str]:
    found = {}
    for line in tag.value("style").lower().split(";"):
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    if "bgcolor" in tag.attributes:
        found.setdefault("background-color", tag.value("bgcolor").lower().strip())
    if tag.name == "font" or tag.name.startswith("mj-"):
        for name in ("color", "background-color", "font-size", "background-url"):
            if name in tag.attributes:
                found.setdefault(name, tag.value(name).lower().strip())
    return found


def _is_hidden(stack: list[Element]) -> bool:
    return any(
        _HIDDEN.search(one.tag.value("style").lower().replace(" ", "")) or "hidden" in one.tag.attributes
        for one in stack
    )


def _text_colour(stack: list[Element]) -> tuple[_Colour, Tag] | None:
    for one in reversed(stack):
        if "color" in one.style:
            colour = colour_of(one.style["color"])
            return (colour, one.tag) if colour is not None else None
        if one.unsure or one.tag.name in _BUTTONS:  # a link has a colour of its own
            return None
    return None


def _background(stack: list[Element]) -> tuple[_Colour, Tag] | None:
    for one in reversed(stack):
        if one.unsure or "background-image" in one.style or "background-url" in one.style:
            return None
        if "background" in one.tag.attributes:
            return None
        said = one.style.get("background-color", one.style.get("background"))
        if said in (None, "transparent", "none", "inherit"):
            if one.tag.name == "mj-button":
                return None
            continue
        colour = colour_of(said or "")
        return (colour, one.tag) if colour is not None else None
    return None


def _least(stack: list[Element]) -> float:
    """What the text needs; the less where its size is not certain."""
    for one in reversed(stack):
        if "font-size" in one.style:
            found = _PIXELS.fullmatch(one.style["font-size"])
            if found is None:
                return LARGE
            size = float(found[1])
            return LARGE if size >= 24 or (size >= 18.66 and _is_bold(stack)) else NORMAL
        if one.tag.name in _LARGE_BY_ITSELF or one.unsure or "font" in one.style:
            return LARGE
    return NORMAL


def _is_bold(stack: list[Element]) -> bool:
    return any(
        one.tag.name in ("b", "strong", "th") or one.style.get("font-weight") in ("bold", "700", "800", "900")
        for one in stack
    )


def colour_of(said: str) -> _Colour | None:
    """An opaque colour as CSS writes it; None for any other."""
    if said in _NAMED:
        return _NAMED[said]
    if _HEX.fullmatch(said):
        digits = said[1:] if len(said) == 7 else "".join(2 * digit for digit in said[1:])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    found = _RGB.fullmatch(said)
    if found is None or any(int(part) > 255 for part in found.groups()):
        return None
    return int(found[1]), int(found[2]), int(found[3])


def contrast(one: _Colour, other: _Colour) -> float:
    """The contrast of two colours, from 1 to 21, by WCAG's definition."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: _Colour) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: _Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
