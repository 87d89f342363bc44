"""Who enters: pure, like `segue.engine.step`, and under the same laws.

A trigger is asked, in this order: do the rule's dates (``from`` … ``to``) hold, does it concern the customer
(``where``, ``for``), does it carry the ``per`` field, is it recent enough, are entries paused (``expect``), is the
customer inside already (``on repeat``), have they entered too often (``once``), and are they among those rolled out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

import msgspec

from segue.api import Instant
from segue.engine.journey import Arrived, Effect, Journey, Note, mint
from segue.engine.shares import among
from segue.engine.step import begin, end
from segue.language import model as m
from segue.program.calendar import add_elapsed, local
from segue.program.facts import Customer, Scene
from segue.program.keys import per_value
from segue.program.program import Program
from segue.program.wording import word_period

PAUSED: Final = "entries are paused: far more than expected"
"""Why nobody enters a rule for now: its runtime counts those lost."""


class Admission(msgspec.Struct):
    """What came of one trigger: the journey that began, if one did; the one it replaced; the effects of each;
    or why it was ignored."""

    entered: Journey | None = None
    effects: list[Effect] = []
    replaced: Journey | None = None
    replaced_effects: list[Effect] = []
    ignored: Note | None = None


def admit(
    program: Program,
    inside: Sequence[Journey],
    last_entry: Instant | None,
    event: Arrived,
    customer: Customer,
    now: Instant,
    stale: int,
    paused: bool = False,
) -> Admission | None:
    """What a trigger does. ``inside`` are the customer's journeys of this rule that are under way, ``last_entry`` the
    latest entry for the same ``per`` value (only asked for where the rule says ``once``), ``stale`` how old, in
    microseconds, an event may be on arrival, and ``paused`` whether far more enter than the rule expects. None: the
    rule's ``where`` or ``for`` does not hold, so it is not concerned."""
    rule = program.rule
    if rule.active is not None and not _active(rule.active, event.at, customer.zone):
        return _ignore(now, f"entries only {_word_active(rule.active)}")
    if program.where is not None:
        scene = Scene(customer, now, trigger=event.raw, began=event.at, without=event.order, kind=rule.kind)
        if not program.where.judge(scene):
            return None
    value: str | None = None
    if rule.per is not None:
        value = per_value(event.fields, rule.per)
        if value is None:
            return _ignore(now, f"the event has no {rule.per}")
    if now - event.at > stale:
        return _ignore(
            now, "the event was too old on arrival" if event.order >= 0 else "its moment was missed by too much"
        )
    if paused:
        return _ignore(now, PAUSED)
    replaced = next((journey for journey in inside if journey.value == value), None) if inside else None
    if replaced is not None and rule.on_repeat == "ignore":
        return _ignore(now, "already inside")
    if replaced is None and rule.once is not None and last_entry is not None:
        if rule.once.per is None:
            return _ignore(now, "once")
        if event.at < add_elapsed(last_entry, rule.once.per, customer.zone):
            return _ignore(now, f"once per {word_period(rule.once.per)}")
    if rule.rollout is not None and not among(customer, rule.name, "rollout", rule.rollout):
        return _ignore(now, f"not among the {rule.rollout:f}% rolled out")
    admission = Admission()
    if replaced is not None:
        admission.replaced, admission.replaced_effects = end(replaced, "exited", "restarted", now)
    journey = Journey(
        key=mint("journey", rule.name, event.key, value)
        if event.name
        else _key_of_occasion(rule.name, event, customer),
        rule=rule.name,
        program=program.hash,
        entered=event.at,
        order=event.order,
        trigger=event.raw,
        value=value,
        since=event.at,
        mark=event.order,
        goal_until=add_elapsed(event.at, program.goal.within, customer.zone) if program.goal is not None else None,
        holdout=rule.holdout is not None and among(customer, rule.name, "holdout", rule.holdout),
    )
    admission.entered, admission.effects = begin(program, journey, customer, now)
    return admission


def _ignore(now: Instant, reason: str) -> Admission:
    return Admission(ignored=Note("ignored", now, reason))


def _key_of_occasion(rule: str, occasion: Arrived, customer: Customer) -> str:
    """An event names its customer; an occasion comes for many at once."""
    return mint("journey", rule, occasion.key, None, customer.key)


def _active(active: m.Active, at: Instant, zone: tzinfo) -> bool:
    """Whether the day of an instant, the customer's, is one of those at which customers enter."""
    day = local(at, zone).date().isoformat()
    return active.first.iso <= day and (active.last is None or day <= active.last.iso)


def _word_active(active: m.Active) -> str:
    return f"from {active.first.iso}" + (f" to {active.last.iso}" if active.last is not None else "")
