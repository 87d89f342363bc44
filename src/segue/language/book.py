"""A rule book: all rule files of a folder, read and checked together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from segue.diagnostics import Diagnostic, Label, Lines, Span, in_order
from segue.language import model
from segue.language import tree as t
from segue.language.keywords import is_reserved
from segue.language.parser import parse
from segue.language.report import Report
from segue.language.rules import check_rule, name_of
from segue.language.vocabulary import Lexicon, Words

LARGEST = 16_000_000
"""The largest rule file that is read, in bytes."""


class Source(msgspec.Struct, frozen=True):
    """The text of a rule file, and the path by which diagnostics call it."""

    path: str
    text: str


class Checked(msgspec.Struct, frozen=True):
    """A book after its check. ``book`` holds the rules without errors; ``diagnostics`` say what is wrong with the
    others, in the order of files and places; ``trees`` are the files, in the order given."""

    book: model.Book
    diagnostics: tuple[Diagnostic, ...]
    trees: tuple[t.File, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; there may be warnings."""
        return not any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def texts(self) -> dict[str, str]:
        """The files' texts by path, for `segue.diagnostics.render_full`."""
        return {tree.path: tree.text for tree in self.trees}


def read_book(paths: Sequence[Path]) -> tuple[tuple[Source, ...], tuple[Diagnostic, ...]]:
    """The `*.rules` files under folders, and files named themselves: each once, sorted by path.

    A file that cannot be read, or is not UTF-8, is told in a diagnostic and left out. Never raises for what is on
    the disk.
    """
    found: dict[Path, None] = {}
    problems: list[Diagnostic] = []
    for path in paths:
        if path.is_dir():
            found |= dict.fromkeys(sorted(file for file in path.rglob("*.rules") if not file.is_dir()))
        else:
            found[path] = None
    sources: list[Source] = []
    for file in sorted(found):
        source = _read_file(file)
        if isinstance(source, Source):
            sources.append(source)
        else:
            problems.append(source)
    return tuple(sources), tuple(problems)


def check_book(sources: Sequence[Source], words: Words) -> Checked:
    """Parse and check files as one book. Never raises for what stands in them."""
    found: list[Diagnostic] = []
    trees: list[t.File] = []
    reports: list[Report] = []
    for source in sources:
        tree, problems = parse(source.path, source.text)
        trees.append(tree)
        found += problems
        reports.append(Report(Lines(source.path, source.text)))
    lexicon = Lexicon(words)
    files = list(zip(trees, reports, strict=True))
    for tree, report in files:
        _declare(tree, report, lexicon)
    rules = _check_rules(files, lexicon)
    _refuse_rest(files)
    found += lexicon.found
    for report in reports:
        found += report.found
    diagnostics = in_order(found)
    good = _without_errors(rules, diagnostics)
    return Checked(model.Book(good, lexicon.events(), lexicon.traits(), lexicon.currency), diagnostics, tuple(trees))


def _read_file(file: Path) -> Source | Diagnostic:
    path = str(file)
    try:
        data = file.read_bytes() if file.stat().st_size <= LARGEST else None
    except OSError as error:
        return _unreadable(
            path,
            Span(path, 0, 0, 1, 1),
            f"this file cannot be read: {error.strerror or error}",
            "check its name and permissions",
        )
    if data is None:
        return _unreadable(
            path,
            Span(path, 0, 0, 1, 1),
            f"this file is larger than {LARGEST // 1_000_000} MB",
            "cut it into several files",
        )
    try:
        return Source(path, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        span = Span(path, len(before), len(before) + 1, line, column)
        return _unreadable(
            path,
            span,
            f"this file is not UTF-8: the byte {data[error.start]:#04x} on line {line} does not belong to it",
            "save the file as UTF-8 in your editor",
        )


def _unreadable(path: str, span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic(severity="error", code="E0107", message=message, primary=span, hint=hint)


def _declare(tree: t.File, report: Report, lexicon: Lexicon) -> None:
    for item in tree.items:
        match item:
            case t.EventDeclaration():
                lexicon.declare_event(item, report)
            case t.CustomerDeclaration():
                lexicon.declare_traits(item, report)
            case t.Broken(begins="customer"):
                lexicon.traits_open = True
            case t.Broken(begins="event", name=str() as name):
                lexicon.unreadable.add(name)
            case _:
                pass


def _check_rules(files: list[tuple[t.File, Report]], lexicon: Lexicon) -> list[tuple[model.Rule, t.Rule]]:
    rules: list[tuple[model.Rule, t.Rule]] = []
    taken: dict[str, tuple[Span, str]] = {}
    for tree, report in files:
        for item in tree.items:
            match item:
                case t.Rule():
                    name = name_of(item, lexicon)
                    _take(name, item, taken, report)
                    checked = check_rule(item, name, lexicon, report, tree.path)
                    if checked is not None:
                        rules.append((checked, item))
                case t.Segment():
                    _take(item.name.text, item, taken, report)
                case _:
                    pass
    return rules


def _take(name: str, item: t.Rule | t.Segment, taken: dict[str, tuple[Span, str]], report: Report) -> None:
    """Rules and segments share one name space."""
    what = "segment" if isinstance(item, t.Segment) else "rule"
    place = item.name or (item.trigger if isinstance(item, t.Rule) else item)
    if not name or is_reserved(name):
        return
    if name not in taken:
        taken[name] = (report.span(place), what)
        return
    first, other = taken[name]
    also = (Label(first, f"the {other} `{name}`"),)
    if item.name is None:
        report.add(
            "E0307",
            place,
            f"a second rule would be named `{name}` after its trigger",
            label="needs a name of its own",
            hint="put a name before it: `rule my_name` and then the trigger",
            also=also,
        )
    else:
        report.add(
            "E0307",
            place,
            f"there is a {other} named `{name}` already",
            label="the name is taken",
            hint="rules and segments share their names; choose another one",
            also=also,
        )


def _refuse_rest(files: list[tuple[t.File, Report]]) -> None:
    """What the language has and Segue does not carry out yet."""
    for tree, report in files:
        for item in tree.items:
            match item:
                case t.Segment():
                    report.refuse((item.start, item.name.end), "`segment`")
                case t.Policy():
                    report.refuse((item.start, item.kind.end), "`policy`")
                case t.Test():
                    report.refuse(
                        (item.start, item.title.end),
                        "`test`",
                        "leave it out for now; `segue replay` can run the rule over events",
                    )
                case _:
                    pass


def _without_errors(
    rules: list[tuple[model.Rule, t.Rule]], diagnostics: tuple[Diagnostic, ...]
) -> tuple[model.Rule, ...]:
    """The rules in whose text no error stands."""
    errors: dict[str, list[int]] = {}
    for diagnostic in diagnostics:
        if diagnostic.is_error and diagnostic.primary:
            errors.setdefault(diagnostic.primary.file, []).append(diagnostic.primary.start)
    good = []
    for rule, written in rules:
        if not any(written.start <= start < written.end for start in errors.get(rule.file, ())):
            good.append(rule)
    return tuple(good)
