"""A piece of all customers as columns: what conditions read of them, as arrays.

Values of traits and of events' fields are JSON of any kind. They are kept as codes of a dictionary, one for each
distinct value, so that a condition is judged once for a value, by the same function that judges a single customer, and
not once for each customer who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]

NEVER: Final = np.iinfo(np.int64).max
"""In the place of an instant: time alone changes nothing."""
UNKNOWN: Final = -1
"""In the place of an instant: it has to be asked for each customer alone."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Codes(dict[Any, int]):
    """A dictionary of distinct values that grows. A value's code is its place in ``known``."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Any] = []

    def __missing__(self, value: Hashable) -> int:
        code = self[value] = len(self.known)
        self.known.append(value)
        return code

    def of(self, values: Iterable[Hashable]) -> Longs:
        """The codes of values; new ones get one."""
        return np.array(list(map(self.__getitem__, values)), dtype=np.int64)


ABSENT: Final = b""
"""Stands for a trait or a field that is not there."""


def as_json(value: Any) -> bytes:
    """A value as the dictionary keeps it. 1, 1.0, "1" and true are four values."""
    return _encode(value)


def from_json(raw: bytes) -> Any:
    """The value that was kept."""
    return _decode(raw)


class Happenings:
    """The events of one name in a crowd, ordered by customer, then by when they happened, then by arrival.

    ``who`` are places in the crowd, ``at`` when they happened, ``fields`` the codes of those fields that were asked
    for.
    """

    __slots__ = ("at", "fields", "who")

    def __init__(self, who: Longs, at: Longs, fields: Mapping[str, Longs]) -> None:
        self.who = who
        self.at = at
        self.fields = fields


class Dictionaries:
    """The dictionaries that crowds of one survey share: of zones, of traits by name, of events' fields by name."""

    def __init__(self) -> None:
        self.zones = Codes()
        self.traits: dict[str, Codes] = {}
        self.fields: dict[str, Codes] = {}

    def trait(self, name: str) -> Codes:
        """That of a trait."""
        if name not in self.traits:
            self.traits[name] = Codes()
        return self.traits[name]

    def field(self, name: str) -> Codes:
        """That of a field of events."""
        if name not in self.fields:
            self.fields[name] = Codes()
        return self.fields[name]


class Crowd:
    """Some customers. ``numbers`` are those of the store; ``traits`` gives the JSON of a trait for each of them
    (`ABSENT` where there is none), ``refused`` for a channel which of them it cannot reach, ``inside`` for a rule which
    of them are inside."""

    def __init__(
        self,
        dictionaries: Dictionaries,
        numbers: Sequence[int],
        zones: Sequence[tzinfo],
        traits: Callable[[str], Iterable[bytes]],
        happenings: Mapping[str, Happenings],
        refused: Callable[[str], Iterable[bool]],
        inside: Callable[[str], Iterable[bool]],
    ) -> None:
        self.dictionaries = dictionaries
        self.size = len(numbers)
        self.numbers = np.array(numbers, dtype=np.int64)
        self.zones = dictionaries.zones.of(zones)
        self._traits = traits
        self._happenings = happenings
        self._refused = refused
        self._inside = inside
        self._columns: dict[str, Longs] = {}
        self._masks: dict[tuple[str, str], Mask] = {}

    def trait(self, name: str) -> Longs:
        """The codes of a trait."""
        if name not in self._columns:
            self._columns[name] = self.dictionaries.trait(name).of(self._traits(name))
        return self._columns[name]

    def happenings(self, event: str) -> Happenings:
        """The events of a name, one of those that were asked for."""
        return self._happenings[event]

    def refused(self, channel: str) -> Mask:
        """Whom a channel cannot reach."""
        return self._mask("refused", channel, self._refused)

    def inside(self, rule: str) -> Mask:
        """Who is inside a rule."""
        return self._mask("inside", rule, self._inside)

    def _mask(self, what: str, name: str, ask: Callable[[str], Iterable[bool]]) -> Mask:
        if (what, name) not in self._masks:
            self._masks[what, name] = np.fromiter(ask(name), dtype=np.bool_, count=self.size)
        return self._masks[what, name]


def distinct(columns: Sequence[Longs]) -> tuple[Longs, Longs]:
    """The distinct rows of some columns of codes: for each the place of one row that is so, and for each row the number
    of its kind."""
    key = columns[0]
    for column in columns[1:]:
        width = int(column.max(initial=0)) + 1
        if width == 1:
            continue
        if int(key.max(initial=0)) >= 2**62 // width:
            _, key = _kinds(key)
        key = key * width + column
    return _kinds(key)


def _kinds(key: Longs) -> tuple[Longs, Longs]:
    top = int(key.max(initial=0)) + 1
    if top > 4 * len(key) + 65_536:
        _, first, kind = np.unique(key, return_index=True, return_inverse=True)
        return first, kind.reshape(-1)
    place = np.full(top, -1, dtype=np.int64)
    place[key] = np.arange(len(key))
    present = np.flatnonzero(place >= 0)
    first = place[present]
    place[present] = np.arange(len(present))
    return first, place[key]
