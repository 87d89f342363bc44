"""The shares of a split that learns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.measure.learning import EVIDENCE, FLOOR, best_of, learn_shares

ARMS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 100).map(float), min_size=2)


@given(ARMS, st.data())
def test_shares_add_up_to_one_keep_their_floors_and_come_again(written: dict[str, float], data: st.DataObject) -> None:
    assigned = {arm: data.draw(st.integers(EVIDENCE, 5000)) for arm in written}
    met = {arm: data.draw(st.integers(0, assigned[arm])) for arm in written}
    shares = learn_shares(written, assigned, met)
    if not sum(met.values()):
        assert shares is None
        return
    assert shares is not None
    assert sum(shares.values()) == pytest.approx(1)
    assert shares == learn_shares(written, assigned, met)
    for arm, share in shares.items():
        assert share >= FLOOR * written[arm] / sum(written.values()) - 1e-9


def test_the_better_arm_grows_and_the_worse_one_keeps_its_floor() -> None:
    shares = learn_shares({"a": 50, "b": 50}, {"a": 400, "b": 400}, {"a": 20, "b": 80})
    assert shares is not None
    assert shares["b"] > 0.9
    assert shares["a"] == pytest.approx(FLOOR * 0.5, abs=0.01)


def test_arms_that_bring_the_same_share_alike() -> None:
    shares = learn_shares({"a": 50, "b": 50}, {"a": 400, "b": 400}, {"a": 40, "b": 40})
    assert shares is not None
    assert shares["a"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("written", "assigned", "met"),
    [
        ({"a": 50.0, "b": 50.0}, {"a": EVIDENCE - 1, "b": 900}, {"a": 1, "b": 9}),
        ({"a": 50.0, "b": 50.0}, {"a": 900}, {"a": 9}),
        ({"a": 50.0, "b": 50.0}, {"a": 900, "b": 900}, {}),
        ({"a": 100.0}, {"a": 900}, {"a": 9}),
    ],
)
def test_without_evidence_the_written_shares_hold(
    written: dict[str, float], assigned: dict[str, int], met: dict[str, int]
) -> None:
    assert learn_shares(written, assigned, met) is None


@pytest.mark.parametrize(
    "counts",
    [
        [(50, 0), (50, 1)],
        [(50, 50), (50, 49)],
        [(1000, 100), (1000, 110), (1000, 120), (60, 8)],
        [(100_000, 900), (50, 1)],
        [(10_000_000, 1_000_000), (10_000_000, 1_000_300)],
    ],
)
def test_an_arms_probability_to_be_the_best_is_that_of_many_draws(counts: list[tuple[int, int]]) -> None:
    random = np.random.default_rng(7)
    drawn = np.array([random.beta(1 + met, 1 + assigned - met, 400_000) for assigned, met in counts])
    best = np.bincount(drawn.argmax(axis=0), minlength=len(counts)) / drawn.shape[1]
    assert best_of(counts) == pytest.approx(best, abs=0.003)
