"""Numbers as people read them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.cli.tabling import Shown
from segue.measure.table import Column, Table

SHOWN = Shown()


def column(*shares: float | None) -> list[str]:
    table = Table("t", "T", (Column("rate", "Rate", "share"),), tuple((share,) for share in shares))
    return [row[0] for row in SHOWN.cells(table)]


def test_the_shares_of_a_column_stand_below_each_other() -> None:
    assert column(0.5, 0.123, None) == ["50.0%", "12.3%", "–"]
    assert column(0.5, 0.0042) == ["50.00%", "0.42%"]


@given(st.floats(-0.9999999, 0.9999999))
def test_only_nothing_is_0_per_cent_and_only_all_is_100(share: float) -> None:
    for said in (SHOWN.share(share), SHOWN.brief(share), *column(share)):
        bare = said.replace("-", "")
        assert bool(re.fullmatch(r"0(\.0+)?%", bare)) == (share == 0), said
        assert not re.fullmatch(r"100(\.0+)?%", bare), said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.00002, "<0.01%"), (-0.00002, ">-0.01%"), (0.99999, ">99.9%"), (1, "100.0%"), (0, "0%"), (0.12, "12.0%")],
)
def test_what_would_round_to_what_it_is_not_is_bounded(share: float, said: str) -> None:
    assert SHOWN.share(share) == said


def test_a_price_of_less_than_a_cent_is_not_free() -> None:
    assert SHOWN.money(0.001, "EUR") == "€0.001"
    assert SHOWN.amount(0.0042, "EUR") == "0.004"
    assert SHOWN.money(0, "EUR") == "€0.00"
    assert SHOWN.money(0.02, "JPY") == "¥0.02"


@given(st.floats(-1, 1))
def test_only_nothing_is_0(number: float) -> None:
    assert (SHOWN.number(number) == "0") == (number == 0)


def test_what_is_many_times_as_much_is_not_a_percentage() -> None:
    assert [SHOWN.change(share) for share in (24.07, 2.4, 1.5, -0.5, 0.0001)] == [
        "25 times",
        "3.4 times",
        "+150%",
        "−50%",
        "unchanged",
    ]


def test_a_minus_on_paper_is_as_wide_as_a_plus() -> None:
    paper = Shown(minus="−")
    assert [paper.number(-5), paper.money(-5, "EUR"), paper.share(-0.5), paper.short(-50_000, "count")] == [
        "−5",
        "−€5.00",
        "−50.0%",
        "−50K",
    ]
