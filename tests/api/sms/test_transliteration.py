"""Writing a text with the characters of GSM-7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api.sms import Transliteration, alphabet_of, count_parts, transliterate


@pytest.mark.parametrize(
    ("text", "how", "written"),
    [
        ("It’s “new” – see…", "punctuation", 'It\'s "new" - see...'),
        ("5\u00a0€", "punctuation", "5 €"),
        ("It’s", "never", "It’s"),
        ("ça va", "punctuation", "ça va"),
        ("ça va, č, ł, œ", "letters", "ca va, c, l, oe"),
        ("Grüße à Ænes", "letters", "Grüße à Ænes"),
        ("e\u0301te\u0301", "punctuation", "été"),
        # Half a replacement saves nothing, so the text stays as it was written.
        ("“Ваша” корзина", "letters", "“Ваша” корзина"),
        ("It’s 🛒", "letters", "It’s 🛒"),
    ],
)
def test_a_text_is_replaced_whole_or_not_at_all(text: str, how: Transliteration, written: str) -> None:
    assert transliterate(text, how) == written


@given(st.text(alphabet="aé“”–…čłж€\u00a0🛒 ", max_size=400), st.sampled_from(["punctuation", "letters"]))
def test_a_text_costs_no_more_for_it_and_doing_it_twice_changes_nothing(text: str, how: Transliteration) -> None:
    once = transliterate(text, how)
    assert transliterate(once, how) == once
    assert once == text or alphabet_of(once) == "gsm-7"
    if len(once) <= len(text):
        assert count_parts(once) <= count_parts(text)
