"""Touches and conversions as columns of numpy: five million of them are some hundred megabytes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal

import msgspec

from segue.api.attribution import Codes, Floats, Ints


class What(IntEnum):
    """What a touch is. Of a message, the greatest counts: who clicked has opened, whatever was noted of that."""

    HANDED = 0
    OPENED = 1
    CLICKED = 2
    REPLIED = 3
    REDEEMED = 4
    VISIT = 5
    AD = 6
    STORE = 7
    CALL = 8
    CONTACT = 9

    @property
    def title(self) -> str:
        """As people and settings call it."""
        return TITLES[self]


TITLES: Final[dict[What, str]] = {
    What.HANDED: "handed over",
    What.OPENED: "opened",
    What.CLICKED: "clicked",
    What.REPLIED: "replied",
    What.REDEEMED: "code redeemed",
    What.VISIT: "visit",
    What.AD: "ad",
    What.STORE: "store visit",
    What.CALL: "call",
    What.CONTACT: "contact",
}


class Told(IntEnum):
    """The table whose row tells of a touch."""

    MESSAGE = 0
    HIT = 1
    EVENT = 2
    COUPON = 3


OF_MESSAGES: Final = What.REDEEMED
"""The last of those that are of a message of ours."""

By = Literal["channel", "campaign", "rule", "message", "arm"]
NONE: Final = "(none)"
"""Stands where a touch has no campaign, rule, message or arm."""
OTHERS: Final = "(others)"
"""Stands for names beyond the first `MOST_NAMES`."""
MOST_NAMES: Final = 5_000
"""Campaigns that are told apart. Their names come from outside, and anybody can make up a million."""


class Label(msgspec.Struct, frozen=True, array_like=True):
    """What a touch is told apart by. Empty where it has none of it."""

    channel: str
    campaign: str = ""
    rule: str = ""
    message: str = ""
    arm: str = ""


class Contact(msgspec.Struct, frozen=True):
    """What an event of the vocabulary is as a touch: ``channel`` is empty where its address tells that."""

    what: What
    channel: str = ""


class Touches(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Touches, in any order: ``labels`` are places in ``names``, ``messages`` the numbers of our messages (0: none),
    ``rows`` the number of what tells of it, in the table ``told``. ``costs`` are in millionths of the currency at
    ``currencies`` in ``money``."""

    customers: Ints
    at: Ints
    whats: Codes
    labels: Codes
    messages: Ints
    rows: Ints
    told: Codes
    costs: Ints
    currencies: Codes
    names: tuple[Label, ...]
    money: tuple[str, ...]
    folded: int = 0
    """Touches whose campaign was one too many to be told apart."""


class Conversions(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Conversions, in any order: ``values`` are what is left of ``gross`` after ``refunds``, in the currency at
    ``currencies`` in ``money``. ``rows`` are the numbers of the events, or of the journeys, that they are."""

    customers: Ints
    at: Ints
    values: Floats
    gross: Floats
    refunds: Floats
    currencies: Codes
    rows: Ints
    money: tuple[str, ...]
    name: str
    lost: Mapping[tuple[int, int], float] = {}
    """The share that was paid back of the order that a customer was told to have made at a moment; of a cancelled one
    all. Orders of which nothing was are left out."""
    repeated: int = 0
    """Left out: the same order was told of before."""
    cancelled: int = 0
    """Left out: the order was cancelled."""
    unpriced: int = 0
    """Counted, with a value of 0: none was named, or none that is a number."""
    negative: int = 0
    """Counted, with a value of 0: it was below that."""
    loose_refunds: int = 0
    """Left out: refunds and cancellations of orders that are not there, or in another currency than the order."""
    loose: Mapping[str, float] = {}
    """What those refunds come to, by currency."""
    earlier: Mapping[str, float] = {}
    """What was paid back in the period of orders from before it, by currency: it counts with the orders."""
