"""Queries for the access log: who looked at which customer."""

from __future__ import annotations

import msgspec

from segue.api import Instant
from segue.store.database import Transaction


class Access(msgspec.Struct, frozen=True):
    """A look at a customer: ``reader`` is the name in segue.toml of the key that was shown, ``known_by`` the kind of
    identifier that was asked with (``phone``)."""

    at: Instant
    reader: str
    role: str
    known_by: str


def record_access(tx: Transaction, access: Access, customer: int | None) -> None:
    """Append a look; ``customer`` None: nobody was found."""
    tx.run(
        "insert into access (at, reader, role, known_by, customer) values (?, ?, ?, ?, ?)",
        (access.at, access.reader, access.role, access.known_by, customer),
    )


def load_accesses(tx: Transaction, customer: int) -> list[Access]:
    """Everyone who looked at a customer, oldest first."""
    return [
        Access(*row)
        for row in tx.rows("select at, reader, role, known_by from access where customer = ? order by id", (customer,))
    ]
