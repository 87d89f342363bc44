"""A rule book as text, published to a store and then run: what the tests of the loops stand on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from segue.api import Event, Instant
from segue.language.book import Source, check_book
from segue.language.model import Book
from segue.language.vocabulary import Words
from segue.runtime.running import DecisionLine, Running
from segue.store.database import Store
from tests.engine.stage import put, setting
from tests.language.words import WORDS

__all__ = ["T0", "book_of", "event", "publish_text", "told"]

T0 = Instant(1_780_000_000_000_000)
"""Some afternoon in 2026."""


def book_of(text: str, words: Words = WORDS) -> Book:
    """The checked book of one file; fails where it has errors."""
    checked = check_book([Source("a.rules", text)], words)
    wrong = [one.message for one in checked.diagnostics if one.is_error]
    assert not wrong, wrong
    return checked.book


def publish_text(store: Store, text: str, **how: Any) -> Running:
    """Publish the text, and give what then runs: three channels, UTC."""
    return put(store, book_of(text), setting(**how))


def event(
    name: str | None, customer: str | None = "ann", *, at: Instant = T0, id: str = "", **properties: Any
) -> Event:
    """An event; ``traits=`` are the customer's."""
    traits = properties.pop("traits", {"email": "ann@example.com", "phone": "+358401234567"} if customer else {})
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
