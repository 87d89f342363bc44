"""The alphabets, and how texts are cut into parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api.sms import (
    TextError,
    alphabet_of,
    count_parts,
    decode_gsm,
    encode_gsm,
    outside_gsm,
    readable_text,
    split_text,
)
from segue.api.sms.alphabet import BASIC, EXTENSION, units_of
from segue.api.sms.parts import PART


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


@given(st.text(alphabet="ab€[~ж😀ç \n", max_size=500))
def test_parts_put_together_are_the_text_and_none_is_longer_than_it_may_be(text: str) -> None:
    parts = split_text(text)
    assert "".join(parts.texts) == text
    assert parts.units == sum(units_of(c, parts.alphabet) for c in text)
    if parts.count > 1:
        assert all(0 < sum(units_of(c, parts.alphabet) for c in one) <= PART[parts.alphabet] for one in parts.texts)


@pytest.mark.parametrize(
    ("text", "first"), [("x" * 152 + "€" + "x" * 20, "x" * 152), ("ж" * 66 + "😀" + "ж" * 10, "ж" * 66)]
)
def test_no_character_of_two_units_is_cut_in_half(text: str, first: str) -> None:
    assert split_text(text).texts[0] == first


def test_an_alphabet_can_be_asked_for() -> None:
    assert split_text("x" * 71, "ucs-2").count == 2


def test_the_characters_that_make_a_text_dear_are_named() -> None:
    assert outside_gsm("It’s “new” – it’s") == ("’", "“", "”", "–")
    assert outside_gsm("5 € {a}") == ()


@given(st.text(alphabet=sorted(BASIC | EXTENSION)))
def test_gsm_7_decodes_to_what_was_encoded(text: str) -> None:
    assert decode_gsm(encode_gsm(text)) == text


def test_gsm_7_has_the_codes_of_the_standard() -> None:
    assert encode_gsm("@A€ à\n") == b"\x00\x41\x1b\x65\x20\x7f\x0a"
    assert decode_gsm(b"\x1bA\x1b\x1b\xff\x1b") == "A \ufffd"
    with pytest.raises(ValueError, match="ж"):
        encode_gsm("ж")


@given(st.binary(max_size=300))
def test_any_bytes_decode(septets: bytes) -> None:
    assert len(decode_gsm(septets)) <= len(septets)


@pytest.mark.parametrize("text", ["", " \n", "a\x00b", "\x1b[2J", "\ud83d"])
def test_what_no_sms_can_carry_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        readable_text(text)


def test_line_ends_and_what_surrounds_a_text_are_tidied() -> None:
    assert readable_text("\r\nHi\tAnn,\r\nbye\r\n\r\n") == "Hi Ann,\nbye"
