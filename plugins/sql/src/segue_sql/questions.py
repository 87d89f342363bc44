"""The statements: a page of the query's rows, in the order of watermark and key, from a place on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Statement", "page"]

_SINCE: Final = re.compile(r"(?<![:\w]):since\b")
_ASIDE: Final = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
"""Strings, quoted names and comments."""

Statement = tuple[str, dict[str, Any]]
"""SQL with ``%(name)s`` for values, and the values."""


def page(
    query: str,
    watermark: str,
    key: str,
    quote: Callable[[str], str],
    limit: int,
    since: Any,
    after: tuple[Any, Any] | None,
) -> Statement:
    """A page of at most ``limit`` rows: those with a watermark from ``since`` on (None: all), behind the row with the
    watermark and key of ``after``. Watermark and key are compared one by one: not every database finds an index for the
    two together."""
    inner, uses_since = _with_value(query.strip().rstrip(";").strip())
    mark, own = quote(watermark), quote(key)
    conditions = [f"{mark} is not null"]
    values: dict[str, Any] = {"limit": limit}
    if uses_since:
        values["since"] = since
    if after is not None:
        conditions.append(f"{mark} >= %(mark)s and ({mark} > %(mark)s or {own} > %(key)s)")
        values["mark"], values["key"] = after
    elif since is not None:
        conditions.append(f"{mark} >= %(since)s")
        values["since"] = since
    where = " and ".join(conditions)
    return f"select * from (\n{inner}\n) as rows_of_segue where {where} order by {mark}, {own} limit %(limit)s", values


def _with_value(query: str) -> tuple[str, bool]:
    """The query with its percent signs kept, and its ``:since``, strings aside, as a value; whether it has one."""
    found = False
    parts: list[str] = []
    end = 0
    for string in (*_ASIDE.finditer(query), None):
        plain = query[end : string.start() if string is not None else len(query)].replace("%", "%%")
        replaced = _SINCE.sub("%(since)s", plain)
        found = found or replaced != plain
        parts.append(replaced)
        if string is not None:
            parts.append(string[0].replace("%", "%%"))
            end = string.end()
    return "".join(parts), found
