"""Every credit is traced to its touch, and what touches get adds up to the conversions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import AttributionSpec, Credit, Path, Paths
from segue.measure.attribution import Labels, attribute
from segue.measure.touchpoints.audit import Traced, credit, find_gap, trace


class Options(msgspec.Struct):
    """No options."""


def _linear(paths: Paths, _options: Any) -> Any:
    return 1 / paths.per_touch(paths.lengths)


def _whole(paths: Paths, _options: Any) -> Sequence[Credit]:
    """A model of the whole set: each channel that a conversion has gets the same, as one by removal would not."""
    met = sorted(set(paths.channels[paths.per_touch(paths.conversions) > 0].tolist()))
    share = {code: 1 / len(met) if code in met else 0.0 for code in set(paths.channels.tolist())}
    return [
        Credit(paths.names[code], part * float(paths.conversions.sum()), part * float(paths.values.sum()))
        for code, part in share.items()
    ]


def _even(paths: Paths, _options: Any) -> Sequence[Credit]:
    """A model of the whole set that credits channels whose journeys all came to nothing, as one by removal does where
    they lead on to what converted."""
    codes = set(paths.channels.tolist())
    conversions, value = float(paths.conversions.sum()), float(paths.values.sum())
    return [Credit(paths.names[code], conversions / len(codes), value / len(codes)) for code in codes]


MODELS = (
    AttributionSpec(name="linear", doc="", config=Options, weights=_linear),
    AttributionSpec(name="whole", doc="", config=Options, credit=_whole),
    AttributionSpec(name="even", doc="", config=Options, credit=_even),
)


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.name)
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from("abcd"), min_size=1, max_size=6),
            st.booleans(),
            st.floats(0, 1e6),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_credits_of_touches_add_up_to_those_of_channels_and_to_the_conversions(
    spec: AttributionSpec, rows: list[tuple[list[str], bool, float]]
) -> None:
    paths = Paths.of(Path(tuple(names), float(ends), value if ends else 0.0) for names, ends, value in rows)
    if not paths.conversions.any():
        return
    labels = Labels(paths.names, paths.channels)
    credits = attribute(spec, Options(), paths, labels)
    traced = trace(spec, Options(), paths, credits, labels)
    assert find_gap(traced, paths) is None
    for what, of_touches in (("conversions", traced.conversions), ("value", traced.values)):
        sums = np.bincount(paths.channels, of_touches, minlength=len(paths.names))
        for one in credits:
            assert sums[paths.names.index(one.channel)] == pytest.approx(getattr(one, what), abs=1e-6)
    came_to_nothing = paths.per_touch(paths.conversions) == 0
    met = np.isin(paths.channels, paths.channels[~came_to_nothing])
    assert not np.any(traced.conversions[came_to_nothing & met])
    assert spec.weights is not None or not np.any(traced.shares[came_to_nothing])
    at_once, of_touches_at_once = credit(spec, Options(), paths, labels)
    assert at_once == credits
    assert of_touches_at_once.conversions.tolist() == traced.conversions.tolist()
    assert of_touches_at_once.values.tolist() == traced.values.tolist()


def test_credits_that_do_not_add_up_are_found() -> None:
    paths = Paths.of([Path(("a", "b"), 1, 10.0)])
    half = np.array([0.25, 0.25])
    assert find_gap(Traced(half, half, half * 10), paths) == (
        "credits of touches add up to 0.5 conversions, and there are 1"
    )
    assert (
        find_gap(Traced(half, half * 2, half * 10), paths) == "credits of touches add up to 5 value, and there are 10"
    )
