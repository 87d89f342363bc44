"""Erasing a customer: their journeys end, what was not sent is withdrawn, what stands is taken back, and everything
that is kept of them is deleted.

It begins as one input among others, in a turn: from its commit on nothing knows the customer any more. Rows that
nothing looks at by itself, of which there may be very many, follow in pieces; then the write-ahead log is emptied. What
channels have to do is kept, with what they need for it, until they have answered for good: see
`segue.runtime.forgetting`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from segue.api import Forget, Instant, Message
from segue.api.values import SECOND
from segue.customers.identity import show
from segue.customers.pseudonyms import Mark, all_texts, mark, marks_of_key, marks_of_traits
from segue.delivery.ledger import LedgerRow, MessageState
from segue.engine.journey import mint
from segue.messages.rendering import RenderError, render
from segue.runtime.identifying import Identities
from segue.runtime.people import Person
from segue.runtime.pinning import pinned
from segue.runtime.running import CHAIN, Running
from segue.runtime.turn import Done, Turn
from segue.store import erasures
from segue.store.consent import hide_suppressed
from segue.store.database import Transaction
from segue.store.erasures import Erasure
from segue.store.ledger import select_messages
from segue.store.mentions import delete_rejections, find_mentions

ERASED: Final = "erased"
"""Why a journey exits whose customer is erased."""

_LATE: Final = 30 * SECOND
"""How much later than its channel's time-out a call that was under way may still reach the provider."""

_SEARCHED: Final = 200
"""Rejections that one transaction searches: each may be 8 KB."""

Calls = list[tuple[str, Forget | Message, Instant]]


def begin(tx: Transaction, running: Running, number: int, now: Instant) -> Done:
    """Begin an erasure that was asked for."""
    turn = Turn(tx, running, now)
    erasure = erasures.find_erasure(tx, number)
    if erasure is not None and erasure.state == erasures.ASKED:
        row = erasure.customer
        turn.load([row] if row is not None else [])
        if row in turn.people:
            erase(turn, turn.people[row], erasure, now)
        else:  # erased since, by another request
            erasures.put_erasures(tx, [msgspec.structs.replace(erasure, state=erasures.DONE, begun=now, done=now)])
    return turn.flush()


def erase_at_once(turn: Turn, identities: Identities, person: Person, who: str, now: Instant) -> Sequence[Mark]:
    """Begin the erasure of a customer of this turn, asked for by ``who``. Gives the identifiers they had."""
    erasure = erasures.find_erasure(turn.tx, erasures.ask(turn.tx, person.row.row, who, now))
    assert erasure is not None
    return erase(turn, person, erasure, now, identities)


def erase(
    turn: Turn, person: Person, erasure: Erasure, now: Instant, identities: Identities | None = None
) -> Sequence[Mark]:
    """End what a customer is inside of, note what channels have to do, and delete what anything looks at."""
    tx, row = turn.tx, person.row.row
    if turn.running.in_hand is not None:  # what is claimed for them and not called yet
        turn.running.in_hand.stop_customers((row,))
    turn.advance(person, now)
    for journey in list(turn.journeys(person).values()):
        latest = turn.latest(person, journey)
        if latest.state == "inside":
            turn.end(person, latest, ERASED, now, depth=CHAIN)  # nothing follows from it: no rule begins now
    turn.flush()
    messages = select_messages(tx, "customer = ? order by id", (row,))
    identities = identities if identities is not None else Identities(turn)
    shared = identities.links_with_others(row)
    marks = _marks_of(tx, person, messages)
    erasures.put_calls(tx, erasure.number, _calls(turn, person, erasure, messages, now))
    erasures.put_tombstones(tx, erasure.number, now, marks)
    hide_suppressed(tx, [one for one in marks if one[0] not in ("user", "device")])
    erasures.clean_tallies(tx, _texts_about(person, marks))
    deleted = erasures.delete_live(tx, row)
    erasures.put_erasures(
        tx,
        [
            msgspec.structs.replace(
                erasure, state=erasures.DELETING, begun=now, deleted=dict(+deleted), texts=_identifiers(person, marks)
            )
        ],
    )
    turn.lose(row)
    identities.lose(row, shared, now)
    return marks


def go_on(tx: Transaction, number: int, now: Instant, limit: int = 500) -> bool:
    """Delete a piece of what is left of an erased customer, then of the rejections that mention them; False where that
    was the end."""
    erasure = erasures.find_erasure(tx, number)
    if erasure is None or erasure.state != erasures.DELETING or erasure.customer is None:
        return False
    piece = erasures.delete_piece(tx, erasure.customer, limit)
    deleted = dict(Counter(erasure.deleted) + piece)
    if not piece and erasure.texts:
        found, cursor = find_mentions(tx, erasure.texts, erasure.cursor, _SEARCHED)
        delete_rejections(tx, found)
        deleted = dict(Counter(deleted) + Counter({"rejection": len(found)}))
        texts = erasure.texts if cursor is not None else ()
        erasures.put_erasures(tx, [msgspec.structs.replace(erasure, deleted=deleted, texts=texts, cursor=cursor or 0)])
        return True
    if piece:
        erasures.put_erasures(tx, [msgspec.structs.replace(erasure, deleted=deleted)])
    else:
        erasures.put_erasures(tx, [msgspec.structs.replace(erasure, state=erasures.DONE, done=now, customer=None)])
    return bool(piece)


# By what they are known


def _marks_of(tx: Transaction, person: Person, messages: Sequence[LedgerRow]) -> list[Mark]:
    """Everything by which an arrival could find the customer again: keys, addresses they have and had."""
    row = person.row
    found = [marks_of_key(row.key), *marks_of_traits(row.traits)]
    if row.seed:
        found += [("user", row.seed), ("device", row.seed)]
    found += [marks_of_key(key) for (key,) in tx.rows("select key from alias where customer = ?", (row.row,))]
    for message in messages:
        given = message.given.get("customer")
        found += marks_of_traits(given if isinstance(given, dict) else {})
    for (rest,) in tx.rows("select rest from event where customer = ? and rest is not null", (row.row,)):
        found += _marks_of_rest(msgspec.json.decode(rest))
    return list(dict.fromkeys(found))


def _marks_of_rest(rest: dict[str, Any]) -> Iterator[Mark]:
    """The identifiers of an arrival as it is kept."""
    for name, kind in (("userId", "user"), ("anonymousId", "device"), ("previousId", "device")):
        if name in rest:
            yield kind, str(rest[name])
    yield from (mark(kind, value) for kind, value in (rest.get("ids") or {}).items())
    yield from marks_of_traits(rest.get("traits") or {})


def _identifiers(person: Person, marks: Iterable[Mark]) -> tuple[str, ...]:
    """The identifiers as they were written, and as they are compared."""
    written = {str(person.row.traits[trait]) for trait in _ADDRESSES & person.row.traits.keys()}
    return tuple(sorted(written | {value for _, value in marks}))


def _texts_about(person: Person, marks: Iterable[Mark]) -> set[str]:
    """What could stand in a reason by which tallies count: addresses, ids of some length, and names."""
    texts = {value for kind, value in marks if kind not in ("user", "device") or len(value) > 5}
    texts |= {str(value) for trait, value in person.row.traits.items() if trait in _ADDRESSES}
    names = (value for trait, value in person.row.traits.items() if "name" in trait)
    return texts | set(all_texts(names))


_ADDRESSES: Final = frozenset({"email", "phone", "push_token", "web_push_token"})


# What channels have to do


def _calls(turn: Turn, person: Person, erasure: Erasure, messages: Sequence[LedgerRow], now: Instant) -> Calls:
    """What each channel is asked: to take back what stands or may still be put up, and to erase what its provider
    keeps. While a call is under way it waits: what it brings is to be erased as well."""
    calls: Calls = []
    for name, spec in turn.running.channels.items():
        mine = [one for one in messages if one.channel == name and one.claimed is not None]
        under_way = [one for one in mine if one.state is MessageState.CLAIMED]
        due = Instant(now + int(spec.timeout * SECOND) + _LATE) if under_way else now
        if spec.retracts:
            back = [one for one in mine if one.state is MessageState.RETRACTING] + under_way
            calls += [(name, _as_message(turn.tx, person, one), due) for one in back]
        if spec.keeps:
            how = turn.running.reach.channels.get(name)
            address = person.row.traits.get(how.address) if how is not None and how.address is not None else None
            addresses = [one.address for one in mine if one.address] + ([str(address)] if address else [])
            forget = Forget(
                key=mint("erasure", erasure.number, erasure.asked, name),
                customer=show(person.row.key),
                addresses=tuple(dict.fromkeys(addresses)),
                receipts=tuple(dict.fromkeys(one.receipt for one in mine if one.receipt)),
            )
            calls.append((name, forget, due))
    return calls


def _as_message(tx: Transaction, person: Person, row: LedgerRow) -> Message:
    """A message as it was handed over, for the channel that is to take it back."""
    template = pinned(tx, row)
    try:
        content = render(template, row.given) if template is not None else {}
    except RenderError:  # it was handed over, so it could be; its key is what a channel goes by
        content = {}
    return Message(
        key=row.key,
        channel=row.channel,
        name=row.message,
        kind=row.kind,
        customer=show(person.row.key),
        address=row.address,
        content=content,
        rule=row.rule,
        expires=row.expires,
        attempt=row.attempts,
    )
