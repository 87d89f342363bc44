"""Paths from touches and conversions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant
from segue.api.values import DAY, HOUR, SECOND
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions, Label, Touches, What
from segue.measure.touchpoints.joining import Joined, Windows, join, of_currency, relabel

NOW = 1_780_000_000_000_000
PERIOD = Period(Instant(NOW), Instant(NOW + 100 * DAY))
MONEY = ("EUR", "USD")


def touches(*rows: tuple[int, int, What] | tuple[int, int, What, int]) -> Touches:
    """Touches of (customer, seconds from NOW, what, message)."""
    full: list[Any] = [(*row, 0)[:4] for row in rows]
    count = len(full)
    columns: Any = [np.array([row[at] for row in full], np.int64) for at in range(4)]
    return Touches(
        customers=columns[0],
        at=NOW + columns[1] * SECOND,
        whats=columns[2].astype(np.int32),
        labels=columns[2].astype(np.int32),
        messages=columns[3],
        rows=np.arange(count, dtype=np.int64),
        told=np.zeros(count, np.int32),
        costs=np.zeros(count, np.int64),
        currencies=np.zeros(count, np.int32),
        names=tuple(Label(what.title) for what in What),
        money=("",),
    )


def conversions(*rows: tuple[int, int] | tuple[int, int, int]) -> Conversions:
    """Conversions of (customer, seconds from NOW, currency)."""
    full: list[Any] = [(*row, 0)[:3] for row in rows]
    count = len(full)
    return Conversions(
        customers=np.array([row[0] for row in full], np.int64),
        at=NOW + np.array([row[1] for row in full], np.int64) * SECOND,
        values=np.full(count, 10.0),
        gross=np.full(count, 10.0),
        refunds=np.zeros(count),
        currencies=np.array([row[2] for row in full], np.int32),
        rows=np.arange(count, dtype=np.int64),
        money=MONEY,
        name="orders",
    )


def paths(found: Joined) -> dict[int, list[list[int]]]:
    """The touches' places by conversion; null paths are those of -1."""
    result: dict[int, list[list[int]]] = {}
    for place, (begin, end) in enumerate(zip(found.starts, found.starts[1:], strict=False)):
        result.setdefault(int(found.conversions[place]), []).append(found.touches[begin:end].tolist())
    return result


def test_a_path_ends_with_the_conversion_and_what_follows_is_a_null_path() -> None:
    met = touches((1, 10, What.VISIT), (1, 5, What.AD), (1, 500, What.VISIT), (2, 7, What.AD))
    found = join(met, conversions((1, 20)), PERIOD, Windows())
    assert paths(found) == {0: [[1, 0]], -1: [[3], [2]]} or paths(found) == {0: [[1, 0]], -1: [[2], [3]]}
    assert found.customers == 2


def test_a_touch_brings_one_conversion_only() -> None:
    met = touches((1, 0, What.AD), (1, 1500, What.VISIT))
    found = join(met, conversions((1, 1000), (1, 2000), (1, 3000)), PERIOD, Windows())
    assert paths(found) == {0: [[0]], 1: [[1]]}
    assert found.untouched.tolist() == [2]


def test_a_message_is_on_a_path_once_by_the_most_that_was_done_with_it() -> None:
    met = touches(
        (1, 1, What.HANDED, 5), (1, 3, What.CLICKED, 5), (1, 2, What.OPENED, 5), (1, 4, What.OPENED, 5),
        (1, 2, What.HANDED, 6),
    )  # fmt: skip
    assert paths(join(met, conversions((1, 9)), PERIOD, Windows())) == {0: [[4, 1]]}
    assert paths(join(met, conversions(), PERIOD, Windows())) == {-1: [[4, 1]]}


def test_a_click_after_the_conversion_leaves_the_open_before_it() -> None:
    met = touches((1, 1, What.HANDED, 5), (1, 2, What.OPENED, 5), (1, 20, What.CLICKED, 5))
    assert paths(join(met, conversions((1, 9)), PERIOD, Windows())) == {0: [[1]], -1: [[2]]}


def test_the_look_back_may_be_shorter_for_some_touches() -> None:
    met = touches((1, 0, What.AD), (1, 0, What.OPENED, 1), (1, 0, What.CLICKED, 2))
    found = join(met, conversions((1, 2 * 86_400)), PERIOD, Windows(30 * DAY, {What.OPENED: DAY}))
    assert sorted(found.touches.tolist()) == [0, 2]
    assert found.old == 1
    assert paths(join(met, conversions((1, 2 * 86_400)), PERIOD, Windows(HOUR))) == {}


def test_another_clock_may_be_a_little_late_and_ours_is_not() -> None:
    met = touches((1, 5, What.VISIT), (2, 5, What.HANDED, 1), (3, 90, What.VISIT))
    found = paths(join(met, conversions((1, 0), (2, 0), (3, 0)), PERIOD, Windows()))
    assert found[0] == [[0]]
    assert sorted(found[-1]) == [[1], [2]]


def test_a_conversion_before_the_period_ends_a_path_and_is_not_counted() -> None:
    met = touches((1, -500, What.AD), (1, -100, What.VISIT), (1, 300, What.AD))
    found = join(met, conversions((1, -200), (1, 400)), PERIOD, Windows())
    assert paths(found) == {1: [[1, 2]]}
    assert not len(found.untouched)


def test_null_paths_belong_to_every_currency() -> None:
    met = touches((1, 1, What.AD), (2, 1, What.AD), (3, 1, What.AD))
    brought = conversions((1, 5, 0), (2, 5, 1), (4, 5, 1))
    found = join(met, brought, PERIOD, Windows())
    for currency, conversion, untouched in ((0, 0, []), (1, 1, [2])):
        places, missing = of_currency(found, brought, currency)
        assert sorted(found.conversions[places].tolist()) == [-1, conversion]
        assert missing.tolist() == untouched


def test_nothing_at_all_has_no_paths() -> None:
    found = join(touches(), conversions(), PERIOD, Windows())
    assert paths(found) == {}
    assert found.starts.tolist() == [0]
    assert join(touches(), conversions((1, 5)), PERIOD, Windows()).untouched.tolist() == [0]


def test_what_has_no_name_is_called_so() -> None:
    names, codes = relabel(touches((1, 0, What.AD)), np.array([0]), "rule", "(none)")
    assert [names[code] for code in codes] == ["(none)"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(-40, 200), st.sampled_from(list(What)), st.integers(0, 3)), max_size=25
    ),
    st.lists(st.tuples(st.integers(1, 4), st.integers(-40, 200)), max_size=8, unique=True),
)  # fmt: skip
def test_each_conversion_is_on_one_path_or_untouched(rows: Any, ends: Any) -> None:
    # A message is handed over once.
    once = {
        (c, m) if what == What.HANDED and m else number: (c, at, what, m)
        for number, (c, at, what, m) in enumerate(rows)
    }
    met, brought = (
        touches(*((c, at, what, m if what <= What.REDEEMED else 0) for c, at, what, m in once.values())),
        conversions(*ends),
    )
    found = join(met, brought, PERIOD, Windows())
    within = [place for place, (_, at) in enumerate(ends) if at >= 0]
    ending = found.conversions[found.conversions >= 0].tolist()
    assert sorted([*ending, *found.untouched.tolist()]) == within
    assert len(set(found.touches.tolist())) == len(found.touches)
    for place, (begin, end) in enumerate(zip(found.starts, found.starts[1:], strict=False)):
        on = found.touches[begin:end]
        assert len(on) >= 1
        assert np.all(np.diff(met.at[on]) >= 0)
        assert len(set(met.customers[on].tolist())) == 1
        ours = met.messages[on][met.messages[on] > 0].tolist()
        assert len(ours) == len(set(ours))
        if (conversion := found.conversions[place]) >= 0:
            assert np.all(met.at[on] <= brought.at[conversion] + 60 * SECOND)


def test_a_message_of_the_very_moment_of_an_order_is_about_it_and_did_not_bring_it() -> None:
    told = touches((1, 0, What.HANDED, 5), (1, 100, What.HANDED, 6), (1, 100, What.CLICKED, 5))
    found = join(told, conversions((1, 100), (1, 200)), PERIOD, Windows())
    assert paths(found) == {0: [[2]], 1: [[1]]}
