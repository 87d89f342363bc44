"""Advice about guards (`unless`, `until`), `wait for`, and conditions that hang on nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.advice.truth import certain, never_changes, parts_of_all, parts_of_any
from segue.language.lengths import shortest_to_send
from segue.language.looking import events_named, only_the_clock, parts
from segue.language.rules import CheckedRule
from segue.language.vocabulary import Lexicon

_SO: Final = {
    "where": ", so nobody ever enters",
    "until": ", so this guard never ends a journey",
    "unless": ", so this guard never ends a journey",
    "goal": ", so nobody ever reaches this goal",
    "if": ", so this way is never taken",
    "wait for": ", so this always waits to its limit",
    "towards": ", so no arm is ever better",
    "repeat until": ", so no turn is ever left out",
}
"""What follows where a condition of this use is never true."""

_EARLIER_WAYS: Final = 100
"""So many ways before an `else if` are looked at; nobody writes more, and thousands would take minutes."""


class Asked(msgspec.Struct, frozen=True):
    """A condition of a rule, as written and as understood. ``use`` is the word before it; ``at_entry`` tells whether it
    is looked at in the moment in which the journey begins."""

    use: str
    written: t.Expression
    condition: model.Expression
    at_entry: bool = False

    @property
    def guards(self) -> bool:
        return self.use in ("until", "unless")


def conditions_of(checked: CheckedRule) -> Iterator[Asked]:
    """The conditions of a sound rule that its journeys are asked, in the order in which they stand."""
    rule = checked.rule
    for clause in checked.written.clauses:
        if isinstance(clause, t.Where) and rule.where is not None:
            yield Asked("where", clause.condition, rule.where, True)
    for line in checked.written.headers:
        if isinstance(line, t.Until) and rule.until is not None:
            yield Asked("until", line.condition, rule.until, True)
        if isinstance(line, t.Goal) and rule.goal is not None:
            yield Asked("goal", line.condition, rule.goal.condition)
    first = checked.written.steps[0] if checked.written.steps else None
    for written, made in checked.made:
        match written, made:
            case ((t.Wait() | t.WaitUntil() | t.WaitFor()), (model.Wait() | model.WaitUntil() | model.WaitFor())):
                if isinstance(written, t.WaitFor) and isinstance(made, model.WaitFor):
                    yield Asked("wait for", written.condition, made.condition)
                if written.unless is not None and made.unless is not None:
                    yield Asked("unless", written.unless, made.unless, written is first)
            case t.If(branches=branches), model.If(branches=understood):
                for branch, read in zip(branches, understood, strict=True):
                    yield Asked("if", branch.condition, read.condition)
            case t.Split(towards=towards), model.Split(towards=condition) if towards and condition:
                yield Asked("towards", towards, condition)
            case t.Repeat(until=until), model.Repeat(until=condition) if until and condition:
                yield Asked("repeat until", until, condition)
            case _:
                pass


def advise_on_guards(checked: CheckedRule, asked: tuple[Asked, ...], lexicon: Lexicon) -> None:
    """What can be said about the conditions of one rule, one by one and together."""
    if checked.rule.per is not None:
        _without_the_field(checked, checked.rule.per, asked, lexicon)
    for each in asked:
        _only_the_clock(checked, each)
        _certain(checked, each)
    _earlier_ways(checked)
    if checked.rule.goal is not None:
        _goal_that_no_guard_names(checked, asked)


def names_in(node: object) -> Iterator[t.Path]:
    """The names in an expression, apart from those inside the brackets of `where (…)`."""
    if isinstance(node, t.Path):
        yield node
    elif isinstance(node, t.History):
        yield from names_in(node.path)
    elif isinstance(node, tuple):
        for part in node:
            yield from names_in(part)
    elif isinstance(node, t.Syntax) and not isinstance(node, t.Name):
        for field in node.__struct_fields__:
            yield from names_in(getattr(node, field))


def _without_the_field(checked: CheckedRule, field: str, asked: tuple[Asked, ...], lexicon: Lexicon) -> None:
    """With `per`, an event that lacks the field reaches the journeys of every value."""
    for path in (path for each in asked if each.guards for path in names_in(each.written)):
        name = path.names[0].text
        if not lexicon.is_event(name) or field in lexicon.fields(name) or name in lexicon.unreadable:
            continue
        checked.report.add(
            "W0703",
            path,
            f"`{name}` has no field `{field}`, so it ends the journeys of every `{field}` this customer has",
            label=f"has no `{field}`",
            hint=f"name an event that carries `{field}`, or declare the field under `event {name}`",
        )


def _only_the_clock(checked: CheckedRule, asked: Asked) -> None:
    if asked.use == "wait for" and only_the_clock(asked.condition):
        checked.report.add(
            "W0708",
            asked.written,
            "nothing a customer does can make this true, only the clock",
            label="no event, reaction or trait here",
            hint="to wait for a time write `wait until`",
        )


def _certain(checked: CheckedRule, asked: Asked) -> None:
    """Conditions that never hold, and guards that hold from the beginning."""
    known = certain(asked.condition)
    if known is False:
        checked.report.add(
            "W0709",
            asked.written,
            f"`{checked.report.text(asked.written)}` can never be true{_SO[asked.use]}",
            label="never true",
            hint="nothing can be both; perhaps `or` was meant"
            if any(isinstance(part, t.And) for part in parts(asked.written))
            else "take it out, or correct the values",
        )
        return
    if asked.use == "unless" and never_changes(asked.condition):
        checked.report.add(
            "W0709",
            asked.written,
            "this guard looks only at what began the journey, which never changes: it can't become true later",
            label="never changes",
            hint="to keep such customers out write it after the trigger: `where not (…)`; "
            "to go another way for them write `if`",
        )
        return
    if asked.at_entry and asked.guards:
        _true_from_the_beginning(checked, asked, known)


def _true_from_the_beginning(checked: CheckedRule, asked: Asked, known: bool | None) -> None:
    rule = checked.rule
    given = _given(checked)
    for way in parts_of_any(asked.condition):
        if known or all(_holds_at_entry(part, rule, given) for part in parts_of_all(way)):
            source = next((given[part] for part in parts_of_all(way) if part in given), None)
            also = (Label(checked.report.span(source), "what every customer here has"),) if source is not None else ()
            negated = isinstance(way, model.Not)
            checked.report.add(
                "W0719",
                asked.written,
                "this guard is true from the beginning, so every journey ends at once",
                label="true when the journey begins",
                hint="a guard names what ends the journey: leave out the `not`"
                if negated
                else "guard against what may change later, or take it out",
                also=also,
            )
            return


def _earlier_ways(checked: CheckedRule) -> None:
    """An `else if` that an earlier way leaves nobody for."""
    for written, made in checked.made:
        if not isinstance(written, t.If) or not isinstance(made, model.If):
            continue
        before: deque[model.Expression] = deque(maxlen=_EARLIER_WAYS)
        for place, (branch, read) in enumerate(zip(written.branches, made.branches, strict=True)):
            parts_here = tuple(parts_of_all(read.condition))
            if place and certain(read.condition) is None and certain(model.All((*before, *parts_here))) is False:
                checked.report.add(
                    "W0709",
                    branch.condition,
                    f"nobody gets here: who meets `{checked.report.text(branch.condition)}` has gone an earlier way",
                    label="never taken",
                    hint="ask for the rarer case first",
                    also=(Label(checked.report.span(written.branches[0].condition), "asked before"),),
                )
            before.extend(model.Not(way) for way in parts_of_any(read.condition))


def _given(checked: CheckedRule) -> dict[model.Expression, t.Syntax]:
    """What holds for every customer who enters, each with the place that says so."""
    rule = checked.rule
    given: dict[model.Expression, t.Syntax] = {}
    for clause in checked.written.clauses:
        match clause:
            case t.Where():
                for part in parts_of_all(rule.where):
                    given[part] = clause
            case t.Audience(name=name):
                given[model.InSegment(name.text)] = clause
            case _:
                pass
    written = checked.written.trigger
    match rule.trigger:
        case model.OnMembership(change="enters", segment=segment):
            given[model.InSegment(segment)] = written
        case model.OnMembership(segment=segment):
            given[model.Not(model.InSegment(segment))] = written
        case model.OnChange(trait=trait, type=type_, to=to) if to is not None:
            given[model.Compare("=", model.Trait(trait, type_), to)] = written
        case _:
            pass
    return given


def _holds_at_entry(part: model.Expression, rule: model.Rule, given: dict[model.Expression, t.Syntax]) -> bool:
    """Whether a part of a guard certainly holds as the journey begins. Nothing has happened since then, so what has
    not happened since then holds."""
    match part:
        case model.Not(value=model.Happened(window=model.Window(since="entry")) | model.Reacted()):
            return True
        case model.InRule(name=name):
            return name == rule.name
        case _:
            return part in given


def _goal_that_no_guard_names(checked: CheckedRule, asked: tuple[Asked, ...]) -> None:
    """Whoever has reached the goal should not be asked for it again."""
    rule = checked.rule
    assert rule.goal is not None
    events = set(events_named(rule.goal.condition))
    looked_at = {
        event
        for each in asked
        if each.use not in ("goal", "where", "towards")
        for event in events_named(each.condition)
    }
    if not events or events & looked_at or not _advertises_later(rule):
        return
    line = next(line for line in checked.written.headers if isinstance(line, t.Goal))
    event = sorted(events)[0]
    checked.report.add(
        "W0713",
        line,
        f"who reaches this goal is still sent the rest of the messages: no guard names `{event}`",
        label="no guard names it",
        hint=f"add the line `until {event}`, or `unless {event}` after a wait",
    )


def _advertises_later(rule: model.Rule) -> bool:
    """Whether some promotional message goes out after a wait."""
    waited = False

    def walk(steps: tuple[model.Step, ...]) -> bool:
        nonlocal waited
        for step in steps:
            match step:
                case model.Wait() | model.WaitUntil() | model.WaitFor():
                    waited = True
                case model.Send(together=together) if waited:
                    if any(delivery.kind == "promotional" for group in together for delivery in group):
                        return True
                case model.If(branches=branches, otherwise=otherwise):
                    if any(walk(branch.steps) for branch in branches) or walk(otherwise):
                        return True
                case model.Split(arms=arms):
                    if any(walk(arm.steps) for arm in arms):
                        return True
                case model.Repeat(steps=inner):
                    if walk(inner) or walk(inner):
                        return True
                case _:
                    pass
        return False

    return shortest_to_send(rule.steps)[0] is not None and walk(rule.steps)
