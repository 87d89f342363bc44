"""A customer's card, from the command line and over HTTP, on a real daemon; and the record of who looked."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon, Project, console_table, identify, track

TILL, DESK = "a-key-for-the-till-1", "a-key-for-the-desk-2"
READERS = """
[readers.till]
key = { file = "till.key" }

[readers.desk]
key = { file = "desk.key" }
role = "support"
"""


@pytest.fixture(scope="module", name="shop")
def a_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("shop")
    project = Project(
        root,
        rules='segment regulars\n  where count(ordered) >= 2\nwhen cart_abandoned wait 1d send email "cart_abandoned"',
        channels=console_table("email", root / "mails") + READERS,
    )
    for name, key in (("till", TILL), ("desk", DESK)):
        (root / f"{name}.key").write_text(key)
    with Daemon(project):
        order: dict[str, Any] = {"currency": "EUR", "products": [{"product_id": "p1", "name": "Scarf"}]}
        project.send(
            identify("ann", email="ann@example.com", phone="+358401234567", firstName="Ann"),
            identify("bea", email="shared@example.com"),
            identify("cid", email="shared@example.com"),
            track("ann", "Order Completed", "m1", order_id="o1", total=60, **order),
            track("ann", "Order Completed", "m2", order_id="o2", total=40.5, **order),
            track("ann", "Cart Abandoned", total=35, currency="EUR"),
        )
        yield project


def ask(project: Project, question: dict[str, str], key: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{project.port}/v1/customers/lookup",
        json.dumps(question).encode(),
        {"authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_till_finds_a_customer_by_what_they_say(shop: Project) -> None:
    status, card = ask(shop, {"phone": "+358 40 1234567"}, TILL)
    assert status == 200
    assert (card["customer"], card["traits"]["email"]) == ("ann", "a…@example.com")
    assert (card["orders"]["count"], card["orders"]["totals"]) == (2, {"EUR": "100.5"})
    assert [order["items"] for order in card["orders"]["newest"]] == [["Scarf"], ["Scarf"]]
    assert (card["segments"], [one["rule"] for one in card["inside"]]) == (["regulars"], ["cart_abandoned"])
    assert card["events"] == []


def test_a_code_finds_the_customer_it_was_made_for_and_a_changed_one_nobody(shop: Project) -> None:
    token = shop.command("customer", "code", "ann").out.splitlines()[-1]
    assert ask(shop, {"code": token}, TILL)[1]["customer"] == "ann"
    status, answer = ask(shop, {"code": token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]}, TILL)
    assert status == 400
    assert "damaged" in answer["message"]


def test_an_address_that_two_share_tells_nobody(shop: Project) -> None:
    status, answer = ask(shop, {"email": "shared@example.com"}, TILL)
    assert status == 400
    assert "2 customers share this email" in answer["message"]


def test_every_look_is_on_record(shop: Project) -> None:
    before = len(shop.command("customer", "looks", "ann", "--json").records)
    ask(shop, {"email": "ann@example.com"}, DESK)
    ask(shop, {"customer": "ann"}, "not a key at all")
    looks = shop.command("customer", "looks", "ann", "--json").records[before:]
    assert [(one["reader"], one["role"], one["known_by"]) for one in looks] == [("desk", "support", "email")]


def test_the_command_shows_the_card(shop: Project) -> None:
    shown = shop.command("customer", "show", "ann@example.com")
    assert shown.code == 0
    for words in ("Ann", "regulars", "2 orders, 100.5 EUR", "cart_abandoned", "reaches them"):
        assert words in shown.out
    (card,) = shop.command("customer", "show", "ann", "--json").records
    assert [event["event"] for event in card["events"]].count("ordered") == 2
    assert shop.command("customer", "show", "nobody").code == 1


@pytest.mark.parametrize(("name", "start"), [("code.svg", b"<?xml"), ("code.png", b"\x89PNG")])
def test_a_code_is_drawn_into_a_file(shop: Project, tmp_path: Path, name: str, start: bytes) -> None:
    assert shop.command("customer", "code", "ann", "-o", str(tmp_path / name)).code == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    assert shop.command("customer", "code", "ann", "-o", str(tmp_path / "code.gif")).code == 2
