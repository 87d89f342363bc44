"""``segue customer``: finding, handing out, and erasing, where no daemon runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from segue.api import Event, Instant
from segue.cli.customer.export import as_csv
from segue.cli.main import app
from segue.runtime.assembly import assemble, check
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.store.belongings import BELONGINGS, LINKED
from segue.store.database import Store, read_only
from segue.store.sweeps import count_rules

NOW = Instant(1_780_000_000_000_000)
RULES = 'event paid\n  total number\nwhen paid send email "hi" wait 1d stop\n'
ANN = {"email": "ann@example.com", "phone": "+358401234567", "first_name": "=1+1"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ann and Bob have paid; Carl shares Bob's address."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "segue.toml").write_text('[channels.email]\nuse = "console"\n', encoding="utf-8")
    (tmp_path / "rules" / "a.rules").write_text(RULES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assembly = assemble(tmp_path)
    store = Store(assembly.project.database)
    store.apply(lambda tx: publish(tx, check(assembly).checked.book, NOW, "test"))
    running = store.apply(lambda tx: resume(tx, assembly.setting))
    assert running is not None
    people = {"ann": ANN, "bob": {"email": "bob@example.com"}, "carl": {"email": "Bob@Example.com"}}
    events = [
        Event(
            message_id=name,
            timestamp=NOW,
            source="shop",
            name="paid",
            user_id=name,
            anonymous_id=f"device-{name}",
            properties={"total": -5, "note": "-5"},
            traits=traits,
        )
        for name, traits in people.items()
    ]
    store.apply(lambda tx: ingest(tx, running, events, NOW))
    store.close()
    return tmp_path


def segue(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(app, ["customer", *arguments], input=said)


@pytest.mark.parametrize("text", ["ann", "device-ann", "ANN@example.com", "+358401234567"])
def test_a_customer_is_found_by_any_identifier(project: Path, text: str) -> None:
    found = segue("find", text)
    assert found.output.startswith("ann  c:")
    assert segue("find", found.output.split()[1]).output == found.output


def test_an_address_that_two_have_names_nobody(project: Path) -> None:
    said = segue("export", "bob@example.com", "--json", "-")
    assert said.exit_code == 2
    assert "2 customers are known by bob@example.com: name one of bob, carl" in said.output


def test_whoever_is_not_known_is_not_exported(project: Path) -> None:
    assert segue("export", "dora", "--json", "-").exit_code == 1
    assert segue("erase", "dora", "--yes").exit_code == 1


def test_every_table_and_every_column_of_it_is_exported(project: Path) -> None:
    said = segue("export", "ann", "--json", "-")
    told = json.loads(said.output)
    with read_only(project / "segue.db") as tx:
        for belonging in BELONGINGS:
            columns = {row[1] for row in tx.rows(f"pragma table_info({belonging.table})")} - {"customer", "detail"}
            for row in told[belonging.section] if belonging.section else ():
                assert columns <= set(row), belonging.table
    assert set(told) >= {one.section for one in (*BELONGINGS, *LINKED) if one.section}
    assert told["profile"]["traits"] == ANN
    assert told["events"][0]["fields"]["total"] == -5
    assert "bob" not in said.output


def test_a_file_is_for_its_owner_and_is_never_written_over(project: Path) -> None:
    assert segue("export", "ann", "--json", "ann.json").exit_code == 0
    assert (project / "ann.json").stat().st_mode & 0o077 == 0
    again = segue("export", "ann", "--json", "ann.json")
    assert (again.exit_code, again.output) == (2, "segue: ann.json exists already: give another name\n")


def test_tables_hold_no_formulas_and_numbers_stay_numbers(project: Path) -> None:
    assert segue("export", "ann", "--csv", "out").exit_code == 0
    with (project / "out" / "profile.csv").open(newline="", encoding="utf-8") as table:
        profile = dict(csv.reader(table))
    assert profile["traits.first_name"] == "'=1+1"
    assert profile["traits.phone"] == "'+358401234567"
    assert {path.stat().st_mode & 0o077 for path in (project / "out").iterdir()} == {0}
    assert as_csv([{"a": -5, "b": "-5", "c": 1.5, "d": True, "e": None}]) == "a,b,c,d,e\r\n-5,'-5,1.5,true,\r\n"


@given(st.lists(st.text(max_size=8) | st.integers() | st.dictionaries(st.text(max_size=3), st.text(max_size=3))))
def test_no_cell_begins_as_a_formula_does(values: list[object]) -> None:
    written = as_csv([{f"c{place}": value for place, value in enumerate(values)}])
    cells = next(iter(list(csv.reader(io.StringIO(written, newline="")))[1:]), [])
    for value, cell in zip(values, cells, strict=False):
        assert isinstance(value, int) or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_dry_run_shows_what_would_go_and_deletes_nothing(project: Path) -> None:
    said = segue("erase", "ann", "--dry-run")
    assert said.exit_code == 0
    assert "  journey   1" in said.output
    assert "Inside paid: these journeys exit as erased." in said.output
    assert segue("find", "ann").exit_code == 0


def test_nothing_is_erased_where_nobody_says_yes(project: Path) -> None:
    assert segue("erase", "ann", said="n\n").exit_code != 0
    assert segue("find", "ann").exit_code == 0


def test_without_a_daemon_the_command_erases_by_itself(project: Path) -> None:
    said = segue("erase", "ann@example.com", "--yes")
    assert said.exit_code == 0, said.output
    assert "The record of it is erasure 1." in said.output
    assert segue("find", "ann").exit_code == 1
    assert segue("find", "bob").exit_code == 0
    with read_only(project / "segue.db") as tx:
        (count,) = count_rules(tx)
    assert (count.entered, count.inside, count.exited, count.balanced) == (3, 2, 1, True)
    assert b"ann@example.com" not in b"".join(path.read_bytes() for path in project.glob("segue.db*"))
    assert "done, asked for by" in segue("erasures", "+358401234567").output
    assert segue("erasures", "bob").output == "Nobody known by bob was erased.\n"
    assert segue("erasures", "--settled", "1").exit_code == 2
