"""Reading experiments from a project's store, beside a daemon that may be running."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from segue.api import Instant
from segue.cli.ending import USAGE, fail
from segue.cli.segments.progress import Telling
from segue.language.nearest import nearest
from segue.measure.experiments.exposed import Collected, Counting
from segue.measure.experiments.factors import Cells, Effect, all_effects, is_thin
from segue.measure.experiments.groups import Rate
from segue.measure.experiments.result import Experiment, judge
from segue.measure.experiments.several import Method
from segue.measure.period import Period
from segue.program import program as p
from segue.program.program import Program
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.runtime.running import Running
from segue.store.database import Transaction, read_only
from segue.store.draws import each_piece
from segue.store.errors import StoreError
from segue.store.exposures import count_combinations, list_experiments

_BEGIN: Final = "write `holdout 5%` into a rule with a goal, and publish it"


class Asked(msgspec.Struct, frozen=True):
    """What was asked for: a rule (None: all), how to compare, and for how many microseconds before (0: not at all) what
    customers did is taken out."""

    rule: str | None = None
    way: Literal["one look", "any time"] = "one look"
    before: int = 0
    method: Method = "holm"


class Factors(msgspec.Struct, frozen=True):
    """The splits of a rule as factors that combine: ``counted`` customers came into all of them, and ``apart`` others
    whose goal's time is over into some only. ``thin``: a combination has few customers."""

    rule: str
    effects: tuple[Effect, ...]
    counted: int
    apart: int
    thin: bool


class Found(msgspec.Struct, frozen=True):
    """The experiments of a store, and the factors of rules with several splits; ``notes`` say what is missing."""

    experiments: tuple[Experiment, ...]
    factors: tuple[Factors, ...]
    notes: tuple[str, ...]


def read_experiments(assembly: Assembly, asked: Asked, period: Period, now: Instant) -> Found:
    """The experiments whose customers came into them in a period. Ends the command where the rule is not known, or
    there is no store."""
    try:
        with read_only(assembly.project.database, much=True) as tx:
            return _read(tx, load(tx, assembly.setting), asked, period, now)
    except StoreError as error:
        fail(str(error))


def _read(tx: Transaction, running: Running | None, asked: Asked, period: Period, now: Instant) -> Found:
    current: Mapping[str, Program] = running.current if running is not None else {}
    known = list_experiments(tx)
    if asked.rule is not None and asked.rule not in current and asked.rule not in {rule for rule, _ in known}:
        near = nearest(asked.rule, [*current])
        hint = f"; did you mean {near}?" if near else f"; there are {', '.join(sorted(current))}" if current else ""
        fail(f"no rule {asked.rule} is published in this store{hint}", USAGE)
    experiments, factors, notes = [], [], []
    if asked.rule is None and not known:
        notes.append(f"nobody was put into a holdout or a split yet: {_BEGIN}")
    rules = sorted({rule for rule, _ in known} if asked.rule is None else {asked.rule})
    counted = _count(tx, {rule: _event(current.get(rule)) for rule in rules}, asked, period, now)
    for rule in rules:
        program = current.get(rule)
        splits = {step.name: step for step in program.steps if isinstance(step, p.Split)} if program is not None else {}
        ours = [split for name, split in known if name == rule]
        if program is not None and program.goal is None:
            if ours:
                learns = "; its split goes on learning all the same" if program.towards else ""
                notes.append(f"{rule} has no goal, so there is nothing to compare: write `goal … within …`{learns}")
            continue
        if not ours:
            tests = program is not None and (program.rule.holdout is not None or bool(splits))
            notes.append(
                f"{rule}: nobody was put into its holdout or splits yet; whoever was before the store kept a log of "
                "that does not count"
                if tests
                else f"{rule} has no holdout and no split: {_BEGIN}"
            )
        for split in ours:
            step, found = splits.get(split), counted.get((rule, split), Collected())
            if asked.before and found.moved:
                name = f"“{split}”" if split else "the holdout"
                notes.append(f"{rule}: --cuped takes nothing out, for the shares of {name} were changed meanwhile")
            experiments.append(
                judge(
                    rule,
                    split,
                    found,
                    [name for name, _, _ in step.arms] if step is not None else [],
                    at_any_time=asked.way == "any time",
                    reduced=bool(asked.before),
                    method=asked.method,
                )
            )
        several = [split for split in ours if split in splits]
        several.sort(key=[*splits].index)
        doubt = _doubt([one for one in experiments if one.rule == rule and one.split in several])
        if len(several) > 1 and doubt:
            notes.append(f"{rule}: {doubt}, so its splits are not combined")
        elif len(several) > 1:
            combined = count_combinations(tx, rule, several, period, now)
            most = max(_counted(one) for one in experiments if one.rule == rule and one.split in several)
            factors.append(_combine(rule, several, splits, combined, most))
    return Found(tuple(experiments), tuple(factors), tuple(notes))


def _doubt(experiments: Iterable[Experiment]) -> str:
    """Why splits cannot be told apart as factors."""
    for one in experiments:
        if not one.sound:
            return f"the groups of “{one.split}” are not the size they should be"
        if one.weighted:
            return f"the shares of “{one.split}” moved"
    return ""


def _event(program: Program | None) -> str:
    """The event that meets the goal, the first where several do."""
    if program is None or program.rule.goal is None:
        return ""
    return min(program.goal.condition.events, default="") if program.goal is not None else ""


def _count(
    tx: Transaction, rules: Mapping[str, str], asked: Asked, period: Period, now: Instant
) -> dict[tuple[str, str], Collected]:
    """Everybody in the experiments of rules, each of which is given with the event that meets its goal."""
    found: dict[tuple[str, str], Counting] = {}
    with Telling("at who was drawn", of="draws") as tell:
        for rule, split, piece in each_piece(tx, rules, period, now, asked.before, tell=tell):
            found.setdefault((rule, split), Counting()).add(piece)
    return {name: one.found for name, one in found.items()}


def _combine(
    rule: str,
    several: list[str],
    splits: Mapping[str, p.Split],
    counts: Mapping[tuple[str, ...], tuple[int, int]],
    most: int,
) -> Factors:
    """``most`` is how many count in the split that most customers came into."""
    cells: Cells = {arms: Rate(customers, met) for arms, (customers, met) in counts.items()}
    factors = {}
    for place, split in enumerate(several):
        written = [name for name, _, _ in splits[split].arms]
        factors[split] = (*written, *sorted({arms[place] for arms in cells} - set(written)))
    counted = sum(rate.customers for rate in cells.values())
    return Factors(rule, tuple(all_effects(factors, cells)), counted, max(0, most - counted), is_thin(cells))


def _counted(experiment: Experiment) -> int:
    return sum(one.group.rate.customers for one in (experiment.control, *experiment.arms))
