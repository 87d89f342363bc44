"""Queries for touches: messages, opens and clicks, codes used, visits, and contacts that events tell of. They are read
in pieces, each a short look of its own beside a daemon that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, compress
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.api.attribution import Codes, Ints
from segue.api.values import DAY
from segue.delivery.ledger import MessageState
from segue.measure.touchpoints.columns import Contact, Told, Touches, What
from segue.measure.touchpoints.fields import Fields
from segue.measure.touchpoints.gathering import Bounds, Gathered, Register
from segue.measure.touchpoints.origins import Naming
from segue.measure.touchpoints.own_links import FOLLOWED, Handed, find_followed
from segue.measure.touchpoints.visits import UNKNOWN, find_visits
from segue.store.database import Transaction
from segue.store.packed import Packed, read_packed
from segue.store.results import PIECE, Look, Tell, last_before, last_row

PAGES: Final = ("page_viewed", "screen_viewed")
_DECIDED_BEFORE: Final = 60 * DAY
"""A message is handed over so long after it was decided at the most: nothing waits longer for a slot or an hour."""
_LONGEST_VISIT: Final = DAY
"""A visit that goes on for longer begins anew where reading begins."""
REACHED: Final = ", ".join(
    str(int(state)) for state in (MessageState.HANDED, MessageState.CONFIRMED, MessageState.RETRACTING)
)
"""States of messages that went out, for a query."""
_REACTIONS: Final = {"opened": What.OPENED, "clicked": What.CLICKED, "replied": What.REPLIED}
_SENT: Final = f"message.state in ({REACHED}) and message.handed is not null"
_NAMES: Final = ("channel", "rule", "message.message")
_MESSAGES: Final = f"from message where id > ? and id <= ? and handed >= ? and handed < ? and {_SENT}"
_HITS: Final = (
    "from hit cross join message on message.id = hit.message "
    f"where hit.id > ? and hit.id <= ? and hit.at >= ? and hit.at < ? and hit.machine {{}} and {_SENT}"
)
_REPORTS: Final = (
    "from event cross join message indexed by message_claimed "
    "on message.key = unhex(json_extract(event.fields, '$.key')) and message.claimed is not null "
    "where event.id > ? and event.id <= ? and event.kind = 1 and event.name is null "
    "and event.at >= ? and event.at < ? and event.message_id not like 'report:%:hit:%' "
    f"and json_extract(event.fields, '$.what') in ('opened', 'clicked', 'replied') and {_SENT}"
)
_COUPONS: Final = (
    "from coupon join message on message.id = coupon.message "
    "where coupon.id > ? and coupon.id <= ? and redeemed >= ? and redeemed < ?"
)
_EVENTS: Final = (
    "select customer, at, id, name, fields from event where id > ? and id <= ? and at >= ? and at < ? "
    "and customer is not null and name in (select value from json_each(?))"
)
_HANDED: Final = ("customer", "handed", "id", "journey")
_EARLIER: Final = (
    f"from message where customer in (select value from json_each(?)) and handed >= ? and handed < ? and {_SENT}"
)
_PEOPLE: Final = 5_000


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which touches are looked for: ``messages`` by what was done with them, ``events`` by name, visits by their
    ``naming``. ``parameters`` are the patterns of campaign parameters that links of messages carry. ``machines``: opens
    and clicks by programs count, too. ``arms``: who was in which arm of a split is looked up."""

    messages: frozenset[What]
    events: Mapping[str, Contact]
    visits: bool
    naming: Naming
    parameters: Mapping[str, str]
    currency: str
    machines: bool = False
    arms: bool = False


def read_touches(look: Look, bounds: Bounds, until: Instant, choice: Choice, tell: Tell) -> Touches:
    """The touches of a stretch of time."""
    found = _Found(choice, bounds)
    # What visits at its beginning go on with is looked at, too.
    since = Instant(max(0, bounds.since - _LONGEST_VISIT))
    with look() as tx:
        names = {row: _said(name) for row, name in tx.rows("select id, name from name")}
        ranges = {
            "message": (_first_message(tx, since), last_row(tx, "message")),
            "hit": (0, last_row(tx, "hit")),
            "coupon": (0, last_row(tx, "coupon")),
            "event": (last_before(tx, "event", "received", since), last_row(tx, "event")),
        }
    wanted = {row: name for row, name in names.items() if name in choice.events or (choice.visits and name in PAGES)}
    total = sum(end - begin for begin, end in ranges.values())
    passed = 0
    for table, (begin, end) in ranges.items():
        for after in range(begin, end, PIECE):
            piece = (after, min(after + PIECE, end), since, until)
            with look() as tx:
                match table:
                    case "message":
                        found.take_messages(tx, piece)
                    case "hit":
                        found.take_hits(tx, piece)
                    case "coupon":
                        found.take_coupons(tx, piece)
                    case _:
                        found.take_reports(tx, piece)
                        found.take_events(tx, piece, wanted)
            passed += piece[1] - after
            tell(passed, total)
    found.add_visits(look, since)
    return found.touches()


def _said(name: str) -> str:
    """A name as settings write it: ``Ad Clicked`` is ``ad_clicked``."""
    return "_".join(name.lower().split())


def _first_message(tx: Transaction, since: Instant) -> int:
    return last_before(tx, "message", "decided", Instant(max(0, since - _DECIDED_BEFORE)))


class _Found:
    """Touches as they are read: columns, and what is interned."""

    def __init__(self, choice: Choice, bounds: Bounds) -> None:
        self._choice = choice
        self._bounds = bounds
        self._register = Register()
        self._fields = Fields(choice.naming, choice.events, choice.currency, self._register)
        self._gathered = Gathered(bounds)
        self._views: list[tuple[Any, ...]] = []
        self._handed: list[tuple[Any, ...]] = []
        self._arms: dict[int, str] = {}

    def _labels(self, tx: Transaction, read: Packed, journeys: Ints) -> Codes:
        """The labels of messages, told apart by channel, rule, message and, where that is wanted, the journey's arm."""
        import numpy as np

        own = [names[:3] for names in read.texts]
        if not self._choice.arms:
            return np.array([self._register.own(names) for names in own] or [0], np.int32)[read.codes]
        self._load_arms(tx, np.unique(journeys).tolist())
        return np.fromiter(
            (
                self._register.own(own[code], self._arms.get(journey, ""))
                for code, journey in zip(read.codes.tolist(), journeys.tolist(), strict=True)
            ),
            np.int32,
            len(read.codes),
        )

    def _load_arms(self, tx: Transaction, journeys: Iterable[int]) -> None:
        if self._choice.arms:
            wanted = sorted(set(journeys) - self._arms.keys())
            rows = tx.rows(
                "select id, detail from journey where id in (select value from json_each(?)) and detail is not null",
                (msgspec.json.encode(wanted).decode(),),
            )
            self._arms.update((row, _arm(detail)) for row, detail in rows)

    def take_messages(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        import numpy as np

        counted = What.HANDED in self._choice.messages
        if not counted and not self._choice.visits:
            return
        numbers = (*_HANDED, "coalesce(cost, 0)")
        read = read_packed(tx, numbers, (*_NAMES, "coalesce(currency, '')"), _MESSAGES, piece)
        customers, handed, rows, journeys, costs = read.numbers
        labels = self._labels(tx, read, journeys)
        if self._choice.visits:
            self._handed.append((customers, handed, rows, labels))
        if counted:
            money = np.array([self._register.currency(names[3]) or 0 for names in read.texts] or [0], np.int16)
            self._gathered.add(
                what=What.HANDED,
                told=Told.MESSAGE,
                customers=customers,
                at=handed,
                labels=labels,
                messages=rows,
                rows=rows,
                costs=costs,
                currencies=money[read.codes],
            )

    def take_hits(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        judged = "is not null" if self._choice.machines else "= ''"
        self._take_reactions(tx, "hit.at", "hit.id", "hit.what", _HITS.format(judged), piece, Told.HIT)

    def take_reports(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        said = "json_extract(event.fields, '$.what')"
        self._take_reactions(tx, "event.at", "event.id", said, _REPORTS, piece, Told.EVENT)

    def _take_reactions(
        self, tx: Transaction, at: str, row: str, said: str, rest: str, piece: tuple[int, ...], told: Told
    ) -> None:
        import numpy as np

        read = read_packed(tx, ("message.customer", at, "message.id", row, "journey"), (*_NAMES, said), rest, piece)
        customers, moments, messages, rows, journeys = read.numbers
        labels = self._labels(tx, read, journeys)
        whats = np.array([_REACTIONS[names[3]] for names in read.texts] or [What.OPENED], np.int8)[read.codes]
        clicked = whats == What.CLICKED
        self._view(customers[clicked], moments[clicked], rows[clicked], 0, messages[clicked], 0)
        kept = np.isin(whats, np.array([what.value for what in self._choice.messages], np.int8))
        self._gathered.add(
            what=whats[kept],
            told=told,
            customers=customers[kept],
            at=moments[kept],
            labels=labels[kept],
            messages=messages[kept],
            rows=rows[kept],
        )

    def take_coupons(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        if What.REDEEMED not in self._choice.messages:
            return
        numbers = ("message.customer", "redeemed", "message.id", "coupon.id", "message.journey")
        read = read_packed(tx, numbers, _NAMES, _COUPONS, piece)
        customers, at, messages, rows, journeys = read.numbers
        self._gathered.add(
            what=What.REDEEMED,
            told=Told.COUPON,
            customers=customers,
            at=at,
            labels=self._labels(tx, read, journeys),
            messages=messages,
            rows=rows,
        )

    def _view(self, customers: Ints, at: Ints, rows: Ints, labels: Any, messages: Any, page: int) -> None:
        """Note pages that were seen (``page`` 1) and clicks on messages (0), which begin visits, too."""
        import numpy as np

        held = self._bounds.hold(customers, at, _LONGEST_VISIT)
        columns = (customers, at, rows, labels, messages, page)
        self._views.append(tuple(np.broadcast_to(np.asarray(column, np.int64), len(at))[held] for column in columns))

    def take_events(self, tx: Transaction, piece: tuple[int, ...], wanted: Mapping[int, str]) -> None:
        import numpy as np

        numbers = msgspec.json.encode(sorted(wanted)).decode()
        rows = tx.rows(_EVENTS, (*piece, numbers)) if wanted else []
        if not rows:
            return
        *columns, names, raws = zip(*rows, strict=True)
        customers, at, numbered = (np.array(column, np.int64) for column in columns)
        held = self._bounds.hold(customers, at, _LONGEST_VISIT)
        names, raws = tuple(compress(names, held)), tuple(compress(raws, held))
        customers, at, numbered = customers[held], at[held], numbered[held]
        contacts = {row for row, name in wanted.items() if name in self._choice.events}
        is_view = np.array([name not in contacts for name in names], np.bool_)
        labels = np.array([self._fields.view(raw) for raw in compress(raws, is_view)], np.int64)
        self._view(customers[is_view], at[is_view], numbered[is_view], labels, 0, 1)
        told = np.flatnonzero(~is_view).tolist()
        if told:
            contact = self._fields.contact
            found = [contact(wanted[names[place]], raws[place]) for place in told]
            kinds = {row: self._choice.events[wanted[row]].what for row in contacts}
            outer, costs, money = np.array(found, np.int64).T
            self._gathered.add(
                what=[kinds[names[place]] for place in told],
                told=Told.EVENT,
                customers=customers[told],
                at=at[told],
                labels=outer,
                messages=0,
                rows=numbered[told],
                costs=costs,
                currencies=money,
            )

    def add_visits(self, look: Look, since: Instant) -> None:
        """Make visits of the pages that were seen, and clicks of those that our own links led to."""
        import numpy as np

        if not self._views:
            return
        pieces = list(zip(*self._views, strict=True))
        self._views.clear()
        # Each column's pieces are let go of before those of the next are put together: they are millions.
        columns = tuple(np.concatenate(pieces.pop(0)) for _ in range(len(pieces)))
        customers, at, rows, labels, numbers, pages = columns
        self._follow(look, since, columns)
        direct = self._register.direct()
        # The messages' numbers stand above those of labels, so that each message is an origin of its own.
        origins = np.where(numbers > 0, len(self._register.labels) + numbers, labels)
        places, told = find_visits(customers, at, origins, pages, direct)
        ours = numbers[places] > 0
        followed, visits = places[ours], places[~ours]
        if What.CLICKED in self._choice.messages:
            self._gathered.add(
                what=What.CLICKED,
                told=Told.EVENT,
                customers=customers[followed],
                at=at[followed],
                labels=labels[followed],
                messages=numbers[followed],
                rows=rows[followed],
            )
        if self._choice.visits:
            self._gathered.add(
                what=What.VISIT,
                told=Told.EVENT,
                customers=customers[visits],
                at=at[visits],
                labels=told[~ours],
                messages=0,
                rows=rows[visits],
            )

    def _follow(self, look: Look, since: Instant, columns: tuple[Ints, ...]) -> None:
        """Give pages with the marks of our own links, whose labels are below `UNKNOWN`, the message that they are of
        and its label; or that of a visit as any other."""
        import numpy as np

        customers, _, _, labels, _, _ = columns
        left = np.flatnonzero(labels < UNKNOWN)
        if not len(left):
            return
        handed = Handed.of(self._handed)
        self._handed.clear()
        left = self._find(left, handed, columns)
        if len(left):
            left = self._find(left, self._load_earlier(look, since, customers[left]), columns)
        labels[left] = np.array([label for _, label in self._fields.ours] or [0], np.int64)[-2 - labels[left]]

    def _find(self, left: Ints, handed: Handed, columns: tuple[Ints, ...]) -> Ints:
        """Fill in the messages that pages are of, as far as they are among these. Returns the places that are left."""
        customers, at, _, labels, numbers, _ = columns
        known, marks = [mark for mark, _ in self._fields.ours], -2 - labels[left]
        parameters = self._choice.parameters
        found = find_followed(customers[left], at[left], marks, known, handed, self._register.labels, parameters)
        there = left[found >= 0]
        numbers[there], labels[there] = handed.numbers[found[found >= 0]], handed.labels[found[found >= 0]]
        return left[found < 0]

    def _load_earlier(self, look: Look, since: Instant, customers: Ints) -> Handed:
        import numpy as np

        people, pieces = np.unique(customers).tolist(), []
        for after in range(0, len(people), _PEOPLE):
            wanted = msgspec.json.encode(people[after : after + _PEOPLE]).decode()
            with look() as tx:
                read = read_packed(tx, _HANDED, _NAMES, _EARLIER, (wanted, since - FOLLOWED, since))
                *columns, journeys = read.numbers
                pieces.append((*columns, self._labels(tx, read, journeys)))
        return Handed.of(pieces)

    def touches(self) -> Touches:
        return self._gathered.touches(self._register)


class _Arm(msgspec.Struct, array_like=True):
    split: str
    arm: str


class _Detail(msgspec.Struct, array_like=True):
    """The first parts of what `segue.store.journeys` writes, of which only the arms are wanted."""

    sends: msgspec.Raw = msgspec.Raw(b"")
    reactions: msgspec.Raw = msgspec.Raw(b"")
    trace: msgspec.Raw = msgspec.Raw(b"")
    choices: tuple[_Arm, ...] = ()


_decode_detail: Final = msgspec.msgpack.Decoder(_Detail).decode


def _arm(detail: bytes) -> str:
    return ", ".join(f"{one.split}: {one.arm}" if one.split else one.arm for one in _decode_detail(detail).choices)


def load_keys(tx: Transaction, customers: list[int]) -> dict[int, str]:
    """The keys of customers, by number; those that are no more are left out."""
    return dict(
        chain.from_iterable(
            tx.rows(
                "select id, key from customer where id in (select value from json_each(?))",
                (msgspec.json.encode(customers[after : after + PIECE]).decode(),),
            )
            for after in range(0, len(customers), PIECE)
        )
    )
