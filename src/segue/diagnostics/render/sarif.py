"""SARIF 2.1.0 (OASIS, https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code scanning and other viewers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

import msgspec

from segue import __version__
from segue.diagnostics.codes import page, severity, title
from segue.diagnostics.diagnostic import Diagnostic, Fix, Span
from segue.diagnostics.render.places import Ends, relative
from segue.diagnostics.render.printable import encodable

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(diagnostics: Iterable[Diagnostic], texts: Mapping[str, str], *, folder: str = "") -> str:
    """One SARIF log with one run. Its rules are the codes that were found, with their pages; fixes are the safe ones.

    ``texts`` holds the files by path; files are named as seen from ``folder``, which a viewer takes for the root.
    """
    found = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in found})
    places = _Places(Ends(texts), folder)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Segue",
                        "semanticVersion": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic, codes.index(diagnostic.code), places) for diagnostic in found],
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(encodable(log)), indent=2).decode() + "\n"


def _rule(code: str) -> dict[str, Any]:
    text = page(code)
    return {
        "id": code,
        "shortDescription": {"text": title(code)},
        "fullDescription": {"text": " ".join(text.split("\n\n")[1].split())},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": severity(code)},
    }


def _result(diagnostic: Diagnostic, rule: int, places: _Places) -> dict[str, Any]:
    said = [diagnostic.message, diagnostic.hint]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": "\n".join(part for part in said if part)},
    }
    if diagnostic.primary is not None:
        result["locations"] = [places.location(diagnostic.primary, diagnostic.label)]
    if diagnostic.secondary:
        result["relatedLocations"] = [
            {"id": number, **places.location(label.span, label.text)}
            for number, label in enumerate(diagnostic.secondary, start=1)
        ]
    if diagnostic.fix is not None and diagnostic.fix.safe:
        result["fixes"] = [places.fix(diagnostic.fix)]
    return result


class _Places:
    def __init__(self, ends: Ends, folder: str) -> None:
        self._ends = ends
        self._folder = folder

    def location(self, span: Span, text: str) -> dict[str, Any]:
        place: dict[str, Any] = {
            "physicalLocation": {"artifactLocation": self._file(span), "region": self._region(span)}
        }
        if text:
            place["message"] = {"text": text}
        return place

    def fix(self, fix: Fix) -> dict[str, Any]:
        replacement: dict[str, Any] = {"deletedRegion": self._region(fix.span)}
        if fix.replacement:
            replacement["insertedContent"] = {"text": fix.replacement}
        return {
            "description": {"text": fix.title},
            "artifactChanges": [{"artifactLocation": self._file(fix.span), "replacements": [replacement]}],
        }

    def _file(self, span: Span) -> dict[str, str]:
        path = relative(span.file, self._folder)
        uri = quote(path.encode("utf-8", "replace"), safe="/")
        return {"uri": f"file://{uri}" if PurePath(path).is_absolute() else uri}

    def _region(self, span: Span) -> dict[str, int]:
        end = self._ends.of(span)
        if end is None:
            return {"startLine": span.line}
        return {"startLine": span.line, "startColumn": span.column, "endLine": end[0], "endColumn": end[1]}
