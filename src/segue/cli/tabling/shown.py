"""Cells as people read them: in the form that the locale has for numbers, shares, money and times."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, tzinfo
from typing import Final

import msgspec

from segue.measure.table import Cell, Column, Kind, Table

NOTHING: Final = "–"
"""What stands for a cell that has nothing to say."""
_FINEST: Final = 6
"""Digits of the smallest amount of money: a message's price is kept in millionths."""
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


class Shown(msgspec.Struct, frozen=True):
    """How numbers and times are shown: by the rules of ``locale`` (``en``, ``de-CH``) and on the clock of ``zone``.
    ``minus`` stands before what is below nothing: on paper one as wide as a plus."""

    locale: str = "en"
    zone: tzinfo = UTC
    minus: str = "-"

    def cells(self, table: Table) -> list[list[str]]:
        """All cells of a table. The shares of a column have equally many digits, to stand below each other."""
        currency = next((at for at, column in enumerate(table.columns) if column.name == "currency"), None)
        digits = [
            max((_share_digits(row[at]) for row in table.rows), default=1) if column.kind == "share" else 0
            for at, column in enumerate(table.columns)
        ]
        return [
            [
                self.cell(cell, column, None if currency is None else row[currency], places)
                for cell, column, places in zip(row, table.columns, digits, strict=True)
            ]
            for row in table.rows
        ]

    def cell(self, cell: Cell, column: Column, currency: Cell = None, digits: int | None = None) -> str:
        """A cell. An amount of money has as many digits as its currency; the currency is another cell's. ``digits`` are
        those of a share."""
        if cell is None:
            return NOTHING
        if isinstance(cell, str):
            return self.instant(cell) if column.kind == "instant" else cell
        match column.kind:
            case "share":
                return self.share(cell, digits)
            case "money":
                return self.amount(cell, currency if isinstance(currency, str) else None)
            case "duration":
                return self.duration(cell)
            case _:
                return self.number(cell)

    def number(self, number: float) -> str:
        """``1,234``, ``12.3``, ``0.0123``: whole where it is whole or large, else as many digits as say something. Only
        nothing is 0."""
        size = abs(number)
        if 0 < size <= 0.00005:
            return f"{f'>{self.minus}' if number < 0 else '<'}{self._decimal(0.0001, '.0000')}"
        digits = 0 if number == int(number) or size >= 1000 else 1 if size >= 100 else 2 if size >= 0.1 else 4
        return self._decimal(number, "." + "#" * digits if digits else "")

    def _decimal(self, number: float, digits: str) -> str:
        from babel.numbers import format_decimal

        return self._signed(format_decimal(number or 0, format="#,##0" + digits, locale=self.known))

    def _signed(self, number: str) -> str:
        return number.replace("-", self.minus)

    def share(self, share: float, digits: int | None = None) -> str:
        """``12.0%``; below one per cent ``0.45%``. Only nothing is 0%, and only all of it 100%: what is less or more is
        ``<0.01%`` or ``>99.9%``."""
        return self._bounded(share, _share_digits(share) if digits is None else digits)

    def _bounded(self, share: float, digits: int) -> str:
        """So many digits after the point; nothing rounds to the 0% or the 100% that it is not."""
        size = abs(share)
        least = 10.0 ** -(digits + 2)
        if 0 < size <= least / 2:
            return f"{f'>{self.minus}' if share < 0 else '<'}{self._percent(least, digits)}"
        if 1 - least / 2 <= size < 1:
            return f"{f'<{self.minus}' if share < 0 else '>'}{self._percent(1 - least, digits)}"
        return self._percent(share, digits if size not in (0, 1) else min(digits, 1 if size else 0))

    def _percent(self, share: float, digits: int) -> str:
        from babel import Locale
        from babel.numbers import format_percent

        pattern = Locale.parse(self.known).percent_formats[None].pattern
        exact = pattern.replace("#,##0", "#,##0" + ("." + "0" * digits if digits else ""))
        return self._signed(format_percent(round(share, digits + 2), format=exact, locale=self.known))

    def amount(self, amount: float, currency: str | None) -> str:
        """An amount without the sign of its currency, which a column of the table has."""
        digits = _digits(currency, amount)
        return self._decimal(round(amount, digits), "." + "0" * digits if digits else "")

    def money(self, amount: float, currency: str) -> str:
        """``€1,234.50``. An amount of a thousand and more is whole, for texts and charts; one of less than a cent has
        the digits that it needs."""
        from babel.numbers import format_currency

        digits = 0 if abs(amount) >= 1000 else _digits(currency, amount)
        pattern = _pattern(self.known, currency, digits)
        said = format_currency(
            round(amount, digits) or 0, currency, locale=self.known, format=pattern, currency_digits=False
        )
        return self._signed(said)

    def said(self, number: float | None, kind: Kind, currency: str | None = None) -> str:
        """A number in a sentence or beside a bar: money with its currency."""
        if number is None:
            return NOTHING
        if kind == "money" and currency is not None:
            return self.money(number, currency)
        return self.cell(number, Column("", "", kind))

    def short(self, number: float, kind: Kind, currency: str | None = None) -> str:
        """The same as short as on an axis: ``1,500``, ``12K``, ``€12.5K``, ``12%``."""
        from babel.numbers import format_compact_currency, format_compact_decimal

        if kind == "share":
            return self.brief(number)
        if kind == "duration":
            return self.duration(number)
        size = abs(number)
        if kind != "money" and 1000 <= size < 10_000:
            return self._decimal(round(number), "")
        digits = 1 if size >= 1000 or (size < 100 and number != int(number)) else 0
        number = number if size < 0.1 or size >= 1000 else round(number, digits)
        if kind == "money" and currency is not None:
            return self._signed(format_compact_currency(number, currency, locale=self.known, fraction_digits=digits))
        return self._signed(format_compact_decimal(number, locale=self.known, fraction_digits=digits))

    def brief(self, share: float) -> str:
        """``12%``, ``0.4%``; as for `share`, only nothing is 0%, and only all of it 100%."""
        return self._bounded(share, 1 if 0 < abs(share) < 0.0095 else 0)

    def change(self, share: float) -> str:
        """``+12%``, ``−4%``, ``unchanged``; what is three times as much and more ``3.4 times``."""
        if abs(share) < 0.0005:
            return "unchanged"
        if share >= 2:
            return f"{self.number(round(share + 1, 1 if share < 9 else 0))} times"
        return self.signed(share)

    def signed(self, share: float) -> str:
        """``+12%``, ``−0.4%``, ``0%``."""
        size = abs(share)
        said = self._percent(size, 0 if size >= 0.0095 or size < 0.0005 else 1)
        return f"{'' if size < 0.0005 else '+' if share > 0 else '−'}{said}"

    def points(self, share: float) -> str:
        """``+8.2``, ``−17.0``, ``0.0``: percentage points."""
        points = round(share * 100, 1)
        return f"{'+' if points > 0 else '−' if points < 0 else ''}{self._decimal(abs(points), '.0')}"

    def day(self, iso: str, *, year: bool = False) -> str:
        """``3 Nov``, in the order that the locale has; with ``year`` ``3 Nov 2026``."""
        from babel.dates import format_skeleton

        return format_skeleton("yMMMd" if year else "MMMd", date.fromisoformat(iso), locale=self.known)

    def duration(self, seconds: float) -> str:
        """``2 days 4 hr``: the two largest units."""
        from babel.units import format_unit

        left = round(abs(seconds)) if abs(seconds) >= 1 else abs(seconds)
        if left < 1:
            return format_unit(round(left, 2), "duration-second", "short", locale=self.known)
        parts: list[str] = []
        for place, (unit, size) in enumerate(_UNITS):
            if not parts and left >= size:
                following = _UNITS[place + 1 : place + 2]
                for name, length in ((unit, size), *following):
                    number, left = divmod(left, length)
                    if number:
                        parts.append(format_unit(int(number), f"duration-{name}", "short", locale=self.known))
        return ("−" if seconds < 0 else "") + " ".join(parts)

    def instant(self, text: str) -> str:
        """``2026-03-02 10:00`` on the clock of the zone."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def moment(self, text: str) -> str:
        """``3 November 2026, 10:00``, in a sentence."""
        from babel.dates import format_date

        moment = datetime.fromisoformat(text).astimezone(self.zone)
        return f"{format_date(moment.date(), 'long', locale=self.known)}, {moment:%H:%M}"

    @property
    def known(self) -> str:
        """The locale, or English where Babel does not know it."""
        return _known(self.locale)


def _share_digits(share: Cell) -> int:
    """The digits after the point that a share needs: what is below one per cent needs two."""
    return 2 if isinstance(share, int | float) and 0 < abs(share) < 0.00995 else 1


def _known(locale: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(locale.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return "en"


def _digits(currency: str | None, amount: float) -> int:
    """The digits of a currency; more where an amount that is not nothing would be 0."""
    from babel.numbers import get_currency_precision

    usual = 2 if currency is None else get_currency_precision(currency)
    if not amount or round(amount, usual):
        return usual
    return min(_FINEST, -math.floor(math.log10(abs(amount))))


def _pattern(locale: str, currency: str, digits: int) -> str:
    """The locale's pattern for money, with so many digits; a currency of letters stands apart from its number."""
    from babel import Locale
    from babel.numbers import get_currency_symbol

    pattern: str = Locale.parse(locale).currency_formats["standard"].pattern
    if get_currency_symbol(currency, locale)[-1:].isalpha():
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    return pattern.replace(".00", "." + "0" * digits if digits else "")
