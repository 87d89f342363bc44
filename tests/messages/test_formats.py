from __future__ import annotations

from typing import Any

import pytest

from segue.messages import RenderError, render
from segue.messages.template import House, template_of

FINNISH = House("fi", "Europe/Helsinki", "EUR")


def text(source: str, house: House = FINNISH, **values: Any) -> str:
    return render(template_of("m", "sms", None, {"text": source}, house=house), values)["text"]


@pytest.mark.parametrize(
    ("locale", "money", "number", "percent"),
    [
        ("en", "€1,234.50", "1,234.5", "25%"),
        ("fi", "1 234,50 €", "1 234,5", "25 %"),
        ("de", "1.234,50 €", "1.234,5", "25 %"),
        ("pt-BR", "€ 1.234,50", "1.234,5", "25%"),
        ("de-CH", "EUR 1’234.50", "1’234.5", "25%"),
        ("ar", "\u200f1,234.50 €", "1,234.5", "25%"),
        ("fa", "\u200e€ ۱٬۲۳۴٫۵۰", "۱٬۲۳۴٫۵", "۲۵%"),
    ],
)
def test_money_numbers_and_shares_are_written_as_the_language_writes_them(
    locale: str, money: str, number: str, percent: str
) -> None:
    house = House(locale, "UTC", "EUR")
    source = "{{ n | money }}|{{ n | number }}|{{ 0.25 | percent }}"
    assert text(source, house, n=1234.5).split("|") == [money, number, percent]


def test_a_text_has_plain_spaces_and_html_such_as_do_not_break() -> None:
    parts = {"text": "{{ 5 | money }}", "html": "{{ 5 | money }}"}
    rendered = render(template_of("m", "email", None, parts, house=FINNISH), {})
    assert rendered["text"] == "5,00 €"
    assert rendered["html"] == "5,00\u00a0€"


def test_money_is_in_the_currency_given_else_in_the_project_s_with_its_own_minor_units() -> None:
    house = House("en", "UTC", "EUR")
    source = "{{ 5 | money }} {{ 5 | money: 'JPY' }} {{ 5 | money: 'KWD' }} {{ m | money }}"
    assert text(source, house, m={"amount": "7.5", "currency": "SEK"}) == "€5.00 ¥5 KWD 5.000 SEK 7.50"


def test_half_a_cent_is_rounded_up() -> None:
    assert text("{{ 1.005 | money }} {{ 2.675 | number: 2 }} {{ 0.125 | percent }}", House("en", "UTC", "EUR")) == (
        "€1.01 2.68 13%"
    )


def test_days_and_times_are_written_on_the_customer_s_clock() -> None:
    source = "{{ at | date: 'long' }}|{{ at | datetime: 'short' }}|{{ at | time }}|{{ '2026-11-27' | date: 'short' }}"
    assert text(source, at="2026-11-27T22:30:00Z") == "28. marraskuuta 2026|28.11.2026 0.30|0.30|27.11.2026"
    assert text(source, at="2026-11-27T22:30:00Z", customer={"timezone": "America/New_York"}) == (
        "27. marraskuuta 2026|27.11.2026 17.30|17.30|27.11.2026"
    )


def test_months_and_weekdays_in_a_format_of_one_s_own_are_in_the_customer_s_language() -> None:
    assert (
        text("{{ '2026-11-27' | date: '%A %d. %B, %b, %^a, 100%%' }}") == "perjantai 27. marraskuuta, marras, PE, 100%"
    )


def test_the_country_of_the_customer_decides_where_their_language_is_the_content_s() -> None:
    house = House("en", "UTC", "EUR")
    source = "{{ '2026-11-27' | date: 'short' }}"
    assert text(source, house) == "11/27/26"
    assert text(source, house, customer={"locale": "en-GB"}) == "27/11/2026"
    assert text(source, house, customer={"language": "en", "country": "GB"}) == "27/11/2026"
    assert text(source, house, customer={"locale": "fi-FI"}) == "11/27/26", "English content stays English"


@pytest.mark.parametrize(
    ("locale", "count", "written"),
    [("en", 1, "1 book"), ("en", 1234, "1,234 books"), ("cs", 1, "1 kniha"), ("cs", 3, "3 knihy"), ("cs", 5, "5 knih")],
)
def test_a_word_goes_with_its_number(locale: str, count: int, written: str) -> None:
    forms = {
        "en": "{{ n | plural: '# book', '# books' }}",
        "cs": "{{ n | plural: one: '# kniha', few: '# knihy', other: '# knih' }}",
    }
    assert text(forms[locale], House(locale), n=count) == written


def test_nothing_may_have_a_word_of_its_own() -> None:
    assert text("{{ n | plural: zero: 'none', one: 'one', other: 'many' }}", House("en"), n=0) == "none"


@pytest.mark.parametrize("source", ["{{ 1 | number: 99 }}", "{{ 1 | plural: some: 'x' }}", "{{ 0 | time: 'tiny' }}"])
def test_what_a_filter_does_not_know_fails_the_message(source: str) -> None:
    with pytest.raises(RenderError):
        text(source)


def test_a_locale_without_tables_is_written_as_its_language_else_as_english() -> None:
    assert text("{{ 5 | money }}", House("fi-ZZ", "UTC", "EUR")) == "5,00 €"
    assert text("{{ 5 | money }}", House("tlh", "UTC", "EUR")) == "€5.00"


def test_dates_have_the_digits_of_the_country() -> None:
    source = '{{ "2026-03-09" | date: "short" }} {{ "2026-03-09T10:05:00Z" | time }}'
    assert text(source, House("ar-EG")) == "٩\u200f/٣\u200f/٢٠٢٦ ١٠:٠٥ ص"
    assert text(source, House("ar-MA")).startswith("9")
