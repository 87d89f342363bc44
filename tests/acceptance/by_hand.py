"""What every figure of measurement should be, worked out slowly, one thing after the other, from what happened.

Written from the documentation, without a look at the code that counts: where the two differ, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Literal

import msgspec

from segue.api.values import DAY, MINUTE, SECOND

HANDED, OPENED, CLICKED, REPLIED, VISIT, CONTACT = range(6)
DIRECT: Final = ("direct", "")
Origin = tuple[str, str]
"""Channel and campaign; of a message of ours, ``ours`` and its key."""


class Happened(msgspec.Struct, frozen=True):
    """An event: ``at`` is when it happened, ``received`` when it arrived, ``row`` its place in the order of arrival.
    ``origin`` of a page is what its address tells (None: nothing); ``ours`` the message whose link it was."""

    at: int
    received: int
    row: int
    name: str
    customer: str
    fields: Mapping[str, Any]
    origin: Origin | None = None
    ours: str = ""


class Letter(msgspec.Struct):
    """A message: what became of it, and what it cost in the end."""

    key: str
    rule: str
    message: str
    channel: str
    customer: str
    decided: int
    number: int
    handed: int = 0
    state: Literal["sent", "refused", "undelivered", "waiting"] = "waiting"
    cost: Fraction = Fraction(0)
    currency: str = ""


class Order(msgspec.Struct, eq=False):
    """An order, with what was paid back of it."""

    customer: str
    at: int
    gross: Fraction
    currency: str
    back: Fraction = Fraction(0)

    @property
    def net(self) -> Fraction:
        """What is left."""
        return self.gross - self.back


class Touch(msgspec.Struct, frozen=True):
    """A contact; ``key`` is that of the message, where it was one."""

    customer: str
    at: int
    what: int
    channel: str
    campaign: str
    rule: str = ""
    key: str = ""
    row: int = 0

    def named(self, by: str) -> str:
        """What it is called by channel, campaign or rule."""
        return getattr(self, by) or "(none)"


Path = tuple[Order, list[Touch]]


def orders_of(events: Sequence[Happened]) -> list[Order]:
    """Orders, each once by its customer and id, less refunds, without those that were cancelled."""
    told: dict[tuple[str, str], list[Happened]] = {}
    for one in sorted(events, key=lambda one: (one.at, one.row)):
        if one.name == "ordered":
            told.setdefault((one.customer, str(one.fields.get("order_id") or f"row {one.row}")), []).append(one)
    found = {}
    for key, tellings in told.items():
        priced = next((one for one in tellings if one.fields.get("total") is not None), None)
        currency = str((priced.fields.get("currency") if priced else None) or "EUR").upper()
        gross = Fraction(str(priced.fields["total"])) if priced else Fraction(0)
        found[key] = Order(key[0], tellings[0].at, max(Fraction(0), gross), currency)
    seen = set()
    for one in sorted(events, key=lambda one: (one.at, one.row)):
        key, again = (one.customer, str(one.fields.get("order_id"))), one.fields.get("refund_id") or f"row {one.row}"
        if one.name != "order_refunded" or key not in found or (key, again) in seen:
            continue
        seen.add((key, again))
        order, amount = found[key], one.fields.get("amount")
        if amount is None:
            order.back = order.gross
        elif str(one.fields.get("currency") or order.currency).upper() == order.currency:
            order.back = min(order.gross, order.back + abs(Fraction(str(amount))))
    gone = {(one.customer, str(one.fields.get("order_id"))) for one in events if one.name == "order_cancelled"}
    return sorted((order for key, order in found.items() if key not in gone), key=lambda order: order.at)


CONTACTS: Final = {"ad_clicked": "paid other", "store_visited": "store", "call_received": "phone"}


def touches_of(
    events: Iterable[Happened], letters: Mapping[str, Letter], reactions: Iterable[tuple[int, int, str]]
) -> list[Touch]:
    """All contacts. ``reactions`` are when what was done with which message."""
    arrived = {key: one for key, one in letters.items() if one.state == "sent"}
    found = [_of_letter(one, one.handed, HANDED) for one in arrived.values()]
    views: dict[str, list[tuple[int, int, int, Origin | None]]] = {}
    for at, what, key in reactions:
        if key in arrived:
            found.append(_of_letter(arrived[key], at, what))
            if what == CLICKED:
                views.setdefault(arrived[key].customer, []).append((at, 0, 0, ("ours", key)))
    for one in events:
        if one.name == "page_viewed":
            origin = _ours(one, arrived.values()) if one.ours else one.origin
            views.setdefault(one.customer, []).append((one.at, 1, one.row, origin))
        elif one.name in CONTACTS:
            campaign = str(one.fields.get("campaign") or "")
            found.append(Touch(one.customer, one.at, CONTACT, CONTACTS[one.name], campaign, row=one.row))
    for customer, seen in views.items():
        for at, row, (channel, campaign) in _visits(seen):
            if channel == "ours":
                found.append(_of_letter(arrived[campaign], at, CLICKED))
            else:
                found.append(Touch(customer, at, VISIT, channel, campaign, row=row))
    return found


def _of_letter(one: Letter, at: int, what: int) -> Touch:
    return Touch(one.customer, at, what, one.channel, one.rule, one.rule, one.key)


def _ours(page: Happened, letters: Iterable[Letter]) -> Origin:
    """The newest message to the customer whose link this may be; a visit like any other where there is none."""
    rule, message, channel = page.ours.split()
    fit = [
        (one.handed, one.number, one.key)
        for one in letters
        if (one.customer, one.rule, one.message, one.channel) == (page.customer, rule, message, channel)
        and page.at - 90 * DAY <= one.handed <= page.at
    ]
    return ("ours", max(fit)[2]) if fit else (channel, rule)


def _visits(seen: list[tuple[int, int, int, Origin | None]]) -> Iterable[tuple[int, int, Origin]]:
    before, current = -DAY, DIRECT
    for at, page, row, origin in sorted(seen, key=lambda one: one[:3]):
        paused = at - before > 30 * MINUTE
        origin = DIRECT if paused and origin is None else origin
        begins = page and origin is not None and (paused or origin != current)
        before, current = at, origin or current
        if begins:
            yield at, row, current


def paths_of(
    touches: Iterable[Touch], orders: Sequence[Order], since: int, until: int, lookback: int = 30 * DAY
) -> tuple[list[Path], list[Order]]:
    """The paths of a period, and the orders in it that no touch is before."""
    on: dict[int, list[Touch]] = {}
    for one in touches:
        skew = 60 * SECOND if one.what >= VISIT else -1 if one.what == HANDED else 0
        behind = [order for order in orders if order.customer == one.customer and order.at >= one.at - skew]
        if behind and behind[0].at - one.at <= lookback:
            on.setdefault(id(behind[0]), []).append(one)
    within = [order for order in orders if since <= order.at < until]
    return [(order, _once(on[id(order)])) for order in within if id(order) in on], [
        order for order in within if id(order) not in on
    ]


def _once(touches: list[Touch]) -> list[Touch]:
    """A message is one touch, by the most that was done with it, and the latest of that."""
    best: dict[str, Touch] = {}
    for one in touches:
        name = one.key or f"{one.what} {one.row}"
        if name not in best or (one.what, one.at) > (best[name].what, best[name].at):
            best[name] = one
    return sorted(best.values(), key=lambda one: (one.at, one.what, one.row))


def weights(model: str, path: Path) -> list[Fraction | float]:
    """What a model gives each touch of a path."""
    order, touches = path
    count, last = len(touches), len(touches) - 1
    match model:
        case "first" | "last" | "last-non-direct":
            chosen = {"first": 0, "last": last}.get(model, last)
            if model == "last-non-direct":
                chosen = max((place for place, one in enumerate(touches) if one.channel != "direct"), default=last)
            return [Fraction(place == chosen) for place in range(count)]
        case "linear":
            return [Fraction(1, count)] * count
        case "position-based":
            if count < 3:
                return [Fraction(1, count)] * count
            return [Fraction(2, 5), *[Fraction(1, 5) / (count - 2)] * (count - 2), Fraction(2, 5)]
        case _:
            decayed = [2.0 ** (-(order.at - min(one.at, order.at)) / (7 * DAY)) for one in touches]
            return [one / sum(decayed) for one in decayed]


MODELS: Final = ("first", "last", "last-non-direct", "linear", "position-based", "time-decay")


def credits(
    paths: Sequence[Path], untouched: Sequence[Order], by: str
) -> dict[tuple[str, str, str], tuple[float, float]]:
    """By model, currency and name the conversions and the value."""
    found: dict[tuple[str, str, str], tuple[float, float]] = {}

    def add(key: tuple[str, str, str], part: Fraction | float, order: Order) -> None:
        conversions, value = found.get(key, (0.0, 0.0))
        if part:
            found[key] = (conversions + float(part), value + float(part) * float(order.net))

    for model in MODELS:
        for path in paths:
            for touch, part in zip(path[1], weights(model, path), strict=True):
                add((model, path[0].currency, touch.named(by)), part, path[0])
        for order in untouched:
            add((model, order.currency, "(no touch)"), 1, order)
    return found
