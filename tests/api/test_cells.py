"""Cells of CSV files: nothing in them is a formula to a spreadsheet, wherever it splits a row."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api.cells import harmless

FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
TEXTS = st.text(st.sampled_from([*FORMULAS, ";", "\t", "\r", "\n", ",", '"', "'", " ", "a", "1"]), max_size=12)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("\t=1", "'\t'=1"),
        ("－2", "'－2"),
        ("a;=1+1", "a;'=1+1"),
        ('a;"=1+1;', "a;'\"=1+1;"),
        ("x\n@SUM(A1)", "x\n'@SUM(A1)"),
        ("a-b; c=d", "a-b; c=d"),
        ('{"a": -1}', '{"a": -1}'),
    ],
)
def test_an_apostrophe_stands_before_what_could_be_a_formula_and_nowhere_else(text: str, cell: str) -> None:
    assert harmless(text) == cell


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_part_of_a_row_is_a_formula_where_it_is_split_at_commas_semicolons_or_tabs(texts: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([f"x{harmless(texts[0])}", *map(harmless, texts[1:])])
    row = written.getvalue().removesuffix("\r\n")
    cells = next(csv.reader(io.StringIO(row, newline="")), [])
    parts = re.split(r"[;\t\r\n]", row)
    assert not [part for part in [*cells, *(part.strip('"') for part in parts)] if part.startswith(FORMULAS)]


@given(TEXTS)
def test_apostrophes_are_all_that_is_added(text: str) -> None:
    assert harmless(text).replace("'", "") == text.replace("'", "")
