"""JSON lines, for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from segue.diagnostics.codes import title
from segue.diagnostics.diagnostic import Diagnostic
from segue.diagnostics.render.printable import encodable

# What other programs take for the end of a line, and JSON does not escape by itself.
_LINE_BREAK: Final = re.compile("[\x85\u2028\u2029]")


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One JSON object a line, with the fields of `Diagnostic` and ``title``, the heading of the code's page."""
    lines = []
    for diagnostic in diagnostics:
        record = msgspec.to_builtins(diagnostic)
        record["title"] = title(diagnostic.code)
        line = msgspec.json.encode(encodable(record)).decode()
        lines.append(_LINE_BREAK.sub(lambda found: f"\\u{ord(found.group()):04x}", line) + "\n")
    return "".join(lines)
