"""How customers answer: by which channel, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from zoneinfo import ZoneInfo

import msgspec
import pytest

from segue.api import Sent
from segue.api.values import DAY, HOUR
from segue.runtime.answering import best_time_of, preferred_channels
from segue.runtime.explaining import Explanation, explain
from segue.store.customers import CustomerRow, merge_customers
from segue.store.database import Store
from tests.engine.stage import spec, with_content
from tests.runtime.stage import Stage

PAID = 'event paid order_id text\nwhen paid per order_id send email "a" and sms "a" wait 2d'


@pytest.fixture
def stage() -> Iterator[Stage]:
    store = Store(None)
    yield Stage(store, PAID)
    store.close()


def preferred(stage: Stage, message: str = "a", kind: str = "promotional", **traits: str) -> list[str]:
    found = stage.store.apply(lambda tx: preferred_channels(tx, stage.running, 1, traits, kind, message))
    return list(found)


def best(stage: Stage, customer: int = 1) -> int:
    zone = ZoneInfo("Asia/Tokyo") if customer == 1 else UTC
    return stage.store.apply(lambda tx: best_time_of(tx, stage.running, customer, zone, stage.now).minute)


def react(stage: Stage, channel: str, what: str, order: str) -> None:
    stage.arrive("paid", order_id=order, id=order)
    claimed = stage.claim(channel)[0][-1]
    stage.answer(claimed, Sent())
    stage.report(claimed, what, channel, id=f"{order}{channel}{what}")


def test_where_nothing_is_known_the_project_s_order_holds(stage: Stage) -> None:
    assert preferred(stage) == ["email", "sms", "push"]


def test_the_channel_answered_most_comes_first_and_the_chosen_one_before_it(stage: Stage) -> None:
    react(stage, "sms", "replied", "1")
    react(stage, "sms", "clicked", "2")
    react(stage, "email", "opened", "3")
    assert preferred(stage) == ["sms", "email", "push"]
    assert preferred(stage, preferred_channel="push") == ["push", "sms", "email"]
    assert preferred(stage, preferred_channel="push", preferred_channel_promotional="email")[0] == "email"
    assert preferred(stage, preferred_channel_informational="email")[0] == "sms"
    assert preferred(stage, preferred_channel="pigeon")[0] == "sms"


def test_only_channels_with_content_for_the_message_qualify_and_those_that_need_none(stage: Stage) -> None:
    channels = {
        "email": with_content("email"),
        "sms": with_content("sms"),
        "push": spec("push"),
        "ads": spec("ads", stands=True, retracts=True),
    }
    written = {"email": frozenset({"b"}), "sms": frozenset({"a"})}
    stage.running = msgspec.structs.replace(stage.running, channels=channels, written=written)
    assert preferred(stage, "a") == ["sms", "push"]
    assert preferred(stage, "b") == ["email", "push"]


def test_what_stands_in_for_a_channel_is_preferred_by_what_that_channel_has_content_for(stage: Stage) -> None:
    console = {name: msgspec.structs.replace(spec(name), stand_in=True) for name in ("email", "sms", "chat")}
    written = {"email": frozenset({"a"}), "sms": frozenset({"a"})}
    stage.running = msgspec.structs.replace(stage.running, channels=console, written=written)
    assert preferred(stage, "a", preferred_channel="chat") == ["email", "sms"]
    assert preferred(stage, "not written yet") == ["email", "sms", "chat"]


def test_being_delivered_or_failing_is_no_answer(stage: Stage) -> None:
    react(stage, "sms", "delivered", "1")
    react(stage, "sms", "bounced", "2")
    assert preferred(stage)[0] == "email"
    assert best(stage) == 600


def test_the_best_time_is_the_hour_of_most_reactions_on_the_customer_s_clock(stage: Stage) -> None:
    assert best(stage) == 600
    stage.arrive(None, traits={"timezone": "Asia/Tokyo"})
    react(stage, "email", "opened", "1")  # 20:26 in UTC, 05:26 on Friday in Tokyo
    assert best(stage) == 5 * 60
    stage.later(2 * HOUR)
    react(stage, "email", "opened", "2")
    assert best(stage) == 7 * 60, "of two hours alike the next to come"
    stage.later(DAY)
    react(stage, "sms", "clicked", "3")
    stage.later(HOUR)
    assert best(stage) == 7 * 60
    rows = stage.store.apply(lambda tx: tx.rows("select hour, sum(n) from reaction group by hour order by hour"))
    assert rows == [(4 * 24 + 5, 1), (4 * 24 + 7, 1), (5 * 24 + 7, 1)]


def test_who_answered_nothing_yet_has_the_hour_of_the_others_on_their_own_clock(stage: Stage) -> None:
    stage.arrive(None, traits={"timezone": "Asia/Tokyo"})
    for number in range(4):
        react(stage, "sms", "clicked", str(number))
    stage.arrive(None, "bob", id="bob")
    assert best(stage, 2) == 5 * 60


def test_why_says_why_it_waits_for_that_hour() -> None:
    store = Store(None)
    stage = Stage(store, 'event paid\nwhen paid wait until best time send email "a"')
    stage.arrive("paid")
    found = store.apply(lambda tx: explain(tx, stage.running, "ann", "paid"))
    assert isinstance(found, Explanation)
    assert (
        "best time, by what is known now: 10:00 on Friday, the project's best time: they have answered nothing yet"
        in found.now
    )
    store.close()


def test_a_message_answered_many_times_counts_once(stage: Stage) -> None:
    react(stage, "email", "clicked", "1")
    stage.later(3 * HOUR)
    (claimed,) = stage.look("sms").claims
    stage.answer(claimed, Sent())
    for number in range(5):
        stage.report(claimed, "clicked", "sms", id=f"scanner {number}")
    assert preferred(stage)[0] == "email"


def test_customers_that_turn_out_to_be_one_share_what_they_answered(stage: Stage) -> None:
    stage.arrive(None, "ann")
    stage.store.apply(lambda tx: tx.run("insert into reaction values (1, 'email', 9, 2), (2, 'email', 9, 3)"))
    kept, gone = CustomerRow(1, "u:ann", {}, {}), CustomerRow(2, "a:device", {}, {})
    stage.store.apply(lambda tx: merge_customers(tx, kept, gone))
    assert stage.store.apply(lambda tx: tx.rows("select customer, hour, n from reaction")) == [(1, 9, 5)]
