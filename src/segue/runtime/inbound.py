"""Messages from customers: a reply becomes an event, and a word that asks to stop withdraws consent at once.

STOP is two things: the customer withdraws, which goes into the ledger, and the address asks for peace, which suppresses
it for whoever has it. START undoes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from segue.api import Inbound, Instant, Report
from segue.api.sms import read_keyword
from segue.api.values import DAY
from segue.api.vocabulary import EventSpec, FieldSpec, Vocabulary
from segue.customers.consent import GRANTED, MARKETING, WITHDRAWN, State, Statement, basis_of
from segue.engine.journey import Arrived
from segue.program.reads import REACH
from segue.runtime.dispatch import take_report
from segue.runtime.reaching import who_has
from segue.runtime.refusing import restart, stop
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store.customers import find_seen, hash_id
from segue.store.database import Transaction
from segue.store.ledger import find_answered

RECEIVED: Final = "message_received"
"""The event that what a customer writes becomes, unless it is a word that asks to stop or to start."""
INBOUND: Final = Vocabulary(
    events=(
        EventSpec(
            RECEIVED,
            (
                FieldSpec("channel", "text", "The channel on which it was written"),
                FieldSpec("text", "text", "What was written"),
                FieldSpec("keyword", "text", "`help`, where that is all it says"),
            ),
            doc="The customer wrote on a channel: an answer by SMS, a mail",
        ),
    )
)
"""What rules may say of messages from customers, on whatever channel."""

ANSWERS_WITHIN: Final = 7 * DAY
"""How long after a message what its customer writes on that channel is taken for an answer to it."""


def take_inbound(tx: Transaction, running: Running, channel: str, messages: Sequence[Inbound], now: Instant) -> Done:
    """Take in what customers wrote on a channel. STOP suppresses the address even where nobody has it yet; else a
    message from such an address changes nothing, nor does one that came before."""
    turn = Turn(tx, running, now)
    how = running.reach.channels.get(channel)
    names = [f"inbound:{channel}:{one.id}" for one in messages]
    seen = find_seen(tx, [hash_id(name) for name in names])
    for name, one in zip(names, messages, strict=True):
        if name in seen or how is None or how.address is None:
            continue
        seen.add(name)
        people = who_has(turn, how.address, one.address)
        at = Instant(min(one.at, now))
        state: State | None = None
        keyword = one.keyword or read_keyword(one.text)
        if keyword == "stop":
            state = WITHDRAWN
            stop(turn, channel, one.address, one.text, at, now)
        elif keyword == "start":
            state = GRANTED
            restart(turn, channel, one.address, now)
        fields = {"channel": channel, "text": one.text, "source": channel}
        if keyword == "help":  # so that a rule can answer it
            fields["keyword"] = keyword
        raw = msgspec.json.encode(fields)
        for number, row in enumerate(people):
            person = turn.people[row]
            turn.advance(person, now)
            if state is not None:
                for kind in MARKETING:
                    turn.hear(person, _statement(channel, kind, state, one, at, now))
                turn.refresh(person)
                turn.change(person, frozenset((REACH,)), now)
            event = "unsubscribed" if state == WITHDRAWN else "subscribed" if state == GRANTED else RECEIVED
            message_id = name if number == 0 else f"{name}/{row}"
            order = turn.record(message_id, row, event, at, 1, raw)
            turn.arrive(person, Arrived(event, at, order, raw, fields, message_id), now)
            if event == RECEIVED and keyword is None:
                _reply(turn, row, channel, f"{message_id}/replied", one, at, now)
    return turn.flush()


def _reply(turn: Turn, customer: int, channel: str, name: str, one: Inbound, at: Instant, now: Instant) -> None:
    """What a customer writes is an answer to a message, too: to the one that it names, else to the latest that they got
    by that channel, where that is not too long ago. A word such as STOP or HELP is none."""
    since = Instant(at - ANSWERS_WITHIN)
    number = find_answered(turn.tx, customer, channel, since, at, key=one.key, receipt=one.receipt)
    message = turn.outgoing.find(number) if number is not None else None
    if message is not None:
        take_report(turn, name, Report(id=name, what="replied", at=at, key=message.key), message, now)


def _statement(channel: str, kind: str, state: State, one: Inbound, at: Instant, now: Instant) -> Statement:
    """What a word of the customer's says."""
    return Statement(
        channel=channel,
        kind=kind,
        state=state,
        at=at,
        source=f"inbound {channel}",
        basis=basis_of("consent", state),
        proof=f"answered {one.text.strip()[:100]!r}",
        event=f"inbound:{channel}:{one.id}",
        received=now,
    )
