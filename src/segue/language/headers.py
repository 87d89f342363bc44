"""The lines between trigger and first step, written to checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, assert_never

import msgspec

from segue.api import Kind, Period
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions
from segue.language.keywords import is_reserved
from segue.language.kinds import read_kind
from segue.language.looking import events_named
from segue.language.nearest import listed, nearest
from segue.language.report import Report
from segue.language.vocabulary import Lexicon


class Header(msgspec.Struct):
    """The header lines of a rule, each with what holds when it is absent."""

    once: model.Once | None = None
    on_repeat: Literal["ignore", "restart"] = "ignore"
    on_edit: Literal["finish", "follow"] = "finish"
    until: model.Expression | None = None
    goal: model.Goal | None = None
    expect: model.Expect | None = None
    rollout: Decimal | None = None
    holdout: Decimal | None = None
    active: model.Active | None = None
    kind: Kind = "promotional"


def read_header(lines: tuple[t.Header, ...], lexicon: Lexicon, report: Report, inside: Expressions) -> Header:
    """The lines as one value; what is wrong is in ``report``. ``inside`` reads conditions on a journey."""
    header = Header()
    for line in lines:
        match line:
            case t.Once(per=per):
                if per is not None:
                    positive(per, "`once per`", report, "leave the line out to let customers enter again")
                header.once = model.Once(per.period if per else None)
            case t.OnRepeat(action=repeat):
                header.on_repeat = repeat
            case t.OnEdit(action=edit):
                header.on_edit = edit
            case t.Until(condition=condition):
                header.until = inside.condition(condition)
            case t.Goal():
                header.goal = _goal(line, lexicon, report, inside)
            case t.Expect(count=count, per=per):
                positive(per, "`expect`", report)
                if count < 1:
                    report.add("E0212", line, "nobody is expected to enter", hint="expect at least 1, or leave it out")
                header.expect = model.Expect(count, per.period)
            case t.Share(use="rollout", percent=percent):
                header.rollout = _share(line, percent, report)
            case t.Share(percent=percent):
                header.holdout = _share(line, percent, report)
            case t.Active():
                header.active = _active(line, report)
            case t.As(kind=kind):
                header.kind = read_kind(kind, report) or "promotional"
            case _:
                assert_never(line)
    return header


def positive(duration: t.Duration, what: str, report: Report, hint: str = "write a longer one") -> None:
    """A duration that must not be zero."""
    if duration.period == Period():
        report.add("E0212", duration, f"{what} needs a duration above zero", label="no time at all", hint=hint)


def _share(line: t.Share, percent: Decimal, report: Report) -> Decimal:
    if percent <= 0:
        hint = (
            "to begin with, write `rollout 1%`; to stop a rule, take it out of the rule book"
            if line.use == "rollout"
            else "leave the line out to hold nobody back"
        )
        report.add("E0212", line, f"`{line.use} 0%` is nobody", label="above 0%", hint=hint)
    return percent


def _active(line: t.Active, report: Report) -> model.Active:
    last = line.last
    if last is not None and last.iso < line.first.iso:
        report.add(
            "E0213",
            last,
            f"{last.iso} is before {line.first.iso}, so nobody could ever enter",
            label="ends before it begins",
            hint="write the earlier day first",
        )
    return model.Active(model.Day(line.first.iso), model.Day(last.iso) if last else None)


def _goal(goal: t.Goal, lexicon: Lexicon, report: Report, inside: Expressions) -> model.Goal | None:
    condition = inside.condition(goal.condition)
    positive(goal.within, "a goal's `within`", report)
    if condition is None:
        return None
    if goal.worth is not None:
        _worth(goal.worth, condition, lexicon, report)
    return model.Goal(condition, goal.within.period, goal.worth.text if goal.worth else None)


def _worth(worth: t.Name, condition: model.Expression, lexicon: Lexicon, report: Report) -> None:
    """`worth` must be an amount of every event that the goal names."""
    events = tuple(dict.fromkeys(events_named(condition)))
    if not events:
        report.add(
            "E0502",
            worth,
            "this goal names no event whose field could say what it is worth",
            hint="name the event in the goal",
        )
        return
    if is_reserved(worth.text):
        return
    readable = [event for event in events if event not in lexicon.unreadable]
    lacking = next((event for event in readable if worth.text not in lexicon.fields(event)), None)
    if lacking is not None:
        fields = lexicon.fields(lacking)
        report.unknown(
            "E0502",
            worth,
            f"`{lacking}` has no field `{worth.text}`",
            nearest(worth.text, fields),
            f"its fields are {listed(fields)}",
        )
        return
    wrong = next((event for event in readable if lexicon.fields(event)[worth.text] not in ("money", "number")), None)
    if wrong is not None:
        report.add(
            "E0502",
            worth,
            f"`{wrong}.{worth.text}` is neither money nor a number",
            hint="a goal's worth is an amount",
        )
