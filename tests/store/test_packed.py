"""Whole columns come out as rows would."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from segue.store.database import Store, Transaction
from segue.store.packed import read_packed

NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, TEXTS, TEXTS), max_size=8))
def test_columns_are_those_of_the_rows(rows: list[tuple[int, int, str, str]]) -> None:
    store = Store(None)

    def fill_and_read(tx: Transaction) -> None:
        tx.run("create temp table t (a integer, b integer, c text, d text)")
        tx.run_many("insert into t values (?, ?, ?, ?)", rows)
        read = read_packed(tx, ("a", "b"), ("c", "d"), "from t where rowid > ?", (0,))
        a, b = (column.tolist() for column in read.numbers)
        texts = [read.texts[code] for code in read.codes.tolist()]
        assert [(*each, *names) for *each, names in zip(a, b, texts, strict=True)] == rows
        assert len(set(read.texts)) == len(read.texts)
        alone = read_packed(tx, ("a / 7", "a is null or b is null"), (), "from t")
        assert alone.numbers[0].tolist() == [abs(one) // 7 * (-1 if one < 0 else 1) for one in a]
        assert not alone.numbers[1].any()

    store.apply(fill_and_read)
    store.close()
