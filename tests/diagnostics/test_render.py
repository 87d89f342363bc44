"""Diagnostics as text."""

from __future__ import annotations

import json

from segue.diagnostics import Diagnostic, Fix, Label, Lines, in_order, render_concise, render_full, render_json

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
    fix=Fix("write `email`", SPAN, "email"),
)
ADVICE = Diagnostic(
    severity="warning", code="W0702", message="nothing happens after this wait", primary=LINES.span(37, 41)
)
NOWHERE = Diagnostic(severity="error", code="E0309", message="two plugins disagree", primary=None)


def test_full_shows_the_line_with_a_mark_under_the_fault() -> None:
    assert render_full([UNKNOWN], {"a.rules": TEXT}) == (
        "error[E0304]: there is no channel `emial`\n"
        " --> a.rules:2:7\n"
        "  |\n"
        "2 |     send emial then smss\n"
        "  |          ^^^^^ did you mean `email`?\n"
        " --> a.rules:1:1\n"
        "  |\n"
        "1 | when cart_abandoned\n"
        "  | ---- the rule begins here\n"
        "  = help: the channels are `email` and `sms`\n"
        "  = fix: write `email`\n"
    )


def test_full_is_coloured_only_when_asked() -> None:
    assert "\x1b[31merror[E0304]" in render_full([UNKNOWN], {"a.rules": TEXT}, colour=True)
    assert "\x1b[33mwarning[W0702]" in render_full([ADVICE], {"a.rules": TEXT}, colour=True)
    assert "\x1b" not in render_full([UNKNOWN, ADVICE], {"a.rules": TEXT})


def test_full_without_the_text_or_the_place_still_says_what_is_wrong() -> None:
    assert render_full([UNKNOWN], {}).startswith("error[E0304]: there is no channel `emial`\n --> a.rules:2:7\n")
    assert render_full([NOWHERE], {}) == "error[E0309]: two plugins disagree\n"


def test_a_file_cannot_drive_the_terminal() -> None:
    text = 'when a send email "\x1b[2J\u202e"'
    span = Lines("a\x1b.rules", text).span(0, 4)
    rendered = render_full(
        [Diagnostic(severity="error", code="E0105", message="\x1b", primary=span)], {"a\x1b.rules": text}
    )
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered


def test_a_long_line_is_shown_around_the_fault() -> None:
    text = "a" * 5000 + "!" + "b" * 5000
    rendered = render_full(
        [Diagnostic(severity="error", code="E0105", message="m", primary=Lines("x", text).span(5000, 5001))],
        {"x": text},
    )
    excerpt, marks = rendered.splitlines()[3:5]
    assert len(excerpt) < 200
    assert excerpt[marks.index("^")] == "!"


def test_marks_stand_under_wide_letters() -> None:
    text = "買った x"
    rendered = render_full(
        [Diagnostic(severity="error", code="E0105", message="m", primary=Lines("x", text).span(4, 5))], {"x": text}
    )
    assert rendered.splitlines()[4] == "  |        ^"


def test_concise_is_one_line_each() -> None:
    assert (
        render_concise([UNKNOWN, NOWHERE])
        == "a.rules:2:7: E0304 there is no channel `emial`\nE0309 two plugins disagree\n"
    )


def test_json_is_one_object_a_line() -> None:
    first, second = (json.loads(line) for line in render_json([UNKNOWN, NOWHERE]).splitlines())
    assert first["code"] == "E0304"
    assert first["title"] == "An unknown channel"
    assert first["primary"] == {"file": "a.rules", "start": 26, "end": 31, "line": 2, "column": 7}
    assert first["fix"]["replacement"] == "email"
    assert second["primary"] is None


def test_order_is_by_place_and_each_once() -> None:
    assert in_order([ADVICE, UNKNOWN, UNKNOWN, NOWHERE]) == (NOWHERE, UNKNOWN, ADVICE)
