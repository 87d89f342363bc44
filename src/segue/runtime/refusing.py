"""Consent and suppression in the moment of sending, and what an outcome says of an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from segue.api import Event, Instant, Rejected
from segue.customers.suppression import BOUNCED, COMPLAINED, STOPPED, Suppression, comparable, refusal_by
from segue.delivery.ledger import LedgerRow
from segue.engine.journey import Emitted, mint
from segue.program.reads import REACH
from segue.runtime.people import Person
from segue.runtime.reaching import look_again
from segue.runtime.turn import Turn

ADDRESS_GONE: Final = "address_gone"
"""The event that tells rules of a dead address."""

REGISTERED: Final = frozenset({"push_token", "web_push_token"})
"""Addresses that a device registers by itself: each time it names one, that one is alive."""


def refusal_of(turn: Turn, row: LedgerRow, person: Person) -> str | None:
    """Why a message must not go: to where its customer is reached now, and, where an earlier claim fixed an address, to
    that one. None where it may."""
    reach, find = turn.running.reach, turn.suppressions.find
    refusal = reach.refusal(row.channel, row.kind, person.row.traits, person.row.consent, find)
    how = reach.channels.get(row.channel)
    if refusal is not None or not row.address or how is None or how.address is None:
        return refusal
    return refusal_by(find(how.address, row.address), row.channel, row.kind)


def take_in_hand(turn: Turn, row: LedgerRow) -> None:
    """A message is claimed: until it is called, a withdrawal still stops it."""
    if turn.running.in_hand is not None:
        turn.running.in_hand.hold(row.row, row.customer, _sort_of(turn, row.channel), row.address)


def address_is_dead(turn: Turn, row: LedgerRow, person: Person, reason: str, now: Instant) -> None:
    """A provider says that the address of a message is dead: nothing goes to it any more. The first time that it does,
    this is an event of the customer's, which rules may wait for or begin with."""
    sort = _sort_of(turn, row.channel)
    known = (
        sort is None
        or not row.address
        or any(one.reason == BOUNCED for one in turn.suppressions.find(sort, row.address))
    )
    _suppress(turn, row, person, BOUNCED, "", reason, now, now)
    if not known:
        fields = {"channel": row.channel, "address": sort, "reason": reason, "message": row.message}
        gone = {name: value for name, value in fields.items() if value}
        turn.emit(person, Emitted(ADDRESS_GONE, gone, mint("address gone", row.key)), now, 0)


def given_anew(
    turn: Turn, person: Person, given: Mapping[str, Any], old: Mapping[str, Any], at: Instant, now: Instant
) -> None:
    """An event gave these traits, and changed them from ``old``. A dead address that it gives anew may be reached
    again: a device's, which registers itself, however often it was given before; a mailbox or number only where the
    customer had another one in between, since shops repeat what they know with every call."""
    if not turn.suppressions.are_any():
        return
    for sort in turn.running.reach.addresses & given.keys():
        address = given[sort]
        if not address or person.row.traits.get(sort) != address:
            continue
        dead = [one for one in turn.suppressions.find(sort, str(address)) if one.reason == BOUNCED]
        if not dead or any(one.message is None or one.since >= at for one in dead):
            continue
        if sort in REGISTERED or ((before := old.get(sort)) and comparable(sort, before) != dead[0].address):
            turn.suppressions.lift(sort, str(address), at, BOUNCED, "")
            turn.refresh(person)
            turn.change(person, frozenset((REACH,)), now)
            look_again(turn, sort, dead[0].address, now, without=(person.row.row,))


def take_refusal(turn: Turn, row: LedgerRow, person: Person, refusal: Rejected, now: Instant) -> None:
    """What a provider's refusal says of the address: it is dead, or its owner told the provider to send no more."""
    if refusal.address_gone:
        address_is_dead(turn, row, person, refusal.reason, now)
    if refusal.opted_out and row.address:
        stop(turn, row.channel, row.address, refusal.reason, now, now)
        _show(turn, row, person, now)


def take_complaint(turn: Turn, row: LedgerRow, person: Person, reason: str, at: Instant, now: Instant) -> None:
    """A message was called spam: no marketing goes to its address by that channel any more."""
    _suppress(turn, row, person, COMPLAINED, row.channel, reason, at, now)


def _suppress(
    turn: Turn, row: LedgerRow, person: Person, why: str, channel: str, detail: str, since: Instant, now: Instant
) -> None:
    sort = _sort_of(turn, row.channel)
    if sort is None or not row.address:
        return
    address = comparable(sort, row.address)
    turn.suppressions.add(Suppression(sort, address, why, since, row.channel, channel, detail, row.row))
    _show(turn, row, person, now)


def _show(turn: Turn, row: LedgerRow, person: Person, now: Instant) -> None:
    """Let whoever has the address of a message be looked at again, now that it is suppressed."""
    if (sort := _sort_of(turn, row.channel)) is not None:
        turn.refresh(person)
        turn.change(person, frozenset((REACH,)), now)
        look_again(turn, sort, comparable(sort, row.address), now, without=(person.row.row,))


def _sort_of(turn: Turn, channel: str) -> str | None:
    """The trait that holds the addresses of a channel."""
    how = turn.running.reach.channels.get(channel)
    return how.address if how is not None else None


def stop(turn: Turn, channel: str, address: str, word: str, at: Instant, now: Instant) -> None:
    """STOP was answered from an address: no marketing goes to it by that channel, whoever has it."""
    if (sort := _sort_of(turn, channel)) is not None:
        known = comparable(sort, address)
        turn.suppressions.add(Suppression(sort, known, STOPPED, at, channel, channel, word.strip()[:100], received=now))


def repeat_word(turn: Turn, person: Person, name: str, event: Event, at: Instant, now: Instant) -> None:
    """On record a STOP or START is the event that it became: have its address suppressed, or not, as it was then."""
    parts = event.message_id.split(":", 2)
    sort = _sort_of(turn, parts[1]) if len(parts) == 3 and parts[0] == "inbound" else None
    address = person.row.traits.get(sort) if sort is not None else None
    if address and name == "unsubscribed":
        stop(turn, parts[1], str(address), str(event.properties.get("text", "")), at, now)
    elif address and name == "subscribed":
        restart(turn, parts[1], str(address), now)


def restart(turn: Turn, channel: str, address: str, at: Instant) -> None:
    """START was answered from an address: its STOP is over."""
    if (sort := _sort_of(turn, channel)) is not None:
        turn.suppressions.lift(sort, address, at, STOPPED, channel)
