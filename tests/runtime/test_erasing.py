"""Erasing a customer: nothing of them is left, nobody else is touched, and nothing old brings them back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Event, Forget, Instant, Message, Rejected, Rejection, Sent
from segue.api.values import DAY, HOUR
from segue.customers.suppression import Suppression
from segue.runtime.erasing import ERASED, begin, go_on
from segue.runtime.ingest import REFUSED, ingest
from segue.store import erasures
from segue.store.belongings import BELONGINGS
from segue.store.consent import find_suppressed, lift, put_suppressions
from segue.store.database import Store, empty_log
from segue.store.rejections import reject
from segue.store.sweeps import count_rules, exits
from tests.engine.stage import spec
from tests.runtime.rulebook import T0, event
from tests.runtime.stage import Stage

BOOK = """
event paid
  order_id text
  note text
event ordered_it
event seen

segment buyers where paid ever

rule welcome when paid send email "hello" wait 14d unless ordered_it send sms "again"
rule put_up when paid per order_id send audience "x" wait 14d unless ordered_it
rule only_once when seen once per 30d wait 1d
rule halves when paid split "who" 50% "a" send push "a" 50% "b" send push "b" end
rule greet when customer enters buyers send push "buyer"
rule leave when customer leaves buyers send push "bye"
"""
SECRET = {
    "email": "Wanda.Secret@Example.com",
    "phone": "+358 50 987 6543",
    "first_name": "Wanda",
    "last_name": "Zacharzewska",
    "push_token": "tok-wanda-0001",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "segue.db")
    yield opened
    opened.close()


def begin_stage(store: Store, **more: Any) -> Stage:
    return Stage(
        store,
        BOOK,
        audience=spec("audience", stands=True, retracts=True),
        email=spec("email", keeps=True),
        **more,
    )


def live(stage: Stage, customer: str, traits: dict[str, Any], **fields: Any) -> None:
    """Something of everything: journeys in every state, messages out and waiting, consent, coupons."""
    stage.arrive(None, customer, traits=traits)
    stage.arrive("seen", customer, traits=traits, id=f"seen-{customer}")
    stage.arrive("seen", customer, traits=traits, id=f"seen-again-{customer}")
    stage.arrive("paid", customer, traits=traits, order_id=f"o-{customer}", **fields)
    stage.arrive("subscribed", customer, traits=traits, channel="email")
    for channel in ("audience", "push"):
        for claimed in stage.claim(channel)[0]:
            stage.answer(claimed, Sent(f"receipt-{claimed.key}"))


def everything_but(store: Store, customer: int) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables that belong to others."""
    return store.apply(
        lambda tx: (
            {
                one.table: tx.rows(f"select * from {one.table} where customer <> ? order by 1, 2", (customer,))
                for one in BELONGINGS
                if one.section
            }
            | {"customer": tx.rows("select * from customer where id <> ?", (customer,))}
        )
    )


def number_of(store: Store, key: str) -> int:
    found = store.apply(lambda tx: tx.row("select id from customer where key = ?", (key,)))
    assert found is not None
    return int(found[0])


def erase(stage: Stage, customer: int, piece: int = 2) -> int:
    number = stage.store.apply(lambda tx: erasures.ask(tx, customer, "ops", stage.now))
    stage.store.apply(lambda tx: begin(tx, stage.running, number, stage.now))
    while stage.store.apply(lambda tx: go_on(tx, number, stage.now, piece)):
        pass
    return number


def calls_of(store: Store, number: int) -> list[erasures.Call]:
    return store.apply(lambda tx: erasures.load_calls(tx, number))


def unbalanced(store: Store) -> list[str]:
    return [one.rule for one in store.apply(count_rules) if not one.balanced]


def test_nothing_of_an_erased_customer_is_left_in_the_file_and_nobody_else_is_touched(store: Store) -> None:
    stage = begin_stage(store)
    live(stage, "wanda-1", SECRET, note="for Wanda Zacharzewska, Harbour Street 5")
    live(stage, "bob", {"email": "bob@example.com", "phone": "+358401112233"}, note="for Bob")
    for _ in range(60):  # pages are split and joined again
        stage.later(HOUR)
        stage.arrive("seen", "wanda-1", traits={**SECRET, "visits": stage.now})
        stage.arrive("seen", "bob", traits={"visits": stage.now})
    wanda = number_of(store, "u:wanda-1")
    before = everything_but(store, wanda)
    number = erase(stage, wanda)
    for call in calls_of(store, number):  # what channels were asked is kept until they answered
        done = erasures.Call(call.number, number, call.channel, call.what, None, None, 1, stage.now)
        store.apply(lambda tx, done=done: erasures.settle_calls(tx, [done]))  # type: ignore[misc]
    assert everything_but(store, wanda) == before
    assert store.path is not None
    assert empty_log(store.path)
    kept = store.path.read_bytes() + store.path.with_name("segue.db-wal").read_bytes()
    for secret in (*SECRET.values(), "wanda.secret@example.com", "wanda-1", "Harbour", "358509876543"):
        assert secret.encode() not in kept, secret
    assert b"bob@example.com" in kept
    assert unbalanced(store) == []


def test_journeys_of_an_erased_customer_exit_for_that_reason_and_begin_nothing(store: Store) -> None:
    stage = begin_stage(store)
    live(stage, "ann", SECRET)
    erase(stage, number_of(store, "u:ann"))
    ended = {(rule, n) for rule, what, reason, n in store.apply(exits) if what == "exited" and reason == ERASED}
    assert ended == {("welcome", 1), ("put_up", 1), ("only_once", 1)}
    counts = {one.rule: one for one in store.apply(count_rules)}
    assert counts["leave"].entered == 0
    assert counts["welcome"].skipped == 1
    assert unbalanced(store) == []


def test_what_stands_is_taken_back_and_who_keeps_data_is_asked_to_erase_it(store: Store) -> None:
    stage = begin_stage(store)
    live(stage, "ann", SECRET)
    number = erase(stage, number_of(store, "u:ann"))
    calls = {call.what: call for call in calls_of(store, number)}
    assert {what: call.channel for what, call in calls.items()} == {"retract": "audience", "forget": "email"}
    back = _decoded(calls["retract"], Message)
    assert (back.name, back.customer) == ("x", "ann")
    forget = _decoded(calls["forget"], Forget)
    assert (forget.customer, forget.addresses) == ("ann", (SECRET["email"],))
    assert stage.look("audience").retractions == ()


def _decoded(call: erasures.Call, type_: type[Any]) -> Any:
    assert call.body is not None
    return msgspec.json.decode(call.body, type=type_)


def test_a_call_under_way_is_waited_for_before_its_message_is_taken_back(store: Store) -> None:
    stage = begin_stage(store)
    stage.arrive("paid", "ann", order_id="1")
    (claimed,), _ = stage.claim("audience")
    number = erase(stage, number_of(store, "u:ann"))
    (back,) = [call for call in calls_of(store, number) if call.what == "retract"]
    assert back.due is not None
    assert back.due > stage.now + 60_000_000
    assert stage.answer(claimed, Sent("late")) == []


def test_what_happened_before_is_refused_and_a_new_event_makes_a_new_customer(store: Store) -> None:
    stage = begin_stage(store)
    before = stage.now
    stage.arrive("paid", "ann", traits=SECRET, order_id="1")
    stage.later(DAY)
    first = number_of(store, "u:ann")
    erase(stage, first)
    stage.later(DAY)

    def arrive(one: Event) -> tuple[int, int]:
        taken = store.apply(lambda tx: ingest(tx, stage.running, [one], stage.now))
        return taken.accepted, taken.refused

    assert arrive(event("paid", "ann", at=before, traits=SECRET)) == (0, 1)
    assert arrive(event("paid", "ann", at=before, id="another")) == (0, 1)
    assert arrive(event(None, "ann", at=stage.now, traits=SECRET)) == (0, 1), "who somebody is makes nobody new"
    assert arrive(event(None, "other-id", at=before, traits=SECRET)) == (0, 1), "nor under another id"
    assert arrive(event("paid", "bob", at=before, traits={})) == (1, 0)
    assert arrive(event(None, "bob", at=before, id="shares", traits={"email": SECRET["email"]})) == (1, 0)
    assert arrive(event("paid", "ann", at=stage.now, id="new", traits={})) == (1, 0)
    assert number_of(store, "u:ann") > first
    assert arrive(event(None, "ann", at=stage.now, id="now", traits=SECRET)) == (1, 0)
    assert arrive(event("paid", "ann", at=before, id="old")) == (0, 1)


def test_a_number_is_not_given_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    first = Store(path)
    stage = begin_stage(first)
    stage.arrive("paid", "ann", order_id="1")
    ann = number_of(first, "u:ann")
    erase(stage, ann)
    first.close()
    again = Store(path)
    stage = begin_stage(again)
    stage.later(DAY)
    stage.arrive("paid", "bob", order_id="1")
    assert number_of(again, "u:bob") > ann
    again.close()


def test_a_visitor_who_signed_in_is_erased_with_what_only_the_device_brought(store: Store) -> None:
    stage = begin_stage(store)
    device = Event(message_id="1", timestamp=T0, source="s", anonymous_id="dev-9", traits={"nickname": "Wandzia"})
    both = Event(message_id="2", timestamp=T0, source="s", name="seen", user_id="ann", anonymous_id="dev-9")
    stage.arrive("paid", "ann", order_id="1", traits={})
    store.apply(lambda tx: ingest(tx, stage.running, [device], stage.now))
    store.apply(lambda tx: ingest(tx, stage.running, [both], stage.now))
    erase(stage, number_of(store, "u:ann"))
    assert store.apply(lambda tx: tx.rows("select rest from event")) == []
    late = Event(message_id="3", timestamp=T0, source="s", name="seen", anonymous_id="dev-9")
    assert store.apply(lambda tx: ingest(tx, stage.running, [late], stage.now)).refused == 1


def test_an_address_in_a_provider_s_words_does_not_stay_in_the_tallies(store: Store) -> None:
    stage = begin_stage(store)
    stage.arrive("paid", "ann", traits=SECRET, order_id="1")
    (claimed,), _ = stage.claim("email")
    stage.answer(claimed, Rejected(f"550 <{SECRET['email'].lower()}> does not exist"))
    erase(stage, number_of(store, "u:ann"))
    assert ("welcome", "undelivered", "550 <…> does not exist", 1) in store.apply(exits)


def test_a_code_stays_taken_and_nobody_has_it(store: Store) -> None:
    text = 'event paid\nwhen paid send email with code = coupon("C")'
    stage = Stage(store, text)
    store.apply(lambda tx: tx.run("insert into coupon (pool, code) values ('C', 'C-1')"))
    stage.arrive("paid")
    stage.claim()
    erase(stage, number_of(store, "u:ann"))
    assert store.apply(lambda tx: tx.rows("select code, journey, message from coupon")) == [("C-1", 0, None)]


def test_an_event_that_asks_for_it_erases_and_goes_as_well(store: Store) -> None:
    stage = begin_stage(store)
    stage.running = msgspec.structs.replace(stage.running, erase_on=frozenset({"seen"}))
    at = Instant(stage.now - HOUR)
    batch = [
        event("paid", "ann", at=at, traits=SECRET, order_id="1"),
        event("seen", "ann", at=at, id="redact"),
        event("paid", "ann", at=at, id="late"),
        event("paid", "bob", at=at, traits={}, order_id="1"),
    ]
    taken = store.apply(lambda tx: ingest(tx, stage.running, batch, stage.now))
    assert (taken.accepted, taken.refused) == (3, 1)
    (open_one,) = store.apply(erasures.load_open)
    assert (open_one.who, open_one.state) == ("seen from shop", erasures.DELETING)
    while store.apply(lambda tx: go_on(tx, open_one.number, stage.now)):
        pass
    assert store.apply(lambda tx: tx.rows("select key from customer")) == [("u:bob",)]
    assert store.apply(lambda tx: tx.rows("select distinct customer from event")) == [(number_of(store, "u:bob"),)]
    assert unbalanced(store) == []


def test_an_address_that_is_suppressed_stays_so_as_a_hash(store: Store) -> None:
    stage = begin_stage(store)
    stage.arrive("paid", "ann", traits=SECRET, order_id="1")
    address = SECRET["email"].lower()
    bounced = [Suppression("email", one, "bounced", stage.now, "provider") for one in (address, "bob@example.com")]
    store.apply(lambda tx: put_suppressions(tx, bounced))
    erase(stage, number_of(store, "u:ann"))
    kept = [one for (one,) in store.apply(lambda tx: tx.rows("select address from suppression order by id"))]
    assert kept[0].startswith("#")
    assert kept[1] == "bob@example.com"
    places = [("email", address), ("email", "bob@example.com"), ("email", "carl@example.com")]
    found = store.apply(lambda tx: find_suppressed(tx, places))
    assert set(found) == set(places[:2])
    assert store.apply(lambda tx: lift(tx, SECRET["email"], stage.now)) == 1


def test_rejections_that_mention_them_go_and_others_stay(store: Store) -> None:
    stage = begin_stage(store)
    stage.arrive("paid", "ann", traits=SECRET, order_id="1")
    raws = [b'{"userId": "ann"}', b"7;wanda.secret@example.com;", b'{"userId": "joanna", "note": "ann"}', b"hannah"]
    store.apply(lambda tx: reject(tx, "shop", [Rejection(reason="wrong", raw=raw) for raw in raws], stage.now))
    number = erase(stage, number_of(store, "u:ann"))
    assert [raw for (raw,) in store.apply(lambda tx: tx.rows("select raw from rejection"))] == [b"hannah"]
    erasure = store.apply(lambda tx: erasures.find_erasure(tx, number))
    assert erasure is not None
    assert (erasure.deleted["rejection"], erasure.texts) == (3, ())


def test_a_refused_event_is_told_of_without_saying_whose_it_is(store: Store) -> None:
    stage = begin_stage(store)
    stage.arrive("paid", "ann", traits=SECRET, order_id="1")
    erase(stage, number_of(store, "u:ann"))
    stage.arrive("paid", "ann", id="again", order_id="1")
    assert store.apply(lambda tx: tx.rows("select source, reason, raw from rejection")) == [("shop", REFUSED, b"")]
