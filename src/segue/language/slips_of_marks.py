"""Usual slips in marks: comments, lists and templates as other tools write them, arrows, braces, commas in numbers."""

from __future__ import annotations

import re
from typing import Final

from segue.language.slip import Place, Slip
from segue.language.slips_of_values import currency_after

_TEMPLATE: Final = re.compile(r"\{\{\s*([^\W\d]\w*(?:\.[^\W\d]\w*)?)\s*\}\}")
_ARROWS: Final = frozenset("→⇒➔➜➡⟶")


def comment(place: Place) -> Slip | None:
    """``// a comment``, ``-- a comment``, ``/* a comment */``."""
    if place.word == "/" and place.later[:1] == "*":
        return Slip(
            place.start, place.end + 1, "a comment begins with `#` and ends with its line", "put a `#` before each line"
        )
    if not (place.word == "/" and place.later[:1] == "/") and not (
        place.word == "-" and re.match(r"-+\s", place.later) and _begins_line(place)
    ):
        return None
    marks = re.match(r"[-/]+", place.later)
    assert marks is not None
    end = place.end + marks.end()
    return Slip(place.start, end, "a comment begins with `#`", "write `#`", "write `#`", "#", safe=True)


def bullet(place: Place) -> Slip | None:
    """``- wait 1d`` and ``2. wait 1d``, as in a list."""
    if not _begins_line(place):
        return None
    # Before a word that begins a rule, the mark stands alone.
    found = re.match(r"(?:[-*+•‣·–—]|\d{1,2}\s?[.)])(?:[ \t]+(?=[^\W\d])|$)", place.word + place.later)
    if found is None:
        return None
    end = place.start + found.end()
    message, hint = "steps stand one below the other without a list's marks", "delete the mark"
    return Slip(place.start, end, message, hint, "delete it", "", safe=True)


def _begins_line(place: Place) -> bool:
    return not place.earlier.rpartition("\n")[2].strip()


def arrow(place: Place) -> Slip | None:
    """``when ordered -> wait 1d``."""
    two = place.word in ("-", "=") and place.later[:1] == ">" and "COMPARISON" not in place.accepts
    if not two and place.word not in _ARROWS:
        return None
    apart = "" if place.earlier[-1:].isspace() else " "
    message, hint = "no arrow is needed here", "one step follows the other without a mark between them"
    return Slip(place.start, place.end + two, message, hint, "delete it", apart, safe=True)


def brace(place: Place) -> Slip | None:
    """``{ send email }``, and ``{{ customer.first_name }}`` as in a message."""
    if place.word not in ("{", "}"):
        return None
    template = _TEMPLATE.match(place.word + place.later)
    if template is not None:
        value = template.group(1)
        end, cure = place.start + template.end(), f"write `{value}`"
        hint = f"{cure}; braces stand around it in the text of a message"
        return Slip(place.start, end, "a value in a rule stands without braces", hint, cure, value, safe=True)
    return place.slip(
        "steps stand without braces around them",
        "they follow each other as they are; `if`, `split` and `repeat` are closed by `end`",
        code="E0105",
    )


def comma(place: Place) -> Slip | None:
    """``total > 49,90``, ``total > 1,000``, ``send email, sms``, ``wait 1d, send email``."""
    if place.word != ",":
        return None
    whole, rest = re.search(r"(\d+)$", place.earlier), re.match(r"(\d+(?:,\d{3})*)(?!\d)", place.later)
    if whole is not None and rest is not None:
        begin, end = place.start - len(whole.group(1)), place.end + rest.end()
        if re.fullmatch(r"\d{1,2}", rest.group(1)):
            number = f"{whole.group(1)}.{rest.group(1)}"
            currency = currency_after(place.later[rest.end() :])
            if currency is not None:
                number, end = f"{number} {currency[1]}", end + currency[0]
            cure = f"write `{number}`"
            return Slip(begin, end, "decimals stand after a point, not a comma", cure, cure, number, safe=True)
        number = whole.group(1) + rest.group(1).replace(",", "")
        cure = f"write `{number}`"
        return Slip(begin, end, "a number has no comma in it", cure, cure, number)
    if re.search(r"\bsend\s+\w+(\s+\"[^\"]*\")?\s*$", place.earlier):
        return place.slip(
            "the channels of a `send` are not joined by a comma",
            "write `and` for both at once, `then` for one after the other, "
            "`or` for the first that reaches the customer",
        )
    return place.takes_away("no comma is needed here", "one thing follows the other without a mark between them")


def mark(place: Place) -> Slip | None:
    """``;``, ``:`` and a full stop."""
    if place.word in (";", ":", "."):
        return place.takes_away(
            f"no `{place.word}` is needed here",
            "one thing follows the other without a mark between them",
            code="E0105",
        )
    return None
