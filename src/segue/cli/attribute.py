"""``segue attribute``: attribution models side by side, over files of touches and journeys."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from segue.api import AttributionSpec, Credit
from segue.measure import DataError, Journeys, ModelError, OptionError, options_of, read_aggregated, read_journeys
from segue.measure import attribute as credit_channels

WRONG = 1
USAGE = 2

_Existing = typer.Option(exists=True, dir_okay=False, readable=True, show_default=False)


class UsageError(Exception):
    """The command was not given what it needs."""


class Attributed(msgspec.Struct, frozen=True):
    """The paths that were found, and what each model makes of them, in the order asked for."""

    journeys: Journeys
    credits: dict[str, tuple[Credit, ...]]


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of ``--json``."""

    model: str
    channel: str
    conversions: float
    value: float
    removal_effect: float | None = None


def attribute(
    models: Annotated[list[str], typer.Option("--model", help="A model to credit by; give several to compare them.")],
    touches: Annotated[Path | None, _Existing] = None,
    journeys: Annotated[Path | None, _Existing] = None,
    paths: Annotated[Path | None, _Existing] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the models, as per=channel.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines: model, channel, conversions, value.")] = False,
) -> None:
    """Share conversions among the channels that customers met before.

    Give --touches (journey_id, channel, ts) with --journeys (journey_id, converted, value, ts), or --paths
    (path, total_conversions, total_conversion_value, total_null) with paths such as "email > ads > email".
    Files are CSV.
    """
    # Plugins are looked for here, so that other commands don't wait for them.
    from segue.host.plugins import discover

    plugins = discover()
    for problem in plugins.problems:
        typer.echo(f"note: {problem}", err=True)
    try:
        result = attribute_files(
            plugins.models, models, touches=touches, journeys=journeys, paths=paths, settings=settings or ()
        )
    except (UsageError, OptionError) as error:
        _end(error, USAGE)
    except (DataError, ModelError, OSError) as error:
        _end(error, WRONG)
    if json:
        print_lines(result)
    else:
        print_table(result)
    for sentence in summary(result.journeys):
        typer.echo(sentence, err=True)


def _end(error: Exception, code: int) -> NoReturn:
    typer.echo(f"segue attribute: {error}", err=True)
    raise typer.Exit(code)


def attribute_files(
    available: Mapping[str, AttributionSpec],
    names: Sequence[str],
    *,
    touches: Path | None = None,
    journeys: Path | None = None,
    paths: Path | None = None,
    settings: Sequence[str] = (),
) -> Attributed:
    """Read the files and run the models.

    A setting goes to every model that has an option of that name. Raises UsageError and OptionError for what was asked,
    DataError and OSError for the files, ModelError for a model.
    """
    specs = [_model(available, name) for name in dict.fromkeys(names)]
    if not specs:
        raise UsageError("name a model with --model")
    options = _options(specs, _parsed(settings))
    found = _read(touches, journeys, paths)
    return Attributed(found, {spec.name: credit_channels(spec, options[spec.name], found.paths) for spec in specs})


def _model(available: Mapping[str, AttributionSpec], name: str) -> AttributionSpec:
    spec = available.get(name)
    if spec is None:
        known = ", ".join(sorted(available)) or "none; install a plugin such as segue-attribution-heuristics"
        raise UsageError(f"there is no attribution model “{name}”; there is {known}")
    return spec


def _parsed(settings: Sequence[str]) -> dict[str, str]:
    parsed: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        key = key.strip()
        if not key or not equals:
            raise UsageError(f"--set takes KEY=VALUE, as in --set per=channel; this is “{setting}”")
        if key in parsed:
            raise UsageError(f"--set {key} is given twice")
        parsed[key] = value.strip()
    return parsed


def _options(specs: Sequence[AttributionSpec], settings: Mapping[str, str]) -> dict[str, object]:
    names = {spec.name: {field.encode_name for field in msgspec.structs.fields(spec.config)} for spec in specs}
    for key in settings:
        if not any(key in of_model for of_model in names.values()):
            known = "; ".join(f"{model} has {', '.join(sorted(has)) or 'none'}" for model, has in names.items())
            raise OptionError(f"no model asked for has an option “{key}”: {known}")
    return {
        spec.name: options_of(spec, {key: value for key, value in settings.items() if key in names[spec.name]})
        for spec in specs
    }


def _read(touches: Path | None, journeys: Path | None, paths: Path | None) -> Journeys:
    if paths is not None:
        if touches is not None or journeys is not None:
            raise UsageError("give either --paths, or --touches with --journeys")
        with paths.open(encoding="utf-8-sig", newline="") as lines:
            return read_aggregated(lines, str(paths))
    if touches is None or journeys is None:
        raise UsageError("give --touches with --journeys, or --paths")
    with (
        touches.open(encoding="utf-8-sig", newline="") as touch_lines,
        journeys.open(encoding="utf-8-sig", newline="") as journey_lines,
    ):
        return read_journeys(touch_lines, journey_lines, str(touches), str(journeys))


def print_lines(result: Attributed) -> None:
    """One JSON object per model and channel on standard output, the largest share of a model first."""
    for model, credits in result.credits.items():
        for credit in credits:
            line = Line(model, credit.channel, credit.conversions, credit.value, credit.removal_effect)
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")


def print_table(result: Attributed) -> None:
    """Channels down, models across."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Attribution", title_justify="left")
    table.add_column("channel")
    columns = []
    for model, credits in result.credits.items():
        columns.append({credit.channel: credit for credit in credits})
        effects = any(credit.removal_effect is not None for credit in credits)
        for what in ("conversions", "value", *(("removal effect",) if effects else ())):
            table.add_column(f"{model}\n{what}", justify="right")
    channels = list(columns[0])
    for channel in channels:
        cells = [cell for column in columns for cell in _cells(column[channel], list(column.values()))]
        # Names come from files: no escape sequences into the terminal.
        shown = "".join(letter if letter.isprintable() else "�" for letter in channel)
        table.add_row(Text(shown), *cells, end_section=channel == channels[-1])
    totals = [cell for column in columns for cell in _totals(list(column.values()))]
    table.add_row("all", *totals)
    Console().print(table)


def _cells(credit: Credit, credits: Sequence[Credit]) -> list[str]:
    cells = [f"{credit.conversions:,.2f}", f"{credit.value:,.2f}"]
    if any(other.removal_effect is not None for other in credits):
        cells.append("–" if credit.removal_effect is None else f"{credit.removal_effect:.3f}")
    return cells


def _totals(credits: Sequence[Credit]) -> list[str]:
    cells = [f"{sum(credit.conversions for credit in credits):,.2f}", f"{sum(credit.value for credit in credits):,.2f}"]
    return [*cells, ""] if any(credit.removal_effect is not None for credit in credits) else cells


def summary(found: Journeys) -> list[str]:
    """What was read and what was left out, in sentences."""
    conversions = float(found.paths.conversions.sum())
    unattributed = f"{_count(found.unattributed_conversions, 'conversion')} of them"
    sentences = [
        f"{_count(found.journeys, 'journey')}, {_count(conversions, 'conversion')} attributed; "
        f"{_count(found.untouched, 'journey')} without a touch, "
        f"{unattributed} worth {found.unattributed_value:,.2f} unattributed"
    ]
    if found.late:
        sentences.append(f"{_count(found.late, 'touch', 'touches')} after the conversion not counted")
    if found.unknown:
        sentences.append(f"{_count(found.unknown, 'touch', 'touches')} of unknown journeys not counted")
    sentences.extend(f"there is no column {column}: taken as 0" for column in found.absent)
    return sentences


def _count(number: float, one: str, many: str | None = None) -> str:
    return f"{number:,.10g} {one if number == 1 else many or one + 's'}"
