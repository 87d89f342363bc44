"""Queries that bring many customers and their history as arrays: for surveys, not for the way of each event.

SQLite joins a column of a piece into one text, and numpy reads that: four times as fast as row by row. The fields of
events lie with the events, in the order of arrival, so what one customer did lies all over the file. For few customers
each event is looked up; for many it is cheaper by far to go through all events in the order in which they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from segue.customers.bulk.crowd import Dictionaries, Happenings
from segue.store.customers import name_numbers
from segue.store.database import Transaction
from segue.store.schedules import newest_customer

Longs = npt.NDArray[np.int64]
Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the database."""

_NOTHING: Final = np.zeros(0, dtype=np.int64)
_ABSENT: Final = msgspec.Raw(b"")
_DEAR: Final = 30
"""Looking one event up costs as much as passing so many by, where the database is larger than the caches of the
processor: 4 µs and 0.1 µs were measured."""
_FEWEST: Final = 500
_STRETCH: Final = 500_000
"""Events that one look goes through, at most 0.2 s."""


class Histories:
    """The events of a range of customers, by name: as `Happenings` has them, but that ``who`` are numbers of
    customers."""

    def __init__(self, found: Mapping[str, Happenings]) -> None:
        self._found = found

    def of(self, customers: Longs) -> dict[str, Happenings]:
        """The events of a piece of the range: its customers by number, in order. Events of others who were in it have
        no place."""
        return {event: _part(customers, one) for event, one in self._found.items()} if len(customers) else {}


def _part(customers: Longs, whole: Happenings) -> Happenings:
    rows = slice(*np.searchsorted(whole.who, (customers[0], customers[-1] + 1)).tolist())
    who, at, fields = whole.who[rows], whole.at[rows], {name: column[rows] for name, column in whole.fields.items()}
    place = np.searchsorted(customers, who)
    ours = customers[place] == who
    if ours.all():
        return Happenings(place, at, fields)
    return Happenings(place[ours], at[ours], {name: column[ours] for name, column in fields.items()})


def load_histories(
    look: Look, first: int, last: int, wanted: Mapping[str, frozenset[str]], dictionaries: Dictionaries
) -> Histories:
    """The history of the customers from ``first`` to ``last``, for the events that are wanted, with the fields that are
    wanted of each."""
    found = {event: Happenings(_NOTHING, _NOTHING, dict.fromkeys(fields, _NOTHING)) for event, fields in wanted.items()}
    with look() as tx:
        numbers = name_numbers(tx, ())
        known = {numbers[event]: event for event in wanted if event in numbers}
        plain = {number: event for number, event in known.items() if not wanted[event]}
        rich = {number: event for number, event in known.items() if wanted[event]}
        if plain:
            found |= _sorted([_read(tx, _INDEXED, (first, last), plain, {}, dictionaries)])
        if not rich:
            return Histories(found)
        newest = _newest_event(tx)
        count = _number(tx, f"select count(*) from event {_INDEXED} and name in ({_marks(rich)})", (first, last, *rich))
        if count * _DEAR < newest:
            found |= _sorted([_read(tx, _INDEXED, (first, last), rich, wanted, dictionaries)])
            return Histories(found)
    return Histories(found | _sorted(_go_through(look, newest, (first, last), rich, wanted, dictionaries)))


def customers_with(tx: Transaction, events: int) -> int:
    """How many customers have about so many events together; at least a few."""
    customers, newest = newest_customer(tx), _newest_event(tx)
    return max(_FEWEST, events * customers // max(newest, 1))


def _newest_event(tx: Transaction) -> int:
    return _number(tx, "select coalesce(max(id), 0) from event", ())


Read = dict[str, Happenings]

_INDEXED: Final = "where customer between ? and ? and name is not null"
_IN_ORDER: Final = "not indexed where id > ? and id <= ? and customer between ? and ?"
_SELECTED: Final = {"fields": "group_concat(coalesce(cast(fields as text), '{}'))"}


def _go_through(
    look: Look,
    newest: int,
    customers: tuple[int, int],
    names: Mapping[int, str],
    wanted: Mapping[str, frozenset[str]],
    dictionaries: Dictionaries,
) -> Iterator[Read]:
    for after in range(0, newest, _STRETCH):
        with look() as tx:
            yield _read(tx, _IN_ORDER, (after, after + _STRETCH, *customers), names, wanted, dictionaries)


def _read(
    tx: Transaction,
    where: str,
    values: Sequence[int],
    names: Mapping[int, str],
    wanted: Mapping[str, frozenset[str]],
    dictionaries: Dictionaries,
) -> Read:
    """Events with these names: in order of arrival, but perhaps by customer first."""
    fields = tuple(sorted(set[str]().union(*(wanted.get(event, ()) for event in names.values()))))
    columns = ("customer", "at", "name", *(("fields",) if fields else ()))
    row = tx.row(
        f"select {', '.join(_SELECTED.get(one, f'group_concat({one})') for one in columns)} "
        f"from event {where} and name in ({_marks(names)})",
        (*values, *names),
    )
    if row is None or row[0] is None:
        return {}
    who, at, name = (np.fromstring(text, dtype=np.int64, sep=",") for text in row[:3])
    rows = np.empty(len(who), dtype=object)
    if fields:
        rows[:] = _decoder(fields).decode(f"[{row[3]}]".encode())
    found: Read = {}
    for number, event in names.items():
        places = np.flatnonzero(name == number)
        codes = {
            field: dictionaries.field(field).of(_values(rows[places].tolist(), fields.index(field)))
            for field in sorted(wanted.get(event, ()))
        }
        found[event] = Happenings(who[places], at[places], codes)
    return found


def _sorted(parts: Iterable[Read]) -> Read:
    """What was read, each event by customer and time; those of one moment stay as they arrived."""
    together: dict[str, list[Happenings]] = {}
    for part in parts:
        for event, one in part.items():
            together.setdefault(event, []).append(one)
    found: Read = {}
    for event, ones in together.items():
        who, at = np.concatenate([one.who for one in ones]), np.concatenate([one.at for one in ones])
        fields = {name: np.concatenate([one.fields[name] for one in ones]) for name in ones[0].fields}
        steps, later = np.diff(who), np.diff(at)
        if ((steps < 0) | (steps == 0) & (later < 0)).any():
            order = np.lexsort((at, who))
            who, at, fields = who[order], at[order], {name: column[order] for name, column in fields.items()}
        found[event] = Happenings(who, at, fields)
    return found


class People:
    """Some customers as they are stored, one after another. ``zones`` are names, None where the project's holds;
    ``consent`` is JSON, None where nothing was said."""

    __slots__ = ("_names", "_rows", "consent", "zones")

    def __init__(self, rows: Sequence[tuple[Any, ...]], traits: Iterable[str]) -> None:
        self.zones: list[str | None] = [row[2] for row in rows]
        self.consent: list[bytes | None] = [row[1] for row in rows]
        self._names = tuple(sorted(set(traits)))
        self._rows = _decoder(self._names).decode(b"[%b]" % b",".join([row[0] or b"{}" for row in rows]))

    def trait(self, name: str) -> Iterable[bytes]:
        """The JSON of a trait, one of those that were asked for, of each; nothing where there is none."""
        return _values(self._rows, self._names.index(name))


def load_people(tx: Transaction, customers: Sequence[int], traits: Iterable[str]) -> People:
    """The customers of a piece: their numbers, in order, and no other between them."""
    rows = tx.rows(
        "select traits, consent, zone from customer where id between ? and ? order by id",
        (customers[0], customers[-1]),
    )
    return People(rows, traits)


def _values(rows: Sequence[Any], place: int) -> Iterable[bytes]:
    return map(bytes, map(attrgetter(f"f{place}"), rows))


@lru_cache(maxsize=64)
def _decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    """Reads these members of JSON objects, each as the JSON it is."""
    kind = msgspec.defstruct(
        "Members",
        [(f"f{place}", msgspec.Raw, _ABSENT) for place in range(len(names))],
        rename={f"f{place}": name for place, name in enumerate(names)},
        gc=False,
    )
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _number(tx: Transaction, sql: str, values: Sequence[int]) -> int:
    row = tx.row(sql, values)
    return int(row[0]) if row is not None else 0
