"""Fixes put into a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from segue.diagnostics import Fix, Lines
from segue.diagnostics.fixes import apply_fixes

TEXT = "When ordered Send email"
LINES = Lines("x", TEXT)


def fix(start: int, end: int, text: str) -> Fix:
    return Fix("", LINES.span(start, end), text, safe=True)


def test_fixes_are_made_in_the_order_of_their_places() -> None:
    applied = apply_fixes(TEXT, [fix(13, 17, "send"), fix(0, 4, "when")])
    assert applied.text == "when ordered send email"
    assert applied.new == (0, 13)


def test_of_two_that_overlap_or_touch_the_first_is_made() -> None:
    applied = apply_fixes(TEXT, [fix(0, 4, "when"), fix(2, 6, ""), fix(4, 5, "")])
    assert applied.text == "when ordered Send email"
    assert len(applied.made) == 1


def test_the_same_fix_twice_is_made_once() -> None:
    assert apply_fixes(TEXT, [fix(0, 0, "# "), fix(0, 0, "# ")]).text == f"# {TEXT}"


def test_places_move_with_the_text() -> None:
    applied = apply_fixes(TEXT, [fix(0, 4, "if"), fix(13, 17, "deliver")])
    assert applied.text == "if ordered deliver email"
    assert [applied.moved(offset) for offset in (0, 3, 5, 12, 13, 14, 18, 23)] == [0, 0, 3, 10, 11, 11, 19, 24]


def test_what_touches_a_fix_is_found() -> None:
    first, second = fix(0, 4, "if"), fix(12, 13, "")
    applied = apply_fixes(TEXT, [first, second])
    assert applied.text == "if orderedSend email"
    assert list(applied.touching(0, 1)) == [first]
    assert list(applied.touching(2, 5)) == []
    assert list(applied.touching(10, 14)) == [second]
    assert list(applied.touching(0, 20)) == [second, first]


@given(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 5), st.text(max_size=4)), max_size=8))
def test_what_no_fix_replaced_is_still_there_where_it_moved_to(drawn: list[tuple[int, int, str]]) -> None:
    applied = apply_fixes(TEXT, [fix(start, min(start + length, 23), text) for start, length, text in drawn])
    for offset, character in enumerate(TEXT):
        if not any(one.span.start <= offset < one.span.end or offset == one.span.start for one in applied.made):
            assert applied.text[applied.moved(offset)] == character
