"""``[identity]`` of segue.toml: who is who, as far as a project says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from segue.customers import normal
from segue.customers.identity import Rules
from segue.host.tables import TableReader

_KEYS: Final = ("join_known_by", "most_links", "country")
_KIND: Final = re.compile(r"[a-z][a-z0-9_]*")
_NOT_JOINING: Final = ("user_id", "anonymous_id")
_PATH: Final = ("identity",)
_FEWEST, _MOST = 10, 100_000


def read_identity(reader: TableReader, table: Mapping[str, Any], locale: str) -> Rules:
    """The rules of identity. Without ``country`` it is that of the project's locale, where that has one."""
    reader.refuse_others(table, _KEYS, _PATH)
    return Rules(_kinds(reader, table), _most(reader, table), _country(reader, table, locale))


def _kinds(reader: TableReader, table: Mapping[str, Any]) -> frozenset[str]:
    kinds = table.get("join_known_by", [])
    if not isinstance(kinds, list) or not all(isinstance(kind, str) and _KIND.fullmatch(kind) for kind in kinds):
        reader.say((*_PATH, "join_known_by"), 'should be a list of kinds of identifiers, such as ["loyalty", "email"]')
        return frozenset()
    for kind in kinds:
        if kind in _NOT_JOINING:
            reader.say(
                (*_PATH, "join_known_by"),
                f"cannot hold {kind}: name an identifier that is one person's, as a loyalty card is",
            )
    return frozenset(kinds) - frozenset(_NOT_JOINING)


def _most(reader: TableReader, table: Mapping[str, Any]) -> int:
    most = table.get("most_links", Rules().most_links)
    if not isinstance(most, int) or isinstance(most, bool) or not _FEWEST <= most <= _MOST:
        reader.say((*_PATH, "most_links"), f"should be a whole number from {_FEWEST} to {_MOST}, and is {most!r}")
        return Rules().most_links
    return most


def _country(reader: TableReader, table: Mapping[str, Any], locale: str) -> str | None:
    if "country" not in table:
        found = normal.language(locale)
        region = found.rpartition("-")[2] if found is not None and "-" in found else ""
        return region if len(region) == len("FI") else None
    written = reader.text(table, "country", "", _PATH)
    if written and normal.country(written) is None:
        reader.say((*_PATH, "country"), f'{written!r} is not a country; write its two letters (ISO 3166), such as "FI"')
    return normal.country(written)
