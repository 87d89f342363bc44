"""Messages out: what is claimed, what the channel answered, and what a provider reports later.

A message is looked at for the last time in the transaction that claims it, in this order: how late it may go, consent
and suppression, the contact policy, whether the journey still wants it. The claim pins the template and the values;
rendering and the call happen between two transactions; the outcome and the journey's next step commit together. What is
to be taken back goes the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, assert_never

import msgspec

from segue.api import Answer, Instant, Rejected, Report, Retry, Sent, Unknown
from segue.api.values import SECOND
from segue.delivery.ledger import Held, LedgerRow, MessageState
from segue.delivery.policy import Defer, Drop, Go
from segue.delivery.retries import retry_at
from segue.engine.journey import Claimed, Journey, Reported, Settled, Settlement
from segue.messages.catalogue import Catalogue
from segue.messages.template import Template
from segue.runtime.answering import count_answer
from segue.runtime.contact import Contact
from segue.runtime.outgoing import JOURNEY_ENDED
from segue.runtime.people import Person
from segue.runtime.pinning import find_template, needs_content, pin, pinned
from segue.runtime.running import Running
from segue.runtime.taking_back import note_retraction, take_back_late
from segue.runtime.turn import Done, Turn
from segue.store import journeys as journey_rows
from segue.store import ledger as ledger_rows
from segue.store.coupons import take_code
from segue.store.customers import find_seen, hash_id
from segue.store.database import Transaction

UNKNOWN_OUTCOME: Final = "unknown: "
"""How the reason of a message begins that may or may not have reached its provider."""


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


class Claims(msgspec.Struct, frozen=True):
    """What one look at a channel's messages gave, and when to look next (None: nothing waits). ``retractions`` are
    messages that may now be taken back."""

    claims: tuple[Claim, ...]
    done: Done
    next_due: Instant | None
    seen: int
    retractions: tuple[Claim, ...] = ()


def claim(
    tx: Transaction,
    running: Running,
    content: Catalogue,
    channel: str,
    now: Instant,
    limit: int,
    *,
    may: Callable[[LedgerRow], bool] | None = None,
    take: TakeCode = take_code,
) -> Claims:
    """Look at up to ``limit`` messages of a channel that are due, and claim those that may go. ``may`` leaves some for
    later: replay claims a message when the record says that it was claimed. ``take`` gives the codes of coupons."""
    rows = ledger_rows.load_due(tx, channel, now, limit)
    if may is not None:
        rows = [row for row in rows if may(row)]
    turn, journeys = _open(tx, running, now, rows)
    contact = Contact(turn, rows, now)
    claims, retractions = [], []
    for row in rows:
        person, journey = journeys[row.journey]
        turn.advance(person, now)
        if row.state is MessageState.RETRACTING:
            retractions.append(_claim_back(turn, row, person))
            continue
        if row.state is MessageState.HANDED:  # a report was waited for long enough
            _settle(turn, row, person, journey, "sent", "", now)
            take_back_late(turn, row, person, journey)
            continue
        journey = turn.latest(person, journey)
        if row.state is MessageState.DECIDED:  # else a wait that was over took it back
            if (claimed := _claim_one(turn, contact, content, take, row, person, journey, now)) is not None:
                claims.append(claimed)
            contact.looked_at(row)
    done = turn.flush()
    return Claims(tuple(claims), done, ledger_rows.next_due(tx, channel), len(rows), tuple(retractions))


def _open(
    tx: Transaction, running: Running, now: Instant, rows: Sequence[LedgerRow]
) -> tuple[Turn, dict[int, tuple[Person, Journey]]]:
    turn = Turn(tx, running, now)
    turn.load([row.customer for row in rows])
    found = journey_rows.load_journeys(tx, {row.journey for row in rows})
    journeys = {number: (turn.people[customer], journey) for number, (customer, journey) in found.items()}
    turn.load_ahead(journey for _, journey in journeys.values())
    turn.outgoing.watch(rows)
    return turn, journeys


def _claim_one(
    turn: Turn,
    contact: Contact,
    content: Catalogue,
    take: TakeCode,
    row: LedgerRow,
    person: Person,
    journey: Journey,
    now: Instant,
) -> Claim | None:
    running = turn.running
    if _is_over(running, row, journey):
        _refuse(turn, row, person, journey, f"{JOURNEY_ENDED}{journey.reason or journey.state}", now)
        return None
    late = now > row.expires
    if late and not row.held:
        _refuse(turn, row, person, journey, "too late", now)
        return None
    refusal = running.reach.refusal(row.channel, row.kind, person.row.traits, person.row.consent)
    if refusal is not None:
        _refuse(turn, row, person, journey, refusal, now)
        return None
    match contact.judge(row, person):
        case Go(checks=checks):
            row.checks = checks
            if late:  # the line that made it so late lets it through only now
                _refuse(turn, row, person, journey, row.held[-1].words, now)
                return None
        case Defer(until=until, words=words, reason=reason, checks=checks):
            row.due, row.held, row.checks = until, (*row.held, Held(now, until, words)), checks
            turn.outgoing.note(person, row, "deferred", now, reason, sort=words)
            turn.outgoing.update(row)
            return None
        case Drop(words=words, reason=reason, checks=checks):
            row.checks = checks
            _refuse(turn, row, person, journey, reason, now, sort=words)
            return None
    journey = turn.feed(person, journey, Claimed(row.key), now)
    if row.state is not MessageState.DECIDED:
        return None  # a guard ended the journey, which took the message back
    template = find_template(turn.tx, running, content, row, person)
    if template is None and needs_content(running, row.channel):
        _refuse(turn, row, person, journey, f"no content for {row.message} on {row.channel}", now)
        return None
    if row.attempts == 0:
        for name, pool in row.coupons:
            code = take(turn.tx, pool, row, now)
            if code is None:
                _refuse(turn, row, person, journey, f"{NO_CODE}{pool}", now)
                return None
            row.given = {**row.given, name: code}
        pin(turn.tx, running, template, row, person, journey)
    turn.outgoing.outlay.charge(row, running.costs.get(row.channel), now)
    row.state, row.claimed, row.due = MessageState.CLAIMED, now, None
    row.attempts += 1
    turn.outgoing.update(row)
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


def _is_over(running: Running, row: LedgerRow, journey: Journey) -> bool:
    """Whether a message's journey sends no more. What stands is not put up for one that finished either: it would be
    taken back at once."""
    if journey.state == "finished":
        spec = running.channels.get(row.channel)
        return spec is not None and spec.stands
    return journey.state != "inside"


def _refuse(
    turn: Turn, row: LedgerRow, person: Person, journey: Journey, reason: str, now: Instant, sort: str = ""
) -> None:
    """The message does not go. Where an earlier call may have reached the provider the outcome is unknown,
    never "skipped". ``sort`` is what the reason counts as, where it says more than that."""
    row.reason = unknown(f"{row.reason}; {reason}" if row.reason else reason) if row.doubt else reason
    row.state = MessageState.UNKNOWN if row.doubt else MessageState.SKIPPED
    turn.outgoing.note(person, row, "undelivered" if row.doubt else "skipped", now, sort="" if row.doubt else sort)
    _settle(turn, row, person, journey, "unknown" if row.doubt else "skipped", reason, now)


def unknown(reason: str) -> str:
    """The reason of a message whose outcome stays unknown. A record holds it without the first word, which a replay
    puts before it again."""
    return UNKNOWN_OUTCOME + reason


def _settle(
    turn: Turn, row: LedgerRow, person: Person, journey: Journey, how: Settlement, reason: str, now: Instant
) -> None:
    row.due, row.settled = None, now
    turn.outgoing.update(row)
    turn.feed(person, turn.latest(person, journey), Settled(row.key, how, reason), now)


class Outcome(msgspec.Struct, frozen=True):
    """A channel's answer to one claim; ``retraction``: to the call that was to take the message back."""

    row: int
    answer: Answer
    retraction: bool = False


def settle(tx: Transaction, running: Running, outcomes: Sequence[Outcome], now: Instant) -> Done:
    """Note the answers of a channel, and take the journeys on. An answer to a message that is not claimed changes
    nothing: it was settled before."""
    rows = ledger_rows.load_messages(tx, [outcome.row for outcome in outcomes])
    turn, journeys = _open(tx, running, now, list(rows.values()))
    for outcome in outcomes:
        row = rows.get(outcome.row)
        if row is None:
            continue
        if outcome.retraction:
            if row.state is MessageState.RETRACTING and row.due is None:
                person, journey = journeys[row.journey]
                note_retraction(turn, row, person, journey, outcome.answer, now)
            continue
        if row.state is not MessageState.CLAIMED:
            if isinstance(outcome.answer, Sent) and outcome.answer.receipt and not row.receipt:
                # A report was quicker than the answer: later ones name the receipt.
                row.receipt = outcome.answer.receipt
                turn.outgoing.update(row)
            continue
        person, journey = journeys[row.journey]
        turn.advance(person, now)
        _note_answer(turn, row, person, journey, outcome.answer, now)
    return turn.flush()


def _note_answer(turn: Turn, row: LedgerRow, person: Person, journey: Journey, answer: Answer, now: Instant) -> None:
    spec = turn.running.channels.get(row.channel)
    match answer:
        case Sent(receipt=receipt):
            row.state, row.handed, row.receipt, row.reason = MessageState.HANDED, now, receipt, ""
            turn.outgoing.note(person, row, "sent", now)
            if spec is not None and spec.settles == "report":
                row.due = Instant(now + int(spec.settles_within * SECOND))
                turn.outgoing.update(row)
            else:
                _settle(turn, row, person, journey, "sent", "", now)
            take_back_late(turn, row, person, journey)
        case Retry(reason=reason, after=after):
            _again(turn, row, person, journey, reason, after, now)
        case Rejected(reason=reason, address_gone=gone):
            row.state, row.reason = MessageState.FAILED, reason
            if gone:
                _forget_address(turn, row, person, reason, now)
            turn.outgoing.note(person, row, "undelivered", now)
            _settle(turn, row, person, journey, "failed", reason, now)
        case Unknown(reason=reason):
            row.doubt = True
            if spec is not None and spec.unknown == "hold":
                row.state, row.reason = MessageState.UNKNOWN, unknown(reason)
                turn.outgoing.note(person, row, "undelivered", now)
                _settle(turn, row, person, journey, "unknown", reason, now)
            else:
                _again(turn, row, person, journey, reason, None, now)
        case _:
            assert_never(answer)


def _again(
    turn: Turn, row: LedgerRow, person: Person, journey: Journey, reason: str, after: float | None, now: Instant
) -> None:
    """Try once more with the same key, if that is still in time."""
    row.reason = reason
    due = retry_at(row.key, row.attempts, now, after)
    if _is_over(turn.running, row, journey):
        _refuse(turn, row, person, journey, f"{JOURNEY_ENDED}{journey.reason or journey.state}", now)
    elif due > row.expires:
        row.state = MessageState.UNKNOWN if row.doubt else MessageState.FAILED
        row.reason = unknown(f"not in time: {reason}") if row.doubt else f"not in time: {reason}"
        turn.outgoing.note(person, row, "undelivered", now)
        _settle(turn, row, person, journey, "unknown" if row.doubt else "failed", reason, now)
    else:
        row.state, row.due = MessageState.DECIDED, due
        turn.outgoing.update(row)


def _claim_back(turn: Turn, row: LedgerRow, person: Person) -> Claim:
    """A message that is to be taken back: what was handed over, with the same key."""
    row.due = None
    row.tries += 1
    turn.outgoing.update(row)
    return _as_claim(row, person, pinned(turn.tx, row))


def _forget_address(turn: Turn, row: LedgerRow, person: Person, reason: str, now: Instant) -> None:
    """A provider says that the address is dead: nothing more goes to it, until the customer has another."""
    how = turn.running.reach.channels.get(row.channel)
    if how is not None and how.address is not None and row.address:
        person.row.consent[f"gone/{how.address}"] = row.address
        turn.record_consent(person, row.channel, "", f"address gone: {reason}", now, "provider")
        turn.refresh(person)


def recover(tx: Transaction, running: Running, now: Instant) -> Done:
    """After a start: calls that a crash cut off are looked at again. Which of them go again, with the same key, is
    decided when they are claimed."""
    rows = ledger_rows.load_claimed(tx)
    turn, journeys = _open(tx, running, now, rows)
    for row in rows:
        person, journey = journeys[row.journey]
        turn.advance(person, now)
        note = note_retraction if row.state is MessageState.RETRACTING else _note_answer
        note(turn, row, person, journey, Unknown("cut off by a restart"), now)
    return turn.flush()


def report(tx: Transaction, running: Running, channel: str, reports: Sequence[Report], now: Instant) -> Done:
    """What providers say of messages later. A report that came before, or about a message nobody knows,
    changes nothing."""
    ids = [f"report:{channel}:{one.id}" for one in reports]
    seen = find_seen(tx, [hash_id(name) for name in ids])
    found: list[tuple[str, Report, LedgerRow]] = []
    rows: dict[int, LedgerRow] = {}
    for name, one in zip(ids, reports, strict=True):
        row = ledger_rows.find_message(tx, key=one.key, channel=channel, receipt=one.receipt)
        if row is not None and name not in seen:
            seen.add(name)
            found.append((name, one, rows.setdefault(row.row, row)))
    turn, journeys = _open(tx, running, now, list(rows.values()))
    for name, one, row in found:
        person, journey = journeys[row.journey]
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
            _note_answer(turn, row, person, journey, Sent(one.receipt), now)
        if one.what == "undelivered":
            if one.address_gone:
                _forget_address(turn, row, person, one.reason, now)
            if row.state in (MessageState.HANDED, MessageState.CONFIRMED, MessageState.RETRACTING):
                row.state, row.reason, row.due = MessageState.UNDELIVERED, one.reason or "undelivered", None
                row.settled = row.settled or now
                turn.outgoing.note(person, row, "undelivered", now)
                turn.outgoing.update(row)
        elif row.state is MessageState.HANDED and one.what == "delivered":
            waiting = row.due is not None
            row.state, row.due = MessageState.CONFIRMED, None
            turn.outgoing.update(row)
            if waiting:
                _settle(turn, row, person, journey, "sent", "", now)
        latest = turn.latest(person, journey)
        count_answer(tx, person, latest, row, one.what, at)
        turn.feed(person, latest, Reported(row.key, one.what, row.channel, row.message, at), now)
    return turn.flush()
