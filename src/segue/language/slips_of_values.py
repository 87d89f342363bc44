"""Usual slips in values: durations with a fraction, zones without their continent, money, lists, `is`, sums."""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from segue.language.keywords import KEYWORDS
from segue.language.slip import Place, Slip

_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}$")
_SMALLER: Final = {"w": (7, "d"), "d": (24, "h"), "h": (60, "min"), "min": (60, "s")}
_CHOICE: Final = r"(?:\"[^\"\n]*\"|[^\W\d]\w*|\d+)"
_CHOICES: Final = re.compile(rf"\"[^\"\n]*\"(?:\s*,\s*\"[^\"\n]*\")*|\(\s*{_CHOICE}(?:\s*,\s*{_CHOICE})*\s*\)")
_CURRENCIES: Final = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "¥": "JPY",
    **dict.fromkeys(("euro", "euros", "eur"), "EUR"),
    **dict.fromkeys(("dollar", "dollars", "usd"), "USD"),
    **dict.fromkeys(("pound", "pounds", "gbp"), "GBP"),
}
_ONE_CURRENCY: Final = frozenset(("€", "euro", "euros", "eur", "usd", "gbp"))
"""Those of them that no second country uses for its own."""


def compared_by_is(place: Place) -> Slip | None:
    """``customer.country is "FI"``."""
    if place.word != "is":
        return None
    if re.match(r"\s+(not\s+)?(empty|null|none|missing|set|known|unknown|there)(?!\w)", place.later):
        hint = "a trait or field alone is true when it is there: `customer.country`, `not customer.country`"
        return place.slip("whether a value is there is asked by its name alone", hint)
    negated = re.match(r"\s+not\b", place.later)
    sign, end = ("!=", place.end + negated.end()) if negated else ("=", place.end)
    message, cure = f"values are compared with `{sign}`", f"write `{sign}`"
    return Slip(place.start, end, message, cure, cure, sign, safe=True)


def compared(place: Place) -> Slip | None:
    """``is``, where a comparison can stand."""
    return compared_by_is(place) if {"EQUAL", "COMPARISON"} <= place.accepts else None


def unbracketed(place: Place) -> Slip | None:
    """``in "FI", "SE"`` and ``in ("FI", "SE")``."""
    value = re.search(r"([\w\"]+)\s+in\s*$", place.earlier)
    if value is None or value.group(1) in KEYWORDS:
        return None  # `in lapsed`: a segment
    found = _CHOICES.match(place.word + place.later)
    if found is None:
        return None
    choices = f"[{found.group().strip('()')}]"
    return Slip(
        place.start,
        place.start + found.end(),
        "the values to choose from stand in square brackets",
        f"write `in {choices}`",
        f"write `{choices}`",
        choices,
        safe=True,
    )


def contains(place: Place) -> Slip | None:
    """``items contains "X1"``."""
    found = re.search(r"([^\W\d][\w.]*)\s+(contains|includes|has)\s*$", place.earlier)
    if found is None or not place.word.startswith('"'):
        return None
    write = f"{place.word} in {found.group(1)}"
    begin, cure = place.start - len(place.earlier) + found.start(), f"write `{write}`"
    return Slip(begin, place.end, "whether a list holds something is asked with `in`", cure, cure, write, safe=True)


def sum_in_place(place: Place) -> Slip | None:
    """``set customer.points += 1``."""
    found = re.search(r"\bset\s+(customer\s*\.\s*\w+)\s*$", place.earlier)
    if found is None or place.word not in ("+", "-") or place.later[:1] != "=":
        return None
    write = f"= {found.group(1)} {place.word}"
    cure = f"write `{write} …`"
    message = "what a trait becomes is written out"
    return Slip(place.start, place.end + 1, message, cure, cure, write, safe=True)


def fraction(place: Place) -> Slip | None:
    """``wait 1.5d``."""
    found = re.match(r"(\d+)[.,](\d+)\s?(mo|min|w|d|h|s)?(?!\w)", place.word + place.later)
    if found is None or "DURATION" not in place.accepts:
        return None
    whole, part, unit = found.groups()
    hint = "write a smaller unit instead, such as `36h` for a day and a half"
    write = None
    if unit in _SMALLER:
        size, smaller = _SMALLER[unit]
        count, rest = divmod(int(whole + part) * size, 10 ** len(part))
        if not rest:
            write = f"{count}{smaller}"
            hint = f"write `{write}`"
    message = "durations are whole numbers"
    end, label = place.start + found.end(), f"write `{write}`" if write else ""
    # A day by the calendar is not always 24 hours.
    return Slip(place.start, end, message, hint, label, write, "E0207", safe=write is not None and unit != "d")


def zone(place: Place) -> Slip | None:
    """``wait until 09:00 Helsinki``."""
    if "ZONE" not in place.accepts or not _CLOCK.match(place.before) or not place.word[:1].isupper():
        return None
    zones = _zones_by_place().get(place.word.casefold())
    if zones is None:
        return place.slip(
            "a time zone is written with its continent",
            "write for instance `Europe/Helsinki`, or `local` for the customer's",
            code="E0208",
        )
    return place.slip("a time zone is written with its continent", f"write `{zones}`", write=zones, code="E0208")


@cache
def _zones_by_place() -> dict[str, str]:
    return {
        zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones(), reverse=True) if "/" in zone
    }


def currency_after(text: str) -> tuple[int, str] | None:
    """The currency that a text begins with: how many characters it takes there, and its three letters."""
    found = re.match(r"\s?(€|\$|£|¥|[^\W\d]+)", text)
    currency = _CURRENCIES.get(found.group(1).casefold()) if found else None
    return (found.end(), currency) if found and currency else None


def money(place: Place) -> Slip | None:
    """``total > 50€``."""
    currency = _CURRENCIES.get(place.word.casefold())
    if currency is None:
        return None
    amount = re.search(r"(\d+(?:\.\d+)?)\s?$", place.earlier)
    following = re.match(r"\s?(\d+(?:[.,]\d{1,2}(?!\w))?)", place.later)
    message = "an amount is written with the three letters of its currency"
    safe = place.word.casefold() in _ONE_CURRENCY
    if following is not None and amount is None:
        write = f"{following.group(1).replace(',', '.')} {currency}"
        end, cure = place.end + following.end(), f"write `{write}`"
        return Slip(place.start, end, message, cure, cure, write, "E0105", safe)
    if amount is not None:
        write = f"{amount.group(1)} {currency}"
        start, cure = place.start - len(amount.group()), f"write `{write}`"
        return Slip(start, place.end, message, cure, cure, write, "E0105", safe)
    return Slip(place.start, place.end, message, f"write for instance `50 {currency}`", "", None, "E0105")
