"""The exit codes of commands, and what they say on their way out. Imports nothing that runs rules, so that a command
which only counts files starts at once."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import typer

WRONG = 1
USAGE = 2


def fail(text: str, code: int = WRONG) -> NoReturn:
    """Say what is wrong, and end."""
    for line in text.splitlines() or [""]:
        print(f"segue: {line}", file=sys.stderr)
    raise typer.Exit(code)


def print_json(record: dict[str, Any]) -> None:
    """One line of ``--json``."""
    print(json.dumps(record, ensure_ascii=False, separators=(",", ":")))


def counted(number: int, one: str) -> str:
    """``1 rule``, ``2 rules``."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
