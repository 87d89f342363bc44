"""Advice about header lines: a holdout without a goal, a goal that comes too soon, lines that change nothing."""

from __future__ import annotations

from typing import Final

from segue.api.values import DAY
from segue.language import model
from segue.language import tree as t
from segue.language.lengths import least, most, shortest_to_send
from segue.language.report import Place
from segue.language.rules import CheckedRule

_MONTH: Final = 28 * DAY
_YEAR: Final = 365 * DAY


def advise_on_headers(checked: CheckedRule) -> None:
    """What can be said about the lines between trigger and first step."""
    rule, report = checked.rule, checked.report
    for line in checked.written.headers:
        match line:
            case t.Share(use="holdout", percent=percent):
                if rule.goal is None:
                    report.add(
                        "W0714",
                        line,
                        "customers are held out, and there is no goal by which to compare them with the others",
                        label="compared by what?",
                        hint="add a goal, for instance `goal ordered within 7d`, or leave the line out",
                    )
                if percent == 100:
                    _nothing(checked, line, "everyone is held out, so this rule never sends anything", "a small share")
            case t.Share(use="rollout", percent=percent) if percent == 100:
                _nothing(checked, line, "everyone enters without this line too", "leave it out")
            case t.Goal() if rule.goal is not None:
                _too_soon(checked, line, rule.goal)
            case t.Once():
                _never_asked(checked, line)
            case _:
                pass


def _nothing(checked: CheckedRule, line: Place, message: str, hint: str) -> None:
    checked.report.add("W0720", line, message, hint=hint)


def _too_soon(checked: CheckedRule, line: t.Goal, goal: model.Goal) -> None:
    """The window is counted from entry, and nothing that the rule sends can have had a part in it."""
    first, _ = shortest_to_send(checked.rule.steps)
    if first is not None and first >= most(goal.within) > 0:
        checked.report.add(
            "W0718",
            line.within,
            "this goal is over before the first message goes out",
            label="counted from entry",
            hint="give it more time than the waits before the first `send` take",
        )


def _never_asked(checked: CheckedRule, line: t.Once) -> None:
    """`once` on a rule that begins no more often by itself."""
    trigger, once = checked.rule.trigger, checked.rule.once
    if once is None:
        return
    if isinstance(trigger, model.OnDate):
        _nothing(checked, line, "this rule begins only once anyway, on its date", "leave it out")
    elif isinstance(trigger, model.OnSchedule) and once.per is not None:
        gap = _shortest_gap(trigger.recurrence)
        if most(once.per) <= gap and least(once.per) < gap:
            _nothing(
                checked,
                line,
                "this rule does not begin more often by itself, so the line keeps nobody out",
                "leave it out, or write a longer time",
            )


def _shortest_gap(recurrence: model.Weekdays | model.Monthly | model.Yearly) -> int:
    match recurrence:
        case model.Weekdays(days=days):
            following = (*days[1:], days[0] + 7)
            return min(after - day for day, after in zip(days, following, strict=True)) * DAY
        case model.Monthly():
            return _MONTH
        case model.Yearly():
            return _YEAR
