"""What begins a journey: triggers and their clauses, written to checked."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from segue.api import FieldType
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions
from segue.language.keywords import is_reserved
from segue.language.names import Names, Scope
from segue.language.nearest import listed, nearest
from segue.language.operators import CALLED
from segue.language.report import Report
from segue.language.vocabulary import EVERY_EVENT, Lexicon

EVERY_BEGINNING: Final[dict[str, FieldType]] = {"timestamp": "date"}
"""Fields of a trigger that is no event: when it happened."""

EVERY_DAY: Final = tuple(range(7))


class Began(msgspec.Struct, frozen=True):
    """A trigger with its clauses. ``scope`` is that of the rule's own conditions; ``events`` or ``trigger`` is empty
    where the other begins the journey, and both are where the trigger is wrong."""

    events: tuple[str, ...]
    trigger: model.Trigger | None
    scope: Scope
    where: model.Expression | None
    per: str | None
    audience: str | None


def event_of(written: t.Name | t.Text, lexicon: Lexicon) -> str | None:
    """The event that a trigger names, by its own name or by the one that sources send."""
    if isinstance(written, t.Text):
        return lexicon.event_sent_as(written.value)
    return written.text if lexicon.is_event(written.text) else None


def name_of(rule: t.Rule, lexicon: Lexicon) -> str:
    """A rule's name: its head's, else that of its trigger's first event, segment or trait; "" where there is none."""
    if rule.name is not None:
        return rule.name.text
    match rule.trigger:
        case t.OnEvent(events=events):
            first = events[0]
            return event_of(first, lexicon) or (first.value if isinstance(first, t.Text) else first.text)
        case t.OnMembership(segment=segment):
            return segment.text
        case t.OnChange(trait=trait) | t.OnOffset(trait=trait):
            return trait.name.text
        case t.OnSchedule(recurrence=t.Yearly(trait=trait)):
            return trait.name.text
        case t.OnSchedule() | t.OnDate():
            audience = next((clause for clause in rule.clauses if isinstance(clause, t.Audience)), None)
            return audience.name.text if audience else ""
        case _:
            assert_never(rule.trigger)


def named_after_segment(rule: t.Rule) -> bool:
    """Whether a rule without a head takes its name from a segment, and so shares it."""
    if rule.name is not None:
        return False
    match rule.trigger:
        case t.OnMembership():
            return True
        case t.OnSchedule(recurrence=recurrence):
            return not isinstance(recurrence, t.Yearly)
        case t.OnDate():
            return True
        case _:
            return False


def read_trigger(rule: t.Rule, lexicon: Lexicon, report: Report) -> Began:
    """The trigger and its clauses; what is wrong is in ``report``."""
    return _Triggers(rule, lexicon, report).read()


class _Triggers:
    def __init__(self, rule: t.Rule, lexicon: Lexicon, report: Report) -> None:
        self._rule = rule
        self._lexicon = lexicon
        self._report = report
        self._names = Names(lexicon, report, Scope(fields={}))
        self._values = Expressions(lexicon, report, Scope(fields={}))

    def read(self) -> Began:
        written = self._rule.trigger
        events = self._events(written) if isinstance(written, t.OnEvent) else ()
        trigger = None if isinstance(written, t.OnEvent) else self._trigger(written)
        scope = self._scope(events, trigger)
        before = Scope(fields=scope.fields, clashing=scope.clashing, since="ever", reactions=False, open=scope.open)
        where = per = audience = None
        for clause in self._rule.clauses:
            match clause:
                case t.Where(condition=condition):
                    where = Expressions(self._lexicon, self._report, before).condition(condition)
                case t.Per(field=field):
                    per = self._per(field, events)
                case t.Audience(name=name):
                    audience = name.text if self._names.segment(name) else None
                case _:
                    assert_never(clause)
        self._someone()
        return Began(events, trigger, scope, where, per, audience)

    def _scope(self, events: tuple[str, ...], trigger: model.Trigger | None) -> Scope:
        written = self._rule.trigger
        if not isinstance(written, t.OnEvent):
            if isinstance(trigger, model.OnChange):
                return Scope(fields={"old": trigger.type, "new": trigger.type, **EVERY_BEGINNING}, began_by="change")
            return Scope(
                fields=EVERY_BEGINNING,
                open=trigger is None and isinstance(written, t.OnChange),
                began_by="change" if isinstance(written, t.OnChange) else "moment",
            )
        fields: dict[str, FieldType] = {}
        clashing: set[str] = set()
        for event in events:
            for field, type_ in self._lexicon.fields(event).items():
                if fields.setdefault(field, type_) != type_:
                    clashing.add(field)
        complete = len(events) > 0 and all(event_of(each, self._lexicon) for each in written.events)
        unreadable = any(event in self._lexicon.unreadable for event in events)
        return Scope(
            fields={field: type_ for field, type_ in fields.items() if field not in clashing} or EVERY_EVENT,
            clashing=frozenset(clashing),
            open=not complete or unreadable,
        )

    # Events

    def _events(self, trigger: t.OnEvent) -> tuple[str, ...]:
        found = [self._event(event) for event in trigger.events]
        return tuple(dict.fromkeys(event for event in found if event is not None))

    def _event(self, written: t.Name | t.Text) -> str | None:
        event = event_of(written, self._lexicon)
        if event is not None:
            return event
        if isinstance(written, t.Name):
            return self._names.event(written)
        near = nearest(written.value, self._lexicon.sent_names())
        self._report.add(
            "E0301",
            written,
            f'I don\'t know an event that is sent as "{written.value}"',
            label=f'did you mean "{near}"?' if near else "unknown",
            hint=f'if sources send it, declare it: `event my_name is "{written.value}"`',
            write=f'"{near}"' if near else None,
        )
        return None

    def _per(self, field: t.Name, events: tuple[str, ...]) -> str | None:
        if not isinstance(self._rule.trigger, t.OnEvent):
            self._report.add(
                "E0501",
                field,
                "this rule begins with no event, so there is no field to make one journey for each value of",
                label="no event to take it from",
                hint="leave the line out: without it there is one journey for each customer",
            )
            return None
        for event in events:
            fields = self._lexicon.fields(event)
            if field.text in fields or event in self._lexicon.unreadable or is_reserved(field.text):
                continue
            near = nearest(field.text, fields)
            self._report.add(
                "E0501",
                field,
                f"`{event}` has no field `{field.text}`, so there can't be one journey for each of its values",
                label=f"did you mean `{near}`?" if near else "unknown",
                hint=f"its fields are {listed(fields)}; every event of the trigger needs the field",
                write=near if near and len(events) == 1 else None,
            )
        return field.text

    # Everything else

    def _trigger(
        self, trigger: t.OnMembership | t.OnChange | t.OnOffset | t.OnSchedule | t.OnDate
    ) -> model.Trigger | None:
        match trigger:
            case t.OnMembership(change=change, segment=segment):
                return model.OnMembership(change, segment.text) if self._names.segment(segment) else None
            case t.OnChange(trait=trait, to=to):
                type_ = self._names.trait_type(trait)
                if type_ is None:
                    return None
                value = None
                if to is not None:
                    value = self._values.fitting(to, type_, f"`customer.{trait.name.text}`")
                    if value is None:
                        return None
                return model.OnChange(trait.name.text, type_, value)
            case t.OnOffset(duration=duration, side=side, trait=trait, at=at):
                if not self._is_date(trait):
                    return None
                clock = self._values.clock(at.clock) if at else None
                return model.OnOffset(duration.period, side, trait.name.text, clock, self._zone(at))
            case t.OnSchedule(recurrence=written, at=at):
                recurrence = self._recurrence(written)
                if recurrence is None:
                    return None
                return model.OnSchedule(recurrence, self._clock(at), self._zone(at))
            case t.OnDate(date=date, at=at):
                return model.OnDate(model.Day(date.iso), self._clock(at), self._zone(at))
            case _:
                assert_never(trigger)

    def _recurrence(
        self, written: t.Weekdays | t.Monthly | t.Yearly
    ) -> model.Weekdays | model.Monthly | model.Yearly | None:
        match written:
            case t.Weekdays(days=days):
                return model.Weekdays(self._weekdays(days) if days else EVERY_DAY)
            case t.Monthly(day=day):
                return model.Monthly(day)
            case t.Yearly(trait=trait, duration=duration, side=side):
                if not self._is_date(trait):
                    return None
                return model.Yearly(trait.name.text, duration.period if duration else None, side or "before")
            case _:
                assert_never(written)

    def _weekdays(self, days: tuple[t.DayOfWeek, ...]) -> tuple[int, ...]:
        first: dict[int, t.DayOfWeek] = {}
        for day in days:
            if day.day in first:
                self._report.add(
                    "E0210",
                    day,
                    f"`{self._report.text(day)}` is given twice",
                    label="the second time",
                    hint="keep one of them",
                    also=(Label(self._report.span(first[day.day]), "the first time"),),
                )
            first.setdefault(day.day, day)
        return tuple(sorted(first))

    def _is_date(self, trait: t.TraitPath) -> bool:
        type_ = self._names.trait_type(trait, "date")
        if type_ is None:
            return False
        if type_ != "date":
            name = trait.name.text
            dates = [known for known in self._lexicon.trait_names() if self._lexicon.trait(known) == "date"]
            self._report.add(
                "E0403",
                trait,
                f"`customer.{name}` is {CALLED[type_]}, and a date belongs here",
                label="not a date",
                hint=f"the traits that are dates: {listed(dates)}"
                if dates
                else f"declare it as one in a `customer` block: `{name} date`",
            )
            return False
        return True

    def _clock(self, at: t.At | None) -> model.Clock:
        return self._values.clock(at.clock) if at else model.Clock(0)

    def _zone(self, at: t.At | None) -> str | None:
        return self._values.zone(at.zone) if at else None

    def _someone(self) -> None:
        """A schedule must say for whom; a customer's own date says it already."""
        trigger = self._rule.trigger
        match trigger:
            case t.OnSchedule(recurrence=t.Weekdays() | t.Monthly()) | t.OnDate():
                if not any(isinstance(clause, t.Audience) for clause in self._rule.clauses):
                    self._report.add(
                        "E0505",
                        trigger,
                        "this rule does not say for whom it begins",
                        label="for whom?",
                        hint="add `for` and a segment; for everyone declare `segment everyone where true` and write "
                        "`for everyone`",
                    )
            case _:
                pass
