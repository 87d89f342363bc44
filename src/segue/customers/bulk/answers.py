"""What a function answered for codes, kept so that it is asked once for each combination of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from segue.customers.bulk.crowd import Longs, distinct

Ask = Callable[[tuple[int, ...]], int]
"""Answers for one combination of codes."""

_UNASKED: Final = np.iinfo(np.int64).min
_LARGEST: Final = 2**22
"""Places of a table; where more combinations are possible, those that come are kept in a dictionary."""
_MOST_KEPT: Final = 500_000
_SMALLEST: Final = 16


class Answers:
    """The answers of one function to so many codes at once, in a table that grows with the dictionaries."""

    def __init__(self, columns: int) -> None:
        self._table: Longs = np.full((_SMALLEST,) * columns, _UNASKED, dtype=np.int64)
        self._kept: dict[tuple[int, ...], int] = {}

    def of(self, columns: Sequence[Longs], sizes: Sequence[int], ask: Ask) -> Longs:
        """The answer for each row of codes. ``sizes`` are how many codes each dictionary has."""
        if not self._fits(sizes):
            return self._one_by_one(columns, ask)
        found: Longs = self._table[tuple(columns)]
        missing = np.flatnonzero(found == _UNASKED)
        if len(missing):
            first, _ = distinct([column[missing] for column in columns])
            for place in missing[first].tolist():
                codes = tuple(int(column[place]) for column in columns)
                self._table[codes] = ask(codes)
            found = self._table[tuple(columns)]
        return found

    def _fits(self, sizes: Sequence[int]) -> bool:
        shape = self._table.shape
        if all(size <= room for size, room in zip(sizes, shape, strict=True)):
            return True
        wanted = [
            room if size <= room else 2 ** (size - 1).bit_length() for size, room in zip(sizes, shape, strict=True)
        ]
        places = 1
        for room in wanted:
            places *= room
        if places > _LARGEST:
            return False
        larger = np.full(wanted, _UNASKED, dtype=np.int64)
        larger[tuple(slice(room) for room in shape)] = self._table
        self._table = larger
        return True

    def _one_by_one(self, columns: Sequence[Longs], ask: Ask) -> Longs:
        first, kind = distinct(columns)
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        answers = np.zeros(len(first), dtype=np.int64)
        for number, place in enumerate(first.tolist()):
            codes = tuple(int(column[place]) for column in columns)
            answer = self._kept.get(codes)
            if answer is None:
                answer = self._kept[codes] = ask(codes)
            answers[number] = answer
        return answers[kind]
