"""What runs: the programs of the published book, those that customers inside still run, and the project's settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final

import msgspec

from segue.api import ChannelSpec, Instant, Kind, Money, to_rfc3339
from segue.api.values import DAY
from segue.customers.reach import Reach
from segue.engine.journey import Decision
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.program.codec import decode_rule, encode_rule
from segue.program.program import Program, compile_rule

CHAIN: Final = 8
"""How deep a chain of emits and trait changes may go before it ends."""


class Words(msgspec.Struct, frozen=True):
    """The events of a published book by the names that sources send, and for each event the other spellings of its
    fields; stored with each publication."""

    names: dict[str, str]
    spellings: dict[str, dict[str, str]] = {}


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
    known: Mapping[str, Program] | None = None,
    costs: Mapping[str, Money] | None = None,
    best_minute: int = 600,
) -> Running:
    """Compile what runs. ``rules`` are stored programs by hash, ``current`` the book (rule to hash); programs in
    ``known`` are not compiled again."""
    programs = {
        content: (known or {}).get(content) or compile_rule(decode_rule(body)) for content, body in rules.items()
    }
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
    )


def with_content(running: Running, content: Catalogue) -> Running:
    """The same book with its messages: which channel has content for which."""
    return msgspec.structs.replace(
        running, written={channel: frozenset(content.names(channel)) for channel in running.channels}
    )


def words_of(book: m.Book) -> Words:
    """The names under which sources send the book's events."""
    names: dict[str, str] = {}
    for event in book.events.values():
        for sent in event.sent_as:
            names.setdefault(sent, event.name)
    for name in book.events:
        names[name] = name
    return Words(names, {event.name: event.spellings for event in book.events.values() if event.spellings})


def encode_words(words: Words) -> bytes:
    """Words as they are stored."""
    return msgspec.json.encode(words)


def decode_words(data: bytes) -> Words:
    """Words as they were stored."""
    return msgspec.json.decode(data, type=Words)


def bodies_of(book: m.Book) -> dict[str, tuple[Program, bytes]]:
    """The programs of a checked book by rule, each with the bytes to keep."""
    return {rule.name: (compile_rule(rule), encode_rule(rule)) for rule in book.rules}


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
