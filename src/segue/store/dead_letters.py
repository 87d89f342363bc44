"""Queries for dead letters, and for putting them up again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from segue.api import Instant
from segue.delivery.dead_letters import put_up
from segue.delivery.ledger import LedgerRow
from segue.store import ledger
from segue.store.books import put_meta
from segue.store.database import Transaction

_DEAD: Final = "(state in (5, 7) or (state = 6 and (reason = 'too late' or substr(reason, 1, 15) = 'no content for ')))"
"""In the words of the index, by which it is found."""
PUT_UP: Final = "put up again"
"""What of the store's own values says that dead letters were put up: whoever sends looks at once when it changes."""
_ALIVE: Final = "not exists (select 1 from suppression where message = message.id and lifted is null)"
"""What a message showed to be a dead address, or one that complained, gets no second one."""


def load_dead(tx: Transaction, before: int, limit: int) -> list[LedgerRow]:
    """Dead letters with numbers below one, the newest first."""
    return ledger.select_messages(tx, f"{_DEAD} and {_ALIVE} and id < ? order by id desc limit ?", (before, limit))


def put_up_again(tx: Transaction, rows: Iterable[LedgerRow], now: Instant, who: str) -> None:
    """Have dead letters sent after all: see `segue.delivery.dead_letters.put_up`. The rows given stay as they are."""
    changed = [msgspec.structs.replace(row) for row in rows]
    for row in changed:
        put_up(row, now, who)
    ledger.put_up_again(tx, changed)
    if changed:
        put_meta(tx, PUT_UP, f"{now} {changed[-1].row}")
