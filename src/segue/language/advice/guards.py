"""Advice about guards (`unless`, `until`) and `wait for`."""

from __future__ import annotations

from collections.abc import Iterator

from segue.language import model
from segue.language import tree as t
from segue.language.looking import only_the_clock, parts
from segue.language.report import Report
from segue.language.rules import CheckedRule
from segue.language.vocabulary import Lexicon


def advise_on_guards(checked: CheckedRule, lexicon: Lexicon) -> None:
    """What can be said about the guards of one rule."""
    if checked.rule.per is not None:
        _without_the_field(checked.written, checked.rule.per, lexicon, checked.report)
    for written, made in checked.made:
        if isinstance(written, t.WaitFor) and isinstance(made, model.WaitFor) and only_the_clock(made.condition):
            checked.report.add(
                "W0708",
                written.condition,
                "nothing a customer does can make this true, only the clock",
                label="no event, reaction or trait here",
                hint="to wait for a time write `wait until`",
            )


def guards_of(rule: t.Rule) -> Iterator[t.Expression]:
    """The conditions that end a journey, `until` and `unless`, as they are written."""
    for line in rule.headers:
        if isinstance(line, t.Until):
            yield line.condition
    for part in parts(rule.steps):
        if isinstance(part, t.Wait | t.WaitUntil | t.WaitFor) and part.unless is not None:
            yield part.unless


def _without_the_field(rule: t.Rule, field: str, lexicon: Lexicon, report: Report) -> None:
    """With `per`, an event that lacks the field reaches the journeys of every value."""
    for guard in guards_of(rule):
        for path in names_in(guard):
            name = path.names[0].text
            if not lexicon.is_event(name) or field in lexicon.fields(name) or name in lexicon.unreadable:
                continue
            report.add(
                "W0703",
                path,
                f"`{name}` has no field `{field}`, so it ends the journeys of every `{field}` this customer has",
                label=f"has no `{field}`",
                hint=f"name an event that carries `{field}`, or declare the field under `event {name}`",
            )


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
