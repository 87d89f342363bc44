"""``segue test``: the tests that stand beside the rules, on a virtual clock."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from segue.cli.ending import (
    USAGE,
    WRONG,
    counted,
    fail,
    fail_without_rules,
    nearest_project,
    open_project,
    print_diagnostics,
    print_json,
)
from segue.cli.fixing import FileChanged, write
from segue.cli.verdicts import coverage as coverage_table
from segue.cli.verdicts.junit import junit as junit_report
from segue.cli.verdicts.records import coverage_record, test_record
from segue.cli.verdicts.timelines import failure, marks
from segue.diagnostics.render.printable import printable
from segue.language import model as m
from segue.language.book import Source
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.assembly import check as check_book
from segue.scenario.coverage import Covered, measure
from segue.scenario.trials import Outcome, Trials
from segue.scenario.updating import rewritten

_LOOK_AGAIN: Final = 0.3
"""Seconds between two looks at the files while watching."""


class Wanted(msgspec.Struct, frozen=True):
    """What was asked for on the command line."""

    paths: tuple[Path, ...]
    title: str
    json: bool
    junit: Path | None
    update: bool
    coverage: bool


class Ran(msgspec.Struct, frozen=True):
    """One test that was carried out, and the seconds that it took."""

    outcome: Outcome
    seconds: float


def test(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders whose tests to run; the project's by default.")
    ] = None,
    title: Annotated[str, typer.Option("-k", "--title", help="Only tests with this in their title.")] = "",
    update: Annotated[
        bool, typer.Option("--update", help="Rewrite the expectations of failing tests to what happens.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes, until Ctrl-C.")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="Show which steps and ways the tests took.")] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a report for CI, as JUnit's XML.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One test a line, as JSON.")] = False,
) -> None:
    """Run the tests of rules, on a virtual clock.

    Exits with 0 when all hold, 1 when one does not or when the rules have errors, 2 on wrong usage.
    """
    for path in paths or ():
        if not path.exists():
            fail(f"{path}: there is no such file or folder", USAGE)
    if watch and json:
        fail("--watch shows results to people: leave out --json", USAGE)
    wanted = Wanted(tuple(paths or ()), title, json, junit, update, coverage)
    if watch:
        _watch(wanted)
    elif not _run(wanted):
        raise typer.Exit(WRONG)


def _run(wanted: Wanted) -> bool:
    """Run and show. Whether all is well."""
    assembly = open_project(nearest_project(wanted.paths[0]) if wanted.paths else Path.cwd())
    found = _check(assembly, wanted.paths)
    if not found.checked.trees and not found.diagnostics:
        fail_without_rules(wanted.paths or (assembly.project.rules,))
    ran = _carry_out(assembly, found, wanted)
    if wanted.update and (changed := _update(found, [one.outcome for one in ran])):
        print(f"segue: rewrote expectations in {', '.join(changed)}", file=sys.stderr)
        found = _check(assembly, wanted.paths)
        ran = _carry_out(assembly, found, wanted)
    errors = tuple(one for one in found.diagnostics if one.is_error)
    if not wanted.json:
        print_diagnostics(errors, found.checked.texts, "full")
    if wanted.title and not ran:
        fail(f'no test has "{wanted.title}" in its title', USAGE)
    covered = measure(_rules(found, wanted.paths), [one.outcome for one in ran]) if wanted.coverage else ()
    if wanted.json:
        for one in ran:
            print_json(test_record(one.outcome, one.seconds))
        for each in covered:
            print_json(coverage_record(each))
        print_diagnostics(errors, found.checked.texts, "concise")
    else:
        _show(ran, covered, len(errors))
    if wanted.junit is not None:
        _write(wanted.junit, ran)
    return not errors and all(one.outcome.passed for one in ran)


def _check(assembly: Assembly, paths: Sequence[Path]) -> CheckedBook:
    """The whole book: a test may stand in another file than its rule."""
    rules = assembly.project.rules
    if all(path.resolve().is_relative_to(rules) for path in paths):
        return check_book(assembly, None, content=False)
    return check_book(assembly, [path if path.is_dir() else path.parent for path in paths], content=False)


def _is_asked(file: str, paths: Sequence[Path]) -> bool:
    place = Path(file).resolve()
    return not paths or any(place.is_relative_to(path.resolve()) for path in paths)


def _rules(found: CheckedBook, paths: Sequence[Path]) -> list[m.Rule]:
    """The rules whose coverage is asked for: those in the files named, and those that tests there are about."""
    tested = {test.rule for test in found.checked.book.tests if _is_asked(test.file, paths)}
    return [rule for rule in found.checked.book.rules if rule.name in tested or _is_asked(rule.file, paths)]


def _carry_out(assembly: Assembly, found: CheckedBook, wanted: Wanted) -> list[Ran]:
    trials = Trials(found.checked.book, assembly.setting, found.content)
    ran = []
    for one in found.checked.book.tests:
        if _is_asked(one.file, wanted.paths) and wanted.title.casefold() in one.title.casefold():
            began = time.perf_counter()
            outcome = trials.run(one)
            ran.append(Ran(outcome, time.perf_counter() - began))
    return ran


def _update(found: CheckedBook, outcomes: Sequence[Outcome]) -> list[str]:
    """Rewrite what failed. Gives the files that it was rewritten in."""
    changed = []
    for path, text in rewritten(found.checked.trees, outcomes).items():
        try:
            write(Source(path, found.checked.texts[path]), Source(path, text))
        except FileChanged:
            print(f"segue: {path} was changed meanwhile: nothing was rewritten in it", file=sys.stderr)
        except OSError as error:
            fail(f"{path}: {error.strerror or error}")
        else:
            changed.append(path)
    return changed


def _by_file(ran: Sequence[Ran]) -> dict[str, list[Ran]]:
    files: dict[str, list[Ran]] = {}
    for one in ran:
        files.setdefault(one.outcome.test.file, []).append(one)
    return files


def _write(target: Path, ran: Sequence[Ran]) -> None:
    report = junit_report({file: [(one.outcome, one.seconds) for one in each] for file, each in _by_file(ran).items()})
    try:
        target.write_bytes(report)
    except OSError as error:
        fail(f"{target}: {error.strerror or error}", USAGE)


def _show(ran: Sequence[Ran], covered: Sequence[Covered], errors: int) -> None:
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
    for file, each in _by_file(ran).items():
        console.print(Text.assemble(f"{printable(file)}  ", marks([one.outcome for one in each])))
    failed = [one.outcome for one in ran if not one.outcome.passed]
    if ran:
        console.print()
    for outcome in failed:
        console.print(failure(outcome), crop=False)
    if covered:
        console.print(coverage_table.table(covered), crop=False)
        console.print()
    console.print(_summary(ran, len(failed), errors))


def _summary(ran: Sequence[Ran], failed: int, errors: int) -> Text:
    seconds = sum(one.seconds for one in ran)
    if not ran:
        text = Text("no tests")
    elif failed:
        text = Text(f"{counted(len(ran), 'test')}: {len(ran) - failed:,} passed, {failed:,} failed", style="bold red")
    else:
        text = Text(f"{counted(len(ran), 'test')}: all passed", style="bold green")
    if ran:
        text.append(f" in {seconds:.2f} s", style="dim")
    if errors:
        text.append(f"; {counted(errors, 'error')} in the rules", style="bold red")
    return text


def _watch(wanted: Wanted) -> None:
    """Run, and again after every change, until interrupted."""
    console = Console(highlight=False)
    root = nearest_project(wanted.paths[0]) if wanted.paths else Path.cwd()
    try:
        for _ in _changes(root):
            console.clear()
            with contextlib.suppress(typer.Exit):  # told already: the next change may mend it
                _run(wanted)
            console.print(Text("watching for changes; Ctrl-C ends", style="dim"))
    except KeyboardInterrupt:
        console.print()


def _changes(root: Path) -> Iterator[None]:
    """Gives a turn at once, and one after each change of a file of the project."""
    before: dict[Path, tuple[int, int]] | None = None
    while True:
        now = _signature(root)
        if now != before:
            before = now
            yield
        time.sleep(_LOOK_AGAIN)


def _signature(root: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in (root / "segue.toml", *root.rglob("*.rules"), *root.rglob("messages/*/*")):
        try:
            state = path.stat()
        except OSError:
            continue
        found[path] = (state.st_mtime_ns, state.st_size)
    return found
