"""The command line: one file per command, gathered here. A command's modules are imported when it is asked for."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import sys
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command as command_of

from segue import __version__

COMMANDS: Final = (
    "init",
    "check",
    "preview",
    "send",
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
    "import",
    "why",
    "segment",
    "customer",
    "suppress",
    "pause",
    "resume",
    "privacy",
    "funnel",
    "experiment",
    "report",
    "attribute",
    "spend",
    "plugins",
    "doctor",
    "rejected",
    "dead-letters",
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

_ELSEWHERE: Final = {"release": "restore", "import": "import_", "dead-letters": "dead_letters"}
"""Commands that stand in a module of another name."""
_NAMED: Final = {"import": "import_", "dead-letters": "dead_letters"}
"""Commands whose name no function can have in Python: theirs have another."""


class _Commands(TyperGroup):
    """Finds a command by importing its module, so that ``segue --version`` need not wait for a web server's imports."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"segue.cli.{_ELSEWHERE.get(cmd_name, cmd_name)}")
        found = getattr(module, _NAMED.get(cmd_name, cmd_name))
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
    # A command makes one large tree and ends: by Python's own thresholds the collector walks through it over and over.
    gc.set_threshold(50_000, 20, 50)
    _write_any_character()
    try:
        try:
            app()
        finally:
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
    except BrokenPipeError:
        _end_quietly(0)
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            raise
        print(f"segue: the output cannot be written: {error.strerror}", file=sys.stderr)
        _end_quietly(1)


_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _write_any_character() -> None:
    """Files and pipes get UTF-8, whatever the locale; a terminal of another encoding gets what it can show."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def _end_quietly(code: int) -> NoReturn:
    """End without Python's own last attempt to write what is still held back."""
    sys.stdout = sys.stderr = None
    raise SystemExit(code) from None


if __name__ == "__main__":
    main()
