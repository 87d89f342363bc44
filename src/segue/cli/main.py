"""The command line: one file per command, gathered here. A command's modules are imported when it runs."""

from __future__ import annotations

import sys

import typer

from segue import __version__
from segue.cli.attribute import attribute
from segue.cli.backup import backup
from segue.cli.bench import bench
from segue.cli.check import check
from segue.cli.demo import demo
from segue.cli.doctor import doctor
from segue.cli.init import init
from segue.cli.new import new
from segue.cli.plugins import plugins
from segue.cli.publish import publish
from segue.cli.record import record
from segue.cli.replay import replay
from segue.cli.restore import release, restore
from segue.cli.run import run
from segue.cli.why import why

app = typer.Typer(
    name="segue",
    help="Customer journeys that people write as text.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    init,
    check,
    run,
    demo,
    publish,
    replay,
    record,
    why,
    attribute,
    plugins,
    doctor,
    backup,
    restore,
    release,
    bench,
):
    app.command()(command)
app.add_typer(new, name="new")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"segue {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version."),
) -> None:
    """Customer journeys that people write as text."""


def main() -> None:
    """The console script. A reader that goes away (``segue replay | head``) is no error."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
