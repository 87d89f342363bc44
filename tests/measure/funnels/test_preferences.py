"""Which channels the customers of each segment answer."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest

from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import CLICKED, DELIVERED
from segue.measure.funnels.preferences import Contactable, Numbers, preferences_table
from tests.measure.funnels.test_counting import MONDAY, NOW, contact, course, version


def numbers(*customers: int) -> Numbers:
    return np.array(customers, dtype=np.int64)


@pytest.fixture
def funnel() -> Funnel:
    """Three customers: one who clicks everything twice over, one who got it and did nothing, one to whom nothing
    went."""
    found = Funnel("carts", {1: version()}, UTC, by_customer=True)
    clicked = contact(handed=MONDAY, persons=CLICKED)
    for one in (
        course(customer=1, contacts=(clicked, clicked)),
        course(customer=1, contacts=(clicked,)),
        course(customer=2, contacts=(contact(handed=MONDAY, persons=DELIVERED), contact("sms", handed=MONDAY))),
        course(customer=3, contacts=(contact(fate="skipped", reason="no email"),)),
    ):
        found.take(one, NOW)
    return found


def test_a_customer_counts_once_in_each_segment_they_are_in(funnel: Funnel) -> None:
    standing = Contactable({"email": numbers(1, 2), "sms": numbers(2, 3)}, {"sms": numbers(1)})
    table = preferences_table(funnel, {"vips": numbers(1, 9), "nobody": numbers()}, standing)
    assert [row[1:8] for row in table.rows] == [
        ("everyone", "email", 3, 2, 0, 2, 1),
        ("everyone", "sms", 3, 2, 1, 1, 0),
        ("nobody", "email", 0, 0, 0, 0, 0),
        ("nobody", "sms", 0, 0, 0, 0, 0),
        ("vips", "email", 1, 1, 0, 1, 1),
        ("vips", "sms", 1, 0, 1, 0, 0),
    ]
    assert table.column("answer_rate") == (0.5, 0.0, None, None, 1.0, None)


def test_of_an_empty_funnel_nothing_is_said() -> None:
    table = preferences_table(Funnel("carts", {}, UTC, by_customer=True), {}, Contactable({}, {}))
    assert table.rows == ()
