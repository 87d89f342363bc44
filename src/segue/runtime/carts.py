"""Carts whose source only reports their changes, as one turn sees them.

A change has the cart watched; an order ends that; where neither comes for the quiet time of the source, the event
``cart_abandoned`` happens, at the moment at which that time was over. It is no arrival of a source but begins journeys
like any other event, and its message id is that of the cart and the moment, so that a replay gives it the same one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from segue.api import Instant
from segue.customers.carts import (
    ABANDONED,
    CHANGES,
    MOST_CARTS,
    ORDERED,
    Cart,
    after_telling,
    change,
    fields_of,
    holds_something,
    id_of,
)
from segue.customers.identity import show
from segue.engine.journey import Arrived, mint
from segue.runtime.people import Person
from segue.store import carts as cart_rows

if TYPE_CHECKING:
    from segue.runtime.turn import Turn

Place = tuple[str, str]
"""A source, and the id of a cart."""


class Carts:
    """The carts of the customers of a turn. ``moved`` is what this turn found to be due by its horizon: when, and
    whose."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._known: dict[int, dict[Place, Cart]] = {}
        self._changed: set[tuple[int, Place]] = set()
        self.moved: list[tuple[Instant, int]] = []

    def _of(self, person: Person) -> dict[Place, Cart]:
        if person.row.row not in self._known:
            self._load(self._turn.people)
        return self._known[person.row.row]

    def _load(self, rows: Iterable[int]) -> None:
        missing = [row for row in rows if row not in self._known]
        self._known.update((row, {}) for row in missing)
        stored = [row for row in missing if not self._turn.people[row].new]
        if stored:
            for row, carts in cart_rows.load_carts(self._turn.tx, stored).items():
                self._known[row] = {(cart.source, cart.id): cart for cart in carts}

    # Inputs

    def note(self, person: Person, event: Arrived, source: str) -> None:
        """An event of a source: it may change a cart, or be the order that ends the watch over all of them. What an
        import brings is the past, and has no cart watched."""
        if event.name == ORDERED:
            self._end_before(person, event.at)
            return
        if event.name not in CHANGES or self._turn.importing:
            return
        named = event.fields.get("source")
        source = named if isinstance(named, str) and named in self._turn.running.carts else source
        quiet = self._turn.running.carts.get(source)
        # What was in the cart before an order that is known has been bought, or was given up for it.
        if quiet is None or _ordered_since(person, event.at):
            return
        known = self._of(person)
        place = (source, id_of(event.fields))
        if not place[1]:
            place = max(
                (other for other in known if other[0] == source),
                key=lambda other: (known[other].touched, other),
                default=place,
            )
        before = known.get(place)
        after = change(before, source, event.name, event.at, event.fields, quiet)
        if after is None or after == before:
            return
        if not after.told and after.due < self._turn.now - self._turn.running.stale:
            after = after_telling(after)  # it came so late that a reminder would be of no use
        self._put(person, place, after)
        if len(known) > MOST_CARTS:
            self._drop(person, min(known, key=lambda other: (known[other].touched, other)))

    def _end_before(self, person: Person, at: Instant) -> None:
        for place, cart in list(self._of(person).items()):
            if cart.touched <= at:
                self._drop(person, place)

    # Time

    def earliest(self, person: Person) -> Instant | None:
        """When a cart of the customer is to be looked at first."""
        return min((cart.due for cart in self._of(person).values()), default=None)

    def come(self, person: Person, moment: Instant) -> None:
        """The moment came at which a cart of the customer was to be looked at."""
        known = self._of(person)
        place = min(place for place, cart in known.items() if cart.due == moment)
        cart = known[place]
        if cart.told or cart.source not in self._turn.running.carts:
            self._drop(person, place)
            return
        self._put(person, place, after_telling(cart))
        if not holds_something(cart):
            return
        key = mint(ABANDONED, person.row.seed or show(person.row.key), *place, moment)
        self._turn.arrive_by_time(person, ABANDONED, moment, fields_of(cart), key)

    # Merging

    def join(self, person: Person) -> None:
        """The customer turned out to be another one too: an order of the one ends the watch over carts of the other."""
        for place, cart in list(self._of(person).items()):
            if _ordered_since(person, cart.touched):
                self._drop(person, place)

    # Writing

    def _put(self, person: Person, place: Place, cart: Cart) -> None:
        self._known[person.row.row][place] = cart
        self._changed.add((person.row.row, place))
        if cart.due <= self._turn.horizon:
            self.moved.append((cart.due, person.row.row))

    def _drop(self, person: Person, place: Place) -> None:
        del self._known[person.row.row][place]
        self._changed.add((person.row.row, place))

    def forget(self, customers: Collection[int]) -> None:
        """Customers change in the store: their carts are asked for anew."""
        for row in customers:
            self._known.pop(row, None)

    def flush(self) -> Instant | None:
        """Write what changed; when the first of it is to be looked at."""
        tx = self._turn.tx
        kept: dict[cart_rows.Place, Cart] = {}
        gone: list[cart_rows.Place] = []
        for row, place in self._changed:
            cart = self._known[row].get(place)
            if cart is not None:
                kept[row, *place] = cart
            else:
                gone.append((row, *place))
        if kept:
            cart_rows.put_carts(tx, kept)
        if gone:
            cart_rows.remove_carts(tx, gone)
        self._changed.clear()
        return min((cart.due for cart in kept.values()), default=None)


def _ordered_since(person: Person, at: Instant) -> bool:
    """Whether the customer ordered at a moment or later. Of whoever ordered often, only what came since is read."""
    long = person.history.long.get(ORDERED)
    orders = long.since(at) if long is not None else person.history.get(ORDERED)
    return any(order.at >= at for order in orders)
