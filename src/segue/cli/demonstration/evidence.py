"""What the demo ends with: a report of the shop, and what its holdouts show beside what is true."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from segue.api import Instant
from segue.cli.demonstration.project import MEASURED
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.truth import REMINDING
from segue.cli.experiments.reading import Asked, read_experiments
from segue.cli.reporting.gathering import gather
from segue.cli.reporting.page import render
from segue.measure.experiments.exposed import TREATED
from segue.measure.experiments.missing import NotInstalled
from segue.measure.experiments.verdict import verdict
from segue.measure.period import Period
from segue.runtime.assembly import Assembly
from segue.store.database import read_only

REPORT: Final = "report.html"
_EVER: Final = Period(Instant(0), Instant(2**62))


def write_report(assembly: Assembly, since: Instant, now: Instant, *, kept: bool) -> Path:
    """Write the page on what came of the shop into its folder, or beside all that is temporary where that folder goes
    away. Raises OSError."""
    folder = assembly.project.root if kept else Path(tempfile.mkdtemp(prefix="segue-demo-"))
    place = folder / REPORT
    place.write_text(render(gather(assembly, Period(since, Instant(now + 1)), now)), encoding="utf-8")
    return place


def true_effect(assembly: Assembly, shop: Shop, now: Instant) -> float:
    """The share of the customers who were not held out, and whose goal's time is over, that ordered in it by nothing
    but a reminder: none of their orders would have been placed without one."""
    with read_only(assembly.project.database) as tx:
        rows = tx.rows(_ORDERS, (REMINDING, TREATED, now))
    orders: dict[int, list[str]] = {}
    for customer, order in rows:
        orders.setdefault(customer, []).extend([order] if order is not None else [])
    brought = sum(bool(theirs) and shop.persuaded.issuperset(theirs) for theirs in orders.values())
    return brought / max(1, len(orders))


_ORDERS: Final = """
with first as (
  select min(exposure.id) as id from exposure where rule = ?1 and experiment = '' group by customer
)
select exposure.customer, json_extract(event.fields, '$.order_id')
from first join exposure on exposure.id = first.id join journey on journey.id = exposure.journey
left join event on event.customer = exposure.customer and event.name = (select id from name where name = 'ordered')
  and event.at > journey.entered and event.at <= journey.goal_until
where exposure.arm = ?2 and journey.goal_until <= ?3
"""


def compare_with_truth(assembly: Assembly, shop: Shop | None, now: Instant) -> list[str]:
    """What two of the holdouts show, and what the simulation knows; nothing where the statistics are not installed."""
    lines = []
    try:
        for rule in MEASURED:
            for one in read_experiments(assembly, Asked(rule), _EVER, now).experiments:
                if one.split:
                    continue
                truth = "In truth it makes nobody order."
                if rule == REMINDING:
                    if shop is None:
                        continue
                    truth = (
                        f"In truth {true_effect(assembly, shop, now) * 100:.1f} of 100 customers ordered because of a "
                        "reminder, and would not have without it."
                    )
                lines += [f"{rule}: {verdict(one)}", f"  {truth}"]
    except NotInstalled:
        return []
    return lines
