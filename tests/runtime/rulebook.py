"""A rule book as text, published to a store and then run: what the tests of the loops stand on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any
from zlib import crc32

from segue.api import Event, Instant
from segue.language.book import Source, check_book
from segue.language.model import Book
from segue.language.vocabulary import Words
from segue.runtime.due import pass_time
from segue.runtime.running import DecisionLine, Running
from segue.runtime.sweeping import Chore, chores, sweep
from segue.store.database import Store
from tests.engine.stage import BEGINNING, put, setting
from tests.language.words import WORDS

__all__ = ["T0", "book_of", "event", "pass_all_time", "publish_text", "sweep_all", "told"]

T0 = Instant(1_780_000_000_000_000)
"""Some afternoon in 2026."""


def book_of(text: str, words: Words = WORDS) -> Book:
    """The checked book of one file; fails where it has errors."""
    checked = check_book([Source("a.rules", text)], words)
    wrong = [one.message for one in checked.diagnostics if one.is_error]
    assert not wrong, wrong
    return checked.book


def publish_text(store: Store, text: str, now: Instant = BEGINNING, **how: Any) -> Running:
    """Publish the text at a moment, and give what then runs: three channels, UTC."""
    return put(store, book_of(text), setting(**how), now)


def sweep_all(store: Store, running: Running, now: Instant, limit: int = 500) -> list[DecisionLine]:
    """Do all that a publication leaves to do, in pieces."""
    lines: list[DecisionLine] = []
    for chore in store.apply(lambda tx: chores(tx, running)):
        left: Chore | None = chore
        while left is not None:
            swept = store.apply(partial(sweep, running=running, chore=left, now=now, limit=limit))
            lines += swept.done.lines
            left = swept.left
    return lines


def pass_all_time(store: Store, running: Running, now: Instant, limit: int = 500) -> list[DecisionLine]:
    """Do all that comes by time up to a moment, in pieces."""
    lines: list[DecisionLine] = []
    while True:
        woke = store.apply(lambda tx: pass_time(tx, running, now, limit))
        lines += woke.done.lines
        if woke.next_due is None or woke.next_due > now:
            return lines


def addresses(customer: str) -> dict[str, str]:
    """Addresses that only this customer has."""
    name = customer.replace(" ", ".")
    return {"email": f"{name}@example.com", "phone": f"+800{crc32(customer.encode()) % 10**8:08d}"}


def event(
    name: str | None, customer: str | None = "ann", *, at: Instant = T0, id: str = "", **properties: Any
) -> Event:
    """An event; ``traits=`` are the customer's. Without them they have addresses of their own, and a phone number of no
    country: one that tells no zone."""
    traits = properties.pop("traits", addresses(customer) if customer else {})
    return Event(
        message_id=id or f"{name}-{customer}-{at}",
        timestamp=at,
        source="shop",
        name=name,
        user_id=customer,
        properties=properties,
        traits=traits,
    )


def told(lines: Iterable[DecisionLine]) -> list[tuple[str, str, str]]:
    """Decisions as (rule, what, channel or reason)."""
    return [(line.rule, line.decision, line.channel or line.reason) for line in lines]
