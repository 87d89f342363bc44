"""``[privacy]`` and ``[retention]`` of segue.toml: who is responsible, what erases, and how long what happened is
kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from segue.api.values import DAY
from segue.host.tables import TableReader

FOREVER: Final = "forever"
LEAST: Final = 7 * DAY
"""How long an event is kept at least, also after a late arrival: so long it is known when it comes again."""


class Privacy(msgspec.Struct, frozen=True):
    """``[privacy]``: ``controller``, ``contact``, ``representative`` and ``dpo`` stand in the record of processing;
    ``erase_on`` are events that erase their customer; ``log_ids`` whether the log shows customers by their ids
    (``clear``) or by hashes."""

    controller: str = ""
    contact: str = ""
    representative: str = ""
    dpo: str = ""
    erase_on: tuple[str, ...] = ()
    log_ids: Literal["hashed", "clear"] = "hashed"


class Retention(msgspec.Struct, frozen=True):
    """``[retention]``, in microseconds; None: kept for good. ``events`` holds for those that ``by_event`` does not
    name; for those that it does, None is an exception."""

    events: int | None = None
    messages: int | None = None
    journeys: int | None = None
    ignored: int | None = None
    by_event: dict[str, int | None] = {}

    def kept(self) -> dict[str, int | None]:
        """How long events are kept, by their name in rules, ``""`` for all others; empty where all are kept for
        good."""
        kept = {**({"": self.events} if self.events is not None else {}), **self.by_event}
        return kept if any(span is not None for span in kept.values()) else {}


_SORTS: Final = tuple(name for name in Retention.__struct_fields__ if name != "by_event")
_SAID: Final = ("controller", "contact", "representative", "dpo")


def read_privacy(reader: TableReader, table: Mapping[str, Any]) -> Privacy:
    """What ``[privacy]`` says."""
    reader.refuse_others(table, Privacy.__struct_fields__, ("privacy",))
    said = {name: reader.text(table, name, "", ("privacy",)) for name in _SAID}
    names = table.get("erase_on", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name.isidentifier() for name in names):
        reader.say(
            ("privacy", "erase_on"), 'should be a list of events, as rules name them: erase_on = ["customer_redact"]'
        )
        names = []
    shown = table.get("log_ids", "hashed")
    if shown not in ("hashed", "clear"):
        reader.say(("privacy", "log_ids"), f'should be "hashed" (or be left out) or "clear", and is {shown!r}')
        shown = "hashed"
    return Privacy(**said, erase_on=tuple(names), log_ids=shown)


def read_retention(reader: TableReader, table: Mapping[str, Any]) -> Retention:
    """What ``[retention]`` says: a key is a sort of rows, or the name of an event."""
    spans: dict[str, int | None] = {}
    for name in table:
        if not name.isidentifier():
            reader.say(("retention", name), "is not the name of an event: use letters, digits and _")
        elif table[name] == FOREVER:
            spans[name] = None
        else:
            spans[name] = reader.span(table, name, "1y", ("retention",))
            if name not in ("messages", "journeys", "ignored") and (spans[name] or 0) < LEAST:
                reader.say(
                    ("retention", name),
                    'is less than "7d": so long an event is kept at least, to be known when it comes twice',
                )
    sorts = {name: span for name, span in spans.items() if name in _SORTS}
    return Retention(**sorts, by_event={name: span for name, span in spans.items() if name not in _SORTS})
