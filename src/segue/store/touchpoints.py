"""Queries for touches: messages, opens and clicks, codes used, visits, and contacts that events tell of. They are read
in pieces, each a short look of its own beside a daemon that goes on."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.delivery.ledger import MessageState
from segue.measure.touchpoints.columns import MOST_NAMES, OTHERS, Contact, Label, Told, Touches, What
from segue.measure.touchpoints.origins import DIRECT, OTHER, Naming, Origin, Origins, tidy
from segue.measure.touchpoints.visits import UNKNOWN, find_visits
from segue.program.values import read_money
from segue.store.database import Transaction
from segue.store.results import Look, Tell, last_before, last_row

PIECE: Final = 50_000
PAGES: Final = ("page_viewed", "screen_viewed")
_DECIDED_BEFORE: Final = 60 * DAY
"""A message is handed over so long after it was decided at the most: nothing waits longer for a slot or an hour."""
_REACHED: Final = ", ".join(
    str(int(state)) for state in (MessageState.HANDED, MessageState.CONFIRMED, MessageState.RETRACTING)
)
_REACTIONS: Final = {"opened": What.OPENED, "clicked": What.CLICKED, "replied": What.REPLIED}
_SENT: Final = f"message.state in ({_REACHED}) and message.handed is not null"
_MESSAGES: Final = (
    "select customer, handed, id, channel, rule, message, journey, coalesce(cost, 0), currency from message "
    f"where id > ? and id <= ? and handed >= ? and handed < ? and {_SENT}"
)
_HITS: Final = (
    "select message.customer, hit.at, message.id, channel, rule, message.message, journey, hit.what, hit.id "
    "from hit cross join message on message.id = hit.message "
    f"where hit.id > ? and hit.id <= ? and hit.at >= ? and hit.at < ? and hit.machine {{}} and {_SENT}"
)
_REPORTS: Final = (
    "select message.customer, event.at, message.id, channel, rule, message.message, journey, "
    "json_extract(event.fields, '$.what'), event.id "
    "from event cross join message indexed by message_claimed "
    "on message.key = unhex(json_extract(event.fields, '$.key')) and message.claimed is not null "
    "where event.id > ? and event.id <= ? and event.kind = 1 and event.name is null "
    "and event.at >= ? and event.at < ? and event.message_id not like 'report:%:hit:%' "
    f"and json_extract(event.fields, '$.what') in ('opened', 'clicked', 'replied') and {_SENT}"
)
_COUPONS: Final = (
    "select message.customer, redeemed, message.id, channel, rule, message.message, message.journey, coupon.id "
    "from coupon join message on message.id = coupon.message "
    "where coupon.id > ? and coupon.id <= ? and redeemed >= ? and redeemed < ?"
)
_EVENTS: Final = (
    "select customer, at, id, name, fields from event where id > ? and id <= ? and at >= ? and at < ? "
    "and customer is not null and name in (select value from json_each(?))"
)
_OURS: Final = (
    "select id, channel, rule, message, journey from message where customer = ? and handed <= ? and handed >= ? "
    f"and {_SENT} order by handed desc, id desc limit 50"
)


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


class _View(msgspec.Struct):
    url: Any = None
    search: Any = None
    referrer: Any = None
    utm_source: Any = None
    utm_medium: Any = None
    utm_campaign: Any = None
    utm_content: Any = None
    gclid: Any = None
    fbclid: Any = None
    campaign: Any = None
    campaign_name: Any = None
    cost: Any = None
    currency: Any = None


_decode: Final = msgspec.json.Decoder(_View).decode
_MARKS: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "gclid", "fbclid")
_marks: Final = attrgetter(*_MARKS)
_UNMARKED: Final[dict[str, str]] = {}
_BLANK: Final = _View()


def read_touches(look: Look, since: Instant, until: Instant, choice: Choice, tell: Tell) -> Touches:
    """The touches of a stretch of time."""
    found = _Found(choice)
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
    return found.touches()


def _said(name: str) -> str:
    """A name as settings write it: ``Ad Clicked`` is ``ad_clicked``."""
    return "_".join(name.lower().split())


def _first_message(tx: Transaction, since: Instant) -> int:
    return last_before(tx, "message", "decided", Instant(max(0, since - _DECIDED_BEFORE)))


class _Found:
    """Touches as they are read: columns, and what is interned."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._origins = Origins(choice.naming)
        self._codes: dict[Label, int] = {}
        self._own: dict[tuple[str, str, str, str], int] = {}
        self._money: dict[str, int] = {"": 0}
        self._outside = 0
        self._folded = 0
        self._columns = {name: array("q") for name in Touches.__struct_fields__ if name not in _WHOLE}
        self._views = {name: array("q") for name in ("customers", "at", "rows", "labels", "messages", "pages")}
        self._arms: dict[int, str] = {}

    def _add(self, *values: int) -> None:
        for column, value in zip(self._columns.values(), values, strict=True):
            column.append(value)

    def _extend(self, count: int, *columns: Iterable[int] | int) -> None:
        """Add many touches at once; a number stands for all of them."""
        for column, values in zip(self._columns.values(), columns, strict=True):
            column.extend(repeat(values, count) if isinstance(values, int) else values)

    def _label(self, label: Label) -> int:
        code = self._codes.get(label)
        if code is None:
            code = self._codes[label] = len(self._codes)
        return code

    def _outer(self, channel: str, campaign: str) -> int:
        """The label of a touch from outside, of whose names there may be any number."""
        label = Label(channel, campaign)
        if label not in self._codes:
            if self._outside >= MOST_NAMES:
                self._folded += 1
                return self._label(Label(channel, OTHERS))
            self._outside += 1
        return self._label(label)

    def _load_arms(self, tx: Transaction, journeys: Iterator[int]) -> None:
        if self._choice.arms:
            wanted = sorted(set(journeys) - self._arms.keys())
            rows = tx.rows(
                "select id, detail from journey where id in (select value from json_each(?)) and detail is not null",
                (msgspec.json.encode(wanted).decode(),),
            )
            self._arms.update((row, _arm(detail)) for row, detail in rows)

    def _ours(self, channel: str, rule: str, message: str, journey: int) -> int:
        key = (channel, rule, message, self._arms.get(journey, "") if self._arms else "")
        code = self._own.get(key)
        if code is None:
            code = self._own[key] = self._label(Label(channel, "", rule, message, key[3]))
        return code

    def take_messages(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        if What.HANDED not in self._choice.messages:
            return
        rows = tx.rows(_MESSAGES, piece)
        self._load_arms(tx, (row[6] for row in rows))
        if not rows:
            return
        customers, handed, numbers, channels, rules, messages, journeys, costs, currencies = zip(*rows, strict=True)
        labels = [self._ours(*one) for one in zip(channels, rules, messages, journeys, strict=True)]
        codes = {name: self._money.setdefault(name or "", len(self._money)) for name in dict.fromkeys(currencies)}
        money = map(codes.__getitem__, currencies)
        self._extend(len(rows), customers, handed, What.HANDED, labels, numbers, numbers, Told.MESSAGE, costs, money)

    def take_hits(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        judged = "is not null" if self._choice.machines else "= ''"
        self._take_reactions(tx, tx.rows(_HITS.format(judged), piece), Told.HIT)

    def take_reports(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        self._take_reactions(tx, tx.rows(_REPORTS, piece), Told.EVENT)

    def _take_reactions(self, tx: Transaction, rows: list[tuple[Any, ...]], told: Told) -> None:
        self._load_arms(tx, (row[6] for row in rows))
        for customer, at, number, channel, rule, message, journey, said, row in rows:
            what = _REACTIONS[said]
            if what in self._choice.messages:
                label = self._ours(channel, rule, message, journey)
                self._add(customer, at, what, label, number, row, told, 0, 0)
            if what == What.CLICKED:
                self._view(customer, at, row, 0, number, 0)

    def take_coupons(self, tx: Transaction, piece: tuple[int, ...]) -> None:
        if What.REDEEMED not in self._choice.messages:
            return
        rows = tx.rows(_COUPONS, piece)
        self._load_arms(tx, (row[6] for row in rows))
        for customer, at, number, channel, rule, message, journey, row in rows:
            label = self._ours(channel, rule, message, journey)
            self._add(customer, at, What.REDEEMED, label, number, row, Told.COUPON, 0, 0)

    def _view(self, *values: int) -> None:
        for column, value in zip(self._views.values(), values, strict=True):
            column.append(value)

    def take_events(self, tx: Transaction, piece: tuple[int, ...], wanted: Mapping[int, str]) -> None:
        if not wanted:
            return
        numbers = msgspec.json.encode(sorted(wanted)).decode()
        for customer, at, row, name, raw in tx.rows(_EVENTS, (*piece, numbers)):
            try:
                fields = _decode(raw) if raw else _BLANK
            except msgspec.DecodeError:
                fields = _BLANK
            contact = self._choice.events.get(wanted[name])
            if contact is None:
                self._take_view(tx, customer, at, row, fields)
            else:
                self._take_contact(customer, at, row, fields, contact)

    def _origin(self, fields: _View) -> Origin:
        marks = _UNMARKED
        if any(value is not None for value in _marks(fields)):
            marks = {mark: value for mark in _MARKS if isinstance(value := getattr(fields, mark), str) and value}
        return self._origins.find(_text(fields.url), _text(fields.search), _text(fields.referrer), marks)

    def _take_view(self, tx: Transaction, customer: int, at: int, row: int, fields: _View) -> None:
        origin = self._origin(fields)
        if origin.ours is not None and (ours := self._find_ours(tx, customer, at, origin.ours)) is not None:
            number, label = ours
            self._view(customer, at, row, label, number, 1)
        elif origin.channel is None:
            self._view(customer, at, row, UNKNOWN, 0, 1)
        else:
            self._view(customer, at, row, self._outer(origin.channel, origin.campaign), 0, 1)

    def _find_ours(
        self, tx: Transaction, customer: int, at: int, marks: tuple[str, str, str]
    ) -> tuple[int, int] | None:
        """The newest message to the customer whose links carry these marks: its number and label."""
        patterns = [self._choice.parameters.get(f"utm_{name}", "") for name in ("medium", "campaign", "content")]
        for number, channel, rule, message, journey in tx.rows(_OURS, (customer, at, at - 90 * DAY)):
            filled = {"{channel}": channel, "{rule}": rule, "{message}": message}
            if all(_fill(pattern, filled) == mark for pattern, mark in zip(patterns, marks, strict=True)):
                self._load_arms(tx, iter((journey,)))
                return number, self._ours(channel, rule, message, journey)
        return None

    def _take_contact(self, customer: int, at: int, row: int, fields: _View, contact: Contact) -> None:
        origin = self._origin(fields)
        channel = contact.channel or origin.channel or ("paid other" if contact.what == What.AD else OTHER)
        campaign = tidy(fields.campaign_name) or tidy(fields.campaign) or origin.campaign
        cost = read_money(fields.cost, {"currency": fields.currency}, self._choice.currency)
        millionths, code = 0, 0
        if cost is not None and 0 < cost.amount < 10**9 and len(self._money) < _MOST_CURRENCIES:
            millionths = int(cost.amount * 1_000_000)
            code = self._money.setdefault(cost.currency, len(self._money))
        label = self._outer(channel, campaign)
        self._add(customer, at, contact.what, label, 0, row, Told.EVENT, millionths, code)

    def _add_visits(self) -> None:
        import numpy as np

        views = {name: np.frombuffer(column, np.int64) for name, column in self._views.items()}
        if not len(views["at"]):
            return
        pages, numbers, labels = views["pages"], views["messages"], views["labels"]
        direct = self._label(Label(DIRECT))
        # The messages' numbers stand above those of labels, so that each message is an origin of its own.
        origins = np.where(numbers > 0, len(self._codes) + numbers, labels)
        places, told = find_visits(views["customers"], views["at"], origins, pages, direct)
        ours = numbers[places] > 0
        if What.CLICKED in self._choice.messages:
            self._extend_views(views, places[ours], What.CLICKED, labels[places[ours]])
        if self._choice.visits:
            self._extend_views(views, places[~ours], What.VISIT, told[~ours])

    def _extend_views(self, views: Mapping[str, Any], places: Any, what: What, labels: Any) -> None:
        columns = [views[name][places].tolist() for name in ("customers", "at", "messages", "rows")]
        customers, at, numbers, rows = columns
        self._extend(len(rows), customers, at, what, labels.tolist(), numbers, rows, Told.EVENT, 0, 0)

    def touches(self) -> Touches:
        import numpy as np

        self._add_visits()
        columns = {
            name: np.frombuffer(column, np.int64) if column else np.zeros(0, np.int64)
            for name, column in self._columns.items()
        }
        for name in ("whats", "labels", "told", "currencies"):
            columns[name] = columns[name].astype(np.int32)
        return Touches(
            **columns,  # type: ignore[arg-type]
            names=tuple(self._codes) or (Label(DIRECT),),
            money=tuple(self._money),
            folded=self._folded,
        )


_WHOLE: Final = ("names", "money", "folded")
_MOST_CURRENCIES: Final = 200


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _fill(pattern: str, values: Mapping[str, str]) -> str:
    for place, value in values.items():
        pattern = pattern.replace(place, value)
    return pattern


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
