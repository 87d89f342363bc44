from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segue_attribution_linear
from segue.api import AttributionSpec, Path
from segue_attribution_linear import Options, linear

CHANNELS = st.lists(st.sampled_from(["email", "sms", "ads", "push", "Sähköposti"]), min_size=1, max_size=8).map(tuple)
PATHS = st.lists(
    st.builds(
        Path,
        channels=CHANNELS,
        conversions=st.integers(0, 1000).map(float),
        value=st.integers(0, 10**6).map(lambda cents: cents / 100),
    ),
    max_size=30,
)
OPTIONS = st.builds(Options, per=st.sampled_from(["touch", "channel"]))


def share(paths: list[Path], per: str) -> dict[str, Fraction]:
    """The definition, in exact fractions: for each channel, its touches on a path over all touches of that path."""
    credit: dict[str, Fraction] = {}
    for channel in {channel for path in paths for channel in path.channels}:
        total = Fraction(0)
        for path in paths:
            if per == "touch":
                weight = Fraction(path.channels.count(channel), len(path.channels))
            else:
                weight = Fraction(int(channel in path.channels), len(set(path.channels)))
            total += weight * Fraction(path.conversions)
        credit[channel] = total
    return credit


def test_each_touch_gets_the_same_share() -> None:
    credits = {credit.channel: credit for credit in linear([Path(("email", "ads", "email"), 3, 30.0)], Options())}
    assert (credits["email"].conversions, credits["email"].value) == (2, 20)
    assert (credits["ads"].conversions, credits["ads"].value) == (1, 10)
    assert credits["ads"].removal_effect is None


def test_each_channel_gets_the_same_share_when_asked() -> None:
    credits = linear([Path(("email", "ads", "email"), 3, 30.0)], Options(per="channel"))
    assert [(credit.channel, credit.conversions, credit.value) for credit in credits] == [
        ("ads", 1.5, 15),
        ("email", 1.5, 15),
    ]


def test_a_channel_that_never_converted_is_listed_with_nothing() -> None:
    credits = linear([Path(("email",), 1, 5.0), Path(("sms",), 0, 0.0)], Options())
    assert [(credit.channel, credit.conversions) for credit in credits] == [("email", 1), ("sms", 0)]


@given(PATHS, OPTIONS)
def test_credits_add_up_to_what_was_converted(paths: list[Path], options: Options) -> None:
    credits = linear(paths, options)
    assert sum(credit.conversions for credit in credits) == pytest.approx(sum(path.conversions for path in paths))
    assert sum(credit.value for credit in credits) == pytest.approx(sum(path.value for path in paths))


@given(PATHS, OPTIONS)
def test_credits_are_those_of_the_definition(paths: list[Path], options: Options) -> None:
    expected = share(paths, options.per)
    found = {credit.channel: credit.conversions for credit in linear(paths, options)}
    assert found.keys() == expected.keys()
    for channel, conversions in found.items():
        assert conversions == pytest.approx(float(expected[channel]))


@given(PATHS, OPTIONS)
def test_the_order_of_touches_means_nothing(paths: list[Path], options: Options) -> None:
    backwards = [Path(path.channels[::-1], path.conversions, path.value) for path in paths]
    assert linear(backwards, options) == linear(paths, options)


def test_the_plugin_declares_one_model() -> None:
    specs = segue_attribution_linear.segue_attribution_models()
    assert [(type(spec), spec.name, spec.config) for spec in specs] == [(AttributionSpec, "linear", Options)]
