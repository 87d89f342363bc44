"""The links of messages that go out now: rewritten so that they tell when they are opened, and what their short codes
stand for stored before anybody can open them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from segue.api import ChannelSpec, Message
from segue.messages.links import SHORT, About, ShortLink, Tracked
from segue.runtime.dispatch import Claim
from segue.runtime.links import Links
from segue.store import hits as hit_rows
from segue.store.database import FIRST, Store

Short = tuple[int, ShortLink]
"""A short code in a message, by the message's number."""

_NOTHING: Final[dict[str, str]] = {}


def follow(links: Links | None, spec: ChannelSpec, one: Claim, content: dict[str, str]) -> Tracked:
    """The content of a message with its links followed. What stands, or is printed, has none that could be."""
    if links is None or links.tracking is None or not content or spec.stands or spec.retracts:
        return Tracked(content)
    customer = one.values.get("customer")
    about = About(
        key=one.key,
        channel=one.channel,
        name=one.message,
        rule=one.rule,
        kind=one.kind,  # type: ignore[arg-type]  # the ledger holds only kinds
        expires=one.expires,
        traits=customer if isinstance(customer, dict) else _NOTHING,
    )
    return links.follow(content, about)


async def keep(store: Store, short: Sequence[Short], messages: Sequence[Message], url: str) -> list[Message]:
    """Store what short codes stand for, and give the messages that may go with them. A code that stands for something
    else already (one in a thousand million) is taken out again. Raises StoreUnavailable."""
    taken = await asyncio.wrap_future(store.write(lambda tx: hit_rows.put_short_links(tx, short), FIRST))
    gone = {f"{url}{SHORT}{one.code}": one.mark.target for _, one in short if one.code in taken}
    if not gone:
        return list(messages)
    return [msgspec.structs.replace(message, content=_without(dict(message.content), gone)) for message in messages]


def _without(content: dict[str, str], gone: dict[str, str]) -> dict[str, str]:
    for link, target in gone.items():
        content["text"] = content.get("text", "").replace(link, target)
    return content
