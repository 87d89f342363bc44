"""What Segue has to say about a text: diagnostics, codes with a page each, renderers."""

from segue.diagnostics.codes import CODES, FAMILIES, family, page, severity, title
from segue.diagnostics.diagnostic import Diagnostic, Fix, Label, Lines, Severity, Span, in_order
from segue.diagnostics.render import render_concise, render_full, render_github, render_json, render_sarif

__all__ = [
    "CODES",
    "FAMILIES",
    "Diagnostic",
    "Fix",
    "Label",
    "Lines",
    "Severity",
    "Span",
    "family",
    "in_order",
    "page",
    "render_concise",
    "render_full",
    "render_github",
    "render_json",
    "render_sarif",
    "severity",
    "title",
]
