"""Which message's link was followed by whoever came to a page by the campaign parameters of our own links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from segue.api.attribution import Codes, Ints
from segue.api.values import DAY
from segue.measure.touchpoints.columns import Label
from segue.measure.touchpoints.fields import Marks

FOLLOWED: Final = 90 * DAY
"""How long after it was handed over a message's link is followed at the most."""
_NAMES: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content")


class Handed(msgspec.Struct, frozen=True, eq=False):
    """Messages: whom each went to, when it was handed over, its number and its label."""

    customers: Ints
    at: Ints
    numbers: Ints
    labels: Codes

    @staticmethod
    def of(pieces: Sequence[tuple[Any, ...]]) -> Handed:
        """From pieces of the four columns."""
        import numpy as np

        nothing: Any = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32))
        columns: list[Any] = [np.concatenate(parts) for parts in zip(nothing, *pieces, strict=True)]
        return Handed(*columns)


def marks_of(parameters: Mapping[str, str], channel: str, rule: str, message: str) -> Marks:
    """The marks that links of a message carry, by the patterns of ``parameters``."""
    found = []
    for name in _NAMES:
        pattern = parameters.get(name, "")
        for place, value in (("{channel}", channel), ("{rule}", rule), ("{message}", message)):
            pattern = pattern.replace(place, value)
        found.append(pattern)
    return found[0].lower(), found[1], found[2], found[3]


def find_followed(
    customers: Ints,
    at: Ints,
    marks: Ints,
    known: Sequence[Marks],
    handed: Handed,
    labels: Iterable[Label],
    parameters: Mapping[str, str],
) -> Ints:
    """For each visit, the place in ``handed`` of the newest message to its customer whose links carry its marks; -1
    where there is none. ``marks`` are places in ``known``."""
    import numpy as np

    groups = {mark: place for place, mark in enumerate(dict.fromkeys(known))}
    by_mark = np.array([groups[mark] for mark in known] or [0], np.int64)
    by_label = np.array(
        [
            groups.get(marks_of(parameters, label.channel, label.rule, label.message), -1) if label.message else -1
            for label in labels
        ]
        or [-1],
        np.int64,
    )
    of_handed = by_label[handed.labels]
    able = np.flatnonzero(of_handed >= 0)
    able = able[np.isin(handed.customers[able], customers)]
    count = len(able)
    who = np.concatenate([handed.customers[able], customers])
    group = np.concatenate([of_handed[able], by_mark[marks]])
    when = np.concatenate([handed.at[able], at])
    # The newest of messages handed over in one moment has the greatest number; a visit comes behind all of them.
    number = np.concatenate([handed.numbers[able], np.full(len(at), np.iinfo(np.int64).max)])
    order = np.lexsort((number, when, group, who))
    place = np.maximum.accumulate(np.where(order < count, np.arange(len(order)), -1))
    found = np.full(len(order), -1, np.int64)
    known_before = np.flatnonzero((place >= 0) & (order >= count))
    visit, message = order[known_before], order[place[known_before]]
    same = (who[visit] == who[message]) & (group[visit] == group[message]) & (when[visit] - when[message] <= FOLLOWED)
    found[visit[same]] = able[message[same]]
    return found[count:]
