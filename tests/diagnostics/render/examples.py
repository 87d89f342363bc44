"""Diagnostics that the tests of all formats show."""

from __future__ import annotations

from segue.diagnostics import Diagnostic, Fix, Label, Lines

TEXT = "when cart_abandoned\n\tsend emial then smss\n"
LINES = Lines("a.rules", TEXT)
SPAN = LINES.span(26, 31)
UNKNOWN = Diagnostic(
    severity="error",
    code="E0304",
    message="there is no channel `emial`",
    primary=SPAN,
    label="did you mean `email`?",
    secondary=(Label(LINES.span(0, 4), "the rule begins here"),),
    hint="the channels are `email` and `sms`",
    fix=Fix("write `email`", SPAN, "email", safe=True),
)
ADVICE = Diagnostic(
    severity="warning", code="W0702", message="nothing happens after this wait", primary=LINES.span(37, 41)
)
NOWHERE = Diagnostic(severity="error", code="E0309", message="two plugins disagree", primary=None)
TEXTS = {"a.rules": TEXT}


def at(text: str, start: int, end: int, *labels: tuple[int, int, str], label: str = "here") -> Diagnostic:
    """A diagnostic about places of a text named `x`."""
    lines = Lines("x", text)
    return Diagnostic(
        severity="error",
        code="E0105",
        message="m",
        primary=lines.span(start, end),
        label=label,
        secondary=tuple(Label(lines.span(begin, stop), said) for begin, stop, said in labels),
    )
