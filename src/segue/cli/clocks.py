"""The clock of a store, as it stands in it: for the service that goes on with it, and for commands beside."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.api import Instant
from segue.cli.ending import fail
from segue.clock.clock import Clock
from segue.runtime.assembly import Assembly
from segue.store.books import load_meta, put_meta
from segue.store.database import Transaction, read_only
from segue.store.errors import StoreError
from segue.store.sweeps import latest_moment

_NAME: Final = "clock"


class Anchor(msgspec.Struct):
    """Where a compressed clock stood: at the wall instant ``real`` it showed ``shown``, both in microseconds."""

    speed: float
    real: int
    shown: int


def load_clock(tx: Transaction) -> Clock | None:
    """The store's compressed clock; None where it was never compressed."""
    known = load_meta(tx, _NAME)
    if known is None:
        return None
    anchor = msgspec.json.decode(known, type=Anchor)
    return Clock(anchor.speed, anchor.real, anchor.shown)


def put_anchor(tx: Transaction, anchor: Anchor) -> None:
    """Have the store know where its clock stands."""
    put_meta(tx, _NAME, msgspec.json.encode(anchor).decode())


def present_of(tx: Transaction) -> Instant:
    """The present by the store's clock, which no event of it lies behind."""
    return max((load_clock(tx) or Clock()).look(), latest_moment(tx))


def now_of(assembly: Assembly) -> Instant:
    """The present of a project's store, for commands beside it. Ends the command where there is no store."""
    try:
        with read_only(assembly.project.database) as tx:
            return present_of(tx)
    except StoreError as error:
        fail(str(error))
