"""Removal effects against the chain's equations, solved in exact fractions. Other tools are in tests/counterparts."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Credit, Path, Paths
from segue_attribution_markov import MARKOV, Options, markov, segue_attribution_models

State = tuple[str, ...]
CHANNELS = st.lists(st.sampled_from(["email", "sms", "ads"]), min_size=1, max_size=5).map(tuple)
PATHS = st.lists(
    st.builds(
        lambda channels, won, cents, lost: Path(channels, won, won * cents / 100, won + lost),
        CHANNELS,
        st.integers(0, 5),
        st.integers(0, 999),
        st.integers(0, 5),
    ),
    max_size=8,
).map(lambda paths: [*paths, Path(("email",), 0, 0.0, 1)])


def brought(paths: list[Path], order: int, without: str | None, by_value: bool) -> Fraction:
    """What a journey brings on average, with whoever would come to a channel sent into null. The chain's equations,
    worth[state] = ends[state] + sum of chance x worth[next], are solved by elimination."""
    steps: defaultdict[State, defaultdict[State, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    ends: defaultdict[State, Fraction] = defaultdict(Fraction)
    visits: defaultdict[State, Fraction] = defaultdict(Fraction)
    for path in paths:
        states: list[State] = [()]
        states += [path.channels[max(0, place - order + 1) : place + 1] for place in range(len(path.channels))]
        # A first state of one channel differs from the same channel met later.
        states = [(*("",) * (order - len(state)), *state) for state in states]
        for before, after in pairwise(states):
            steps[before][after] += Fraction(path.count)
        for state in states:
            visits[state] += Fraction(path.count)
        ends[states[-1]] += Fraction(path.value if by_value else path.conversions)
    alive = [state for state in visits if without not in state and visits[state]]
    rows = {
        state: {
            **{after: -steps[state][after] / visits[state] for after in steps[state] if after in alive},
        }
        for state in alive
    }
    for state in alive:
        rows[state][state] = rows[state].get(state, Fraction(0)) + 1
    right = {state: ends[state] / visits[state] for state in alive}
    begin: State = ("",) * order
    for pivot in [state for state in alive if state != begin]:
        row = rows.pop(pivot)
        lead = row.pop(pivot)
        worth = right.pop(pivot)
        for state, other in rows.items():
            factor = other.pop(pivot, Fraction(0)) / lead
            if factor:
                for after, chance in row.items():
                    other[after] = other.get(after, Fraction(0)) - factor * chance
                right[state] -= factor * worth
    return right[begin] / rows[begin][begin]


def removal_effect(paths: list[Path], order: int, channel: str, by_value: bool = False) -> Fraction:
    return 1 - brought(paths, order, channel, by_value) / brought(paths, order, None, by_value)


def credits(paths: list[Path], options: Options) -> dict[str, Credit]:
    return {credit.channel: credit for credit in markov(Paths.of(paths), options)}


@pytest.mark.parametrize("order", [1, 2, 3])
@settings(deadline=None)
@given(paths=PATHS)
def test_removal_effects_are_those_of_the_exact_chain(order: int, paths: list[Path]) -> None:
    if not sum(path.conversions for path in paths):
        return
    found = credits(paths, Options(order=order))  # type: ignore[arg-type]
    assert {channel: credit.removal_effect for channel, credit in found.items()} == {
        channel: pytest.approx(float(removal_effect(paths, order, channel)), abs=1e-9) for channel in found
    }


@settings(deadline=None)
@given(paths=PATHS)
def test_value_of_its_own_follows_what_of_the_value_is_lost(paths: list[Path]) -> None:
    total = sum(path.value for path in paths)
    if not total:
        return
    found = credits(paths, Options(order=2, value="own"))
    effects = {channel: removal_effect(paths, 2, channel, by_value=True) for channel in found}
    for channel, credit in found.items():
        assert credit.value == pytest.approx(total * float(effects[channel] / sum(effects.values())), abs=1e-6)


def test_a_case_that_can_be_followed_by_hand() -> None:
    # Of 4 journeys 2 begin with ads, of which half go on to email; the others begin with email. 2 of the 3 that
    # come to email convert. Without email nobody converts; without ads 2 of 4 begin, and 2/3 of these convert.
    paths = [Path(("ads", "email"), 1, 30.0), Path(("ads",), 0, 0.0), Path(("email",), 1, 10.0, 2)]
    found = credits(paths, Options())
    assert found["email"].removal_effect == pytest.approx(1)
    assert found["ads"].removal_effect == pytest.approx(1 / 3)
    assert [found[channel].conversions for channel in ("email", "ads")] == pytest.approx([1.5, 0.5])
    assert [found[channel].value for channel in ("email", "ads")] == pytest.approx([30, 10])


@settings(deadline=None)
@given(paths=PATHS, scale=st.integers(2, 1000))
def test_effects_don_t_depend_on_how_many_journeys_there_are(paths: list[Path], scale: int) -> None:
    many = [Path(path.channels, path.conversions * scale, path.value, path.count * scale) for path in paths]
    for channel, credit in credits(many, Options()).items():
        assert credit.removal_effect == pytest.approx(credits(paths, Options())[channel].removal_effect, abs=1e-9)


def test_without_journeys_that_led_nowhere_it_refuses() -> None:
    with pytest.raises(ValueError, match="needs journeys that did not convert"):
        markov(Paths.of([Path(("email",), 1, 1.0)]), Options())


def test_a_value_without_a_conversion_is_refused() -> None:
    with pytest.raises(ValueError, match="a value of 1,050 and no conversion"):
        markov(Paths.of([Path(("email",), 0, 1050.0, 3)]), Options())


def test_more_conversions_than_journeys_are_refused() -> None:
    with pytest.raises(ValueError, match="more conversions than journeys"):
        markov(Paths.of([Path(("email",), 2, 1.0), Path(("email",), 0, 0.0, 9)]), Options())


@pytest.mark.parametrize(
    ("order", "words"), [(1, "5,002 different channels"), (2, "different sequences of up to 2 channels")]
)
def test_more_states_than_can_be_solved_are_refused(order: int, words: str) -> None:
    count = 5001 if order == 1 else 4000
    paths = [Path((str(place), str(count - place)), place % 2, 1.0) for place in range(count)]
    with pytest.raises(ValueError, match=words):
        markov(Paths.of(paths), Options(order=order))  # type: ignore[arg-type]


def test_the_plugin_declares_one_model() -> None:
    assert list(segue_attribution_models()) == [MARKOV]
