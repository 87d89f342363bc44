"""The project's own layouts: what they ask for, and how they look, stands around every message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segue.api import FieldType
from segue.diagnostics import Diagnostic, Lines
from segue.messages.catalogue import Origin
from segue.messages.checking.contrast import check_contrast, on_its_elements
from segue.messages.checking.markup import TOLD, masked
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
    """What is wrong with the values that layouts ask for, and with their colours; the arguments are those of
    the check of content."""
    found: list[Diagnostic] = []
    for layout in layouts.values():
        # The styles of MJML are on its elements only once it is HTML.
        page = masked(layout.source).replace(TOLD, " ") if layout.form == "html" else ""
        template = template_of("_layout", "email", None, {_PART: on_its_elements(page) or ""})
        sheet = Sheet(template, {_PART: layout}, ChannelFacts("email"), (), lines, {}, {})
        check_layout(sheet, traits, project)
        check_contrast(sheet)
        found += sheet.found
    return found
