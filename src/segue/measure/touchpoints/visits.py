"""Visits, from the pages that were seen.

A visit is one touch, where it begins: with the first page after half an hour without a page or a click on a message, or
with a page that names another origin than that of the visit it would be in. So the page behind a link of a message goes
on with the click, which is a touch already, and nothing counts twice.
Source: https://support.google.com/analytics/answer/9191807 (half an hour)
"""

from __future__ import annotations

from typing import Final

from segue.api.attribution import Ints
from segue.api.values import MINUTE

PAUSE: Final = 30 * MINUTE
UNKNOWN: Final = -1
"""The origin of a page that tells nothing of it."""


def find_visits(customers: Ints, at: Ints, origins: Ints, pages: Ints, direct: int) -> tuple[Ints, Ints]:
    """The places of the pages that a visit begins with, and the origin of each: `UNKNOWN` origins there are ``direct``.

    ``pages`` is 1 for a page, 0 for a click on a message, which begins a visit of its own ``origins``, a number of 0
    or more that is the message's.
    """
    import numpy as np

    order = np.lexsort((pages, at, customers))
    customers, at, pages = customers[order], at[order], pages[order]
    told = origins[order].copy()
    if not len(order):
        return order, told
    other = np.ones(len(order), np.bool_)
    other[1:] = customers[1:] != customers[:-1]
    paused = other.copy()
    paused[1:] |= at[1:] - at[:-1] > PAUSE
    told[paused & (told == UNKNOWN)] = direct
    # The origin of the visit that each page is in: the latest that was told.
    named = told != UNKNOWN
    latest = told[np.maximum.accumulate(np.where(named, np.arange(len(told)), 0))]
    before = np.roll(latest, 1)
    begins = (paused | (named & (told != before))) & (pages == 1)
    return order[begins], told[begins]
