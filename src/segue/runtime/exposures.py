"""What a turn adds to the log of exposures, by which experiments are measured.

A rule without a ``holdout`` or a split adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from segue.engine.journey import Assign, Journey
from segue.measure.experiments.exposed import CONTROL, HELD_OUT, TREATED
from segue.store.exposures import Exposure, put_exposures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.api import Instant
    from segue.program.program import Program
    from segue.store.database import Transaction


class Exposures:
    """The draws of one turn that put customers into groups."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._new: list[Exposure] = []
        self._encoded: dict[tuple[tuple[str, float], ...], str] = {}

    def admit(self, customer: int, program: Program, journey: Journey) -> None:
        """A journey began: where its rule has a control group, in it or among the treated."""
        if program.rule.holdout is None:
            return
        held = float(program.rule.holdout / 100)
        arm, shares = HELD_OUT if journey.holdout else TREATED, {HELD_OUT: held, TREATED: 1 - held}
        self._add(customer, journey, CONTROL, arm, journey.entered, shares)

    def assign(self, customer: int, journey: Journey, effect: Assign) -> None:
        """A journey was put into an arm of a split. In the control group that is no exposure: whatever the arm, it is
        sent nothing."""
        if not journey.holdout:
            self._add(customer, journey, effect.split, effect.arm, effect.at, effect.shares)

    def _add(
        self, customer: int, journey: Journey, experiment: str, arm: str, at: Instant, shares: Mapping[str, float]
    ) -> None:
        drawn = tuple(shares.items())
        encoded = self._encoded.get(drawn)
        if encoded is None:
            encoded = self._encoded[drawn] = msgspec.json.encode(shares).decode()
        self._new.append(Exposure(customer, journey.rule, experiment, arm, at, journey.row, shares[arm], encoded))

    def flush(self) -> None:
        """Write what was added."""
        if self._new:
            put_exposures(self._tx, self._new)
            self._new.clear()
