"""``segue segment``: counts, days, reasons and files, beside a daemon or without one."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from segue.api import Event, Instant
from segue.api.values import DAY
from segue.cli.main import app
from segue.cli.segments.files import Columns, write_parquet
from segue.cli.spreadsheets import cell
from segue.runtime.assembly import assemble
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.runtime.running import Running
from segue.store.database import Store
from segue.store.lookouts import load_watches

RULES = """\
segment buyers "Bought at least once" where ordered ever
segment lapsed where in buyers and not ordered in last 30d
segment finns where customer.country = "FI"
rule back when customer enters lapsed send email "hello"
"""


@pytest.fixture(autouse=True)
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A project whose rules are published, with three customers: Ann ordered just now, Bob long ago, Eve never."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "segue.toml").write_text('[channels.email]\nuse = "console"\nconsent = "opt-out"\n', encoding="utf-8")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.rules").write_text(RULES, encoding="utf-8")
    assert CliRunner().invoke(app, ["publish"]).exit_code == 0
    store = Store(tmp_path / "segue.db")
    found = store.apply(lambda tx: resume(tx, assemble(tmp_path).setting))
    assert found is not None
    moment = Instant(_now())
    for who, name, days, traits in (
        ("bob", "ordered", 40, {"country": "SE", "note": "=1+1", "points": -5}),
        ("ann", "ordered", 0, {"country": "FI", "note": "-2", "points": 1.5}),
        ("eve", "page_viewed", 1, {"country": "FI", "tags": ["a"]}),
    ):
        at = Instant(moment - days * DAY)
        one = Event(message_id=who, timestamp=at, source="test", name=name, user_id=who, traits=traits)
        store.apply(partial(ingest, running=found, events=[one], now=at))
    store.close()
    return found


def _now() -> int:
    import time

    return time.time_ns() // 1000


def segue(*words: str) -> Result:
    return CliRunner().invoke(app, ["segment", *words])


def lines(*words: str) -> list[dict[str, Any]]:
    outcome = segue(*words, "--json")
    assert outcome.exit_code == 0, outcome.output
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_all_segments_are_listed_with_their_counts() -> None:
    found = {line["segment"]: line for line in lines()}
    assert {name: line["customers"] for name, line in found.items()} == {"buyers": 2, "finns": 2, "lapsed": 1}
    assert found["lapsed"]["asked_by"] == ["back"]
    assert [line["kept"] for line in found.values()] == [False, False, True]
    assert "Bought at least once" in segue().stdout


def test_one_segment_tells_its_share_and_the_days_before() -> None:
    (line,) = lines("lapsed", "--days", "20")
    assert (line["customers"], line["of"], line["judged_alone"]) == (1, 3, 0)
    assert line["where"] == "in buyers and not ordered in last 30d"
    entered = [day["entered"] for day in line["days"]]
    assert sum(entered) == 1
    assert line["entries_per_day"] == pytest.approx(sum(entered[:-1]) / 20, abs=0.01)
    told = segue("lapsed").stdout
    assert "1 of 3 customers are in it: 33.3 %" in told
    assert "Kept for back: 0 members are noted" in told  # nothing ran when Bob's order grew old
    assert segue("--rebuild").exit_code == 0
    assert "Kept for back\n" in segue("lapsed").stdout


def test_without_days_nothing_is_said_of_the_past() -> None:
    (line,) = lines("buyers", "--days", "0")
    assert (line["customers"], line["days"], line["entries_per_day"]) == (2, [], None)


def test_a_customer_is_explained_part_by_part() -> None:
    (line,) = lines("lapsed", "--customer", "ann")
    assert (line["member"], line["changes"] is not None) == (False, True)
    buyers, recently = line["because"]["under"]
    assert (buyers["text"], buyers["holds"]) == ("in buyers", True)
    assert recently["seen"].startswith("1 time, last on ")
    told = segue("lapsed", "--customer", "bob").stdout
    assert told.startswith("bob is in lapsed\n  all of these hold:\n  yes  in buyers")
    assert "Time alone does not change this." in told
    assert segue("lapsed", "--customer", "nobody").exit_code == 1


def test_members_are_listed() -> None:
    assert segue("buyers", "--list").stdout == "bob\nann\n"
    assert lines("lapsed", "--list") == [{"customer": "bob", "segment": "lapsed"}]


def test_a_csv_file_has_a_column_for_each_trait_and_no_formulas(tmp_path: Path) -> None:
    assert segue("buyers", "--csv", "out.csv").exit_code == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"customer": "bob", "country": "SE", "note": "'=1+1", "points": "-5"},
        {"customer": "ann", "country": "FI", "note": "'-2", "points": "1.5"},
    ]
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600
    again = segue("buyers", "--csv", "out.csv")
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)


def test_a_parquet_file_keeps_values_as_they_are(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert segue("finns", "--parquet", "out.parquet").exit_code == 0
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.to_pylist() == [
        {"customer": "ann", "country": "FI", "note": "-2", "points": 1.5, "tags": None},
        {"customer": "eve", "country": "FI", "note": None, "points": None, "tags": '["a"]'},
    ]


def test_a_number_too_large_for_its_column_is_left_out_of_a_parquet_file(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    people: list[tuple[str, Mapping[str, Any]]] = [
        ("ann", {"points": 10**400, "age": 10**20}),
        ("bob", {"points": 0.5, "age": 7}),
    ]
    assert write_parquet(tmp_path / "out.parquet", lambda: people)[0] == 2
    assert parquet.read_table(tmp_path / "out.parquet").to_pylist() == [
        {"customer": "ann", "age": None, "points": None},
        {"customer": "bob", "age": 7, "points": 0.5},
    ]


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    outcome = segue("finns", "--parquet", "out.parquet")
    assert outcome.exit_code == 2
    assert "pip install 'segue[parquet]'" in outcome.stderr
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "\nx"])
def test_what_begins_like_a_formula_is_made_harmless(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_numbers_and_harmless_texts_stay_what_they_are() -> None:
    assert [cell(value) for value in (-1, 2.5, True, None, "a=b", [1])] == [-1, 2.5, "true", None, "a=b", "[1]"]


def test_a_column_of_several_kinds_is_json() -> None:
    columns = Columns([("a", {"x": 1, "y": 1, "z": True}), ("b", {"x": 2.5, "y": "1", "customer": "me"})])
    assert {name: columns.kind(name) for name in columns.names} == {"x": "float", "y": "json", "z": "bool"}


def test_an_unknown_segment_and_a_missing_name_are_told_apart() -> None:
    outcome = segue("laped")
    assert (outcome.exit_code, outcome.stderr) == (
        1,
        "segue: there is no published segment laped; did you mean lapsed?\n",
    )
    assert segue("--list").exit_code == 2


def test_a_kept_segment_is_found_anew(tmp_path: Path) -> None:
    store = Store(tmp_path / "segue.db")
    store.apply(lambda tx: tx.run("update lookout set member = 0, due = null"))
    store.close()
    assert lines("lapsed", "--days", "0")[0]["kept"] == 0
    (line,) = lines("lapsed", "--rebuild")
    assert line["rebuilt"] == ["lapsed"]
    assert lines("lapsed", "--days", "0")[0]["kept"] == 1
    assert "with nothing to rebuild" in segue("finns", "--rebuild").stderr


def test_it_works_beside_a_process_that_holds_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "segue.db")
    store.start()
    try:
        assert lines("lapsed")[0]["customers"] == 1
        assert all(watch.complete for watch in store.apply(load_watches).values())
    finally:
        store.close()
