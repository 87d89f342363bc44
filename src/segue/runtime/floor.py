"""The shop floor: a customer is found by what they say or show, and it is on record who looked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from segue.api import Instant
from segue.host.readers import Reader
from segue.messages.tokens import Signer
from segue.runtime.card import Card, as_associate, draw_card
from segue.runtime.codes import read_code
from segue.runtime.running import Running
from segue.runtime.whom import whom, whom_by
from segue.store.access import Access, record_access
from segue.store.database import Store, Transaction, beside

CODE: Final = "code"
"""The kind of what a signed QR code holds."""
CUSTOMER: Final = "customer"
"""Any identifier, without saying of which kind it is."""


class Sought(msgspec.Struct, frozen=True):
    """By what a customer is sought: ``kind`` is `CUSTOMER` (a user id, or another), `CODE`, or a kind of
    identifier (``email``, ``phone``, ``loyalty``)."""

    kind: str
    value: str


class Floor:
    """Looks customers up beside a daemon that runs."""

    def __init__(
        self, store: Store, running: Callable[[], Running], signer: Signer, now: Callable[[], Instant]
    ) -> None:
        self._store = store
        self._running = running
        self._signer = signer
        self._now = now

    async def look_up(self, reader: Reader, sought: Sought) -> Card | str | None:
        """The card of a customer as the reader may see it; a sentence where nobody can be told by the question, None
        where there is no such customer. Nothing is shown before it is on record that they looked."""
        now = self._now()

        def find(tx: Transaction) -> tuple[int | None, Card | str | None]:
            found = self._find(tx, sought)
            if isinstance(found, str):
                return None, found
            if len(found) > 1:
                return (
                    None,
                    f"{len(found)} customers share this {sought.kind}: ask for what only one of them has",
                )
            return (found[0], draw_card(tx, self._running(), found[0], now)) if found else (None, None)

        row, found = await asyncio.to_thread(beside, self._store, find)
        access = Access(now, reader.name, reader.role, sought.kind)
        await asyncio.wrap_future(self._store.write(lambda tx: record_access(tx, access, row)))
        return as_associate(found) if isinstance(found, Card) and reader.role == "associate" else found

    def _find(self, tx: Transaction, sought: Sought) -> list[int] | str:
        rules = self._running().identity
        if sought.kind == CODE:
            return read_code(tx, self._signer, sought.value, rules)
        value = sought.value.strip()
        return whom(tx, value, rules) if sought.kind == CUSTOMER else whom_by(tx, sought.kind, value, rules)
