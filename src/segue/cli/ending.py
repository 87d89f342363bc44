"""How commands end: 0 clean, 1 the thing asked about is wrong, 2 wrong usage. Errors go to standard error, in words."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import typer

from segue.diagnostics import Diagnostic, render_concise, render_full, render_json
from segue.host import ConfigurationError, ProjectError
from segue.language.nearest import nearest
from segue.program.program import Program, compile_rule
from segue.runtime.assembly import Assembly, CheckedBook, assemble, check

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


def open_project(folder: Path) -> Assembly:
    """The project in a folder; ends the command where its segue.toml is wrong."""
    try:
        return assemble(folder)
    except (ProjectError, ConfigurationError) as error:
        fail(str(error), USAGE)


def find_rule(assembly: Assembly, name: str) -> Program:
    """A rule of the project's files, compiled; ends the command where it is not there or has errors in it."""
    found = check(assembly, content=False)
    for rule in found.checked.book.rules:
        if rule.name == name:
            return compile_rule(rule, {segment.name: segment for segment in found.checked.book.segments})
    errors = tuple(one for one in found.diagnostics if one.is_error)
    print_diagnostics(errors, found.checked.texts, "full")
    known = [rule.name for rule in found.checked.book.rules]
    near = nearest(name, known)
    hint = f"; did you mean {near}?" if near else f"; the rules are {', '.join(known)}" if known else ""
    fail(f"there is no rule {name} without errors{hint}" if errors else f"there is no rule {name}{hint}", USAGE)


def nearest_project(path: Path) -> Path:
    """The folder whose segue.toml a path belongs to: the nearest above it that has one, else the folder itself."""
    start = path.resolve()
    start = start if start.is_dir() else start.parent
    for folder in (start, *start.parents):
        if (folder / "segue.toml").is_file():
            return folder
    return start


def show_diagnostics(found: CheckedBook, style: str = "full") -> None:
    """Print what a check found: ``full`` and ``concise`` for people, on standard error; ``json`` on standard output."""
    print_diagnostics(found.diagnostics, found.checked.texts, style)


def print_diagnostics(diagnostics: tuple[Diagnostic, ...], texts: dict[str, str], style: str) -> None:
    """Print diagnostics in one of the styles."""
    if style == "json":
        sys.stdout.write(render_json(diagnostics))
    elif style == "concise":
        sys.stderr.write(render_concise(diagnostics))
    elif diagnostics:
        sys.stderr.write(render_full(diagnostics, texts, colour=sys.stderr.isatty()))
