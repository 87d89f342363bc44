"""The report as one HTML file that needs nothing else: light and dark, for a screen, a phone and paper.

What customers, events or rules are called comes from outside: Jinja escapes it, characters that do not show are
replaced, and a policy in the page itself keeps browsers from running or loading anything.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from segue.api import Instant, to_rfc3339
from segue.cli.reporting.material import Material
from segue.cli.reporting.sections import sections_of
from segue.diagnostics.render.printable import printable
from segue.program.calendar import local

_QUOTED: Final = re.compile("“([^”]*)”")
_ROWS: Final = 200
"""Rows of a table that the page shows; the files have all."""


def render(material: Material) -> str:
    """The page."""
    template, style = _load()
    return template.render(
        project=material.project,
        period=_words(material),
        sections=sections_of(material),
        shown=material.shown,
        made=material.shown.moment(to_rfc3339(material.made)),
        style=Markup(style),  # noqa: S704  # our own file
        most=_ROWS,
    )


def _words(material: Material) -> str:
    """``1 – 30 Nov 2026``, by the days of the zone; with the time of the day where it ends within one."""
    from babel.dates import format_date, format_interval

    zone, period = material.zone, material.period
    end = local(period.until, zone)
    first, last = local(period.since, zone).date(), local(Instant(period.until - 1), zone).date()
    locale = material.shown.known
    until = f", until {end:%H:%M}" if (end.hour, end.minute) != (0, 0) else ""
    if first.year < 1990:
        return f"Until {format_date(last, 'long', locale=locale)}{until}"
    if first == last:
        return f"{format_date(first, 'long', locale=locale)}{until}"
    return f"{format_interval(first, last, 'yMMMd', locale=locale)}{until}"


def _said(sentence: str) -> Markup:
    """A sentence with what stands between backticks as code, and what stands between quotation marks, which may be
    written from right to left, apart from the rest."""
    parts = printable(sentence).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 and place < len(parts) - 1 else _apart(part)
        for place, part in enumerate(parts)
    )


def _apart(words: str) -> Markup:
    pieces = _QUOTED.split(words)
    return Markup("").join(
        Markup("“<bdi>{}</bdi>”").format(piece) if place % 2 else Markup("{}").format(piece)
        for place, piece in enumerate(pieces)
    )


@lru_cache(maxsize=1)
def _load() -> tuple[Template, str]:
    folder = resources.files("segue.cli.reporting").joinpath("templates")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["plain"] = printable
    environment.filters["said"] = _said
    source = folder.joinpath("report.html").read_text(encoding="utf-8")
    return environment.from_string(source), folder.joinpath("report.css").read_text(encoding="utf-8")
