"""A shop whose customers behave: they sign up, look around, leave carts behind, order or don't, and answer messages.

The simulation knows no wall clock and no network: it is told the present, and gives the Segment calls that are due by
then, in order. What customers do next depends on chance, from a seeded generator, and on the messages they get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from heapq import heappop, heappush
from random import Random
from typing import Any, Final

import msgspec

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR, MINUTE
from segue.cli.demonstration.people import PRODUCTS, Customer, Product, make_customer

Call = dict[str, Any]
"""One call of the Segment tracking API, as it stands in a batch."""

_Act = Callable[[Instant], Iterable[Call]]

_BUSY: Final = (
    *(0.4, 0.3, 0.3, 0.3, 0.3, 0.4, 0.6, 0.8, 0.9, 1.0, 1.0, 1.1),
    *(1.2, 1.1, 1.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.4, 1.2, 0.9, 0.6),
)
"""How busy the shop is in each hour of its day."""


class Cart(msgspec.Struct, frozen=True):
    """What somebody put together."""

    id: str
    lines: tuple[tuple[Product, int], ...]

    @property
    def properties(self) -> dict[str, Any]:
        """The cart, as the events of a purchase carry it."""
        total = sum(product.price * quantity for product, quantity in self.lines)
        products = [product.as_line(quantity) for product, quantity in self.lines]
        return {"cart_id": self.id, "total": float(total), "currency": "EUR", "products": products}


class Mood(msgspec.Struct):
    """What a customer with a cart left behind waits for: a message on this channel makes them order, or say no."""

    channel: str
    cart: Cart
    no: bool = False


class Shop:
    """The shop. ``pace`` is how many people come in an ordinary hour of its own time; ``first`` is the number of
    customers who are known already, and ``run`` makes its message ids differ from those of an earlier run."""

    def __init__(
        self, seed: int, now: Instant, *, zone: tzinfo, pace: float, first: int = 0, run: str = "demo"
    ) -> None:
        self.random = Random(seed + first)
        self.customers: list[Customer] = []
        self.ordered = 0
        self._zone = zone
        self._pace = pace
        self._number = first
        self._run = run
        self._calls = 0
        self._carts = 0
        self._acts: list[tuple[Instant, int, _Act]] = []
        self._order = 0
        self._moods: dict[str, Mood] = {}
        self._open(now)

    def until(self, now: Instant) -> list[Call]:
        """What customers do up to this moment, in order."""
        calls: list[Call] = []
        while self._acts and self._acts[0][0] <= now:
            at, _, act = heappop(self._acts)
            calls.extend(act(at))
        return calls

    def hear(self, customer: str, channel: str, message: str, now: Instant) -> None:
        """A message has reached a customer, who may do something about it."""
        person = next((one for one in reversed(self.customers) if one.id == customer), None)
        if person is None:
            return
        mood = self._moods.get(customer)
        if message == "cart_reminder" and mood is not None and mood.channel == channel:
            del self._moods[customer]
            if mood.no:
                self._later(now, self._between(20 * MINUTE, 5 * HOUR), lambda at: self._unsubscribe(person, channel))
            else:
                self._later(now, self._between(20 * MINUTE, 12 * HOUR), lambda at: self._order_cart(person, mood.cart))
        elif message == "welcome" and self._chance(0.3):
            self._later(now, self._between(3 * HOUR, 60 * HOUR), lambda at: self._order_cart(person, self._fill_cart()))
        elif message == "first_order" and self._chance(0.35):
            self._later(now, self._between(HOUR, 30 * HOUR), lambda at: self._order_cart(person, self._fill_cart()))
        elif message == "first_order" and self._chance(0.1):
            self._later(now, self._between(HOUR, 8 * HOUR), lambda at: self._unsubscribe(person, channel))

    # The shop's day

    def _open(self, now: Instant) -> None:
        """A few people are there already, so that something happens from the first moment."""
        for number in range(3):
            self._later(now, number * 4 * MINUTE, self._sign_up)
        for number in range(5):
            self._later(now, number * 5 * MINUTE, self._come_with_cart)
        self._later(now, 0, self._arrive)

    def _arrive(self, at: Instant) -> list[Call]:
        """Somebody comes, and the next one is awaited: a Poisson process, slower at night."""
        hour = to_datetime(at).astimezone(self._zone).hour
        self._later(at, int(self.random.expovariate(self._pace * _BUSY[hour]) * HOUR), self._arrive)
        if self._chance(0.4) or len(self.customers) < 10:
            return self._sign_up(at)
        if self._chance(0.5):
            return self._come_with_cart(at)
        return self._visit(self.random.choice(self.customers[-400:]), at)

    def _sign_up(self, at: Instant) -> list[Call]:
        """A newcomer: seen on the site as a device first, then with a name."""
        person = self._newcomer()
        device = f"device-{person.id}"
        product = self.random.choice(PRODUCTS)
        if self._chance(0.5):
            self._later(at, self._between(10 * MINUTE, 3 * HOUR), lambda moment: self._visit(person, moment))
        return [
            self._call("track", anonymousId=device, event="Product Viewed", properties=_seen(product)),
            self._call("identify", userId=person.id, anonymousId=device, traits=person.traits),
            self._call("track", userId=person.id, event="Signed Up", properties={"method": "password"}),
        ]

    def _come_with_cart(self, at: Instant) -> list[Call]:
        """A customer of old, back for something."""
        person = self._newcomer()
        return [self._call("identify", userId=person.id, traits=person.traits), *self._fill_and_go(person, at)]

    def _visit(self, person: Customer, at: Instant) -> list[Call]:
        seen = self.random.sample(PRODUCTS, self.random.randint(1, 4))
        calls = [self._call("track", userId=person.id, event="Product Viewed", properties=_seen(one)) for one in seen]
        return calls if self._chance(0.3) else [*calls, *self._fill_and_go(person, at)]

    def _fill_and_go(self, person: Customer, at: Instant) -> list[Call]:
        """A cart is filled; then it is paid for, or left behind."""
        cart = self._fill_cart()
        added = [
            self._call(
                "track", userId=person.id, event="Product Added", properties=_seen(product) | {"quantity": count}
            )
            for product, count in cart.lines
        ]
        if self._chance(0.2):
            self._later(at, self._between(5 * MINUTE, 20 * MINUTE), lambda moment: self._order_cart(person, cart))
            begun = self._call("track", userId=person.id, event="Checkout Started", properties=cart.properties)
            return [*added, begun]
        self._later(at, self._between(10 * MINUTE, 40 * MINUTE), lambda moment: self._leave(person, cart, moment))
        return added

    def _leave(self, person: Customer, cart: Cart, at: Instant) -> list[Call]:
        """A cart is left behind. Whether and when it is ordered after all is a matter of mood."""
        mood = self.random.random()
        if mood < 0.2:  # within the hour: no reminder is needed
            self._later(at, self._between(10 * MINUTE, 55 * MINUTE), lambda moment: self._order_cart(person, cart))
        elif mood < 0.45:
            self._moods[person.id] = Mood("email", cart)
        elif mood < 0.6:
            self._moods[person.id] = Mood("sms", cart)
        elif mood < 0.68:
            self._moods[person.id] = Mood(self.random.choice(("email", "sms")), cart, no=True)
        elif mood < 0.76:  # late, and now and then too late to count
            self._later(at, self._between(2 * DAY, 9 * DAY), lambda moment: self._order_cart(person, cart))
        elif mood < 0.86:  # a second cart in the same week
            self._later(at, self._between(4 * HOUR, 3 * DAY), lambda moment: self._fill_and_go(person, moment))
        return [self._call("track", userId=person.id, event="Cart Abandoned", properties=cart.properties)]

    def _order_cart(self, person: Customer, cart: Cart) -> list[Call]:
        self.ordered += 1
        self._moods.pop(person.id, None)
        properties = {**cart.properties, "order_id": f"{self._run}-{self.ordered}"}
        return [self._call("track", userId=person.id, event="Order Completed", properties=properties)]

    def _unsubscribe(self, person: Customer, channel: str) -> list[Call]:
        return [self._call("track", userId=person.id, event="Unsubscribed", properties={"channel": channel})]

    # Pieces

    def _newcomer(self) -> Customer:
        self._number += 1
        person = make_customer(self.random, self._number)
        self.customers.append(person)
        return person

    def _fill_cart(self) -> Cart:
        self._carts += 1
        chosen: Sequence[Product] = self.random.sample(PRODUCTS, self.random.choice((1, 1, 2, 2, 3)))
        return Cart(f"cart-{self._run}-{self._carts}", tuple((one, self.random.choice((1, 1, 1, 2))) for one in chosen))

    def _call(self, kind: str, **fields: Any) -> Call:
        self._calls += 1
        return {"type": kind, "messageId": f"{self._run}-{self._calls}", **fields}

    def _later(self, at: Instant, after: int, act: _Act) -> None:
        self._order += 1
        heappush(self._acts, (Instant(at + after), self._order, act))

    def _between(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share


def _seen(product: Product) -> dict[str, Any]:
    """A product, as the events of looking around carry it."""
    return {
        "product_id": product.id,
        "name": product.name,
        "category": product.category,
        "price": float(product.price),
        "currency": "EUR",
    }
