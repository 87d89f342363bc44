"""Gathering touches piece by piece: columns, and what they are told apart by."""

from __future__ import annotations

from typing import Any, Final

from segue.api.attribution import Ints
from segue.measure.touchpoints.columns import MOST_NAMES, OTHERS, Label, Told, Touches, What
from segue.measure.touchpoints.origins import DIRECT

_MOST_CURRENCIES: Final = 200
_KINDS: Final = {
    "customers": "int64", "at": "int64", "whats": "int8", "labels": "int32", "messages": "int64",
    "rows": "int64", "told": "int8", "costs": "int64", "currencies": "int16",
}  # fmt: skip


class Bounds:
    """Which touches are wanted: those from ``since`` on, before ``whole`` only of some ``customers`` (None: of all)."""

    def __init__(self, since: int, whole: int = 0, customers: Ints | None = None) -> None:
        import numpy as np

        self.since = since
        self._whole = whole
        # By number; the last place stands for all that are greater.
        self._some: Any = None
        if customers is not None:
            self._some = np.zeros(int(customers.max(initial=0)) + 2, np.bool_)
            self._some[customers] = True

    def hold(self, customers: Ints, at: Ints, before: int = 0) -> Any:
        """Whether each touch is wanted; with ``before``, also those that are so much too early."""
        import numpy as np

        held = at >= self.since - before
        if self._some is not None:
            held &= (at >= self._whole - before) | self._some[np.minimum(customers, len(self._some) - 1)]
        return held


class Register:
    """The labels and currencies of touches, each by the place at which it was met first."""

    def __init__(self) -> None:
        self.labels: dict[Label, int] = {}
        self.folded = 0
        self._own: dict[tuple[tuple[str, ...], str], int] = {}
        self._outer: dict[tuple[str, str], int] = {}
        self._money: dict[str, int] = {"": 0}

    @property
    def names(self) -> tuple[Label, ...]:
        """The labels; one where there is none, so that there is always something to take a place in."""
        return tuple(self.labels) or (Label(DIRECT),)

    @property
    def money(self) -> tuple[str, ...]:
        """The currencies; the first is none."""
        return tuple(self._money)

    def _place(self, label: Label) -> int:
        return self.labels.setdefault(label, len(self.labels))

    def direct(self) -> int:
        """The label of a visit that nothing brought."""
        return self._place(Label(DIRECT))

    def own(self, names: tuple[str, ...], arm: str = "") -> int:
        """The label of a touch by a message of ours: its channel, rule and message are its ``names``."""
        key = (names, arm)
        place = self._own.get(key)
        if place is None:
            channel, rule, message = names
            place = self._own[key] = self._place(Label(channel, "", rule, message, arm))
        return place

    def outer(self, channel: str, campaign: str) -> int:
        """The label of a touch from outside, of whose names there may be any number."""
        key = (channel, campaign)
        place = self._outer.get(key)
        if place is None:
            if len(self._outer) >= MOST_NAMES and Label(*key) not in self.labels:
                self.folded += 1
                return self._place(Label(channel, OTHERS))
            place = self._outer[key] = self._place(Label(*key))
        return place

    def currency(self, name: str) -> int | None:
        """The place of a currency; None where it would be one too many."""
        place = self._money.get(name)
        if place is None and len(self._money) < _MOST_CURRENCIES:
            place = self._money[name] = len(self._money)
        return place


class Gathered:
    """Columns of touches in the making."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._pieces: dict[str, list[Any]] = {name: [] for name in _KINDS}

    def add(self, *, what: What | Any, told: Told, costs: Any = 0, currencies: Any = 0, **columns: Any) -> None:
        """Add many touches at once; a number stands for all of them."""
        import numpy as np

        kept = self._bounds.hold(columns["customers"], columns["at"])
        columns |= {"whats": what, "told": told, "costs": costs, "currencies": currencies}
        for name, kind in _KINDS.items():
            column = np.broadcast_to(np.asarray(columns[name], kind), len(kept))
            self._pieces[name].append(column if kept.all() else column[kept])

    def touches(self, register: Register) -> Touches:
        """All that were added. Nothing is kept of them here."""
        import numpy as np

        columns = {
            name: np.concatenate(self._pieces.pop(name) or [np.zeros(0)], dtype=kind, casting="unsafe")
            for name, kind in _KINDS.items()
        }
        return Touches(**columns, names=register.names, money=register.money, folded=register.folded)
