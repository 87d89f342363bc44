"""What is known: customers, what happened to them, and what was decided."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from segue.language import model as m

if TYPE_CHECKING:
    from tests.engine.reference.journeys import Journey
    from tests.engine.reference.world import World

PREFERENCE = ("push", "sms", "email")
"""The channels with content, in the order in which customers prefer them."""

ZONES = ("UTC", "Europe/Paris", "Australia/Lord_Howe", "America/New_York")
"""Where customers live who say so."""

BEST_MINUTE = 600
"""When customers answer most: from ten to eleven."""


def at_share(*use: str) -> Fraction:
    """Where a customer stands among all, from 0 to 1, for a use."""
    text = "".join(f"{len(part)}:{part}" for part in use)
    return Fraction(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"), 2**64)


class Past(msgspec.Struct):
    name: str
    at: datetime
    order: int
    fields: dict[str, Any]


class Line(msgspec.Struct, frozen=True, order=True):
    """A decision. ``journey`` counts the customer's journeys of the rule; 0 for what belongs to none."""

    at: datetime
    customer: str
    rule: str
    journey: int
    decision: str
    channel: str = ""
    message: str = ""
    reason: str = ""


class Message(msgspec.Struct, eq=False):
    journey: Journey
    delivery: m.Delivery
    channel: str
    group: int
    place: int
    state: str = "decided"


class Person:
    def __init__(self, world: World, key: str) -> None:
        self.world = world
        self.key = key
        self.traits: dict[str, Any] = {}
        self.said: dict[str, tuple[datetime, bool, str]] = {}
        self.withdrawn: set[tuple[str, str]] = set()
        self.events: list[Past] = []
        self.journeys: list[Journey] = []
        self.members = dict.fromkeys(world.segments, False)
        self.crossings: dict[str, datetime] = {}
        self.dates: dict[str, datetime] = {}

    @property
    def zone(self) -> ZoneInfo:
        named = self.traits.get("timezone")
        return ZoneInfo(named) if named else self.world.zone

    def refusal(self, channel: str, kind: str) -> str:
        address = self.world.addresses[channel]
        if address is not None and not self.traits.get(address):
            return f"no {address}"
        if (channel, kind) in self.withdrawn:
            return "consent withdrawn"
        return ""

    def is_among(self, percent: Decimal | None, rule: str, use: str) -> bool:
        return percent is not None and at_share(self.key, rule, use) < Fraction(percent) / 100

    def arm(self, rule: str, split: m.Split) -> m.Arm:
        mark, reached = at_share(self.key, rule, split.name, "arm"), Fraction(0)
        for arm in split.arms:
            reached += Fraction(arm.percent) / 100
            if mark < reached:
                return arm
        raise AssertionError("the percentages of a split add up to 100")
