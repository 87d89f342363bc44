"""``segue check``: what is wrong in rule files, where, why, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer

from segue.cli.bounds import MANY, bounds_records, bounds_table
from segue.cli.ending import (
    USAGE,
    WRONG,
    Style,
    counted,
    fail,
    fail_without_rules,
    nearest_project,
    open_project,
    print_json,
    show_diagnostics,
)
from segue.cli.fixing import FileChanged, changed, difference, write
from segue.diagnostics import Diagnostic
from segue.language import model as m
from segue.runtime.assembly import CheckedBook, MendedBook, mend
from segue.runtime.assembly import check as check_book
from segue.runtime.unknown_events import unknown_events


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Rule files or folders; the project's rules by default.")
    ] = None,
    style: Annotated[str, typer.Option("--format", help="full, concise, json, github or sarif.")] = "full",
    fix: Annotated[bool, typer.Option("--fix", help="Make the fixes that are beyond doubt, in the files.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="With --fix: show what it would change, and write nothing.")
    ] = False,
    bounds: Annotated[
        bool,
        typer.Option("--bounds", help="The most messages and the longest journey of each rule, however many."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json: one diagnostic a line.")] = False,
) -> None:
    """Check rule files. Exits with 0 when they can be published (there may be warnings), 1 when not,
    2 on wrong usage."""
    styles = get_args(Style)
    if style not in styles:
        fail(f"--format {style}: there are {', '.join(styles[:-1])} and {styles[-1]}", USAGE)
    if diff and not fix:
        fail("--diff shows what --fix would change: give both", USAGE)
    for path in paths or ():
        if not path.exists():
            fail(f"{path}: there is no such file or folder", USAGE)
    assembly = open_project(nearest_project(paths[0]) if paths else Path.cwd())
    chosen = "json" if json else style
    pending = 0
    if fix:
        mended = mend(assembly, paths or None)
        found = mended.book
        pending = _show_difference(mended, chosen) if diff else _write(mended, chosen)
    else:
        found = check_book(assembly, paths or None)
    show_diagnostics(found, chosen)
    for problem in assembly.problems:
        print(f"segue: {problem}", file=sys.stderr)
    if not paths and found.ok:  # only the whole book says which events there are
        for unknown in unknown_events(assembly, found.checked.book):
            print(f"segue: {unknown}", file=sys.stderr)
    if not found.checked.trees and not found.diagnostics:
        fail_without_rules(paths or [assembly.project.rules])
    if bounds or _bounds_are_short(found, chosen):
        _show_bounds(found.checked.book, chosen)
    if chosen in ("full", "concise"):
        _summarise(found, offer=not fix)
    if pending or not found.ok:
        raise typer.Exit(WRONG)


def _bounds_are_short(found: CheckedBook, style: str) -> bool:
    return style == "full" and found.ok and len(found.checked.book.rules) <= MANY


def _show_bounds(book: m.Book, style: str) -> None:
    if style in ("full", "concise"):
        sys.stdout.write(bounds_table(book))
        # Before what follows on standard error, also into a pipe.
        sys.stdout.flush()
    elif style == "json":
        for record in bounds_records(book):
            print_json(record)


def _write(mended: MendedBook, style: str) -> int:
    """Write the files, and say what was fixed. Gives how many could not be written."""
    failed = 0
    for before, after in changed(mended):
        try:
            write(before, after)
        except FileChanged:
            print(f"segue: {before.path} was changed meanwhile, and is left as it is; check again", file=sys.stderr)
            failed += 1
        except OSError as error:
            print(f"segue: {before.path} cannot be written: {error.strerror or error}", file=sys.stderr)
            failed += 1
    if not failed:
        _tell(mended, "fixed", style)
    return failed


def _show_difference(mended: MendedBook, style: str) -> int:
    """Print what would change. Gives the number of files that would."""
    pairs = changed(mended)
    if style in ("full", "concise"):
        for before, after in pairs:
            sys.stdout.write(difference(before, after, colour=sys.stdout.isatty()))
    _tell(mended, "can be fixed", style)
    return len(pairs)


def _tell(mended: MendedBook, done: str, style: str) -> None:
    """Say what was fixed: a line for each as JSON, else how many."""
    if style == "json":
        for one in mended.fixed:
            assert one.primary is not None
            assert one.fix is not None
            place = {"file": one.primary.file, "line": one.primary.line, "column": one.primary.column}
            print_json({"fixed": one.code, **place, "message": one.message, "fix": one.fix.title})
        return
    if mended.fixed:
        files = len({one.primary.file for one in mended.fixed if one.primary})
        print(f"{len(mended.fixed):,} {done} in {counted(files, 'file')}", file=sys.stderr)


def _summarise(found: CheckedBook, *, offer: bool) -> None:
    diagnostics: Sequence[Diagnostic] = found.diagnostics
    errors = sum(1 for one in diagnostics if one.is_error)
    warnings = len(diagnostics) - errors
    read = {tree.path for tree in found.checked.trees}
    unread = {one.primary.file for one in diagnostics if one.primary and one.code == "E0107"} - read
    files, rules = counted(len(read | unread), "file"), counted(len(found.checked.book.rules), "rule")
    parts = [counted(errors, "error")] if errors else []
    parts += [counted(warnings, "warning")] if warnings else []
    if errors:
        print(f"{', '.join(parts)} in {files}; {rules} without errors", file=sys.stderr)
    else:
        print(f"{rules} in {files}: {', '.join(parts) or 'all good'}", file=sys.stderr)
    fixable = sum(1 for one in diagnostics if one.fix is not None and one.fix.safe)
    if offer and fixable:
        print(f"{fixable:,} can be fixed by `segue check --fix`", file=sys.stderr)
    if diagnostics:
        print(f"`segue explain {diagnostics[0].code}` says more about a code", file=sys.stderr)
