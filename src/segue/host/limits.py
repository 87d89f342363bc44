"""``[limits]`` of segue.toml: how many names that nobody declared may come to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from segue.host.tables import TableReader

_MOST = 1_000_000


class Limits(msgspec.Struct, frozen=True):
    """``[limits]``: of one source, how many ``event_names`` and ``trait_names`` are taken that neither the rule book
    nor a plugin declares."""

    event_names: int = 2_000
    trait_names: int = 2_000


def read_limits(reader: TableReader, table: Mapping[str, Any]) -> Limits:
    """What ``[limits]`` says."""
    reader.refuse_others(table, Limits.__struct_fields__, ("limits",))
    found: dict[str, int] = {}
    for name in Limits.__struct_fields__:
        if name not in table:
            continue
        value = table[name]
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
            found[name] = value
        else:
            reader.say(("limits", name), f"should be a whole number from 0 to {_MOST:,}, and is {value!r}")
    return Limits(**found)
