"""A replay whose channels answer by customer and channel, and what it left in its store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from segue.api import Instant, Rejected, Sent, Unknown
from segue.api.channels import Answer
from segue.customers.reach import ChannelReach, Reach
from segue.delivery.ledger import LedgerRow
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.runtime import due, running
from segue.runtime.dispatch import Claim, Outcome
from segue.runtime.publishing import Setting, load
from segue.runtime.running import DecisionLine, Running
from segue.scenario.replay import SPAN, Arrival, Replay
from segue.store.database import Store
from tests.engine import programs
from tests.engine.programs import ADDRESSES, Life
from tests.engine.stage import book, put, setting

_ANSWERS: Mapping[str, Answer] = {
    "sent": Sent(),
    "rejected": Rejected("no such address"),
    "unknown": Unknown("cut off"),
}
_AT_ONCE = ("sent", timedelta())


class AnsweredReplay(Replay):
    """Answers as a life says: the keys, by which a record answers, are the engine's own affair."""

    def __init__(self, store: Store, running: Running, life: Life, *, span: int = SPAN) -> None:
        super().__init__(store, running, Catalogue(), span=span)
        self.life = life

    def answer(self, claimed: Claim, row: LedgerRow, moment: Instant) -> Outcome | None:
        how, delay = self.life.answers.get((claimed.customer, claimed.channel), _AT_ONCE)
        outcome = Outcome(claimed.row, _ANSWERS[how])
        if not delay:
            return outcome
        self.answer_later(Instant(moment + delay // timedelta(microseconds=1)), outcome)
        return None


def setting_of(life: Life) -> Setting:
    return setting(life.zone, Reach({name: ChannelReach(address) for name, address in ADDRESSES.items()}))


def publish_life(store: Store, life: Life) -> Running:
    published = Instant(life.arrivals[0][0] - 1)
    return put(store, book_of(life), setting_of(life), published)


def book_of(life: Life) -> m.Book:
    segments = tuple(m.Segment(name, None, condition) for name, condition in life.segments.items())
    return msgspec.structs.replace(book(*life.rules, events=(*programs.EVENTS, "pinged")), segments=segments)


def reload(store: Store, life: Life) -> Running:
    """What runs, as a start finds it in the store."""
    running = store.apply(lambda tx: load(tx, setting_of(life)))
    assert running is not None
    return running


def arrivals_of(life: Life) -> list[Arrival]:
    return [Arrival(event, received) for received, event in life.arrivals]


def decide(store: Store, life: Life) -> list[DecisionLine]:
    """All decisions of a life, its edit included."""
    replay = AnsweredReplay(store, publish_life(store, life), life)
    arrivals = arrivals_of(life)
    if life.edit is None:
        return list(replay.run(arrivals))
    moment, rules = life.edit
    lines = list(replay.run([one for one in arrivals if one.received < moment], until=moment))
    edited = book_of(msgspec.structs.replace(life, rules=rules))
    lines += replay.edit(put(store, edited, setting_of(life), moment), moment)
    return [*lines, *replay.run([one for one in arrivals if one.received > moment])]


def live(life: Life, **how: Any) -> tuple[list[DecisionLine], dict[str, list[tuple[Any, ...]]]]:
    """A whole life in a store of its own: the decisions, and everything that is then stored."""
    store = Store(None)
    try:
        replay = AnsweredReplay(store, publish_life(store, life), life, **how)
        lines = list(replay.run(arrivals_of(life)))
        return lines, dump(store)
    finally:
        store.close()


TABLES: Sequence[str] = ("customer", "alias", "journey", "entry", "ignored", "message", "consent", "tally")
_EVENTS = (
    "select event.id, message_id, customer, name.name, at, received, kind, fields, rest "
    "from event left join name on name.id = event.name"
)


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of what journeys leave behind."""
    queries = {table: f"select * from {table}" for table in TABLES} | {"event": _EVENTS}
    return store.apply(lambda tx: {table: sorted(tx.rows(sql), key=repr) for table, sql in queries.items()})


@contextmanager
def watched_for(time: timedelta) -> Iterator[None]:
    """Once the last event has arrived, time leads customers into segments and out of them for so long, not a year."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (due, running):
            patch.setattr(module, "YEAR", time // timedelta(microseconds=1))
        yield
