"""From events by HTTP over a message, its click and an order with a refund to what `segue attribute` and `segue spend`
say of it: with the real daemon, and beside it."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon, Project, console_table, identify, mailbox, track, wait_until

RULES = """
rule hello
  when signed_up
  goal ordered within 30d worth total
  send email "hello"
"""
HTML = '---\nsubject: Hello\n---\n<p><a href="https://shop.example/new">Look</a></p>\n'
PERSON = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"}
OURS = "https://shop.example/new?utm_source=segue&utm_medium=email&utm_campaign=hello&utm_content=hello"


def page(number: int, url: str, **who: str) -> dict[str, Any]:
    return {"type": "page", "messageId": f"page-{number}", "properties": {"url": url}, **who}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop after a customer came by an ad, signed up, clicked the mail, ordered, and sent a part back."""
    folder = tmp_path_factory.mktemp("shop")
    box = folder / "box.jsonl"
    table = console_table("email", box).replace("[channels.email]\n", '[channels.email]\ncost = "0.25 EUR"\n')
    made = Project(folder / "project", rules=RULES, messages={"hello": {"email.html": HTML}}, channels=table)
    with (made.root / "segue.toml").open("a") as file:
        file.write(f'[tracking]\ndomain = "http://127.0.0.1:{made.port}"\ndomains = ["shop.example"]\n')
    with Daemon(made, speed=3_600):
        made.send(
            page(1, "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring", anonymousId="b1")
        )
        made.send({**identify("ann", email="ann@example.com"), "anonymousId": "b1"}, track("ann", "Signed Up"))
        wait_until(lambda: mailbox(box))
        (link,) = re.findall(r'href="http://127\.0\.0\.1:\d+(/l/[^"]+)"[^>]*>Look', mailbox(box)[0]["content"]["html"])
        made.request("GET", link, headers=PERSON)
        made.send(page(2, OURS, userId="ann"))
        wait_until(lambda: made.rows("select 1 from hit where machine = ''"))
        made.send(track("ann", "Order Completed", order_id="7", total=100, currency="EUR"))
        made.send(track("ann", "Order Completed", "from-the-erp", order_id=7, total=100, currency="EUR"))
        made.send(track("ann", "Order Refunded", order_id="7", total=40, currency="EUR"))
        made.send(track("bob", "Order Completed", order_id="8", total=30, currency="USD"))
        wait_until(lambda: len(made.rows("select 1 from event where name is not null")) >= 7)
        wait_until(made.is_drained)
    return made


def credits(project: Project, *options: str | Path) -> dict[tuple[str, str, str], tuple[float, float]]:
    found = project.command("attribute", "--json", *options)
    assert found.code == 0, found.err
    by = next(name for name in ("channel", "campaign", "rule", "message", "arm") if name in found.records[0])
    return {
        (one["model"], one["currency"], one[by]): (one["conversions"], one["value"])
        for one in found.records
        if one["table"] == "attribution"
    }


def test_the_order_less_its_refund_is_shared_among_the_ad_and_the_mail(project: Project) -> None:
    assert credits(project, "--model", "last", "--model", "linear") == {
        ("last", "EUR", "email"): (1, 60),
        ("last", "EUR", "paid search"): (0, 0),
        ("linear", "EUR", "email"): (0.5, 30),
        ("linear", "EUR", "paid search"): (0.5, 30),
        ("last", "USD", "(no touch)"): (1, 30),
        ("linear", "USD", "(no touch)"): (1, 30),
    }


def test_credit_is_told_by_campaign_and_rule_and_of_goals(project: Project) -> None:
    assert credits(project, "--model", "last", "--by", "campaign")["last", "EUR", "hello"] == (1, 60)
    assert credits(project, "--model", "first", "--by", "campaign")["first", "EUR", "spring"] == (1, 60)
    assert credits(project, "--model", "last", "--by", "message")["last", "EUR", "hello: hello"] == (1, 60)
    assert credits(project, "--model", "last", "--goal", "hello")["last", "EUR", "email"] == (1, 60)


def test_every_credit_is_traced_to_its_touch(project: Project, tmp_path: Path) -> None:
    place = tmp_path / "audit.csv"
    models = ("--model", "linear", "--model", "first")
    told = credits(project, *models, "--audit", place)
    with place.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["what"] for row in rows} == {"visit", "clicked"}
    assert {row["customer"] for row in rows} == {"ann"}
    for model in ("linear", "first"):
        ours = [row for row in rows if row["model"] == model]
        assert sum(float(row["value"]) for row in ours) == pytest.approx(60)
        for row in ours:
            assert told[model, "EUR", row["channel"]][1] == pytest.approx(float(row["value"]))


def test_money_is_what_messages_cost_and_what_is_left(project: Project) -> None:
    found = project.command("spend", "--json")
    assert found.code == 0, found.err
    of: dict[str, list[dict[str, Any]]] = {}
    for one in found.records:
        of.setdefault(one.pop("table"), []).append(one)
    assert of["spend_by_channel"] == [
        {"channel": "email", "currency": "EUR", "messages": 1, "cost": 0.25, "each": 0.25}
    ]
    money = [(one["goal"], one["currency"], one["gross"], one["refunds"], one["net"]) for one in of["revenue"]]
    assert money == [("orders", "EUR", 100, 40, 60), ("orders", "USD", 30, 0, 30), ("hello", "EUR", 100, 40, 60)]
    by_channel = {one["channel"]: (one["value"], one["cost"]) for one in of["returns_by_channel"]}
    assert by_channel["email"] == (60, 0.25)
    assert by_channel["paid search"] == (0, 0)
    (returned,) = of["returns"]
    assert (returned["rule"], returned["value"], returned["cost"], returned["left"]) == ("hello", 60, 0.25, 59.75)
    assert project.command("spend", "--by", "message", "--json").records[0]["message"] == "hello"
    assert "write channel, rule, message, day" in project.command("spend", "--by", "hour").err


def test_what_makes_no_sense_is_said(project: Project, tmp_path: Path) -> None:
    for options, said in (
        (("--goal", "helo"), "no rule helo was ever published to this store; did you mean hello?"),
        (("--by", "color"), "'color' is not one of 'channel'"),
        (("--lookback", "soon"), "--lookback soon: write a number and h, d or w"),
        (("--audit", str(tmp_path / "a.txt")), "must end in .csv or .parquet"),
        (("--model", "magic"), "there is no attribution model “magic”"),
    ):
        found = project.command("attribute", *options)
        assert found.code == 2
        assert said in found.err
