"""``segue demo``: a simulated shop, its customers, their journeys and messages, live in the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from segue.cli.ending import USAGE, WRONG, fail, open_project, show_diagnostics

if TYPE_CHECKING:
    from segue.cli.demonstration.performance import Wishes

NEEDED: Final = ("console", "segment")
"""What the demo's project uses, of the plugins that come with Segue."""
UNWATCHED: Final = 60.0
"""Wall seconds after which a demo ends by itself whose output is no terminal."""


def demo(
    seconds: Annotated[
        float, typer.Option("--seconds", help="End after so many seconds; 0: at Ctrl-C.", show_default=False)
    ] = 0.0,
    speed: Annotated[
        float, typer.Option("--speed", help="Compressed time: 10800 makes three hours pass in a second.")
    ] = 10800.0,
    pace: Annotated[float, typer.Option("--pace", help="How many people come to the shop in a second.")] = 4.0,
    keep: Annotated[
        Path | None, typer.Option("--keep", help="A folder to make, or to go on with: its rules can be edited.")
    ] = None,
    weeks: Annotated[
        float, typer.Option("--weeks", help="How many weeks a new shop has been open when the demo begins.")
    ] = 6.0,
    seed: Annotated[int, typer.Option("--seed", help="Another number, other customers.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print decisions as JSON lines instead.")] = False,
) -> None:
    """Show Segue at work: a daemon of its own, a simulated shop that sends it events over HTTP, compressed time, and
    a mailbox in a file. Nothing leaves this machine. Where the output is no terminal, it prints lines, and ends after
    a minute."""
    from segue.cli.demonstration.performance import INTERRUPTED, Wishes

    if speed <= 0 or pace <= 0 or seconds < 0 or weeks < 0:
        fail("--speed and --pace must be above 0, and --seconds and --weeks not below", USAGE)
    watched = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    style: Final = "json" if json else "live" if watched else "lines"
    if not seconds and style == "lines":
        seconds = UNWATCHED
    if style == "live":
        print("Opening a shop, and starting Segue for it …", flush=True)
    wishes = Wishes(seconds=seconds, speed=speed, pace=pace, weeks=weeks, seed=seed, style=style, kept=keep is not None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is temporary goes away then, too
    try:
        with _folder(keep) as folder:
            code = _run(folder, wishes)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        fail(f"{error.filename or 'the demo'}: {error.strerror or error}")
    raise typer.Exit(code)


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="segue-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _run(folder: Path, wishes: Wishes) -> int:
    from segue.cli import logs
    from segue.cli.demonstration.performance import perform
    from segue.cli.demonstration.project import LOG, Occupied, make_project
    from segue.cli.service import CannotStart
    from segue.runtime.assembly import check
    from segue.store.database import Store
    from segue.store.errors import StoreError

    try:
        make_project(folder)
    except Occupied as error:
        fail(str(error), USAGE)
    assembly = open_project(folder)
    offered = {*assembly.plugins.channels, *assembly.plugins.sources}
    if missing := [f"segue-{name}" for name in NEEDED if name not in offered]:
        fail(f"the demo takes plugins that are not installed: pip install {' '.join(missing)}", USAGE)
    book = check(assembly)
    if not book.ok:
        show_diagnostics(book)
        fail(f"the rules in {assembly.project.rules} have errors", WRONG)
    with (folder / LOG).open("a", encoding="utf-8") as log:
        logs.configure(level="warning", style="json", stream=log)
        try:
            with contextlib.closing(Store(assembly.project.database)) as store:
                return perform(assembly, store, book, wishes)
        except StoreError as error:
            fail(str(error))
        except CannotStart as error:
            fail(str(error), USAGE)
