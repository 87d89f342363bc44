"""What an order is, and what is left of it: the one definition, for every command that counts orders or money.

- An order is an event of a name under ``orders`` in ``[touchpoints]``, usually ``ordered``. It is told apart by its
  customer and its ``order_id``, one without an id by the id of its event. Told of again it is the same order: its
  moment is the earliest that was told, its value that of the earliest telling that names one.
- Its period, and its day in the project's zone, are those of its moment: its own time, not that of its arrival.
- Its value is ``total``, else ``revenue``, ``value``. Where none is named, or none that can be one, the order counts
  with 0, and so it does where the value is below 0.
- Its currency is that which it names, else the project's. Currencies are never added together.
- Refunds are events ``order_refunded``: ``amount``, else ``refund``, ``total``, and never more than the order's value.
  One without an amount is of the whole order, one without a currency in the order's. Each counts once, by its
  ``refund_id``, else by the id of its event; and in the period of its order, however late it comes.
- An order that was cancelled (``order_cancelled``) does not count, nor does what was paid back of it.
- A refund or a cancellation is of the customer's order with its ``order_id``. Where it names no customer, or that order
  names none, it is of the only order with that id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from segue.api import Instant
from segue.api.attribution import Floats, Ints
from segue.measure.period import Period
from segue.measure.touchpoints.columns import Conversions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
else:
    Mask = Any

ORDERS: Final = "orders"
"""What conversions are called that are orders."""
REFUNDED: Final = "order_refunded"
CANCELLED: Final = "order_cancelled"
REFUNDS_LATER: Final = (
    "Refunds count in the period of their order, however late they come; cancelled orders do not count."
)
GOALS_LOSE: Final = (
    "A goal stays met when its order is paid back or cancelled: all of a cancelled one counts as refunds there."
)
ODD: Final = -2
"""In the place of a currency: one was named that can't be one."""


class Told(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What was told of orders, one number each: ``customers`` (0: nobody was named), ``at``, ``ids``, a hash of the
    order's id (0: it had none), ``own``, a hash of the event's, or of the id that a refund has, ``amounts`` (not a
    number where none was named),
    ``currencies``, places in the list of currencies (-1 where none was named, or there is no amount, `ODD` where it
    can't be one), and ``rows``."""

    customers: Ints
    at: Ints
    ids: Ints
    own: Ints
    amounts: Floats
    currencies: Ints
    rows: Ints


def settle(
    orders: Told,
    refunds: Told,
    cancels: Told,
    money: tuple[str, ...],
    usual: int,
    name: str,
    since: Instant,
    period: Period,
) -> Conversions:
    """The orders whose moment is from ``since`` on and before the end of ``period``, whenever they were told of again.
    ``usual`` is the currency of an order that names no amount. What
    was left out is counted for ``period`` alone."""
    import numpy as np

    ids = np.where(orders.ids != 0, orders.ids, -orders.own)
    unpriced = ~np.isfinite(orders.amounts)
    order = np.lexsort((orders.rows, orders.at, unpriced, ids, orders.customers))
    customers, ids = orders.customers[order], ids[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (customers[1:] != customers[:-1]) | (ids[1:] != ids[:-1])
    starts = np.flatnonzero(first)
    chosen = order[starts]
    at = np.minimum.reduceat(orders.at[order], starts) if len(starts) else orders.at[chosen]
    amounts = orders.amounts[chosen]
    missing, negative = ~np.isfinite(amounts), np.isfinite(amounts) & (amounts < 0)
    gross = np.where(missing | negative, 0.0, amounts)
    currencies = np.where(orders.currencies[chosen] >= 0, orders.currencies[chosen], usual)
    customers, ids = customers[starts], ids[starts]

    places, paid = _find(customers, ids, refunds), _find(customers, ids, cancels)
    refunds, places = _each_once(refunds, places)
    gone = np.zeros(len(gross), np.bool_)
    gone[paid[paid >= 0]] = True
    returned = _Returned(refunds, places, gross, currencies)
    back = np.minimum(returned.by_order(len(gross)), gross)
    within = (at >= period.since) & (at < period.until)
    kept = np.flatnonzero(~gone & (at >= since) & (at < period.until))
    counted = kept[within[kept]]
    loose = cancels.at[paid < 0]
    earlier = returned.known & _during(refunds.at, period)
    earlier[earlier] = (at[places[earlier]] < period.since) & ~gone[places[earlier]]
    strange = ~returned.known & _during(refunds.at, period)
    lost = np.where(gone, 1.0, np.divide(back, gross, out=np.zeros(len(gross)), where=gross > 0))
    return Conversions(
        customers=customers[kept],
        at=at[kept],
        values=(gross - back)[kept],
        gross=gross[kept],
        refunds=back[kept],
        currencies=currencies[kept].astype(np.int32),
        rows=orders.rows[chosen][kept],
        money=money,
        name=name,
        lost=_lost(orders, order, first, lost),
        repeated=int((np.diff(np.append(starts, len(order))) - 1)[within].sum()),
        cancelled=int((gone & within).sum()),
        unpriced=int(missing[counted].sum()),
        negative=int(negative[counted].sum()),
        loose_refunds=int(strange.sum() + _during(loose, period).sum()),
        loose=returned.sums(strange, money),
        earlier=returned.sums(earlier, money),
    )


def _each_once(refunds: Told, places: Ints) -> tuple[Told, Ints]:
    """Without those that were told of before: of the same order, or where that is not there of the same customer's."""
    import numpy as np

    seen: set[tuple[int, ...]] = set()
    kept = []
    for one in np.lexsort((refunds.rows, refunds.at)).tolist():
        place, own = int(places[one]), int(refunds.own[one])
        key = (place, own) if place >= 0 else (place, own, int(refunds.customers[one]), int(refunds.ids[one]))
        if key not in seen:
            seen.add(key)
            kept.append(one)
    chosen = np.array(kept, np.int64)
    columns = {name: getattr(refunds, name)[chosen] for name in Told.__struct_fields__}
    return Told(**columns), places[chosen]


def _during(at: Ints, period: Period) -> Mask:
    found: Mask = (at >= period.since) & (at < period.until)
    return found


class _Returned:
    """What was paid back, refund by refund: ``known`` are those of an order that is there, in its currency."""

    def __init__(self, refunds: Told, places: Ints, gross: Floats, currencies: Ints) -> None:
        import numpy as np

        self._places = places
        there = places >= 0
        of = np.where(there, places, 0)
        whole = ~np.isfinite(refunds.amounts)
        own = currencies[of] if len(currencies) else np.zeros(len(of), np.int64)
        # Money of another currency than the order's says nothing of how much of it was paid back.
        self.known = there & (whole | (refunds.currencies == -1) | (refunds.currencies == own))
        most = gross[of] if len(gross) else np.zeros(len(of))
        named = np.where(whole, 0.0, np.abs(refunds.amounts))
        self._amounts = np.where(self.known, np.where(whole, most, np.minimum(named, most)), named)
        self._currencies = np.where(self.known, own, np.where(refunds.currencies == -1, 0, refunds.currencies))

    def by_order(self, orders: int) -> Floats:
        """All that was paid back of each order."""
        import numpy as np

        found = np.zeros(orders)
        np.add.at(found, self._places[self.known], self._amounts[self.known])
        return found

    def sums(self, chosen: Mask, money: tuple[str, ...]) -> dict[str, float]:
        """What some refunds come to, by currency."""
        import numpy as np

        chosen = chosen & (self._currencies >= 0) & (self._amounts > 0)
        found = np.bincount(self._currencies[chosen], self._amounts[chosen], len(money))
        return {name: float(amount) for name, amount in zip(money, found, strict=True) if amount}


def _lost(orders: Told, order: Ints, first: Mask, lost: Floats) -> dict[tuple[int, int], float]:
    import numpy as np

    of = lost[np.cumsum(first) - 1] if len(order) else lost
    some = order[of > 0]
    return dict(
        zip(
            zip(orders.customers[some].tolist(), orders.at[some].tolist(), strict=True),
            of[of > 0].tolist(),
            strict=True,
        )
    )


def _find(customers: Ints, ids: Ints, told: Told) -> Ints:
    """The place of the order that each is about; -1 where there is none."""
    import numpy as np

    found = np.full(len(told.ids), -1, np.int64)
    if not len(ids) or not len(told.ids):
        return found
    # Orders come by customer and id; here they are wanted by id, and by customer within it.
    order = np.lexsort((customers, ids))
    low, high = (np.searchsorted(ids[order], told.ids, side) for side in ("left", "right"))
    for place in np.flatnonzero((high > low) & (told.ids != 0)).tolist():
        able = order[low[place] : high[place]]
        own = able[customers[able] == told.customers[place]]
        if len(own):
            found[place] = own[0]
        elif len(able) == 1 and not (told.customers[place] and customers[able[0]]):
            found[place] = able[0]
    return found


def refund_goals(goals: Conversions, orders: Conversions) -> Conversions:
    """Goals that an order met, less what was paid back of that order, which has the goal's customer and moment; all of
    it where the order was cancelled. The goal was met all the same."""
    import numpy as np

    lost = orders.lost
    if not lost or not len(goals.at):
        return goals
    keys = zip(goals.customers.tolist(), goals.at.tolist(), strict=True)
    back = goals.gross * np.array([lost.get(key, 0.0) for key in keys])
    return msgspec.structs.replace(goals, refunds=back, values=goals.gross - back)


def notes(found: Conversions) -> Iterator[str]:
    """What of a period was left out, or counts in another one, in sentences."""
    one, many = ("order", "orders") if found.name == ORDERS else ("goal", "goals")
    for number, said in (
        (found.repeated, "told of a second time, and counted once"),
        (found.cancelled, "cancelled, and not counted"),
        (found.unpriced, "without a value: counted as worth nothing"),
        (found.negative, "with a value below 0: counted as worth nothing"),
    ):
        if number:
            yield f"{number:,} {one if number == 1 else many} {said}."
    if found.earlier:
        yield f"Paid back in this period of orders from before it, and counted with these: {_amounts(found.earlier)}."
    if found.loose_refunds:
        number = found.loose_refunds
        come = f" ({_amounts(found.loose)})" if found.loose else ""
        yield (
            f"{number:,} {'refund or cancellation' if number == 1 else 'refunds or cancellations'}{come} of an order "
            "that is not there, or in another currency than its order: not counted."
        )


def exact(amount: float) -> Decimal:
    """An amount to the millionth of a unit: what is behind that is how computers add fractions, and not money."""
    return Decimal(round(amount * 1_000_000)) / 1_000_000


def _amounts(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(amounts.items()))
