"""Models that give everything to one touch."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.api import Paths


class Alone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No options."""


class NonDirect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``direct``: the channels that are no marketing, with commas between; capitals make no difference."""

    direct: str = "direct"

    def __post_init__(self) -> None:
        if not all(self.channels):
            raise ValueError(f"direct is “{self.direct}”; name channels with commas between, as in direct, (none)")

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(name.strip().casefold() for name in self.direct.split(","))


def first(paths: Paths, options: Alone) -> Any:
    return _all_to(paths, paths.first)


def last(paths: Paths, options: Alone) -> Any:
    return _all_to(paths, paths.last)


def last_non_direct(paths: Paths, options: NonDirect) -> Any:
    """A path of direct touches alone falls back to its last."""
    import numpy as np

    direct = np.array([name.casefold() in options.channels for name in paths.names], np.bool_)[paths.channels]
    if not len(direct):
        return last(paths, Alone())
    latest = np.maximum.reduceat(np.where(direct, -1, np.arange(len(direct))), paths.first)
    return _all_to(paths, np.where(latest < 0, paths.last, latest))


def _all_to(paths: Paths, touches: Any) -> Any:
    import numpy as np

    weights = np.zeros(len(paths.channels))
    weights[touches] = 1
    return weights
