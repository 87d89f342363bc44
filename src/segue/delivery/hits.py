"""Opens and clicks, and whether a person made them.

A hit is one request for a link or the picture of a message. What the request says of itself is known at once
(`segue.delivery.agents`); what only the requests together say, a few seconds later. So a hit that may be a person's
is held for `HOLD`, and judged then, by everything that is known of its message by that time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from segue.api import Instant
from segue.api.values import SECOND
from segue.messages.links import TRAP

What = Literal["clicked", "opened"]

HOLD: Final = 10 * SECOND
"""How long a hit that may be a person's waits for what comes after it."""
AT_ONCE: Final = 10 * SECOND
"""Links that are opened within this of each other are opened at once."""
PAIR: Final = 2 * SECOND
"""The same where a message has but two links: a person opens one, comes back, and opens the other."""
MANY: Final = 5
"""So many different links at once are a machine's, though the message has more."""
TOO_SOON: Final = 5 * SECOND
"""Nobody has a message, reads it and opens a link so soon after it was handed over."""
NEARBY: Final = 60 * SECOND
"""What is opened this close to the link that nobody sees, by the same sort of agent, was opened by the same machine."""


class Hit(msgspec.Struct, frozen=True):
    """One request for a link of the message with this ``key``. ``links`` is how many different ones it has; ``machine``
    is why no person can have made it, empty where nothing says so."""

    key: str
    what: What
    link: int
    links: int
    at: Instant
    agent: str
    machine: str = ""
    target: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What is known of another hit of the same message."""

    what: str
    link: int
    at: Instant
    agent: str
    known: bool = False
    """Whether the request itself told that a machine made it: that is nothing against others."""


def judge(what: str, links: int, at: Instant, agent: str, seen: Sequence[Seen], handed: Instant | None) -> str:
    """Why no person made this hit; empty where a person did, as far as is known. ``seen`` are all hits of its
    message, this one included; ``handed`` is when the message was handed over, or given to be."""
    if any(one.link == TRAP and one.agent == agent and abs(one.at - at) <= NEARBY for one in seen):
        return "the link that nobody can see was opened too"
    if handed is not None and at < handed + TOO_SOON:
        return f"it came within {TOO_SOON // SECOND} seconds of the message's hand-over"
    if what == "clicked" and links > 1:
        span = PAIR if links == 2 else AT_ONCE
        times = sorted(
            (one.at, one.link) for one in seen if one.what == "clicked" and one.link != TRAP and not one.known
        )
        near = [(moment, link) for moment, link in times if abs(moment - at) <= span]
        needed = min(links, MANY)
        for moment, _ in near:
            together = {link for other, link in near if moment <= other <= moment + span}
            if len(together) >= needed:
                everything = "all of" if len(together) >= links else f"{len(together)} of"
                return f"{everything} the message's {links} links were opened within {span // SECOND} seconds"
    return ""
