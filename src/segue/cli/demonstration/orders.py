"""Orders, and what becomes of them: sent and delivered, fetched from a shop, cancelled, sent back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta, tzinfo
from typing import Final

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR
from segue.cli.demonstration.diary import Deed, Diary, Reaction
from segue.cli.demonstration.goods import Cart
from segue.cli.demonstration.people import Customer

_STORES: Final = ("Mitte", "Kallio", "Montmartre", "Gràcia", "Jordaan", "Alfama", "Temple Bar", "Södermalm")
_KEPT: Final = timedelta(days=4)
"""For so long a shop keeps what is to be fetched."""


class Orders:
    """The shop's orders, and all that follows each. Their numbers go up from ``first``."""

    def __init__(self, diary: Diary, zone: tzinfo, first: int) -> None:
        self._diary = diary
        self._zone = zone
        self._number = first

    def place(self, person: Customer, cart: Cart, at: Instant) -> list[Deed]:
        """The customer orders what is in a cart."""
        self._number += 1
        order = str(self._number)
        chance = self._diary.random.random()
        if chance < 0.04:
            self._follow(person, cart, order, "Order Cancelled", at, HOUR, 8 * HOUR)
        elif chance < 0.22:
            self._diary.later(
                at, self._diary.between(3 * HOUR, 9 * HOUR), lambda now: self._lay_out(person, order, now)
            )
        else:
            after = self._diary.between(10 * HOUR, 40 * HOUR)
            self._diary.later(at, after, lambda now: self._ship(person, cart, order, now))
        return [
            self._diary.track(person.id, "Order Completed", order_id=order, **cart.properties),
            *(
                self._diary.track(person.id, "Item Ordered", order_id=order, quantity=count, **product.properties)
                for product, count in cart.lines
            ),
        ]

    def _follow(self, person: Customer, cart: Cart, order: str, event: str, at: Instant, least: int, most: int) -> None:
        """Have something become of an order, after a while."""
        self._diary.later(
            at,
            self._diary.between(least, most),
            lambda _: [self._diary.track(person.id, event, order_id=order, **cart.properties)],
        )

    def _ship(self, person: Customer, cart: Cart, order: str, at: Instant) -> list[Deed]:
        if not self._diary.chance(0.03):  # the rest never arrives
            self._follow(person, cart, order, "Order Delivered", at, 20 * HOUR, 70 * HOUR)
        if self._diary.chance(0.05):
            self._follow(person, cart, order, "Order Refunded", at, 4 * DAY, 9 * DAY)
        return [self._diary.track(person.id, "Order Shipped", order_id=order, **cart.properties)]

    def _lay_out(self, person: Customer, order: str, at: Instant) -> list[Deed]:
        """The order waits in a shop. Most are fetched soon, some in the last moment, a few never."""
        fetched = self._diary.random.random()
        least, most = (2 * HOUR, 50 * HOUR) if fetched < 0.7 else (74 * HOUR, 94 * HOUR)
        if fetched < 0.95:
            self._diary.later(at, self._diary.between(least, most), lambda _: self._fetch(person, order))
        code = self._diary.between(1000, 9999)
        until = (to_datetime(at).astimezone(self._zone) + _KEPT).date()
        store = self._diary.random.choice(_STORES)
        return [
            self._diary.track(
                person.id,
                "Order Ready For Pickup",
                order_id=order,
                store=store,
                code=str(code),
                keep_until=until.isoformat(),
            )
        ]

    def _fetch(self, person: Customer, order: str) -> list[Deed]:
        return [
            self._diary.track(person.id, "Order Picked Up", order_id=order),
            self._diary.track(person.id, "Order Delivered", order_id=order),
        ]


def numbers_of(deeds: Iterable[Deed]) -> Iterator[str]:
    """The numbers of the orders that are placed in some deeds."""
    for deed in deeds:
        if not isinstance(deed, Reaction) and deed.get("event") == "Order Completed":
            yield deed["properties"]["order_id"]
