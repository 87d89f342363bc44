"""What the demo ends with: a report of the shop, and what its experiments and last touch say beside what is true."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Final

import msgspec

from segue.api import Instant
from segue.cli.attributing.crediting import credit_paths
from segue.cli.attributing.reading import read_paths
from segue.cli.demonstration.project import MEASURED
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.truth import COMPARING, REMINDING, WAYS
from segue.cli.experiments.reading import Asked, read_experiments
from segue.cli.reporting.gathering import gather
from segue.cli.reporting.page import render
from segue.measure import options_of
from segue.measure.experiments.exposed import CONTROL, TREATED
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import Experiment
from segue.measure.experiments.verdict import verdict
from segue.measure.period import Period
from segue.runtime.assembly import Assembly
from segue.store.database import read_only

REPORT: Final = "report.html"
_EVER: Final = Period(Instant(0), Instant(2**62))
_LAST: Final = "last"
_WIDTH: Final = 78
_MANY: Final = 5
"""Orders that last touch gives a channel before it is worth a sentence that it brought none."""


def write_report(assembly: Assembly, since: Instant, now: Instant, *, kept: bool) -> Path:
    """Write the page on what came of the shop into its folder, or beside all that is temporary where that folder goes
    away. Raises OSError."""
    folder = assembly.project.root if kept else Path(tempfile.mkdtemp(prefix="segue-demo-"))
    place = folder / REPORT
    place.write_text(render(gather(assembly, Period(since, Instant(now + 1)), now)), encoding="utf-8")
    return place


def true_effect(
    assembly: Assembly, shop: Shop, now: Instant, rule: str, experiment: str = CONTROL, arm: str = TREATED
) -> float | None:
    """The share of the customers in an arm, the time of whose goal is over, that ordered in it because of the rule's
    messages and for no other reason: none of their orders would have been placed without one. None where nobody is."""
    with read_only(assembly.project.database) as tx:
        rows = tx.rows(_ORDERS, (rule, experiment, arm, now))
    orders: dict[int, list[str]] = {}
    for customer, order in rows:
        orders.setdefault(customer, []).extend([order] if order is not None else [])
    brought = sum(bool(theirs) and {shop.persuaded.get(one) for one in theirs} == {rule} for theirs in orders.values())
    return brought / len(orders) if orders else None


_ORDERS: Final = """
with first as (
  select min(exposure.id) as id from exposure where rule = ?1 and experiment = ?2 group by customer
)
select exposure.customer, json_extract(event.fields, '$.order_id')
from first join exposure on exposure.id = first.id join journey on journey.id = exposure.journey
left join event on event.customer = exposure.customer and event.name = (select id from name where name = 'ordered')
  and event.at > exposure.at and event.at <= journey.goal_until
where exposure.arm = ?3 and journey.goal_until <= ?4
"""


class Way(msgspec.Struct, frozen=True):
    """One channel of the rule that compares them: the ``customers`` who count, out of those ``drawn``; the share of
    them that ``ordered``; the orders that
    last touch ``credited`` it with; the share of customers that was ``measured`` to order because of it; and the share
    that did in ``truth``. None where that is not known, or there is no such thing."""

    channel: str
    customers: int
    drawn: int
    ordered: float | None
    credited: float | None = None
    measured: Difference | None = None
    truth: float | None = None

    @property
    def is_praised_for_nothing(self) -> bool:
        """Whether last touch gives it orders, of which no experiment shows and the truth knows a single one."""
        unproved = self.measured is not None and not self.measured.settled
        return unproved and self.truth == 0 and (self.credited or 0) >= _MANY


class Evidence(msgspec.Struct, frozen=True):
    """What is known of the shop at the end. ``ways`` begin with the one that sends nothing, and are left out while too
    few customers are in them; ``rules`` are sentences about experiments, each with what is true of it, or nothing."""

    ways: tuple[Way, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()


def weigh(assembly: Assembly, shop: Shop | None, now: Instant) -> Evidence:
    """What experiments and last touch say. ``shop`` knows the truth, where all orders were placed in it. Raises
    NotInstalled, where the statistics are missing."""
    experiments = {(one.rule, one.split): one for one in read_experiments(assembly, Asked(), _EVER, now).experiments}
    rules = []
    for rule in MEASURED:
        if (one := experiments.get((rule, CONTROL))) is not None:
            rules.append((f"{rule}: {verdict(one)}", _tell_truth(assembly, shop, now, rule)))
    ways: tuple[Way, ...] = ()
    if (comparing := experiments.get((COMPARING, WAYS))) is not None:
        if all(one.enough for one in comparing.arms):
            ways = tuple(_compare(assembly, shop, now, comparing))
        else:
            rules.insert(0, (f"{COMPARING}: {verdict(comparing)}", ""))
    return Evidence(ways, tuple(rules))


def _tell_truth(assembly: Assembly, shop: Shop | None, now: Instant, rule: str) -> str:
    if rule != REMINDING:
        return "In truth it makes nobody order."
    share = true_effect(assembly, shop, now, rule) if shop is not None else None
    if share is None:
        return ""
    return f"In truth {share * 100:.1f} of 100 customers ordered because of a reminder, and would not have without it."


def _compare(assembly: Assembly, shop: Shop | None, now: Instant, experiment: Experiment) -> Iterator[Way]:
    credits = _credit(assembly)
    control = experiment.control
    yield Way(control.arm, control.group.rate.customers, control.group.drawn, control.group.rate.share)
    for one in experiment.arms:
        yield Way(
            one.arm,
            one.group.rate.customers,
            one.group.drawn,
            one.group.rate.share,
            None if credits is None else credits.get(f"{WAYS}: {one.arm}", 0.0),
            one.difference if experiment.sound else None,
            None if shop is None else true_effect(assembly, shop, now, COMPARING, WAYS, one.arm),
        )


def _credit(assembly: Assembly) -> dict[str, float] | None:
    """The orders that the last touch gives each way of the split; None where that model is not installed."""
    spec = assembly.plugins.models.get(_LAST)
    if spec is None:
        return None
    read = read_paths(assembly, _EVER, goal=COMPARING, arms=True)
    found: dict[str, float] = {}
    for one in credit_paths(read, {_LAST: (spec, options_of(spec, {}))}, "arm"):
        for credit in one.comparison.credits[_LAST]:
            found[credit.channel] = found.get(credit.channel, 0.0) + credit.conversions
    return found


def tell(evidence: Evidence) -> list[str]:
    """The evidence in lines of at most 78 columns."""
    lines = []
    if evidence.ways:
        lines += [
            "Which channel brings back who only looked? Chance drew who got which message.",
            f"Of 100 customers of {COMPARING}:",
            *_tabulate(evidence.ways),
            "",
        ]
        legend = (
            "last touch: ordered, and the message was the last touch before. "
            "measured: so many more than of those who got nothing."
        )
        lines += wrap(legend + (" in truth: ordered because of it." if _knows_truth(evidence.ways) else ""), _WIDTH)
    for way in evidence.ways:
        if way.is_praised_for_nothing:
            praise = (
                f"Last touch gives {way.channel} {way.credited:,.0f} orders. Not one of them was placed because of it: "
                "these customers were about to order anyway. Only the experiment shows that."
            )
            lines += ["", *wrap(praise, _WIDTH)]
    for sentence, truth in evidence.rules:
        lines += ["", *wrap(sentence, _WIDTH, subsequent_indent="  ")]
        lines += wrap(truth, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    return lines


def _tabulate(ways: Sequence[Way]) -> Iterator[str]:
    yield _row("", "customers", "ordered", "last touch", "measured", "in truth" if _knows_truth(ways) else "")
    for way in ways:
        yield _row(
            way.channel,
            f"{way.customers:,}",
            _tell_share(way.ordered),
            _tell_share(None if way.credited is None or not way.drawn else way.credited / way.drawn),
            "–" if way.measured is None else _tell_difference(way.measured),
            _tell_share(way.truth) if _knows_truth(ways) else "",
        )


def _knows_truth(ways: Sequence[Way]) -> bool:
    return any(way.truth is not None for way in ways)


def _row(channel: str, customers: str, ordered: str, credited: str, measured: str, truth: str) -> str:
    return f"{channel:8}{customers:>10}{ordered:>9}{credited:>12}{measured:>25}{truth:>11}".rstrip()


def _tell_share(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f}"


def _tell_difference(one: Difference) -> str:
    estimate, low, high = (f"{figure * 100:+.1f}" for figure in (one.estimate, one.low, one.high))
    return f"{estimate} ({low} to {high})"
