"""``segue experiment``: what is found in customers who went through the real runtime, whose behaviour was planted."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from segue.api import Event, Instant, Sent
from segue.api.values import DAY, HOUR
from segue.cli.main import app
from segue.messages.catalogue import Catalogue
from segue.runtime.dispatch import Claim
from segue.runtime.publishing import publish, resume
from segue.scenario.replay import Arrival, Replay
from segue.store.database import Store, change
from tests.acceptance.drivers import read_rules, setting

START = Instant(1_780_272_000_000_000)
RULES = """
rule carts
  when cart_abandoned
  goal ordered within 3d worth total
  holdout 20%
  split "words" 50% "plain" send email "offer" 50% "warm" send email "warm" end
"""


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["experiment", *arguments])
    return result.exit_code, result.stdout, result.stderr


def records(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    assert "NaN" not in out
    assert "Infinity" not in out
    found: dict[str, list[dict[str, Any]]] = {}
    for line in out.splitlines():
        record = json.loads(line)
        found.setdefault(record.pop("table"), []).append(record)
    return found


DAYS = 10


def fill(path: Path, customers: int, buys: Callable[[str | None, Random], bool], rules: str = RULES) -> None:
    """So many customers leave a cart on each of ten days, and on the day after buy or not, by the message they got."""
    store = Store(path, durable=False)
    got: dict[str, str] = {}
    random = Random(4)

    def prepare(tx: Any) -> Any:
        publish(tx, read_rules(rules), START, "test")
        return resume(tx, setting())

    def answer(claimed: Claim, _moment: Instant) -> Sent:
        got[claimed.customer] = claimed.message
        return Sent()

    def of_day(day: int) -> Iterator[Arrival]:
        for number in range(customers):
            at = START + day * DAY + HOUR + number * 1_000_000
            if day < DAYS:
                yield arrival("cart_abandoned", f"c{day}-{number}", at, {})
            earlier = f"c{day - 1}-{number}"
            if day and buys(got.get(earlier), random):
                yield arrival("ordered", earlier, at, {"total": round(20 + random.random() * 60, 2), "currency": "EUR"})

    try:
        replay = Replay(store, store.apply(prepare), Catalogue(), answer=answer)
        for day in range(DAYS + 1):
            for _ in replay.run(of_day(day), Instant(START + (day + 1) * DAY)):
                pass
        for _ in replay.run(iter(()), None):
            pass
    finally:
        store.close()


def arrival(name: str, user: str, at: int, fields: dict[str, Any]) -> Arrival:
    event = Event(
        message_id=f"{name}-{user}",
        timestamp=Instant(at),
        source="test",
        name=name,
        user_id=user,
        properties=fields,
        traits={"email": f"{user}@x.test"},
    )
    return Arrival(event, Instant(at))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "segue.toml").write_text('database = "segue.db"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "segue.db"
    rates = {None: 0.10, "offer": 0.15, "warm": 0.30}
    fill(path, 300, lambda message, random: random.random() < rates[message])
    return path


@pytest.fixture
def sold(shop: Path, filled: Path) -> Path:
    (shop / "segue.toml").write_text(f'database = "{filled}"\n', encoding="utf-8")
    return shop


def test_a_planted_effect_is_found(sold: Path) -> None:
    found = records("carts")
    held, treated = (one for one in found["groups"] if one["experiment"] == "holdout")
    assert held["arm"] == "holdout"
    assert held["drawn"] + treated["drawn"] == held["customers"] + treated["customers"] == 300 * DAYS
    assert 0.17 < held["drawn"] / (300 * DAYS) < 0.23
    assert treated["low"] < 0.225 - 0.10 < treated["high"]
    assert treated["low"] > 0
    assert treated["probability"] > 0.999
    (words,) = (one for one in found["groups"] if one["experiment"] == "words" and one["arm"] == "warm")
    assert words["low"] < 0.15 < words["high"]
    assert {one["sound"] for one in found["experiments"]} == {"yes"}
    assert {one["currency"] for one in found["worth"]} == {"EUR"}
    (plain, warm) = (one for one in found["worth"] if one["experiment"] == "words")
    assert warm["difference"] == pytest.approx(warm["mean"] - plain["mean"])


def test_however_often_one_looks_the_interval_is_wider_and_finds_it_too(sold: Path) -> None:
    once, always = (records("carts", *more)["groups"][1] for more in ((), ("--sequential",)))
    assert always["low"] < once["low"]
    assert always["high"] > once["high"]
    assert always["low"] > 0


def test_the_verdict_stands_above_its_numbers(sold: Path) -> None:
    code, out, err = run("carts")
    assert (code, err) == (0, "")
    assert " more conversions of 100 customers than without its messages." in " ".join(out.split())
    assert out.index("The rule brings") < out.index("Groups")
    assert "“warm” brings" in out


def test_what_was_done_before_is_taken_out_where_anything_was(sold: Path) -> None:
    code, out, _ = run("carts", "--cuped", "30d")
    assert code == 0
    assert "--cuped changes nothing" in out


def test_tables_are_written_as_csv(sold: Path) -> None:
    code, _, err = run("carts", "--csv", "out")
    assert code == 0, err
    assert sorted(path.name for path in (sold / "out").iterdir()) == ["experiments.csv", "groups.csv", "worth.csv"]


def test_a_plan_by_numbers_of_one_s_own(sold: Path) -> None:
    numbers = ("--rate", "0.1", "--per-day", "200", "--effect", "0.03")
    (planned,) = records("carts", "--plan", *numbers)["plan"]
    assert 20 < planned["days"] < 40
    assert planned["customers"] == pytest.approx((planned["days"] - 3) * 200, rel=0.01)
    code, out, _ = run("carts", "--plan", *numbers)
    assert code == 0
    assert f"about {planned['days']:.0f} days" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cart",), "did you mean carts?"),
        (("carts", "--sequential", "--cuped", "30d"), "not both"),
        (("carts", "--cuped", "soon"), "such as 30d"),
        (("--plan",), "name it"),
        (("carts", "--effect", "0.1"), "belong to --plan"),
        (("carts", "--plan", "--rate", "0.1", "--per-day", "9", "--effect", "0"), "no experiment finds it"),
        (("carts", "--plan", "--rate", "2", "--per-day", "9", "--effect", "0.1"), "between 0 and 1"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_do(sold: Path, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err


def test_a_period_in_which_nobody_came(sold: Path) -> None:
    code, out, _ = run("carts", "--until", "2020-01-01")
    assert code == 0
    assert "nobody came into holdout or treated" in out


def test_a_store_without_experiments_says_how_to_begin_one(shop: Path) -> None:
    Store(shop / "segue.db").close()
    code, out, err = run()
    assert (code, out) == (0, "")
    assert "write `holdout 5%`" in err


def test_a_rule_whose_holdout_nobody_came_into_yet(shop: Path) -> None:
    fill(shop / "segue.db", 0, lambda message, random: False)
    assert "nobody was put into its holdout or splits yet" in run("carts")[2]


def test_a_rule_without_a_goal_says_that_it_needs_one(shop: Path) -> None:
    fill(shop / "segue.db", 3, lambda message, random: False, "rule carts when cart_abandoned holdout 50% wait 1h")
    code, _, err = run()
    assert code == 0
    assert "carts has no goal" in err


def test_two_splits_are_factors_that_combine(shop: Path) -> None:
    """Both are of one rule: the words of the mail, and when it comes; only the words do anything."""
    rules = """
rule carts
  when cart_abandoned
  goal ordered within 3d
  split "when" 50% "now" wait 1min 50% "later" wait 30min end
  split "words" 50% "plain" send email "offer" 50% "warm" send email "warm" end
"""
    fill(shop / "segue.db", 100, lambda message, random: random.random() < (0.5 if message == "warm" else 0.1), rules)
    effects = {one["factor"]: one for one in records("carts")["factors"]}
    assert effects.keys() == {"when", "words", "when × words"}
    assert effects["words"]["low"] < 0.4 < effects["words"]["high"]
    assert effects["words"]["p_adjusted"] == pytest.approx(3 * effects["words"]["p"])
    _, out, _ = run("carts")
    assert "Of the 1,000 customers who came into every split" in out
    assert "3 effects are looked at at once" in " ".join(out.split())
    assert effects["when"]["low"] < 0 < effects["when"]["high"]
    assert effects["when × words"]["low"] < 0 < effects["when × words"]["high"]
    change(shop / "segue.db", lambda tx: tx.run("delete from exposure where arm = 'warm' and id % 3 = 0"))
    found = records("carts")
    assert "factors" not in found
    assert {one["sound"] for one in found["experiments"]} == {"yes", "no"}
    assert all(one["difference"] is None for one in found["groups"] if one["experiment"] == "words")
    assert "carts: the groups of “words” are not the size they should be, so its splits are not combined" in run()[2]


def test_a_plan_of_a_split_holds_the_smallest_arm_beside_the_first(shop: Path) -> None:
    rules = """
rule three
  when cart_abandoned
  goal ordered within 3d
  split "words" 60% "plain" send email "offer" 30% "warm" send email "warm" 10% "none" end
"""
    fill(shop / "segue.db", 0, lambda *_: False, rules)
    given = ["three", "--plan", "--rate", "0.1", "--per-day", "200"]
    (ours,) = records(*given, "--effect", "0.05")["plan"]
    (two,) = records(*given, "--effect", "0.05", "--share", "0.6")["plan"]
    assert ours["customers"] > 2.5 * two["customers"]
    assert "by an interval of 97.5%" in " ".join(run(*given)[1].split())


@pytest.mark.parametrize("per_day", ["nan", "inf", "0", "-3"])
def test_a_plan_refuses_a_pace_that_is_none(sold: Path, per_day: str) -> None:
    code, _, err = run("carts", "--plan", "--rate", "0.1", "--per-day", per_day)
    assert code == 2
    assert "--per-day must be above 0, and a number" in err


def test_a_split_that_learns_is_compared_by_the_shares_that_it_had(shop: Path) -> None:
    """From the fourth day on most customers get the warm words."""
    rules = """
rule carts
  when cart_abandoned
  goal ordered within 2d
  split "words" towards ordered 50% "plain" send email "offer" 50% "warm" send email "warm" end
"""
    fill(shop / "segue.db", 250, lambda message, random: random.random() < (0.4 if message == "warm" else 0.2), rules)
    found = records("carts")
    (judged,) = found["experiments"]
    assert (judged["sound"], judged["method"]) == ("yes", "one look, weighted")
    plain, warm = found["groups"]
    assert warm["customers"] > 2 * plain["customers"]
    assert 0 < warm["low"] < 0.2 < warm["high"]
    assert warm["expected"] == pytest.approx(warm["drawn"], rel=0.05)
    code, out, err = run("--cuped", "30d")
    assert code == 0
    assert "carts: --cuped takes nothing out, for the shares of “words” were changed meanwhile" in err
    assert "the difference is not simply that of the rates above" in " ".join(out.split())


def test_a_split_that_learns_without_a_goal_is_not_compared_and_it_is_said(shop: Path) -> None:
    rules = """
rule carts
  when cart_abandoned
  split "words" towards ordered 50% "plain" send email "offer" 50% "warm" send email "warm" end
"""
    fill(shop / "segue.db", 5, lambda _, random: random.random() < 0.5, rules)
    code, out, err = run()
    assert (code, out) == (0, "")
    assert "carts has no goal, so there is nothing to compare" in err
    assert "its split goes on learning all the same" in err


def test_who_reaches_a_split_when_the_goal_no_longer_counts_is_left_out_and_told(shop: Path) -> None:
    rules = """
rule carts
  when cart_abandoned
  goal ordered within 1d
  wait 2d
  split "words" 50% "plain" send email "offer" 50% "warm" send email "warm" end
"""
    fill(shop / "segue.db", 10, lambda _, random: random.random() < 0.5, rules)
    out = " ".join(run()[1].split())
    assert "100 are left out: they had met the goal before, or its time was over" in out


@pytest.mark.parametrize("library", ["scipy", "statsmodels"])
def test_statistics_that_are_not_installed_are_named(sold: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    found = importlib.import_module

    def without(module: str) -> Any:
        if module.startswith(library):
            raise ModuleNotFoundError(module)
        return found(module)

    monkeypatch.setattr("segue.measure.experiments.missing.importlib.import_module", without)
    assert run() == (2, "", f"segue: {library} is not installed: pip install 'segue[measure]'\n")


def test_tables_are_written_as_parquet(sold: Path) -> None:
    import pyarrow.parquet

    assert run("--parquet", "out")[0] == 0
    groups = pyarrow.parquet.read_table(sold / "out" / "groups.parquet").to_pylist()
    assert [(one["arm"], one["difference"] is None) for one in groups if one["experiment"] == "holdout"] == [
        ("holdout", True),
        ("treated", False),
    ]


def test_a_period_holds_those_who_came_in_it_from_its_first_moment(sold: Path) -> None:
    def counted(*span: str) -> int:
        return sum(one["drawn"] for one in records(*span)["groups"] if one["experiment"] == "holdout")

    first = datetime.fromtimestamp(START / 1_000_000, UTC)
    came = first + timedelta(hours=1)
    until = "--until", f"{first + timedelta(days=1):%Y-%m-%d}"
    assert counted() == 3000
    assert counted("--since", f"{came:%Y-%m-%dT%H:%M:%S}", *until) == 600  # through the second day
    assert counted("--since", f"{came + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}", *until) == 599
