"""Publishing: a checked book becomes the one that runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

import msgspec

from segue.api import ChannelSpec, Instant, Money
from segue.customers.reach import Reach
from segue.language import model as m
from segue.program.program import Program
from segue.runtime.running import Running, bodies_of, build, decode_words, encode_words, words_of
from segue.runtime.turn import Done, Turn
from segue.store import books
from segue.store import journeys as journey_rows
from segue.store.database import Transaction


class Setting(msgspec.Struct, frozen=True):
    """What a project says beside its rules; ``costs`` and ``best_minute`` as in `Running`."""

    zone: tzinfo
    currency: str
    reach: Reach
    channels: Mapping[str, ChannelSpec]
    locale: str = "en"
    costs: Mapping[str, Money] = {}
    best_minute: int = 600


def publish(tx: Transaction, book: m.Book, now: Instant, who: str) -> tuple[str, ...]:
    """Make the book the one that runs. Gives the rules that were removed and have customers inside:
    `expel` them next."""
    bodies = bodies_of(book)
    books.put_programs(tx, [(program.hash, program.name, body) for program, body in bodies.values()])
    current = {name: program.hash for name, (program, _) in bodies.items()}
    books.put_book(tx, current, encode_words(words_of(book)), now, who)
    return tuple(sorted(books.rules_inside(tx) - set(current)))


def load(tx: Transaction, setting: Setting, known: Mapping[str, Program] | None = None) -> Running | None:
    """What runs, from the store; None before the first publication."""
    words = books.load_words(tx)
    if words is None:
        return None
    return build(
        books.load_programs(tx),
        books.load_book(tx),
        decode_words(words),
        zone=setting.zone,
        currency=setting.currency,
        locale=setting.locale,
        reach=setting.reach,
        channels=setting.channels,
        known=known,
        costs=setting.costs,
        best_minute=setting.best_minute,
    )


def removed(tx: Transaction) -> tuple[str, ...]:
    """Rules that are not in the book and still have customers inside:
    a publication was cut off before they had left."""
    return tuple(sorted(books.rules_inside(tx) - set(books.load_book(tx))))


def expel(tx: Transaction, running: Running, rule: str, after: int, now: Instant, limit: int = 500) -> tuple[int, Done]:
    """A piece of removing a rule: everyone inside exits. Gives the last journey's number,
    0 when there is nobody left."""
    found = journey_rows.load_of_rule(tx, rule, after, limit)
    turn = Turn(tx, running, now)
    turn.load([customer for customer, _ in found])
    last = 0
    for customer, journey in found:
        turn.end(turn.people[customer], journey, "the rule was removed", now)
        last = journey.row
    return last, turn.flush()
