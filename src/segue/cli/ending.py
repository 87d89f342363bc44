"""How commands end: 0 clean, 1 the thing asked about is wrong, 2 wrong usage. Errors go to standard error, in words."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NoReturn

from segue.cli.leaving import USAGE, WRONG, counted, fail, print_json
from segue.diagnostics import (
    Diagnostic,
    render_concise,
    render_full,
    render_github,
    render_json,
    render_sarif,
)
from segue.host import ConfigurationError, ProjectError
from segue.host.project import nearest_project
from segue.language.nearest import nearest
from segue.program.program import Program, compile_rule
from segue.runtime.assembly import Assembly, CheckedBook, assemble, check

__all__ = [
    "USAGE",
    "WRONG",
    "Style",
    "counted",
    "fail",
    "fail_without_rules",
    "find_rule",
    "nearest_project",
    "open_project",
    "print_diagnostics",
    "print_json",
    "show_diagnostics",
]


def fail_without_rules(places: Iterable[Path]) -> NoReturn:
    """Say that there is nothing to work on, and how to begin."""
    fail(f"no *.rules files under {', '.join(map(str, places))}; `segue init` makes a first one", USAGE)


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
