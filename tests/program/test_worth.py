"""What a goal was worth is written down as money, whatever the event's fields hold."""

from __future__ import annotations

from typing import Any

import pytest

from segue.program.values import write_worth


@pytest.mark.parametrize(
    ("fields", "worth"),
    [
        ({"total": "12.50"}, "12.50 EUR"),
        ({"total": 20.5, "currency": "usd"}, "20.5 USD"),
        ({"total": {"amount": 30, "currency": "sek"}, "currency": "USD"}, "30 SEK"),
        ({"total": -5}, "-5 EUR"),
        ({"total": 9, "currency": ""}, "9 EUR"),
        ({"total": 9, "currency": 5}, "9 EUR"),
        ({"total": 9, "currency": "EURO"}, None),
        ({"total": 9, "currency": "x y"}, None),
        ({"total": "NaN"}, None),
        ({"total": "-Infinity"}, None),
        ({"total": "abc"}, None),
        ({"total": True}, None),
        ({"total": [9]}, None),
        ({}, None),
    ],
)
def test_a_worth_is_money_or_nothing(fields: dict[str, Any], worth: str | None) -> None:
    assert write_worth(fields.get("total"), fields, "EUR") == worth
