"""The part of ``[channels.NAME]`` that says how a provider account may be used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from segue.host.tables import TableReader

_MOST: Final = 1_000_000


class Terms(msgspec.Struct, frozen=True):
    """``account``: the provider's, which several channels may share (empty: the channel's own). At most ``rate``
    messages a second and ``in_flight`` calls at once go to it (None: not said)."""

    account: str = ""
    rate: float | None = None
    in_flight: int | None = None


def read_terms(reader: TableReader, table: Mapping[str, Any], path: tuple[str, ...]) -> Terms:
    """What a channel's table says of its account."""
    account = reader.text(table, "account", "?", path) if "account" in table else ""
    rate = table.get("rate")
    if rate is not None and not (_is_number(rate) and math.isfinite(rate) and 0 < rate <= _MOST):
        reader.say((*path, "rate"), f"should be a number of messages a second above 0, and is {rate!r}")
        rate = None
    calls = table.get("in_flight")
    if calls is not None and not (isinstance(calls, int) and _is_number(calls) and 1 <= calls <= _MOST):
        reader.say((*path, "in_flight"), f"should be a whole number of calls from 1, and is {calls!r}")
        calls = None
    return Terms(account, None if rate is None else float(rate), calls)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
