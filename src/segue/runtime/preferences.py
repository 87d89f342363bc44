"""What a customer who opens a link of a message may see and change: their consent and their wishes.

Whoever holds the link is taken to be whom the message went to, and sees no more than that needs: addresses are masked.
What they choose becomes events, like what a shop's own form sends: recorded, replayed, and kept in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from segue.api import Event, Instant
from segue.customers.consent import GRANTED, MARKETING, NOTHING_SAID, PENDING, WITHDRAWN, State, place
from segue.customers.identity import naming
from segue.customers.suppression import BOUNCED, COMPLAINED, STOPPED, Suppression, comparable
from segue.customers.wishes import FREQUENCIES, chosen_channel, frequency_trait, preferred_trait
from segue.messages.links import TRAIT
from segue.program import program as p
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.database import Transaction
from segue.store.ledger import find_message

ANY: Final = ""
"""The choice of no channel, and of no frequency, in particular."""

Hindrance = Literal["", "pending", "stopped", "complained", "bounced"]
"""Why nothing comes although the customer may want it: it waits to be confirmed, or the address is suppressed."""


class Way(msgspec.Struct, frozen=True):
    """One channel for one kind of message: whether such messages come now, and what is in the way."""

    channel: str
    comes: bool
    hindrance: Hindrance = ""


class KindChoice(msgspec.Struct, frozen=True):
    """What a customer can choose for one kind of message."""

    kind: str
    ways: tuple[Way, ...]
    preferred: str = ANY
    frequency: str = ANY


class Choices(msgspec.Struct, frozen=True):
    """What the holder of a link sees. ``key`` is the message's, ``channel`` and ``kind`` how it came; ``address`` is
    where it went, masked; ``current``: the customer still has that address. ``addresses`` are masked too, by channel.
    ``standing`` is what was said, for all channels and kinds of marketing, by `segue.customers.consent.place`.
    ``customer`` is the identifier by which their customer goes. ``followed`` is whether their opens and clicks may be,
    None where they did not say."""

    key: str
    channel: str
    kind: str
    address: str
    current: bool
    locale: str
    kinds: tuple[KindChoice, ...]
    addresses: Mapping[str, str]
    standing: Mapping[str, State | None]
    customer: str
    followed: bool | None = None

    def pending(self, channel: str) -> list[str]:
        """The kinds that wait to be confirmed for a channel."""
        return [
            choice.kind
            for choice in self.kinds
            if any(way.channel == channel and way.hindrance == "pending" for way in choice.ways)
        ]


def look(tx: Transaction, running: Running, key: str, now: Instant) -> Choices | None:
    """What the holder of a link of this message sees; None where there is no such message, or its customer is gone."""
    message = find_message(tx, key=key)
    if message is None:
        return None
    turn = Turn(tx, running, now)
    turn.load([message.customer])
    person = turn.people.get(message.customer)
    if person is None:
        return None
    traits, reach = person.row.traits, running.reach
    channels = [
        name
        for name, how in reach.channels.items()
        if name == message.channel
        or how.address is None
        or traits.get(how.address)
        or (how.optional and not reach.knows_address(traits))
    ]
    kinds = tuple(_kind_choice(turn, running, person.row.consent, traits, kind, channels) for kind in kinds_of(running))
    how = reach.channels.get(message.channel)
    now_at = traits.get(how.address) if how is not None and how.address is not None else None
    sort = how.address if how is not None and how.address is not None else ""
    locale = traits.get("locale") or traits.get("language")
    return Choices(
        key=key,
        channel=message.channel,
        kind=message.kind,
        address=mask(message.address) if sort else "",
        current=now_at is None or comparable(sort, now_at) == comparable(sort, message.address),
        locale=locale if isinstance(locale, str) else running.locale,
        kinds=kinds,
        addresses={
            name: mask(str(traits[trait]))
            for name in channels
            if (trait := reach.channels[name].address) in ("email", "phone") and traits.get(trait)
        },
        standing={
            name: person.row.consent.get(name, NOTHING_SAID).state
            for name in (place(channel, kind) for channel in reach.channels for kind in MARKETING)
        },
        customer=person.row.key,
        followed=said if isinstance(said := traits.get(TRAIT), bool) else None,
    )


def _kind_choice(
    turn: Turn, running: Running, consent: Mapping[str, Any], traits: Mapping[str, Any], kind: str, channels: list[str]
) -> KindChoice:
    ways = []
    for name in channels:
        how = running.reach.channels[name]
        state = consent.get(place(name, kind), NOTHING_SAID).state
        comes = state == GRANTED or (state is None and how.consent == "opt-out")
        address = traits.get(how.address) if how.address is not None else None
        found = turn.suppressions.find(how.address, str(address)) if how.address is not None and address else ()
        hindrance = _hindrance(found, name, kind) or ("pending" if state == PENDING else "")
        ways.append(Way(name, comes and hindrance in ("", "pending"), hindrance))
    frequency = traits.get(frequency_trait(kind))
    chosen = chosen_channel(traits, kind)
    return KindChoice(
        kind,
        tuple(ways),
        chosen if chosen is not None and chosen in channels else ANY,
        frequency if isinstance(frequency, str) and frequency in FREQUENCIES else ANY,
    )


def _hindrance(found: Iterable[Suppression], channel: str, kind: str) -> Hindrance:
    for one in found:
        if one.refuses(channel, kind):
            return one.reason if one.reason in (STOPPED, COMPLAINED) else BOUNCED  # type: ignore[return-value]
    return ""


def kinds_of(running: Running) -> tuple[str, ...]:
    """The kinds of message that the book sends and customers may refuse; promotional where it sends none of them."""
    sent = {
        alternative.kind
        for program in running.programs.values()
        for step in program.steps
        if isinstance(step, p.Send)
        for group in step.together
        for alternative in group
    }
    return tuple(kind for kind in MARKETING if kind in sent) or MARKETING[:1]


def mask(address: str) -> str:
    """An address that whoever has it knows again, and nobody else learns: ``a•••@example.com``, ``•••67``."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}•••@{domain}"
    return f"•••{address[-2:]}" if len(address) > 4 else "•••"


class Change(msgspec.Struct, frozen=True):
    """What the customer says now about one channel and kind; `ANY` means all of them."""

    channel: str
    kind: str
    state: State


class Proof(msgspec.Struct, frozen=True):
    """What shows that it was said: on which page (``source``), the version of its wording, and ``text`` for what else
    there is."""

    source: str

    wording: str
    text: str


def unsubscribe(choices: Choices, channel: str) -> list[Change]:
    """What is said so that no marketing comes by a channel any more (`ANY`: by none). Nothing, where it was said
    before."""
    silent = all(
        state == WITHDRAWN for name, state in choices.standing.items() if channel in (ANY, name.rpartition("/")[0])
    )
    return [] if silent else [Change(channel, ANY, WITHDRAWN)]


def events_of(
    choices: Choices,
    changes: Iterable[Change],
    traits: Mapping[str, str | bool | None],
    proof: Proof,
    now: Instant,
    *,
    confirmed: bool = False,
) -> list[Event]:
    """The events by which a customer says what they chose. ``confirmed``: they confirm a subscription. ``traits`` are
    wishes that changed, None for one that is taken back."""
    who = naming(choices.customer)
    said = [
        Event(
            message_id=f"page:{choices.key}:{now}:{place(one.channel, one.kind)}",
            timestamp=now,
            source=proof.source,
            name=_event_name(one.state, confirmed),
            user_id=who.user_id,
            anonymous_id=who.anonymous_id,
            ids=who.ids,
            properties={
                **({"channel": one.channel} if one.channel else {}),
                **({"kind": one.kind} if one.kind else {}),
                "wording": proof.wording,
                "proof": proof.text,
                "source": proof.source,
            },
        )
        for one in changes
    ]
    if traits:
        said.append(
            Event(
                message_id=f"page:{choices.key}:{now}:wishes",
                timestamp=now,
                source=proof.source,
                user_id=who.user_id,
                anonymous_id=who.anonymous_id,
                ids=who.ids,
                traits=dict(traits),
            )
        )
    return said


def _event_name(state: State, confirmed: bool) -> str:
    if state == WITHDRAWN:
        return "unsubscribed"
    return "subscription_confirmed" if confirmed else "subscribed"


def wishes(choices: Choices, kind: str, preferred: str, frequency: str) -> dict[str, str | None]:
    """The traits that change where a customer chooses this channel and frequency for a kind."""
    found = next((one for one in choices.kinds if one.kind == kind), None)
    changed: dict[str, str | None] = {}
    if found is not None and preferred != found.preferred and preferred in (ANY, *(way.channel for way in found.ways)):
        changed[preferred_trait(kind)] = preferred or None
    if found is not None and frequency != found.frequency and frequency in (ANY, *FREQUENCIES):
        changed[frequency_trait(kind)] = frequency or None
    return changed
