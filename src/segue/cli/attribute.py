"""``segue attribute``: attribution models side by side, over files of touches and journeys."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
import typer

from segue.cli.attributing.asking import UsageError, asked, installed
from segue.cli.leaving import USAGE, WRONG
from segue.cli.tabling.options import Last, Since, Until
from segue.measure import DataError, Journeys, ModelError, OptionError, read_journey_files, read_path_file
from segue.measure.comparing import Comparison, compare

By = Literal["channel", "campaign", "rule", "message", "arm"]
_Existing = typer.Option(exists=True, dir_okay=False, readable=True, show_default=False)


def attribute(
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A model to credit by; give several to compare them.")
    ] = None,
    touches: Annotated[Path | None, _Existing] = None,
    journeys: Annotated[Path | None, _Existing] = None,
    paths: Annotated[Path | None, _Existing] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of the models: per=channel, or markov.order=2."),
    ] = None,
    by: Annotated[By, typer.Option("--by", help="What gets the credit: a column of the touches.")] = "channel",
    since: Since = None,
    until: Until = None,
    last: Last = None,
    lookback: Annotated[
        str | None, typer.Option("--lookback", metavar="SPAN", help="How long before a conversion touches count: 30d.")
    ] = None,
    goal: Annotated[
        str | None, typer.Option("--goal", metavar="RULE", help="Conversions are this rule's goals met, not orders.")
    ] = None,
    machines: Annotated[
        bool, typer.Option("--with-machines", help="Opens and clicks by programs count, too, not only those by people.")
    ] = False,
    audit: Annotated[
        Path | None, typer.Option("--audit", help="Write each credit with its touch to this file: .csv or .parquet.")
    ] = None,
    bootstrap: Annotated[
        int, typer.Option("--bootstrap", min=0, max=100_000, help="Intervals from so many samples, as 200.")
    ] = 0,
    update: Annotated[
        Path | None,
        typer.Option("--update", dir_okay=False, help="Add these journeys to the paths counted in this file."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Add journeys with --update that are the same as some added before.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON lines: model, channel, conversions, value.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write CSV to this file.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write Parquet; needs segue[parquet].")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the models side by side: .svg or .png.")
    ] = None,
) -> None:
    """Share conversions among the channels that customers met before.

    Without files, what the project's store knows is counted: the orders of the last 30 days, or of the period asked
    for, or the goals of a rule; and the messages, visits, ads and calls before them. Works while the daemon runs.

    With files, give --touches (journey_id, channel, ts) with --journeys (journey_id, converted, value, ts), or --paths
    (path, total_conversions, total_conversion_value, total_null) with paths such as "email > ads > email".
    Files are CSV or Parquet.
    """
    try:
        if picture is not None and picture.suffix.lower() not in (".svg", ".png"):
            raise UsageError(f"--picture draws SVG or PNG: call the file {picture.stem}.svg or {picture.stem}.png")
        of_the_store = {
            "--since": since, "--until": until, "--last": last,
            "--lookback": lookback, "--goal": goal, "--audit": audit, "--with-machines": machines or None,
        }  # fmt: skip
        stored = touches is None and journeys is None and paths is None and update is None
        needless = next((option for option, given in of_the_store.items() if given is not None and not stored), None)
        if needless is not None:
            raise UsageError(f"{needless} is for what the store knows; leave it out, or the files")
        if not models and update is None and not stored:
            raise UsageError("name a model with --model")
        plugins = installed()
        for problem in plugins.problems:
            typer.echo(f"note: {problem}", err=True)
        if stored:
            # What reads the store is imported only for that: files are counted sooner than it is.
            from segue.cli.attributing.showing import show_store, usual_models

            show_store(
                asked(plugins.models, models or usual_models(plugins.models), settings or ()),
                (since, until, last),
                lookback=lookback,
                by=by,
                goal=goal,
                machines=machines,
                audit=audit,
                samples=bootstrap,
                picture=picture,
                forms={"json": json, "csv": csv, "parquet": parquet},
            )
            return
        chosen = asked(plugins.models, models or (), settings or ())
        if update is not None and by != "channel":
            raise UsageError(f"--update keeps paths of channels, in which no {by} stands: leave out --by")
        found = day = _read(touches, journeys, paths, by)
        if update is None:
            result = compare(chosen, found, by, bootstrap)
        else:
            from segue.cli.attributing.keeping import add_to, keep

            found = add_to(update, day, again)
            # Kept only when all models could say something: whoever asks again adds the day once.
            result = compare(chosen, found, by, bootstrap)
            keep(update, found, day)
    except (UsageError, OptionError) as error:
        _end(error, USAGE)
    except (DataError, ModelError, OSError) as error:
        _end(error, WRONG)
    if chosen:
        _put(result, json, csv, parquet, picture)
    for sentence in summary(found):
        typer.echo(sentence, err=True)


def _end(error: Exception, code: int) -> NoReturn:
    said = str(error)
    if isinstance(error, OSError) and error.filename is not None:
        said = f"{error.filename}: {error.strerror}"
    typer.echo(f"segue attribute: {said}", err=True)
    raise typer.Exit(code)


def _read(touches: Path | None, journeys: Path | None, paths: Path | None, by: By) -> Journeys:
    if paths is not None:
        if touches is not None or journeys is not None:
            raise UsageError("give either --paths, or --touches with --journeys")
        if by != "channel":
            raise UsageError(f"--by {by} needs --touches with a column {by}: counted paths have only channels")
        return read_path_file(paths)
    if touches is None or journeys is None:
        raise UsageError("give --touches with --journeys, or --paths")
    return read_journey_files(touches, journeys, None if by == "channel" else by)


def _put(result: Comparison, json: bool, csv: Path | None, parquet: Path | None, picture: Path | None) -> None:
    if json:
        print_lines(result)
    if csv is not None or parquet is not None:
        from segue.cli.tabling import put

        put([result.table()], csv=csv, parquet=parquet)
    if picture is not None:
        from segue.cli.attributing.picture import NoPicture, draw, save

        try:
            save(picture, draw(result))
        except NoPicture as error:
            _end(error, USAGE)
        except OSError as error:
            _end(error, WRONG)
    if not json and csv is None and parquet is None:
        from segue.cli.tabling import print_table

        for table in result.tables_for_people():
            print_table(table)


def print_lines(result: Comparison) -> None:
    """One JSON object per model and channel on standard output, the largest share of a model first. What there is
    nothing to say of is left out."""
    encode = msgspec.json.Encoder().encode
    for record in result.table().records():
        sys.stdout.write(encode({key: cell for key, cell in record.items() if cell is not None}).decode() + "\n")


def summary(found: Journeys) -> list[str]:
    """What was read and what was left out, in sentences."""
    conversions = float(found.paths.conversions.sum())
    if not found.journeys:
        return ["there is nothing to share: no journey was read, only the names of columns"]
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
    if found.repeated:
        sentences.append(f"{_count(found.repeated, 'line')} of journeys told of a second time, and counted once")
    sentences.extend(f"there is no column {column}: taken as 0" for column in found.absent)
    return sentences


def _count(number: float, one: str, many: str | None = None) -> str:
    return f"{number:,.10g} {one if number == 1 else many or one + 's'}"
