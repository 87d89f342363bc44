"""Models that give fixed parts to marked touches, and what is left to the others."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.api import Paths


class PositionBased(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``weights``: the first touch's part, that of all between together, and the last's."""

    weights: str = "40/20/40"

    def __post_init__(self) -> None:
        _parts(self.weights, 3, "40/20/40")


class WShaped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``weights``: the parts of the first touch, of the touch that made a lead, of the one that made an opportunity,
    and of all others together. ``lead`` and ``opportunity`` say which touches these are: ``middle`` (halfway; of an
    even number the later of the two; none in a path of one or two touches), ``last``, or channels with commas between,
    of which the first touch counts."""

    weights: str = "30/30/30/10"
    lead: str = "middle"
    opportunity: str = "last"

    def __post_init__(self) -> None:
        _parts(self.weights, 4, "30/30/30/10")
        for name, written in (("lead", self.lead), ("opportunity", self.opportunity)):
            if not all(part.strip() for part in written.split(",")):
                raise ValueError(f"{name} is “{written}”; write middle, last, or channels with commas between")


def position_based(paths: Paths, options: PositionBased) -> Any:
    """One touch gets 1; two share in the proportion of the first's and the last's part."""
    first, between, last = _parts(options.weights, 3, "40/20/40")
    return _share(paths, [(paths.first, first), (paths.last, last)], between)


def w_shaped(paths: Paths, options: WShaped) -> Any:
    """A touch that is marked twice gets both parts; a mark that no touch of the path bears leaves its part to the
    others in proportion."""
    first, lead, opportunity, rest = _parts(options.weights, 4, "30/30/30/10")
    marks = [
        (paths.first, first),
        (_marked(paths, options.lead), lead),
        (_marked(paths, options.opportunity), opportunity),
    ]
    return _share(paths, marks, rest)


def _share(paths: Paths, marks: list[tuple[Any, float]], rest: float) -> Any:
    """``marks`` are touches with the part that each gets; ``rest`` is shared by the touches without a mark. Parts
    are divided by their sum over the path, and equal where all are 0."""
    import numpy as np

    parts, free = np.zeros(len(paths.channels)), np.ones(len(paths.channels), np.bool_)
    for touches, part in marks:
        parts[touches] += part
        free[touches] = False
    others = paths.per_touch(paths.per_path(free.astype(np.float64)))
    parts[free] = rest / others[free]
    whole = paths.per_touch(paths.per_path(parts))
    return np.where(whole > 0, parts / np.where(whole > 0, whole, 1), 1 / paths.per_touch(paths.lengths))


def _marked(paths: Paths, where: str) -> Any:
    """The touches that bear a mark: at most one of each path."""
    import numpy as np

    word = where.strip().casefold()
    if word == "last":
        return paths.last
    if word == "middle":
        long = paths.lengths > 2
        return (paths.first + paths.lengths // 2)[long]
    wanted = {name.strip().casefold() for name in where.split(",")}
    bears = np.flatnonzero(np.array([name.casefold() in wanted for name in paths.names], np.bool_)[paths.channels])
    _, earliest = np.unique(np.searchsorted(paths.starts, bears, side="right"), return_index=True)
    return bears[earliest]


def _parts(written: str, count: int, example: str) -> list[float]:
    """Parts such as 40/20/40, as shares of 1."""
    try:
        parts = [float(part) for part in written.split("/")]
    except ValueError:
        parts = []
    # A NaN is not above 0, and an endless number leaves nothing of the others.
    if len(parts) != count or not all(0 <= part < 1e9 for part in parts) or not sum(parts) > 0:
        raise ValueError(f"weights is “{written}”; write {count} numbers with / between, such as {example}")
    return [part / sum(parts) for part in parts]
