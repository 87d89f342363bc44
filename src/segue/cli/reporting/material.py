"""What a report is made of, and what its sections are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from segue.api import Instant
from segue.cli.reporting.charts import Chart
from segue.cli.reporting.charts.chart import cut
from segue.cli.tabling.shown import Shown
from segue.measure.period import Period
from segue.measure.results.counts import Counts
from segue.measure.table import Table

_NAME: Final = 80
"""Columns of a name in a sentence."""


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report tells. ``tables`` are by name; a part of the report whose table is missing, or has no
    rows, says what would fill it. ``titles`` are the names of rules as people gave them. ``before`` is None where the
    time before is not known, or not all of it. ``made`` is the store's moment."""

    project: str
    period: Period
    zone: tzinfo
    shown: Shown
    made: Instant
    now: Counts
    before: Counts | None
    tables: Mapping[str, Table]
    titles: Mapping[str, str] = {}

    def table(self, name: str) -> Table | None:
        """A table, None where it is missing or has no rows."""
        found = self.tables.get(name)
        return found if found is not None and found.rows else None

    def title(self, rule: str) -> str:
        """A rule as people call it."""
        return self.titles.get(rule) or rule.replace("_", " ")

    def quoted(self, rule: str) -> str:
        """The same in a sentence, where a title such as “How was it?” must not be read as a part of it."""
        return f"“{cut(self.title(rule), _NAME)}”"


class Card(msgspec.Struct, frozen=True):
    """A figure of the headline: what it is, how much, and how that compares. ``better`` is whether a change is good
    news, None where that is not for us to say. ``spark`` is a small picture."""

    title: str
    value: str
    change: str = ""
    better: bool | None = None
    spark: str = ""


class Section(msgspec.Struct, frozen=True):
    """A part of the page: its title, what it says in sentences, charts, and tables that are always seen. ``points`` are
    sentences on one thing each, with what that is called. ``missing`` is the sentence that says what would fill a part
    of it."""

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    missing: tuple[str, ...] = ()
    points: tuple[tuple[str, str], ...] = ()
