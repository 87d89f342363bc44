from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import pytest

from segue.api import AttributionSpec, Credit, Instant, Path, Paths, each_path
from segue.measure import Labels, ModelError, OptionError, attribute, options_of, weigh

PATHS = Paths.of([Path(("email", "sms"), 2, 20.0), Path(("email",), 0, 0.0)])


class Options(msgspec.Struct, forbid_unknown_fields=True):
    depth: int = 1
    per: Literal["touch", "channel"] = "touch"


def model(credit: Any) -> AttributionSpec:
    return AttributionSpec(name="test", doc="", config=Options, credit=credit)


def returns(*credits: Any) -> AttributionSpec:
    def credit(paths: Paths, options: Any) -> Any:
        return credits

    return model(credit)


def weighs(weights: Any) -> AttributionSpec:
    return AttributionSpec(name="test", doc="", config=Options, weights=lambda paths, options: weights)


def test_weights_become_the_credit_of_their_channels() -> None:
    spec = weighs([0.25, 0.75, 1])
    assert attribute(spec, Options(), PATHS) == (Credit("sms", 1.5, 15.0), Credit("email", 0.5, 5.0))
    assert weigh(spec, Options(), PATHS).tolist() == [0.25, 0.75, 1]


def test_weights_are_added_up_by_label_and_other_models_are_shown_the_labels() -> None:
    labels = Labels(("spring", "none", "autumn"), np.array([2, 0, 0], np.int32))
    assert attribute(weighs([0.25, 0.75, 1]), Options(), PATHS, labels) == (
        Credit("spring", 1.5, 15.0),
        Credit("autumn", 0.5, 5.0),
    )
    whole = model(lambda paths, options: [Credit(paths.names[code], 1, 10.0) for code in sorted({*paths.channels})])
    assert [credit.channel for credit in attribute(whole, Options(), PATHS, labels)] == ["autumn", "spring"]


def test_a_function_of_one_path_makes_weights_in_any_unit() -> None:
    seen = []

    @each_path
    def shares(path: Path, options: Any) -> Sequence[float]:
        seen.append(path)
        return [40, 10][: len(path.channels)]

    assert shares(PATHS, Options()).tolist() == [0.8, 0.2, 1]
    assert seen == list(PATHS.each())


@pytest.mark.parametrize("shares", [[], [0, 0], [1, 2, 3]])
def test_a_function_of_one_path_must_say_something_of_each_touch(shares: list[float]) -> None:
    spec = AttributionSpec(name="test", doc="", config=Options, weights=each_path(lambda path, options: shares))
    with pytest.raises(ModelError, match="for the path email > sms; that must be one number for each touch"):
        attribute(spec, Options(), PATHS)


def test_paths_survive_being_made_columns() -> None:
    paths = [
        Path(("a", "b", "a"), 1, 2.5, 3, (Instant(1), Instant(2), Instant(2)), Instant(9)),
        Path(("b",), 0, 0.0, 1, (Instant(5),)),
    ]
    columns = Paths.of([paths[0], Path((), 1, 1.0), paths[1]])
    assert list(columns.each()) == paths
    assert columns.places().tolist() == [0, 1, 2, 0]
    assert columns.lengths.tolist() == [3, 1]
    assert columns.per_path(columns.per_touch(columns.lengths)).tolist() == [9, 1]
    bare = Paths.of([*paths, Path(("a",), 0, 0.0)])
    assert bare.times is None
    nothing = Paths.of([])
    assert (nothing.names, len(nothing.channels), nothing.per_path(nothing.channels).tolist()) == ((), 0, [])


def test_the_largest_share_comes_first() -> None:
    credits = attribute(returns(Credit("email", 0.5, 5.0), Credit("sms", 1.5, 15.0)), Options(), PATHS)
    assert [credit.channel for credit in credits] == ["sms", "email"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (returns("junk"), "a str where a Credit belongs"),
        (returns(Credit("email", 1, 10.0)), "exactly one share"),
        (returns(Credit("email", 1, 10.0), Credit("ads", 1, 10.0)), "exactly one share"),
        (returns(Credit("email", 1, 10.0), Credit("email", 1, 10.0), Credit("sms", 0, 0.0)), "exactly one share"),
        (returns(Credit("email", 1, 10.0), Credit("sms", 2, 10.0)), "conversions add up to 3, and there are 2"),
        (returns(Credit("email", 1, 10.0), Credit("sms", 1, 11.0)), "value add up to 21, and there are 20"),
        (returns(Credit("email", float("nan"), 10.0), Credit("sms", 1, 11.0)), "no finite number"),
        (returns(Credit("email", "1", 10.0), Credit("sms", 1, 11.0)), "no finite number"),  # type: ignore[arg-type]
        (returns(Credit("email", 1, 10.0, 7.0), Credit("sms", 1, 10.0)), "outside 0 to 1"),
        (weighs([1, 0]), "2 weights, and there are 3 touches"),
        (weighs([0.5, 0.4, 1]), "add up to 0.9 on the path email > sms"),
        (weighs([0.5, 0.5, float("nan")]), "add up to nan on the path email,"),
        (weighs([0.5, 0.5, float("inf")]), "add up to inf on the path email,"),
        (weighs([1.5, -0.5, 1]), "a touch of the path email > sms less than nothing"),
        (weighs(["a", "b", "c"]), "no numbers"),
    ],
)
def test_what_no_model_may_return_is_refused(spec: AttributionSpec, words: str) -> None:
    with pytest.raises(ModelError, match="model test is wrong") as caught:
        attribute(spec, Options(), PATHS)
    assert words in str(caught.value)


def test_a_model_that_raises_is_named() -> None:
    def credit(paths: Paths, options: Any) -> Any:
        raise KeyError("email")

    with pytest.raises(ModelError, match="model test failed: KeyError"):
        attribute(model(credit), Options(), PATHS)


def test_a_model_that_refuses_is_quoted() -> None:
    def credit(paths: Paths, options: Any) -> Any:
        raise ValueError("no path of these has an email")

    with pytest.raises(ModelError, match=r"^model test: no path of these has an email$"):
        attribute(model(credit), Options(), PATHS)


def test_options_are_converted_and_checked() -> None:
    spec = returns()
    assert options_of(spec, {"depth": "3", "per": "channel"}) == Options(3, "channel")
    assert options_of(spec, {}) == Options()
    with pytest.raises(OptionError, match="no option “dept”; it has depth, per"):
        options_of(spec, {"dept": "3"})
    with pytest.raises(OptionError, match="model test: Invalid enum value 'x'"):
        options_of(spec, {"per": "x"})
    with pytest.raises(OptionError, match="model test: Expected `int`"):
        options_of(spec, {"depth": "x"})
