"""Who is in an experiment: a customer counts in the group that they came into first, whatever happened then.

That is intention to treat. Everybody is watched for the same time: from the moment of the draw to the end of the goal's
window in the journey that made it, and counts once that is over: while it is open it would count what has come early,
and not yet what comes late. What they bring is whether a journey of theirs in the rule converted in that time, and what
it was worth: a second journey that began meanwhile takes the conversion over, and it is the customer's all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Final, Literal

import msgspec

from segue.api import Instant
from segue.measure.experiments.groups import Moments, Rate
from segue.measure.experiments.weighing import Weighted
from segue.program.values import is_currency

CONTROL: Final = ""
"""The experiment that a rule's ``holdout`` is; every other one is a split, which has a name."""
HELD_OUT: Final = "holdout"
TREATED: Final = "treated"
"""The arms of `CONTROL`."""

State = Literal["over", "open", "gone"]
"""Of the goal's window: whether it is over, or still open; ``gone``: the draw can have changed nothing that is known,
for the journey is not kept any more, had no goal, or had met it before, or could no longer."""


class Drawn(msgspec.Struct, frozen=True, array_like=True):
    """So many ``customers`` who were put into an arm alike. ``shares`` are the probabilities that the arms had in the
    draw, by arm, as JSON. ``before`` and ``squares`` are the sums of a figure of the time before, and of its squares.
    ``mixed``: so many of these customers, or of those of an earlier piece, came into another arm later."""

    arm: str
    shares: str
    state: State
    customers: int = 0
    before: float = 0.0
    squares: float = 0.0
    mixed: int = 0


class Buyer(msgspec.Struct, frozen=True, array_like=True):
    """One of those whose window is over, who converted in it: ``worths`` are what that was worth (``12.50 EUR``)."""

    arm: str
    shares: str
    before: float
    worths: Sequence[str | None]


class Piece(msgspec.Struct, frozen=True):
    """A part of the customers of an experiment. ``first`` and ``last`` are when the first and the last of them came."""

    drawn: Sequence[Drawn]
    buyers: Sequence[Buyer]
    first: Instant | None = None
    last: Instant | None = None


class Worth(msgspec.Struct, frozen=True):
    """What customers brought in one currency: sums beside what was known before, the same by how improbable their group
    was, and the ``most`` that one of them brought."""

    plain: Moments = Moments()
    weighted: Weighted = Weighted()
    most: float = 0.0

    def __add__(self, other: Worth) -> Worth:
        return Worth(self.plain + other.plain, self.weighted + other.weighted, max(self.most, other.most))


class Group(msgspec.Struct, frozen=True):
    """A group: the customers ``drawn`` into it, those of them that count (``rate``), those whose window is still
    ``open``, and those of whom no window is known (``gone``); ``mixed`` were in another group as well. ``conversions``
    is whether they converted, beside what was known before; ``weighted`` the same by how improbable their group was;
    ``worth`` what they brought, by currency."""

    drawn: int = 0
    open: int = 0
    gone: int = 0
    mixed: int = 0
    conversions: Moments = Moments()
    weighted: Weighted = Weighted()
    worth: dict[str, Worth] = {}

    @property
    def rate(self) -> Rate:
        """How many of how many converted."""
        return Rate(self.conversions.n, round(self.conversions.y))

    @property
    def values(self) -> dict[str, float]:
        """What they brought together, by currency."""
        return {currency: one.plain.y for currency, one in sorted(self.worth.items())}

    def of(self, currency: str) -> Worth:
        """What each of them brought in a currency; whoever brought nothing brought 0."""
        known, whole = self.worth.get(currency, Worth()), self.conversions
        return Worth(
            msgspec.structs.replace(known.plain, n=whole.n, x=whole.x, xx=whole.xx),
            msgspec.structs.replace(known.weighted, n=self.weighted.n, w=self.weighted.w, ww=self.weighted.ww),
            known.most,
        )

    def __add__(self, other: Group) -> Group:
        worth = dict(self.worth)
        for currency, one in other.worth.items():
            worth[currency] = worth[currency] + one if currency in worth else one
        return Group(
            self.drawn + other.drawn,
            self.open + other.open,
            self.gone + other.gone,
            self.mixed + other.mixed,
            self.conversions + other.conversions,
            self.weighted + other.weighted,
            worth,
        )


class Collected(msgspec.Struct):
    """Everybody in one experiment. ``offers`` are the groups by the arms that could be drawn; ``expected`` how many
    customers each group should have: the sums of the probabilities that it had in their draws. ``moved``: these were
    not the same for all. ``first`` and ``last`` are when the first and the last customer came."""

    offers: dict[frozenset[str], dict[str, Group]] = {}
    expected: dict[str, float] = {}
    moved: bool = False
    first: Instant | None = None
    last: Instant | None = None

    @property
    def groups(self) -> dict[str, Group]:
        """The groups, whatever else could be drawn."""
        arms = sorted({arm for groups in self.offers.values() for arm in groups})
        return {arm: self.among(arm, ()) for arm in arms}

    def among(self, arm: str, others: Iterable[str]) -> Group:
        """The customers of an arm who could also have been put into the others. Who came before those were there, or
        after, came at another time, and cannot be compared."""
        needed = frozenset(others)
        found = (groups[arm] for offer, groups in self.offers.items() if needed <= offer and arm in groups)
        return reduce(add, found, Group())


def collect(pieces: Iterable[Piece]) -> Collected:
    """Count everybody."""
    counting = Counting()
    for piece in pieces:
        counting.add(piece)
    return counting.found


class Counting:
    """An experiment whose pieces come one after the other; ``found`` is everybody so far."""

    def __init__(self) -> None:
        self.found = Collected()
        self._draws = _Draws()

    def add(self, piece: Piece) -> None:
        """Count the customers of a piece."""
        found = self.found
        if piece.first is not None and piece.last is not None:
            found.first = piece.first if found.first is None else min(found.first, piece.first)
            found.last = piece.last if found.last is None else max(found.last, piece.last)
        for drawn in piece.drawn:
            _count(found, self._draws.of(drawn.shares), drawn)
        alike: dict[tuple[str, str], list[Buyer]] = {}
        for buyer in piece.buyers:
            alike.setdefault((buyer.arm, buyer.shares), []).append(buyer)
        for (arm, shares), buyers in alike.items():
            _credit(found, self._draws.of(shares), arm, buyers)
        found.moved = self._draws.moved


class _Draw(msgspec.Struct, frozen=True):
    shares: dict[str, float]
    offer: frozenset[str]


class _Draws:
    """What the arms' probabilities were, each text read once."""

    def __init__(self) -> None:
        self._known: dict[str, _Draw] = {}
        self._kinds: set[tuple[tuple[str, float], ...]] = set()

    @property
    def moved(self) -> bool:
        return len(self._kinds) > 1

    def of(self, text: str) -> _Draw:
        found = self._known.get(text)
        if found is None:
            shares = msgspec.json.decode(text, type=dict[str, float])
            found = self._known[text] = _Draw(shares, frozenset(arm for arm, share in shares.items() if share > 0))
            self._kinds.add(tuple(sorted((arm, round(share, 9)) for arm, share in shares.items() if share > 0)))
        return found


def _count(found: Collected, draw: _Draw, one: Drawn) -> None:
    for arm, share in draw.shares.items():
        found.expected[arm] = found.expected.get(arm, 0.0) + share * one.customers
    n = one.customers
    counts = one.state == "over"
    share = draw.shares.get(one.arm, 0.0)
    w = 1 / share if share > 0 else 0.0
    group = Group(
        drawn=n,
        open=n if one.state == "open" else 0,
        gone=n if one.state == "gone" else 0,
        mixed=one.mixed,
        conversions=Moments(n, 0.0, 0.0, one.before, one.squares, 0.0) if counts else Moments(),
        weighted=Weighted(n, n * w, n * w * w) if counts and w else Weighted(),
    )
    _add(found, draw, one.arm, group)


def _credit(found: Collected, draw: _Draw, arm: str, buyers: Iterable[Buyer]) -> None:
    """Count the conversions of customers of an arm who were drawn alike."""
    share = draw.shares.get(arm, 0.0)
    w = 1 / share if share > 0 else 0.0
    n, before = 0, 0.0
    sums: dict[str, list[float]] = {}
    for one in buyers:
        n += 1
        before += one.before
        for currency, y in _amounts(one.worths).items():
            known = sums.setdefault(currency, [0.0, 0.0, 0.0, 0.0])
            known[0] += y
            known[1] += y * y
            known[2] += one.before * y
            known[3] = max(known[3], abs(y))
    worth = {
        currency: Worth(Moments(0, y, yy, 0.0, 0.0, xy), _weigh(w, y, yy), most)
        for currency, (y, yy, xy, most) in sums.items()
    }
    conversions = Moments(0, n, n, 0.0, 0.0, before)
    _add(found, draw, arm, Group(conversions=conversions, weighted=_weigh(w, n, n), worth=worth))


def _weigh(w: float, y: float, yy: float) -> Weighted:
    return Weighted(0, 0.0, 0.0, w * y, w * w * y, w * w * yy)


def _add(found: Collected, draw: _Draw, arm: str, group: Group) -> None:
    groups = found.offers.setdefault(draw.offer, {})
    groups[arm] = groups[arm] + group if arm in groups else group


def _amounts(worths: Iterable[str | None]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for text in worths:
        if (worth := _amount(text)) is not None:
            sums[worth[0]] = sums.get(worth[0], 0.0) + worth[1]
    return sums


def _amount(worth: str | None) -> tuple[str, float] | None:
    """The currency and the amount of ``12.50 EUR``; None for what is no amount."""
    amount, _, named = (worth or "").partition(" ")
    currency = named.upper()  # as orders told of it, in journeys of before it was noted in capitals
    try:
        number = float(amount)
    except ValueError:
        return None
    if not is_currency(currency):
        return None
    return (currency, number) if math.isfinite(number) and abs(number) < _MOST else None


_MOST: Final = 1e15
"""No order is worth as much: an amount beyond is a mistake, and its square would drown all others."""
