"""Queries for how the clocks of sources stand against ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from segue.api import Instant
from segue.store.database import Transaction

State = Literal["right", "ahead", "behind"]


class ClockState(msgspec.Struct, frozen=True):
    """How a source's clock stands. ``offset`` is by how many microseconds it is ahead (negative: behind; 0 where it is
    right), ``share`` how many of 1,000 of its events were dated in the future, ``since`` when ``state`` was noticed."""

    source: str
    state: State
    offset: int
    share: int
    since: Instant


def load_clocks(tx: Transaction) -> list[ClockState]:
    """All that were ever judged."""
    rows = tx.rows("select source, state, offset, share, since from source_clock order by source")
    return [ClockState(*row) for row in rows]


def put_clocks(tx: Transaction, clocks: Iterable[ClockState]) -> None:
    """Keep how they stand now."""
    tx.run_many(
        "insert into source_clock (source, state, offset, share, since) values (?, ?, ?, ?, ?) on conflict (source) do "
        "update set state = excluded.state, offset = excluded.offset, share = excluded.share, since = excluded.since",
        [(one.source, one.state, one.offset, one.share, one.since) for one in clocks],
    )
