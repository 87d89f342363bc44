"""Counts of a period, as a look through the store adds them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

Fate = Literal["waiting", "sent", "delivered", "undelivered", "unknown", "skipped", "refused", "taken back"]
"""What became of a message: it ``waits``; the provider took it (``sent``), and reported it ``delivered`` or
``undelivered``; whether it took it is ``unknown``; Segue did not send it (``skipped``); the provider ``refused`` it, or
it could not be handed over in time; it was ``taken back``."""
WENT_OUT: frozenset[Fate] = frozenset({"sent", "delivered", "undelivered", "unknown", "taken back"})
"""A provider took it, or may have."""
Deed = Literal["opened", "clicked", "replied"]


class OfChannel(msgspec.Struct):
    """What became of the messages of a channel, and what they cost, by currency."""

    fates: Counter[Fate] = msgspec.field(default_factory=Counter)
    cost: dict[str, Decimal] = {}

    @property
    def sent(self) -> int:
        """Messages that went out."""
        return sum(number for fate, number in self.fates.items() if fate in WENT_OUT)


class Counts(msgspec.Struct):
    """Of one period. Money is in millionths of a currency where it is an int, exact where it is a Decimal.

    ``messages`` are those decided in the period, by day, channel and fate, with ``reasons`` of those that did not go
    and ``deeds``: how many of them were opened, clicked or answered, by channel, until now. ``costs`` are by day,
    channel and currency. ``entries`` and ``conversions`` are by day and rule, ``worth`` is what the goals brought that
    were met, by rule and currency, and ``worth_refunded`` what was paid back of it. ``orders``, ``revenue`` and
    ``refunds`` are by the day of the order, the latter two by currency; ``notes`` say what of them was left out.
    """

    messages: Counter[tuple[date, str, Fate]] = msgspec.field(default_factory=Counter)
    reasons: Counter[tuple[str, Fate, str]] = msgspec.field(default_factory=Counter)
    deeds: Counter[tuple[str, Deed]] = msgspec.field(default_factory=Counter)
    costs: Counter[tuple[date, str, str]] = msgspec.field(default_factory=Counter)
    entries: Counter[tuple[date, str]] = msgspec.field(default_factory=Counter)
    conversions: Counter[tuple[date, str]] = msgspec.field(default_factory=Counter)
    worth: dict[tuple[str, str], Decimal] = {}
    worth_refunded: dict[tuple[str, str], Decimal] = {}
    orders: Counter[date] = msgspec.field(default_factory=Counter)
    revenue: dict[tuple[date, str], Decimal] = {}
    refunds: dict[tuple[date, str], Decimal] = {}
    notes: tuple[str, ...] = ()

    def sent(self) -> int:
        """Messages that went out."""
        return sum(number for (_, _, fate), number in self.messages.items() if fate in WENT_OUT)

    def cost(self) -> dict[str, Decimal]:
        """What messages cost, by currency."""
        found: dict[str, Decimal] = {}
        for (_, _, currency), amount in self.costs.items():
            found[currency] = found.get(currency, Decimal(0)) + Decimal(amount) / 1_000_000
        return dict(sorted(found.items()))

    def channels(self) -> dict[str, OfChannel]:
        """The channels that were to send anything, those that sent most first."""
        found: dict[str, OfChannel] = {}
        for (_, channel, fate), number in self.messages.items():
            found.setdefault(channel, OfChannel()).fates[fate] += number
        for (_, channel, currency), amount in sorted(self.costs.items(), key=lambda one: one[0][2]):
            if channel in found:
                cost = found[channel].cost
                cost[currency] = cost.get(currency, Decimal(0)) + Decimal(amount) / 1_000_000
        return dict(sorted(found.items(), key=lambda one: (-one[1].sent, one[0])))

    @property
    def total_revenue(self) -> dict[str, Decimal]:
        """Orders less refunds, by currency."""
        found = by_currency(self.revenue)
        for currency, amount in by_currency(self.refunds).items():
            found[currency] = found.get(currency, Decimal(0)) - amount
        return dict(sorted(found.items()))

    @property
    def empty(self) -> bool:
        """Whether nothing at all happened."""
        return not (self.messages or self.entries or self.conversions or self.orders or self.refunds)


def by_currency(amounts: Mapping[tuple[date, str], Decimal]) -> dict[str, Decimal]:
    """Amounts of all days, by currency."""
    found: dict[str, Decimal] = {}
    for (_, currency), amount in amounts.items():
        found[currency] = found.get(currency, Decimal(0)) + amount
    return dict(sorted(found.items()))
