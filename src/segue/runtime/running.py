"""What runs: the programs of the published book, those that customers inside still run, and the project's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, get_args

import msgspec

from segue.api import ChannelSpec, FieldType, Instant, Kind, Money, to_rfc3339
from segue.api.values import DAY
from segue.customers.identity import ADDRESSES, NO_RULES, Rules
from segue.customers.normal import ZONED
from segue.customers.reach import Reach
from segue.engine.journey import Decision
from segue.host.limits import Limits
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.program.codec import decode_node, decode_rule, encode_node, encode_rule
from segue.program.facts import Scene
from segue.program.program import Program, compile_rule, compile_segments
from segue.runtime.beginnings import NONE, Beginnings, Subject, find_beginnings
from segue.runtime.in_hand import InHand
from segue.runtime.long_history import Kept, find_kept

YEAR: Final = 366 * DAY
_MEANT: Final = frozenset(
    {
        *(ADDRESSES.keys() | ZONED | {"language", "locale", "preferred_channel"}),
        *(f"preferred_channel_{kind}" for kind in get_args(Kind)),
    }
)
"""Traits that mean something though nothing declares them."""
CHAIN: Final = 8
"""How deep a chain of emits, trait changes and segment changes may go before it ends."""


class Words(msgspec.Struct, frozen=True):
    """What a published book has besides rules, stored with each publication: its events by the names that sources send,
    for each event the other spellings of its fields, its segments and its policies, and the types of traits."""

    names: dict[str, str]
    spellings: dict[str, dict[str, str]] = {}
    segments: tuple[msgspec.Raw, ...] = ()
    policies: tuple[msgspec.Raw, ...] = ()
    traits: dict[str, FieldType] = {}


class DecisionLine(msgspec.Struct, frozen=True):
    """One decision as the record shows it: see "What a command prints" in the documentation."""

    at: Instant
    customer: str
    rule: str
    key: str
    decision: Decision
    channel: str = ""
    message: str = ""
    reason: str = ""


class Running(msgspec.Struct, frozen=True):
    """The book that runs, with what the loops need to know of the project. Replaced as a whole by a publication.

    ``channels`` are in the project's order. ``costs`` is what a message costs by channel, ``written`` which messages
    have content for it, ``best_minute`` when customers answer most of whom nothing is known, in minutes since midnight.
    ``retractable`` are the channels that can take messages back.

    ``identity`` is what the project says of who is who, ``traits`` are the types of traits that are declared.

    ``segments`` are those of the book, ``judges`` the same, compiled; ``policies`` are by kind of message.
    ``published`` is when the book was; ``superseded`` are the programs, by hash, of customers inside whose rule follows
    its edits: each with the one that takes over. ``kept`` is what rules and segments ask of history that aggregates can
    answer, by event. What comes again and again does so until ``recurs_until`` (replay has an end; None: for ever).
    ``in_hand`` are the messages between claim and call, where a daemon makes calls.
    ``erase_on`` are the events that erase whom they are about. ``carts`` are the sources that only report changes of
    carts, each with the quiet time after which a cart of it is abandoned, in microseconds. ``declared`` are the traits
    that the book declares, or that mean something by themselves; ``limits`` hold for all other names. ``orders`` are
    the events that are orders.
    """

    programs: Mapping[str, Program]
    current: Mapping[str, Program]
    triggers: Mapping[str, tuple[Program, ...]]
    keyed: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]
    spellings: Mapping[str, Mapping[str, str]]
    zone: tzinfo
    currency: str
    locale: str
    reach: Reach
    channels: Mapping[str, ChannelSpec]
    stale: int = DAY
    policies: Mapping[Kind, m.Policy] = {}
    costs: Mapping[str, Money] = {}
    best_minute: int = 600
    written: Mapping[str, frozenset[str]] = {}
    retractable: frozenset[str] = frozenset()
    segments: Mapping[str, m.Segment] = {}
    judges: Mapping[str, Callable[[Scene], bool]] = {}
    beginnings: Beginnings = NONE
    superseded: Mapping[str, Program] = {}
    published: Instant = Instant(0)
    kept: Mapping[str, tuple[Kept, ...]] = {}
    recurs_until: Instant | None = None
    in_hand: InHand | None = None
    erase_on: frozenset[str] = frozenset()
    carts: Mapping[str, int] = {}
    identity: Rules = NO_RULES
    traits: Mapping[str, FieldType] = {}
    declared: frozenset[str] = frozenset()
    limits: Limits = Limits()
    orders: tuple[str, ...] = ("ordered",)

    def erases(self, event: str | None) -> bool:
        """Whether an event, as a source sends it, erases its customer."""
        return bool(self.erase_on) and event is not None and self.names.get(event, event) in self.erase_on

    def still_comes(self, moment: Instant, subject: Subject) -> bool:
        """Whether a moment at which a subject would be looked at is awaited: what comes again every year is so until
        `recurs_until`, and a segment is watched for a year longer."""
        if self.recurs_until is None:
            return True
        if subject.condition is not None:
            return moment <= self.recurs_until + YEAR
        return not subject.recurs or moment <= self.recurs_until


def build(
    rules: Mapping[str, bytes],
    current: Mapping[str, str],
    words: Words,
    *,
    zone: tzinfo,
    currency: str,
    locale: str = "en",
    reach: Reach,
    channels: Mapping[str, ChannelSpec],
    stale: int = DAY,
    published: Instant,
    before: Running | None = None,
    costs: Mapping[str, Money] | None = None,
    best_minute: int = 600,
    erase_on: frozenset[str] = frozenset(),
    carts: Mapping[str, int] | None = None,
    identity: Rules = NO_RULES,
    kept: frozenset[str] = frozenset(),
    limits: Limits | None = None,
    orders: tuple[str, ...] = ("ordered",),
) -> Running:
    """Compile what runs. ``rules`` are stored programs by hash, ``current`` the book (rule to hash); programs of
    ``before`` are not compiled again, unless the segments changed that they may name."""
    segments = {one.name: one for one in segments_of(words)}
    known = before.programs if before is not None and before.segments == segments else {}
    programs = {
        content: known.get(content) or compile_rule(decode_rule(body), segments) for content, body in rules.items()
    }
    conditions = compile_segments(segments)
    book = {rule: programs[content] for rule, content in sorted(current.items())}
    triggers: dict[str, tuple[Program, ...]] = {}
    for program in book.values():
        for event in dict.fromkeys(program.rule.events):
            triggers[event] = (*triggers.get(event, ()), program)
    keyed: dict[str, tuple[str, ...]] = {}
    for program in programs.values():
        per = program.rule.per
        if per is not None and program.name not in keyed.get(per, ()):
            keyed[per] = (*keyed.get(per, ()), program.name)
    return Running(
        programs=programs,
        current=book,
        triggers=triggers,
        keyed=keyed,
        names=words.names,
        spellings=words.spellings,
        zone=zone,
        currency=currency,
        locale=locale,
        reach=reach,
        channels=channels,
        costs=costs or {},
        best_minute=best_minute,
        retractable=frozenset(name for name, spec in channels.items() if spec.retracts),
        stale=stale,
        segments=segments,
        judges={name: condition.judge for name, condition in conditions.items()},
        policies={one.kind: one for one in policies_of(words)},
        beginnings=find_beginnings(book, programs.values(), segments, conditions, reach, kept),
        superseded={
            content: book[program.name]
            for content, program in programs.items()
            if program.name in book
            and book[program.name].hash != content
            and book[program.name].rule.on_edit == "follow"
        },
        published=published,
        kept=find_kept((*(program.rule for program in programs.values()), *segments.values()), currency),
        erase_on=erase_on,
        carts=carts or {},
        identity=identity,
        traits=words.traits,
        declared=frozenset(words.traits) | _MEANT | {one.address for one in reach.channels.values() if one.address},
        limits=limits or Limits(),
    )


def with_content(running: Running, content: Catalogue, in_hand: InHand | None = None) -> Running:
    """The same book with its messages: which channel has content for which. ``in_hand``: as in `Running`."""
    written = {channel: frozenset(content.names(channel)) for channel in running.channels}
    return msgspec.structs.replace(running, written=written, in_hand=in_hand)


def words_of(book: m.Book) -> Words:
    """The names under which sources send the book's events."""
    names: dict[str, str] = {}
    for event in book.events.values():
        for sent in event.sent_as:
            names.setdefault(sent, event.name)
    for name in book.events:
        names[name] = name
    return Words(
        names,
        {event.name: event.spellings for event in book.events.values() if event.spellings},
        tuple(msgspec.Raw(encode_node(one)) for one in book.segments),
        tuple(msgspec.Raw(encode_node(one)) for one in book.policies),
        book.traits,
    )


def segments_of(words: Words) -> Sequence[m.Segment]:
    """The segments of a publication."""
    return [decode_node(bytes(one), m.Segment) for one in words.segments]


def policies_of(words: Words) -> Sequence[m.Policy]:
    """The policies of a publication."""
    return [decode_node(bytes(one), m.Policy) for one in words.policies]


def encode_words(words: Words) -> bytes:
    """Words as they are stored."""
    return msgspec.json.encode(words)


def decode_words(data: bytes) -> Words:
    """Words as they were stored."""
    return msgspec.json.decode(data, type=Words)


def bodies_of(book: m.Book) -> dict[str, tuple[Program, bytes]]:
    """The programs of a checked book by rule, each with the bytes to keep."""
    segments = {one.name: one for one in book.segments}
    return {rule.name: (compile_rule(rule, segments), encode_rule(rule)) for rule in book.rules}


def as_json(line: DecisionLine) -> dict[str, Any]:
    """A decision as `--json` prints it."""
    return {
        "at": to_rfc3339(line.at),
        "customer": line.customer,
        "rule": line.rule,
        "key": line.key,
        "decision": line.decision,
        "channel": line.channel or None,
        "message": line.message or None,
        "reason": line.reason or None,
    }
