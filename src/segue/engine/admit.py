"""Who enters: pure, like `segue.engine.step`, and under the same laws.

An event that begins a journey is asked, in this order: does the rule's ``where`` hold, does it carry the ``per`` field,
is it recent enough, is the customer inside already (``on repeat``), and has the customer entered too often (``once``).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.api import Instant
from segue.engine.journey import Arrived, Effect, Journey, Note, mint
from segue.engine.step import begin, end
from segue.program.calendar import add_elapsed
from segue.program.facts import Customer, Scene
from segue.program.keys import per_value
from segue.program.program import Program
from segue.program.wording import word_period


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
) -> Admission | None:
    """What a trigger does. ``inside`` are the customer's journeys of this rule that are under way, ``last_entry`` the
    latest entry for the same ``per`` value (only asked for where the rule says ``once``), ``stale`` how old, in
    microseconds, an event may be on arrival. None: the rule's ``where`` does not hold, so it is not concerned."""
    rule = program.rule
    if program.where is not None:
        scene = Scene(customer, now, trigger=event.raw, began=event.at, without=event.order, kind=rule.kind)
        if not program.where.judge(scene):
            return None
    value: str | None = None
    if rule.per is not None:
        value = per_value(event.fields, rule.per)
        if value is None:
            return Admission(ignored=Note("ignored", now, f"the event has no {rule.per}"))
    if now - event.at > stale:
        return Admission(ignored=Note("ignored", now, "the event was too old on arrival"))
    admission = Admission()
    for journey in inside:
        if journey.value != value:
            continue
        if rule.on_repeat == "ignore":
            return Admission(ignored=Note("ignored", now, "already inside"))
        admission.replaced, admission.replaced_effects = end(journey, "exited", "restarted", now)
    if rule.once is not None and last_entry is not None and admission.replaced is None:
        if rule.once.per is None:
            return Admission(ignored=Note("ignored", now, "once"))
        if event.at < add_elapsed(last_entry, rule.once.per, customer.zone):
            return Admission(ignored=Note("ignored", now, f"once per {word_period(rule.once.per)}"))
    journey = Journey(
        key=mint("journey", rule.name, event.key, value),
        rule=rule.name,
        program=program.hash,
        entered=event.at,
        order=event.order,
        trigger=event.raw,
        value=value,
        since=event.at,
        mark=event.order,
        goal_until=add_elapsed(event.at, program.goal.within, customer.zone) if program.goal is not None else None,
    )
    admission.entered, admission.effects = begin(program, journey, customer, now)
    return admission
