"""Usual slips in shares, clock times and days: `5 percent`, `at 9`, `27.11.2026`."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import msgspec

from segue.language.keywords import KEYWORDS, WEEKDAYS
from segue.language.slip import Place, Slip

_POINTED_DAY: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\w)")
_SLASHED_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?!\w)")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})(?!\w)")


def share(place: Place) -> Slip | None:
    """``holdout 5 percent``, ``holdout 0.05``, ``split 50 "a"``."""
    if "PERCENT" not in place.accepts or re.fullmatch(r"\d+(\.\d+)?", place.word) is None:
        return None
    percent = re.match(r"\s*(percent|per\s?cent|pct|%)(?!\w)", place.later)
    write = f"{place.word}%"
    if percent is None and float(place.word) < 1:
        write = f"{float(place.word) * 100:g}%"
    end, cure = place.end + (percent.end() if percent else 0), f"write `{write}`"
    # Below one it may be a share of one or less than a hundredth.
    sure = percent is not None or float(place.word) >= 1
    return Slip(place.start, end, "a share is written with `%`", cure, cure, write, safe=sure)


def clock(place: Place) -> Slip | None:
    """``at 9``, ``at 9.30``, and ``wait until tomorrow`` without a clock time."""
    if "CLOCK" not in place.accepts:
        return None
    found = re.fullmatch(r"(\d{1,2})(?:[.](\d\d))?", place.word)
    if found is not None and int(found.group(1)) < 24 and int(found.group(2) or 0) < 60:
        write = f"{int(found.group(1)):02}:{found.group(2) or '00'}"
        return place.slip(
            "a clock time has hours and minutes", f"write `{write}`", write=write, code="E0207", safe=True
        )
    if place.before in ("tomorrow", *WEEKDAYS) and place.word in KEYWORDS - {"at"}:
        return place.slip(
            f"`wait until {place.before}` does not say at what time",
            f"add a clock time: `wait until {place.before} 09:00`",
        )
    return None


def day(place: Place) -> Slip | None:
    """``on 27.11.2026``, ``on 11/27/2026``."""
    if place.word == ".":
        # Where a value stands, the first part was a decimal number.
        begun = re.search(r"\d{1,2}\.\d{1,2}$", place.earlier)
        found = begun and _POINTED_DAY.match(begun.group() + place.word + place.later)
        if not begun or not found:
            return None
        back = len(begun.group())
        place = msgspec.structs.replace(place, start=place.start - back)
        return _day(place, found.end(), tuple(int(each) for each in reversed(found.groups())))
    if "DATE" not in place.accepts:
        return None
    text = place.word + place.later
    for pattern, order in ((_YEAR_FIRST, (0, 1, 2)), (_POINTED_DAY, (2, 1, 0))):
        found = pattern.match(text)
        if found is not None:
            return _day(place, found.end(), tuple(int(found.groups()[each]) for each in order))
    found = _SLASHED_DAY.match(text)
    if found is None:
        return None
    one, two, year = map(int, found.groups())
    if one > 12 or two > 12 or one == two:
        return _day(place, found.end(), (year, two, one) if one > 12 else (year, one, two))
    return Slip(
        place.start,
        place.start + found.end(),
        "a day is written year, month, day",
        f"write `{year}-{one:02}-{two:02}` or `{year}-{two:02}-{one:02}`, whichever day you mean",
        "which is the month?",
        code="E0208",
    )


def _day(place: Place, length: int, parts: tuple[int, ...]) -> Slip | None:
    try:
        write = date(*parts).isoformat()
    except ValueError:
        return None
    cure = f"write `{write}`"
    message = "a day is written year, month, day"
    return Slip(place.start, place.start + length, message, cure, cure, write, "E0208", safe=True)
