"""One rule: trigger, header lines and steps, written to checked."""

from __future__ import annotations

from typing import Literal, assert_never, cast

from segue.api import FieldType, Kind
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions, TooDeep
from segue.language.keywords import KINDS, is_reserved
from segue.language.names import Names, Scope
from segue.language.nearest import listed, nearest
from segue.language.report import Report
from segue.language.steps import Steps
from segue.language.structure import advise, events_named
from segue.language.vocabulary import EVERY_EVENT, Lexicon


def event_of(written: t.Name | t.Text, lexicon: Lexicon) -> str | None:
    """The event that a trigger names, by its own name or by the one that sources send."""
    if isinstance(written, t.Text):
        return lexicon.event_sent_as(written.value)
    return written.text if lexicon.is_event(written.text) else None


def name_of(rule: t.Rule, lexicon: Lexicon) -> str:
    """A rule's name: its head's, else that of its trigger's first event, segment or trait."""
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
        case t.OnSchedule() | t.OnDate():
            audience = next((clause for clause in rule.clauses if isinstance(clause, t.Audience)), None)
            return audience.name.text if audience else ""


def check_rule(rule: t.Rule, name: str, lexicon: Lexicon, report: Report, file: str) -> model.Rule | None:
    """The checked rule, None when it cannot be carried out; what is wrong is in ``report``."""
    try:
        return _Check(rule, name, lexicon, report).read(file)
    except (TooDeep, RecursionError):
        report.add(
            "E0209",
            (rule.start, rule.start + 1),
            "a condition or value in this rule is nested too deep",
            hint="nobody can follow this; take it apart into several rules",
        )
        return None


class _Check:
    def __init__(self, rule: t.Rule, name: str, lexicon: Lexicon, report: Report) -> None:
        self._rule = rule
        self._name = name
        self._lexicon = lexicon
        self._report = report
        self._events = self._trigger(rule.trigger)
        self._kind: Kind = "promotional"
        scope = self._scope()
        self._inside = Expressions(lexicon, report, scope)
        self._before = Expressions(
            lexicon,
            report,
            Scope(fields=scope.fields, clashing=scope.clashing, since="ever", reactions=False, open=scope.open),
        )
        self._steps = Steps(lexicon, report, self._inside, Names(lexicon, report, scope), name, "promotional")

    def read(self, file: str) -> model.Rule | None:
        rule = self._rule
        where = per = None
        for clause in rule.clauses:
            match clause:
                case t.Where(condition=condition):
                    where = self._before.condition(condition)
                case t.Per(field=field):
                    per = self._per(field)
                case t.Audience():
                    self._report.refuse(clause, f"`for {clause.name.text}`")
        header = self._header()
        self._steps = Steps(
            self._lexicon,
            self._report,
            self._inside,
            Names(self._lexicon, self._report, self._scope()),
            self._name,
            self._kind,
        )
        steps = self._steps.read(rule.steps)
        checked = model.Rule(
            name=self._name,
            title=rule.title.value if rule.title else None,
            events=self._events,
            steps=steps,
            where=where,
            per=per,
            once=header.once,
            on_repeat=header.on_repeat,
            until=header.until,
            goal=header.goal,
            kind=self._kind,
            file=file,
            line=self._report.line(rule),
        )
        if per is not None:
            self._guards(per)
        advise(rule, self._name, self._lexicon, self._report)
        return checked

    # The trigger

    def _trigger(self, trigger: t.Trigger) -> tuple[str, ...]:
        match trigger:
            case t.OnEvent(events=written):
                found = [self._trigger_event(event) for event in written]
                return tuple(dict.fromkeys(event for event in found if event is not None))
            case t.OnMembership(change=change):
                what = f"a rule that begins when a customer {change} a segment"
            case t.OnChange():
                what = "a rule that begins when a trait changes"
            case t.OnOffset():
                what = "a rule that begins before or after a date"
            case t.OnSchedule():
                what = "a recurring rule (`every`)"
            case t.OnDate():
                what = "a rule for one date (`on`)"
            case _:
                assert_never(trigger)
        self._report.refuse(trigger, what)
        return ()

    def _trigger_event(self, written: t.Name | t.Text) -> str | None:
        event = event_of(written, self._lexicon)
        if event is not None:
            return event
        if isinstance(written, t.Text):
            near = nearest(written.value, self._lexicon.sent_names())
            hint = f'if sources send it, declare it: `event my_name is "{written.value}"`'
            self._report.add(
                "E0301",
                written,
                f'I don\'t know an event that is sent as "{written.value}"',
                label=f'did you mean "{near}"?' if near else "unknown",
                hint=hint,
                write=f'"{near}"' if near else None,
            )
            return None
        return Names(self._lexicon, self._report, Scope(fields={})).event(written)

    def _scope(self) -> Scope:
        fields: dict[str, FieldType] = {}
        clashing: set[str] = set()
        for event in self._events:
            for field, type_ in self._lexicon.fields(event).items():
                if fields.setdefault(field, type_) != type_:
                    clashing.add(field)
        trigger = self._rule.trigger
        complete = (
            isinstance(trigger, t.OnEvent)
            and len(self._events) > 0
            and all(event_of(written, self._lexicon) for written in trigger.events)
        )
        unreadable = any(event in self._lexicon.unreadable for event in self._events)
        return Scope(
            fields={field: type_ for field, type_ in fields.items() if field not in clashing} or EVERY_EVENT,
            clashing=frozenset(clashing),
            open=not complete or unreadable,
        )

    def _per(self, field: t.Name) -> str:
        for event in self._events:
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
                write=near if near and len(self._events) == 1 else None,
            )
        return field.text

    # Header lines

    def _header(self) -> _Header:
        header = _Header()
        for line in self._rule.headers:
            match line:
                case t.Once(per=per):
                    header.once = model.Once(per.period if per else None)
                case t.OnRepeat(action=action):
                    header.on_repeat = action
                case t.OnEdit(action="finish"):
                    pass
                case t.OnEdit():
                    self._report.refuse(
                        line, "`on edit follow`", "without it customers inside finish the version they began with"
                    )
                case t.Until(condition=condition):
                    header.until = self._inside.condition(condition)
                case t.Goal():
                    header.goal = self._goal(line)
                case t.Expect():
                    self._report.refuse(line, "`expect`")
                case t.Share(use=use):
                    self._report.refuse(line, f"`{use}`")
                case t.Active():
                    self._report.refuse(line, "`from`")
                case t.As(kind=kind):
                    if self._steps.kind(kind) is not None and kind.text in KINDS:
                        self._kind = cast(Kind, kind.text)
        return header

    def _goal(self, goal: t.Goal) -> model.Goal | None:
        condition = self._inside.condition(goal.condition)
        if condition is None:
            return None
        worth = goal.worth
        if worth is not None:
            events = dict.fromkeys(events_named(condition))
            lacking = [
                event
                for event in events
                if worth.text not in self._lexicon.fields(event) and event not in self._lexicon.unreadable
            ]
            if not events:
                self._report.add(
                    "E0502",
                    worth,
                    "this goal names no event whose field could say what it is worth",
                    hint="name the event in the goal",
                )
            elif lacking and not is_reserved(worth.text):
                fields = self._lexicon.fields(lacking[0])
                near = nearest(worth.text, fields)
                self._report.unknown(
                    "E0502",
                    worth,
                    f"`{lacking[0]}` has no field `{worth.text}`",
                    near,
                    f"its fields are {listed(fields)}",
                )
            else:
                wrong = next(
                    (
                        event
                        for event in events
                        if self._lexicon.fields(event).get(worth.text) not in ("money", "number")
                    ),
                    None,
                )
                if wrong is not None and wrong not in self._lexicon.unreadable and not is_reserved(worth.text):
                    self._report.add(
                        "E0502",
                        worth,
                        f"`{wrong}.{worth.text}` is neither money nor a number",
                        hint="a goal's worth is an amount",
                    )
        return model.Goal(condition, goal.within.period, worth.text if worth else None)

    # Guards

    def _guards(self, field: str) -> None:
        """With `per`, an event that lacks the field reaches the journeys of every value."""
        for guard in (
            *(line.condition for line in self._rule.headers if isinstance(line, t.Until)),
            *_unlesses(self._rule.steps),
        ):
            for path in _paths(guard):
                name = path.names[0].text
                if (
                    not self._lexicon.is_event(name)
                    or field in self._lexicon.fields(name)
                    or name in self._lexicon.unreadable
                ):
                    continue
                self._report.add(
                    "W0703",
                    path,
                    f"`{name}` has no field `{field}`, so it ends the journeys of every `{field}` this customer has",
                    label=f"has no `{field}`",
                    hint=f"name an event that carries `{field}`, or declare the field under `event {name}`",
                )


class _Header:
    def __init__(self) -> None:
        self.once: model.Once | None = None
        self.on_repeat: Literal["ignore", "restart"] = "ignore"
        self.until: model.Expression | None = None
        self.goal: model.Goal | None = None


def _unlesses(steps: tuple[t.Step, ...]) -> list[t.Expression]:
    found: list[t.Expression] = []
    for step in steps:
        match step:
            case t.Wait(unless=unless) | t.WaitUntil(unless=unless) | t.WaitFor(unless=unless):
                if unless is not None:
                    found.append(unless)
            case t.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    found += _unlesses(branch.steps)
                found += _unlesses(otherwise)
            case t.Split(arms=arms):
                for arm in arms:
                    found += _unlesses(arm.steps)
            case t.Repeat(steps=inner):
                found += _unlesses(inner)
            case _:
                pass
    return found


def _paths(node: object) -> list[t.Path]:
    """The names in an expression, apart from those inside the brackets of `where (…)`."""
    if isinstance(node, t.Path):
        return [node]
    if isinstance(node, t.History):
        return _paths(node.path)
    if isinstance(node, tuple):
        return [path for part in node for path in _paths(part)]
    if isinstance(node, t.Syntax) and not isinstance(node, t.Name):
        return [path for field in node.__struct_fields__ for path in _paths(getattr(node, field))]
    return []
