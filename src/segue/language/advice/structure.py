"""Advice about the shape of a rule: steps that are never reached, waits for nothing, the same message twice."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from segue.diagnostics import Label
from segue.language import tree as t
from segue.language.report import Report
from segue.language.rules import CheckedRule
from segue.language.sends import fill
from segue.language.vocabulary import Lexicon


def advise_on_structure(checked: CheckedRule, lexicon: Lexicon) -> None:
    """Everything that can be said from the text of the steps alone."""
    steps, report = checked.written.steps, checked.report
    _unreachable(steps, report)
    if not _something_stands(steps, lexicon):
        _wait_for_nothing(steps, report)
    _same_message(steps, checked.rule.name, {}, report)
    for send in sends_in(steps):
        _and_with_or(send, report)


def ends(step: t.Step) -> bool:
    """Whether no journey goes on after this step."""
    match step:
        case t.Stop():
            return True
        case t.If(branches=branches, otherwise=otherwise):
            blocks = [*(branch.steps for branch in branches), otherwise]
            return all(block and any(ends(inner) for inner in block) for block in blocks)
        case t.Split(arms=arms):
            return all(arm.steps and any(ends(inner) for inner in arm.steps) for arm in arms)
        case t.Repeat(steps=steps):
            return any(ends(inner) for inner in steps)
        case _:
            return False


def _unreachable(steps: tuple[t.Step, ...], report: Report) -> None:
    for step, following in pairwise(steps):
        if ends(step):
            report.add(
                "W0701",
                (following.start, steps[-1].end),
                "these steps are never reached",
                label="never reached",
                hint="delete them, or move them before the end of the journey",
                also=(Label(report.span(step), "every journey has ended after this"),),
            )
            break
    for step in steps:
        for block in blocks(step):
            _unreachable(block, report)


def blocks(step: t.Step) -> list[tuple[t.Step, ...]]:
    match step:
        case t.If(branches=branches, otherwise=otherwise):
            return [*(branch.steps for branch in branches), otherwise]
        case t.Split(arms=arms):
            return [arm.steps for arm in arms]
        case t.Repeat(steps=steps):
            return [steps]
        case _:
            return []


def sends_in(steps: tuple[t.Step, ...]) -> Iterator[t.Send]:
    for step in steps:
        if isinstance(step, t.Send):
            yield step
        for block in blocks(step):
            yield from sends_in(block)


def _something_stands(steps: tuple[t.Step, ...], lexicon: Lexicon) -> bool:
    """Whether a message stays until it is taken back, so that a wait at the end says for how long."""
    for send in sends_in(steps):
        for part in send.parts:
            for group in part.groups:
                for delivery in group.deliveries:
                    words = lexicon.channels.get(delivery.place.text)
                    asked = [words] if delivery.channel is not None else lexicon.channels.values()
                    if any(each is not None and each.stands for each in asked):
                        return True
    return False


def _wait_for_nothing(steps: tuple[t.Step, ...], report: Report) -> None:
    if not steps:
        return
    last = steps[-1]
    if isinstance(last, t.Wait | t.WaitUntil | t.WaitFor):
        report.add(
            "W0702",
            last,
            "nothing happens after this wait",
            label="the rule ends here",
            hint="delete it, or add a step; "
            "to keep a customer from entering again write `once per 30d` under the trigger",
        )
    if isinstance(last, t.If | t.Split):
        for block in blocks(last):
            _wait_for_nothing(block, report)


def _same_message(
    steps: tuple[t.Step, ...], rule: str, seen: dict[tuple[str, str], t.Delivery], report: Report
) -> None:
    """``seen`` are the messages that every way to here may have sent; branches of one `if` exclude each other."""
    for step in steps:
        if isinstance(step, t.Send):
            for part in fill(step, rule):
                for filled in (filled for group in part for filled in group):
                    written = filled.written
                    key = (written.place.text, filled.message)
                    if key in seen:
                        report.add(
                            "W0704",
                            written,
                            f'the message "{filled.message}" is sent by {written.place.text} twice',
                            label="the second time",
                            hint=f'give one of them another message: `{written.place.text} "{filled.message}_2"`',
                            also=(Label(report.span(seen[key]), "the first time"),),
                        )
                    seen.setdefault(key, written)
        else:
            reached = dict(seen)
            for block in blocks(step):
                inside = dict(seen)
                _same_message(block, rule, inside, report)
                if not (block and any(ends(inner) for inner in block)):
                    reached.update(inside)
            seen.update(reached)


def _and_with_or(send: t.Send, report: Report) -> None:
    for part in send.parts:
        alternatives = [group for group in part.groups if len(group.deliveries) > 1]
        if len(part.groups) > 1 and alternatives:
            reading = " and ".join(
                f"({' or '.join(d.place.text for d in group.deliveries)})"
                if len(group.deliveries) > 1
                else group.deliveries[0].place.text
                for group in part.groups
            )
            report.add(
                "W0705",
                part,
                f"`and` with `or` in one send: it is read as {reading}",
                label=f"read as {reading}",
                hint="write two `send` lines to make the meaning plain",
            )
