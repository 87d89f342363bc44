"""Templates that cannot be filled in: for nobody, or for whoever lacks a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.messages.checking.sheet import Sheet
from segue.messages.rendering import RenderError, render
from segue.messages.template import Template, template_of

Tried = dict[str, str] | RenderError
"""The parts of a message, or why there are none."""


def try_out(template: Template, values: Mapping[str, Any]) -> Tried:
    """The parts with these values."""
    try:
        return render(template, values)
    except RenderError as error:
        return error


def check_failing(sheet: Sheet, full: Mapping[str, Any], bare: Mapping[str, Any], tried: tuple[Tried, Tried]) -> None:
    """Note where filling in fails with all values (``full``), or with hardly any (``bare``); ``tried`` is what came of
    each."""
    with_all, with_none = (isinstance(one, RenderError) for one in tried)
    error = next((one for one in tried if isinstance(one, RenderError)), None)
    if error is None:
        return
    part, error = _in_source(sheet, full if with_all else bare) or (error.part, error)
    lines = sheet.written(part).split("\n")
    number = max(error.line, 1) - 1 if error.line <= len(lines) else 0
    start = sum(len(line) + 1 for line in lines[:number])
    line = lines[number]
    place = (start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
    if with_all and with_none:
        sheet.add(
            "E1019",
            part,
            place,
            f"{sheet.title} cannot be filled in, and nobody would get it: it {said(error)}",
            label="fails here",
            hint="see what it does with `segue preview`",
        )
    else:
        sheet.add(
            "W1020",
            part,
            place,
            f"{sheet.title} cannot be filled in for some customers, who would not get it: it {said(error)}",
            label="fails with likely values" if with_all else "fails where values are missing",
            hint="ask first whether the value is there: {% if … %}"
            if with_none
            else "mind how large or small a value may be",
        )


def said(error: RenderError) -> str:
    """The message as the second half of a sentence that begins with “it”."""
    message = error.message
    if message.startswith(("does ", "counts ", "makes ", "writes ", "keeps ", "is ")):
        return message
    return f"fails: {message}"


def _in_source(sheet: Sheet, values: Mapping[str, Any]) -> tuple[str, RenderError] | None:
    """The failure as it happens in what the author wrote, whose lines it then names."""
    for part, origin in sheet.sources.items():
        template = sheet.template
        alone = template_of(template.name, template.channel, template.locale, {part: origin.source})
        found = try_out(alone, values)
        if isinstance(found, RenderError):
            return part, found
    return None
