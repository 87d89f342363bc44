"""The alphabets, and the number of parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue_sms_gateway.alphabet import BASIC, EXTENSION, alphabet_of, count_parts


def test_the_tables_have_the_sizes_of_the_standard() -> None:
    # 128 places of the basic table less the escape; the extension table of 3GPP TS 23.038 6.2.1.1.
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # 153 is odd: the escape of a two-septet character never ends a part, so 76 fit and not 76.5.
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_parts_are_counted_as_the_operator_does(text: str, parts: int) -> None:
    assert count_parts(text) == parts


@pytest.mark.parametrize(
    ("text", "alphabet"), [("Hyvä @ {€}\n", "gsm-7"), ("“curly”", "ucs-2"), ("ç", "ucs-2"), ("Ç", "gsm-7")]
)
def test_one_character_decides_the_alphabet(text: str, alphabet: str) -> None:
    assert alphabet_of(text) == alphabet


@given(st.text(max_size=400), st.text(max_size=5))
def test_a_longer_text_never_takes_fewer_parts(text: str, more: str) -> None:
    assert count_parts(text + more) >= count_parts(text)
