"""``[segments]``: whose members are kept beside those that rules ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from segue.host.tables import TableReader

EVERY: Final = "all"


def read_segments(reader: TableReader, table: Mapping[str, Any]) -> frozenset[str]:
    """The segments to keep the members of; `EVERY` stands for all that are published."""
    reader.refuse_others(table, ("keep",), ("segments",))
    keep = table.get("keep", [])
    if keep == EVERY:
        return frozenset((EVERY,))
    if isinstance(keep, list) and all(isinstance(name, str) and name.isidentifier() for name in keep):
        return frozenset(keep)
    reader.say(("segments", "keep"), f'should be "{EVERY}" or a list of segments, such as ["lapsed"]')
    return frozenset()
