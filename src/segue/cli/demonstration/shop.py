"""A shop whose customers behave: they sign up, look around, leave carts behind, order or don't, wish for things, use
the app, and talk to somebody. What they do about the messages they get is in `segue.cli.demonstration.answers`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Final

import msgspec

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR, MINUTE
from segue.cli.demonstration.diary import Act, Call, Deed, Diary
from segue.cli.demonstration.goods import Cart, Product
from segue.cli.demonstration.orders import Orders
from segue.cli.demonstration.past import tell_past
from segue.cli.demonstration.people import Customer, make_customer
from segue.cli.demonstration.shelves import Shelves
from segue.cli.demonstration.truth import REMINDED

_BUSY: Final = (
    *(0.4, 0.3, 0.3, 0.3, 0.3, 0.4, 0.6, 0.8, 0.9, 1.0, 1.0, 1.1),
    *(1.2, 1.1, 1.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.4, 1.2, 0.9, 0.6),
)
"""How busy the shop is in each hour of its day."""
_OLD: Final = 120
"""How many customers the shop had before the demo began."""
_LATELY: Final = 400
"""Of the latest so many customers some come back by themselves."""
_BROWSING: Final = 0.6
"""How many only look around, for each who comes for something."""
_SLEPT_ON: Final = 0.15
"""The share of those that order in the days to come, whatever they hear from the shop."""
_TOPICS: Final = ("delivery", "sizes", "an invoice", "a return", "coffee")


class Mood(msgspec.Struct, frozen=True):
    """What a customer with a cart left behind waits for: a message on this channel makes them order, or say no."""

    channel: str
    cart: Cart
    no: bool = False


class Shop:
    """The shop. ``pace`` is how many people come in an ordinary hour of its own time; ``first`` is the number of
    customers who are known already, and ``run`` makes its ids differ from those of an earlier run.

    ``moods``, ``eyed`` and ``wished`` are what customers have on their minds, by their ids: a cart left behind, what
    they looked at, and what they want and cannot have. ``persuaded`` are the orders that a message was the
    reason for, by their numbers, each with the rule that sent it.
    """

    def __init__(
        self, seed: int, now: Instant, *, zone: tzinfo, pace: float, first: int = 0, run: str = "demo"
    ) -> None:
        self.diary = Diary(seed + first, run)
        self.customers: list[Customer] = []
        self.moods: dict[str, Mood] = {}
        self.eyed: dict[str, tuple[Product, ...]] = {}
        self.wished: dict[str, Product] = {}
        self.persuaded: dict[str, str] = {}
        self.past: list[Call] = []
        """What happened before the demo, for a store that knows nobody yet."""
        self.shelves = Shelves(self.diary, now)
        self._orders = Orders(self.diary, zone, first=(first + 1) * 1000)  # no number twice, whatever came before
        self._known: dict[str, Customer] = {}
        self._zone = zone
        self._pace = pace
        self._number = first
        self._carts = 0
        self._talks = 0
        if not first:
            self._recall(now)
        self._open(now)

    def until(self, now: Instant) -> list[Deed]:
        """What is done up to this moment, in order."""
        return self.diary.until(now)

    def person(self, customer: str) -> Customer | None:
        """The customer of that id; None for one of an earlier run."""
        return self._known.get(customer)

    def later(self, at: Instant, least: int, most: int, act: Act) -> None:
        """Have something happen between so many microseconds after a moment and so many."""
        self.diary.later(at, self.diary.between(least, most), act)

    # What customers do

    def order(self, person: Customer, at: Instant, *chosen: Product) -> list[Deed]:
        """The customer orders: these, or what they fancy."""
        lines = tuple((self.shelves.priced(one), 1) for one in chosen)
        return self.order_cart(person, Cart(self._cart_id(), lines) if lines else self._fill_cart(), at)

    def order_cart(self, person: Customer, cart: Cart, at: Instant) -> list[Deed]:
        """The customer orders what they put together."""
        self.moods.pop(person.id, None)
        return self._orders.place(person, cart, at)

    def visit(self, person: Customer, at: Instant) -> list[Deed]:
        """The customer looks around; now and then something is missing, somebody is asked, a cart is filled."""
        diary = self.diary
        seen = [self.shelves.priced(one) for one in diary.random.sample(self.shelves.there, diary.between(1, 3))]
        self.eyed[person.id] = (*self.eyed.get(person.id, ()), *seen)[-6:]
        deeds: list[Deed] = [
            diary.page(person.id, "Home"),
            *(diary.track(person.id, "Product Viewed", **one.properties) for one in seen),
        ]
        if diary.chance(0.15):
            deeds += self._wish(person)
        if diary.chance(0.1):
            self.later(at, 5 * MINUTE, 30 * MINUTE, lambda now: self._talk(person, now))
        return deeds if diary.chance(0.35) else [*deeds, *self._fill_and_go(person, at)]

    def open_app(self, person: Customer, at: Instant) -> list[Deed]:
        """The customer opens the app."""
        return [self.diary.track(person.id, "Application Opened", version="4.2")]

    def unsubscribe(self, person: Customer, channel: str) -> list[Deed]:
        """The customer wants no more messages on a channel."""
        return [self.diary.track(person.id, "Unsubscribed", channel=channel)]

    # The shop's day

    def _recall(self, now: Instant) -> None:
        """Customers of old. Some of them have gone quiet, and come to nothing by themselves any more."""
        for number in range(_OLD):
            person = self._newcomer(now)
            quiet = number % 3 == 0
            self.past += tell_past(self.diary, person, now, quiet=quiet)
            if not quiet:
                self.customers.append(person)

    def _open(self, now: Instant) -> None:
        """A few people are there already, so that something happens from the first moment."""
        for number in range(3):
            self.diary.later(now, number * 4 * MINUTE, self._sign_up)
        for number in range(5):
            self.diary.later(now, number * 5 * MINUTE, self._come_with_cart)
        self.diary.later(now, 0, self._arrive)
        self.diary.later(now, 0, self._browse)

    def _arrive(self, at: Instant) -> list[Deed]:
        """Somebody comes, and the next one is awaited."""
        self._await_next(at, 1.0, self._arrive)
        if self.diary.chance(0.4) or len(self.customers) < 10:
            return self._sign_up(at)
        if self.diary.chance(0.4):
            return self._come_with_cart(at)
        return self.visit(self.diary.random.choice(self.customers[-_LATELY:]), at)

    def _browse(self, at: Instant) -> list[Deed]:
        """Somebody who has shopped as a guest before looks at something, and goes. Some order it after all, when they
        have slept on it."""
        self._await_next(at, _BROWSING, self._browse)
        person = self._newcomer(at)
        self.customers.append(person)
        product = self.diary.random.choice(self.shelves.there)
        if self.diary.chance(_SLEPT_ON):
            self.later(at, 5 * HOUR, 2 * DAY, lambda now: self.order(person, now, product))
        return [
            self.diary.identify(person.id, **person.traits),
            self.diary.track(person.id, "Product Viewed", **product.properties),
        ]

    def _await_next(self, at: Instant, share: float, act: Act) -> None:
        """Have it happen again: a Poisson process, slower at night, of such a ``share`` of the shop's pace."""
        hour = to_datetime(at).astimezone(self._zone).hour
        self.diary.later(at, int(self.diary.random.expovariate(self._pace * share * _BUSY[hour]) * HOUR), act)

    def _sign_up(self, at: Instant) -> list[Deed]:
        """A newcomer: seen on the site as a device first, then with a name."""
        person = self._newcomer(at)
        self.customers.append(person)
        diary, device = self.diary, f"device-{person.id}"
        product = diary.random.choice(self.shelves.there)
        if diary.chance(0.5):
            self.later(at, 10 * MINUTE, 3 * HOUR, lambda now: self.visit(person, now))
        if diary.chance(0.35):
            self.later(at, 10 * MINUTE, 20 * HOUR, lambda now: self._install(person, now))
        deeds: list[Deed] = [
            diary.look(device, "Product Viewed", **product.properties),
            diary.identify(person.id, device=device, **person.traits),
            diary.track(person.id, "Signed Up", method="password"),
        ]
        return [*deeds, *self._subscribe(person, at)] if diary.chance(0.45) else deeds

    def _subscribe(self, person: Customer, at: Instant) -> list[Deed]:
        """The newsletter: ticked while signing up, or asked for in a form, where most confirm it by a mail."""
        diary = self.diary
        if diary.chance(0.6):
            return [diary.track(person.id, "Subscribed", channel="email")]
        if diary.chance(0.8):
            confirmed = diary.track(person.id, "Subscription Confirmed", channel="email")
            self.later(at, 2 * MINUTE, 5 * HOUR, lambda _: [confirmed])
        return [diary.track(person.id, "Subscribed", channel="email", confirmed=False)]

    def _install(self, person: Customer, at: Instant) -> list[Deed]:
        """The app is installed, and opened soon, later, or not at all."""
        if self.diary.chance(0.8):
            self.later(at, 2 * MINUTE, 20 * HOUR, lambda now: self.open_app(person, now))
        for _ in range(self.diary.between(0, 3)):
            self.later(at, 20 * HOUR, 7 * DAY, lambda now: self.open_app(person, now))
        if self.diary.chance(0.1):
            self.later(at, DAY, 6 * DAY, lambda _: [self.diary.track(person.id, "Application Uninstalled")])
        return [self.diary.track(person.id, "Application Installed", version="4.2")]

    def _come_with_cart(self, at: Instant) -> list[Deed]:
        """Somebody who has shopped as a guest before, back for something."""
        person = self._newcomer(at)
        self.customers.append(person)
        return [self.diary.identify(person.id, **person.traits), *self._fill_and_go(person, at)]

    def _wish(self, person: Customer) -> list[Deed]:
        """The customer wants what cannot be had."""
        product = self.diary.random.choice(self.shelves.missing)
        self.wished[person.id] = product
        return [self.diary.track(person.id, "Product Added to Wishlist", **product.properties)]

    def _talk(self, person: Customer, at: Instant) -> list[Deed]:
        """The customer talks with somebody in the shop; some come back with the same question."""
        self._talks += 1
        conversation, topic = f"talk-{self.diary.run}-{self._talks}", self.diary.random.choice(_TOPICS)
        if self.diary.chance(0.15):
            self.later(at, HOUR, 15 * HOUR, lambda _: [self._begin_talk(person, conversation)])
        return [self.diary.track(person.id, "Chat Ended", conversation_id=conversation, agent="Kim", topic=topic)]

    def _begin_talk(self, person: Customer, conversation: str) -> Deed:
        return self.diary.track(person.id, "Chat Started", conversation_id=conversation)

    def _fill_and_go(self, person: Customer, at: Instant) -> list[Deed]:
        """A cart is filled; then it is paid for, or left behind."""
        cart, diary = self._fill_cart(), self.diary
        added = [
            diary.track(person.id, "Product Added", **product.properties, quantity=count)
            for product, count in cart.lines
        ]
        if diary.chance(0.25):
            self.later(at, 5 * MINUTE, 20 * MINUTE, lambda now: self.order_cart(person, cart, now))
            return [*added, diary.track(person.id, "Checkout Started", **cart.properties)]
        self.later(at, 10 * MINUTE, 40 * MINUTE, lambda now: self._leave(person, cart, now))
        return [*added]

    def _leave(self, person: Customer, cart: Cart, at: Instant) -> list[Deed]:
        """A cart is left behind. Whether and when it is ordered after all is a matter of mood."""
        mood = self.diary.random.random()
        for channel, share in REMINDED.items():
            if 0 <= mood < share:
                self.moods[person.id] = Mood(channel, cart)
            mood -= share
        if 0 <= mood < 0.2:  # within the hour: no reminder is needed
            self.later(at, 10 * MINUTE, 55 * MINUTE, lambda now: self.order_cart(person, cart, now))
        elif 0.2 <= mood < 0.28:
            self.moods[person.id] = Mood(self.diary.random.choice(("email", "sms")), cart, no=True)
        elif 0.28 <= mood < 0.36:  # late, and now and then too late to count
            self.later(at, 2 * DAY, 9 * DAY, lambda now: self.order_cart(person, cart, now))
        elif 0.36 <= mood < 0.46:  # a second cart in the same week
            self.later(at, 4 * HOUR, 3 * DAY, lambda now: self._fill_and_go(person, now))
        return [self.diary.track(person.id, "Cart Abandoned", **cart.properties)]

    # Pieces

    def _newcomer(self, at: Instant) -> Customer:
        self._number += 1
        person = make_customer(self.diary.random, self._number, self._today(at))
        self._known[person.id] = person
        return person

    def _today(self, at: Instant) -> date:
        return to_datetime(at).astimezone(self._zone).date()

    def _fill_cart(self) -> Cart:
        random = self.diary.random
        chosen: Sequence[Product] = random.sample(self.shelves.there, random.choice((1, 1, 2, 2, 3)))
        return Cart(self._cart_id(), tuple((one, random.choice((1, 1, 1, 2))) for one in chosen))

    def _cart_id(self) -> str:
        self._carts += 1
        return f"cart-{self.diary.run}-{self._carts}"
