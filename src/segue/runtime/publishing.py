"""Publishing: a checked book becomes the one that runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

import msgspec

from segue.api import ChannelSpec, Instant, Money
from segue.api.values import DAY
from segue.customers.identity import NO_RULES, Rules
from segue.customers.reach import Reach
from segue.host.limits import Limits
from segue.language import model as m
from segue.program.codec import encode_node
from segue.runtime.accounts import AccountTerms
from segue.runtime.calendars import arrange_calendar
from segue.runtime.running import (
    Running,
    Words,
    bodies_of,
    build,
    decode_words,
    encode_words,
    policies_of,
    segments_of,
    words_of,
)
from segue.runtime.sweeping import arrange_aggregates, arrange_watches
from segue.store import books
from segue.store.books import Changes
from segue.store.database import Transaction


class Setting(msgspec.Struct, frozen=True):
    """What a project says beside its rules; ``costs``, ``best_minute``, ``carts``, ``identity`` and ``limits`` as in
    `Running`; ``kept`` are the segments whose members are kept though no rule asks for it (``all``: of every one),
    ``late`` the sources that send what is old on purpose, ``accounts`` those at providers, ``orders`` the events that
    are orders."""

    zone: tzinfo
    currency: str
    reach: Reach
    channels: Mapping[str, ChannelSpec]
    locale: str = "en"
    costs: Mapping[str, Money] = {}
    best_minute: int = 600
    stale: int = DAY
    erase_on: frozenset[str] = frozenset()
    carts: Mapping[str, int] = {}
    identity: Rules = NO_RULES
    kept: frozenset[str] = frozenset()
    limits: Limits = Limits()
    late: frozenset[str] = frozenset()
    accounts: tuple[AccountTerms, ...] = ()
    orders: tuple[str, ...] = ("ordered",)


def publish(tx: Transaction, book: m.Book, now: Instant, who: str, sources: Mapping[str, str] | None = None) -> Changes:
    """Make the book the one that runs; `resume` it next. ``sources`` are its files, name to text, kept so that it can
    be shown and published again. Gives what that changed."""
    before = books.load_words(tx)
    words = words_of(book)
    bodies = bodies_of(book)
    books.put_programs(tx, [(program.hash, program.name, body) for program, body in bodies.values()])
    current = {name: program.hash for name, (program, _) in bodies.items()}
    changes = _changes(
        {**books.load_book(tx), **_meanings(decode_words(before))} if before is not None else {},
        {**current, **_meanings(words)},
    )
    books.put_book(tx, current, encode_words(words), now, who, sources or {}, changes)
    return changes


def compare(tx: Transaction, book: m.Book) -> Changes:
    """What publishing the book would change."""
    before = books.load_words(tx)
    current = {name: program.hash for name, (program, _) in bodies_of(book).items()}
    return _changes(
        {**books.load_book(tx), **_meanings(decode_words(before))} if before is not None else {},
        {**current, **_meanings(words_of(book))},
    )


def _meanings(words: Words) -> dict[str, str]:
    """What segments and policies mean, by the name under which a change of one is noted."""
    return {one.name: encode_node(one, meaning=True).decode() for one in segments_of(words)} | {
        f"policy {one.kind}": encode_node(one, meaning=True).decode() for one in policies_of(words)
    }


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Changes:
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(name for name in after.keys() & before.keys() if after[name] != before[name])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def load(tx: Transaction, setting: Setting, before: Running | None = None) -> Running | None:
    """What runs, from the store; None before the first publication. What ``before`` has compiled is used again."""
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
        stale=setting.stale,
        published=books.last_published(tx),
        before=before,
        costs=setting.costs,
        best_minute=setting.best_minute,
        erase_on=setting.erase_on,
        carts=setting.carts,
        identity=setting.identity,
        kept=setting.kept,
        limits=setting.limits,
        orders=setting.orders,
    )


def preview(book: m.Book, setting: Setting) -> Running:
    """What a book that is not published makes of events: their names and fields, and no rules."""
    words = words_of(book)
    return build(
        {},
        {},
        Words(words.names, words.spellings),
        zone=setting.zone,
        currency=setting.currency,
        locale=setting.locale,
        reach=setting.reach,
        channels=setting.channels,
        stale=setting.stale,
        published=Instant(0),
    )


def resume(tx: Transaction, setting: Setting, before: Running | None = None) -> Running | None:
    """What runs, ready to: besides `load` it has the store know what the book watches and which moments of the calendar
    it waits for. After a publication and at every start; there may be chores then."""
    running = load(tx, setting, before)
    if running is not None:
        arrange_watches(tx, running)
        arrange_aggregates(tx, running)
        arrange_calendar(tx, running)
    return running
