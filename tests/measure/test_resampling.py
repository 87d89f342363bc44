"""Intervals against what they promise: they hold the figure of all customers as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from segue.api import Path, Paths
from segue.cli.attributing.asking import asked, installed
from segue.measure import attribute
from segue.measure.resampling import intervals

CUSTOMERS = 600
KINDS = {("a", "b"): (0.3, 0.2), ("b",): (0.3, 0.05), ("c", "a"): (0.2, 0.1), ("a", "b", "c"): (0.2, 0.3)}
"""Paths, with how common each is and how many of those on it convert. A conversion is worth 50 on average."""


@pytest.mark.parametrize("model", ["linear", "markov"])
def test_intervals_hold_the_figure_of_all_customers_as_often_as_they_say(model: str) -> None:
    ((spec, options),) = asked(installed().models, [model], ()).values()
    everybody = Paths.of(
        [
            Path(path, CUSTOMERS * common * rate, CUSTOMERS * common * rate * 50, CUSTOMERS * common)
            for path, (common, rate) in KINDS.items()
        ]
    )
    true = {credit.channel: (credit.conversions, credit.value) for credit in attribute(spec, options, everybody)}
    random = np.random.default_rng(5)
    paths = list(KINDS)
    held = np.zeros(2)
    tries = 40
    for _ in range(tries):
        met = random.choice(len(paths), CUSTOMERS, p=[common for common, _ in KINDS.values()])
        won = random.random(CUSTOMERS) < np.array([KINDS[paths[place]][1] for place in met])
        worth = won * random.exponential(50, CUSTOMERS)
        drawn = [
            Path(paths[place], float(one), float(value)) for place, one, value in zip(met, won, worth, strict=True)
        ]
        for channel, found in intervals(spec, options, Paths.of(drawn), None, 100).items():
            for at, (low, high) in enumerate((found.conversions, found.value)):
                held[at] += low <= true[channel][at] <= high
    assert (held / (tries * 3) > 0.86).all(), held


def test_a_value_that_no_conversion_brought_is_drawn_with_its_journeys() -> None:
    ((spec, options),) = asked(installed().models, ["last"], ()).values()
    paths = Paths.of([Path(("a",), 0, 90.0, 30), Path(("b",), 4, 40.0, 30)])
    found = intervals(spec, options, paths, None, 200)
    assert found["a"].value[0] < 90 < found["a"].value[1]
    assert found["a"].conversions == (0, 0)
