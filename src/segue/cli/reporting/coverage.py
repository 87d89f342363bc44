"""Whether a store knows all of a stretch of time, so that it is fair to compare with it."""

from __future__ import annotations

from segue.api import Instant
from segue.api.values import DAY
from segue.measure.results.counts import Counts
from segue.store.database import Transaction


def knows_since(tx: Transaction, since: Instant, counts: Counts) -> bool:
    """Whether the store knows what happened since a moment, which is the beginning of what ``counts`` counted.

    It does where the first that it holds, a journey as well as an event, is older, or less than a day younger. A shop
    that imports its past orders only knows those: its journeys began later, and are not compared.
    """
    if counts.empty:
        return False
    firsts = (
        tx.row("select entered from journey order by id limit 1"),
        tx.row("select at from event where name is not null order by id limit 1"),
    )
    return all(first[0] < since + DAY for first in firsts if first is not None)
