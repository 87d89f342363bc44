"""What stands for a customer beside traits and history, answered from the store when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segue.api import Instant
from segue.program.facts import Standing
from segue.runtime.answering import best_time_of, preferred_channels
from segue.store.customers import CustomerRow

if TYPE_CHECKING:
    from segue.runtime.turn import Turn


class StoreStanding(Standing):
    """The answers of the store, as the turn has left it so far."""

    __slots__ = ("_row", "_turn")

    def __init__(self, turn: Turn, row: CustomerRow) -> None:
        self._turn = turn
        self._row = row

    @property
    def seed(self) -> str:  # type: ignore[override]  # nobody sets it
        """The first id by which this customer was ever known (``""``: the present one)."""
        return self._row.seed

    def inside(self, rule: str) -> bool:
        """Whether the customer is inside a rule now."""
        turn = self._turn
        return any(
            journey.rule == rule and journey.state == "inside"
            for journey in turn.journeys(turn.people[self._row.row]).values()
        )

    def arm(self, rule: str, split: str) -> str | None:
        """The arm that the customer was assigned before, None where there was none."""
        return self._turn.arms.given(self._row.row, rule, split)

    def weights(self, rule: str, split: str) -> Mapping[str, float] | None:
        """The shares by arm that a split ``towards`` a condition has learned, None while the written ones hold."""
        return self._turn.arms.shares(rule, split)

    def preferred(self, kind: str, message: str) -> Sequence[str]:
        """The channels with content for the message, the one that the customer prefers for this kind first."""
        turn, row = self._turn, self._row
        return preferred_channels(turn.tx, turn.running, row.row, row.traits, kind, message)

    def best_minute(self, now: Instant) -> int:
        """When this customer answers most in the day that begins now, in minutes since midnight of their own clock."""
        turn, row = self._turn, self._row
        return best_time_of(turn.tx, turn.running, row.row, turn.people[row.row].facts.zone, now).minute
