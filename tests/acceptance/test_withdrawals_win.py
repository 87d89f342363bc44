"""A withdrawal that is committed before the moment of sending wins, by whatever way it comes, however close it is."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from segue.api import Answer, Callback, ChannelSpec, Inbound, Instant, Message, Request, Response, Sent
from segue.clock.clock import Clock
from segue.customers.reach import ChannelReach, Reach
from segue.customers.suppression import ASKED, Suppression
from segue.messages.catalogue import Catalogue
from segue.messages.template import template_of
from segue.messages.tokens import Signer
from segue.runtime import sender
from segue.runtime.daemon import Daemon
from segue.runtime.erasing import begin
from segue.runtime.in_hand import InHand
from segue.runtime.links import Links
from segue.runtime.preferences import Choices, look
from segue.store import erasures
from segue.store.consent import put_suppressions
from segue.store.database import Store, Transaction, change, read_only
from segue.web.preferences import CustomerPages
from segue.web.wording import load_words
from tests.engine.stage import setting, spec
from tests.runtime.rulebook import book_of, event

CUSTOMERS = 48
RULES = """
event paid
when signed_up send email "hello" as transactional
rule offers
  when paid
  send email "hello" and sms "hello"
"""


class Wire:
    """A channel that takes a moment for each call, and writes down what it was called for."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.spec: ChannelSpec = spec(name, batch=5, in_flight=3)
        self.called: list[str] = []
        self.kept: dict[str, Message] = {}
        self._chance = chance

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        for message in messages:
            self.called.append(message.key)
            self.kept.setdefault(message.customer, message)
        await asyncio.sleep(self._chance.random() * 0.004)
        return [Sent() for _ in messages]

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        raise AssertionError("nothing is taken back")


class Watched(InHand):
    """Looks, in the moment before a call, at what is committed: a withdrawal that is must stop the message."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.stopped = 0
        self.wronged: set[int] = set()

    def let_go(self, messages: Iterable[int]) -> frozenset[int]:
        numbers = list(messages)
        with read_only(self._path) as tx:
            withdrawn = {
                number
                for (number,) in tx.rows(
                    "select message.id from message join consent on consent.customer = message.customer "
                    "and consent.channel = message.channel and consent.kind = message.kind "
                    "and consent.state = 'withdrawn' where message.id in (select value from json_each(?1)) "
                    "union select message.id from message join suppression on suppression.address = message.address "
                    "and suppression.lifted is null where message.id in (select value from json_each(?1))",
                    (msgspec.json.encode(numbers).decode(),),
                )
            }
        stopped = super().let_go(numbers)
        self.stopped += len(stopped)
        self.wronged |= withdrawn - stopped
        return stopped


def phone_of(number: int) -> str:
    return f"+3584012345{number:02}"


def now() -> Instant:
    return Instant(time.time_ns() // 1000)


class Shop:
    """A daemon, its pages, and what customers do there."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path = path
        self.store = Store(path, durable=False)
        self.store.start()
        self.wires = {name: Wire(name, chance) for name in ("email", "sms")}
        specs = {name: wire.spec for name, wire in self.wires.items()}
        reach = Reach({"email": ChannelReach("email"), "sms": ChannelReach("phone")})
        content = Catalogue(
            {
                ("hello", name, None): template_of("hello", name, None, {"text": "Hi {{ unsubscribe_url }}"})
                for name in specs
            }
        )
        self.links = Links(Signer(["a key of this test"]), "https://shop.example")
        self.daemon = Daemon(
            self.store, Clock(), setting(reach=reach, channels=specs), self.wires, content, links=self.links
        )
        self.hand = self.daemon.in_hand = Watched(path)
        pages = CustomerPages(self.links, self._look, self.daemon.accept, load_words(), now, name="", locale="en")
        self._pages = {(endpoint.methods[0], endpoint.path[:3]): endpoint.answer for endpoint in pages.endpoints()}

    async def _look(self, key: str) -> Choices | None:
        return await asyncio.wrap_future(self.store.write(lambda tx: look(tx, self.daemon.running, key, now())))

    async def post(self, path: str, **form: str) -> Response:
        body = urlencode({name.replace("_", "-"): value for name, value in form.items()}).encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._pages["POST", path[:3]](Request("POST", path, kind, {}, body))

    # The ways to withdraw

    async def by_event(self, number: int) -> None:
        await self.daemon.accept([event("unsubscribed", f"c{number}", at=now(), traits={}, channel="email")])

    async def by_page(self, number: int) -> None:
        answer = await self.post(self.links.path("preferences", self.wires["email"].kept[f"c{number}"].key), do="none")
        assert answer.status == 303

    async def by_one_click(self, number: int) -> None:
        path = self.links.path("unsubscribe", self.wires["email"].kept[f"c{number}"].key)
        assert (await self.post(path, List_Unsubscribe="One-Click")).status == 200

    async def by_stop(self, number: int) -> None:
        words = Inbound(id=f"stop {number}", address=phone_of(number), text="STOP", at=now())
        await self.daemon.settle_callback("sms", Callback(inbound=(words,)))

    async def by_command(self, number: int) -> None:
        await asyncio.to_thread(suppress, self.path, ("email", f"c{number}@example.com"), ("phone", phone_of(number)))


def suppress(path: Path, *addresses: tuple[str, str]) -> None:
    """As `segue suppress` does it, which is another process."""
    rows = [Suppression(sort, address, ASKED, now(), "the shop") for sort, address in addresses]
    change(path, lambda tx: put_suppressions(tx, rows))


async def reached(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not reached in time")


def rows(shop: Shop, sql: str) -> list[tuple[Any, ...]]:
    return shop.store.write(lambda tx: tx.rows(sql)).result(5)


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(2))
async def test_no_message_is_called_once_a_withdrawal_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    rendered: Callable[..., dict[str, str]] = sender.__dict__["render"]

    def slowly(template: Any, values: Any) -> dict[str, str]:
        time.sleep(0.002)  # between the claim and the call, while the store's writer goes on
        return rendered(template, values)

    shop = Shop(tmp_path / "segue.db", chance)
    daemon = shop.daemon
    await daemon.start(book_of(RULES))
    try:
        everyone = [
            event(
                "signed_up",
                f"c{number}",
                at=now(),
                traits={"email": f"c{number}@example.com", "phone": phone_of(number)},
            )
            for number in range(CUSTOMERS)
        ]
        await daemon.accept(everyone)
        await reached(lambda: len(shop.wires["email"].kept) == CUSTOMERS)
        monkeypatch.setattr(sender, "render", slowly)
        ways: list[Callable[[int], Awaitable[None]]] = [shop.by_event, shop.by_page, shop.by_one_click, shop.by_stop]
        ways.append(shop.by_command)

        async def withdraw(number: int) -> None:
            await asyncio.sleep(chance.random() * 0.25)
            await ways[number % len(ways)](number)

        async def buy(number: int) -> None:
            for turn in range(3):
                await asyncio.sleep(chance.random() * 0.1)
                await daemon.accept([event("paid", f"c{number}", at=now(), id=f"{number} {turn}", traits={})])

        await asyncio.gather(*(doing(number) for number in range(CUSTOMERS) for doing in (withdraw, buy)))
        await reached(lambda: not rows(shop, "select 1 from message where settled is null limit 1"))
    finally:
        await daemon.stop()
        await asyncio.to_thread(shop.store.close)

    assert shop.hand.wronged == set()
    assert shop.hand.stopped, "no withdrawal came between a claim and its call: the race was none"
    with read_only(tmp_path / "segue.db") as tx:
        claimed = {
            key.hex(): (customer, channel, kind, at)
            for key, customer, channel, kind, at in tx.rows(
                "select key, customer, channel, kind, claimed from message where claimed is not null"
            )
        }
        withdrawn = {
            (customer, channel, kind): received
            for customer, channel, kind, received in tx.rows(
                "select customer, channel, kind, min(received) from consent where state = 'withdrawn' group by 1, 2, 3"
            )
        }
    assert len({customer for customer, *_ in withdrawn}) >= CUSTOMERS * 4 // 5
    called = [key for wire in shop.wires.values() for key in wire.called]
    too_late = [
        key for key in called if (moment := withdrawn.get(claimed[key][:3])) is not None and claimed[key][3] > moment
    ]
    assert too_late == []


def by_command(shop: Shop) -> None:
    suppress(shop.path, ("email", "c1@example.com"))


def by_erasure(shop: Shop) -> None:
    def erase(tx: Transaction) -> None:
        [(row,)] = tx.rows("select id from customer where key = 'u:c1'")
        begin(tx, shop.daemon.running, erasures.ask(tx, row, "the shop", now()), now())

    shop.store.write(erase).result(5)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("withdraw", "left"),
    [(by_command, ["email suppressed by command"]), (by_erasure, [])],
)
async def test_what_is_suppressed_or_erased_between_the_claim_and_the_call_stops_the_call(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    withdraw: Callable[[Shop], None],
    left: list[str],
) -> None:
    shop = Shop(tmp_path / "segue.db", random.Random(0))
    rendered: Callable[..., dict[str, str]] = sender.__dict__["render"]
    done: list[str] = []

    def render(template: Any, values: Any) -> dict[str, str]:
        if not done:
            done.append("withdrawn")
            withdraw(shop)
        return rendered(template, values)

    monkeypatch.setattr(sender, "render", render)
    await shop.daemon.start(book_of(RULES))
    try:
        await shop.daemon.accept([event("signed_up", "c1", at=now(), traits={"email": "c1@example.com"})])
        await reached(lambda: bool(done) and not rows(shop, "select 1 from message where settled is null limit 1"))
        assert shop.wires["email"].called == []
        assert [reason for (reason,) in rows(shop, "select reason from message")] == left
    finally:
        await shop.daemon.stop()
        await asyncio.to_thread(shop.store.close)
