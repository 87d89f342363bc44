"""What customers do about the messages they get: they open and click, order, answer, come back, or say no."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR, MINUTE
from segue.cli.demonstration.diary import Deed, Reaction
from segue.cli.demonstration.goods import COFFEE
from segue.cli.demonstration.mailbox import Letter
from segue.cli.demonstration.orders import numbers_of
from segue.cli.demonstration.people import Customer
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.truth import BROUGHT_BACK

_OPENED: Final = {"email": 0.5, "push": 0.45, "onsite": 0.7, "chat": 0.9}
"""The share of messages that are opened, by channel; the rest tells nobody."""
_CLICKED: Final = {"email": 0.3, "push": 0.5, "sms": 0.12}
"""The share of those that are clicked as well; of an SMS, which nobody sees opened, of all."""
_MIND: Final = {
    "welcome": (0.3, 3 * HOUR, 60 * HOUR),
    "first_order": (0.35, HOUR, 30 * HOUR),
    "survey_reward": (0.3, HOUR, 3 * DAY),
    "we_miss_you": (0.2, HOUR, 2 * DAY),
    "birthday": (0.35, 6 * HOUR, 9 * DAY),
    "birthday_today": (0.3, HOUR, DAY),
    "flash_sale": (0.25, HOUR, 9 * HOUR),
    "flash_sale_last_hours": (0.35, HOUR, 5 * HOUR),
}
"""How many order because of a message, and when, between the one and the other; what they order is up to them. Of those
that are not here, and not below, nobody orders anything: see `segue.cli.demonstration.truth`."""
_RENEWS: Final = {"renewal_soon": 0.3, "renewal_week": 0.4, "renewal_last_day": 0.5}
_WORDS: Final = (
    (3, "It came late, and nobody said so."),
    (6, "It does what it should. No more."),
    (8, "All good."),
    (10, "Quick, friendly, and well packed."),
)
"""What is said at which score, up to and including."""


class Answers:
    """The customers of a shop as readers of its messages."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._diary = shop.diary
        self._asked: set[str] = set()

    def hear(self, letter: Letter, now: Instant) -> None:
        """A message has reached a customer, who may do something about it."""
        person = self._shop.person(letter.customer)
        if person is None or letter.retracted:
            return
        self._react(person, letter, now)
        if letter.name == "cart_reminder":
            self._remember(person, letter, now)
        elif letter.name == "second_look":
            if self._diary.chance(BROUGHT_BACK.get(letter.channel, 0.0)):
                self._persuade(letter, now, 30 * HOUR, lambda at: self._shop.order(person, at))
        elif letter.name in _MIND:
            share, least, most = _MIND[letter.name]
            if self._diary.chance(share):
                self._shop.later(now, least, most, lambda at: self._shop.order(person, at))
            elif self._diary.chance(0.04):
                self._shop.later(now, HOUR, 8 * HOUR, lambda _: self._shop.unsubscribe(person, letter.channel))
        elif letter.name in _RENEWS:
            if self._diary.chance(_RENEWS[letter.name]):
                self._shop.later(now, HOUR, 3 * DAY, lambda at: self._renew(person, at))
        else:
            self._do(person, letter, now)

    def _react(self, person: Customer, letter: Letter, now: Instant) -> None:
        """Open and click. Whoever clicks sees a page, and puts nothing into a cart: a message brings nothing but what
        is said below, and in `segue.cli.demonstration.truth`."""
        chance, channel = self._diary.chance, letter.channel
        opened = chance(_OPENED.get(channel, 0.0))
        clicked = (opened or channel == "sms") and chance(_CLICKED.get(channel, 0.0))
        after = self._diary.between(5 * MINUTE, 9 * HOUR)
        if opened:
            self._diary.later(now, after, lambda _: [Reaction(channel, letter.key, "opened")])
        if clicked:
            self._diary.later(now, after + MINUTE, lambda _: self._click(person, letter))

    def _click(self, person: Customer, letter: Letter) -> list[Deed]:
        return [Reaction(letter.channel, letter.key, "clicked"), self._diary.page(person.id, "Home")]

    def _remember(self, person: Customer, letter: Letter, now: Instant) -> None:
        """A cart left behind comes to mind again, to those who waited for a word on this channel."""
        shop, mood = self._shop, self._shop.moods.get(person.id)
        if mood is None or mood.channel != letter.channel:
            return
        del shop.moods[person.id]
        if mood.no:
            shop.later(now, 20 * MINUTE, 5 * HOUR, lambda _: shop.unsubscribe(person, letter.channel))
        else:
            self._persuade(letter, now, 12 * HOUR, lambda at: shop.order_cart(person, mood.cart, at))

    def _persuade(self, letter: Letter, now: Instant, most: int, order: Callable[[Instant], list[Deed]]) -> None:
        """A message is the reason for an order, soon or after ``most`` microseconds."""

        def act(at: Instant) -> list[Deed]:
            deeds = order(at)
            self._shop.persuaded.update(dict.fromkeys(numbers_of(deeds), letter.rule))
            return deeds

        self._shop.later(now, 20 * MINUTE, most, act)

    def _do(self, person: Customer, letter: Letter, now: Instant) -> None:
        """What only one message asks for."""
        shop, chance = self._shop, self._diary.chance
        match letter.name:
            case "push_opt_in" if chance(0.7):
                shop.later(now, MINUTE, 30 * MINUTE, lambda _: self._allow_push(person))
            case "app_tour" | "app_favourites" if chance(0.5):
                shop.later(now, 10 * MINUTE, DAY, lambda at: shop.open_app(person, at))
            case "survey" if person.id not in self._asked and chance(0.5):
                self._asked.add(person.id)
                shop.later(now, HOUR, 3 * DAY, lambda _: self._answer(person))
            case "ask_for_review" if chance(0.4):
                shop.later(now, HOUR, 2 * DAY, lambda _: self._review(person))
            case "coffee_guide" | "coffee_offer" if chance(0.35):
                bag = self._diary.random.choice(COFFEE)
                shop.later(now, HOUR, 3 * DAY, lambda at: shop.order(person, at, bag))
            case "back_in_stock" if person.id in shop.wished and chance(0.5):
                wish = shop.wished.pop(person.id)
                shop.later(now, 20 * MINUTE, DAY, lambda at: shop.order(person, at, wish))
            case "price_drop" if chance(0.3):
                cheaper = [one for one in shop.eyed.get(person.id, ()) if one.id in shop.shelves.reduced]
                if cheaper:
                    shop.later(now, 20 * MINUTE, DAY, lambda at: shop.order(person, at, cheaper[-1]))
            case "chat_follow_up" if chance(0.35):
                shop.later(now, 10 * MINUTE, 20 * HOUR, lambda _: [Reaction(letter.channel, letter.key, "replied")])
            case _:
                pass

    def _allow_push(self, person: Customer) -> list[Deed]:
        return [self._diary.identify(person.id, push_token=person.push_token)]

    def _answer(self, person: Customer) -> list[Deed]:
        score = self._diary.random.choice((2, 4, 6, 7, 8, 8, 9, 9, 10, 10))
        words = next(words for most, words in _WORDS if score <= most)
        return [self._diary.track(person.id, "Survey Answered", survey="order", score=score, words=words)]

    def _review(self, person: Customer) -> list[Deed]:
        return [self._diary.track(person.id, "Product Reviewed", rating=self._diary.between(2, 5))]

    def _renew(self, person: Customer, at: Instant) -> list[Deed]:
        """For another year: the date moves, and with it what hangs on it."""
        ends = (to_datetime(at) + timedelta(days=365 + 14)).date()
        return [
            self._diary.track(person.id, "Subscription Renewed", plan="yearly", total=48.0, currency="EUR"),
            self._diary.identify(person.id, renewal=ends.isoformat()),
        ]
