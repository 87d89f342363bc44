"""Addresses to which nothing, or no marketing, may go any more, whoever has them.

Consent is what a customer said; a suppression is what became of an address. It holds for a customer who comes with that
address tomorrow, it outlives what is said later, and only a command lifts it (or, after STOP, the START from the same
address).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from segue.api import Instant
from segue.customers.normal import email, phone

Reason = Literal["bounced", "complained", "stopped", "asked"]

BOUNCED: Final = "bounced"
"""The address is dead: a provider says so (RFC 3464, an unregistered token). Nothing goes to it, of no kind."""
COMPLAINED: Final = "complained"
"""A message to it was called spam (RFC 5965): no marketing on that channel."""
STOPPED: Final = "stopped"
"""STOP was answered from it: no marketing on that channel, until START is."""
ASKED: Final = "asked"
"""Somebody who runs this Segue suppressed it by command: nothing goes to it."""

REASONS: Final = (BOUNCED, COMPLAINED, STOPPED, ASKED)
_OF_MARKETING: Final = frozenset({COMPLAINED, STOPPED})

_WORDS: Final[Mapping[str, str]] = {
    BOUNCED: "{sort} is gone",
    COMPLAINED: "{sort} suppressed: a message by {channel} was reported as spam",
    STOPPED: "{sort} suppressed: STOP was answered by {channel}",
    ASKED: "{sort} suppressed by command",
}


class Suppression(msgspec.Struct, frozen=True):
    """One suppressed address. ``sort`` is the trait that holds such addresses (``email``, ``phone``), ``address`` the
    address as it is compared; ``channel`` is empty where every channel that goes to the address is meant. ``detail`` is
    what was said, ``source`` who said it, ``message`` the number of the message that showed it; ``lifted`` is when it
    was lifted, None while it holds. ``received`` is when that came here, None where it was in that moment."""

    sort: str
    address: str
    reason: str
    since: Instant
    source: str
    channel: str = ""
    detail: str = ""
    message: int | None = None
    lifted: Instant | None = None
    received: Instant | None = None

    def refuses(self, channel: str, kind: str) -> bool:
        """Whether a message of that kind may not go to the address by that channel."""
        if self.reason in _OF_MARKETING and kind == "transactional":
            return False
        return self.channel in ("", channel)

    def words(self, channel: str) -> str:
        """The reason, as `segue why` tells it."""
        return _WORDS[self.reason].format(sort=self.sort, channel=self.channel or channel)


def comparable(sort: str, value: Any) -> str:
    """An address as it is compared: the same mailbox or number in another spelling is the same address. What is no
    address of its sort is compared as it is written."""
    text = str(value).strip()
    if sort == "email":
        return email(text) or text.lower()
    if sort == "phone":
        return phone(text) or text
    return text


def refusal_by(found: Iterable[Suppression], channel: str, kind: str) -> str | None:
    """Why a message may not go by a channel to an address with these suppressions; None where it may."""
    return next((one.words(channel) for one in found if one.refuses(channel, kind)), None)
