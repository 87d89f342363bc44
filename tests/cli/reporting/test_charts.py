"""Charts."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from segue.cli.reporting.charts import Bar, Bars, Dot, Heat, Line, Lines, Range, Ranges, spark
from segue.cli.reporting.charts.chart import cut, ticks, top_of
from segue.cli.tabling.shown import Shown
from segue.diagnostics.render.printable import width
from segue.measure.table import Table

TABLE = Table("t", "T", (), ())
SHOWN = Shown()
NUMBERS = st.one_of(st.floats(0, 1e12), st.integers(0, 10**12).map(float))
NAMES = st.text(max_size=60)


def drawn(svg: str) -> ET.Element:
    """The markup, which must be well-formed and hold no number that is none."""
    assert not re.search(r"\b(?:nan|inf)\b", re.sub(r">[^<]*<", "><", svg))
    return ET.fromstring(svg)  # our own


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, NUMBERS | st.none(), NUMBERS, NUMBERS), max_size=5))
def test_no_bar_is_longer_than_the_chart_and_the_longest_fills_it(
    rows: list[tuple[str, float | None, float, float]],
) -> None:
    bars = tuple(Bar(name, value, low=min(low, high), high=max(low, high)) for name, value, low, high in rows)
    tree = drawn(Bars("t", "s", TABLE, bars).draw(SHOWN, "m"))
    wide = [float((one.get("width") or "0%").rstrip("%")) for one in tree.iter("rect") if one.get("class") == "c1"]
    assert all(0 < one <= 100 for one in wide)
    ends = [float((one.get("x1") or "").rstrip("%")) for one in tree.iter("line")]
    assert all(0 <= one <= 100 for one in ends)


@settings(max_examples=60, deadline=None)
@given(st.lists(NUMBERS | st.none(), min_size=1, max_size=40), NAMES)
def test_lines_stay_inside_their_axes(values: list[float | None], name: str) -> None:
    days = tuple(f"2026-11-{day + 1:02}" for day in range(min(30, len(values))))
    lines = (Line(name, tuple(values[: len(days)])), Line("before", tuple(values[: len(days)]), 0))
    tree = drawn(Lines("t", "s", TABLE, days, lines).draw(SHOWN, "m"))
    for one in tree.iter("polyline"):
        for point in (one.get("points") or "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 1000
            assert -0.1 <= y <= 142.1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), max_size=4))
def test_ranges_show_zero_and_every_dot(values: list[tuple[float, float, float]]) -> None:
    ranges = tuple(Range("r", min(of), max(of), (Dot("a", of[0]), Dot("b", of[1]))) for of in values)
    for zero in ("", "no difference"):
        tree = drawn(Ranges("t", "s", TABLE, ranges, zero=zero).draw(SHOWN, "m"))
        places = [float((one.get("x") or "").rstrip("%")) for one in tree.iter("svg") if one.get("class") == "mark"]
        assert len(places) == 2 * len(values)
        assert all(0 <= one <= 100 for one in places)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1) | st.none(), max_size=8), max_size=5))
def test_a_heat_map_leaves_out_what_is_not_known(rows: list[list[float | None]]) -> None:
    heat = Heat("t", "s", TABLE, tuple("abcdefgh"), tuple(("row", "note", tuple(cells)) for cells in rows))
    tree = drawn(heat.draw(SHOWN, "m"))
    assert sum(1 for _ in tree.iter("rect")) == sum(cell is not None for cells in rows for cell in cells)


@given(st.lists(st.floats(-1e9, 1e9), max_size=40))
def test_a_small_line_is_drawn_from_three_days_on(values: list[float]) -> None:
    svg = spark(values)
    assert bool(svg) == (len(values) >= 3 and any(values))
    if svg:
        line = drawn(svg).find("polyline")
        assert line is not None
        assert all(1.9 <= float(point.split(",")[1]) <= 26.1 for point in (line.get("points") or "").split())


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_an_axis_holds_all_values_between_round_numbers(low: float, spread: float) -> None:
    found = ticks(low, low + spread, "number")
    assert 2 <= len(found) <= 7
    assert found[0] <= low + spread * 1e-6
    assert found[-1] >= low + spread * (1 - 1e-6)


def test_a_long_name_is_whole_and_a_sort_of_dots_has_a_form_of_its_own() -> None:
    name = "consent for promotional email is not confirmed yet, and neither is there an address"
    assert name in Bars("t", "s", TABLE, (Bar(name, 3.0),)).draw(SHOWN, "m")
    dots = tuple(Dot(str(number), float(number)) for number in range(6))
    key = Ranges("t", "s", TABLE, (Range("r", 0, 5, dots),)).key()
    forms = re.findall(r"<(circle|rect|path) class=\"dot c\d( hollow)?", key)
    assert len(set(forms)) == 6


def test_bars_of_large_shares_go_to_all_and_others_to_the_largest() -> None:
    def wide(*values: float) -> float:
        tree = drawn(Bars("t", "s", TABLE, tuple(Bar("b", value) for value in values), "share").draw(SHOWN, "m"))
        return max(float((one.get("width") or "").rstrip("%")) for one in tree.iter("rect") if one.get("class") == "c1")

    assert wide(0.75, 0.1) == 75
    assert wide(0.02, 0.01) == 100


@given(NAMES, st.integers(2, 40))
def test_a_name_is_cut_to_the_columns_there_are(name: str, most: int) -> None:
    assert width(cut(name, most)) <= most


@given(st.floats(1e-6, 1e12))
def test_an_axis_ends_at_a_round_number_above_all_values(most: float) -> None:
    assert top_of(most, "count") >= most * 0.999
    assert most * 0.999 <= top_of(most, "number") <= 10 * most
