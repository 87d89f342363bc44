"""The same shop and the same period give the same orders, revenue, refunds and net, whichever command is asked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from segue.api import Event, Instant
from segue.api.values import DAY, HOUR
from segue.cli.main import app
from segue.runtime.assembly import assemble
from segue.runtime.ingest import ingest
from segue.runtime.publishing import resume
from segue.store.database import Store

RULES: Final = """\
rule hello
  when signed_up
  holdout 50%
  goal ordered within 2d worth total
  send email "hello"
"""
TOML: Final = '[channels.email]\nuse = "console"\nconsent = "opt-out"\ncost = "0.5 EUR"\n'
NOW: Final = Instant(time.time_ns() // 1000)

Told = tuple[float, float, str, str, dict[str, Any]]
"""Days ago, days until it arrived, who, what, and the fields."""


def _story() -> Iterator[Told]:
    for number in range(1, 13):
        yield 20, 0, f"c{number}", "signed_up", {}
    # Nine of them order a day later: by the shop, and some of it again by the till's system, an hour off.
    for number in range(1, 10):
        currency = {} if number % 3 else {"currency": "USD"}
        yield 19, 0, f"c{number}", "ordered", {"order_id": str(number), "total": 10 * number, **currency}
        if number % 2:
            yield 19 - 1 / 24, 0, f"c{number}", "ordered", {"order_id": number, "total": 10 * number, **currency}
    yield 10, 0, "c1", "order_refunded", {"order_id": "1", "amount": 4, "refund_id": "r1"}
    yield 9, 0, "c1", "order_refunded", {"order_id": "1", "amount": 4, "refund_id": "r1"}
    yield 9, 0, "c1", "order_refunded", {"order_id": "1", "total": 3}
    yield 8, 0, "c2", "order_refunded", {"order_id": "2"}
    yield 8, 0, "c3", "order_refunded", {"order_id": "3", "total": 5}
    yield 8, 0, "c4", "order_refunded", {"order_id": "4", "total": 5, "currency": "SEK"}
    yield 7, 0, "c5", "order_cancelled", {"order_id": "5"}
    yield 7, 0, "c6", "order_refunded", {"order_id": "no such order", "total": 2}
    # Ordered before the period, paid back in it, and told of again in it.
    yield 40, 0, "old", "ordered", {"order_id": "90", "total": 500}
    yield 6, 0, "old", "order_refunded", {"order_id": "90", "total": 100}
    yield 5, 0, "old", "ordered", {"order_id": "90", "total": 500}
    # Came three days late; names no order; names no value; is below nothing; names nobody.
    yield 25, 3, "late", "ordered", {"order_id": "91", "total": 70}
    yield 4, 0, "plain", "ordered", {"total": 7.5}
    yield 4, 0, "plain", "ordered", {"total": 7.5}
    yield 4, 0, "plain", "ordered", {"order_id": "92"}
    yield 4, 0, "plain", "ordered", {"order_id": "93", "total": -3}
    yield 3, 0, "", "ordered", {"order_id": "94", "total": 11}


ORDERS: Final = {"EUR": 11, "USD": 3}
GROSS: Final = {"EUR": 10 + 20 + 40 + 70 + 80 + 70 + 15 + 11, "USD": 30 + 60 + 90}
REFUNDS: Final = {"EUR": 7 + 20, "USD": 5}
GOALS: Final = {"EUR": (10 + 20 + 40 + 50 + 70 + 80, 7 + 20 + 50), "USD": (30 + 60 + 90, 5)}


@pytest.fixture(scope="module", autouse=True)
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    root = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        Path("segue.toml").write_text(TOML, encoding="utf-8")
        Path("rules").mkdir()
        Path("rules", "a.rules").write_text(RULES, encoding="utf-8")
        assert CliRunner().invoke(app, ["publish"]).exit_code == 0
        store = Store(root / "segue.db", durable=False)
        running = store.apply(lambda tx: resume(tx, assemble(root).setting))
        assert running is not None
        told = sorted(enumerate(_story()), key=lambda one: one[1][1] - one[1][0])
        for number, (ago, late, who, name, fields) in told:
            at = Instant(NOW - round(ago * DAY))
            event = Event(
                message_id=str(number),
                timestamp=at,
                source="shop",
                name=name,
                user_id=who or None,
                properties=fields,
                traits={"email": f"{who}@x.test"} if who else {},
            )
            store.apply(partial(ingest, running=running, events=[event], now=Instant(at + round(late * DAY) + HOUR)))
        store.close()
        yield


def ask(*words: str) -> dict[str, list[dict[str, Any]]]:
    outcome = CliRunner().invoke(app, [*words, "--json"])
    assert outcome.exit_code == 0, outcome.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for line in outcome.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record.get("table", ""), []).append(record)
    return found


@pytest.fixture(scope="module")
def report() -> dict[str, list[dict[str, Any]]]:
    return ask("report")


def test_the_report_tells_what_the_story_comes_to(report: dict[str, list[dict[str, Any]]]) -> None:
    money = {one["currency"]: (one["orders"], one["refunds"]) for one in report["money"]}
    assert money == {currency: (GROSS[currency], REFUNDS[currency]) for currency in ("EUR", "USD")}
    (orders,) = (one["now"] for one in report["headline"] if one["what"] == "orders")
    assert orders == sum(ORDERS.values()) == sum(one["orders"] for one in report["days"])
    for currency, amount in GROSS.items():
        assert sum(one["orders"] for one in report["money_by_day"] if one["currency"] == currency) == amount


def test_spend_and_attribute_tell_the_same_of_orders() -> None:
    revenue = {one["currency"]: one for one in ask("spend")["revenue"] if one["goal"] == "orders"}
    credited = ask("attribute", "--model", "last")["attribution"]
    for currency, number in ORDERS.items():
        one = revenue[currency]
        assert (one["conversions"], one["gross"], one["refunds"]) == (number, GROSS[currency], REFUNDS[currency])
        assert one["net"] == GROSS[currency] - REFUNDS[currency]
        ours = [each for each in credited if each["currency"] == currency]
        assert sum(each["conversions"] for each in ours) == number
        assert sum(each["value"] for each in ours) == pytest.approx(one["net"])


def test_every_command_tells_the_same_of_goals(report: dict[str, list[dict[str, Any]]]) -> None:
    reported = {one["currency"]: (one["worth"], one["refunds"]) for one in report["rule_results"]}
    revenue = [one for one in ask("spend")["revenue"] if one["goal"] == "hello"]
    credited = ask("attribute", "--model", "last", "--goal", "hello")["attribution"]
    worth = ask("experiment", "hello")["worth"]
    assert reported == GOALS == {one["currency"]: (one["gross"], one["refunds"]) for one in revenue}
    for currency, (gross, refunds) in GOALS.items():
        assert sum(one["value"] for one in credited if one["currency"] == currency) == gross - refunds
        assert sum(one["worth"] for one in worth if one["currency"] == currency) == gross
    met = {
        "report": report["rule_results"][0]["conversions"],
        "spend": sum(one["conversions"] for one in revenue),
        "attribute": sum(one["conversions"] for one in credited),
        "funnel": sum(one["converted"] for one in ask("funnel", "hello")["journeys"]),
        "experiment": sum(one["converted"] for one in ask("experiment", "hello")["groups"]),
    }
    assert set(met.values()) == {9}, met


def test_the_notes_say_what_was_left_out_alike() -> None:
    said = [CliRunner().invoke(app, [*words], env={"COLUMNS": "200"}).stdout for words in (["spend"], ["attribute"])]
    assert CliRunner().invoke(app, ["report", "--out", "page.html"]).exit_code == 0
    for text in (" ".join(one.split()) for one in (*said, Path("page.html").read_text(encoding="utf-8"))):
        for note in (
            "5 orders told of a second time, and counted once.",
            "1 order cancelled, and not counted.",
            "1 order without a value: counted as worth nothing.",
            "1 order with a value below 0: counted as worth nothing.",
            "Paid back in this period of orders from before it, and counted with these: 100.00 EUR.",
            "2 refunds or cancellations (2.00 EUR, 5.00 SEK) of an order that is not there",
            "Refunds count in the period of their order, however late they come",
        ):
            assert note in text


def test_a_customer_s_card_tells_the_same_of_them() -> None:
    for who, orders, totals in (
        ("c1", 1, {"EUR": "3"}),
        ("c5", 0, {}),
        ("c3", 1, {"USD": "25"}),
        ("plain", 4, {"EUR": "15"}),
    ):
        ((card,),) = ask("customer", "show", who).values()
        assert (card["orders"]["count"], card["orders"]["totals"]) == (orders, totals)


def test_the_days_before_have_the_earlier_order_and_its_refund() -> None:
    day = ask(
        "report", "--since", "1970-01-01", "--until", time.strftime("%Y-%m-%d", time.gmtime(NOW // 10**6 - 38 * 86_400))
    )
    assert [(one["orders"], one["refunds"]) for one in day["money"]] == [(500, 100)]


def test_a_week_knows_of_orders_from_long_before_it() -> None:
    found = CliRunner().invoke(app, ["spend", "--last", "7d"], env={"COLUMNS": "200"}).stdout
    assert "of orders from before it, and counted with these: 100.00 EUR." in " ".join(found.split())
    (money,) = ask("report", "--last", "7d")["money"]
    # Without the order of 500 EUR that was told of again five days ago.
    assert (money["currency"], money["orders"], money["refunds"]) == ("EUR", 26, 0)
