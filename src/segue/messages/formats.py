"""Filters that write dates, numbers and money as a customer's language and country do.

What they write depends on the value and on the manner of the render: never on the machine. The tables are those of
Unicode's CLDR, by babel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from datetime import time as clock
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
from liquid import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import Undefined

from segue.program.calendar import find_zone

if TYPE_CHECKING:
    from babel import Locale

_LONGEST_FORMAT: Final = 200
_CODES: Final = re.compile(r"%([-_^#0]*)(.)", re.DOTALL)
_LARGEST_EXPONENT: Final = 30
_LARGEST: Final = 20
"""Digits of a number. Sums of money that pass it are no money."""
_STYLES: Final = ("short", "medium", "long", "full")


class Manner(msgspec.Struct, frozen=True):
    """How one render writes: the locale (BCP 47), the zone of instants, and the currency of bare numbers."""

    locale: str = "en"
    zone: str = "UTC"
    currency: str = ""


PLAIN: Final = Manner()


def _manner(context: RenderContext) -> Manner:
    found = getattr(context, "manner", PLAIN)
    assert isinstance(found, Manner)
    return found


@lru_cache(maxsize=512)
def _locale(tag: str) -> Locale:
    """The tables of a locale; of its language, or of English, where there are none of its own."""
    from babel import Locale, UnknownLocaleError

    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:length]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


_DIGITS: Final = {
    "arab": "٠١٢٣٤٥٦٧٨٩",
    "arabext": "۰۱۲۳۴۵۶۷۸۹",
    "beng": "০১২৩৪৫৬৭৮৯",
    "deva": "०१२३४५६७८९",
    "mymr": "၀၁၂၃၄၅၆၇၈၉",
    "tibt": "༠༡༢༣༤༥༦༧༨༩",
}
"""The digits of CLDR's numbering systems, which babel leaves as they are."""


def _in_digits(text: str, locale: Locale) -> str:
    """With the digits that the locale writes: those of Egypt are not those of Morocco."""
    own = _DIGITS.get(locale.default_numbering_system)
    return text if own is None else text.translate(str.maketrans("0123456789", own))


def _written(text: str, context: RenderContext) -> str:
    """As it may stand in the part: a text without markup has plain spaces. A space that may not break would make an SMS
    of two parts out of one, since its alphabet lacks it."""
    return text if context.env.autoescape else text.replace("\u00a0", " ").replace("\u202f", " ")


# Days and instants


@with_context
def format_date(value: object, style: object = None, *, context: RenderContext) -> object:
    """``{{ event.renewal | date: "long" }}``: a day as the customer's language writes it (``short``, ``medium``,
    ``long`` or ``full``); or by the codes of strftime (``"%d.%m.%Y"``), with months and weekdays in that language.

    Takes RFC 3339 texts and Unix seconds. An instant is the day that it is in the customer's zone; with the codes of
    strftime it is written as it stands. ``"now"`` and ``"today"`` are the value ``now`` that the message was given.
    What is no date is left as it is, as in Liquid.
    """
    value, moment = _read(value, context)
    if value is None:
        return ""
    if moment is None or style is None or isinstance(style, Undefined):
        return value
    manner = _manner(context)
    if str(style) in _STYLES:
        from babel.dates import format_date as by_locale

        made: str = by_locale(_here(moment, value, manner).date(), format=str(style), locale=_locale(manner.locale))
        return _written(_in_digits(made, _locale(manner.locale)), context)
    return _by_codes(moment, str(style), manner.locale)


@with_context
def format_datetime(value: object, style: object = "medium", *, context: RenderContext) -> object:
    """``{{ event.starts | datetime: "short" }}``: an instant as day and time in the customer's zone."""
    from babel.dates import format_datetime as by_locale

    return _instant(value, style, context, by_locale)


@with_context
def format_time(value: object, style: object = "short", *, context: RenderContext) -> object:
    """``{{ event.starts | time }}``: the time of day of an instant in the customer's zone."""
    from babel.dates import format_time as by_locale

    return _instant(value, style, context, by_locale)


def _instant(value: object, style: object, context: RenderContext, by_locale: Callable[..., str]) -> object:
    value, moment = _read(value, context)
    if value is None:
        return ""
    if moment is None:
        return value
    if str(style) not in _STYLES:
        raise FilterArgumentError(f"writes one of {', '.join(_STYLES)}, and not “{str(style)[:40]}”", token=None)
    manner = _manner(context)
    made = by_locale(_here(moment, value, manner), format=str(style), locale=_locale(manner.locale))
    return _written(_in_digits(made, _locale(manner.locale)), context)


def _read(value: object, context: RenderContext) -> tuple[object, datetime | None]:
    """The value (None where there is none) and the moment it means."""
    if value in ("now", "today"):
        value = context.resolve("now", default=None)
    if value is None or isinstance(value, Undefined):
        return None, None
    return value, _moment(value)


def _here(moment: datetime, value: object, manner: Manner) -> datetime:
    """A moment on the customer's clock; a day, or a time without an offset, is on it already."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return moment
    if isinstance(value, str) and not value.isdigit():
        written = datetime.fromisoformat(value)
        if written.tzinfo is None:
            return moment
    return moment.astimezone(find_zone(manner.zone) or UTC)


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


def _by_codes(moment: datetime, codes: str, tag: str) -> str:
    if len(codes) > _LONGEST_FORMAT:
        raise FilterArgumentError(f"date: a format of more than {_LONGEST_FORMAT} characters", token=None)
    locale = _locale(tag)

    def written(code: re.Match[str]) -> str:
        # The C library takes %s in the machine's zone, and words in the machine's language.
        match code[2]:
            case "s":
                found = str(int(moment.timestamp()))
            case "B":
                found = locale.months["stand-alone" if "%d" not in codes and "%e" not in codes else "format"]["wide"][
                    moment.month
                ]
            case "b" | "h":
                found = locale.months["format"]["abbreviated"][moment.month]
            case "A":
                found = locale.days["stand-alone"]["wide"][moment.weekday()]
            case "a":
                found = locale.days["format"]["abbreviated"][moment.weekday()]
            case "p":
                found = locale.day_periods["format"]["abbreviated"]["am" if moment.time() < clock(12) else "pm"]
            case _:
                return code[0]
        return (found.upper() if "^" in code[1] else found).replace("%", "%%")

    return moment.strftime(_CODES.sub(written, codes))


# Numbers and money


@with_context
def format_money(value: object, currency: object = None, *, context: RenderContext) -> object:
    """``{{ event.total | money: event.currency }}``: ``€60.00``, or ``60,00 €`` to a Finn. A bare number is in the
    currency given, else in the project's. What is no amount is left as it is."""
    if isinstance(value, Mapping) and not isinstance(value, Undefined):
        currency = value.get("currency", currency)
        value = value.get("amount")
    if value is None or isinstance(value, Undefined):
        return ""
    amount = _amount(value)
    if amount is None:
        return value
    manner = _manner(context)
    code = currency if isinstance(currency, str) and currency else manner.currency
    return _written(_money(amount, code.upper(), manner.locale), context)


@lru_cache(maxsize=4096)
def _money(amount: Decimal, code: str, tag: str) -> str:
    from babel.numbers import format_currency, format_decimal, get_currency_precision

    locale = _locale(tag)
    if not code:
        rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
        return _in_digits(str(format_decimal(rounded, "#,##0.00", locale, numbering_system="default")), locale)
    # babel's own rounding is half to even.
    cents = amount.quantize(Decimal(1).scaleb(-get_currency_precision(code)), ROUND_HALF_UP)
    written = str(format_currency(cents, code, locale=locale, numbering_system="default"))
    # CLDR's currencySpacing, which babel leaves out: SEK 5.00, and not SEK5.00.
    return _in_digits(re.sub(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", "\u00a0", written), locale)


@with_context
def format_number(value: object, decimals: object = None, *, context: RenderContext) -> object:
    """``{{ event.points | number }}``: ``1,234.5``, or ``1 234,5`` to a Finn; ``number: 2`` with two decimals."""
    amount = _amount(value)
    if amount is None:
        return "" if value is None or isinstance(value, Undefined) else value
    return _written(_number(amount, _places(decimals), _manner(context).locale), context)


@with_context
def format_percent(value: object, decimals: object = None, *, context: RenderContext) -> object:
    """``{{ 0.2 | percent }}``: ``20%``, or ``20 %`` to a Finn. The value is a share: one is all of it."""
    amount = _amount(value)
    if amount is None:
        return "" if value is None or isinstance(value, Undefined) else value
    return _written(_percent(amount, _places(decimals) or 0, _manner(context).locale), context)


def _places(decimals: object) -> int | None:
    if decimals is None or isinstance(decimals, Undefined):
        return None
    if isinstance(decimals, bool) or not isinstance(decimals, int) or not 0 <= decimals <= 10:
        raise FilterArgumentError("takes a whole number of decimals from 0 to 10", token=None)
    return decimals


@lru_cache(maxsize=4096)
def _number(amount: Decimal, places: int | None, tag: str) -> str:
    from babel.numbers import format_decimal

    locale = _locale(tag)
    pattern = None
    if places is not None:
        amount = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        pattern = "#,##0" + ("." + "0" * places if places else "")
    return _in_digits(str(format_decimal(amount, pattern, locale, numbering_system="default")), locale)


@lru_cache(maxsize=4096)
def _percent(amount: Decimal, places: int, tag: str) -> str:
    from babel.numbers import format_percent as by_locale

    locale = _locale(tag)
    rounded = amount.quantize(Decimal(1).scaleb(-places - 2), ROUND_HALF_UP)
    pattern = locale.percent_formats[None].pattern
    if places:
        pattern = pattern.replace("#,##0", "#,##0." + "0" * places)
    return _in_digits(str(by_locale(rounded, pattern, locale, numbering_system="default")), locale)


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
    return amount if amount.is_finite() and abs(amount.adjusted()) < _LARGEST else None


_FORMS: Final = ("zero", "one", "two", "few", "many", "other")


@with_context
def choose_plural(
    value: object, one: object = None, other: object = None, *, context: RenderContext, **forms: Any
) -> object:
    """``{{ count | plural: "item", "items" }}``: the word that goes with a number in the customer's language. Where a
    language has more than two, each by its name in CLDR: ``plural: one: "# kniha", few: "# knihy", other: "# knih"``.
    ``#`` becomes the number."""
    for name in forms:
        if name not in _FORMS:
            raise FilterArgumentError(f"plural knows {', '.join(_FORMS)}, and not “{name[:40]}”", token=None)
    words = {"one": one, "other": other, **forms}
    amount = _amount(value)
    if amount is None:
        amount = Decimal(0)
    manner = _manner(context)
    form = _locale(manner.locale).plural_form(amount)
    candidates = ("zero", form, "other", "one") if amount == 0 else (form, "other", "one")
    chosen = next((words[name] for name in candidates if words.get(name) not in (None, "")), "")
    return str(chosen).replace("#", _written(_number(amount, None, manner.locale), context))


FORMATS: Final[dict[str, Callable[..., Any]]] = {
    "date": format_date,
    "datetime": format_datetime,
    "time": format_time,
    "money": format_money,
    "number": format_number,
    "percent": format_percent,
    "plural": choose_plural,
}
"""Liquid's name of each filter, and the filter."""
