"""What stands before the first step of a rule, laid out: the trigger, its clauses, the header lines."""

from __future__ import annotations

from typing import assert_never

from segue.language import tree as t
from segue.language.layout_steps import StepLayout
from segue.language.layout_values import DEEPER, OutOfStep
from segue.language.page import HANGING, LINE, SPACE, Doc, group, joined, nest


class RuleLayout(StepLayout):
    """Adds triggers and header lines."""

    def _trigger(self, trigger: t.Trigger) -> Doc:
        match trigger:
            case t.OnEvent():
                parts: list[Doc] = [self._word("when"), SPACE]
                for place, event in enumerate(trigger.events):
                    if place:
                        parts += (LINE, self._word("or"), SPACE)
                    parts.append(self._event_name(event))
                return group(nest(HANGING, *parts))
            case t.OnMembership():
                words = self._words("when", "customer", trigger.change)
                return joined(words, SPACE, self._name(trigger.segment))
            case t.OnChange():
                changes = joined(
                    *(self._word("when"), SPACE, self._path(trigger.trait), SPACE, self._word("changes")),
                )
                if trigger.to is None:
                    return changes
                return joined(changes, SPACE, self._word("to"), SPACE, self._value(trigger.to))
            case t.OnOffset():
                when = joined(self._word("when"), SPACE, self._duration(trigger.duration), SPACE)
                trait = joined(self._word(trigger.side), SPACE, self._path(trigger.trait))
                return joined(when, trait, *self._at_clock(trigger.at))
            case t.OnSchedule():
                every = joined(self._word("every"), SPACE, self._recurrence(trigger.recurrence))
                return joined(every, *self._at_clock(trigger.at))
            case t.OnDate():
                day = joined(self._word("on"), SPACE, self._node(trigger.date))
                return joined(day, *self._at_clock(trigger.at))
            case _:
                assert_never(trigger)

    def _event_name(self, name: t.Name | t.Text) -> Doc:
        return self._name(name) if isinstance(name, t.Name) else self._node(name)

    def _recurrence(self, recurrence: t.Weekdays | t.Monthly | t.Yearly) -> Doc:
        match recurrence:
            case t.Weekdays(days=()):
                return self._word("day")
            case t.Weekdays():
                first, *rest = recurrence.days
                parts: list[Doc] = [self._node(first)]
                for day in rest:
                    parts += (SPACE, self._node(day))
                return joined(*parts)
            case t.Monthly():
                return joined(self._word("month"), SPACE, self._digits())
            case t.Yearly(duration=None):
                return joined(self._words("year", "on"), SPACE, self._path(recurrence.trait))
            case t.Yearly(duration=t.Duration() as duration, side=side) if side is not None:
                year = joined(self._word("year"), SPACE, self._duration(duration), SPACE, self._word(side))
                return joined(year, SPACE, self._path(recurrence.trait))
            case _:
                raise OutOfStep(recurrence.start)

    def _clauses(self, clauses: tuple[t.Clause, ...]) -> list[Doc]:
        """What follows a trigger: on its row, or one a row."""
        parts: list[Doc] = []
        for clause in clauses:
            match clause:
                case t.Where():
                    doc = joined(self._word("where"), SPACE, self._condition(clause.condition, DEEPER))
                case t.Per():
                    doc = joined(self._word("per"), SPACE, self._name(clause.field))
                case t.Audience():
                    doc = joined(self._word("for"), SPACE, self._name(clause.name))
                case _:
                    assert_never(clause)
            parts.append(nest(HANGING, LINE, doc))
        return parts

    def _header(self, header: t.Header) -> Doc:
        match header:
            case t.Once():
                once = self._word("once")
                if header.per is None:
                    return once
                return joined(once, SPACE, self._word("per"), SPACE, self._duration(header.per))
            case t.OnRepeat():
                return self._words("on", "repeat", header.action)
            case t.OnEdit():
                return self._words("on", "edit", header.action)
            case t.Until():
                return joined(self._word("until"), SPACE, self._condition(header.condition))
            case t.Goal():
                goal = joined(self._word("goal"), SPACE, self._condition(header.condition, HANGING + DEEPER))
                within = joined(self._word("within"), SPACE, self._duration(header.within))
                if header.worth is not None:
                    within = joined(within, SPACE, self._word("worth"), SPACE, self._name(header.worth))
                return joined(goal, nest(HANGING, LINE, within))
            case t.Expect():
                expect = joined(self._word("expect"), SPACE, self._digits(), SPACE, self._word("per"))
                return joined(expect, SPACE, self._duration(header.per))
            case t.Share():
                return joined(self._word(header.use), SPACE, self._digits("%"))
            case t.Active():
                first = joined(self._word("from"), SPACE, self._node(header.first))
                if header.last is None:
                    return first
                return joined(first, SPACE, self._word("to"), SPACE, self._node(header.last))
            case t.As():
                return joined(self._word("as"), SPACE, self._name(header.kind))
            case _:
                assert_never(header)
