"""From the parts that were found in files to a template that is laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from segue.messages.brand import in_language
from segue.messages.catalogue import Form, Origin, Problem
from segue.messages.locales import is_right_to_left, shortened
from segue.messages.mail import Frame, Layout, Mail, lay_out, own_layout
from segue.messages.rendering import RenderError, compile_part
from segue.messages.shielding import LIQUID, ContentError
from segue.messages.template import House, Template, template_of

Layouts = dict[tuple[str, str | None], Layout]
"""The project's own layouts, by channel and locale."""

_LAYOUT: Final = "layout"
_LINES: Final = ("subject", "preview", "title", "subtitle")
"""Parts of one line that are read as a sentence."""

_OUTPUT: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)


class Part(msgspec.Struct, frozen=True):
    """A part as found: its source, and where it stands."""

    name: str
    source: str
    path: Path
    line: int
    form: Form


def template_from(
    key: tuple[str, str, str | None],
    found: list[Part],
    house: House,
    layouts: Layouts,
    *,
    carries_html: bool,
    given: Mapping[str, str] | None = None,
) -> tuple[Template, dict[str, Origin]] | Problem:
    """The template of correct parts, with the origin of each; what is wrong where they cannot be laid out. ``given``
    are parts that stand where the author wrote none."""
    parts = {part.name: part for part in found}
    said = parts.pop(_LAYOUT, None) if carries_html else None
    if said is not None and said.source != "none":
        return Problem(str(said.path), said.line, f"layout is none, or is left out; this is “{said.source[:60]}”")
    language = key[2] or house.locale
    house = msgspec.structs.replace(house, brand=in_language(house.brand, language))
    sources = {part.name: _isolated(part, language) for part in parts.values()}
    sources = {**(given or {}), **sources}
    lines = {part.name: part.line for part in parts.values()}
    origins = {part.name: Origin(str(part.path), part.line, part.form, part.source) for part in parts.values()}
    made: tuple[str, ...] = ()
    body = parts.get("html") or parts.get("text")
    if carries_html and body is not None:
        layout = None if said is not None else _layout(key[1], language, layouts)
        mail = _laid_out(parts, Frame(house, language, layout))
        if isinstance(mail, Problem):
            return mail
        made = mail.made
        for name, source in (("html", mail.html), ("text", mail.text)):
            if source is not None:
                sources[name] = source
                origins.setdefault(name, origins[body.name])
        # What was laid out has lines of its own; those of the files are in the origins.
        lines |= dict.fromkeys(("html", *made), 0) if mail.html is not None else {}
    return template_of(*key, sources, lines, house=house, made=made), origins


def _laid_out(parts: Mapping[str, Part], frame: Frame) -> Mail | Problem:
    html, text = parts.get("html"), parts.get("text")
    body = html or text
    assert body is not None
    try:
        if html is not None:
            mail = lay_out(html.form, html.source, text.source if text is not None else None, frame)
        else:
            plain = frame.layout is not None and not frame.layout.own and not frame.house.brand
            mail = lay_out("txt", body.source, None, msgspec.structs.replace(frame, layout=None) if plain else frame)
        for name, source in (("html", mail.html), ("text", mail.text)):
            if source is not None:
                compile_part(name, source)
    except ContentError as error:
        moved = error.moved(body.line - 1)
        return Problem(str(body.path), moved.line or body.line, moved.message)
    except RenderError as error:
        return Problem(str(body.path), body.line, f"cannot be laid out: {error.message}")
    return mail


def _layout(channel: str, language: str, layouts: Layouts) -> Layout:
    for locale in (*shortened(language), None):
        if (channel, locale) in layouts:
            return layouts[channel, locale]
    return own_layout()


def _isolated(part: Part, language: str) -> str:
    """A line in a language that is written from right to left, with each value held apart from it: a name in Latin
    letters would else turn the order of what stands around it (Unicode UAX 9, FSI and PDI)."""
    if part.name not in _LINES or not is_right_to_left(language):
        return part.source
    return LIQUID.sub(lambda match: f"\u2068{match[0]}\u2069" if _OUTPUT.fullmatch(match[0]) else match[0], part.source)
