"""``segue bench``: this machine with Segue, with the bare database, and with a scheduler's job for each wait."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from segue.cli.benchmarks.figures import QUICK, WHOLE, Figure
from segue.cli.ending import USAGE, fail, print_json

WHY = (
    "Most of the gap to one job for each wait is group commit: Segue writes whatever is there, up to a thousand "
    "events or waits, in one transaction, and they share the disk's sync, which a job of its own pays alone."
)


def bench(
    what: Annotated[
        Literal["engine", "segments", "sending", "attribution", "reports"],
        typer.Argument(
            help="What to measure: the engine, segments of many customers, sending, attribution, or reports."
        ),
    ] = "engine",
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the work: under a minute.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where the databases go: on the disk that will be used.", show_default=False),
    ] = None,
    customers: Annotated[
        int | None,
        typer.Option(
            "--customers",
            min=1000,
            help="How many customers: of segments, by default 1000000; of reports, 500000.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measure the engine and the store on this machine, as durable as in `segue run`: a kill loses nothing it took.

    The rule is `when cart_abandoned wait 1d unless ordered send email then sms`; half of the customers order in time.
    Beside each figure stands what the same Python and SQLite reach here without an engine, and what APScheduler
    reaches with one job for each wait. Databases are temporary; with --folder they lie there meanwhile.

    `segue bench segments` fills a store with a million customers of twenty events each and fifty segments, and measures
    how long it takes to find who is in which; what an event costs with a hundredth of them, a tenth, and all; and how
    fast customers come and go by nothing happening. It takes about half an hour, and 6 GB of disk.

    `segue bench sending` hands messages to a mail server that throws them away (Postfix's smtp-sink) and to a gateway
    over HTTP that takes everything, and says where the time goes.

    `segue bench attribution` credits a million journeys from Parquet, counted and by their touches, beside a bare scan
    of the files.

    `segue bench reports` makes half a million customers and five million messages of the demo's shop, and measures the
    commands that read it all. It takes about a quarter of an hour, and 12 GB of disk.
    """
    if folder is not None and not folder.is_dir():
        fail(f"--folder {folder}: there is no such folder", USAGE)
    # The engine, the database and the web server load here, so that other commands don't wait for them.
    from segue.cli import logs

    logs.configure(level="error", style="auto")
    if what == "segments":
        from segue.cli.benchmarks.segments import QUICK as FEW
        from segue.cli.benchmarks.segments import WHOLE as MANY
        from segue.cli.benchmarks.segments import measure_segments
        from segue.cli.benchmarks.segments_shown import show

        show(measure_segments(customers or (FEW if quick else MANY), _tell, folder), json=json)
        return
    if what == "attribution":
        from segue.cli.benchmarks import attribution
        from segue.cli.tabling import put

        paths = attribution.QUICK if quick else attribution.WHOLE
        put([attribution.measure_attribution(paths, _tell, folder)], json=json)
        return
    if what == "reports":
        from segue.cli.benchmarks import reports
        from segue.cli.tabling import put

        many = customers or (reports.QUICK if quick else reports.WHOLE)
        put([reports.measure_reports(many, _tell, folder)], json=json)
        return
    if what == "sending":
        _sending(quick=quick, folder=folder, json=json)
        return
    from segue.cli.benchmarks.compared import measure
    from segue.runtime import process

    process.settle()
    with _Progress() as tell:
        result = measure(QUICK if quick else WHOLE, tell, folder)
    if json:
        for one in result.figures:
            print_json(one.line())
        for note in result.notes:
            print_json({"note": note})
        return
    _print_table(result.figures)
    for note in result.notes:
        print(f"note: {note}")


def _sending(*, quick: bool, folder: Path | None, json: bool) -> None:
    from segue.cli.benchmarks.sending import QUICK as FEW
    from segue.cli.benchmarks.sending import WHOLE as MANY
    from segue.cli.benchmarks.sending import NoSink
    from segue.cli.benchmarks.sending import measure as measure_sending
    from segue.cli.benchmarks.sending_shown import show
    from segue.runtime import process

    process.settle()
    try:
        show(measure_sending(("smtp", "http"), FEW if quick else MANY, _tell, folder), json=json)
    except NoSink as error:
        fail(str(error), USAGE)


def _tell(what: str) -> None:
    """Without a line that turns: processes are forked meanwhile, and a thread would not come along."""
    print(f"measuring {what}", file=sys.stderr, flush=True)


class _Progress:
    """A line on standard error for each measurement; on a terminal one line that turns."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status: Any = None

    def __enter__(self) -> _Progress:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, what: str) -> None:
        if self._status is not None:
            self._status.update(what)
        else:
            print(f"measuring {what}", file=sys.stderr, flush=True)


def _print_table(figures: Sequence[Figure]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from segue.store.database import library_version

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for heading in ("Segue", "bare loop", "of it", "APScheduler", "times it", "mark"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in figures:
        share, times = one.to_bare(), one.to_scheduler()
        table.add_row(
            one.title,
            f"[{_STYLES[one.reached]}]{_shown(one.segue, one.unit)}[/]{_median(one)}",
            _shown(one.bare, one.unit),
            "" if share is None else f"{share:.0%}",
            _shown(one.scheduler, one.unit),
            "" if times is None else f"{times:,.0f}",
            one.reached,
        )
    console = Console()
    console.print(table)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    console.print(f"{system}; Python {platform.python_version()}, SQLite {library_version()}, WAL, synchronous=FULL\n")
    console.print(WHY)


_STYLES = {"aim": "bold green", "good": "green", "": "bold"}


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.1f} s" if unit == "s" else f"{value:,.0f}/s" if unit == "1/s" else f"{value:,.0f} {unit}"


def _median(one: Figure) -> str:
    return "" if one.median is None else f" ({one.median:,.0f})"
