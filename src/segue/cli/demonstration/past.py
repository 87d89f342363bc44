"""What happened before the demo began: the shop's customers of old, told as an import would tell it.

What is older than a day enters history and begins no journey; but segments and dates are judged by it, so some of these
customers lapse, and some subscriptions come near their end, in the demo's own days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from segue.api import Instant, to_datetime
from segue.api.values import DAY, HOUR
from segue.cli.demonstration.diary import Call, Diary
from segue.cli.demonstration.goods import PRODUCTS, Cart
from segue.cli.demonstration.people import Customer

_QUIET: Final = 90 * DAY
"""The rule of the gallery that wins back the lapsed waits for so long after the last order."""


def tell_past(diary: Diary, person: Customer, now: Instant, *, quiet: bool) -> list[Call]:
    """The past of a customer; of a quiet one, the last order is nearly three months ago."""
    begun = Instant(now - diary.between(150 * DAY, 400 * DAY))
    calls = [
        diary.identify(person.id, begun, **_traits(diary, person, now)),
        diary.track(person.id, "Signed Up", begun, method="password"),
    ]
    if diary.chance(0.6):
        calls.append(diary.track(person.id, "Subscribed", begun, channel="email"))
    if quiet:
        last = Instant(now - _QUIET + diary.between(4 * HOUR, 14 * DAY))
    else:
        last = Instant(now - diary.between(3 * DAY, 60 * DAY))
        calls.append(diary.page(person.id, "Home", Instant(now - diary.between(2 * DAY, 30 * DAY))))
    earlier = [Instant(last - diary.between(10 * DAY, 50 * DAY))] if diary.chance(0.5) else []
    for at in (*earlier, last):
        calls += _ordered(diary, person, at)
    return calls


def _traits(diary: Diary, person: Customer, now: Instant) -> dict[str, Any]:
    traits = person.traits | {"postal_address": person.postal_address}
    if diary.chance(0.5):
        ends = to_datetime(now) + timedelta(days=diary.between(31, 60))
        traits["renewal"] = ends.date().isoformat()
    return traits


def _ordered(diary: Diary, person: Customer, at: Instant) -> list[Call]:
    chosen = diary.random.sample(PRODUCTS, diary.between(1, 3))
    order = f"{person.id}-{at // DAY}"
    cart = Cart(f"cart-{order}", tuple((one, 1) for one in chosen))
    return [
        diary.track(person.id, "Order Completed", at, order_id=order, **cart.properties),
        *(
            diary.track(person.id, "Item Ordered", at, order_id=order, quantity=1, **product.properties)
            for product, _ in cart.lines
        ),
    ]
