from __future__ import annotations

from pathlib import Path

import pytest

from segue.messages import load_messages
from segue.messages.locales import is_right_to_left, tried


@pytest.mark.parametrize(
    ("customer", "locales"),
    [
        ({"locale": "pt_BR"}, ["pt-BR", "pt", None, "fi"]),
        ({"language": "pt", "country": "BR"}, ["pt-BR", "pt", None, "fi"]),
        ({"language": "sv", "country": "Finland"}, ["sv-FI", "sv", "fi-FI", "fi", None]),
        ({"country": "BR"}, ["pt-BR", "pt", None, "fi"]),
        ({}, ["fi", None]),
        ({"locale": "no language"}, ["fi", None]),
        ({"locale": 7, "country": True}, ["fi", None]),
        ({"locale": "zh-Hant-TW"}, ["zh-Hant-TW", "zh-TW", "zh-Hant", "zh", None, "fi"]),
        ({"locale": "zh_HK"}, ["zh-HK", "zh-Hant", "zh-TW", "zh", None, "fi"]),
        ({"locale": "zh-CN"}, ["zh-CN", "zh", None, "fi"]),
        ({"locale": "sr-Latn-RS"}, ["sr-Latn-RS", "sr-Latn", "sr", "sr-RS", None, "fi"]),
        ({"locale": "nb-NO"}, ["nb-NO", "nb", "no", None, "fi"]),
        ({"country": "NO"}, ["nb-NO", "nb", "no", None, "fi"]),
        ({"locale": "nn"}, ["nn", "no", "nb", None, "fi"]),
    ],
)
def test_content_is_looked_for_by_language_then_country_then_default(
    customer: dict[str, object], locales: list[str | None]
) -> None:
    assert [step.locale for step in tried(customer, "fi")] == locales


def test_the_choice_says_where_it_looked(tmp_path: Path) -> None:
    home = tmp_path / "messages" / "cart"
    home.mkdir(parents=True)
    (home / "sms.pt.txt").write_text("olá")
    catalogue = load_messages([tmp_path])
    choice = catalogue.choose("cart", "sms", tried({"locale": "pt-BR"}, "en"))
    assert choice.template is not None
    assert choice.template.parts == {"text": "olá"}
    assert str(choice) == "not in pt-BR, the customer's language; written in pt, the customer's language"
    nothing = catalogue.choose("cart", "sms", tried({"country": "SE"}, "en"))
    assert nothing.template is None
    assert str(nothing) == (
        "no content in any of: sv-SE, the language of the customer's country; sv, the language of the customer's "
        "country; the content for everyone; en, the project's language"
    )


def test_languages_from_right_to_left_are_known() -> None:
    assert [
        tag for tag in ("ar", "he-IL", "fa", "ur-PK", "az-Arab", "fi", "az", "ar-Latn") if is_right_to_left(tag)
    ] == [
        "ar",
        "he-IL",
        "fa",
        "ur-PK",
        "az-Arab",
    ]
