"""Which message a page with our own campaign parameters is the click of."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api.values import DAY
from segue.measure.touchpoints.columns import Label
from segue.measure.touchpoints.fields import Marks
from segue.measure.touchpoints.own_links import FOLLOWED, Handed, find_followed, marks_of

PARAMETERS = {"utm_source": "S-{channel}", "utm_medium": "m", "utm_campaign": "{rule}", "utm_content": "{message}"}
LABELS = (
    Label("email", "", "hello", "welcome"),
    Label("email", "", "hello", "again"),
    Label("sms", "", "hello", "again"),
    Label("organic search"),
)
MARKS: tuple[Marks, ...] = (
    ("s-email", "m", "hello", "welcome"),
    ("s-sms", "m", "hello", "again"),
    ("s-push", "m", "hello", "again"),
)


def find(visits: list[tuple[int, int, int]], messages: list[tuple[int, int, int]]) -> list[int]:
    """Visits are (customer, at, mark), messages (customer, at, label)."""
    columns = [np.array([one[place] for one in visits], np.int64) for place in range(3)]
    sent: list[Any] = [np.array([one[place] for one in messages], np.int64) for place in range(3)]
    handed = Handed(sent[0], sent[1], np.arange(1, len(messages) + 1), sent[2])
    found = find_followed(columns[0], columns[1], columns[2], MARKS, handed, LABELS, PARAMETERS)
    return [int(place) for place in found]


def test_links_carry_what_the_settings_say() -> None:
    assert marks_of(PARAMETERS, "sms", "hello", "again") == MARKS[1]
    assert marks_of({}, "sms", "hello", "again") == ("", "", "", "")


def test_it_is_the_newest_message_with_these_marks_that_went_to_the_customer_before() -> None:
    messages = [(1, 100, 0), (1, 200, 0), (1, 250, 1), (2, 90, 0), (1, 240, 2), (1, 200, 0)]
    assert find([(1, 150, 0), (1, 300, 0), (1, 200, 0), (1, 300, 1), (3, 300, 0)], messages) == [0, 5, 5, 4, -1]
    assert find([(1, 99, 0), (1, 300, 2), (2, 89, 0)], messages) == [-1, -1, -1]
    assert find([(1, 100 + FOLLOWED, 0), (1, 101 + FOLLOWED, 0)], messages[:1]) == [0, -1]
    assert find([(1, 1, 0)], []) == [-1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 6), st.integers(0, 2)), max_size=8),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 6), st.integers(0, 3)), max_size=8),
)
def test_it_is_what_a_look_at_each_message_finds(
    visits: list[tuple[int, int, int]], messages: list[tuple[int, int, int]]
) -> None:
    visits, messages = ([(one, at * 30 * DAY, kind) for one, at, kind in rows] for rows in (visits, messages))
    sure = [marks_of(PARAMETERS, one.channel, one.rule, one.message) if one.message else None for one in LABELS]
    for (customer, at, mark), found in zip(visits, find(visits, messages), strict=True):
        able = [
            (when, place)
            for place, (to, when, label) in enumerate(messages)
            if to == customer and at - FOLLOWED <= when <= at and sure[label] == MARKS[mark]
        ]
        assert found == (max(able)[1] if able else -1)
