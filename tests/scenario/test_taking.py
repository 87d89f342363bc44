"""What an unrecorded channel is taken to say: an SMS went in as many parts as its text has, and costs as much."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from segue.api import Instant, Money, Sent
from segue.api.values import HOUR
from segue.messages.catalogue import Catalogue
from segue.messages.template import template_of
from segue.scenario.replay import Arrival, Replay
from segue.scenario.taking import Taking
from segue.store.database import Store
from segue.store.ledger import load_costs
from tests.engine.stage import with_content
from tests.runtime.rulebook import T0, event
from tests.runtime.stage import Stage

RULE = 'event paid\n  note text\nwhen paid send sms "thanks"'
COSTS = {"sms": Money(Decimal("0.07"), "EUR")}


def stage_with(text: str, note: str = "", **more: object) -> Stage:
    stage = Stage(Store(None), RULE, sms=with_content("sms", address="phone", **more))
    stage.running = msgspec.structs.replace(stage.running, costs=COSTS)
    stage.content = Catalogue({("thanks", "sms", None): template_of("thanks", "sms", None, {"text": text})})
    stage.arrive(None, phone="+358401234567")
    stage.arrive("paid", note=note)
    return stage


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("ж" * 71, 2),
        ("{{ event.note }}" + "a" * 150, 2),
        ("{{ preferences_url }}" * 2, 2),
    ],
)
def test_an_sms_goes_in_the_parts_of_what_is_written(text: str, parts: int) -> None:
    stage = stage_with(text, "a note of some length")
    (claimed,), _ = stage.claim("sms")
    assert Taking(stage.running)(claimed, Instant(T0)) == Sent(parts=parts)


def test_what_cannot_be_written_or_stands_in_for_a_channel_is_taken_as_one() -> None:
    for stage in (stage_with("{% for a in (1..100000) %}{% endfor %}"), stage_with("a" * 200, stand_in=True)):
        (claimed,), _ = stage.claim("sms")
        assert Taking(stage.running)(claimed, Instant(T0)) == Sent()


def test_a_replay_counts_the_cost_of_each_part() -> None:
    stage = stage_with("a" * 400)
    store = Store(None)
    other = Stage(store, RULE, sms=with_content("sms", address="phone"))
    running = msgspec.structs.replace(other.running, costs=COSTS)
    at = Instant(T0 + HOUR)
    arrival = Arrival(event("paid", at=at), at)
    assert [line.decision for line in Replay(store, running, stage.content).run([arrival])][:2] == ["entered", "sent"]
    (cost,) = store.apply(lambda tx: load_costs(tx, after=0, limit=10))
    assert 210_000 in cost
