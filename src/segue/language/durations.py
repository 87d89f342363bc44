"""Durations and clock times that are written another way: `2 days`, `1y`, `90m`, `9pm`.

Each is answered with how Segue writes it; `m` alone, minutes or months, with a question.
"""

from __future__ import annotations

import re
from typing import Final

from segue.language.expectations import short
from segue.language.slip import Slip

_UNIT_WORDS: Final = {
    **dict.fromkeys(("day", "days", "päivä", "päivää"), "d"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), "h"),
    **dict.fromkeys(("minute", "minutes", "mins"), "min"),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "s"),
    **dict.fromkeys(("week", "weeks", "wk"), "w"),
    **dict.fromkeys(("month", "months", "mon"), "mo"),
    **dict.fromkeys(("d", "h", "min", "s", "w", "mo"), ""),
}
_NEXT_WORD: Final = re.compile(r"[ \t\f\r\n]*([^\W\d]\w*)")
_CLOCK_OF_TWELVE: Final = re.compile(r"(\d{1,2})(?:[.:](\d\d))?([ap])m", re.IGNORECASE)


def odd_number(word: str, start: int) -> Slip:
    """A word that begins with a digit and is none of the language's numbers. ``start`` is its place."""
    end = start + len(word)
    twelve = _CLOCK_OF_TWELVE.fullmatch(word)
    if twelve is not None and 1 <= int(twelve.group(1)) <= 12:
        hour = int(twelve.group(1)) % 12 + (12 if twelve.group(3).lower() == "p" else 0)
        clock = f"{hour:02}:{twelve.group(2) or '00'}"
        cure = f"write `{clock}`"
        return _slip(start, end, "clock times have 24 hours", cure, label=cure, write=clock)
    if re.fullmatch(r"\d+x", word):
        written = f"{word.removesuffix('x')} times"
        return _slip(start, end, "how often is said with `times`", f"write `{written}`", write=written)
    if re.fullmatch(r"(\d+(mo|min|w|d|h|s))*\d+m(\d+\w*)?", word):
        return _bare_m(word, start, end)
    unit = re.fullmatch(r"(\d+)([^\W\d_]+)", word)
    meant = _UNIT_WORDS.get(unit.group(2).casefold()) if unit else None
    if unit and meant:
        written = unit.group(1) + meant
        return _slip(
            start,
            end,
            f"`{word}` is not how a duration is written",
            "the units are `s`, `min`, `h`, `d`, `w` and `mo`",
            label=f"write `{written}`",
            write=written,
        )
    if unit and unit.group(2) in ("y", "yr", "year", "years", "a"):
        months = int(unit.group(1)[:6]) * 12
        return _slip(start, end, "there is no unit for years", "a year is `12mo`", label=f"write `{months}mo`")
    return _slip(
        start,
        end,
        f"`{short(word)}` is neither a number nor a duration",
        "durations are whole numbers with the units `s`, `min`, `h`, `d`, `w` and `mo`, such as `1d`; "
        "a name cannot begin with a digit",
    )


def number_for_duration(number: str, start: int, end: int, text: str) -> Slip:
    """A number where a duration belongs; the unit may follow as a word of its own."""
    following = _NEXT_WORD.match(text, end)
    word = following.group(1) if following else ""
    if following and word == "m":
        return _bare_m(f"{number}m", start, following.end())
    unit = _UNIT_WORDS.get(word.casefold())
    if following and unit is not None:
        written = f"{number}{unit or word}"
        return _slip(
            start,
            following.end(),
            f"a duration is written in one word: `{written}`",
            "the units are `s`, `min`, `h`, `d`, `w` and `mo`",
            label=f"write `{written}`",
            write=written,
        )
    return _slip(
        start,
        end,
        f"a duration belongs here, and `{short(number)}` has no unit",
        f"write for instance `{short(number)}d` for days; the units are `s`, `min`, `h`, `d`, `w` and `mo`",
        label="no unit",
    )


def _bare_m(word: str, start: int, end: int) -> Slip:
    minutes = re.sub(r"(\d)m(?![a-z])", r"\1min", word)
    months = re.sub(r"(\d)m(?![a-z])", r"\1mo", word)
    return Slip(
        start,
        end,
        f"does the `m` in `{word}` mean minutes or months?",
        f"write `{minutes}` for minutes or `{months}` for months",
        "minutes or months?",
        code="E0206",
    )


def _slip(start: int, end: int, message: str, hint: str, *, label: str = "", write: str | None = None) -> Slip:
    return Slip(start, end, message, hint, label, write, "E0207", safe=write is not None)
