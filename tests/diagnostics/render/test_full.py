"""Diagnostics for people."""

from __future__ import annotations

from msgspec.structs import replace

from segue.diagnostics import Diagnostic, Label, Lines, render_full
from tests.diagnostics.render.examples import ADVICE, NOWHERE, TEXTS, UNKNOWN, at


def test_the_lines_are_shown_in_their_order_with_marks_under_them() -> None:
    assert render_full([UNKNOWN], TEXTS) == (
        "error[E0304]: there is no channel `emial`\n"
        " --> a.rules:2:7\n"
        "  |\n"
        "1 | when cart_abandoned\n"
        "  | ---- the rule begins here\n"
        "2 |     send emial then smss\n"
        "  |          ^^^^^ did you mean `email`?\n"
        "  |\n"
        "  = help: the channels are `email` and `sms`\n"
        "  = fix: write `email`: `segue check --fix` does it\n"
    )


def test_only_a_fix_beyond_doubt_is_named() -> None:
    assert UNKNOWN.fix is not None
    guess = replace(UNKNOWN, fix=replace(UNKNOWN.fix, safe=False))
    assert "= fix" not in render_full([guess], TEXTS)


def test_nothing_is_said_twice() -> None:
    assert UNKNOWN.fix is not None
    same = replace(UNKNOWN, label="write `email`", hint="write `email`", secondary=())
    assert render_full([same], TEXTS).splitlines()[4:] == [
        "  |          ^^^^^ write `email`",
        "  |",
        "  = fix: `segue check --fix` does it",
    ]


def test_marks_on_one_line_share_it() -> None:
    text = "send email then email"
    assert render_full([at(text, 16, 21, (5, 10, "the first time"), label="again")], {"x": text}) == (
        "error[E0105]: m\n"
        " --> x:1:17\n"
        "  |\n"
        "1 | send email then email\n"
        "  |      -----      ^^^^^ again\n"
        "  |      |\n"
        "  |      the first time\n"
    )


def test_marks_that_overlap_stand_below_each_other() -> None:
    text = "when ordered"
    rendered = render_full([at(text, 5, 12, (0, 12, "the whole"))], {"x": text})
    assert rendered.splitlines()[4:] == ["  | ------------ the whole", "  |      ^^^^^^^ here"]


def test_lines_between_are_shown_or_left_out() -> None:
    text = "a\nb\nc\nd\ne\nf\n"
    near = render_full([at(text, 4, 5, (0, 1, "also"))], {"x": text}).splitlines()
    assert near[3:] == ["1 | a", "  | - also", "2 | b", "3 | c", "  | ^ here"]
    far = render_full([at(text, 10, 11, (0, 1, "also"))], {"x": text}).splitlines()
    assert far[3:] == ["1 | a", "  | - also", "...", "6 | f", "  | ^ here"]


def test_a_place_in_another_file_has_an_excerpt_of_its_own() -> None:
    other = Lines("b.rules", "event ordered\n")
    diagnostic = replace(UNKNOWN, secondary=(Label(other.span(6, 13), "declared here"),))
    lines = render_full([diagnostic], {**TEXTS, "b.rules": "event ordered\n"}).splitlines()
    assert lines[5:9] == [" ::: b.rules:1:7", "  |", "1 | event ordered", "  |       ------- declared here"]


def test_colours_come_only_when_asked() -> None:
    assert "\x1b[1;31merror[E0304]" in render_full([UNKNOWN], TEXTS, colour=True)
    assert "\x1b[1;33mwarning[W0702]" in render_full([ADVICE], TEXTS, colour=True)
    assert "\x1b" not in render_full([UNKNOWN, ADVICE], TEXTS)


def test_without_the_text_or_the_place_it_still_says_what_is_wrong() -> None:
    assert render_full([UNKNOWN], {}) == (
        "error[E0304]: there is no channel `emial`\n"
        " --> a.rules:2:7\n"
        "  = help: the channels are `email` and `sms`\n"
        "  = fix: write `email`: `segue check --fix` does it\n"
    )
    assert render_full([NOWHERE], {}) == "error[E0309]: two plugins disagree\n"


def test_long_advice_is_broken_and_hangs_under_its_beginning() -> None:
    advice = replace(ADVICE, hint="a word and " * 12)
    first, second, *_ = render_full([advice], TEXTS, columns=60).splitlines()[6:]
    assert first.startswith("  = help: a word and")
    assert second.startswith("          and a word")
    assert max(len(first), len(second)) <= 60


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
    excerpt, marks = render_full([at(text, 5000, 5001)], {"x": text}).splitlines()[3:5]
    assert len(excerpt) < 200
    assert excerpt[marks.index("^")] == "!"


def test_a_long_line_is_shown_around_each_of_its_marks() -> None:
    text = "a" * 1000 + "!" + "b" * 1000 + "?" + "c" * 1000
    lines = render_full([at(text, 1000, 1001, (2001, 2002, "also"))], {"x": text}).splitlines()
    assert lines[3][lines[4].index("^")] == "!"
    assert lines[5][lines[6].index("-")] == "?"


def test_marks_stand_under_wide_letters() -> None:
    text = "買った x"
    assert render_full([at(text, 4, 5, label="")], {"x": text}).splitlines()[4] == "  |        ^"
