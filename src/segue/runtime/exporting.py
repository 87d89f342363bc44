"""Everything that is kept of one customer, table by table, in a form that can be read.

The list is `segue.store.belongings`, and of each table every column is told: what a later version of the schema adds is
exported without anybody having to think of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from segue.api import Instant, to_rfc3339
from segue.customers.identity import show
from segue.customers.pseudonyms import IDENTIFYING, Mark, marks_of_key, marks_of_traits, pseudonym
from segue.delivery.ledger import MessageState
from segue.runtime.explaining import journey_facts
from segue.runtime.running import Running
from segue.store.belongings import BELONGINGS, LINKED
from segue.store.database import Transaction
from segue.store.erasures import secret
from segue.store.history import KINDS
from segue.store.journeys import STATES, load_journeys
from segue.store.mentions import find_mentions

Row = dict[str, Any]


class Export(msgspec.Struct, frozen=True):
    """All that is kept of a customer. ``profile`` is the present state, ``sections`` are the rows of each table by the
    name that `Belonging` gives it; a row holds plain JSON values, instants as RFC 3339."""

    customer: str
    pseudonym: str
    exported: Instant
    identifiers: tuple[Mark, ...]
    profile: Row
    sections: Mapping[str, list[Row]]


def export(tx: Transaction, running: Running | None, customer: int, now: Instant) -> Export:
    """Everything about a customer, by number. ``running`` tells what journeys did in words; None: there are numbers."""
    found = _rows(tx, "select * from customer where id = :gone", customer)
    profile = found[0]
    key = profile["key"]
    sections: dict[str, list[Row]] = {}
    for belonging in BELONGINGS:
        if belonging.section:
            rows = [
                row
                for where in belonging.wheres
                for row in _rows(tx, f"select * from {belonging.table} where {where}", customer)
            ]
            for row in rows:
                del row["customer"]
            sections[belonging.section] = _told(tx, running, belonging.table, rows)
    for link in LINKED:
        sections[link.section] = [_readable(row) for row in _rows(tx, link.select, customer)]
    aliases = [marks_of_key(row["key"]) for row in sections["aliases"]]
    traits = msgspec.json.decode(profile["traits"]) if profile["traits"] else {}
    written = [str(traits[trait]) for trait in IDENTIFYING if trait in traits]
    sections["rejections"] = _rejections(tx, [show(key), *(value for _, value in aliases), *written])
    return Export(
        customer=show(key),
        pseudonym=pseudonym(secret(tx), show(key)),
        exported=now,
        identifiers=tuple(dict.fromkeys([marks_of_key(key), *aliases, *marks_of_traits(traits)])),
        profile=_readable(profile),
        sections=sections,
    )


def as_json(found: Export) -> dict[str, Any]:
    """An export as one JSON object."""
    return {
        "customer": found.customer,
        "pseudonym": found.pseudonym,
        "exported": to_rfc3339(found.exported),
        "identifiers": [{"kind": kind, "value": value} for kind, value in found.identifiers],
        "profile": found.profile,
        **found.sections,
    }


def _rows(tx: Transaction, sql: str, customer: int) -> list[Row]:
    columns, rows = tx.named(sql, {"gone": customer})
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _rejections(tx: Transaction, texts: list[str]) -> list[Row]:
    """What could not become an event, where one of the customer's identifiers stands in it."""
    told: list[Row] = []
    cursor: int | None = 0
    while cursor is not None:
        found, cursor = find_mentions(tx, texts, cursor, 1000)
        told += [{**msgspec.structs.asdict(one), "raw": one.raw.decode("utf-8", "replace")} for one in found]
    return [_readable(row) for row in told]


def _told(tx: Transaction, running: Running | None, table: str, rows: list[Row]) -> list[Row]:
    """Rows in words where the schema holds numbers; the oldest first where they are numbered."""
    if rows and "id" in rows[0]:
        rows = sorted(rows, key=lambda row: row["id"])
    match table:
        case "event":
            names = dict(tx.rows("select id, name from name"))
            rows = [{**row, "name": names.get(row["name"]), "kind": KINDS[row["kind"]]} for row in rows]
        case "journey":
            return [_journey(tx, running, row) for row in rows]
        case "message":
            rows = [{**row, "state": MessageState(row["state"]).name.lower()} for row in rows]
    return [_readable(row) for row in rows]


def _journey(tx: Transaction, running: Running | None, row: Row) -> Row:
    """A journey with what happened in it, in the words of `segue why`."""
    (_, journey) = load_journeys(tx, (row["id"],))[row["id"]]
    program = running.programs.get(journey.program) if running is not None else None
    happened = [
        {"at": to_rfc3339(fact.at), "what": fact.what, "detail": fact.detail}
        for fact in journey_facts(journey, program)
    ]
    told = {**row, "program": journey.program, "state": STATES[row["state"]]}
    del told["detail"]
    arms = [{"split": one.split, "arm": one.arm} for one in journey.choices]
    return {"rule": journey.rule, **_readable(told), "holdout": journey.holdout, "arms": arms, "happened": happened}


# Instants of 1973 to 2286, in microseconds: no count, amount or number of a row is as large.
_EARLIEST: Final = 10**14
_LATEST: Final = 10**16


def _readable(row: Row) -> Row:
    """Plain JSON values: instants as RFC 3339, stored JSON as what it says, keys in hexadecimal digits."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        if name != "key":
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.json.decode(value)
        return value.hex()
    if isinstance(value, int) and _EARLIEST <= value < _LATEST:
        return to_rfc3339(Instant(value))
    return value
