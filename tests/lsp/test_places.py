"""Offsets, lines and columns."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.lsp.places import Encoding, Places

TEXTS = st.text(st.sampled_from("ab\n\r\u2028\x0cä😀"), max_size=30)


@given(TEXTS, st.sampled_from(get_args(Encoding)))
def test_every_offset_comes_back(text: str, encoding: Encoding) -> None:
    places = Places(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # between the two characters of a line break there is no place
        assert places.offset(*places.place(offset)) == offset or text[offset - 1 : offset] in ("\r", "\n")


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_columns_are_counted_as_agreed(encoding: Encoding, column: int) -> None:
    places = Places("\na😀b", encoding)
    assert places.place(3) == (1, column)
    assert places.offset(1, column) == 3


def test_only_line_breaks_end_a_line() -> None:
    places = Places("a\u2028b\x0cc\r\nd\re", "utf-16")
    assert [places.place(offset)[0] for offset in (0, 4, 7, 9)] == [0, 0, 1, 2]


def test_a_place_beyond_the_text_is_its_end() -> None:
    places = Places("ab\ncd", "utf-16")
    assert places.offset(0, 99) == 2
    assert places.offset(9, 0) == 5
    assert places.offset(-1, 0) == 0
    assert places.place(99) == (1, 2)
