"""Queries for the log of exposures: who was put into which group of an experiment, when, and how probable that was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from segue.api import Instant
from segue.store.database import Transaction

CONTROL: Final = ""
"""The experiment that a rule's ``holdout`` is; every other one is a split, which has a name."""
HELD_OUT: Final = "holdout"
TREATED: Final = "treated"
"""The arms of `CONTROL`."""


class Exposure(msgspec.Struct, frozen=True):
    """A customer was put into an arm by a journey, at the moment of the draw. ``shares`` are the probabilities that the
    arms had in it, by arm, as JSON; ``propensity`` is that of the arm which was drawn."""

    customer: int
    rule: str
    experiment: str
    arm: str
    at: Instant
    journey: int
    propensity: float
    shares: str


def put_exposures(tx: Transaction, exposures: Iterable[Exposure]) -> None:
    """Append to the log."""
    tx.run_many(
        "insert into exposure (customer, rule, experiment, arm, at, journey, propensity, shares) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        [msgspec.structs.astuple(one) for one in exposures],
    )
