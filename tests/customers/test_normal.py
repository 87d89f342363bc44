"""Phone numbers, mail addresses, countries, languages and zones in one form each."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.customers import normal


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+358 40 123 4567", None, "+358401234567"),
        ("040-123 4567", "FI", "+358401234567"),
        ("00358401234567", "FI", "+358401234567"),
        ("(202) 555-0100", "US", "+12025550100"),
        ("+44 7700 900123", None, "+447700900123"),  # a block that is kept for fiction
        ("+39 06 698 12345", None, "+390669812345"),  # Italy keeps its zero
        ("tel:+358-40-1234567", None, "+358401234567"),
        ("+1 202 555 0100 ext. 12", None, "+12025550100"),
        ("0401234567", None, None),
        ("+358", None, None),
        ("555-0100", "US", None),  # local only
        ("ann", "FI", None),
        ("", "FI", None),
        (401234567, "FI", None),
        ("+358401234567" * 30, None, None),
        ("040 1234567", "no such country", None),
    ],
)
def test_a_phone_number_is_written_in_e164(text: object, country: str | None, expected: str | None) -> None:
    assert normal.phone(text, country) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("a.n.n+shop@gmail.com", "a.n.n+shop@gmail.com"),
        ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("JOSE\u0301@example.com", "jos\u00e9@example.com"),
        ("ann@example.com.", None),
        ("ann", None),
        ("@example.com", None),
        ("ann@", None),
        ("ann@localhost", None),
        ("ann@[192.0.2.1]", None),
        ("ann@192.0.2.1", None),
        ("ann smith@example.com", None),
        ("Ann <ann@example.com>", None),
        ("a@b@example.com", None),
        ("a" * 65 + "@example.com", None),
        ("ann@" + "a" * 64 + ".com", None),
        ("ann@" + "abcdefgh." * 30 + "com", None),
        ("a\ud800@example.com", None),
        ("ann@exa\nmple.com", None),
        (None, None),
        ({"address": "ann@example.com"}, None),
    ],
)
def test_a_mail_address_is_compared_in_one_form(text: object, expected: str | None) -> None:
    assert normal.email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FI", "FI"),
        ("fi", "FI"),
        ("FIN", "FI"),
        ("246", "FI"),
        ("Finland", "FI"),
        ("suomi", "FI"),
        ("Côte d’Ivoire", "CI"),
        ("cote d'ivoire", "CI"),
        ("United States", "US"),
        ("USA", "US"),
        ("UK", "GB"),
        ("XK", "XK"),
        ("ZZ", None),
        ("EU", None),
        ("Atlantis", None),
        ("", None),
        (358, None),
    ],
)
def test_a_country_is_two_letters(text: object, expected: str | None) -> None:
    assert normal.country(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fi", "fi"),
        ("FI", "fi"),
        ("fin", "fi"),
        ("en_US", "en-US"),
        ("en_US.UTF-8", "en-US"),
        ("pt-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("iw", "he"),
        ("de-DE-1996", "de-DE"),
        ("xx", None),
        ("en-XQ", None),
        ("Finnish, please", None),
        ("", None),
        (None, None),
    ],
)
def test_a_language_is_a_tag_of_bcp_47(text: object, expected: str | None) -> None:
    assert normal.language(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Europe/Helsinki", "Europe/Helsinki"),
        ("europe/helsinki", "Europe/Helsinki"),
        ("UTC", "UTC"),
        ("America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("Mars/Olympus", None),
        ("../../etc/passwd", None),
        ("+02:00", None),
        ("", None),
        (2, None),
    ],
)
def test_a_zone_has_its_iana_name(text: object, expected: str | None) -> None:
    assert normal.zone(text) == expected


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"timezone": "Asia/Tokyo", "phone": "+358401234567", "country": "FI"}, "Asia/Tokyo"),
        ({"timezone": "nowhere", "phone": "+358401234567"}, "Europe/Helsinki"),
        ({"phone": "+358401234567", "country": "JP"}, "Europe/Helsinki"),
        ({"phone": "+12025550100"}, "America/New_York"),
        ({"phone": "+34600000000"}, None),  # a mobile number of Spain may be on the Canaries
        ({"phone": "+34600000000", "country": "FI"}, "Europe/Helsinki"),
        ({"phone": "0401234567"}, None),
        ({"country": "DE"}, "Europe/Berlin"),  # and Büsingen, which has the same time
        ({"country": "Finland"}, "Europe/Helsinki"),
        ({"country": "US"}, None),
        ({"country": "US", "state": "CA"}, "America/Los_Angeles"),
        ({"country": "US", "state": "US-CA"}, "America/Los_Angeles"),
        ({"country": "US", "state": "New York"}, "America/New_York"),
        ({"country": "US", "state": "TX"}, None),
        ({"country": "US", "city": "Los Angeles"}, "America/Los_Angeles"),
        ({"country": "US", "city": "Springfield"}, None),
        ({"country": "AU", "state": "wa"}, "Australia/Perth"),
        ({"country": 5, "phone": ["+358"]}, None),
        ({}, None),
    ],
)
def test_the_zone_comes_from_what_is_known_of_the_customer(traits: dict[str, object], expected: str | None) -> None:
    assert normal.derived_zone(traits) == expected


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    for read in (normal.phone, normal.email, normal.country, normal.language, normal.zone):
        found = read(text)
        assert found is None or read(found) == found


@given(st.from_regex(r"[A-Za-z0-9.+é]{1,20}@[A-Za-z0-9ü-]{1,10}\.[a-z]{2,5}", fullmatch=True))
def test_the_form_of_an_address_is_its_own_form(text: str) -> None:
    found = normal.email(text)
    assert found is None or (normal.email(found) == found and normal.email(text.upper()) == normal.email(text.lower()))


def test_the_large_tables_are_loaded_at_the_first_use_only() -> None:
    program = (
        "import sys; from segue.customers import normal; normal.email('ann@example.com'); normal.zone('Asia/Tokyo'); "
        "print([name for name in ('phonenumbers', 'babel', 'idna') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"
