"""What the demo ends with: a report of the shop, and what its holdouts show beside what is true."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from segue.api import Instant
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.truth import EFFECTLESS
from segue.cli.experiments.reading import Asked, read_experiments
from segue.cli.reporting.gathering import gather
from segue.cli.reporting.page import render
from segue.measure.experiments.missing import NotInstalled
from segue.measure.experiments.verdict import verdict
from segue.measure.period import Period
from segue.runtime.assembly import Assembly
from segue.store.database import read_only
from segue.store.positions import count_held_out
from segue.store.sweeps import count_rules

REPORT: Final = "report.html"
_EVER: Final = Period(Instant(0), Instant(2**62))
_REMINDING: Final = "cart_recovery"


def write_report(assembly: Assembly, since: Instant, now: Instant, *, kept: bool) -> Path:
    """Write the page on what came of the shop into its folder, or beside all that is temporary where that folder goes
    away. Raises OSError."""
    folder = assembly.project.root if kept else Path(tempfile.mkdtemp(prefix="segue-demo-"))
    place = folder / REPORT
    place.write_text(render(gather(assembly, Period(since, Instant(now + 1)), now)), encoding="utf-8")
    return place


def true_effect(assembly: Assembly, shop: Shop) -> float:
    """The share of the carts left behind, of customers who are not held out, that a reminder made somebody order."""
    with read_only(assembly.project.database) as tx:
        entered = next((count.entered for count in count_rules(tx) if count.rule == _REMINDING), 0)
        held = next((held.entered for held in count_held_out(tx) if held.rule == _REMINDING), 0)
    return shop.persuaded[_REMINDING] / max(1, entered - held)


def compare_with_truth(assembly: Assembly, shop: Shop | None, now: Instant) -> list[str]:
    """What two of the holdouts show, and what the simulation knows; nothing where the statistics are not installed."""
    lines = []
    try:
        for rule in (_REMINDING, EFFECTLESS):
            for one in read_experiments(assembly, Asked(rule), _EVER, now).experiments:
                if one.split:
                    continue
                truth = "In truth it makes nobody order."
                if rule == _REMINDING:
                    if shop is None:
                        continue
                    truth = (
                        f"In truth {true_effect(assembly, shop) * 100:.1f} of 100 carts were ordered because of a "
                        "reminder, now and then by somebody who had come back anyway."
                    )
                lines += [f"{rule}: {verdict(one)}", f"  {truth}"]
    except NotInstalled:
        return []
    return lines
