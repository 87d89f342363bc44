"""The statistics of experiments: against the libraries', against simulation, and at their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.measure.experiments import missing
from segue.measure.experiments.comparing import (
    compare_means,
    compare_rates,
    compare_reduced,
    probability_to_beat,
)
from segue.measure.experiments.factors import Cells, Effect, all_effects, interactions, is_thin, main_effects
from segue.measure.experiments.groups import Moments, Rate
from segue.measure.experiments.planning import detectable_effect, plan_for_effect
from segue.measure.experiments.sequential import means_at_any_time, rates_at_any_time
from segue.measure.experiments.several import adjust
from segue.measure.experiments.validity import check_ratio
from segue.measure.experiments.weighing import Weighted, compare_weighted

rates = st.integers(0, 400).flatmap(lambda n: st.integers(0, n).map(lambda met: Rate(n, met)))


def moments(y: np.ndarray, x: np.ndarray | None = None) -> Moments:
    before = np.zeros_like(y) if x is None else x
    return Moments(
        len(y),
        float(y.sum()),
        float((y * y).sum()),
        float(before.sum()),
        float((before**2).sum()),
        float((before * y).sum()),
    )


class TestRates:
    def test_newcombe_s_own_example_comes_out(self) -> None:
        # Newcombe 1998, table II (a): 56/70 against 48/80, method 10
        found = compare_rates(Rate(80, 48), Rate(70, 56))
        assert found is not None
        assert found.estimate == pytest.approx(0.2)
        assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)

    @given(rates, rates)
    @settings(max_examples=60, deadline=None)
    def test_an_interval_holds_its_estimate_and_ends_where_rates_end(self, control: Rate, group: Rate) -> None:
        found = compare_rates(control, group)
        if not control.customers or not group.customers:
            assert found is None
            return
        assert found is not None
        assert -1 <= found.low <= found.estimate + 1e-12
        assert found.estimate - 1e-12 <= found.high <= 1
        assert found.p is not None
        assert 0 <= found.p <= 1
        turned = compare_rates(group, control)
        assert turned is not None
        assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-9)

    def test_intervals_hold_the_truth_as_often_as_they_say(self) -> None:
        random = np.random.default_rng(1)
        held = 0
        for _ in range(600):
            control = Rate(400, int(random.binomial(400, 0.1)))
            group = Rate(600, int(random.binomial(600, 0.14)))
            found = compare_rates(control, group)
            assert found is not None
            held += found.low <= 0.04 <= found.high
        assert 0.92 <= held / 600 <= 0.98


class TestProbability:
    @pytest.mark.parametrize(
        ("control", "group"),
        [
            (Rate(10, 3), Rate(12, 7)),
            (Rate(200, 20), Rate(1000, 130)),
            (Rate(0, 0), Rate(5, 5)),
            (Rate(50, 50), Rate(3, 0)),
        ],
    )
    def test_it_is_what_drawing_from_both_finds(self, control: Rate, group: Rate) -> None:
        random = np.random.default_rng(2)
        draws = 400_000
        first = random.beta(1 + control.met, 1 + control.customers - control.met, draws)
        second = random.beta(1 + group.met, 1 + group.customers - group.met, draws)
        assert probability_to_beat(control, group) == pytest.approx(float((second > first).mean()), abs=0.004)

    @given(rates, rates)
    @settings(max_examples=60, deadline=None)
    def test_one_of_the_two_is_better(self, control: Rate, group: Rate) -> None:
        one, other = probability_to_beat(control, group), probability_to_beat(group, control)
        if one is None or other is None:
            assert not control.customers
            assert not group.customers
        else:
            assert one + other == pytest.approx(1.0, abs=1e-9)

    def test_a_million_customers_are_no_trouble(self) -> None:
        found = probability_to_beat(Rate(1_000_000, 100_000), Rate(1_000_000, 100_400))
        assert found == pytest.approx(0.826, abs=0.01)  # normal: Φ(400 / √(2 · 90 000))


class TestMeans:
    def test_it_is_welch_s_with_no_variance_below_that_of_both_together(self) -> None:
        from scipy import stats

        random = np.random.default_rng(3)
        y0, y1 = random.exponential(10, 300), random.exponential(13, 90)
        found = compare_means(moments(y0), moments(y1))
        pooled = (299 * y0.var(ddof=1) + 89 * y1.var(ddof=1)) / 388
        spreads = [math.sqrt(max(one.var(ddof=1), pooled)) for one in (y1, y0)]
        theirs = stats.ttest_ind_from_stats(y1.mean(), spreads[0], 90, y0.mean(), spreads[1], 300, equal_var=False)
        assert found is not None
        assert found.p == pytest.approx(theirs.pvalue)
        assert found.low < stats.ttest_ind(y1, y0, equal_var=False).confidence_interval(0.95).low

    def test_a_small_control_group_that_few_rich_orders_passed_by_is_no_gain(self) -> None:
        """A tenth buys, for amounts with a long tail, and the groups are the same: Welch's own interval would find a
        gain in one of ten."""
        from scipy import stats

        random = np.random.default_rng(12)
        runs, gains, plain, missed = 400, 0, 0, 0
        for _ in range(runs):
            y0, y1 = ((random.random(n) < 0.1) * random.lognormal(3, 1.2, n) for n in (200, 1800))
            found = compare_means(moments(y0), moments(y1))
            assert found is not None
            gains += found.low > 0
            missed += not found.low <= 0 <= found.high
            plain += stats.ttest_ind(y1, y0, equal_var=False).confidence_interval(0.95).low > 0
        assert gains <= 0.025 * runs
        assert missed <= 0.05 * runs
        assert plain > 0.07 * runs

    def test_what_was_known_before_is_taken_out(self) -> None:
        random = np.random.default_rng(4)
        x0, x1 = random.normal(50, 10, 4000), random.normal(50, 10, 1000)
        y0, y1 = x0 + random.normal(0, 5, 4000), x1 + 1 + random.normal(0, 5, 1000)
        plain = compare_means(moments(y0), moments(y1))
        found = compare_reduced(moments(y0, x0), moments(y1, x1))
        assert plain is not None
        assert found is not None
        assert found.theta == pytest.approx(1.0, abs=0.05)
        assert found.spared == pytest.approx(0.8, abs=0.03)  # 100 of 125
        assert found.difference.low <= 1 <= found.difference.high
        assert found.difference.high - found.difference.low < 0.55 * (plain.high - plain.low)
        together_x, together_y = np.concatenate([x0, x1]), np.concatenate([y0, y1])
        theta = np.cov(together_x, together_y)[0, 1] / together_x.var(ddof=1)
        by_hand = compare_means(
            moments(y0 - theta * (x0 - together_x.mean())), moments(y1 - theta * (x1 - together_x.mean()))
        )
        assert by_hand is not None
        assert found.difference.low == pytest.approx(by_hand.low)
        assert found.difference.high == pytest.approx(by_hand.high)

    def test_nothing_is_said_of_nobody_and_of_one(self) -> None:
        one = moments(np.array([5.0]))
        assert compare_means(Moments(), one) is None
        assert compare_means(one, one) is None
        assert compare_reduced(moments(np.ones(5)), moments(np.ones(5))) is None

    def test_where_all_are_alike_there_is_no_doubt_and_no_p(self) -> None:
        found = compare_means(moments(np.full(4, 2.0)), moments(np.full(3, 2.0)))
        assert found is not None
        assert (found.low, found.estimate, found.high, found.p) == (0.0, 0.0, 0.0, None)


class TestAtAnyTime:
    def test_looking_every_day_finds_nothing_where_nothing_is(self) -> None:
        """A hundred looks at groups that are the same: the interval for one look is wrong in a third of the
        experiments, that for any time in fewer than one of twenty."""
        random = np.random.default_rng(5)
        fooled, once = 0, 0
        for _ in range(200):
            one = np.cumsum(random.random(5000) < 0.1)
            other = np.cumsum(random.random(5000) < 0.1)
            looks = range(50, 5001, 50)
            found = [rates_at_any_time(Rate(n, int(one[n - 1])), Rate(n, int(other[n - 1]))) for n in looks]
            fooled += any(look is not None and look.settled for look in found)
            plain = [(other[n - 1] - one[n - 1]) / math.sqrt(2 * n * 0.09) for n in looks]
            once += any(abs(z) > 1.96 for z in plain)
        assert fooled / 200 <= 0.05
        assert once / 200 > 0.2  # the very danger

    def test_an_effect_is_found_all_the_same(self) -> None:
        found = rates_at_any_time(Rate(2000, 200), Rate(2000, 290))
        assert found is not None
        assert found.low > 0
        assert found.p is not None
        assert found.p < 0.05

    def test_p_and_interval_say_the_same(self) -> None:
        for met in range(200, 300, 4):
            found = rates_at_any_time(Rate(2000, 200), Rate(2000, met))
            assert found is not None
            assert found.p is not None
            assert (found.p < 0.05) == found.settled

    def test_means_too_and_wider_than_for_one_look(self) -> None:
        random = np.random.default_rng(6)
        one, other = moments(random.exponential(10, 900)), moments(random.exponential(10, 300))
        always, once = means_at_any_time(one, other), compare_means(one, other)
        assert always is not None
        assert once is not None
        assert always.low < once.low < once.high < always.high

    def test_no_conversion_at_all_is_not_certainty(self) -> None:
        found = rates_at_any_time(Rate(20, 0), Rate(20, 0))
        assert found is not None
        assert found.low < 0 < found.high


class TestRatio:
    def test_sizes_that_chance_gives_are_sound(self) -> None:
        assert check_ratio({"holdout": 1010, "treated": 8990}, {"holdout": 1000.0, "treated": 9000.0}).sound

    def test_sizes_that_chance_does_not_give_are_an_alarm(self) -> None:
        found = check_ratio({"a": 4700, "b": 5300}, {"a": 1.0, "b": 1.0})
        assert not found.sound
        assert found.expected == {"a": 5000.0, "b": 5000.0}

    def test_three_groups_and_a_group_that_could_not_be(self) -> None:
        assert check_ratio({"a": 330, "b": 340, "c": 330}, {"a": 1.0, "b": 1.0, "c": 1.0}).sound
        assert not check_ratio({"a": 500, "b": 400, "c": 100}, {"a": 1.0, "b": 1.0, "c": 1.0}).sound
        assert not check_ratio({"a": 500, "b": 500, "c": 1}, {"a": 1.0, "b": 1.0}).sound

    def test_nothing_to_compare_is_no_alarm(self) -> None:
        assert check_ratio({}, {}).p is None
        assert check_ratio({"a": 5}, {"a": 1.0}).sound


class TestSeveral:
    def test_holm_and_benjamini_hochberg(self) -> None:
        assert adjust([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])
        assert adjust([0.01, 0.04, None, 0.03], "benjamini-hochberg") == pytest.approx([0.03, 0.04, None, 0.04])
        assert adjust([None]) == [None]
        assert adjust([]) == []


class TestPlanning:
    def test_a_plan_finds_its_effect_as_often_as_it_says(self) -> None:
        plan = plan_for_effect(0.1, 0.04, 0.2, per_day=100, window=7)
        assert plan.days == pytest.approx(plan.customers / 100 + 7)
        random = np.random.default_rng(7)
        control, group = round(plan.customers * 0.2), round(plan.customers * 0.8)
        found = 0
        for _ in range(400):
            seen = compare_rates(
                Rate(control, int(random.binomial(control, 0.1))), Rate(group, int(random.binomial(group, 0.14)))
            )
            assert seen is not None
            found += seen.low > 0
        assert 0.73 <= found / 400 <= 0.87

    def test_the_smallest_effect_and_the_plan_for_it_agree(self) -> None:
        effect = detectable_effect(0.1, 5000, 0.1)
        assert effect is not None
        assert plan_for_effect(0.1, effect, 0.1, per_day=0).customers == pytest.approx(5000, rel=0.01)
        assert plan_for_effect(0.1, effect, 0.1, per_day=0).days is None

    def test_what_cannot_be_is_said(self) -> None:
        assert detectable_effect(0.1, 10, 0.1) is None
        assert detectable_effect(0.99, 8, 0.5) is None
        for wrong in ((0.0, 0.1, 0.5), (0.5, 0.6, 0.5), (0.5, 0.0, 0.5), (0.5, 0.1, 1.0)):
            with pytest.raises(ValueError, match=r"must lie between|cannot be|is none"):
                plan_for_effect(*wrong, per_day=1)


class TestWeights:
    def test_shares_that_moved_are_evened_out(self) -> None:
        """Arms of the same rate while each season has its own: whoever grew in the good season looks better unless
        each customer counts by how improbable their arm was."""
        random = np.random.default_rng(8)
        arm = np.empty(20_000, dtype=bool)
        share = np.repeat([0.5, 0.9], 10_000)
        arm = random.random(20_000) < share
        met = (random.random(20_000) < np.repeat([0.1, 0.3], 10_000)).astype(float)

        def weigh(chosen: np.ndarray, chance: np.ndarray) -> Weighted:
            w, y = 1 / chance[chosen], met[chosen]
            return Weighted(len(y), *(float(one.sum()) for one in (w, w * w, w * y, w * w * y, w * w * y * y)))

        found = compare_weighted(weigh(~arm, 1 - share), weigh(arm, share))
        assert found is not None
        assert found.low < 0 < found.high
        assert met[arm].mean() - met[~arm].mean() > 0.05  # what plain means say
        assert found.high - found.low < 0.06

    def test_nobody_and_one(self) -> None:
        assert compare_weighted(Weighted(), Weighted(5, 5, 5, 1, 1, 1)) is None
        assert Weighted().mean is None


class TestFactors:
    FACTORS = {"subject": ("plain", "name"), "hour": ("morning", "evening")}

    def test_effects_add_up_where_they_do_and_the_interaction_is_what_is_left(self) -> None:
        shares = {
            ("plain", "morning"): 0.1,
            ("name", "morning"): 0.2,
            ("plain", "evening"): 0.15,
            ("name", "evening"): 0.45,
        }
        cells: Cells = {
            key: Rate(1000 * (1 + place), round(1000 * (1 + place) * share))
            for place, (key, share) in enumerate(shares.items())
        }
        subject, hour = main_effects(self.FACTORS, cells)
        assert (subject.factor, subject.level, subject.base) == ("subject", "name", "plain")
        assert subject.difference.estimate == pytest.approx((0.1 + 0.3) / 2)
        assert hour.difference.estimate == pytest.approx((0.05 + 0.25) / 2)
        (both,) = interactions(self.FACTORS, cells)
        assert both.difference.estimate == pytest.approx(0.2)
        assert both.difference.low > 0.1
        assert not is_thin(cells)

    def test_unequal_groups_do_not_mix_one_effect_into_another(self) -> None:
        cells: Cells = {
            ("plain", "morning"): Rate(1000, 100),
            ("name", "morning"): Rate(100, 10),
            ("plain", "evening"): Rate(100, 30),
            ("name", "evening"): Rate(1000, 300),
        }
        subject, hour = main_effects(self.FACTORS, cells)
        assert subject.difference.estimate == pytest.approx(0.0)
        assert hour.difference.estimate == pytest.approx(0.2)

    def test_the_intervals_are_those_of_a_regression(self) -> None:
        from statsmodels.api import OLS, add_constant

        random = np.random.default_rng(9)
        a, b = random.random(4000) < 0.5, random.random(4000) < 0.3
        y = (random.random(4000) < 0.2 + 0.1 * a + 0.05 * b).astype(float)
        cells: Cells = {
            (self.FACTORS["subject"][int(i)], self.FACTORS["hour"][int(j)]): Rate(
                int(((a == i) & (b == j)).sum()), int(y[(a == i) & (b == j)].sum())
            )
            for i in (False, True)
            for j in (False, True)
        }
        theirs = OLS(y, add_constant(np.column_stack([a - 0.5, b - 0.5, (a - 0.5) * (b - 0.5)]))).fit(cov_type="HC0")
        ours: list[Effect] = [*main_effects(self.FACTORS, cells), *interactions(self.FACTORS, cells)]
        for place, effect in enumerate(ours, start=1):
            assert effect.difference.estimate == pytest.approx(theirs.params[place])
            low, high = theirs.conf_int()[place]
            assert (effect.difference.low, effect.difference.high) == pytest.approx((low, high), abs=0.003)

    def test_effects_count_beside_each_other(self) -> None:
        cells: dict[tuple[str, ...], Rate] = {(a, b): Rate(400, 40) for a in ("a1", "a2", "a3") for b in ("b1", "b2")}
        cells["a2", "b1"] = Rate(400, 66)
        factors = {"a": ("a1", "a2", "a3"), "b": ("b1", "b2")}
        alone, found = [*main_effects(factors, cells), *interactions(factors, cells)], all_effects(factors, cells)
        assert [one.adjusted for one in found] == adjust([one.difference.p for one in alone])
        assert len(found) == 5
        assert [one.difference.level for one in found] == pytest.approx([0.99] * 5)
        for one, wider in zip(alone, found, strict=True):
            assert wider.difference.low < one.difference.low < one.difference.high < wider.difference.high
        assert all_effects({}, {}) == []

    def test_empty_combinations_are_left_out(self) -> None:
        cells: Cells = {
            ("plain", "morning"): Rate(50, 5),
            ("name", "morning"): Rate(50, 10),
            ("plain", "evening"): Rate(0, 0),
        }
        found = main_effects(self.FACTORS, cells)
        assert [(effect.factor, round(effect.difference.estimate, 3)) for effect in found] == [("subject", 0.1)]
        assert interactions(self.FACTORS, cells) == []
        assert is_thin(cells)


def test_a_library_that_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(missing.NotInstalled, match=r"statsnothing is not installed: pip install 'segue\[measure\]'"):
        missing.load("statsnothing.of.this")
