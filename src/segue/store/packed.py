"""Whole columns of a query, which SQLite packs into one text each: an object of Python for every cell of some million
rows would cost more than reading them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from segue.api.attribution import Codes, Ints
from segue.store.database import Transaction

_UNIT: Final = "\x1f"
_RECORD: Final = "\x1e"
"""What ASCII has for this. No text of a rule book has a control character."""


class Packed(msgspec.Struct, frozen=True, eq=False):
    """Columns of ``numbers``, as they were asked for; of each row, ``codes`` is the place of its texts in ``texts``."""

    numbers: tuple[Ints, ...]
    texts: tuple[tuple[str, ...], ...]
    codes: Codes


def read_packed(
    tx: Transaction, numbers: Sequence[str], texts: Sequence[str], rest: str, values: Sequence[Any] = ()
) -> Packed:
    """The columns that stand behind ``select``, with the ``rest`` of the query behind them. None of them may be null,
    and texts have no control characters."""
    import numpy as np

    packed = " || ',' || ".join(f"({column})" for column in numbers)
    named = f" || char({ord(_UNIT)}) || ".join(f"({column})" for column in texts) or "null"
    row = tx.row(f"select group_concat({packed}, ','), group_concat({named}, char({ord(_RECORD)})) {rest}", values)
    if row is None or row[0] is None:
        return Packed(tuple(np.zeros(0, np.int64) for _ in numbers), (), np.zeros(0, np.int32))
    table = np.fromstring(row[0], np.int64, sep=",").reshape(-1, len(numbers))
    places = _Places()
    names = row[1].split(_RECORD) if texts else [""] * len(table)
    codes = np.fromiter(map(places.__getitem__, names), np.int32, len(table))
    return Packed(
        tuple(np.ascontiguousarray(column) for column in table.T),
        tuple(tuple(name.split(_UNIT)) for name in places),
        codes,
    )


class _Places(dict[str, int]):
    """The place of each text, in the order in which they were first asked for."""

    def __missing__(self, name: str) -> int:
        place = self[name] = len(self)
        return place
