"""What an email should have: a preview, descriptions of its images, and a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from segue.messages.catalogue import Origin
from segue.messages.checking.markup import Tag, masked, tags
from segue.messages.checking.sheet import Sheet
from segue.messages.template import BODIES

_IMAGES: Final = frozenset(["img", "mj-image", "mj-carousel-image"])
_TINY: Final = frozenset(["0", "1", "0px", "1px"])
_MARKDOWN_IMAGE: Final = re.compile(r"!\[(?P<alt>[^\]]*)\][(\[]")
_WORD: Final = re.compile(r"[^\W_]|\x01")
_PREVIEW: Final = re.compile(
    r"<mj-preview\b|class=[\"'][^\"']*\bpre(?:header|view)|style=[\"'][^\"']*display:\s*none", re.IGNORECASE
)
"""What authors put into the HTML itself for the same purpose."""
_WAYS_OUT: Final = re.compile(
    r"\b(?:unsubscribe_url|preferences_url)\b"
    # A site's own page, by the usual words of its address.
    r"|(?:https?:|mailto:)[^\s\"'<>]*(?:unsub|opt-?out|prefer|abmeld|abbestell|einstellung|desinscri|desabonn|baja"
    r"|cancella|disiscri|preferen|afmeld|uitschrijv|avregistr|avprenumer|avmeld|peru|asetuk|innstilling|wypis)",
    re.IGNORECASE,
)


def check_email(sheet: Sheet, *, way_out: bool = False) -> None:
    """Note what an email lacks; ``way_out``: the project puts a link to unsubscribe into each by itself."""
    if sheet.channel.medium != "email":
        return
    for part, origin in sheet.sources.items():
        if part in BODIES:
            _check_images(sheet, part, origin)
    previewed = sheet.written("preview") or _PREVIEW.search(sheet.written("html"))
    if "html" in sheet.template.parts and not previewed:
        _without_preview(sheet)
    if not way_out:
        _check_way_out(sheet)


def _check_images(sheet: Sheet, part: str, origin: Origin) -> None:
    hidden = masked(origin.source)
    if origin.form in ("html", "mjml", "md"):
        for start, end in _wordless_links(hidden):
            _without_alt(sheet, part, start, end, 'alt="…"', "nothing in this link can be read or heard")
        for tag in tags(hidden):
            if (
                tag.name in _IMAGES
                and "alt" not in tag.attributes
                and not _is_pixel(tag.value("width"), tag.value("height"))
            ):
                _without_alt(sheet, part, tag.start, tag.end, 'alt="…"')
    if origin.form == "md":
        for one in _MARKDOWN_IMAGE.finditer(hidden):
            if not one["alt"].strip():
                _without_alt(sheet, part, one.start(), one.end(), "![…](address)")


def _is_pixel(width: str, height: str) -> bool:
    return width.strip() in _TINY and height.strip() in _TINY


def _wordless_links(source: str) -> Iterator[tuple[int, int]]:
    """The images without words that are all that is in a link: who cannot see them does not know where it leads."""
    opened = -1
    silent: Tag | None = None
    said = False
    for tag in tags(source):
        if opened >= 0 and _WORD.search(source[opened : tag.start]):
            said = True
        opened = tag.end if opened >= 0 else -1
        if tag.name == "a" and tag.kind == "opens":
            opened, silent, said = tag.end, None, "aria-label" in tag.attributes or "title" in tag.attributes
        elif tag.name == "a" and tag.kind == "closes":
            if silent is not None and not said:
                yield silent.start, silent.end
            opened = -1
        elif tag.name == "img" and opened >= 0:
            if tag.value("alt").strip():
                said = True
            elif "alt" in tag.attributes:
                silent = silent or tag
        elif tag.name == "mj-image" and tag.value("href") and "alt" in tag.attributes and not tag.value("alt").strip():
            yield tag.start, tag.end


def _without_alt(
    sheet: Sheet, part: str, start: int, end: int, write: str, message: str = "the image has no description"
) -> None:
    sheet.add(
        "W1012",
        part,
        (start, end),
        message,
        label="no description",
        hint='write in alt="…" where it leads'
        if "link" in message
        else f'write in {write} what it shows; alt="" where it is only decoration'
        if "alt" in write
        else f"write what it shows: {write}",
    )


def _without_preview(sheet: Sheet) -> None:
    sheet.add(
        "W1011",
        "html",
        None,
        f"{sheet.title} has no preview: mail programs show its first words beside the subject instead",
        label="shown instead",
        hint="write preview: … beside the subject, between the --- lines",
    )


def _check_way_out(sheet: Sheet) -> None:
    promotional = sorted({one.rule for one in sheet.sendings if one.kind == "promotional"})
    if not promotional:
        return
    # The layout may bring it, so what is looked at is laid out.
    lacking = [part for part in BODIES if part in sheet.template.parts and not _leads_out(sheet.template.parts[part])]
    for part, origin in sheet.sources.items():
        if part not in lacking:
            continue
        last = origin.source.rfind("\n") + 1
        sheet.add(
            "W1013",
            part,
            (last, len(origin.source)),
            f"{sheet.title} is promotional, and its {part} has no link to unsubscribe",
            label="put it at the end",
            hint={
                "html": '<a href="{{ unsubscribe_url }}">Unsubscribe</a>',
                "mjml": '<a href="{{ unsubscribe_url }}">Unsubscribe</a>',
                "md": "[Unsubscribe]({{ unsubscribe_url }})",
            }.get(origin.form, "write {{ unsubscribe_url }} or {{ preferences_url }}"),
        )


def _leads_out(source: str) -> bool:
    return _WAYS_OUT.search(source) is not None or _linked_by_a_value(source)


def _linked_by_a_value(source: str) -> bool:
    """Whether a footer that is given as a whole may hold the link."""
    return re.search(r"\{\{-?\s*(?:brand\.)?(?:\w+_)?footer\b", source) is not None
