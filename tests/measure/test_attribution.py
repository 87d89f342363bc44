from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import pytest

from segue.api import AttributionSpec, Credit, Path
from segue.measure import ModelError, OptionError, attribute, options_of

PATHS = (Path(("email", "sms"), 2, 20.0), Path(("email",), 0, 0.0))


class Options(msgspec.Struct, forbid_unknown_fields=True):
    depth: int = 1
    per: Literal["touch", "channel"] = "touch"


def model(credit: Any) -> AttributionSpec:
    return AttributionSpec(name="test", doc="", config=Options, credit=credit)


def returns(*credits: Any) -> AttributionSpec:
    def credit(paths: Sequence[Path], options: Any) -> Any:
        return credits

    return model(credit)


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
    ],
)
def test_what_no_model_may_return_is_refused(spec: AttributionSpec, words: str) -> None:
    with pytest.raises(ModelError, match="model test is wrong") as caught:
        attribute(spec, Options(), PATHS)
    assert words in str(caught.value)


def test_a_model_that_raises_is_named() -> None:
    def credit(paths: Sequence[Path], options: Any) -> Any:
        raise KeyError("email")

    with pytest.raises(ModelError, match="model test failed: KeyError"):
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
