"""Numbers, their countries, and whom a customer sees as the sender."""

from __future__ import annotations

import pytest

from segue.api.sms import NumberError, check_sender, check_senders, country_of, parse_number, sender_for


@pytest.mark.parametrize(
    "text", ["+358 40 123 4567", "00358401234567", "358401234567", "+358-(40)-123.4567", "+358\u00a0401234567"]
)
def test_numbers_are_brought_to_e164(text: str) -> None:
    assert parse_number(text) == "+358401234567"


@pytest.mark.parametrize(
    "text", ["", "Ann", "0401234567", "+0401234567", "12345", "+1 2 3", "+35840123456712345", "٣" * 9]
)
def test_what_is_no_number_says_what_it_lacks(text: str) -> None:
    with pytest.raises(NumberError, match="country"):
        parse_number(text)


@pytest.mark.parametrize(
    ("number", "country"),
    [("+358401234567", "FI"), ("+12125550123", "US"), ("+14165550123", "CA"), ("+88216123456", ""), ("nothing", "")],
)
def test_a_number_has_the_country_of_its_plan(number: str, country: str) -> None:
    assert country_of(number) == country


def test_the_sender_is_that_of_the_country() -> None:
    senders = {"US": "+12025550100", "FI": "Kauppa"}
    numbers = ("+358401234567", "+12125550123", "+14165550123")
    assert [sender_for(number, senders, "Shop") for number in numbers] == ["Kauppa", "+12025550100", "Shop"]


@pytest.mark.parametrize("sender", ["+358401234567", "17117", "Shop", "My Shop 24", "A-1"])
def test_senders_are_numbers_or_names(sender: str) -> None:
    check_sender(sender)


@pytest.mark.parametrize("sender", ["", "a name that is long", "Ann\nX", "Käuppä", "12", "+", "---"])
def test_what_is_no_sender_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match=r"sender .* is neither"):
        check_sender(sender)


@pytest.mark.parametrize(("senders", "says"), [({"Finland": "Shop"}, "two capital"), ({"FI": "ä"}, r"senders\.FI")])
def test_a_table_of_senders_names_countries(senders: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_senders(senders)
