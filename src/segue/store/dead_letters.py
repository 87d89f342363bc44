"""Queries for dead letters, and for putting them up again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from segue.api import Instant
from segue.delivery.ledger import Again, LedgerRow, MessageState
from segue.store import ledger
from segue.store.database import Transaction

_DEAD: Final = "(state in (5, 7) or (state = 6 and (reason = 'too late' or substr(reason, 1, 15) = 'no content for ')))"
"""In the words of the index, by which it is found."""
_ALIVE: Final = "not exists (select 1 from suppression where message = message.id and lifted is null)"
"""What a message showed to be a dead address, or one that complained, gets no second one."""


def load_dead(tx: Transaction, before: int, limit: int) -> list[LedgerRow]:
    """Dead letters with numbers below one, the newest first."""
    return ledger.select_messages(tx, f"{_DEAD} and {_ALIVE} and id < ? order by id desc limit ?", (before, limit))


def put_up_again(tx: Transaction, rows: Iterable[LedgerRow], now: Instant, who: str) -> None:
    """Have dead letters sent after all: due now, for as long as they were before. One that may have gone out keeps what
    it was sent with; the others are made anew, by the content of today."""
    changed = []
    for row in rows:
        was = Again(now, who, row.state, row.claimed, row.settled, row.reason)
        again = msgspec.structs.replace(
            row,
            state=MessageState.DECIDED,
            due=now,
            expires=Instant(now + row.expires - row.decided),
            settled=None,
            reason="",
            held=(),
            again=(*row.again, was),
        )
        if row.state is not MessageState.UNKNOWN:
            again.attempts, again.doubt, again.template = 0, False, ""
        changed.append(again)
    ledger.put_up_again(tx, changed)
