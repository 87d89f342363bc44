"""Messages out: what is claimed, what the channel answered, and what a provider reports later.

A message is looked at for the last time in the transaction that claims it, in this order: how late it may go, consent
and suppression, the contact policy, whether the journey still wants it. The claim pins the template and the values;
rendering and the call happen between two transactions; the outcome and the journey's next step commit together. What is
to be taken back goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

import msgspec

from segue.api import Answer, Instant, Rejected, Report, Retry, Sent, Unknown
from segue.api.values import SECOND
from segue.delivery.dead_letters import NO_CONTENT, NOT_IN_TIME
from segue.delivery.ledger import Attempt, LedgerRow, MessageState
from segue.delivery.retries import retry_at
from segue.engine.journey import Reported
from segue.messages.catalogue import Catalogue
from segue.messages.template import Template
from segue.runtime.answering import count_answer
from segue.runtime.last_look import is_over, may_go, refuse, settle_message, unknown
from segue.runtime.outgoing import JOURNEY_ENDED
from segue.runtime.people import Person
from segue.runtime.pinning import find_template, needs_content, pin, pinned
from segue.runtime.refusing import address_is_dead, take_complaint, take_in_hand, take_refusal
from segue.runtime.running import Running
from segue.runtime.taking_back import note_retraction, take_back_late
from segue.runtime.turn import Done, Turn
from segue.store import ledger as ledger_rows
from segue.store.coupons import take_code
from segue.store.customers import find_seen, hash_id
from segue.store.database import Transaction

NO_CODE: Final = "no code is left in the pool "
"""How the reason of a message begins whose pool of coupons was empty."""

TakeCode = Callable[[Transaction, str, LedgerRow, Instant], str | None]
"""Gives a code of a pool to a message: see `segue.store.coupons.take_code`."""


class Claim(msgspec.Struct, frozen=True):
    """A message that may now be called, with what rendering reads. ``template`` is None where the channel needs no
    content and has none."""

    row: int
    key: str
    channel: str
    message: str
    kind: str
    rule: str
    customer: str
    address: str
    expires: Instant
    attempt: int
    template: Template | None
    values: Mapping[str, Any]


def open_turn(
    tx: Transaction, running: Running, now: Instant, stored: Iterable[LedgerRow]
) -> tuple[Turn, list[LedgerRow]]:
    """A turn that works on messages of the store, with their customers and journeys."""
    turn = Turn(tx, running, now)
    rows = turn.outgoing.take_up(stored)
    turn.load([row.customer for row in rows])
    turn.load_ahead(turn.load_journeys_by_number({row.journey for row in rows}))
    return turn, rows


def look_at(turn: Turn, content: Catalogue, row: LedgerRow, now: Instant, take: TakeCode = take_code) -> Claim | None:
    """Look at a message that is due, for the last time before it goes: gives what may now be called, to send it or to
    take it back; None where nothing is."""
    person = turn.person(row.customer)
    turn.advance(person, now)
    match row.state:
        case MessageState.RETRACTING:
            return _claim_back(turn, row, person)
        case MessageState.HANDED:  # a report was waited for long enough
            settle_message(turn, row, person, "sent", "", now)
            take_back_late(turn, row, person)
            return None
        case MessageState.DECIDED:
            return _claim_one(turn, content, take, row, person, now)
        case _:  # a wait that was over took it back
            return None


def _claim_one(
    turn: Turn, content: Catalogue, take: TakeCode, row: LedgerRow, person: Person, now: Instant
) -> Claim | None:
    journey = may_go(turn, row, person, now)
    if journey is None:
        return None
    running, outgoing = turn.running, turn.outgoing
    template = find_template(turn.tx, running, content, row, person)
    if template is None and needs_content(running, row.channel):
        refuse(turn, row, person, f"{NO_CONTENT}{row.message} on {row.channel}", now)
        return None
    if row.attempts == 0:
        for name, pool in row.coupons:
            code = take(turn.tx, pool, row, now)
            if code is None:
                refuse(turn, row, person, f"{NO_CODE}{pool}", now)
                return None
            row.given = {**row.given, name: code}
        pin(turn.tx, running, template, row, person, journey, now)
    outgoing.outlay.charge(row, running.costs.get(row.channel), now)
    row.state, row.claimed, row.due = MessageState.CLAIMED, now, None
    row.attempts += 1
    turn.outgoing.change(row)
    take_in_hand(turn, row)
    return _as_claim(row, person, template)


def _as_claim(row: LedgerRow, person: Person, template: Template | None) -> Claim:
    return Claim(
        row=row.row,
        key=row.key,
        channel=row.channel,
        message=row.message,
        kind=row.kind,
        rule=row.rule,
        customer=person.facts.key,
        address=row.address,
        expires=row.expires,
        attempt=row.attempts,
        template=template,
        values=row.given,
    )


class Outcome(msgspec.Struct, frozen=True):
    """A channel's answer to one claim; ``retraction``: to the call that was to take the message back. None: there was
    no call, since a withdrawal or a pause was committed before it."""

    row: int
    answer: Answer | None
    retraction: bool = False


def settle(tx: Transaction, running: Running, outcomes: Sequence[Outcome], now: Instant) -> Done:
    """Note the answers of a channel, and take the journeys on. An answer to a message that is not claimed changes
    nothing: it was settled before."""
    stored = ledger_rows.load_messages(tx, [outcome.row for outcome in outcomes])
    turn, _ = open_turn(tx, running, now, stored.values())
    for outcome in outcomes:
        if outcome.row in stored:
            take_outcome(turn, stored[outcome.row], outcome, now)
    return turn.flush()


def take_outcome(turn: Turn, row: LedgerRow, outcome: Outcome, now: Instant, *, hold: bool | None = None) -> None:
    """Note one answer, and take the journey on. ``hold`` says what is done with a message whose outcome nobody knows,
    where that is not for its channel to say."""
    person = turn.person(row.customer)
    if outcome.retraction:
        assert outcome.answer is not None
        if row.state is MessageState.RETRACTING and row.due is None:
            note_retraction(turn, row, person, outcome.answer, now)
        return
    if row.state is not MessageState.CLAIMED:
        if isinstance(outcome.answer, Sent):
            # A report was quicker than the answer: later ones name the receipt.
            row.receipt = row.receipt or outcome.answer.receipt
            turn.outgoing.outlay.weigh(row, outcome.answer, turn.running.costs.get(row.channel))
            turn.outgoing.change(row)
        return
    turn.advance(person, now)
    if outcome.answer is None:  # the next look refuses it, or finds that it may go after all
        _unclaim(turn, row, now)
        return
    if hold is None:
        spec = turn.running.channels.get(row.channel)
        hold = spec is not None and spec.unknown == "hold"
    _note_answer(turn, row, person, outcome.answer, now, hold=hold)


def _unclaim(turn: Turn, row: LedgerRow, now: Instant) -> None:
    """A message was claimed and not called: it is as it was before, and is looked at anew."""
    outlay = turn.outgoing.outlay
    row.state, row.due, row.attempts = MessageState.DECIDED, now, row.attempts - 1
    if row.attempts == 0:
        outlay.come_to_nothing(row)
        row.claimed, row.template = None, ""
    else:
        outlay.give_back(row)
        row.claimed = row.attempted[-1].claimed if row.attempted else row.claimed
    turn.outgoing.change(row)


def _note_answer(
    turn: Turn, row: LedgerRow, person: Person, answer: Answer, now: Instant, *, hold: bool = False
) -> None:
    spec = turn.running.channels.get(row.channel)
    match answer:
        case Sent(receipt=receipt):
            row.state, row.handed, row.receipt, row.reason = MessageState.HANDED, now, receipt, ""
            turn.outgoing.outlay.weigh(row, answer, turn.running.costs.get(row.channel))
            turn.outgoing.note(person, row, "sent", now)
            if spec is not None and spec.settles == "report":
                row.due = Instant(now + int(spec.settles_within * SECOND))
                turn.outgoing.change(row)
            else:
                settle_message(turn, row, person, "sent", "", now)
            take_back_late(turn, row, person)
        case Retry():
            _again(turn, row, person, answer, now)
        case Rejected(reason=reason):
            row.state, row.reason = MessageState.FAILED, reason
            take_refusal(turn, row, person, answer, now)
            turn.outgoing.note(person, row, "undelivered", now)
            turn.outgoing.change(row)
            told = Reported(row.key, "undelivered", row.channel, row.message, now)
            turn.feed(person, turn.find_journey(person, row.journey), told, now)
            settle_message(turn, row, person, "failed", reason, now)
        case Unknown(reason=reason):
            row.doubt = True
            if hold:
                row.state, row.reason = MessageState.UNKNOWN, unknown(reason)
                turn.outgoing.note(person, row, "undelivered", now)
                settle_message(turn, row, person, "unknown", reason, now)
                take_back_late(turn, row, person)
            else:
                _again(turn, row, person, answer, now)
        case _:
            assert_never(answer)


def _again(turn: Turn, row: LedgerRow, person: Person, answer: Retry | Unknown, now: Instant) -> None:
    """Try once more with the same key, if that is still in time."""
    row.reason = reason = answer.reason
    after = answer.after if isinstance(answer, Retry) else None
    if row.claimed is not None:
        attempt = Attempt(row.claimed, now, reason, after, isinstance(answer, Unknown))
        row.attempted = (*row.attempted, attempt)
    due = retry_at(row.key, row.attempts, now, after)
    journey = turn.find_journey(person, row.journey)
    if is_over(turn.running, row, journey):
        refuse(turn, row, person, f"{JOURNEY_ENDED}{journey.reason or journey.state}", now)
    elif due > row.expires:
        row.state = MessageState.UNKNOWN if row.doubt else MessageState.FAILED
        row.reason = unknown(f"{NOT_IN_TIME}{reason}") if row.doubt else f"{NOT_IN_TIME}{reason}"
        turn.outgoing.note(person, row, "undelivered", now)
        settle_message(turn, row, person, "unknown" if row.doubt else "failed", reason, now)
    else:
        row.state, row.due = MessageState.DECIDED, due
        turn.outgoing.change(row)


def _claim_back(turn: Turn, row: LedgerRow, person: Person) -> Claim:
    """A message that is to be taken back: what was handed over, with the same key."""
    row.due = None
    row.tries += 1
    turn.outgoing.change(row)
    return _as_claim(row, person, pinned(turn.tx, row))


def recover(tx: Transaction, running: Running, now: Instant) -> Done:
    """After a start: calls that a crash cut off are looked at again. Which of them go again, with the same key, is
    decided when they are claimed."""
    turn, rows = open_turn(tx, running, now, ledger_rows.load_claimed(tx))
    for row in rows:
        taking_back = row.state is MessageState.RETRACTING
        turn.advance(turn.person(row.customer), now)
        take_outcome(turn, row, Outcome(row.row, Unknown("cut off by a restart"), taking_back), now)
    return turn.flush()


def report(tx: Transaction, running: Running, channel: str, reports: Sequence[Report], now: Instant) -> Done:
    """What providers say of messages later. A report that came before, or about a message nobody knows,
    changes nothing."""
    turn = Turn(tx, running, now)
    ids = [f"report:{channel}:{one.id}" for one in reports]
    seen = find_seen(tx, [hash_id(name) for name in ids])
    found: list[tuple[str, Report, LedgerRow]] = []
    for name, one in zip(ids, reports, strict=True):
        row = turn.outgoing.find_claimed(key=one.key, channel=channel, receipt=one.receipt)
        if row is not None and name not in seen:
            seen.add(name)
            found.append((name, one, row))
    turn.load([row.customer for _, _, row in found])
    turn.load_ahead(turn.load_journeys_by_number({row.journey for _, _, row in found}))
    for name, one, row in found:
        take_report(turn, name, one, row, now)
    return turn.flush()


def take_report(turn: Turn, name: str, one: Report, row: LedgerRow, now: Instant) -> None:
    """Note one report about a message, under the ``name`` by which it is known that it came."""
    person = turn.person(row.customer)
    at = Instant(min(one.at, now))
    detail = {
        "key": row.key,
        "what": one.what,
        "reason": one.reason,
        "channel": row.channel,
        "message": row.message,
        "address_gone": one.address_gone,
    }
    turn.record(name, row.customer, None, at, 1, msgspec.json.encode(detail))
    turn.advance(person, now)
    if row.state is MessageState.CLAIMED or (row.state is MessageState.DECIDED and row.doubt):
        # The provider can only speak of what it took: the answer is still on its way, or was cut off.
        _note_answer(turn, row, person, Sent(one.receipt), now)
    if one.what == "undelivered":
        if one.address_gone:
            address_is_dead(turn, row, person, one.reason, now)
        if row.state in (MessageState.HANDED, MessageState.CONFIRMED, MessageState.RETRACTING):
            row.state, row.reason, row.due = MessageState.UNDELIVERED, one.reason or "undelivered", None
            row.settled = row.settled or now
            turn.outgoing.note(person, row, "undelivered", now)
            turn.outgoing.change(row)
    elif one.what == "complained":
        take_complaint(turn, row, person, one.reason, at, now)
    elif row.state is MessageState.HANDED and one.what == "delivered":
        waiting = row.due is not None
        row.state, row.due = MessageState.CONFIRMED, None
        turn.outgoing.change(row)
        if waiting:
            settle_message(turn, row, person, "sent", "", now)
    journey = turn.find_journey(person, row.journey)
    count_answer(turn.tx, person, journey, row, one.what, at)
    turn.feed(person, journey, Reported(row.key, one.what, row.channel, row.message, at), now)
