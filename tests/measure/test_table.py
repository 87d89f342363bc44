"""The value that every measurement gives."""

from __future__ import annotations

import math
from typing import Any

import pytest

from segue.measure.table import Column, Table

COLUMNS = (Column("channel", "Channel"), Column("rate", "Open rate", "share"))


def test_a_number_that_is_none_becomes_an_empty_cell() -> None:
    table = Table("t", "T", COLUMNS, (("a", math.nan), ("b", math.inf), ("c", 0.5)))
    assert table.rows == (("a", None), ("b", None), ("c", 0.5))


def test_numbers_of_numpy_become_those_of_python() -> None:
    import numpy

    rows: Any = (("a", numpy.float64(0.5)), ("b", numpy.int64(1)))
    table = Table("t", "T", COLUMNS, rows)
    assert [type(row[1]) for row in table.rows] == [float, int]


def test_a_row_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells, for 2 columns"):
        Table("t", "T", COLUMNS, (("a",),))


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        Table("t", "T", (COLUMNS[0], COLUMNS[0]), ())


def test_columns_and_records_are_found_by_name() -> None:
    table = Table("t", "T", COLUMNS, (("a", 0.5),))
    assert table.column("rate") == (0.5,)
    assert list(table.records()) == [{"channel": "a", "rate": 0.5}]
    with pytest.raises(KeyError):
        table.column("rank")


def test_some_of_the_columns_are_a_table_too() -> None:
    table = Table("t", "T", COLUMNS, (("a", 0.5), ("b", None)), ("a note",))
    assert table.only([1]) == Table("t", "T", COLUMNS[1:], ((0.5,), (None,)), ("a note",))
