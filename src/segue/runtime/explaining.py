"""Explanations: what a rule decided about one customer, from what the store keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from segue.api import Instant, to_rfc3339
from segue.customers.identity import describe
from segue.delivery.ledger import LedgerRow, MessageState
from segue.engine.journey import Journey
from segue.language import model as m
from segue.messages.links import TRAP
from segue.program import program as p
from segue.program.facts import Scene
from segue.program.sentences import word_step
from segue.runtime.accounts import wall
from segue.runtime.answering import best_time_of
from segue.runtime.people import Person
from segue.runtime.pinning import say_fallback
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.runtime.whom import find_customer
from segue.store import history
from segue.store import journeys as journey_rows
from segue.store.accounts import load_accounts
from segue.store.consent import load_statements
from segue.store.database import Transaction
from segue.store.hits import HitRow, load_of_messages
from segue.store.identity import identifiers_of, load_joinings, load_parted
from segue.store.pauses import load_pauses

_LONGEST_ADDRESS: Final = 80
"""Characters of a link's address that are shown."""


class Fact(msgspec.Struct, frozen=True):
    """One line of an explanation."""

    at: Instant
    what: str
    detail: str
    journey: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """What is true now, in sentences, and everything that was decided, in order."""

    now: tuple[str, ...]
    facts: tuple[Fact, ...]


def explain(
    tx: Transaction, running: Running, customer: str, rule: str, accounts: Mapping[str, str] | None = None
) -> Explanation | str:
    """What is known of a customer and a rule; a sentence where one of them is unknown. ``accounts`` are the provider
    accounts of channels."""
    row = find_customer(tx, customer, running.identity)
    if row is None:
        return f"no customer {customer}: no event ever named them"
    journeys = journey_rows.load_of_customer(tx, row, rule)
    if rule not in running.current and not journeys:
        return f"no rule {rule}: there are {', '.join(running.current) or 'none'}"
    turn = Turn(tx, running, Instant(2**62))
    turn.load([row])
    person = turn.people[row]
    facts: list[Fact] = []
    for journey in journeys:
        program = running.programs.get(journey.program)
        facts += journey_facts(journey, program)
        messages = history.load_messages_of(tx, journey.row)
        hits = load_of_messages(tx, {message.row for message in messages})
        for message in messages:
            facts += _message_facts(message)
            if message.claimed is not None and (chosen := say_fallback(tx, running, message)) is not None:
                facts.append(Fact(message.claimed, "content", f'{message.channel} "{message.message}": {chosen}'))
            facts += [_hit_fact(message, hit) for hit in hits[message.row]]
    facts += [Fact(one.at, "ignored", one.reason) for one in history.load_ignored(tx, row, rule)]
    facts += [
        Fact(one.at, "consent", f"{one.state}: {one.kind} {one.channel}, from {one.source}")
        for one in load_statements(tx, row)
    ]
    facts += _who_is_who(tx, row)
    facts.sort(key=lambda fact: fact.at)
    current = running.current.get(rule)
    if current is not None and not facts:
        facts = _unmatched(person, current)
    now = _now(running, rule, journeys, turn, row)
    for name, spec_reach in running.reach.channels.items():
        current = running.current.get(rule)
        if current is not None and name in current.channels:
            refusal = person.facts.refusal(name, current.rule.kind)
            now.append(f"{name}: {refusal}" if refusal else f"{name}: reaches them{_at(spec_reach.address)}")
    if current is not None:
        now += _held_back(tx, rule, current.channels, accounts or {})
    return Explanation(tuple(now), tuple(facts))


def _held_back(tx: Transaction, rule: str, channels: Collection[str], accounts: Mapping[str, str]) -> list[str]:
    """What keeps the rule's messages for now, whoever they are for."""
    lines = [
        f"{one.sort} {one.name} is paused since {to_rfc3339(one.since)} by {one.who}: nothing is sent"
        for one in load_pauses(tx)
        if (one.name == rule and one.sort == "rule") or (one.name in channels and one.sort == "channel")
    ]
    states = load_accounts(tx)
    for name in sorted({accounts.get(channel, channel) for channel in channels} & states.keys()):
        state = states[name]
        if state.opened is not None:
            since = to_rfc3339(state.opened)
            lines.append(f"account {name}: the circuit breaker is open since {since}, messages wait: {state.reason}")
        elif state.asked is not None and state.asked > wall():
            until = to_rfc3339(state.asked)
            lines.append(f"account {name}: its provider asks to wait until {until}, messages wait: {state.wish}")
    return lines


def _who_is_who(tx: Transaction, row: int) -> list[Fact]:
    """Who turned out to be this customer, and what was parted from them."""
    facts = [
        Fact(
            one.at,
            "merged",
            f"{describe(one.was)} turned out to be {describe(one.kept)}: {describe(one.key)} came with "
            f"{describe(one.other)} in event {one.message_id}",
        )
        for one in load_joinings(tx, row)
    ]
    mine = identifiers_of(tx, row)
    parted: dict[tuple[Instant, str], list[str]] = {}
    for at, key, other in load_parted(tx, mine):
        if key in mine:
            parted.setdefault((at, key), []).append(describe(other))
        else:
            parted.setdefault((at, key), [])
    for (at, key), others in parted.items():
        said = f"from {', '.join(others)}" if others else "from this customer"
        facts.append(Fact(at, "parted", f"{describe(key)} {said}, by hand"))
    return facts


def _unmatched(person: Person, program: p.Program) -> list[Fact]:
    """Triggers that came for the customer and began nothing since the rule's ``where`` did not hold then."""
    if program.where is None:
        return []
    reason = f"where {program.where.text} did not hold"
    return [
        Fact(past.at, "passed over", f"{event}: {reason}")
        for event in program.rule.events
        for past in person.history.get(event)
    ]


def _at(trait: str | None) -> str:
    return f" by {trait}" if trait else ""


def _now(running: Running, rule: str, journeys: list[Journey], turn: Turn, row: int) -> list[str]:
    lines = []
    current = running.current.get(rule)
    inside = [journey for journey in journeys if journey.state == "inside"]
    for journey in inside:
        program = running.programs.get(journey.program)
        if program is not None and journey.step < len(program.steps):
            step = program.steps[journey.step]
            until = f" until {to_rfc3339(journey.due)}" if journey.due is not None else ""
            lines.append(f"inside since {to_rfc3339(journey.entered)}, at {word_step(step)}{until}")
            lines += _guards(program, journey, turn, row)
            if isinstance(step, p.WaitUntil) and isinstance(step.moment, m.BestTime):
                zone, since = turn.people[row].facts.zone, max([journey.since, *(one.at for one in journey.trace[-1:])])
                best = best_time_of(turn.tx, running, row, zone, since)
                lines.append(f"best time, by what is known now: {best.because}")
    if not inside:
        lines.append("not inside")
    if current is not None and current.where is not None:
        lines.append(f"enters only where {current.where.text}")
    return lines


def _guards(program: p.Program, journey: Journey, turn: Turn, row: int) -> list[str]:
    """Each guard over the step, and its value now."""
    scene = Scene(
        turn.people[row].facts,
        Instant(2**52),
        start=(journey.entered, journey.order),
        trigger=journey.trigger,
        began=journey.entered,
        without=journey.order,
        reactions=journey.reactions,
        kind=program.rule.kind,
        per=program.rule.per,
        value=journey.value,
    )
    lines = []
    for index in program.steps[journey.step].guards:
        guard = program.guards[index]
        if guard.condition.volatile:
            lines.append(f"{guard.reason}: judged again at every wake and before every send")
        else:
            lines.append(f"{guard.reason}: {'true' if guard.condition.judge(scene) else 'not so far'}")
    return lines


def journey_facts(journey: Journey, program: p.Program | None) -> list[Fact]:
    """What happened in a journey, in sentences."""
    value = f" for {journey.value}" if journey.value is not None else ""
    facts = [Fact(journey.entered, "entered", f"journey {journey.key}{value}", journey.key)]
    for trace in journey.trace:
        outcome = f": {trace.outcome}" if trace.outcome else ""
        if trace.was:  # before an edit: that text has no lines any more
            facts.append(Fact(trace.at, "step", f"{trace.was}{outcome}", journey.key))
            continue
        if program is None or trace.step >= len(program.steps):
            continue
        step = program.steps[trace.step]
        if isinstance(step, p.Jump):
            continue
        facts.append(Fact(trace.at, "step", f"line {step.line}, {word_step(step)}{outcome}", journey.key))
    for reaction in journey.reactions:
        facts.append(Fact(reaction.at, reaction.what, f'{reaction.channel} "{reaction.message}"', journey.key))
    if journey.converted is not None:
        worth = f", worth {journey.worth}" if journey.worth else ""
        facts.append(Fact(journey.converted, "converted", f"the goal was met{worth}", journey.key))
    if journey.ended is not None:
        facts.append(Fact(journey.ended, journey.state, journey.reason, journey.key))
    return facts


def _hit_fact(message: LedgerRow, hit: HitRow) -> Fact:
    """An open or a click, and who is taken to have made it."""
    what = "the picture of" if hit.what == "opened" else "the hidden link of" if hit.link == TRAP else "a link of"
    if hit.machine is None:
        who = "it is judged in a moment whether a person did"
    else:
        who = f"by a machine: {hit.machine}" if hit.machine else "by a person"
    times = f", {hit.times} times" if hit.times > 1 else ""
    to = f" ({_short(hit.target)})" if hit.target and hit.link != TRAP else ""
    detail = f'{what} {message.channel} "{message.message}"{to} was opened with a {hit.agent}{times}, {who}'
    return Fact(hit.at, "hit", detail)


def _short(address: str) -> str:
    return address if len(address) <= _LONGEST_ADDRESS else f"{address[:_LONGEST_ADDRESS]}…"


def _message_facts(message: LedgerRow) -> list[Fact]:
    name = f'{message.channel} "{message.message}"'
    facts = [Fact(message.decided, "decided", name)]
    if message.checks:
        last_look = message.claimed or message.settled or (message.held[-1].at if message.held else message.decided)
        facts += [Fact(last_look, "checked", f"{name}: {check}") for check in message.checks]
    for held in message.held:
        facts.append(Fact(held.at, "deferred", f"{name}: {held.words}, until {to_rfc3339(held.until)}"))
    for again in message.again:
        facts.append(Fact(again.at, "again", f"{name}: put up again by {again.who}, after: {again.reason}"))
    if message.handed is not None:
        facts.append(Fact(message.handed, "sent", f"{name} to {message.address}"))
    if message.settled is not None and message.state is MessageState.SKIPPED:
        facts.append(Fact(message.settled, "skipped", f"{name}: {message.reason}"))
    if message.state in (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.UNKNOWN):
        facts.append(Fact(message.settled or message.decided, "undelivered", f"{name}: {message.reason}"))
    if message.state is MessageState.RETRACTED and message.retracted is not None:
        facts.append(Fact(message.retracted, "retracted", name))
    elif message.retracted is not None:
        facts.append(Fact(message.retracted, "stays", f"{name}: {message.reason}"))
    elif message.retracting is not None:
        tried = f", {message.tries} times so far: {message.reason}" if message.tries and message.reason else ""
        facts.append(Fact(message.retracting, "retracting", f"{name}{tried}"))
    if message.state is MessageState.DECIDED and message.attempts:
        tried = f"{name}: {message.reason}, {message.attempts} times so far"
        facts.append(Fact(message.claimed or message.decided, "tried", tried))
    return facts
