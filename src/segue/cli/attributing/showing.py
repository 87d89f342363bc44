"""What ``segue attribute`` without files shows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from segue.api import AttributionSpec
from segue.cli.attributing.auditing import write_audit
from segue.cli.attributing.crediting import Credited, Models, attribution_table, credit_paths, side_by_side
from segue.cli.attributing.reading import read_paths
from segue.cli.clocks import now_of
from segue.cli.ending import USAGE, counted, fail, open_project
from segue.cli.tabling import Shown, put, read_period, read_span
from segue.measure.attribution import ModelError
from segue.measure.touchpoints.columns import By

USUAL: Final = ("last", "linear", "first")
"""Models that are shown where none is named; those of them that are installed."""


def usual_models(available: Mapping[str, AttributionSpec]) -> list[str]:
    """The models that are shown where none is named."""
    return [name for name in USUAL if name in available] or sorted(available)[:3]


def show_store(
    models: Models,
    span: tuple[str | None, str | None, str | None],
    *,
    forms: Mapping[str, Any],
    lookback: str | None = None,
    by: By = "channel",
    goal: str | None = None,
    machines: bool = False,
    audit: Path | None = None,
    samples: int = 0,
    picture: Path | None = None,
) -> None:
    """Credit the conversions of a period that the project's store knows, and show it. ``forms`` are ``json``, ``csv``
    and ``parquet``; with ``machines`` opens and clicks by programs count, with ``samples`` there are intervals. Ends
    the command where credits don't add up."""
    assembly = open_project(Path.cwd())
    window = read_span("--lookback", lookback) if lookback is not None else None
    zone = assembly.setting.zone
    period = read_period(*span, zone=zone, now=now_of(assembly), otherwise="30d")
    read = read_paths(assembly, period, lookback=window, goal=goal, machines=machines, arms=by == "arm")
    try:
        credited = credit_paths(read, models, by, samples)
    except ModelError as error:
        fail(str(error))
    if picture is not None:
        _draw(credited, picture)
    files = any(forms.values())
    if files or picture is None:
        tables = [attribution_table(read, credited, by)] if files else side_by_side(read, credited)
        put(tables, shown=Shown(assembly.setting.locale, zone), **forms)
    if audit is not None:
        rows = write_audit(assembly, read, credited, goal, audit)
        print(f"{counted(rows, 'row')} written to {audit}: every credit with its touch", file=sys.stderr)


def _draw(credited: list[Credited], picture: Path) -> None:
    """Draw the models, those of each currency in a file of its own: the one with most conversions in that asked for."""
    from segue.cli.attributing.picture import NoPicture, draw, save

    several = len(credited) > 1
    for place, one in enumerate(credited):
        currency = one.selected.currency
        file = picture.with_stem(f"{picture.stem}-{currency}") if place else picture
        try:
            save(file, draw(one.comparison, currency if several else ""))
        except NoPicture as error:
            fail(str(error), USAGE)
        except OSError as error:
            fail(f"{file}: {error.strerror or error}")
        if several:
            print(f"{currency} is drawn in {file}", file=sys.stderr)
