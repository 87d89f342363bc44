"""One line each: ``file:line:column: code message``."""

from __future__ import annotations

from collections.abc import Iterable

from segue.diagnostics.diagnostic import Diagnostic
from segue.diagnostics.render.printable import printable


def render_concise(diagnostics: Iterable[Diagnostic]) -> str:
    """One line each: ``file:line:column: code message``."""
    lines = []
    for diagnostic in diagnostics:
        span = diagnostic.primary
        place = f"{span.file}:{span.line}:{span.column}: " if span else ""
        lines.append(printable(f"{place}{diagnostic.code} {diagnostic.message}") + "\n")
    return "".join(lines)
