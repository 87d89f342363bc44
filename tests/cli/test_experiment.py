"""``segue experiment``: what is found in customers who went through the real runtime, whose behaviour was planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
from segue.store.database import Store
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
