"""Filters that Liquid lacks, or has in a form that depends on the machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from liquid import Markup, RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import Undefined

_LONGEST_FORMAT = 200
_EPOCH_SECONDS = re.compile(r"%(%|s)")
_LARGEST_EXPONENT = 30

_TAG_END = re.compile(">")
_ENDINGS = {
    "<!--": re.compile("-->"),
    "<script": re.compile(r"</script\s*>", re.IGNORECASE),
    "<style": re.compile(r"</style\s*>", re.IGNORECASE),
}

# ISO 4217, minor units other than two.
_MINOR_UNITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


@with_context
def format_date(value: object, pattern: object = None, *, context: RenderContext) -> object:
    """``{{ event.renewal | date: "%d.%m.%Y" }}``: a day or an instant, by the codes of strftime.

    Takes RFC 3339 texts and Unix seconds (as UTC). ``"now"`` and ``"today"`` are the value ``now`` that the message was
    given. A date without an offset is written as it stands. What is no date is left as it is, as in Liquid.
    """
    if value in ("now", "today"):
        value = context.resolve("now", default=None)
    moment = _moment(value)
    if isinstance(value, Undefined) or value is None:
        return ""
    if moment is None or pattern is None or isinstance(pattern, Undefined):
        return value
    codes = str(pattern)
    if len(codes) > _LONGEST_FORMAT:
        raise FilterArgumentError(f"date: a format of more than {_LONGEST_FORMAT} characters", token=None)
    # The C library takes %s in the machine's zone.
    codes = _EPOCH_SECONDS.sub(lambda code: "%%" if code[1] == "%" else str(int(moment.timestamp())), codes)
    return moment.strftime(codes)


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len("253402300799"):
        value = int(value)
    try:
        match value:
            case datetime():
                found = value
            case date():
                found = datetime(value.year, value.month, value.day, tzinfo=UTC)
            case str():
                found = datetime.fromisoformat(value)
            case int() | float():
                return datetime.fromtimestamp(value, UTC)
            case _:
                return None
    except (ValueError, OverflowError, OSError):
        return None
    # Naive: written as it stands; UTC only stops strftime and timestamp from asking the machine.
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def format_money(value: object, currency: object = None) -> object:
    """``{{ event.total | money }}``: ``60.00 EUR``. A bare number is written with two decimals, and with a currency
    where one is given (``money: "EUR"``). What is no amount is left as it is."""
    if isinstance(value, Mapping) and not isinstance(value, Undefined):
        currency = value.get("currency", currency)
        value = value.get("amount")
    if value is None or isinstance(value, Undefined):
        return ""
    amount = _amount(value)
    if amount is None:
        return value
    code = currency if isinstance(currency, str) else ""
    cents = Decimal(1).scaleb(-_MINOR_UNITS.get(code, 2))
    return f"{amount.quantize(cents, ROUND_HALF_UP)} {code}".rstrip()


def _amount(value: object) -> Decimal | None:
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int | float | Decimal)
        or len(str(value)) > 2 * _LARGEST_EXPONENT
    ):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    # quantize works with 28 digits; sums of money that pass it are no money.
    return amount if amount.is_finite() and abs(amount.adjusted()) < 20 else None


def strip_html(value: object) -> str:
    """The text without tags, comments, scripts and styles, in one pass: the parser behind Liquid's own filter takes
    time that grows with the square of a hostile text."""
    if value is None:
        return ""
    text = str(value)
    kept = []
    place = 0
    while (start := text.find("<", place)) >= 0:
        kept.append(text[place:start])
        begins = text[start : start + 7].lower()
        pattern = next((pattern for begin, pattern in _ENDINGS.items() if begins.startswith(begin)), _TAG_END)
        found = pattern.search(text, start)
        if found is None:
            # A lone "<" is text; a script without an end hides the rest, as it does in a browser.
            place = start if pattern is _TAG_END else len(text)
            break
        place = found.end()
    kept.append(text[place:])
    # A text that was safe stays safe: pieces without tags.
    return Markup("".join(kept)) if isinstance(value, Markup) else "".join(kept)


FILTERS: dict[str, Callable[..., Any]] = {"date": format_date, "money": format_money, "strip_html": strip_html}
"""Liquid's name of each filter, and the filter."""
