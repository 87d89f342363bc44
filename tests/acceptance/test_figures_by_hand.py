"""The figures of all commands of measurement are those that are worked out by hand from the same random shop."""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from segue.api.values import DAY
from segue.cli.main import app
from tests.acceptance.by_hand import CLICKED, MODELS, OPENED, Letter, Order, credits, orders_of, paths_of, touches_of
from tests.acceptance.random_shop import START, Shop

_ZONE = ZoneInfo("Europe/Helsinki")
WINDOWS = {"hello": 5 * DAY, "carts": 3 * DAY}
Tables = Mapping[str, list[dict[str, Any]]]


class Period:
    """Some days, and what was counted in them."""

    def __init__(self, first: int, days: int) -> None:
        begin = datetime.fromtimestamp(START / 10**6, _ZONE) + timedelta(days=first)
        end = begin + timedelta(days=days - 1)
        self.words = ("--since", begin.date().isoformat(), "--until", end.date().isoformat())
        self.since, self.until = (int(one.timestamp()) * 10**6 for one in (begin, end + timedelta(days=1)))
        self.days = days

    def __contains__(self, moment: int) -> bool:
        return self.since <= moment < self.until


def day_of(moment: int) -> str:
    return datetime.fromtimestamp(moment / 10**6, _ZONE).date().isoformat()


def ask(*words: str) -> dict[str, list[dict[str, Any]]]:
    found = CliRunner().invoke(app, [*words, "--json"])
    assert found.exit_code == 0, found.stderr
    assert "NaN" not in found.stdout
    of: dict[str, list[dict[str, Any]]] = {}
    for record in map(json.loads, found.stdout.splitlines()):
        of.setdefault(record.pop("table"), []).append(record)
    return of


@pytest.fixture(scope="module", params=[1], ids=lambda seed: f"seed {seed}")
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("shop") / "project"
    made = Shop(root, request.param)
    with contextlib.chdir(root):
        yield made


@pytest.fixture(scope="module", params=[(0, 60), (12, 20)], ids=["all", "some days"])
def period(request: pytest.FixtureRequest) -> Period:
    return Period(*request.param)


@pytest.fixture(scope="module")
def report(shop: Shop, period: Period) -> Tables:
    return ask("report", *period.words)


def _models() -> list[str]:
    return [word for model in MODELS for word in ("--model", model)]


@pytest.mark.parametrize("by", ["channel", "campaign", "rule"])
def test_models_give_what_they_do_by_hand(shop: Shop, period: Period, by: str) -> None:
    touches, orders = touches_of(shop.events, shop.letters, shop.reactions), orders_of(shop.events)
    rows = ask("attribute", *period.words, "--by", by, *_models())["attribution"]
    got = {(one["model"], one["currency"], one[by]): (one["conversions"], one["value"]) for one in rows}
    wanted = credits(*paths_of(touches, orders, period.since, period.until), by)
    assert len(wanted) > 20
    assert {key for key, (conversions, _) in got.items() if conversions} == wanted.keys()
    assert {key: got[key] for key in wanted} == {key: pytest.approx(one) for key, one in wanted.items()}


def test_every_credit_stands_in_the_audit_once(shop: Shop, period: Period, tmp_path: Path) -> None:
    place = tmp_path / "audit.csv"
    ask("attribute", *period.words, "--model", "linear", "--model", "markov", "--audit", str(place))
    with place.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    touches, orders = touches_of(shop.events, shop.letters, shop.reactions), orders_of(shop.events)
    paths, _ = paths_of(touches, orders, period.since, period.until)
    wanted = Counter((to_second(order.at), order.customer) for order, met in paths for _ in met)
    linear = [one for one in rows if one["model"] == "linear"]
    assert Counter((one["converted_at"][:19], one["customer"]) for one in linear) == wanted
    for model in ("linear", "markov"):
        ours = [one for one in rows if one["model"] == model]
        assert sum(float(one["conversions"]) for one in ours) == pytest.approx(len(paths))
        assert sum(float(one["value"]) for one in ours) == pytest.approx(float(sum(order.net for order, _ in paths)))


def to_second(moment: int) -> str:
    return datetime.fromtimestamp(moment // 10**6, ZoneInfo("UTC")).isoformat()[:19]


def test_days_add_up_to_their_weeks(shop: Shop) -> None:
    whole, parts = Period(14, 14), [Period(14 + 2 * day, 2) for day in range(7)]
    sums: Counter[tuple[str, str, str]] = Counter()
    for part in parts:
        for one in ask("attribute", *part.words, *_models()).get("attribution", []):
            sums[one["model"], one["currency"], one["channel"]] += one["value"]
    rows = ask("attribute", *whole.words, *_models())["attribution"]
    got = {(one["model"], one["currency"], one["channel"]): one["value"] for one in rows}
    assert {key: one for key, one in got.items() if one} == pytest.approx(
        {key: one for key, one in sums.items() if one}
    )


def _in(orders: list[Order], period: Period) -> dict[str, tuple[int, float, float]]:
    found: dict[str, tuple[int, float, float]] = {}
    for order in orders:
        if order.at in period:
            number, gross, back = found.get(order.currency, (0, 0.0, 0.0))
            found[order.currency] = number + 1, gross + float(order.gross), back + float(order.back)
    return found


def test_revenue_and_refunds_are_those_of_the_orders(shop: Shop, period: Period, report: Tables) -> None:
    orders = orders_of(shop.events)
    wanted = _in(orders, period)
    assert len(wanted) > 1
    spend = [one for one in ask("spend", *period.words)["revenue"] if one["goal"] == "orders"]
    got = {one["currency"]: (one["conversions"], one["gross"], one["refunds"]) for one in spend}
    assert got == {key: pytest.approx(one) for key, one in wanted.items()}
    money = {one["currency"]: (one["orders"], one["refunds"]) for one in report["money"]}
    assert {key: money.get(key, (0, 0)) for key in wanted} == {
        key: pytest.approx(one[1:]) for key, one in wanted.items()
    }
    days = Counter(day_of(order.at) for order in orders if order.at in period)
    assert {one["day"]: one["orders"] for one in report["days"] if one["orders"]} == days
    assert len(report["days"]) == period.days


def _costs(letters: list[Letter], by: str) -> dict[tuple[str, str], tuple[int, float]]:
    found: dict[tuple[str, str], tuple[int, Fraction]] = {}
    for one in letters:
        if one.cost:
            key = (day_of(one.decided) if by == "day" else getattr(one, by), one.currency)
            number, cost = found.get(key, (0, Fraction(0)))
            found[key] = number + 1, cost + one.cost
    return {key: (number, float(cost)) for key, (number, cost) in found.items()}


@pytest.mark.parametrize("by", ["channel", "rule", "day"])
def test_messages_cost_what_was_charged_for_those_that_were_not_given_back(shop: Shop, period: Period, by: str) -> None:
    rows = ask("spend", *period.words, "--by", by)[f"spend_by_{by}"]
    wanted = _costs([one for one in shop.letters.values() if one.decided in period], by)
    assert len({one.state for one in shop.letters.values()}) > 2
    got = {(one[by], one["currency"]): (one["messages"], one["cost"]) for one in rows}
    assert got == {key: pytest.approx(one) for key, one in wanted.items()}


def test_the_report_counts_messages_and_what_was_done_with_them(shop: Shop, period: Period, report: Tables) -> None:
    for channel in ("email", "sms"):
        letters = {key: one for key, one in shop.letters.items() if one.decided in period and one.channel == channel}
        states = Counter(one.state for one in letters.values())
        row = next(one for one in report["channel_results"] if one["channel"] == channel)
        assert row["sent"] == states["sent"] + states["undelivered"]
        assert (row["refused"], row["undelivered"]) == (states["refused"], states["undelivered"])
        for what, code in (("opened", OPENED), ("clicked", CLICKED)):
            assert row[what] == len({key for _, done, key in shop.reactions if done == code and key in letters})


def test_funnels_count_each_journey_once_and_where_it_is(shop: Shop, period: Period, report: Tables) -> None:
    entered = {one.key: one.rule for one in shop.lines if one.decision == "entered" and one.at in period}
    ended = {one.key: one.decision for one in shop.lines if one.decision in ("finished", "exited", "failed")}
    converted = {one.key for one in shop.lines if one.decision == "converted"}
    for found in (report["journeys"], ask("funnel", *period.words)["journeys"]):
        for rule in ("hello", "carts"):
            rows = [one for one in found if one["rule"] == rule]
            keys = [key for key, of in entered.items() if of == rule]
            states = Counter(ended.get(key, "inside") for key in keys)
            got = {state: sum(one[state] for one in rows) for state in ("inside", "finished", "exited", "failed")}
            assert got == {state: states[state] for state in got}
            assert sum(one["entered"] for one in rows) == len(keys)
            assert sum(one["converted"] for one in rows) == len(converted.intersection(keys))


def test_groups_are_counted_by_intention_to_treat(shop: Shop) -> None:
    """By the log of draws, as it stands: who was drawn first into what, and whether an order came in the time."""
    period = Period(0, 38)
    with contextlib.closing(sqlite3.connect("segue.db")) as db:
        log = db.execute(
            "select customer.key, rule, experiment, arm, exposure.at from exposure "
            "join customer on customer.id = customer order by exposure.id"
        ).fetchall()
    wanted: dict[tuple[str, str, str], tuple[int, int]] = {}
    seen = set()
    for key, rule, experiment, arm, at in log:
        who, until = key.partition(":")[2], at + WINDOWS[rule]
        if (who, rule, experiment) not in seen and at in period:
            drawn, converted = wanted.get((rule, experiment or "holdout", arm), (0, 0))
            wanted[rule, experiment or "holdout", arm] = drawn + 1, converted + _bought(shop, who, at, until)
        seen.add((who, rule, experiment))
    groups = ask("experiment", *period.words)["groups"]
    got = {(one["rule"], one["experiment"], one["arm"]): (one["customers"], one["converted"]) for one in groups}
    assert {key: one for key, one in got.items() if one[0]} == wanted
    assert any(converted for _, converted in wanted.values())


def _bought(shop: Shop, who: str, at: int, until: int) -> bool:
    """Whether an order of that time was told of while the journey listened."""
    own = [one for one in shop.events if one.customer == who]
    begun = next(one.received for one in own if one.at == at)
    orders = (one for one in own if one.name == "ordered" and at < one.at <= until)
    return any(begun <= one.received <= until + DAY for one in orders)
