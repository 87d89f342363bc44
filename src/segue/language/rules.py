"""One rule, written to checked: its trigger, header lines and steps put together."""

from __future__ import annotations

import msgspec

from segue.language import model
from segue.language import tree as t
from segue.language.deliveries import Deliveries
from segue.language.expressions import Expressions, TooDeep
from segue.language.headers import Header, read_header
from segue.language.names import Names
from segue.language.report import Report
from segue.language.steps import Steps
from segue.language.triggers import Began, read_trigger
from segue.language.vocabulary import Lexicon


class CheckedRule(msgspec.Struct, frozen=True):
    """A rule as it was written and as it was understood, and the report of its file.

    ``made`` holds each written step with what it became, in the order in which they stand; ``sound`` tells whether
    everything was understood, so that advice about the whole has the whole before it.
    """

    written: t.Rule
    rule: model.Rule
    report: Report
    made: tuple[tuple[t.Step, model.Step], ...] = ()
    sound: bool = True


def check_rule(rule: t.Rule, name: str, lexicon: Lexicon, report: Report, file: str) -> CheckedRule | None:
    """The checked rule, None when it cannot be carried out; what is wrong is in ``report``."""
    before = len(report.found)
    try:
        began = read_trigger(rule, lexicon, report)
        inside = Expressions(lexicon, report, began.scope)
        header = read_header(rule.headers, lexicon, report, inside)
        names = Names(lexicon, report, began.scope)
        steps = Steps(report, inside, names, Deliveries(lexicon, report, inside, names, name, header.kind))
        checked = _rule(rule, name, file, report, began, header, steps.read(rule.steps))
    except (TooDeep, RecursionError):
        report.add(
            "E0209",
            (rule.start, rule.start + 1),
            "a condition or value in this rule is nested too deep",
            hint="nobody can follow this; take it apart into several rules",
        )
        return None
    sound = inside.complete and steps.complete and not began.scope.open and report.is_sound(rule, before)
    return CheckedRule(rule, checked, report, tuple(steps.made), sound)


def _rule(
    rule: t.Rule,
    name: str,
    file: str,
    report: Report,
    began: Began,
    header: Header,
    steps: tuple[model.Step, ...],
) -> model.Rule:
    return model.Rule(
        name=name,
        title=rule.title.value if rule.title else None,
        events=began.events,
        trigger=began.trigger,
        where=began.where,
        per=began.per,
        audience=began.audience,
        once=header.once,
        on_repeat=header.on_repeat,
        on_edit=header.on_edit,
        until=header.until,
        goal=header.goal,
        expect=header.expect,
        rollout=header.rollout,
        holdout=header.holdout,
        active=header.active,
        kind=header.kind,
        steps=steps,
        file=file,
        line=report.line(rule),
    )
