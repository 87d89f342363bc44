"""The paths that customers took, put together from columns of touches and journeys, or of paths already counted.

The same for rows of CSV and for columns of Parquet: whoever reads makes columns of numbers, and here they become paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from segue.api import Paths
from segue.measure.attribution import Labels

if TYPE_CHECKING:
    from segue.api.attribution import Codes, Floats, Ints

__all__ = ["Coded", "Journeys", "Outcomes", "Touches", "add_up", "count_paths", "put_together", "put_together_counted"]


class Journeys(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The paths that journeys took, and what could not become part of one.

    ``journeys``                  all journeys that were read
    ``untouched``                 journeys without a touch
    ``unattributed_conversions``  of these, how many converted, and with what value
    ``late``                      touches after the conversion of their journey; they had no part in it
    ``unknown``                   touches of journeys that the other file does not have
    ``repeated``                  lines of journeys that only said again what an earlier one had said
    ``absent``                    optional columns that were not there, and were taken as 0
    ``labels``                    what credit is added up by, where that is not channels
    """

    paths: Paths
    journeys: float
    untouched: float = 0
    unattributed_conversions: float = 0
    unattributed_value: float = 0.0
    late: int = 0
    unknown: int = 0
    repeated: int = 0
    absent: tuple[str, ...] = ()
    labels: Labels | None = None


class Coded(msgspec.Struct, frozen=True, eq=False):
    """A column of texts: for each row the place of its text in ``names``."""

    names: tuple[str, ...]
    codes: Codes


class Touches(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Columns of touches: the place of the journey among the outcomes (-1: there is none), the channel, when, and
    what credit is added up by, if not by channel."""

    journeys: Ints
    channels: Coded
    times: Ints
    labels: Coded | None = None


class Outcomes(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Columns of journeys: whether each converted, for how much, and when (0 where that is not known)."""

    converted: Any
    values: Floats
    times: Ints


def put_together(touches: Touches, outcomes: Outcomes, repeated: int = 0) -> Journeys:
    """Give each journey its touches in order of time. Touches of one instant stay in the order of the file; one at the
    very instant of the conversion counts, later ones don't."""
    import numpy as np

    known = touches.journeys >= 0
    ends = np.where(outcomes.converted & (outcomes.times != 0), outcomes.times, np.iinfo(np.int64).max)
    in_time = touches.times <= ends[touches.journeys] if len(ends) else np.zeros(len(known), np.bool_)
    kept = known & in_time
    owner, times = touches.journeys, touches.times
    chosen: Any = slice(None)
    if not kept.all():
        chosen = np.flatnonzero(kept)
        owner, times = owner[chosen], times[chosen]
    step = np.diff(owner)
    if not ((step > 0) | ((step == 0) & (np.diff(times) >= 0))).all():
        order = np.lexsort((times, owner))
        chosen = order if isinstance(chosen, slice) else chosen[order]
        owner, times = owner[order], times[order]
    lengths = np.bincount(owner, minlength=len(outcomes.values))
    touched = np.flatnonzero(lengths)
    values = np.where(outcomes.converted, outcomes.values, 0.0)
    whole = len(touched) == len(lengths)
    paths = Paths(
        names=touches.channels.names,
        channels=touches.channels.codes[chosen],
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[touched])]),
        conversions=outcomes.converted[touched].astype(np.float64),
        values=values[touched],
        counts=np.ones(len(touched)),
        times=times,
        converted_at=np.where(outcomes.converted, outcomes.times, 0)[touched],
    )
    untouched = np.zeros(0, np.int64) if whole else np.flatnonzero(lengths == 0)
    labels = touches.labels
    return Journeys(
        paths=paths,
        journeys=len(lengths),
        untouched=len(untouched),
        unattributed_conversions=int(outcomes.converted[untouched].sum()),
        unattributed_value=float(values[untouched].sum()),
        late=int((known & ~in_time).sum()),
        unknown=int((~known).sum()),
        repeated=repeated,
        labels=None if labels is None else Labels(labels.names, labels.codes[chosen]),
    )


def put_together_counted(
    channels: Coded, lengths: Ints, conversions: Floats, values: Floats, nulls: Floats, absent: tuple[str, ...] = ()
) -> Journeys:
    """Paths that were counted elsewhere: ``lengths`` of them are 0 for journeys without a touch."""
    import numpy as np

    touched = lengths > 0
    counts = conversions + nulls
    return Journeys(
        paths=Paths(
            names=channels.names,
            channels=channels.codes,
            starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[touched])]),
            conversions=conversions[touched],
            values=values[touched],
            counts=counts[touched],
        ),
        journeys=float(counts.sum()),
        untouched=float(counts[~touched].sum()),
        unattributed_conversions=float(conversions[~touched].sum()),
        unattributed_value=float(values[~touched].sum()),
        absent=absent,
    )


def count_paths(paths: Paths) -> Paths:
    """The same journeys with one path for all that met the same channels in the same order. Times are lost."""
    import numpy as np

    # Paths of one length are compared as rows of a table: no Python object for each.
    lengths = paths.lengths
    picked, parts = [], []
    for length in np.unique(lengths).tolist():
        alike = np.flatnonzero(lengths == length)
        rows = paths.channels[paths.first[alike][:, None] + np.arange(length)]
        keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.dtype.itemsize * length))).ravel()
        _, where, group = np.unique(keys, return_index=True, return_inverse=True)
        picked.append(rows[where])
        parts.append([np.bincount(group, column[alike]) for column in (paths.conversions, paths.values, paths.counts)])
    if not picked:
        return msgspec.structs.replace(paths, times=None, converted_at=None)
    conversions, values, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    sizes = np.concatenate([np.full(len(rows), rows.shape[1]) for rows in picked])
    return Paths(
        names=paths.names,
        channels=np.concatenate([rows.ravel() for rows in picked]),
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        conversions=conversions,
        values=values,
        counts=counts,
    )


def add_up(*parts: Journeys) -> Journeys:
    """All journeys of these, counted by path."""
    import numpy as np

    names = {name: place for place, name in enumerate(dict.fromkeys(name for one in parts for name in one.paths.names))}
    codes = [
        np.array([names[name] for name in one.paths.names], np.int32)[one.paths.channels]
        if one.paths.names
        else one.paths.channels
        for one in parts
    ]
    lengths = np.concatenate([one.paths.lengths for one in parts])
    paths = Paths(
        names=tuple(names),
        channels=np.concatenate(codes),
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        conversions=np.concatenate([one.paths.conversions for one in parts]),
        values=np.concatenate([one.paths.values for one in parts]),
        counts=np.concatenate([one.paths.counts for one in parts]),
    )
    return Journeys(
        paths=count_paths(paths),
        journeys=sum(one.journeys for one in parts),
        untouched=sum(one.untouched for one in parts),
        unattributed_conversions=sum(one.unattributed_conversions for one in parts),
        unattributed_value=sum(one.unattributed_value for one in parts),
        late=sum(one.late for one in parts),
        unknown=sum(one.unknown for one in parts),
        repeated=sum(one.repeated for one in parts),
    )
