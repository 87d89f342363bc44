"""Attribution models: who gets the credit for a conversion.

Paths come as columns, so that a model over a million of them is a few lines of numpy. Nothing here imports numpy until
it is called: the daemon, which credits nobody, does not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import msgspec

from segue.api.values import Instant

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Codes = NDArray[np.int32]
else:
    Floats = Ints = Codes = Any


_ROOM: Final = 32_000_000
"""Up to so many pairs of a path and a channel are counted in a table; beyond, they are sorted."""


class Path(msgspec.Struct, frozen=True):
    """The touches of ``count`` equal journeys, oldest first, and what came of them.

    ``times`` has the instant of each touch, and is empty where paths were aggregated. ``conversions`` and ``value`` are
    totals over those journeys (0 and 0.0 for a path that never converted). ``converted_at`` is None where unknown.
    """

    channels: tuple[str, ...]
    conversions: float
    value: float
    count: float = 1
    times: tuple[Instant, ...] = ()
    converted_at: Instant | None = None


class Paths(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Many paths, as columns of numpy. Each path has at least one touch; its touches lie together, oldest first.

    One number a touch: ``channels``, places in ``names``; and ``times``, in microseconds since 1970, or None where
    paths were aggregated. One number a path: ``conversions``, ``values`` and ``counts``, totals over the equal
    journeys that it stands for, those that never converted included in ``counts``; and ``converted_at``, 0 for a path
    that never converted, or None where it is not known. Path ``i`` has the touches ``starts[i]`` to ``starts[i + 1]``,
    so that ``starts`` has one number more than there are paths.
    """

    names: tuple[str, ...]
    channels: Codes
    starts: Ints
    conversions: Floats
    values: Floats
    counts: Floats
    times: Ints | None = None
    converted_at: Ints | None = None

    @property
    def lengths(self) -> Ints:
        """How many touches each path has."""
        return self.starts[1:] - self.starts[:-1]

    @property
    def first(self) -> Ints:
        """Where each path's first touch is."""
        return self.starts[:-1]

    @property
    def last(self) -> Ints:
        """Where each path's last touch is."""
        return self.starts[1:] - 1

    def per_touch(self, of_paths: Any) -> Any:
        """One number a path, given to each of its touches."""
        import numpy as np

        return np.repeat(of_paths, self.lengths)

    def per_path(self, of_touches: Any) -> Any:
        """One number a touch, added up for each path."""
        import numpy as np

        return np.add.reduceat(of_touches, self.first) if len(self.first) else np.zeros(0)

    def places(self) -> Ints:
        """The place of each touch on its path, from 0."""
        import numpy as np

        places: Ints = np.arange(len(self.channels)) - self.per_touch(self.first)
        return places

    def alike(self) -> Ints:
        """For each touch, how many touches of its path have its channel."""
        import numpy as np

        pairs = self.per_touch(np.arange(len(self.counts)) * len(self.names)) + self.channels
        found: Ints
        if len(self.counts) * len(self.names) <= _ROOM:
            found = np.bincount(pairs)[pairs] if len(pairs) else pairs
        else:
            _, places, counts = np.unique(pairs, return_inverse=True, return_counts=True)
            found = counts[places]
        return found

    @staticmethod
    def of(paths: Iterable[Path]) -> Paths:
        """Columns of these paths. Times are kept where every path has them. Paths without a touch are left out."""
        import numpy as np

        touched = [path for path in paths if path.channels]
        names = tuple(dict.fromkeys(channel for path in touched for channel in path.channels))
        code = {name: place for place, name in enumerate(names)}
        timed = all(len(path.times) == len(path.channels) for path in touched)
        known = any(path.converted_at is not None for path in touched)
        ends = np.cumsum([len(path.channels) for path in touched], dtype=np.int64)
        return Paths(
            names=names,
            channels=np.array([code[channel] for path in touched for channel in path.channels], np.int32),
            starts=np.concatenate([np.zeros(1, np.int64), ends]),
            conversions=np.array([path.conversions for path in touched], np.float64),
            values=np.array([path.value for path in touched], np.float64),
            counts=np.array([path.count for path in touched], np.float64),
            times=np.array([at for path in touched for at in path.times], np.int64) if timed else None,
            converted_at=np.array([path.converted_at or 0 for path in touched], np.int64) if known else None,
        )

    def each(self) -> Iterator[Path]:
        """The paths one by one: for a model that is easier to say of one path, and in no hurry."""
        names, channels, starts = self.names, self.channels.tolist(), self.starts.tolist()
        times = None if self.times is None else self.times.tolist()
        ends = [0] * len(self.counts) if self.converted_at is None else self.converted_at.tolist()
        columns = (self.conversions.tolist(), self.values.tolist(), self.counts.tolist(), ends)
        for start, end, conversions, value, count, at in zip(starts, starts[1:], *columns, strict=False):
            yield Path(
                tuple([names[channel] for channel in channels[start:end]]),
                conversions,
                value,
                count,
                () if times is None else tuple(times[start:end]),
                Instant(at) if at else None,
            )


class Credit(msgspec.Struct, frozen=True):
    """What one channel gets: conversions, value, and for Markov models its removal effect (0 to 1)."""

    channel: str
    conversions: float
    value: float
    removal_effect: float | None = None


class AttributionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A model, which says one of two things of the paths it is given, and changes nothing:

    ``weights(paths, options)``  each touch's part of its own path: numbers of 0 or more that add up to 1 on each path
    ``credit(paths, options)``   one Credit for each channel that occurs, for a model that looks at all paths together;
                                 conversions and values add up to those of the paths

    A weight may depend on the channels and times of its path, and on nothing else. A model that cannot work with the
    paths raises ValueError with a sentence for whoever asked. ``config`` is the Struct of its options
    (``--set half_life=7d``).
    """

    name: str
    doc: str
    config: type[msgspec.Struct]
    weights: Callable[[Paths, Any], Floats] | None = None
    credit: Callable[[Paths, Any], Sequence[Credit]] | None = None
    api: int = 1


def each_path(shares: Callable[[Path, Any], Sequence[float]]) -> Callable[[Paths, Any], Floats]:
    """Makes ``weights`` of a function that says it of one path: a number of 0 or more for each touch, in any unit,
    since they are divided by their sum. Slower than columns, by seconds for a million paths."""

    @wraps(shares)
    def weights(paths: Paths, options: Any) -> Floats:
        import numpy as np

        found: list[float] = []
        for path in paths.each():
            parts = shares(path, options)
            whole = sum(parts)
            if len(parts) != len(path.channels) or not whole > 0:
                raise ValueError(
                    f"it gave {list(parts)} for the path {' > '.join(path.channels)}; "
                    "that must be one number for each touch, and not all of them 0"
                )
            found.extend([part / whole for part in parts])
        return np.array(found, np.float64)

    return weights
