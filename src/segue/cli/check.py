"""``segue check``: what is wrong in rule files, where, why, and what to do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from segue.cli.ending import USAGE, WRONG, counted, fail, nearest_project, open_project, show_diagnostics
from segue.runtime.assembly import check as check_book

Style = Literal["full", "concise", "json"]


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Rule files or folders; the project's rules by default.")
    ] = None,
    style: Annotated[str, typer.Option("--format", help="full, concise or json.")] = "full",
    json: Annotated[bool, typer.Option("--json", help="The same as --format json: one diagnostic a line.")] = False,
) -> None:
    """Check rule files. Exits with 0 when they can be published (there may be warnings), 1 when not,
    2 on wrong usage."""
    if style not in ("full", "concise", "json"):
        fail(f"--format {style}: there are full, concise and json", USAGE)
    for path in paths or ():
        if not path.exists():
            fail(f"{path}: there is no such file or folder", USAGE)
    assembly = open_project(nearest_project(paths[0]) if paths else Path.cwd())
    found = check_book(assembly, paths or None)
    chosen = "json" if json else style
    show_diagnostics(found, chosen)
    for problem in assembly.problems:
        print(f"segue: {problem}", file=sys.stderr)
    if not found.checked.trees and not found.diagnostics:
        fail(f"no *.rules files under {', '.join(map(str, paths or [assembly.project.rules]))}", USAGE)
    if chosen != "json":
        _summarise(len(found.checked.trees), len(found.checked.book.rules), found.diagnostics)
    if not found.ok:
        raise typer.Exit(WRONG)


def _summarise(files: int, rules: int, diagnostics: tuple[object, ...]) -> None:
    errors = sum(1 for one in diagnostics if getattr(one, "is_error", False))
    warnings = len(diagnostics) - errors
    parts = [counted(rules, "rule"), counted(files, "file")]
    found = [counted(errors, "error")] if errors else []
    found += [counted(warnings, "warning")] if warnings else []
    print(f"{parts[0]} in {parts[1]}: {', '.join(found) or 'all good'}", file=sys.stderr)
