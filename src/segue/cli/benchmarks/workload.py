"""The canonical rule, its customers and their events."""

from __future__ import annotations

import heapq
import random
import uuid
from collections.abc import Iterator
from typing import Final, NoReturn

import msgspec

from segue.api import ChannelSpec, Event, Instant, Tools
from segue.api.values import DAY, HOUR
from segue.customers.reach import ChannelReach, Reach
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.language.vocabulary import ChannelWords, Words
from segue.program.calendar import find_zone
from segue.runtime.publishing import Setting

RULE: Final = """\
event cart_abandoned
event ordered
when cart_abandoned wait 1d unless ordered send email then sms
"""
CHANNELS: Final = ("email", "sms")
REPEATED: Final = 50
"""Every so many events one comes again."""


def book() -> m.Book:
    """The rule, parsed and checked."""
    words = Words(channels={name: ChannelWords(needs_content=False) for name in CHANNELS})
    checked = check_book([Source("bench.rules", RULE)], words)
    assert checked.ok, checked.diagnostics
    return checked.book


class NoSettings(msgspec.Struct):
    pass


def setting() -> Setting:
    """A project with two channels that reach everyone. Nothing is handed over: that is as fast as the provider."""
    zone = find_zone("UTC")
    assert zone is not None
    return Setting(
        zone=zone,
        currency="EUR",
        reach=Reach({name: ChannelReach(None) for name in CHANNELS}),
        channels={
            name: ChannelSpec(name=name, doc="", config=NoSettings, open=cannot_open, address=None) for name in CHANNELS
        },
    )


def cannot_open(config: object, tools: Tools) -> NoReturn:
    raise RuntimeError("a benchmark sends nothing")


class Shop:
    """Customers, the same for the same seed, with message ids as SDKs make them: random, so that none is near another
    in an index."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)

    def carts(self, first: int, count: int, at: Instant) -> list[Event]:
        """Customers numbered from ``first`` leave a cart behind, one each."""
        return [self._event("cart_abandoned", customer, "cart", at) for customer in range(first, first + count)]

    def stream(self, first: int, count: int, at: Instant) -> Iterator[Event]:
        """Carts of new customers; every second one orders some hundred events later, one event in fifty comes again."""
        recent: list[Event] = []
        for number, event in enumerate(self._carts_and_orders(first, count, at), 1):
            yield event
            recent.append(event)
            if len(recent) > 3000:
                del recent[:1500]
            if number % REPEATED == 0:
                yield self._chance.choice(recent)

    def _carts_and_orders(self, first: int, count: int, at: Instant) -> Iterator[Event]:
        buyers: list[int] = []
        for customer in range(first, first + count):
            yield self._event("cart_abandoned", customer, "cart", at)
            if customer % 2:
                buyers.append(customer)
            if len(buyers) > 200:
                yield self._event("ordered", buyers.pop(0), "order", Instant(at + HOUR))
        for customer in buyers:
            yield self._event("ordered", customer, "order", Instant(at + HOUR))

    def month(self, count: int, at: Instant) -> Iterator[Event]:
        """Carts of new customers, evenly over thirty days; every second one orders within a day."""
        orders: list[tuple[int, int]] = []
        for customer in range(count):
            moment = at + 30 * DAY * customer // count
            while orders and orders[0][0] <= moment:
                due, buyer = heapq.heappop(orders)
                yield self._event("ordered", buyer, "order", Instant(due))
            yield self._event("cart_abandoned", customer, "cart", Instant(moment))
            if customer % 2:
                heapq.heappush(orders, (moment + self._chance.randrange(DAY), customer))
        for due, buyer in sorted(orders):
            yield self._event("ordered", buyer, "order", Instant(due))

    def message_id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _event(self, name: str, customer: int, thing: str, at: Instant) -> Event:
        return Event(
            message_id=self.message_id(),
            timestamp=at,
            source="segment",
            name=name,
            user_id=f"customer-{customer}",
            properties={f"{thing}_id": f"{thing}-{customer}", "total": 59.9, "currency": "EUR"},
        )
