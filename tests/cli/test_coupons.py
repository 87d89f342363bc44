"""Pools of coupon codes on the command line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from segue.cli.main import app
from segue.store.coupons import Pool, load_pools
from segue.store.database import Store
from tests.runtime.stage import Stage


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("codes.txt").write_text("A1\n\n  A2  \nA1\nA3\n", encoding="utf-8")


def segue(*words: str) -> Result:
    return CliRunner().invoke(app, ["coupons", *words])


def test_codes_are_added_once_however_often_the_file_is() -> None:
    assert segue("add", "CART10", "codes.txt").stdout == (
        "CART10: 3 new codes; 1 code it had already. 3 of 3 codes left.\n"
    )
    assert segue("add", "CART10", "codes.txt").stdout == (
        "CART10: 0 new codes; 4 codes it had already. 3 of 3 codes left.\n"
    )
    assert segue().stdout == "CART10  3 of 3 codes left\n"


def test_codes_are_added_while_a_daemon_holds_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "segue.db")
    store.start()
    try:
        Path("many.txt").write_text("\n".join(f"code-{number}" for number in range(2500)), encoding="utf-8")
        line = json.loads(segue("add", "SPRING", "many.txt", "--json").stdout)
        assert line == {"pool": "SPRING", "codes": 2500, "free": 2500, "new": 2500}
        assert store.apply(load_pools) == [Pool("SPRING", 2500, 2500)]
    finally:
        store.close()


def test_pools_are_listed_as_json() -> None:
    segue("add", "CART10", "codes.txt")
    assert json.loads(segue("--json").stdout) == {
        "pool": "CART10",
        "codes": 3,
        "free": 3,
        "redeemed": 0,
        "pattern": None,
        "days": None,
        "until": None,
        "low": False,
    }


def test_without_pools_the_list_says_how_to_make_one() -> None:
    outcome = segue()
    assert outcome.exit_code == 0
    assert "segue coupons add POOL FILE" in outcome.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"A" * 300, "codes.txt:1: this is no code"), (b"\xff\xfe", "not UTF-8"), (None, "No such file")],
)
def test_a_file_that_holds_no_codes_is_refused_in_words(content: bytes | None, words: str) -> None:
    Path("codes.txt").unlink()
    if content is not None:
        Path("codes.txt").write_bytes(content)
    outcome = segue("add", "CART10", "codes.txt")
    assert outcome.exit_code == 2
    assert words in outcome.stderr


@pytest.mark.parametrize(
    "table",
    [
        "Code,Status\nA1,active\nA2,active\n",
        "id;discount_code\r\n1;A1\r\n2;A2\r\n",
        '\ufeffname\tcode\nx\t"A1"\ny\tA2\n\n',
        "code\nA1\nA2\n",
        "\nA1\n\nA2",
    ],
)
def test_the_codes_of_a_shop_s_table_are_those_of_its_column(table: str) -> None:
    Path("codes.csv").write_text(table, "utf-8", newline="")
    assert segue("add", "SHOP", "codes.csv").exit_code == 0
    with sqlite3.connect("segue.db") as store:
        assert store.execute("select code from coupon order by code").fetchall() == [("A1",), ("A2",)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["codes.csv"], "codes.csv:1: this line has several columns"),
        (["codes.txt", "--expires", "2020-01-01"], "is over"),
    ],
)
def test_codes_that_nobody_could_use_are_refused(arguments: list[str], words: str) -> None:
    Path("codes.csv").write_text("A1,active\nA2,active\n", "utf-8")
    outcome = segue("add", "SHOP", *arguments)
    assert outcome.exit_code == 2
    assert words in outcome.stderr


def test_a_pool_without_a_name_is_refused() -> None:
    assert segue("add", " ", "codes.txt").exit_code == 2


def test_the_doctor_says_which_pool_is_empty() -> None:
    segue("add", "CART10", "codes.txt")
    with_codes = CliRunner().invoke(app, ["doctor"])
    assert "coupons" not in with_codes.stdout
    store = Store(Path("segue.db"))
    store.apply(lambda tx: tx.run("update coupon set journey = 1"))
    store.close()
    outcome = CliRunner().invoke(app, ["doctor"])
    assert "✗ coupons    no code is left in the pool CART10" in outcome.stdout
    assert "segue coupons add CART10 FILE" in outcome.stdout


def test_a_pool_that_makes_codes_is_described_and_what_is_not_named_stays() -> None:
    assert segue("set", "SUMMER", "--pattern", "SUMMER-{8}", "--days", "30").stdout == (
        "SUMMER: 0 codes, made as SUMMER-{8}.\n"
    )
    line = json.loads(segue("set", "SUMMER", "--until", "2099-12-31", "--low", "50", "--json").stdout)
    assert line == {
        "pool": "SUMMER",
        "codes": 0,
        "free": 0,
        "redeemed": 0,
        "pattern": "SUMMER-{8}",
        "days": 30,
        "until": "2100-01-01T00:00:00Z",
        "low": False,
    }
    segue("set", "SUMMER", "--until", "2020-01-31")
    assert segue().stdout == "SUMMER  0 codes, made as SUMMER-{8}; closed since 2020-01-31\n"


def test_a_pool_with_few_codes_left_runs_low() -> None:
    segue("add", "CART10", "codes.txt")
    segue("set", "CART10", "--low", "5")
    assert segue().stdout == "CART10  3 of 3 codes left; runs low\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "P", "--pattern", "SUMMER"), "a code needs 6 letters"),
        (("set", "P", "--until", "soon"), "'soon' is no day"),
        (("add", "P", "codes.txt", "--expires", "31.12.2026"), "'31.12.2026' is no day"),
        (("set", " ", "--low", "1"), "is no name for a pool"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    outcome = segue(*words)
    assert outcome.exit_code == 2
    assert said in outcome.stderr


def test_codes_that_have_expired_are_not_left() -> None:
    segue("add", "CART10", "codes.txt", "--expires", "2099-01-31")
    with sqlite3.connect("segue.db") as store:
        store.execute("update coupon set expires = 1")
    assert segue().stdout == "CART10  0 of 3 codes left; runs low\n"


def test_who_has_which_code_is_exported_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    store = Store(tmp_path / "segue.db")
    stage = Stage(store, 'event paid\nwhen paid send email "a" with code = coupon("CART10")')
    stage.arrive(None, "=cmd()", traits={"email": "x@example.com"})
    stage.arrive("paid", "=cmd()", id="1", traits={})
    Path("codes.txt").write_text("+A1\nB2\n", encoding="utf-8")
    segue("add", "CART10", "codes.txt")
    stage.claim()
    stage.arrive("ordered", "bob", id="2", coupon="+a1")
    store.close()
    assert segue("export", "CART10").stdout == (
        "code,customer,rule,at,expires,redeemed\n'+A1,'=cmd(),paid,2026-05-28T20:26:40Z,,2026-05-28T20:26:40Z\n"
    )
    assert json.loads(segue("export", "CART10", "--json").stdout) == {
        "code": "+A1",
        "customer": "=cmd()",
        "rule": "paid",
        "at": "2026-05-28T20:26:40Z",
        "expires": None,
        "redeemed": "2026-05-28T20:26:40Z",
    }
    assert segue("export", "NONE").exit_code == 1


def test_the_doctor_warns_of_a_pool_before_it_is_empty() -> None:
    segue("add", "CART10", "codes.txt")
    segue("set", "CART10", "--low", "5")
    segue("set", "MADE", "--pattern", "{8}")
    found = [json.loads(line) for line in CliRunner().invoke(app, ["doctor", "--json"]).stdout.splitlines()]
    coupons = [(one["well"], one["found"], one["advice"]) for one in found if one["what"] == "coupons"]
    assert coupons == [
        (False, "3 of 3 codes left in the pool CART10: it runs low", "segue coupons add CART10 FILE"),
    ]
