"""Queries for traits that were kept out, bounded however many names a source makes up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from segue.api import Instant
from segue.store.database import Transaction

MOST: Final = 1000
"""Rows at most, about: from then on what is new is counted together, without its name."""
_OTHERS: Final = "…"


class TraitRefused(msgspec.Struct, frozen=True):
    """A trait that was kept out: how often from a source for a reason, and when last. ``trait`` is empty where no
    single one is meant."""

    trait: str
    source: str
    reason: str
    n: int
    at: Instant


def put_refused(tx: Transaction, refused: Mapping[tuple[str, str, str], int], now: Instant) -> None:
    """Count traits that were kept out: name, source, reason."""
    row = tx.row("select count(*) from trait_refused")
    room = MOST - row[0] if row is not None else MOST
    for (trait, source, reason), number in refused.items():
        values = (trait, source, reason, number, now)
        if tx.run(
            "update trait_refused set n = n + ?4, at = ?5 where trait = ?1 and source = ?2 and reason = ?3", values
        ):
            continue
        room -= 1
        tx.run(
            "insert into trait_refused (trait, source, reason, n, at) values (?, ?, ?, ?, ?) "
            "on conflict (trait, source, reason) do update set n = n + excluded.n, at = excluded.at",
            values if room >= 0 else (_OTHERS, *values[1:]),
        )


def load_refused(tx: Transaction) -> list[TraitRefused]:
    """What was kept out, most often first."""
    return [
        TraitRefused(*row)
        for row in tx.rows("select trait, source, reason, n, at from trait_refused order by n desc, trait, source")
    ]
