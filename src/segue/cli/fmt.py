"""``segue fmt``: rule files in the one layout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from segue.cli.ending import USAGE, WRONG, counted, fail, fail_without_rules, print_diagnostics, print_json
from segue.cli.fixing import FileChanged, difference, write
from segue.diagnostics import Diagnostic
from segue.host import ProjectError, load_project
from segue.language.book import Source
from segue.language.formatting import Formatted, format_text
from segue.language.reading import read_book, source_of

STANDARD_INPUT: Final = "-"


class _Asked(msgspec.Struct, frozen=True):
    """What to do with a file that is not formatted: by default, write it."""

    check: bool
    diff: bool
    json: bool

    @property
    def writes(self) -> bool:
        return not self.check and not self.diff


def fmt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Rule files or folders; the project's rules by default. - reads standard input."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 when a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
    json: Annotated[bool, typer.Option("--json", help="A line for each file.")] = False,
) -> None:
    """Lay rule files out in the one style. Meaning and comments stay, and every run makes sure of it. A file with a
    mistake in its grammar is left as it is. Exits with 1 when there is one, or, with --check and --diff, when a file
    would change."""
    asked = _Asked(check, diff, json)
    if paths and STANDARD_INPUT in map(str, paths):
        _standard_input(paths, asked)
        return
    for path in paths or ():
        if not path.exists():
            fail(f"{path}: there is no such file or folder", USAGE)
    places = paths or [_rules_here()]
    sources, unreadable = read_book(places)
    if not sources and not unreadable:
        fail_without_rules(places)
    _show(unreadable, {}, asked)
    changed, alone = 0, len(unreadable)
    for source in sources:
        result = format_text(source.path, source.text)
        refused = bool(result.diagnostics)
        if result.diagnostics:
            _show(result.diagnostics, {source.path: source.text}, asked)
        elif result.changed and asked.writes:
            refused = not _write(source, _after(source, result))
        alone += refused
        changed += result.changed and not refused
        _tell(source, result, asked, refused=refused)
    if not json:
        _summarise(len(sources) + len(unreadable), changed, alone, asked)
    if alone or (changed and not asked.writes):
        raise typer.Exit(WRONG)


def _rules_here() -> Path:
    """Where the rules of the project in this folder lie, as the user would write it."""
    try:
        rules = load_project(Path.cwd()).rules
    except ProjectError as error:
        fail(str(error), USAGE)
    return rules.relative_to(Path.cwd()) if rules.is_relative_to(Path.cwd()) else rules


def _standard_input(paths: list[Path], asked: _Asked) -> None:
    """From standard input to standard output. What cannot be formatted comes out as it went in, so that an editor that
    pipes its text through loses nothing."""
    if len(paths) > 1 or asked.json:
        fail("- reads standard input: it stands alone, and goes without --json", USAGE)
    if sys.stdin is None:  # Python's own way to say that it is closed
        fail("there is no standard input to read", USAGE)
    data = sys.stdin.buffer.read()
    source = source_of("standard input", data)
    if isinstance(source, Diagnostic):
        print_diagnostics((source,), {}, "full")
        if asked.writes:
            sys.stdout.buffer.write(data)
        raise typer.Exit(WRONG)
    result = format_text(source.path, source.text)
    print_diagnostics(result.diagnostics, {source.path: source.text}, "full")
    if asked.writes:
        sys.stdout.buffer.write(result.text.encode())
        sys.stdout.buffer.flush()
    elif asked.diff:
        sys.stdout.write(difference(source, _after(source, result), colour=sys.stdout.isatty()))
    if result.diagnostics or (result.changed and not asked.writes):
        raise typer.Exit(WRONG)


def _show(diagnostics: tuple[Diagnostic, ...], texts: dict[str, str], asked: _Asked) -> None:
    print_diagnostics(diagnostics, texts, "json" if asked.json else "full")


def _tell(source: Source, result: Formatted, asked: _Asked, *, refused: bool) -> None:
    """What became of one file."""
    if asked.json:
        shown = difference(source, _after(source, result)) if asked.diff and result.changed else None
        written = result.changed and asked.writes and not refused
        print_json({"file": source.path, "changed": result.changed, "written": written, "diff": shown})
    elif result.changed and asked.diff:
        sys.stdout.write(difference(source, _after(source, result), colour=sys.stdout.isatty()))
    elif result.changed and not refused:
        print(source.path)


def _after(source: Source, result: Formatted) -> Source:
    return Source(source.path, result.text)


def _summarise(files: int, changed: int, alone: int, asked: _Asked) -> None:
    parts = [f"{changed:,} {'formatted' if asked.writes else 'would change'}"] if changed else []
    parts += [f"{alone:,} left alone"] if alone else []
    print(f"{counted(files, 'file')}: {', '.join(parts) or 'all good'}", file=sys.stderr)


def _write(before: Source, after: Source) -> bool:
    """Write the file; False where that cannot be."""
    try:
        write(before, after)
    except FileChanged:
        print(f"segue: {before.path} was changed meanwhile; it stays as it is", file=sys.stderr)
        return False
    except OSError as error:
        print(f"segue: {before.path}: {error.strerror or error}; it stays as it was", file=sys.stderr)
        return False
    return True
