"""Telephone numbers in E.164."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[ \u00a0\u202f().\-/]")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class NumberError(ValueError):
    """This is not a telephone number that can be dialled from anywhere; the text says why."""


def parse_number(text: str) -> str:
    """The number as ``+`` and 7 to 15 digits (ITU-T E.164). Spaces and the usual separators are taken out, ``00``
    stands for ``+``, and digits that begin with a country code may lack it. Raises NumberError."""
    digits = _SEPARATORS.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits[:1] in set("123456789"):
        digits = "+" + digits
    if _NUMBER.fullmatch(digits) is None:
        shown = repr(text if len(text) <= 40 else text[:40] + "…")
        if re.fullmatch(r"0[0-9]+", digits):
            raise NumberError(f"{shown} lacks its country: write it as +, country code and number (+358401234567)")
        raise NumberError(f"{shown} is not a telephone number: it needs +, country code and number (+358401234567)")
    return digits


def country_of(number: str) -> str:
    """The country (ISO 3166-1, two letters) to whose numbering plan a number in E.164 belongs: ``CA`` and ``US`` are
    told apart though both begin with +1. Empty where there is none (satellite telephones)."""
    import phonenumbers  # its tables are loaded where numbers are sent to

    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return region if region is not None and region != "001" else ""
