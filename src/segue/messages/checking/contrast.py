"""Text that is hard to read against its background: WCAG 2.2, success criterion 1.4.3.

What is looked at is the finished HTML: MJML is HTML there, what stands in style sheets is on the elements that it is
for, and content stands in its layout. Only pairs of which both colours are certain count: a picture behind the text or
a value that is filled in ends the search, and nothing is said. Where nobody says a colour, text is black on white.
Where a sheet has colours for the dark, those are looked at as well.
Source: https://www.w3.org/TR/WCAG22/#contrast-minimum
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from typing import Final

import msgspec

from segue.messages.checking.colours import BLACK, WHITE, Colour, colour_of, contrast, in_hex, luminance, over
from segue.messages.checking.markup import FILLED, TOLD, Tag, masked, tags
from segue.messages.checking.sheet import Sheet
from segue.messages.template import BODIES

NORMAL: Final = 4.5
"""Least contrast of text."""
LARGE: Final = 3.0
"""Least contrast of large text: 24 pixels, or 18.66 where it is bold."""
_MIDDLE: Final = 0.179
"""The luminance that is as far from black as from white."""

_PART: Final = "html"
_PIXELS: Final = re.compile(r"(\d{1,4}(?:\.\d+)?)(px|pt)")
_POINT: Final = 4 / 3
_HIDDEN: Final = re.compile(
    r"display:none|visibility:hidden|opacity:0(?:\.0*)?(?:;|$|!)"
    r"|(?:max-)?height:0(?:px)?(?:;|$|!)|mso-hide:all"
)
_LARGE_BY_ITSELF: Final = frozenset(["h1", "h2"])
_BOLD: Final = frozenset(["b", "strong", "th", "h1", "h2", "h3", "h4"])
_SHOWS: Final = re.compile(r"[^\W_]|\x01")
_DARK: Final = re.compile(r"@media[^{}]*\(\s*prefers-color-scheme\s*:\s*dark\s*\)[^{}]*\{", re.IGNORECASE)
_UNSHOWN: Final = re.compile(r"<!--.*?-->|<(style|script|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_FILLED: Final = "\ufffc"
"""Stands for what is filled in where a control character would be lost."""
_WORDS: Final = re.compile(r"[^\x01\ufffc<>]+")


class Element(msgspec.Struct, frozen=True):
    """An open element, and what is said on it of how it looks."""

    name: str
    style: Mapping[str, str]
    hidden: bool


class Weak(msgspec.Struct, frozen=True):
    """A text that is hard to read: where it stands in the page, its colours, and the contrast that it should have."""

    start: int
    end: int
    text: Colour
    behind: Colour
    least: float


def check_contrast(sheet: Sheet) -> None:
    """Note each pair of colours that is too weak, once."""
    page = sheet.template.parts.get(_PART)
    if page is None:
        return
    told: set[tuple[Colour, Colour]] = set()
    shown = masked(page).replace(TOLD, " ")
    _tell(sheet, weak_texts(shown, (BLACK, WHITE)), (page, shown), told, "")
    dark = in_the_dark(shown)
    if dark is not None:
        _tell(sheet, weak_texts(dark, None), (dark,), told, "in the dark ")


def _tell(
    sheet: Sheet, found: Iterable[Weak], pages: Sequence[str], told: set[tuple[Colour, Colour]], when: str
) -> None:
    """Note the weak texts of a page; ``pages`` are the forms in which it may be compared with what was written."""
    before: dict[str, int] = {}
    for weak in found:
        place = _place(sheet, [page[weak.start : weak.end] for page in pages], before)
        pair = weak.text, weak.behind
        if place is None or pair in told:
            continue
        told.add(pair)
        sheet.add(
            "W1016",
            *place,
            f"{when}the text is hard to read: {in_hex(weak.text)} on {in_hex(weak.behind)} has a contrast of "
            f"{int(contrast(*pair) * 10) / 10} to 1",
            label="too weak",
            hint=f"from {weak.least:g} to 1 on most people can read it: make the text "
            f"{'darker' if luminance(weak.behind) > _MIDDLE else 'lighter'}",
        )


def _place(sheet: Sheet, texts: Sequence[str], before: dict[str, int]) -> tuple[str, tuple[int, int]] | None:
    """Where a text of the page stands in what its author wrote, after what was found ``before`` if it does; None for
    that of a layout."""
    for text in texts:
        pieces = sorted(map(str.strip, _WORDS.findall(text)), key=len, reverse=True)
        lines = [line.strip() for piece in pieces for line in piece.split("\n")]
        for wanted in (text.strip(), *lines):
            for part in (part for part in sheet.sources if part in BODIES):
                source = sheet.written(part)
                for form in (wanted, unescape(wanted)):
                    if _SHOWS.search(form) is None:
                        continue
                    start = source.find(form, before.get(part, 0))
                    start = source.find(form) if start < 0 else start
                    if start >= 0:
                        before[part] = start + len(form)
                        return part, (start, start + len(form))
    return None


def in_the_dark(page: str) -> str | None:
    """The page as those see it who read in the dark; None where it says nothing of that."""
    sheets: list[str] = []
    for found in _DARK.finditer(page):
        depth, place = 1, found.end()
        while depth and place < len(page):
            depth += {"{": 1, "}": -1}.get(page[place], 0)
            place += 1
        sheets.append(page[found.end() : place - 1])
    if not any("color" in one or "background" in one for one in sheets):
        return None
    bare = re.sub(r"<style\b[^>]*>.*?</style\s*>", "", page, flags=re.DOTALL | re.IGNORECASE)
    return on_its_elements(f"<style>{' '.join(sheets)}</style>{bare}")


def on_its_elements(page: str) -> str | None:
    """A page without Liquid whose styles stand on the elements that they are for; None where its CSS cannot be read."""
    import css_inline

    try:
        made = css_inline.inline(page.replace(FILLED, _FILLED), keep_style_tags=True, load_remote_stylesheets=False)
    except css_inline.InlineError:
        return None
    return made.replace(_FILLED, FILLED)


def weak_texts(page: str, default: tuple[Colour, Colour] | None) -> Iterator[Weak]:
    """The texts of a page without Liquid that are hard to read. ``default`` are the colours of text and of what is
    behind it where nobody says any; None: those are not certain."""
    for start, end, stack in _with_text(page):
        text, behind = _text_colour(stack, default), _behind(stack, default)
        if text is None or behind is None:
            continue
        seen = over(*text, behind)
        for depth, one in enumerate(stack):
            if "opacity" in one.style:
                below = _behind(stack[:depth], default)
                opacity = colour_of(f"rgb(0 0 0 / {one.style['opacity']})")
                if below is None or opacity is None:
                    break
                seen, behind = over(seen, opacity[1], below), over(behind, opacity[1], below)
        else:
            least = _least(stack)
            if contrast(seen, behind) < least:
                yield Weak(start, end, seen, behind, least)


def _with_text(page: str) -> Iterator[tuple[int, int, list[Element]]]:
    """Each piece of text that is shown, and the open elements around it."""
    stack: list[Element] = []
    place = 0
    page = _UNSHOWN.sub(lambda found: " " * len(found[0]), page)
    for tag in tags(page):
        text = page[place : tag.start]
        if stack and _SHOWS.search(unescape(text)) and not _is_hidden(stack):
            yield place, tag.start, list(stack)
        place = tag.end
        if tag.kind == "opens":
            said = tag.value("style").lower().replace(" ", "")
            stack.append(Element(tag.name, _style(tag), _HIDDEN.search(said) is not None or "hidden" in tag.attributes))
        elif tag.kind == "closes":
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth].name == tag.name:
                    del stack[depth:]
                    break


def _is_hidden(stack: Sequence[Element]) -> bool:
    size = next((one.style["font-size"] for one in reversed(stack) if "font-size" in one.style), "")
    return size in ("0", "0px", "1px") or any(one.hidden for one in stack)


def _style(tag: Tag) -> dict[str, str]:
    found = {}
    for line in tag.value("style").lower().split(";"):
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = value.replace("!important", "").strip()
    if "bgcolor" in tag.attributes:
        colour = tag.value("bgcolor").lower().strip()
        found.setdefault("background-color", f"#{colour}" if re.fullmatch(r"[0-9a-f]{6}", colour) else colour)
    if "background" in tag.attributes:
        found["background-image"] = tag.value("background")
    if tag.name == "font" and "color" in tag.attributes:
        found.setdefault("color", tag.value("color").lower().strip())
    return found


def _text_colour(stack: Sequence[Element], default: tuple[Colour, Colour] | None) -> tuple[Colour, float] | None:
    for one in reversed(stack):
        said = one.style.get("color", "inherit")
        if said not in ("inherit", "unset", "currentcolor"):
            return colour_of(said)
        if one.name == "a":  # a link has a colour of its own, which is not the same everywhere
            return None
    return (default[0], 1.0) if default is not None else None


def _behind(stack: Sequence[Element], default: tuple[Colour, Colour] | None) -> Colour | None:
    """What is seen behind a text inside these elements."""
    layers: list[tuple[Colour, float]] = []
    for one in reversed(stack):
        if one.style.get("background-image", "none") not in ("none", "initial"):
            return None
        said = one.style.get("background-color", one.style.get("background", "none"))
        if said in ("none", "inherit", "initial", "unset", "0", "0 0"):
            continue
        found = colour_of(said)
        if found is None:
            return None
        layers.append(found)
        if found[1] >= 1:
            break
    else:
        if default is None:
            return None
        layers.append((default[1], 1.0))
    seen = layers.pop()[0]
    while layers:
        colour, opacity = layers.pop()
        seen = over(colour, opacity, seen)
    return seen


def _least(stack: Sequence[Element]) -> float:
    """What the text needs; the less where its size is not certain."""
    for one in reversed(stack):
        said = one.style.get("font-size")
        if said is not None:
            found = _PIXELS.fullmatch(said)
            if found is None:
                return LARGE
            size = float(found[1]) * (_POINT if found[2] == "pt" else 1)
            return LARGE if size >= 24 or (size >= 18.66 and _is_bold(stack)) else NORMAL
        if one.name in _LARGE_BY_ITSELF or "font" in one.style:
            return LARGE
    return NORMAL


def _is_bold(stack: Sequence[Element]) -> bool:
    return any(
        one.name in _BOLD or one.style.get("font-weight") in ("bold", "bolder", "600", "700", "800", "900")
        for one in stack
    )
