"""The command line: one file per command, gathered here. A command's modules are imported when it is asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command as command_of

from segue import __version__

COMMANDS: Final = (
    "init",
    "check",
    "fmt",
    "explain",
    "graph",
    "test",
    "run",
    "demo",
    "plan",
    "publish",
    "history",
    "replay",
    "record",
    "why",
    "attribute",
    "plugins",
    "doctor",
    "coupons",
    "backup",
    "restore",
    "release",
    "bench",
    "new",
    "lsp",
)
"""The commands in the order in which help shows them; each is a function, or a group,
of its own name in `segue.cli`."""

_ELSEWHERE: Final = {"release": "restore"}


class _Commands(TyperGroup):
    """Finds a command by importing its module, so that ``segue --version`` need not wait for a web server's imports."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"segue.cli.{_ELSEWHERE.get(cmd_name, cmd_name)}")
        found = getattr(module, cmd_name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            single.command(cmd_name)(found)
            found = single
        command = command_of(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, no_args_is_help=True
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"segue {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Customer journeys that people write as text."""


def main() -> None:
    """The console script. A reader that goes away (``segue replay | head``) is no error."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
