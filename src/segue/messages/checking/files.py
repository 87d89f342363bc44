"""What is wrong with content files themselves, each with its line."""

from __future__ import annotations

from collections.abc import Mapping

from segue.diagnostics import Diagnostic, Lines, Span
from segue.messages.catalogue import Catalogue, Problem


def content_problems(catalogue: Catalogue, texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """What is wrong with the files of messages; ``texts`` are those of the files, by path, as far as they are text."""
    return tuple(
        Diagnostic(severity="error", code="E0504", message=problem.message, primary=_place(problem, texts))
        for problem in catalogue.problems
    )


def _place(problem: Problem, texts: Mapping[str, str]) -> Span:
    text = texts.get(problem.path)
    if text is None or not problem.line:
        return Span(problem.path, 0, 0, max(problem.line, 1), 1)
    lines = Lines(problem.path, text)
    start = lines.start(problem.line)
    line = text[start:].partition("\n")[0]
    begin = start + len(line) - len(line.lstrip())
    return lines.span(begin, start + len(line.rstrip()))
