"""How commands end: 0 clean, 1 the thing asked about is wrong, 2 wrong usage. Errors go to standard error, in words."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NoReturn

import typer

from segue.diagnostics import (
    Diagnostic,
    render_concise,
    render_full,
    render_github,
    render_json,
    render_sarif,
)
from segue.host import ConfigurationError, ProjectError
from segue.host.project import nearest_project as nearest_project  # noqa: PLC0414  # commands take it from here
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


def fail_without_rules(places: Iterable[Path]) -> NoReturn:
    """Say that there is nothing to work on, and how to begin."""
    fail(f"no *.rules files under {', '.join(map(str, places))}; `segue init` makes a first one", USAGE)


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


Style = Literal["full", "concise", "json", "github", "sarif"]
"""How diagnostics are printed: the first two for people, on standard error; the others for programs, on standard
output."""


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


def show_diagnostics(found: CheckedBook, style: str = "full") -> None:
    """Print what a check found, in one of the styles."""
    print_diagnostics(found.diagnostics, {**found.texts, **found.checked.texts}, style)


def print_diagnostics(diagnostics: tuple[Diagnostic, ...], texts: dict[str, str], style: str) -> None:
    """Print diagnostics in one of the styles."""
    match style:
        case "json":
            sys.stdout.write(render_json(diagnostics))
        case "github":
            sys.stdout.write(render_github(diagnostics, texts, folder=str(Path.cwd())))
        case "sarif":
            sys.stdout.write(render_sarif(diagnostics, texts, folder=str(Path.cwd())))
        case "concise":
            sys.stderr.write(render_concise(diagnostics))
        case _:
            if diagnostics:
                terminal = sys.stderr.isatty()
                columns = min(shutil.get_terminal_size().columns, 120) if terminal else 100
                shown = render_full(diagnostics, texts, colour=terminal, columns=columns)
                sys.stderr.write(f"{shown}\n")
