"""Diagnostics and their places."""

from __future__ import annotations

from segue.diagnostics import Lines, in_order
from tests.diagnostics.render.examples import ADVICE, NOWHERE, UNKNOWN


def test_order_is_by_place_and_each_once() -> None:
    assert in_order([ADVICE, UNKNOWN, UNKNOWN, NOWHERE]) == (NOWHERE, UNKNOWN, ADVICE)


def test_places_count_from_one() -> None:
    lines = Lines("x", "ab\ncd\n")
    assert [lines.place(offset) for offset in (0, 2, 3, 6)] == [(1, 1), (1, 3), (2, 1), (3, 1)]


def test_a_byte_order_mark_is_in_no_column_and_not_shown() -> None:
    lines = Lines("x", "\ufeffab\ncd")
    assert [lines.place(offset) for offset in (0, 1, 2, 4)] == [(1, 1), (1, 1), (1, 2), (2, 1)]
    assert lines.source(1) == "ab"
