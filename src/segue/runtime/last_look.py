"""The last look at a message before it is claimed, in the claiming transaction: how late it may go, consent and
suppression, the contact policy, the journey's guards; and what follows where it may not.

Messages of several channels may want the one slot that is left of a limit. The one that was due earlier gets it, also
where the loop of another channel looks first: that loop then looks at the earlier one as well, and what may not go
after all stands in nobody's way.
"""

from __future__ import annotations

from segue.api import Instant
from segue.delivery.dead_letters import TOO_LATE, UNKNOWN_OUTCOME
from segue.delivery.ledger import Held, LedgerRow, MessageState
from segue.delivery.policy import Defer, Drop, Go, Verdict
from segue.engine.journey import Claimed, Journey, Settled, Settlement
from segue.engine.watching import heeds_claim, stopped_by
from segue.runtime.outgoing import JOURNEY_ENDED
from segue.runtime.people import Person
from segue.runtime.refusing import refusal_of
from segue.runtime.running import Running
from segue.runtime.taking_back import take_back_late
from segue.runtime.turn import Turn


def may_go(turn: Turn, row: LedgerRow, person: Person, now: Instant) -> Journey | None:
    """Whether a message may be claimed now: its journey, as its guards left it. None where it may not, or not yet; it
    is settled then, or due at another moment."""
    if turn.outgoing.contact.has_stepped_aside(row, now):
        return None  # it was looked at in this very moment, for the sake of one behind it
    running = turn.running
    journey = turn.find_journey(person, row.journey)
    if (over := _why_over(running, row, journey, person, now)) is not None:
        refuse(turn, row, person, f"{JOURNEY_ENDED}{over}", now)
        return None
    late = now > row.expires
    if late and not row.held:
        refuse(turn, row, person, TOO_LATE, now)
        return None
    refusal = refusal_of(turn, row, person)
    if refusal is not None:
        refuse(turn, row, person, refusal, now)
        return None
    verdict = _judge(turn, row, person, now)
    if row.state is not MessageState.DECIDED:
        return None  # a look at another message of its journey ended that
    match verdict:
        case Go(checks=checks):
            row.checks = checks
            if late:  # the line that made it so late lets it through only now
                refuse(turn, row, person, row.held[-1].words, now)
                return None
        case Defer(until=until, words=words, reason=reason, checks=checks):
            row.due, row.held, row.checks = until, (*row.held, Held(now, until, words)), checks
            turn.outgoing.note(person, row, "deferred", now, reason, sort=words)
            turn.outgoing.change(row)
            return None
        case Drop(words=words, reason=reason, checks=checks):
            row.checks = checks
            refuse(turn, row, person, reason, now, sort=words)
            return None
    journey = turn.find_journey(person, row.journey)
    program = running.programs.get(journey.program)
    if program is None or heeds_claim(program, journey):
        journey = turn.feed(person, journey, Claimed(row.key), now)
        if row.state is not MessageState.DECIDED:
            return None  # a guard ended the journey, which took the message back
    return journey


def _judge(turn: Turn, row: LedgerRow, person: Person, now: Instant) -> Verdict:
    """What the policy says. Where it says no while others are before this message in the line, they are looked at as
    well: what does not go leaves its slot."""
    contact = turn.outgoing.contact
    verdict = contact.judge(row, person, now)
    if isinstance(verdict, Go):
        return verdict
    stepped_aside = False
    while others := contact.in_doubt(row, now):  # what leaves its slot may bring others into the line
        for other in others:
            if other.state is MessageState.DECIDED and may_go(turn, other, person, now) is None:
                contact.stepped_aside(other, now)
                stepped_aside = True
    return contact.judge(row, person, now) if stepped_aside else verdict


def _why_over(running: Running, row: LedgerRow, journey: Journey, person: Person, now: Instant) -> str | None:
    """Why a message's journey sends no more; None where it does. That of a message which was put up again may have gone
    on without it: then its guards are judged as if it had waited."""
    if is_over(running, row, journey):
        return journey.reason or journey.state
    program = running.programs.get(journey.program)
    if not row.again or program is None:
        return None
    return stopped_by(program, journey, person.facts, now, row.key)


def is_over(running: Running, row: LedgerRow, journey: Journey) -> bool:
    """Whether a message's journey sends no more. What stands is not put up for one that finished either: it would be
    taken back at once."""
    if journey.state == "finished":
        spec = running.channels.get(row.channel)
        return spec is not None and spec.stands
    return journey.state != "inside"


def refuse(turn: Turn, row: LedgerRow, person: Person, reason: str, now: Instant, sort: str = "") -> None:
    """The message does not go. Where an earlier call may have reached the provider the outcome is unknown,
    never "skipped". ``sort`` is what the reason counts as, where it says more than that."""
    row.reason = unknown(f"{row.reason}; {reason}" if row.reason else reason) if row.doubt else reason
    row.state = MessageState.UNKNOWN if row.doubt else MessageState.SKIPPED
    turn.outgoing.note(person, row, "undelivered" if row.doubt else "skipped", now, sort="" if row.doubt else sort)
    settle_message(turn, row, person, "unknown" if row.doubt else "skipped", reason, now)
    if row.doubt:
        take_back_late(turn, row, person)


def unknown(reason: str) -> str:
    """The reason of a message whose outcome stays unknown. A record holds it without the first word, which a replay
    puts before it again."""
    return UNKNOWN_OUTCOME + reason


def settle_message(turn: Turn, row: LedgerRow, person: Person, how: Settlement, reason: str, now: Instant) -> None:
    """The hand-over is settled, and the journey goes on."""
    row.due, row.settled = None, now
    turn.outgoing.change(row)
    turn.feed(person, turn.find_journey(person, row.journey), Settled(row.key, how, reason), now)
