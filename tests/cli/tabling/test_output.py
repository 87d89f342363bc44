"""Where tables go."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.cli.tabling import Shown, print_table, put
from segue.diagnostics.render.printable import width
from segue.measure.table import Column, Table

TABLE = Table(
    "channels",
    "What each channel did",
    (
        Column("channel", "Channel"),
        Column("sent", "Sent", "count"),
        Column("opened", "Opened", "share"),
        Column("cost", "Cost", "money"),
        Column("currency", "Currency"),
        Column("first", "First touch after", "duration"),
        Column("at", "Last sent", "instant"),
    ),
    (
        ("email", 12_345, 0.1234, 1234.5, "EUR", 93_784, "2026-03-02T08:00:00Z"),
        ("=sms\x1b[31m", 0, None, 12, "JPY", 0.25, None),
    ),
    ("Nobody opens an SMS.",),
)

KNOWN = st.characters(exclude_categories=("Cs", "Cn"))
"""Characters that there are: how wide one is that is not assigned yet, terminals don't agree on."""


def test_a_terminal_shows_units_and_never_a_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    put([TABLE])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    for text in ("12,345", "12.3%", "1,234.50", " 12 ", "1 day 2 hr", "0.25 sec", "2026-03-02 08:00", "–"):
        assert text in shown, shown
    assert "Nobody opens an SMS." in shown


def test_a_locale_has_its_own_numbers() -> None:
    shown = Shown("de").cells(TABLE)[0]
    assert shown[1:4] == ["12.345", "12,3\N{NO-BREAK SPACE}%", "1.234,50"]
    assert Shown("de").money(1234.5, "EUR") == "1.234\N{NO-BREAK SPACE}€"
    assert Shown("en").money(12.5, "USD") == "$12.50"
    assert Shown("no such locale").number(1.5) == "1.5"


def test_an_axis_has_short_numbers() -> None:
    shown = Shown("en")
    assert [shown.short(number, "number") for number in (-296.9337, 12_345, 0.5, 42)] == ["-297", "12.3K", "0.5", "42"]
    assert shown.short(0.256, "share") == "26%"
    assert shown.short(25_000, "money", "EUR") == "€25K"


def test_json_is_one_object_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    put([TABLE, TABLE], json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 4
    assert lines[0]["table"] == "channels"
    assert lines[0]["opened"] == 0.1234
    assert lines[1]["opened"] is None


def test_csv_holds_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put([TABLE], csv=tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["sent"] == "12345"
    assert rows[1]["channel"].startswith("'=sms")
    assert rows[1]["opened"] == ""
    assert capsys.readouterr().out == ""


def test_parquet_has_types_and_several_tables_a_folder(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    other = Table("nothing", "Nothing", TABLE.columns, ())
    put([TABLE, other], parquet=tmp_path / "all")
    read = parquet.read_table(tmp_path / "all" / "channels.parquet")
    assert [str(kind) for kind in read.schema.types] == [
        "string",
        "int64",
        "double",
        "double",
        "string",
        *("double", "string"),
    ]
    assert read.to_pylist()[1]["opened"] is None
    assert parquet.read_table(tmp_path / "all" / "nothing.parquet").num_rows == 0


def test_a_file_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(typer.Exit):
        put([TABLE], csv=tmp_path / "a.csv")
    assert "a.csv exists already" in capsys.readouterr().err
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "mine"


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.lists(st.text(KNOWN, max_size=40), max_size=3), st.integers(0, 10**15))
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(columns: int, names: list[str], number: int) -> None:
    table = Table(
        "t",
        "T",
        (Column("name", "Name"), *(Column(f"n{at}", f"Number {at}", "count") for at in range(columns))),
        tuple((name, *(number + at for at in range(columns))) for name in names),
    )
    out = io.StringIO()
    print_table(table, file=out)
    assert all(width(line) <= 80 for line in out.getvalue().splitlines())
    for at in range(columns if names else 0):
        assert f"{number + at:,}" in out.getvalue()
