"""Orders as they were told of, put together: each once, less what was paid back, and without those that were
cancelled."""

from __future__ import annotations

import msgspec

from segue.api.attribution import Floats, Ints
from segue.measure.touchpoints.columns import Conversions


class Told(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What was told of orders, one number each: ``customers`` (0: nobody was named), ``at``, ``ids``, a hash of the
    order's id (0: it had none), ``amounts`` (not a number where none was named), ``currencies``, places in the list of
    currencies (-1 where there is no amount), and ``rows``."""

    customers: Ints
    at: Ints
    ids: Ints
    amounts: Floats
    currencies: Ints
    rows: Ints


def settle(orders: Told, refunds: Told, cancels: Told, money: tuple[str, ...], usual: int, name: str) -> Conversions:
    """The conversions that orders are.

    An order is told apart by its customer and its id; one without an id is an order of its own. Its value is the first
    that was named, its moment the earliest. ``usual`` is the currency of an order that names no amount. Refunds of one
    ``rows`` number count once; one without an amount, or above the order's, is of the whole order. A refund or a
    cancellation that names no customer is that of the only order with its id.
    """
    import numpy as np

    ids = np.where(orders.ids != 0, orders.ids, -orders.rows)
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

    back = np.zeros(len(gross))
    places = _find(customers, ids, refunds)
    known = places >= 0
    of, paid = places[known], refunds.amounts[known]
    whole = ~np.isfinite(paid)
    # Money of another currency than the order's says nothing of how much of it was paid back.
    foreign = ~whole & (refunds.currencies[known] != currencies[of])
    np.add.at(back, of[~foreign], np.where(whole, gross[of], np.abs(paid))[~foreign])
    back = np.minimum(back, gross)

    gone = np.zeros(len(gross), np.bool_)
    cancelled = _find(customers, ids, cancels)
    gone[cancelled[cancelled >= 0]] = True
    kept = np.flatnonzero(~gone)
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
        repeated=len(order) - len(chosen),
        cancelled=int(gone.sum()),
        unpriced=int(missing[kept].sum()),
        negative=int(negative[kept].sum()),
        loose_refunds=int((~known).sum() + foreign.sum() + (cancelled < 0).sum()),
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
        elif len(able) == 1 and not told.customers[place]:
            found[place] = able[0]
    return found


def refund_goals(goals: Conversions, orders: Conversions) -> Conversions:
    """Goals that an order met, less what was paid back of that order: it has the goal's customer and moment."""
    import numpy as np

    wanted = set(zip(goals.customers.tolist(), goals.at.tolist(), strict=True))
    paid = np.flatnonzero(orders.refunds > 0).tolist()
    shares = {
        key: orders.refunds[place] / orders.gross[place]
        for place in paid
        if (key := (int(orders.customers[place]), int(orders.at[place]))) in wanted
    }
    back = np.array(
        [
            gross * shares.get(key, 0.0)
            for key, gross in zip(
                zip(goals.customers.tolist(), goals.at.tolist(), strict=True), goals.gross.tolist(), strict=True
            )
        ]
    )
    return msgspec.structs.replace(goals, refunds=back, values=goals.gross - back)
