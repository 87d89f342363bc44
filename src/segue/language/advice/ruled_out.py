"""Advice about conditions that a guard has ruled out: whoever met them has left already."""

from __future__ import annotations

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.advice.truth import parts_of_all, parts_of_any
from segue.language.rules import CheckedRule

Guards = dict[model.Expression, t.Expression]
"""What ends the journey as soon as it is true, and where that is written."""


def advise_on_ruled_out(checked: CheckedRule) -> None:
    """`if ordered` below `unless ordered` is never true, and `wait for ordered` never ends early."""
    made: dict[int, list[model.Step]] = {}
    for written, understood in checked.made:
        made.setdefault(id(written), []).append(understood)
    guards: Guards = {}
    for line in checked.written.headers:
        if isinstance(line, t.Until) and checked.rule.until is not None:
            guards |= dict.fromkeys(parts_of_any(checked.rule.until), line.condition)
    _walk(checked, checked.written.steps, guards, made)


def _walk(checked: CheckedRule, steps: tuple[t.Step, ...], guards: Guards, made: dict[int, list[model.Step]]) -> None:
    """``guards`` are those that hold before these steps; a guard in a block holds to the end of the block."""
    guards = dict(guards)
    for step in steps:
        understood = made[id(step)][0]
        match step, understood:
            case ((t.Wait() | t.WaitUntil()), (model.Wait() | model.WaitUntil())):
                _add(guards, step.unless, understood.unless)
            case t.WaitFor(), model.WaitFor():
                _add(guards, step.unless, understood.unless)
                _ask(checked, step.condition, understood.condition, guards, "so this always waits to its limit")
            case t.If(), model.If():
                for branch, read in zip(step.branches, understood.branches, strict=True):
                    _ask(checked, branch.condition, read.condition, guards, "so this way is never taken")
                    _walk(checked, branch.steps, guards, made)
                _walk(checked, step.otherwise, guards, made)
            case t.Split(), _:
                for arm in step.arms:
                    _walk(checked, arm.steps, guards, made)
            case t.Repeat(), model.Repeat():
                if step.until is not None and understood.until is not None:
                    _ask(checked, step.until, understood.until, guards, "so no turn is ever left out")
                _walk(checked, step.steps, guards, made)
            case _:
                pass


def _add(guards: Guards, written: t.Expression | None, understood: model.Expression | None) -> None:
    if written is not None and understood is not None:
        guards |= dict.fromkeys(parts_of_any(understood), written)


def _ask(checked: CheckedRule, written: t.Expression, condition: model.Expression, guards: Guards, so: str) -> None:
    """Every way in which the condition could be true must be ruled out."""
    ruling: t.Expression | None = None
    for way in parts_of_any(condition):
        ruling = next((guards[part] for part in parts_of_all(way) if part in guards), None)
        if ruling is None:
            return
    if ruling is not None:
        checked.report.add(
            "W0722",
            written,
            f"who meets `{checked.report.text(written)}` has left already, {so}",
            label="ruled out by a guard",
            hint="take the guard out, or ask for something else here",
            also=(Label(checked.report.span(ruling), "this guard ends the journey first"),),
        )
