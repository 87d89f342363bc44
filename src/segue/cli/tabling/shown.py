"""Cells as people read them: in the form that the locale has for numbers, shares, money and times."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Final

import msgspec

from segue.measure.table import Cell, Column, Kind, Table

NOTHING: Final = "–"
"""What stands for a cell that has nothing to say."""
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


class Shown(msgspec.Struct, frozen=True):
    """How numbers and times are shown: by the rules of ``locale`` (``en``, ``de-CH``) and on the clock of ``zone``."""

    locale: str = "en"
    zone: tzinfo = UTC

    def cells(self, table: Table) -> list[list[str]]:
        """All cells of a table."""
        currency = next((at for at, column in enumerate(table.columns) if column.name == "currency"), None)
        return [
            [
                self.cell(cell, column, None if currency is None else row[currency])
                for cell, column in zip(row, table.columns, strict=True)
            ]
            for row in table.rows
        ]

    def cell(self, cell: Cell, column: Column, currency: Cell = None) -> str:
        """A cell. An amount of money has as many digits as its currency; the currency is another cell's."""
        if cell is None:
            return NOTHING
        if isinstance(cell, str):
            return self.instant(cell) if column.kind == "instant" else cell
        match column.kind:
            case "share":
                return self.share(cell)
            case "money":
                return self.amount(cell, currency if isinstance(currency, str) else None)
            case "duration":
                return self.duration(cell)
            case _:
                return self.number(cell)

    def number(self, number: float) -> str:
        """``1,234``, ``12.3``, ``0.0123``: whole where it is whole or large, else as many digits as say something."""
        from babel.numbers import format_decimal

        size = abs(number)
        digits = 0 if number == int(number) or size >= 1000 else 1 if size >= 100 else 2 if size >= 0.1 else 4
        return format_decimal(number, format="#,##0" + ("." + "#" * digits if digits else ""), locale=self.known)

    def share(self, share: float) -> str:
        """``12.3%``; below one per cent ``0.45%``."""
        from babel.numbers import format_percent

        digits = 4 if abs(share) < 0.01 else 3
        return format_percent(round(share, digits), locale=self.known, decimal_quantization=False)

    def amount(self, amount: float, currency: str | None) -> str:
        """An amount without the sign of its currency, which a column of the table has."""
        from babel.numbers import format_decimal

        digits = _digits(currency)
        return format_decimal(
            round(amount, digits), format="#,##0" + ("." + "0" * digits if digits else ""), locale=self.known
        )

    def money(self, amount: float, currency: str) -> str:
        """``€1,234.50``. An amount of a thousand and more is whole, for texts and charts."""
        from babel.numbers import format_currency

        whole = abs(amount) >= 1000
        return format_currency(
            round(amount) if whole else amount,
            currency,
            locale=self.known,
            format=_pattern(self.known, currency, whole=whole),
            currency_digits=not whole,
        )

    def said(self, number: float | None, kind: Kind, currency: str | None = None) -> str:
        """A number in a sentence or beside a bar: money with its currency."""
        if number is None:
            return NOTHING
        if kind == "money" and currency is not None:
            return self.money(number, currency)
        return self.cell(number, Column("", "", kind))

    def short(self, number: float, kind: Kind, currency: str | None = None) -> str:
        """The same as short as on an axis: ``12K``, ``€1.5K``, ``12%``."""
        from babel.numbers import format_compact_currency, format_compact_decimal

        if kind == "share":
            return self.brief(number)
        if kind == "duration":
            return self.duration(number)
        size = abs(number)
        digits = 1 if size >= 1000 or (size < 100 and number != int(number)) else 0
        number = number if size < 0.1 or size >= 1000 else round(number, digits)
        if kind == "money" and currency is not None:
            return format_compact_currency(number, currency, locale=self.known, fraction_digits=digits)
        return format_compact_decimal(number, locale=self.known, fraction_digits=digits)

    def brief(self, share: float) -> str:
        """``12%``."""
        from babel.numbers import format_percent

        digits = 3 if 0 < abs(share) < 0.0095 else 2
        return format_percent(round(share, digits), locale=self.known, decimal_quantization=False)

    def change(self, share: float) -> str:
        """``+12%``, ``−4%``, ``unchanged``."""
        return "unchanged" if abs(share) < 0.0005 else self.signed(share)

    def signed(self, share: float) -> str:
        """``+12%``, ``−0.4%``, ``0%``."""
        return f"{'+' if share > 0 else '−' if share < 0 else ''}{self.brief(abs(share))}"

    def day(self, iso: str) -> str:
        """``3 Nov``, in the order that the locale has."""
        from babel.dates import format_skeleton

        return format_skeleton("MMMd", date.fromisoformat(iso), locale=self.known)

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

    @property
    def known(self) -> str:
        """The locale, or English where Babel does not know it."""
        return _known(self.locale)


def _known(locale: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(locale.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return "en"


def _digits(currency: str | None) -> int:
    from babel.numbers import get_currency_precision

    return 2 if currency is None else get_currency_precision(currency)


def _pattern(locale: str, currency: str, *, whole: bool) -> str:
    """The locale's pattern for money; a currency of letters stands apart from its number."""
    from babel import Locale
    from babel.numbers import get_currency_symbol

    pattern: str = Locale.parse(locale).currency_formats["standard"].pattern
    if get_currency_symbol(currency, locale)[-1:].isalpha():
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    return pattern.replace(".00", "") if whole else pattern
