"""What the demo's report says of its shop is true: measured lift finds the effects that the simulation knows."""

from __future__ import annotations

import contextlib
import random
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from segue.api import Instant
from segue.api.values import DAY
from segue.cli.attributing.crediting import credit_paths
from segue.cli.attributing.reading import read_paths
from segue.cli.demonstration.evidence import Way, tell, true_effect, weigh, write_report
from segue.cli.demonstration.project import HELD_OUT, MEASURED, make_project
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.truth import BROUGHT_BACK, COMPARING, EFFECTLESS, REMINDING
from segue.cli.demonstration.weeks import live_through
from segue.cli.experiments.reading import Asked, read_experiments
from segue.measure import options_of
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import Experiment, Lift
from segue.measure.period import Period
from segue.runtime.assembly import Assembly, assemble, check
from segue.store.database import Store, Transaction, read_only
from segue.store.sweeps import count_rules

SINCE = Instant(1_790_000_000_000_000)
UNTIL = Instant(SINCE + 42 * DAY)


class Lived(NamedTuple):
    assembly: Assembly
    shop: Shop


@pytest.fixture(name="lived", scope="module")
def _lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Six weeks of the demo's shop."""
    folder = tmp_path_factory.mktemp("lived") / "shop"
    make_project(folder)
    for rule in MEASURED:
        assert f"holdout {HELD_OUT}" in (folder / "rules" / rule / f"{rule}.rules").read_text("utf-8")
    assembly = assemble(folder)
    store = Store(assembly.project.database, durable=False)
    shop = live_through(store, assembly, check(assembly), SINCE, UNTIL, speed=10_800.0, seed=1, pace=4.0)
    store.close()
    return Lived(assembly, shop)


def holdout_of(lived: Lived, rule: str) -> Experiment:
    found = read_experiments(lived.assembly, Asked(rule), Period(SINCE, UNTIL), UNTIL)
    (one,) = [one for one in found.experiments if not one.split]
    return one


def difference_of(experiment: Experiment) -> Difference:
    difference = experiment.arms[0].difference
    assert difference is not None
    return difference


def test_the_law_of_journeys_holds_after_the_weeks(lived: Lived) -> None:
    with read_only(lived.assembly.project.database) as tx:
        counts = {count.rule: count for count in count_rules(tx)}
    assert counts["cart_recovery"].entered > 400
    assert all(
        count.entered == count.inside + count.finished + count.exited + count.failed for count in counts.values()
    )


def test_lift_finds_what_reminders_really_do(lived: Lived) -> None:
    experiment = holdout_of(lived, "cart_recovery")
    difference = difference_of(experiment)
    truth = true_effect(lived.assembly, lived.shop, UNTIL, REMINDING)
    assert truth is not None
    assert 0.15 < truth < 0.35
    assert experiment.sound
    assert 0 < difference.low < truth < difference.high
    assert Lift.of(experiment).claimed


def test_lift_finds_nothing_where_nothing_is(lived: Lived) -> None:
    experiment = holdout_of(lived, EFFECTLESS)
    difference = difference_of(experiment)
    assert experiment.arms[0].group.rate.met > 5  # they order, and the rule is about when they do
    assert difference.low < 0 < difference.high
    assert not Lift.of(experiment).claimed


def test_last_touch_sees_the_digest_sell(lived: Lived) -> None:
    """It makes nobody order, and goes to many who order soon: for the last touch that is the same."""
    spec = lived.assembly.plugins.models["last"]
    read = read_paths(lived.assembly, Period(SINCE, UNTIL))
    (credited,) = credit_paths(read, {"last": (spec, options_of(spec, {}))}, "rule")
    brought = {credit.channel: credit.conversions for credit in credited.comparison.credits["last"]}
    assert brought[EFFECTLESS] > 5
    assert not Lift.of(holdout_of(lived, EFFECTLESS)).claimed


@pytest.fixture(name="ways", scope="module")
def _ways(lived: Lived) -> dict[str, Way]:
    return {way.channel: way for way in weigh(lived.assembly, lived.shop, UNTIL).ways}


def test_every_channel_s_effect_is_known_and_measured(ways: dict[str, Way]) -> None:
    """Of those drawn for a channel, fewer are brought than of those reached by it: some cannot be reached."""
    assert ["nothing", *BROUGHT_BACK] == [*ways]
    for channel, share in BROUGHT_BACK.items():
        way = ways[channel]
        assert way.truth is not None
        assert way.measured is not None
        assert (way.truth > 0.1) == (share > 0)
        assert way.truth < share or way.truth == share == 0
        assert way.measured.low < way.truth < way.measured.high, channel
        assert way.measured.settled == (share > 0), channel


def test_last_touch_pays_each_channel_for_orders_that_it_did_not_bring(ways: dict[str, Way]) -> None:
    for channel in BROUGHT_BACK:
        way = ways[channel]
        assert way.credited is not None
        assert way.truth is not None
        assert way.credited > way.truth * way.drawn + 4, channel
    assert ways["push"].truth == 0
    assert ways["push"].is_praised_for_nothing
    assert not ways["email"].is_praised_for_nothing


def test_with_the_groups_mixed_up_nothing_is_found(lived: Lived, tmp_path: Path) -> None:
    """What the lift rests on is who was drawn for what: with that gone it is gone."""
    folder = tmp_path / "shop"
    shutil.copytree(lived.assembly.project.root, folder)
    assembly = assemble(folder)
    with contextlib.closing(Store(assembly.project.database, durable=False)) as store:
        store.apply(_mix_up)
    assert [way.channel for way in weigh(assembly, None, UNTIL).ways if way.measured and way.measured.settled] == []


def _mix_up(tx: Transaction) -> None:
    rows = tx.rows("select id, arm from exposure where rule = ?", (COMPARING,))
    arms = [arm for _, arm in rows]
    random.Random(1).shuffle(arms)
    tx.run_many(
        "update exposure set arm = ? where id = ?", [(arm, row) for arm, (row, _) in zip(arms, rows, strict=True)]
    )


def test_the_demo_says_all_of_it_beside_the_truth(lived: Lived) -> None:
    evidence = weigh(lived.assembly, lived.shop, UNTIL)
    lines = tell(evidence)
    assert max(map(len, lines)) < 80
    text = " ".join(" ".join(lines).split())
    assert "cart_recovery: The rule brings " in text
    share = true_effect(lived.assembly, lived.shop, UNTIL, REMINDING)
    assert share is not None
    assert f"{share * 100:.1f} of 100 customers" in text
    assert f"{EFFECTLESS}: Not enough evidence: " in text
    assert "In truth it makes nobody order." in text
    assert "Last touch gives push " in text
    for way in evidence.ways[1:]:
        assert way.truth is not None
        assert any(line.startswith(way.channel) and line.endswith(f" {way.truth * 100:.1f}") for line in lines)


def test_while_too_few_are_in_it_no_table_is_shown(lived: Lived) -> None:
    early = weigh(lived.assembly, lived.shop, Instant(SINCE + 2 * DAY))
    assert early.ways == ()
    assert early.rules[0][0].startswith("second_look: Not enough evidence: ")
    assert not any("reminder" in truth for _, truth in early.rules)


def test_of_a_shop_that_was_there_before_no_truth_is_told(lived: Lived) -> None:
    evidence = weigh(lived.assembly, None, UNTIL)
    assert [way.truth for way in evidence.ways] == [None] * len(evidence.ways)
    text = " ".join(tell(evidence))
    assert "because of a reminder" not in text
    assert "Last touch gives" not in text


def test_the_report_is_written_where_it_stays(lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = write_report(lived.assembly, SINCE, UNTIL, kept=True)
    assert kept.parent == lived.assembly.project.root
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    loose = write_report(lived.assembly, SINCE, UNTIL, kept=False)
    assert loose.is_relative_to(tmp_path)
    for page in (kept, loose):
        text = page.read_text("utf-8")
        assert "Win back carts" in text
        assert "NaN" not in text
