"""What a `send` leaves unsaid, filled in."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.api import Period
from segue.language import tree as t

DEFAULT_WITHIN: Final = Period(days=1)
"""How late a message may still go when nothing is said."""


class Filled(msgspec.Struct, frozen=True):
    """One channel of a send with its defaults. ``named`` tells whether the message's name was written in this send."""

    written: t.Delivery
    message: str
    named: bool
    values: tuple[t.Assignment, ...]
    kind: t.Name | None
    within: Period


def fill(send: t.Send, rule: str) -> tuple[tuple[tuple[Filled, ...], ...], ...]:
    """Parts (`then`) of groups (`and`) of alternatives (`or`).

    A channel without a message's name takes the previous channel's, else the rule's. What follows the last channel
    (`with`, `as`, `within`) holds for every channel without its own.
    """
    last = send.parts[-1].groups[-1].deliveries[-1]
    message, named = rule, False
    parts = []
    for part in send.parts:
        groups = []
        for group in part.groups:
            alternatives = []
            for delivery in group.deliveries:
                if delivery.message is not None:
                    message, named = delivery.message.value, True
                values = delivery.values if delivery.values is not None else last.values
                within = delivery.within or last.within
                alternatives.append(
                    Filled(
                        delivery,
                        message,
                        named,
                        values or (),
                        delivery.kind or last.kind,
                        within.period if within else DEFAULT_WITHIN,
                    )
                )
            groups.append(tuple(alternatives))
        parts.append(tuple(groups))
    return tuple(parts)
