"""Where visits begin."""

from __future__ import annotations

import numpy as np

from segue.api.values import MINUTE
from segue.measure.touchpoints.visits import UNKNOWN, find_visits

DIRECT = 0


def visits(*rows: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    """Where visits begin, and of which origin: of (customer, minute, origin, whether it is a page)."""
    columns = [np.array([row[at] for row in rows], np.int64) for at in range(4)]
    places, origins = find_visits(columns[0], columns[1] * MINUTE, columns[2], columns[3], DIRECT)
    return list(zip(places.tolist(), origins.tolist(), strict=True))


def test_nothing_is_no_visit() -> None:
    assert visits() == []


def test_half_an_hour_of_rest_ends_a_visit_and_a_page_each_quarter_does_not() -> None:
    assert visits((1, 0, UNKNOWN, 1), (1, 15, UNKNOWN, 1), (1, 45, UNKNOWN, 1), (1, 76, UNKNOWN, 1)) == [(0, 0), (3, 0)]


def test_another_origin_begins_another_visit_and_the_same_does_not() -> None:
    assert visits((1, 0, 5, 1), (1, 1, 5, 1), (1, 2, UNKNOWN, 1), (1, 3, 6, 1), (1, 4, 5, 1)) == [
        (0, 5),
        (3, 6),
        (4, 5),
    ]


def test_an_origin_that_was_told_before_a_rest_begins_anew_after_it() -> None:
    assert visits((1, 0, 5, 1), (1, 60, UNKNOWN, 1), (1, 61, 5, 1)) == [(0, 5), (1, DIRECT), (2, 5)]


def test_a_page_behind_a_click_goes_on_with_it() -> None:
    assert visits((1, 0, 100, 0), (1, 0, 100, 1), (1, 10, UNKNOWN, 1), (1, 11, 5, 1)) == [(3, 5)]
    assert visits((1, 0, 100, 0), (1, 31, UNKNOWN, 1)) == [(1, DIRECT)]


def test_a_visit_is_one_customer_s() -> None:
    assert visits((1, 0, 5, 1), (2, 1, UNKNOWN, 1), (2, 0, 5, 1)) == [(0, 5), (2, 5)]
