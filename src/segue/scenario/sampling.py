"""What a rule does for one sample customer, with dates: they enter, can be reached, and do nothing else.

The sample is carried out like a test of the rule, by the real program on a virtual clock. What only decides who enters
(the trigger, its ``where``, ``for``, the days it is active) is taken as met, so that every rule has a sample.
"""

from __future__ import annotations

from datetime import tzinfo
from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from segue.api import FieldType, Instant, Money, Period
from segue.engine.occasions import next_occasion
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.program import program as p
from segue.program.calendar import local
from segue.program.picture.chart import Chart, draw_chart, every_box
from segue.runtime.publishing import Setting
from segue.runtime.running import DecisionLine
from segue.scenario.trials import Outcome, Trials

_OCCASION: Final = "the sample begins"
"""An event that no rule can name: what begins the sample of a rule that no event begins."""


class Moment(msgspec.Struct, frozen=True):
    """One thing that happens to the sample customer, and what came of it."""

    at: Instant
    what: str
    detail: str = ""


class Sample(msgspec.Struct, frozen=True):
    """The moments of one journey, in order, on the customer's clock. ``problem`` is why there are none."""

    zone: tzinfo
    moments: tuple[Moment, ...]
    problem: str = ""


def sample(book: m.Book, setting: Setting, content: Catalogue, rule: m.Rule, at: Instant) -> Sample:
    """The journey of a customer who enters at ``at``, or at the first moment after it at which the calendar begins
    the rule. Its event carries an example of each field."""
    zone = setting.zone
    if isinstance(rule.trigger, m.OnDate) or (
        isinstance(rule.trigger, m.OnSchedule) and not isinstance(rule.trigger.recurrence, m.Yearly)
    ):
        at = next_occasion(rule.trigger, zone, at) or at
    begun = rule.events[0] if rule.events else _OCCASION
    open_to_all = replace(rule, events=(begun,), trigger=None, where=None, audience=None, active=None, once=None)
    known = book.events.get(begun)
    wall = local(at, zone)
    event = m.Happens(
        m.TestMoment(day=m.Day(wall.date().isoformat()), clock=m.Clock(wall.hour * 60 + wall.minute)),
        begun,
        tuple((name, _example(name, kind)) for name, kind in (known.fields if known else {}).items() if _free(name)),
    )
    rules = tuple(open_to_all if one.name == rule.name else one for one in book.rules)
    trials = Trials(replace(book, rules=rules), setting, content)
    outcome = trials.run(m.Test("a sample customer", rule.name, happens=(event,)))
    return _tell(outcome, zone)


def _free(name: str) -> bool:
    """Whether a field is the event's own: source and timestamp are given with every event."""
    return name not in ("source", "timestamp", "currency")


def _example(name: str, kind: FieldType) -> m.Expression:
    """A value that a field of this type may have."""
    match kind:
        case "money":
            return m.Literal_(Money(Decimal(60), "EUR"))
        case "number":
            return m.Literal_(1)
        case "boolean":
            return m.Literal_(True)
        case "date":
            return m.Arithmetic("+", m.Now(), m.Literal_(Period(days=14)))
        case "time":
            return m.Literal_(m.Clock(720))
        case _:
            return m.Literal_(name)


def _tell(outcome: Outcome, zone: tzinfo) -> Sample:
    if outcome.problem is not None or outcome.program is None or not outcome.journeys:
        return Sample(zone, (), outcome.problem or "no journey began")
    titles = _titles(draw_chart(outcome.program))
    journey = outcome.journeys[0]
    titles = _titles(draw_chart(outcome.program))
    moments = [Moment(journey.entered, "enters")]
    decided = [line for line in outcome.decisions if line.decision != "entered"]
    reached = journey.entered
    for trace in journey.trace:
        step = outcome.program.steps[trace.step]
        if isinstance(step, p.Send):  # its messages' own decisions tell what became of it
            while decided and decided[0].channel and decided[0].at <= trace.at:
                moments.append(_decided(decided.pop(0)))
        elif not isinstance(step, p.Jump):
            moments.append(Moment(reached, titles.get(trace.step, ""), _came_of(step, trace.outcome)))
        reached = trace.at
    return Sample(zone, (*moments, *map(_decided, decided)))


def _titles(chart: Chart) -> dict[int, str]:
    return {box.step: box.title for box in every_box(chart.items) if box.step is not None}


def _came_of(step: p.AnyStep, outcome: str) -> str:
    if isinstance(step, p.WaitFor):
        return "it came true" if outcome == "true" else "waited to the limit"
    return outcome


def _decided(line: DecisionLine) -> Moment:
    if line.channel:
        detail = "" if line.decision == "sent" else f"{line.decision}: {line.reason}"
        return Moment(line.at, f'{line.channel} "{line.message}"', detail)
    return Moment(line.at, line.decision, line.reason)
