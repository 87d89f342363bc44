"""What `segue explain RULE` shows: the rule in sentences, a sample customer, the seventeen questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from segue.api import Instant, from_datetime, to_rfc3339
from segue.cli.ending import USAGE, fail, open_project, print_diagnostics, print_json
from segue.language import model as m
from segue.language.bounds import Bounds, bounds_of
from segue.language.nearest import nearest
from segue.messages.catalogue import Catalogue
from segue.program.calendar import local
from segue.program.plain import say_count, say_period
from segue.program.questions import Answer, Content, all_deliveries, answer
from segue.program.telling import Sentence, Told, tell
from segue.runtime.assembly import Assembly, check
from segue.scenario.sampling import Sample, sample


class Explanation(msgspec.Struct, frozen=True):
    """Everything that is told of one rule."""

    told: Told
    bounds: Bounds
    sample: Sample
    answers: tuple[Answer, ...]


def explain_rule(name: str, at: str | None, json: bool) -> None:
    """Tell a rule of the project's files in plain words; ends the command where there is none of that name."""
    assembly = open_project(Path.cwd())
    found = check(assembly, content=False)
    book = found.checked.book
    rule = next((one for one in book.rules if one.name == name), None)
    if rule is None:
        errors = tuple(one for one in found.diagnostics if one.is_error)
        print_diagnostics(errors, found.checked.texts, "full")
        known = [one.name for one in book.rules]
        near = nearest(name, known)
        hint = f"; did you mean {near}?" if near else f"; the rules are {', '.join(known)}" if known else ""
        fail(f"there is no rule{' without errors' if errors else ''} named {name}, and no such code{hint}", USAGE)
    bounds = bounds_of(rule, book)
    explanation = Explanation(
        tell(rule),
        bounds,
        sample(book, assembly.setting, found.content, rule, _moment(at)),
        answer(rule, content_of(rule, found.content), bounds.messages, origins_of(assembly)),
    )
    if json:
        _print(explanation)
    else:
        _show(explanation)


def _moment(at: str | None) -> Instant:
    if at is None:
        return from_datetime(datetime.now().astimezone().replace(second=0, microsecond=0))
    try:
        return from_datetime(datetime.fromisoformat(at).astimezone())
    except (ValueError, OverflowError):
        fail(f"--at {at}: write a moment such as 2026-11-27T09:00", USAGE)


def content_of(rule: m.Rule, catalogue: Catalogue) -> Content:
    """What is known of the messages that a rule sends."""
    wanted = {(one.message, one.channel) for one in all_deliveries(rule.steps)}
    found = [
        template
        for template in catalogue.templates.values()
        if (template.name, template.channel) in wanted or (template.name, None) in wanted
    ]
    names = frozenset(name for template in found for name in template.reads())
    return Content(frozenset(template.locale for template in found), names)


def origins_of(assembly: Assembly) -> dict[str, Sequence[str]]:
    """The sources that say they bring an event, by the event's name."""
    origins: dict[str, list[str]] = {}
    for plugin, vocabulary in assembly.plugins.vocabularies:
        for event in vocabulary.events:
            origins.setdefault(event.name, []).append(plugin)
    return {event: assembly.of_the_project(plugins) for event, plugins in origins.items()}


# As JSON


def _print(found: Explanation) -> None:
    told = found.told
    for part, sentences in (("beginning", told.beginning), ("terms", told.terms), ("steps", told.steps)):
        for depth, one in _flat(sentences):
            print_json({"rule": told.rule, "part": part, "depth": depth, "text": one.text, "line": one.line})
    for moment in found.sample.moments:
        print_json(
            {
                "rule": told.rule,
                "part": "sample",
                "at": to_rfc3339(moment.at),
                "text": moment.what,
                "detail": moment.detail or None,
            }
        )
    for one_answer in found.answers:
        print_json(
            {
                "rule": told.rule,
                "part": "question",
                "number": one_answer.number,
                "question": one_answer.question,
                "answer": one_answer.answer,
                "clause": one_answer.clause or None,
            }
        )


def _flat(sentences: Sequence[Sentence], depth: int = 0) -> Iterator[tuple[int, Sentence]]:
    for one in sentences:
        yield depth, one
        yield from _flat(one.under, depth + 1)


# In the terminal


def _show(found: Explanation) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    width = min(console.width, 100)
    told = found.told

    def heading(text: str) -> None:
        console.print(Text(f"\n{text}", "bold"))

    def line(text: Text | Table | str, indent: int) -> None:
        console.print(Padding(text, (0, 0, 0, indent)), width=width)

    title = Text(told.title or told.rule, "bold")
    console.print(title if told.title is None else Text.assemble(title, (f"  {told.rule}", "dim")))
    for one in (*told.beginning, *told.terms):
        line(one.text, 2)
    line(_most(found.bounds), 2)

    heading("Step by step")
    number = 0
    for depth, one in _flat(told.steps):
        number += not depth
        row = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        row.add_row(Text(f"{number:>2}" if depth == 0 else "  ", "dim"), Padding(one.text, (0, 0, 0, 4 * depth)))
        line(row, 0)

    heading("A customer who enters and does nothing")
    if found.sample.problem:
        line(Text(found.sample.problem, "dim"), 2)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    day = ""
    for moment in found.sample.moments:
        wall = local(moment.at, found.sample.zone)
        date = f"{wall:%a} {wall.day} {wall:%b} {wall.year}"
        style = "green" if moment.what.split(" ")[0].islower() and '"' in moment.what else ""
        table.add_row(
            Text(date if date != day else "", "dim"),
            Text(f"{wall:%H:%M}", "dim"),
            Text(moment.what, style),
            Text(moment.detail, "dim"),
        )
        day = date
    line(table, 2)

    heading("The seventeen questions")
    answers = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for one_answer in found.answers:
        told_answer = (
            Text(one_answer.answer)
            if one_answer.answer is not None
            else Text.assemble(("left open: ", "yellow"), one_answer.clause)
        )
        answers.add_row(Text(f"{one_answer.number:>2}", "dim"), Text(one_answer.question), told_answer)
    console.print(answers, width=width)


def _most(bounds: Bounds) -> str:
    longest = (
        f"A journey lasts {say_period(bounds.longest)} at the longest"
        if bounds.longest is not None
        else "How long a journey lasts depends on a date"
    )
    return f"{longest}, and sends at most {say_count(bounds.messages, 'message')}."
