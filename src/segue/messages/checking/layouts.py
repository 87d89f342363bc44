"""The project's own layouts: what they ask for stands around every message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segue.api import FieldType
from segue.diagnostics import Diagnostic, Lines
from segue.messages.catalogue import Origin
from segue.messages.checking.sheet import ChannelFacts, Sheet
from segue.messages.checking.values import check_layout
from segue.messages.template import template_of

_PART: Final = "html"


def check_layouts(
    layouts: Mapping[str, Origin],
    lines: Mapping[str, Lines],
    traits: Mapping[str, FieldType],
    project: Mapping[str, object],
) -> list[Diagnostic]:
    """What is wrong with the values that layouts ask for; the arguments are those of the check of content."""
    found: list[Diagnostic] = []
    for layout in layouts.values():
        template = template_of("_layout", "email", None, {_PART: layout.source})
        sheet = Sheet(template, {_PART: layout}, ChannelFacts("email"), (), lines, {}, {})
        check_layout(sheet, traits, project)
        found += sheet.found
    return found
