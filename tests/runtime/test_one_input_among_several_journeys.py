"""What one input sets off in several journeys of a customer: each goes on from where the others left it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from segue.api import Inbound, Instant, Sent
from segue.api.values import HOUR
from segue.messages.catalogue import Catalogue
from segue.runtime.claiming import claim
from segue.runtime.dispatch import Outcome, settle
from segue.runtime.inbound import take_inbound
from segue.runtime.ingest import ingest
from segue.store.database import Store
from segue.store.sweeps import count_rules
from tests.runtime.rulebook import T0, event, publish_text, told


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def test_a_journey_that_an_emit_moved_on_is_not_set_back_by_the_event_behind_the_emit(store: Store) -> None:
    running = publish_text(
        store,
        """
        event started
        event first
        event second
        rule asks when started wait for next first up to 9d emit second
        rule replies when started wait for next second up to 9d send push "hello" wait for next first up to 9d
        """,
    )
    store.apply(lambda tx: ingest(tx, running, [event("started")], T0))
    moment = Instant(T0 + HOUR)
    store.apply(lambda tx: ingest(tx, running, [event("first", at=moment)], moment))
    claims = store.apply(lambda tx: claim(tx, running, Catalogue(), "push", Instant(moment + 1), 10)).claims
    assert len(claims) == 1
    outcome = Outcome(claims[0].row, Sent())
    store.apply(lambda tx: settle(tx, running, [outcome], Instant(moment + 2)))
    found = "select program.rule, step from journey join program on program.id = program"
    steps = dict(store.apply(lambda tx: tx.rows(found)))
    assert steps["replies"] == 2  # the send is behind it: the second wait


def test_a_journey_that_an_emit_ended_does_not_end_again(store: Store) -> None:
    running = publish_text(
        store,
        """
        event started
        event first
        event second
        rule asks when started wait for next first up to 9d emit second
        rule stops when started wait 9d unless second or first send push "hello"
        """,
    )
    store.apply(lambda tx: ingest(tx, running, [event("started")], T0))
    moment = Instant(T0 + HOUR)
    lines = store.apply(lambda tx: ingest(tx, running, [event("first", at=moment)], moment)).done.lines
    assert [what for rule, what, _ in told(lines) if rule == "stops"] == ["exited"]
    assert all(count.balanced for count in store.apply(count_rules))


def test_once_holds_for_every_customer_of_one_callback(store: Store) -> None:
    running = publish_text(store, 'event message_received\nwhen message_received once send push "hello"')
    customers = [event(None, name, traits={"phone": f"+35840000000{name}"}) for name in ("1", "2")]
    store.apply(lambda tx: ingest(tx, running, customers, T0))

    def receive(batch: str) -> list[str]:
        written = [
            Inbound(id=f"{batch}{phone}", address=f"+35840000000{phone}", text="hello", at=T0) for phone in ("1", "2")
        ]
        moment = Instant(T0 + HOUR + len(batch))
        done = store.apply(lambda tx: take_inbound(tx, running, "sms", written, moment))
        return [what for _, what, _ in told(done.lines) if what in ("entered", "ignored")]

    assert receive("a") == ["entered", "entered"]
    store.apply(lambda tx: tx.run("update journey set state = 1, live = 0, due = null"))
    assert receive("bb") == ["ignored", "ignored"]
