"""The look-up for the shop floor: who may ask, how, how often, and what they see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from segue.api import Instant
from segue.host.readers import Reader, open_readers
from segue.runtime.card import Card, as_associate, mask
from segue.runtime.floor import Sought
from segue.store.purchases import Happened, Purchases
from segue.web.lookup import look_up_endpoint
from tests.web.served import Answer, Served, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

TILL, DESK, SLOW = "a-key-for-the-till-1", "a-key-for-the-desk-2", "a-key-that-asks-little"
CARD = Card(
    customer="ann",
    traits={"email": "ann@example.com", "first_name": "Ann", "phone": "+358401234567", "size": "M"},
    zone="Europe/Helsinki",
    reach={"email": None, "sms": "no phone"},
    segments=("lapsed",),
    inside=(),
    purchases=Purchases(0, None, None, {}, ()),
    happened=(Happened(Instant(0), "page_viewed", {"url": "/secret"}),),
    messages=(),
)


class Floor:
    """A shop with one customer; ``now`` is its clock in seconds."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Sought]] = []
        self.now = 0.0

    async def look_up(self, reader: Reader, sought: Sought) -> Card | str | None:
        self.asked.append((reader.name, sought))
        if sought.kind == "code":
            return "this code has expired"
        if sought.value == "nobody":
            return None
        return as_associate(CARD) if reader.role == "associate" else CARD


@pytest_asyncio.fixture(loop_scope="module", scope="module", name="shop")
async def one_shop() -> AsyncIterator[tuple[Served, Floor]]:
    floor = Floor()
    readers = open_readers(
        {
            "till": {"key": TILL, "per_minute": 10_000},
            "desk": {"key": DESK, "role": "support"},
            "slow": {"key": SLOW, "per_minute": 2},
        }
    )
    async with serving(pages=[look_up_endpoint(readers, floor.look_up, lambda: floor.now)]) as served:
        yield served, floor


async def ask(served: Served, question: object, key: str | None = TILL) -> Answer:
    body = question if isinstance(question, bytes) else json.dumps(question).encode()
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return await served.ask("POST", "/v1/customers/lookup", body, headers)


async def test_an_associate_sees_the_card_with_addresses_masked_and_no_history(shop: tuple[Served, Floor]) -> None:
    answer = await ask(shop[0], {"phone": "+358 40 1234567"})
    assert answer.status == 200
    card = answer.json()
    assert card["traits"] == {"email": "a…@example.com", "first_name": "Ann", "phone": "+358…4567"}
    assert card["events"] == []
    assert card["segments"] == ["lapsed"]
    assert card["reach"]["sms"] == {"reached": False, "reason": "no phone"}
    assert answer.headers["cache-control"] == "no-store"


async def test_support_sees_everything(shop: tuple[Served, Floor]) -> None:
    card = (await ask(shop[0], {"customer": "ann"}, DESK)).json()
    assert card["traits"] == CARD.traits
    assert [event["event"] for event in card["events"]] == ["page_viewed"]


@pytest.mark.parametrize(
    ("question", "sought"),
    [
        ({"phone": "1"}, Sought("phone", "1")),
        ({"email": "a@b.c"}, Sought("email", "a@b.c")),
        ({"customer": "ann"}, Sought("customer", "ann")),
        ({"kind": "loyalty", "id": "F-1"}, Sought("loyalty", "F-1")),
    ],
)
async def test_a_customer_is_sought_by_what_was_given(
    shop: tuple[Served, Floor], question: dict[str, str], sought: Sought
) -> None:
    await ask(shop[0], question)
    assert shop[1].asked[-1] == ("till", sought)


async def test_nobody_by_that_name_is_404_and_a_bad_code_says_why(shop: tuple[Served, Floor]) -> None:
    assert (await ask(shop[0], {"customer": "nobody"})).status == 404
    answer = await ask(shop[0], {"code": "x"})
    assert (answer.status, answer.json()["message"]) == (400, "this code has expired")


@pytest.mark.parametrize("key", [None, "", "wrong", TILL + " ", f"{TILL}x", "é" * 20, TILL.swapcase()])
async def test_without_a_good_key_nobody_is_even_sought(shop: tuple[Served, Floor], key: str | None) -> None:
    before = len(shop[1].asked)
    answer = await ask(shop[0], {"customer": "ann"}, key)
    if key == TILL + " ":  # a space at a header's end is no part of it (RFC 9110, section 5.5)
        assert answer.status == 200
        return
    assert answer.status == 401
    assert len(shop[1].asked) == before


HOSTILE: list[Any] = [
    b"",
    b"[]",
    b"null",
    b"{}",
    b"\xff\xfe",
    b'{"phone": 1}',
    b'{"phone": ""}',
    b'{"phone": "1", "email": "a"}',
    b'{"kind": "loyalty"}',
    b'{"id": "F-1"}',
    b'{"telephone": "1"}',
    b'{"phone": "\\ud800"}',
    b"[" * 4000,
    b'{"customer": "' + b"x" * 600 + b'"}',
]


@pytest.mark.parametrize("body", HOSTILE)
async def test_a_bad_question_is_a_400_that_nobody_is_sought_by(shop: tuple[Served, Floor], body: bytes) -> None:
    before = len(shop[1].asked)
    answer = await ask(shop[0], body)
    assert answer.status == 400
    assert answer.json()["message"]
    assert len(shop[1].asked) == before


async def test_a_question_in_the_address_is_not_answered(shop: tuple[Served, Floor]) -> None:
    answer = await shop[0].ask("GET", "/v1/customers/lookup?phone=1", b"", {"authorization": f"Bearer {TILL}"})
    assert answer.status == 405


async def test_a_reader_asks_no_faster_than_agreed(shop: tuple[Served, Floor]) -> None:
    served, floor = shop
    assert [(await ask(served, {"customer": "ann"}, SLOW)).status for _ in range(3)] == [200, 200, 429]
    floor.now += 59.0
    late = await ask(served, {"customer": "ann"}, SLOW)
    assert (late.status, late.headers["retry-after"]) == (429, "1")
    floor.now += 1.0
    assert (await ask(served, {"customer": "ann"}, SLOW)).status == 200


async def test_a_masked_address_reaches_nobody() -> None:
    assert mask("ann@example.com") == "a…@example.com"
    assert mask("+358401234567") == "+358…4567"
    assert mask("12345") == "…"
