"""The history of customers with many events: answered from aggregates, and read only where these do not reach.

Most customers have few events of a name, and a look through them costs less than anything kept. Whoever has more than
`MOST_SCANNED` gets a long history: for each look that the published book has into it, the store keeps the figures of
each day and of all days, and this turn's events join them in memory until they are written. A window's answer is that
of the whole days inside it and of the events at its edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from segue.api import Instant
from segue.api.values import DAY
from segue.program.aggregates import Bucket, Definition, definition_of, looks_back
from segue.program.calendar import elapsed
from segue.program.conditions import compile_expression
from segue.program.facts import Customer, LongHistory, Past, Scene
from segue.program.values import past_field
from segue.store import aggregates as rows
from segue.store.aggregates import ALL, Place
from segue.store.customers import load_history
from segue.store.database import Store, Transaction

if TYPE_CHECKING:
    from segue.runtime.turn import Turn

MOST_SCANNED: Final = 64
"""Events of one name that are looked through: about as many as cost what an answer from aggregates does."""

_EVER: Final = 2**62


class Kept:
    """What published rules and segments ask of the events of one name, ready to count."""

    __slots__ = ("_where", "definition", "digest", "longest", "nobody")

    def __init__(self, definition: Definition, currency: str) -> None:
        self.definition = definition
        self.digest = definition.digest(currency)
        self.longest = 0
        """The longest window, in days, that it is asked for."""
        self.nobody = Customer("", {}, UTC, currency, {}, lambda *_: None)
        self._where = compile_expression(definition.where) if definition.where is not None else None

    def counts(self, past: Past) -> bool:
        """Whether an event is one of those that are asked about."""
        if self._where is None:
            return True
        scene = Scene(self.nobody, Instant(past.at))
        scene.subject = past
        return bool(self._where(scene))

    def add(self, past: Past, buckets: Iterable[Bucket]) -> None:
        """Count an event that is one of those asked about."""
        field, kind = self.definition.field, self.definition.type
        value = None
        if field is not None:
            value = past_field(past, field, kind, Scene(self.nobody, Instant(past.at)))
        for bucket in buckets:
            bucket.count(past.at)
            if value is not None:
                bucket.add(past.at, past.order, value, kind)


def find_kept(asking: Iterable[Any], currency: str) -> dict[str, tuple[Kept, ...]]:
    """What rules and segments ask of history that can be kept, by event."""
    found: dict[Definition, Kept] = {}
    for one in asking:
        for look in looks_back(one):
            definition = definition_of(look)
            if definition is None:
                continue
            if definition not in found:
                found[definition] = Kept(definition, currency)
            kept = found[definition]
            if look.window.period is not None:
                kept.longest = max(kept.longest, elapsed(look.window.period) // DAY + 2)
    by_event: dict[str, tuple[Kept, ...]] = {}
    for definition, kept in found.items():
        by_event[definition.event] = (*by_event.get(definition.event, ()), kept)
    return by_event


class Figures:
    """What is kept of one customer and definition, as this turn sees it. ``days`` are those from ``first`` on; of the
    events that this turn brought, ``folded`` are counted."""

    __slots__ = ("changed", "days", "first", "folded", "kept", "number", "total")

    def __init__(self, kept: Kept, number: int, total: Bucket, first: int, days: dict[int, Bucket]) -> None:
        self.kept = kept
        self.number = number
        self.total = total
        self.first = first
        self.days = days
        self.folded = 0
        self.changed: set[int] = set()


class Long(LongHistory):
    """The events of one name of one customer with many of them.

    The event that came last in this turn is counted apart until another comes: a rule that it may begin asks about
    those before it.
    """

    __slots__ = ("_days", "_figures", "_known", "_name", "_recent", "_since", "_tx", "arrived", "customer")

    def __init__(self, tx: Transaction, customer: int, name: str) -> None:
        self._tx = tx
        self.customer = customer
        self._name = name
        self.arrived: list[Past] = []
        """Events of this turn, which are not written yet."""
        self._figures: dict[Definition, Figures] = {}
        self._days: dict[int, list[Past]] = {}
        self._since: int | None = None
        self._recent: list[Past] = []
        self._known: dict[int, Past | None] = {}

    # What happens in this turn

    def remember(self, past: Past) -> None:
        """An event of this turn: it is written with the turn, so no query brings it."""
        self.arrived.append(past)

    def settle(self) -> dict[Place, Bucket]:
        """All that changed in what is kept, with every event of this turn."""
        changed: dict[Place, Bucket] = {}
        for figures in self._figures.values():
            self._fold(figures, len(self.arrived))
            if figures.changed:
                changed[figures.number, self.customer, ALL] = figures.total
                for day in figures.changed:
                    changed[figures.number, self.customer, day] = figures.days[day]
        return changed

    def written(self) -> None:
        """What was remembered is stored from now on, and what is kept of it."""
        self.arrived.clear()
        self._days.clear()
        self._known.clear()
        self._since = None
        self._recent = []
        for figures in self._figures.values():
            figures.folded = 0
            figures.changed.clear()

    # Events

    def since(self, low: Instant | None) -> Sequence[Past]:
        first = low if low is not None else -_EVER
        if self._since is None or first < self._since:
            self._recent = rows.load_between(self._tx, self.customer, self._name, first, _EVER)
            self._since = first
        return [*self._recent, *self.arrived] if self.arrived else self._recent

    def _of_day(self, day: int, arrived: int) -> list[Past]:
        """The events of a day: the stored ones, and the first so many of those of this turn."""
        found = self._days.get(day)
        if found is None:
            begin = day * DAY
            if self._since is not None and self._since <= begin:
                found = [past for past in self._recent if begin <= past.at < begin + DAY]
            else:
                found = rows.load_between(self._tx, self.customer, self._name, begin, begin + DAY - 1)
            self._days[day] = found
        return found + [past for past in self.arrived[:arrived] if past.at // DAY == day]

    def _find(self, order: int) -> Past | None:
        """An event by its place in the order of arrival, where it is one of these."""
        if order < 0:
            return None
        for past in self.arrived:
            if past.order == order:
                return past
        if order not in self._known:
            self._known[order] = rows.find_event(self._tx, self.customer, self._name, order)
        return self._known[order]

    def first_after(self, moment: Instant) -> Instant | None:
        found = [past.at for past in self.arrived if past.at > moment]
        stored = rows.first_after(self._tx, self.customer, self._name, moment)
        return min([*found, stored] if stored is not None else found, default=None)

    def last_until(self, moment: Instant) -> Instant | None:
        found = [past.at for past in self.arrived if past.at <= moment]
        stored = rows.last_until(self._tx, self.customer, self._name, moment)
        return max([*found, stored] if stored is not None else found, default=None)

    # Figures

    def bring(self, figures: Figures) -> None:
        """What was loaded, or counted just now."""
        self._figures[figures.kept.definition] = figures

    def lacks(self, kept: Kept) -> bool:
        """Whether what is kept of a definition is not at hand."""
        return kept.definition not in self._figures

    def parts(
        self, definition: Definition, low: Instant | None, now: Instant, without: int, *, counting: bool
    ) -> Sequence[Bucket] | None:
        figures = self._figures.get(definition)
        if figures is None:
            return None
        self._fold(figures, len(self.arrived) - 1)
        kept, total = figures.kept, figures.total
        apart = self._count(kept, self.arrived[figures.folded :], low, now, without)
        found = [apart] if apart.n else []
        if not total.n:
            return found
        left_out = self._left_out(figures, without)
        if low is None and total.latest <= now:
            if left_out is None:
                return [total, *found]
            if counting:
                return [Bucket(total.n - 1), *found]
        first = (max(low, total.earliest) if low is not None else total.earliest) // DAY
        self._reach(figures, first)
        for day, bucket in figures.days.items():
            if day < first or bucket.earliest > now or (low is not None and bucket.latest <= low):
                continue
            less = left_out is not None and left_out.at // DAY == day
            if (low is not None and bucket.earliest <= low) or bucket.latest > now or (less and not counting):
                found.append(self._count(kept, self._of_day(day, figures.folded), low, now, without))
            else:
                found.append(Bucket(bucket.n - 1) if less else bucket)
        return found

    def _left_out(self, figures: Figures, order: int) -> Past | None:
        """An event that is counted in what is kept, and is not to be."""
        past = self._find(order)
        if past is None or not figures.kept.counts(past):
            return None
        return None if any(past is one for one in self.arrived[figures.folded :]) else past

    def _count(self, kept: Kept, events: Iterable[Past], low: Instant | None, now: Instant, without: int) -> Bucket:
        """What those of some events come to that lie inside a window."""
        bucket = Bucket()
        for past in events:
            if (low is None or past.at > low) and past.at <= now and past.order != without and kept.counts(past):
                kept.add(past, (bucket,))
        return bucket

    def newest(self, definition: Definition, count: int, low: Instant, now: Instant) -> Instant | None:
        figures = self._figures.get(definition)
        if figures is None:  # too early, at worst: whoever looks then asks again
            found = self.first_after(low)
            return found if found is not None and found <= now else None
        self._fold(figures, len(self.arrived))
        if not figures.total.n:
            return None
        self._reach(figures, max(low, figures.total.earliest) // DAY)
        for day in sorted(figures.days, reverse=True):
            bucket = figures.days[day]
            if bucket.latest <= low:
                break
            if bucket.earliest > low and bucket.latest <= now and (bucket.n < count or count == 1):
                if count == 1:
                    return Instant(bucket.latest)
                count -= bucket.n
                continue
            moments = sorted(
                past.at
                for past in self._of_day(day, figures.folded)
                if low < past.at <= now and figures.kept.counts(past)
            )
            if len(moments) >= count:
                return moments[-count]
            count -= len(moments)
        return None

    def _fold(self, figures: Figures, upto: int) -> None:
        """Have the first so many events of this turn be part of what is kept."""
        while figures.folded < upto:
            past = self.arrived[figures.folded]
            figures.folded += 1
            if figures.kept.counts(past):
                day = past.at // DAY
                self._reach(figures, day)
                figures.kept.add(past, (figures.total, figures.days.setdefault(day, Bucket())))
                figures.changed.add(day)

    def _reach(self, figures: Figures, first: int) -> None:
        """Bring the days from one on."""
        if first < figures.first:
            found = rows.load_buckets(self._tx, (figures.number,), (self.customer,), first, figures.first - 1)
            figures.days.update({day: bucket for (_, _, day), bucket in found.items()})
            figures.first = first


class LongHistories:
    """The long histories of the customers of a turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def load(self, customers: Sequence[int]) -> None:
        """Say of which names customers that were just loaded have many events."""
        turn = self._turn
        for row, names in rows.load_long(turn.tx, customers).items():
            for name in names:
                turn.people[row].history.long[name] = Long(turn.tx, row, name)

    def bring(self, customers: Sequence[int], names: Sequence[str]) -> None:
        """Bring the history of these names: the events of those who have few, what is kept of those who have many."""
        tx, people = self._turn.tx, self._turn.people
        few: dict[tuple[str, ...], list[int]] = {}
        for row in customers:
            long = people[row].history.long
            few.setdefault(tuple(name for name in names if name not in long) if long else tuple(names), []).append(row)
        for wanted, together in few.items():
            found = load_history(tx, together, wanted)
            for row in together:
                history = people[row].history
                for name in wanted:
                    past = found.get((row, name)) or []
                    if len(past) > MOST_SCANNED and name not in history and isinstance(tx.store, Store):
                        rows.put_long(tx, row, name)
                        history.lengthen(name, Long(tx, row, name))
                    else:
                        history.bring(name, past)
        for name in names:
            self._bring_figures(name, [row for row in customers if name in people[row].history.long])

    def _bring_figures(self, name: str, customers: Sequence[int], first: int | None = None) -> None:
        """Have at hand what is kept of the events of a name, from a day on (None: as far as windows reach)."""
        tx, people = self._turn.tx, self._turn.people
        known = rows.numbers(tx)
        kept = [one for one in self._turn.running.kept.get(name, ()) if one.digest in known]
        longs = [people[row].history.long[name] for row in customers]
        longs = [long for long in longs if any(long.lacks(one) for one in kept)]
        if not longs:
            return
        if first is None:
            first = self._turn.now // DAY - max(one.longest for one in kept)
        numbers = [known[one.digest] for one in kept]
        wanted = [long.customer for long in longs]
        totals = rows.load_buckets(tx, numbers, wanted, ALL, ALL)
        days: dict[tuple[int, int], dict[int, Bucket]] = {}
        for (number, row, day), bucket in rows.load_buckets(tx, numbers, wanted, first, _EVER).items():
            days.setdefault((number, row), {})[day] = bucket
        for long in longs:
            uncounted = [one for one in kept if (known[one.digest], long.customer, ALL) not in totals]
            if uncounted and isinstance(tx.store, Store):
                for one, figures in count_anew(tx, long.customer, name, uncounted).items():
                    long.bring(figures)
                    totals[known[one.digest], long.customer, ALL] = figures.total
            for one in kept:
                number = known[one.digest]
                total = totals.get((number, long.customer, ALL))
                if total is not None and long.lacks(one):
                    long.bring(Figures(one, number, total, first, days.get((number, long.customer), {})))

    def flush(self) -> None:
        """Write what is kept of those of whom this turn brought events."""
        people = self._turn.people
        arrived: dict[str, list[int]] = {}
        for row, person in people.items():
            for name, long in person.history.long.items():
                if long.arrived:
                    arrived.setdefault(name, []).append(row)
        for name, customers in arrived.items():
            longs = [people[row].history.long[name] for row in customers]
            first = min(past.at for long in longs for past in long.arrived) // DAY
            self._bring_figures(name, customers, first)
            changed: dict[Place, Bucket] = {}
            for long in longs:
                changed |= long.settle()
            rows.put_buckets(self._turn.tx, changed)


def count_anew(tx: Transaction, customer: int, name: str, kept: Sequence[Kept]) -> dict[Kept, Figures]:
    """Count all stored events of a name of a customer, and keep that."""
    known = rows.numbers(tx)
    numbers = [known[one.digest] for one in kept]
    rows.remove_buckets(tx, customer, numbers)
    found = {one: Figures(one, number, Bucket(), -_EVER, {}) for one, number in zip(kept, numbers, strict=True)}
    for past in rows.load_between(tx, customer, name, -_EVER, _EVER):
        for one, figures in found.items():
            if one.counts(past):
                one.add(past, (figures.total, figures.days.setdefault(past.at // DAY, Bucket())))
    for figures in found.values():
        days: dict[Place, Bucket] = {(figures.number, customer, day): one for day, one in figures.days.items()}
        rows.put_buckets(tx, {(figures.number, customer, ALL): figures.total, **days})
    return found
