"""From touches and conversions to paths.

A path ends with a conversion, or with the end of the period, and begins behind the customer's conversion before: no
touch brings two conversions of one kind. On it are the touches within the look-back; a message is on it once, by the
most that was done with it. A customer's touches behind the last conversion are a null path: they brought nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from segue.api import Paths
from segue.api.attribution import Codes, Ints
from segue.api.values import DAY, SECOND
from segue.measure.period import Period
from segue.measure.touchpoints.columns import NONE, OF_MESSAGES, Conversions, Label, Touches, What

LOOKBACK: Final = 30 * DAY
SKEW: Final = 60 * SECOND
"""A visit, an ad or a call is told by another's clock: where it seems to be so little later than the conversion, it
counts as of that moment. Of messages our own clock tells: what came after the order is the order's confirmation."""


class Windows(msgspec.Struct, frozen=True):
    """How long before a conversion a touch may lie, in microseconds: ``usual``, and ``shorter`` for some."""

    usual: int = LOOKBACK
    shorter: Mapping[What, int] = {}

    def of(self, what: What) -> int:
        """That of one sort of touch."""
        return min(self.usual, self.shorter.get(what, self.usual))


class Joined(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Paths, each with at least one touch, its touches lying together, the oldest first.

    Of a touch: ``touches``, its place in the columns of `Touches`. Of a path ``i``: its touches are ``starts[i]`` to
    ``starts[i + 1]``; ``conversions``, its place in the columns of `Conversions`, -1 for a null path. ``untouched``
    are the places of the period's conversions that no touch is before.
    """

    touches: Ints
    starts: Ints
    conversions: Ints
    untouched: Ints
    old: int = 0
    """Touches before a conversion of the period, but too long before."""
    customers: int = 0
    """Customers with a path or an untouched conversion."""

    @property
    def lengths(self) -> Ints:
        """How many touches each path has."""
        return self.starts[1:] - self.starts[:-1]


def join(touches: Touches, conversions: Conversions, period: Period, windows: Windows) -> Joined:
    """The paths of a period: those of its conversions, and null paths of touches in it. ``touches`` are those from the
    look-back before the period on, ``conversions`` those of the same stretch, since those before the period end paths
    as well."""
    import numpy as np

    following = _following(touches, conversions)
    window = np.array([windows.of(what) for what in What], np.int64)[touches.whats]
    led = following >= 0
    ends = np.where(led, conversions.at[following] if len(conversions.at) else 0, 0)
    counted = led & (ends >= period.since) & (ends < period.until)
    near = counted & (ends - touches.at <= window)
    nothing = ~led & (touches.at >= period.since) & (touches.at < period.until)
    # A null path is told from a path by a number below 0, of which each customer has one.
    path = np.where(near, following, -1 - touches.customers)
    kept = np.flatnonzero(near | nothing)
    kept = _once(touches, path, kept)
    order = kept[np.lexsort((touches.at[kept], path[kept]))]
    of = path[order]
    _settle_ties(touches, of, order)
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(of)), np.bool_), of[1:] != of[:-1]]))
    starts = np.append(first, len(of)).astype(np.int64)
    ending = of[first]
    within = np.flatnonzero((conversions.at >= period.since) & (conversions.at < period.until))
    untouched = np.setdiff1d(within, ending[ending >= 0])
    people = np.union1d(touches.customers[order[first]], conversions.customers[within])
    return Joined(
        touches=order,
        starts=starts,
        conversions=np.where(ending >= 0, ending, -1),
        untouched=untouched,
        old=int(np.count_nonzero(counted & ~near)),
        customers=len(people),
    )


def _following(touches: Touches, conversions: Conversions) -> Ints:
    """The place of the conversion that each touch is before, of the same customer; -1 where there is none."""
    import numpy as np

    following = np.full(len(touches.at), -1, np.int64)
    # Most customers buy nothing: what they met needs no look for what came of it.
    led = np.flatnonzero(np.isin(touches.customers, conversions.customers))
    count, ending = len(led), len(conversions.at)
    whats = touches.whats[led]
    early = np.where(whats > OF_MESSAGES, touches.at[led] - SKEW, touches.at[led])
    # Handed over in the very moment of the order: it is about it, and did not bring it.
    early += whats == What.HANDED
    customers = np.concatenate([touches.customers[led], conversions.customers])
    last = np.concatenate([np.zeros(count, np.int8), np.ones(ending, np.int8)])
    order = np.lexsort((last, np.concatenate([early, conversions.at]), customers))
    # From the end on: the nearest conversion at or behind each place.
    place = np.where(order >= count, np.arange(count + ending), count + ending)
    nearest = np.minimum.accumulate(place[::-1])[::-1]
    found = np.full(count + ending, -1, np.int64)
    known = nearest < count + ending
    candidates = order[nearest[known]]
    same = customers[candidates] == customers[order[known]]
    found[order[known]] = np.where(same, candidates - count, -1)
    following[led] = found[:count]
    return following


def _once(touches: Touches, path: Ints, kept: Ints) -> Ints:
    """Each message once on a path: by the most that was done with it, and of that by the latest."""
    import numpy as np

    numbers, whats = touches.messages[kept], touches.whats[kept]
    # A message is handed over once, so that only those that somebody did something with can be there again.
    again = np.isin(numbers, numbers[(numbers > 0) & (whats != What.HANDED)])
    ours = kept[again]
    order = ours[np.lexsort((touches.at[ours], touches.whats[ours], touches.messages[ours], path[ours]))]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (path[order][1:] != path[order][:-1]) | (touches.messages[order][1:] != touches.messages[order][:-1])
    return np.concatenate([kept[~again], order[last]])


def _settle_ties(touches: Touches, path: Ints, order: Ints) -> None:
    """Put touches of one path and one moment, which lie together in ``order``, by what they are and their rows."""
    import numpy as np

    at = touches.at[order]
    alike = (path[1:] == path[:-1]) & (at[1:] == at[:-1])
    tied = np.zeros(len(order), np.bool_)
    tied[1:] |= alike
    tied[:-1] |= alike
    places = np.flatnonzero(tied)
    some = order[places]
    order[places] = some[np.lexsort((touches.rows[some], touches.whats[some], at[places], path[places]))]


def relabel(touches: Touches, places: Ints, by: str, none: str = NONE) -> tuple[tuple[str, ...], Codes]:
    """The names of touches by ``channel``, ``campaign``, ``rule``, ``message`` or ``arm``, and the place in them for
    each of the touches at ``places``."""
    import numpy as np

    code: dict[str, int] = {}
    of_label = [code.setdefault(_name(label, by) or none, len(code)) for label in touches.names]
    return tuple(code), np.array(of_label or [0], np.int32)[touches.labels[places]]


def _name(label: Label, by: str) -> str:
    match by:
        case "channel":
            return label.channel
        case "campaign":
            return label.campaign or label.rule
        case "message":
            return f"{label.rule}: {label.message}" if label.message else ""
        case _:
            found: str = getattr(label, by)
            return found


def of_currency(joined: Joined, conversions: Conversions, currency: int) -> tuple[Ints, Ints]:
    """The paths of one currency, null paths included, which belong to each; and the untouched conversions in it."""
    import numpy as np

    null = joined.conversions < 0
    own = np.zeros(len(null), np.bool_)
    own[~null] = conversions.currencies[joined.conversions[~null]] == currency
    return np.flatnonzero(null | own), joined.untouched[conversions.currencies[joined.untouched] == currency]


class Selected(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The paths of one currency, for a model: ``places`` are those of the paths in `Joined`, ``touches`` those of the
    paths' touches in the columns of `Touches`. ``untouched`` conversions, worth ``value``, no touch is before."""

    currency: str
    paths: Paths
    places: Ints
    touches: Ints
    untouched: int
    value: float


def select(touches: Touches, conversions: Conversions, joined: Joined, currency: int) -> Selected:
    """The paths of one currency, by channel."""
    import numpy as np

    places, untouched = of_currency(joined, conversions, currency)
    chosen = np.zeros(len(joined.conversions), np.bool_)
    chosen[places] = True
    met = joined.touches[np.repeat(chosen, joined.lengths)]
    ending = joined.conversions[places]
    led = ending >= 0
    names, codes = relabel(touches, met, "channel", NONE)
    values, ends = np.zeros(len(places)), np.zeros(len(places), np.int64)
    values[led], ends[led] = conversions.values[ending[led]], conversions.at[ending[led]]
    return Selected(
        currency=conversions.money[currency],
        paths=Paths(
            names=names,
            channels=codes,
            starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(joined.lengths[places])]),
            conversions=led.astype(np.float64),
            values=values,
            counts=np.ones(len(places)),
            # A touch that another's clock put a little behind its conversion stands at it.
            times=np.where(
                led.repeat(joined.lengths[places]),
                np.minimum(touches.at[met], ends.repeat(joined.lengths[places])),
                touches.at[met],
            ),
            converted_at=ends,
        ),
        places=places,
        touches=met,
        untouched=len(untouched),
        value=float(conversions.values[untouched].sum()),
    )
