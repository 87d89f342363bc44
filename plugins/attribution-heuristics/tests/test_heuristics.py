"""Each model against its definition, said of one path in exact fractions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant, Path, Paths
from segue_attribution_heuristics import (
    MODELS,
    Alone,
    Linear,
    NonDirect,
    PositionBased,
    TimeDecay,
    WShaped,
    segue_attribution_models,
)

HOUR = 3_600_000_000
TOUCHES = st.lists(
    st.tuples(st.sampled_from(["email", "sms", "Direct", "ads"]), st.integers(0, 90 * 24)), min_size=1, max_size=8
)
JOURNEYS = st.lists(TOUCHES, max_size=12)


def path(touches: Sequence[tuple[str, int]]) -> Path:
    """Touches at hours."""
    ordered = sorted(touches, key=lambda touch: touch[1])
    times = tuple(Instant(hour * HOUR) for _, hour in ordered)
    return Path(tuple(channel for channel, _ in ordered), 1, 10.0, times=times, converted_at=Instant(91 * 24 * HOUR))


def weights(model: str, options: msgspec.Struct, *paths: Path) -> list[list[float]]:
    columns = Paths.of(paths)
    spec = MODELS[model]
    assert spec.weights is not None
    found = spec.weights(columns, options).tolist()
    return [found[start:end] for start, end in zip(columns.starts, columns.starts[1:], strict=False)]


def at(place: int, count: int) -> list[Fraction]:
    return [Fraction(int(one == place)) for one in range(count)]


def last_non_direct(path: Path) -> list[Fraction]:
    marketing = [place for place, channel in enumerate(path.channels) if channel.lower() != "direct"]
    return at(marketing[-1] if marketing else len(path.channels) - 1, len(path.channels))


def by_channel(path: Path) -> list[Fraction]:
    return [Fraction(1, len(set(path.channels)) * path.channels.count(channel)) for channel in path.channels]


def decayed(path: Path) -> list[Fraction]:
    parts = [Fraction(2 ** (-(path.converted_at - time) / (7 * 24 * HOUR))) for time in path.times]  # type: ignore[operator]
    return [part / sum(parts) for part in parts]


def position(path: Path) -> list[Fraction]:
    count = len(path.channels)
    if count == 1:
        return [Fraction(1)]
    if count == 2:
        return [Fraction(1, 2)] * 2
    return [Fraction(2, 5), *[Fraction(1, 5) / (count - 2)] * (count - 2), Fraction(2, 5)]


def w_shaped(path: Path) -> list[Fraction]:
    count = len(path.channels)
    if count <= 3:
        return [Fraction(1, count)] * count
    marked = {0, count // 2, count - 1}
    rest = Fraction(1, 10) / (count - 3)
    return [Fraction(3, 10) if place in marked else rest for place in range(count)]


DEFINITIONS: list[tuple[str, msgspec.Struct, Callable[[Path], list[Fraction]]]] = [
    ("first", Alone(), lambda path: at(0, len(path.channels))),
    ("last", Alone(), lambda path: at(len(path.channels) - 1, len(path.channels))),
    ("last-non-direct", NonDirect(), last_non_direct),
    ("linear", Linear(), lambda path: [Fraction(1, len(path.channels))] * len(path.channels)),
    ("linear", Linear(per="channel"), by_channel),
    ("time-decay", TimeDecay(), decayed),
    ("position-based", PositionBased(), position),
    ("w-shaped", WShaped(), w_shaped),
]


IDS = [f"{model} {options}" for model, options, _ in DEFINITIONS]


@pytest.mark.parametrize(("model", "options", "definition"), DEFINITIONS, ids=IDS)
@settings(deadline=None)
@given(journeys=JOURNEYS)
def test_weights_are_those_of_the_definition(model: str, options: Any, definition: Any, journeys: Any) -> None:
    paths = [path(touches) for touches in journeys]
    for found, one in zip(weights(model, options, *paths), paths, strict=True):
        assert found == pytest.approx([float(part) for part in definition(one)], rel=1e-12)


@settings(deadline=None)
@given(journeys=JOURNEYS)
def test_linear_by_channel_is_the_same_with_a_million_channels(journeys: Any) -> None:
    paths = [path(touches) for touches in journeys]
    expected = weights("linear", Linear(per="channel"), *paths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segue.api.attribution._ROOM", -1)
        assert weights("linear", Linear(per="channel"), *paths) == expected


def test_a_touch_a_half_life_older_gets_half_as_much() -> None:
    (found,) = weights("time-decay", TimeDecay("1d 12h"), path([("email", 0), ("ads", 36), ("sms", 36)]))
    assert found == pytest.approx([0.2, 0.4, 0.4])


def test_very_old_touches_get_next_to_nothing_and_never_a_nan() -> None:
    paths = [path([("email", 0), ("ads", 1_000_000)])]
    assert weights("time-decay", TimeDecay("0.001s"), *paths) == [[0, 1]]


def test_aggregated_paths_are_refused_by_time_decay_in_words() -> None:
    with pytest.raises(ValueError, match="these paths have no times"):
        weights("time-decay", TimeDecay(), Path(("email",), 1, 1.0))


def test_direct_touches_may_have_other_names() -> None:
    one = Path(("email", "(none)", "type-in"), 1, 1.0)
    assert weights("last-non-direct", NonDirect("Type-in, (none)"), one) == [[1, 0, 0]]


def test_parts_by_position_can_be_changed() -> None:
    one, two, four = Path(("a",), 1, 1.0), Path(("a", "b"), 1, 1.0), Path(("a", "b", "c", "d"), 1, 1.0)
    found = weights("position-based", PositionBased("3/4/1"), one, two, four)
    assert found == [[1], [0.75, 0.25], pytest.approx([3 / 8, 2 / 8, 2 / 8, 1 / 8])]
    assert weights("position-based", PositionBased("0/1/0"), two, four) == [[0.5, 0.5], [0, 0.5, 0.5, 0]]


def test_milestones_may_be_channels() -> None:
    options = WShaped(lead="demo, webinar", opportunity="offer")
    all_of_them = Path(("ads", "demo", "webinar", "offer", "demo"), 1, 1.0)
    without_a_lead = Path(("ads", "offer", "email"), 1, 1.0)
    begun_by_a_demo = Path(("demo", "email"), 1, 1.0)
    assert weights("w-shaped", options, all_of_them, without_a_lead, begun_by_a_demo) == [
        pytest.approx([0.3, 0.3, 0.05, 0.3, 0.05]),
        pytest.approx([3 / 7, 3 / 7, 1 / 7]),
        pytest.approx([6 / 7, 1 / 7]),
    ]


@pytest.mark.parametrize(
    ("options", "settings", "words"),
    [
        (TimeDecay, {"half_life": "7"}, "write a duration such as 7d"),
        (TimeDecay, {"half_life": "0d"}, "write a duration such as 7d"),
        (TimeDecay, {"half_life": "-1d"}, "write a duration such as 7d"),
        (PositionBased, {"weights": "40/60"}, "write 3 numbers"),
        (PositionBased, {"weights": "nan/1/1"}, "write 3 numbers"),
        (PositionBased, {"weights": "-1/1/1"}, "write 3 numbers"),
        (PositionBased, {"weights": "0/0/0"}, "write 3 numbers"),
        (PositionBased, {"weights": "inf/0/0"}, "write 3 numbers"),
        (WShaped, {"weights": "a/b/c/d"}, "write 4 numbers"),
        (WShaped, {"lead": ""}, "lead is “”"),
        (NonDirect, {"direct": "direct,"}, "name channels"),
    ],
    ids=str,
)
def test_options_that_mean_nothing_are_refused(
    options: type[msgspec.Struct], settings: dict[str, str], words: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(settings, options)


def test_the_plugin_declares_seven_models() -> None:
    assert [spec.name for spec in segue_attribution_models()] == [
        "first",
        "last",
        "last-non-direct",
        "linear",
        "time-decay",
        "position-based",
        "w-shaped",
    ]
