"""Reading the log of exposures: who came first into which group of an experiment, and what they brought then.

The log is gone through once, in its own order, and so are the journeys: customer by customer they are met at random,
which takes several times as long where they are millions. Meanwhile four bytes are held for each customer and
experiment, and some 25 for each conversion.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from segue.api import Instant
from segue.measure.experiments.exposed import Buyer, Drawn, Piece, State
from segue.measure.period import Period
from segue.store.database import Transaction

Numbers = npt.NDArray[np.int64]

_STATES: Final[tuple[State, ...]] = ("gone", "open", "over")
_OVER: Final = 2


def each_piece(
    tx: Transaction,
    rules: Mapping[str, str],
    period: Period,
    now: Instant,
    before: int = 0,
    size: int = 50_000,
    tell: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[str, str, Piece]]:
    """Those who were first put into an experiment of these rules in a period, in pieces: rule, experiment, and who.
    Each rule is given with an event, which is counted for so many microseconds ``before`` the draw. ``tell`` is told
    how many of how many lines of the log were looked at, ``size`` at a time."""
    conversions = _load_conversions(tx, rules)
    kinds = _Kinds()
    found: dict[tuple[str, str], _Experiment] = {}
    row = tx.row("select max(id) from exposure")
    whole = int(row[0] or 0) if row is not None else 0
    asked = (msgspec.json.encode(dict(rules)).decode(), before, now)
    for first in range(0, whole, size):
        last = min(first + size, whole)
        for name, lines in _by_experiment(tx.rows(_DRAWS, (*asked, first, last)), kinds):
            if name not in found:
                found[name] = _Experiment(conversions[name[0]], kinds, period)
            yield *name, found[name].take(lines)
        if tell is not None:
            tell(last, whole)


_DRAWS: Final = """
select rule, experiment, arm, shares, exposure.customer, at, coalesce(goal_until, 0),
  case when goal_until is null or goal_until <= at or converted <= at then 0 when goal_until > ?3 then 1 else 2 end,
  iif(?2, (
    select count(*) from event
    where event.customer = exposure.customer and event.name = (select id from name where name = ?1 ->> rule)
      and event.at >= exposure.at - ?2 and event.at < exposure.at
  ), 0)
from exposure not indexed left join journey on journey.id = exposure.journey
where exposure.id > ?4 and exposure.id <= ?5 and rule in (select key from json_each(?1))
order by exposure.id
"""


class _Lines:
    """Lines of the log: of each its kind, the customer, when it was and until when the goal counts, the state of that
    (by its place in `_STATES`), and a figure of the time before."""

    def __init__(self, columns: tuple[Numbers, ...]) -> None:
        self._columns = columns
        self.kind, self.customer, self.at, self.until, self.state, self.before = columns

    def some(self, places: npt.NDArray[Any]) -> _Lines:
        """Those in these places, or where these are true."""
        return _Lines(tuple(column[places] for column in self._columns))


class _Kinds(dict[tuple[str, str, str, str], int]):
    """Numbers for what lines of the log have in common: rule, experiment, arm and shares."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[tuple[str, str, str, str]] = []
        self._arms: dict[tuple[str, str, str], int] = {}
        self._experiments: dict[tuple[str, str], int] = {}
        self._arm_of = array("q")
        self._experiment_of = array("q")

    def __missing__(self, name: tuple[str, str, str, str]) -> int:
        number = self[name] = len(self.names)
        self.names.append(name)
        self._arm_of.append(self._arms.setdefault(name[:3], len(self._arms)))
        self._experiment_of.append(self._experiments.setdefault(name[:2], len(self._experiments)))
        return number

    def arms(self, kinds: Numbers) -> Numbers:
        """The number of the arm of each."""
        return np.array(self._arm_of, np.int64)[kinds]

    def experiments(self, kinds: Numbers) -> Numbers:
        """The number of the experiment of each."""
        return np.array(self._experiment_of, np.int64)[kinds]


def _by_experiment(rows: list[tuple[Any, ...]], kinds: _Kinds) -> Iterator[tuple[tuple[str, str], _Lines]]:
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    kind = np.fromiter(map(kinds.__getitem__, zip(*columns[:4], strict=True)), np.int64, len(rows))
    lines = _Lines((kind, *(np.array(column, np.int64) for column in columns[4:])))
    experiments = kinds.experiments(kind)
    for number in np.unique(experiments):
        ours = lines.some(experiments == number)
        yield kinds.names[int(ours.kind[0])][:2], ours


class _Experiment:
    """Who was seen in an experiment so far."""

    def __init__(self, conversions: _Conversions, kinds: _Kinds, period: Period) -> None:
        self._conversions = conversions
        self._kinds = kinds
        self._period = period
        # by customer: 1 + the kind of their first line; below 0 where nothing more is to be told of them
        self._first = np.zeros(1024, np.int32)

    def take(self, lines: _Lines) -> Piece:
        """What some more lines of the log bring."""
        most = int(lines.customer.max())
        if most >= len(self._first):
            grown = np.zeros(max(most + 1, 2 * len(self._first)), np.int32)
            grown[: len(self._first)] = self._first
            self._first = grown
        who, places = np.unique(lines.customer, return_index=True)
        new = lines.some(places[self._first[who] == 0])
        self._first[new.customer] = new.kind + 1
        inside = (new.at >= self._period.since) & (new.at < self._period.until)
        self._first[new.customer[~inside]] *= -1
        new = new.some(inside)
        return Piece(
            [*self._drawn(new), *self._mixed(lines)],
            self._buyers(new.some(new.state == _OVER)),
            Instant(int(new.at.min())) if len(new.at) else None,
            Instant(int(new.at.max())) if len(new.at) else None,
        )

    def _drawn(self, new: _Lines) -> Iterator[Drawn]:
        alike = np.stack((new.kind, new.state, new.before))
        same, many = _count_alike(alike)
        for (kind, state, before), customers in zip(same.T.tolist(), many.tolist(), strict=True):
            arm, shares = self._kinds.names[kind][2:]
            sums = customers * before, customers * before * before
            yield Drawn(arm, shares, _STATES[state], customers, *sums)

    def _mixed(self, lines: _Lines) -> Iterator[Drawn]:
        """Who has come into another arm than their first."""
        first = self._first[lines.customer]
        other = (first > 0) & (self._kinds.arms(np.abs(first) - 1) != self._kinds.arms(lines.kind))
        who = np.unique(lines.customer[other])
        kinds, many = np.unique(self._first[who] - 1, return_counts=True)
        self._first[who] *= -1
        for kind, customers in zip(kinds.tolist(), many.tolist(), strict=True):
            arm, shares = self._kinds.names[kind][2:]
            yield Drawn(arm, shares, "gone", mixed=customers)

    def _buyers(self, over: _Lines) -> list[Buyer]:
        found, kinds, before = [], over.kind.tolist(), over.before.tolist()
        for place, worths in self._conversions.within(over):
            arm, shares = self._kinds.names[kinds[place]][2:]
            found.append(Buyer(arm, shares, before[place], worths))
        return found


def _count_alike(columns: Numbers) -> tuple[Numbers, Numbers]:
    """The different columns of a table, and how many are like each."""
    order = np.lexsort(columns)
    ordered = columns[:, order]
    new = np.ones(ordered.shape[1], bool)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    starts = np.flatnonzero(new)
    return ordered[:, starts], np.diff(np.append(starts, ordered.shape[1]))


class _Conversions:
    """The conversions of a rule in the order of the customers' numbers, whichever journey each fell to."""

    def __init__(self) -> None:
        self._customers = array("q")
        self._moments = array("q")
        self._worths: list[str | None] = []

    def add(self, customer: int, at: Instant, worth: str | None) -> None:
        """Put one behind the others."""
        self._customers.append(customer)
        self._moments.append(at)
        self._worths.append(worth)

    def within(self, over: _Lines) -> Iterator[tuple[int, list[str | None]]]:
        """Which of these customers converted after the draw, to the end of the window, and what that was worth. What
        comes in the very moment of the draw it did not bring."""
        customers = np.frombuffer(self._customers, np.int64) if self._customers else np.zeros(0, np.int64)
        starts, ends = (np.searchsorted(customers, over.customer, side) for side in ("left", "right"))
        places = np.flatnonzero(ends > starts)
        spans = (one[places].tolist() for one in (starts, ends, over.at, over.until))
        for place, start, end, after, until in zip(places.tolist(), *spans, strict=True):
            found = [self._worths[at] for at in range(start, end) if after < self._moments[at] <= until]
            if found:
                yield place, found


def _load_conversions(tx: Transaction, rules: Iterable[str]) -> dict[str, _Conversions]:
    found = {rule: _Conversions() for rule in rules}
    same: dict[str | None, str | None] = {}  # one text for all that are alike
    rows = tx.each(
        "select program.rule, customer, converted, worth from journey join program on program.id = journey.program "
        "where converted is not null and program.rule in (select value from json_each(?)) order by customer",
        (msgspec.json.encode([*found]).decode(),),
    )
    for rule, customer, at, worth in rows:
        found[rule].add(customer, at, same.setdefault(worth, worth))
    return found
