"""Workflow commands, from which GitHub Actions makes annotations at the lines of a pull request.

The format: https://docs.github.com/actions/reference/workflow-commands-for-github-actions (“Setting an error message”);
its escapes: `toolkit/packages/core/src/command.ts` of GitHub's actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segue.diagnostics.codes import title
from segue.diagnostics.diagnostic import Diagnostic, Label
from segue.diagnostics.render.places import Ends, relative
from segue.diagnostics.render.printable import printable


def render_github(diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, folder: str = "") -> str:
    """One ``::error`` or ``::warning`` command a line. ``texts`` holds the files by path; paths are given as seen from
    ``folder``."""
    ends = Ends(texts)
    return "".join(f"{_command(diagnostic, ends, folder)}\n" for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic, ends: Ends, folder: str) -> str:
    named: dict[str, object] = {}
    span = diagnostic.primary
    if span is not None:
        named |= {"file": relative(span.file, folder), "line": span.line}
        end = ends.of(span)
        # GitHub takes columns only for what stands on one line.
        if end is None:
            named["col"] = span.column
        elif end[0] == span.line:
            named |= {"col": span.column, "endLine": end[0], "endColumn": end[1]}
        else:
            named["endLine"] = end[0]
    named["title"] = f"{diagnostic.code} {title(diagnostic.code)}"
    parts = [diagnostic.message]
    if diagnostic.label:
        parts.append(f"here: {diagnostic.label}")
    parts += [_also(label, folder) for label in diagnostic.secondary]
    if diagnostic.hint:
        parts.append(f"help: {diagnostic.hint}")
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in named.items())
    return f"::{diagnostic.severity} {properties}::{_data(parts)}"


def _also(label: Label, folder: str) -> str:
    return f"{relative(label.span.file, folder)}, line {label.span.line}: {label.text}"


def _data(parts: list[str]) -> str:
    return "%0A".join(printable(part).replace("%", "%25") for part in parts)


def _property(text: str) -> str:
    return printable(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
