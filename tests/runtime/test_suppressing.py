"""Suppressed addresses: what suppresses one, whom that concerns, and what lifts it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from segue.api import Inbound, Instant, Rejected, Retry
from segue.api.values import MINUTE
from segue.customers.suppression import ASKED, Suppression
from segue.runtime.in_hand import InHand
from segue.runtime.inbound import take_inbound
from segue.runtime.reaching import follow
from segue.store.consent import find_suppressed, lift, list_suppressed, load_statements, put_suppressions
from segue.store.database import Store
from tests.runtime.rulebook import addresses
from tests.runtime.stage import RULE, Stage, Told

PHONE = addresses("ann")["phone"]
EMAIL = {"email": "ann@example.com"}


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def staged(store: Store, steps: str = 'send email "hello" or sms "hello"') -> Stage:
    return Stage(store, "event paid order_id text\nwhen paid per order_id " + steps)


def buy(stage: Stage, number: str, customer: str = "ann", **more: Any) -> Told:
    return stage.arrive("paid", customer, id=number, order_id=number, **more)


def write(stage: Stage, text: str, address: str = PHONE, id: str = "1") -> None:
    words = Inbound(id=id, address=address, text=text, at=stage.now)
    stage.store.apply(lambda tx: take_inbound(tx, stage.running, "sms", [words], stage.now))


def suppressed(store: Store) -> list[tuple[str, str, str]]:
    return [(one.address, one.reason, one.channel) for _, one in store.apply(list_suppressed)]


def reasons(stage: Stage, channel: str) -> list[str]:
    """Why messages of a channel did not go, at a look at all that is due."""
    return [line.reason for line in stage.look(channel).done.lines if line.decision == "skipped"]


def test_a_dead_address_is_suppressed_for_whoever_comes_with_it(store: Store) -> None:
    stage = staged(store, 'send email "hello"')
    buy(stage, "1")
    (claimed,), _ = stage.claim()
    stage.answer(claimed, Rejected("550 no such mailbox", address_gone=True))
    assert suppressed(store) == [("ann@example.com", "bounced", "")]
    buy(stage, "2", "bob", traits={"email": " Ann@EXAMPLE.com"})
    buy(stage, "3", "carl", traits={"email": "carl@example.com"})
    assert [one.customer for one in stage.claim()[0]] == ["carl"]
    assert buy(stage, "4") == [
        ("paid", "entered", ""),
        ("paid", "skipped", "email"),
        ("paid", "finished", ""),
    ]


def test_a_claim_looks_for_the_address_that_an_earlier_claim_fixed_as_well(store: Store) -> None:
    stage = staged(store, 'send email "hello"')
    buy(stage, "1")
    (claimed,), _ = stage.claim()
    stage.answer(claimed, Retry("busy"))
    stage.arrive(None, traits={"email": "new@example.com"})
    one = Suppression("email", "ann@example.com", ASKED, stage.now, "test")
    store.apply(lambda tx: put_suppressions(tx, [one]))
    stage.now = stage.due()
    assert reasons(stage, "email") == ["email suppressed by command"]


def test_stop_withdraws_what_the_customer_agreed_to_and_suppresses_the_number_for_marketing(store: Store) -> None:
    stage = staged(store, 'send sms "hello"')
    buy(stage, "1")
    write(stage, "Stop!")
    assert reasons(stage, "sms") == ["consent withdrawn for promotional sms"]
    assert suppressed(store) == [(PHONE, "stopped", "sms")]
    said = store.apply(lambda tx: load_statements(tx, 1))
    assert {(one.channel, one.kind, one.state) for one in said} == {
        ("sms", "promotional", "withdrawn"),
        ("sms", "informational", "withdrawn"),
    }
    assert {(one.source, one.proof, one.event) for one in said} == {
        ("inbound sms", "answered 'Stop!'", "inbound:sms:1")
    }
    stage.arrive("subscribed", channel="sms")  # a form says so; the number still wants peace
    assert ("paid", "skipped", "sms") in buy(stage, "2")


def test_stop_from_a_number_that_nobody_has_yet_holds_for_the_customer_who_comes_with_it(store: Store) -> None:
    stage = staged(store, 'send sms "hello"')
    write(stage, "STOP")
    write(stage, "stop", id="2")
    assert suppressed(store) == [(PHONE, "stopped", "sms")], "twice says no more than once"
    assert ("paid", "skipped", "sms") in buy(stage, "1")


def test_start_from_the_same_number_undoes_stop_and_nothing_else(store: Store) -> None:
    stage = staged(store, 'send sms "hello"')
    one = Suppression("phone", PHONE, ASKED, stage.now, "test")
    write(stage, "STOP")
    store.apply(lambda tx: put_suppressions(tx, [one]))
    write(stage, "START", id="2")
    assert suppressed(store) == [(PHONE, "asked", "")]
    store.apply(lambda tx: lift(tx, PHONE, stage.now))
    assert suppressed(store) == []
    buy(stage, "1")
    assert len(stage.claim("sms")[0]) == 1


def test_what_an_order_needs_goes_in_spite_of_stop_but_to_no_dead_number(store: Store) -> None:
    stage = staged(store, 'send sms "hello" as transactional')
    write(stage, "STOP")
    buy(stage, "1")
    (claimed,), _ = stage.claim("sms")
    stage.answer(claimed, Rejected("no such number", address_gone=True))
    assert ("paid", "skipped", "sms") in buy(stage, "2")


def test_a_provider_that_was_told_stop_suppresses_as_stop_does_until_start(store: Store) -> None:
    stage = staged(store, 'send sms "hello"')
    buy(stage, "1")
    (claimed,), _ = stage.claim("sms")
    stage.answer(claimed, Rejected("21610 unsubscribed", opted_out=True))
    assert suppressed(store) == [(PHONE, "stopped", "sms")]
    assert ("paid", "skipped", "sms") in buy(stage, "2")
    write(stage, "START")
    assert suppressed(store) == []
    buy(stage, "3")
    assert len(stage.claim("sms")[0]) == 1


def test_a_keyword_of_the_provider_counts_whatever_the_words_are(store: Store) -> None:
    stage = staged(store, 'send sms "hello"')
    words = Inbound(id="1", address=PHONE, text="no more", at=stage.now, keyword="stop")
    stage.store.apply(lambda tx: take_inbound(tx, stage.running, "sms", [words], stage.now))
    assert suppressed(store) == [(PHONE, "stopped", "sms")]


def test_help_is_an_event_that_a_rule_can_answer(store: Store) -> None:
    text = 'event message_received keyword text\nwhen message_received where keyword = "help" send sms "help"'
    stage = Stage(store, text)
    stage.arrive("hello", "ann")
    write(stage, "What?", id="1")
    assert not stage.claim("sms")[0]
    write(stage, "HELP", id="2")
    assert len(stage.claim("sms")[0]) == 1
    assert suppressed(store) == []


def test_a_complaint_suppresses_marketing_to_the_address_by_that_channel(store: Store) -> None:
    stage = staged(store, 'send email "hello"')
    buy(stage, "1")
    (claimed,), _ = stage.claim()
    stage.report(claimed, "complained", reason="abuse")
    assert suppressed(store) == [("ann@example.com", "complained", "email")]
    assert ("paid", "skipped", "email") in buy(stage, "2")


def test_a_guard_that_asks_for_a_channel_looks_again_when_its_address_is_suppressed(store: Store) -> None:
    stage = Stage(store, RULE + 'send email "hello" wait 1d unless not can get email')
    stage.arrive("paid")
    (claimed,), _ = stage.claim()
    stage.later(MINUTE)
    lines = stage.answer(claimed, Rejected("550", address_gone=True))
    assert ("paid", "exited", "unless not can get email") in lines


def test_an_address_is_found_by_an_index(store: Store) -> None:
    plan = store.apply(
        lambda tx: tx.rows(
            "explain query plan select 1 from json_each('[]') as wanted cross join suppression "
            "indexed by suppression_address on sort = wanted.value ->> 0 and address = wanted.value ->> 1 "
            "and lifted is null"
        )
    )
    assert any("suppression_address (sort=? AND address=?)" in row[-1] for row in plan)
    assert store.apply(lambda tx: find_suppressed(tx, [("email", "x@example.com")])) == {}


# Between claim and call


def test_a_claim_is_stopped_by_what_its_customer_or_its_address_says_before_the_call() -> None:
    hand = InHand()
    for message, (customer, address) in enumerate([(1, "a@x.example"), (2, "A@x.example"), (3, "b@x.example")]):
        hand.hold(message, customer, "email", address)
    hand.stop_customers([3])
    hand.stop_address("email", "a@x.example")
    hand.stop_address("phone", "b@x.example")
    assert hand.let_go([0, 1, 2]) == {0, 1, 2}
    assert hand.let_go([0, 1, 2]) == set()


def test_a_claim_made_anew_begins_anew() -> None:
    hand = InHand()
    hand.hold(1, 1, "email", "a@x.example")
    hand.stop_customers([1])
    hand.hold(1, 1, "email", "a@x.example")
    assert hand.let_go([1]) == set()
    hand.stop_customers([1])
    assert hand.let_go([1]) == set(), "it was called"


def test_what_was_not_called_is_looked_at_again_and_refused(store: Store) -> None:
    stage = staged(store, 'send email "hello"')
    buy(stage, "1")
    (claimed,), _ = stage.claim()
    stage.arrive("unsubscribed", channel="email")
    assert stage.answer(claimed, None) == []
    assert reasons(stage, "email") == ["consent withdrawn for promotional email"]


def test_an_address_is_lifted_in_any_spelling(store: Store) -> None:
    one = Suppression("email", "ann@example.com", ASKED, Instant(1), "test")
    store.apply(lambda tx: put_suppressions(tx, [one]))
    assert store.apply(lambda tx: lift(tx, " ANN@example.com ", Instant(2))) == 1
    assert store.apply(lambda tx: lift(tx, "ann@example.com", Instant(2))) == 0


REACHED = """
event paid
customer
  written boolean
segment reached where can get email
when paid send email "hello"
rule lost
  when customer leaves reached
  set customer.written = false
rule found
  when customer enters reached
  set customer.written = true
"""


def flags(store: Store) -> dict[str, Any]:
    rows = store.apply(lambda tx: tx.rows("select key, json_extract(traits, '$.written') from customer order by key"))
    return dict(rows)


def shared(store: Store) -> Stage:
    """Two customers with one address, and one who has another."""
    stage = Stage(store, REACHED)
    for customer in ("ann", "bob"):
        stage.arrive(None, customer, traits=EMAIL)
    stage.arrive(None, "carl", traits={"email": "carl@example.com"})
    assert flags(store) == {"u:ann": 1, "u:bob": 1, "u:carl": 1}
    return stage


def test_everybody_who_has_a_dead_address_looks_again_in_that_moment(store: Store) -> None:
    stage = shared(store)
    stage.arrive("paid", "ann")
    (claimed,), _ = stage.claim()
    stage.answer(claimed, Rejected("550 no such mailbox", address_gone=True))
    assert flags(store) == {"u:ann": 0, "u:bob": 0, "u:carl": 1}


def test_what_a_command_suppresses_and_lifts_is_followed_once_for_everybody_who_has_the_address(store: Store) -> None:
    stage = shared(store)
    one = Suppression("email", "ann@example.com", ASKED, stage.now, "ops")
    store.apply(lambda tx: put_suppressions(tx, [one], followed=False))
    assert flags(store) == {"u:ann": 1, "u:bob": 1, "u:carl": 1}
    assert store.apply(lambda tx: follow(tx, stage.running, stage.now)) is not None
    assert flags(store) == {"u:ann": 0, "u:bob": 0, "u:carl": 1}
    assert store.apply(lambda tx: follow(tx, stage.running, stage.now)) is None
    store.apply(lambda tx: lift(tx, "ann@example.com", stage.now, followed=False))
    assert store.apply(lambda tx: follow(tx, stage.running, stage.now)) is not None
    assert flags(store) == {"u:ann": 1, "u:bob": 1, "u:carl": 1}
