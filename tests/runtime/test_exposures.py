"""The log of exposures: who was put into which group, when and how probably, in the turn that did it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from segue.api import Instant
from segue.api.values import DAY
from segue.measure.experiments.exposed import CONTROL, HELD_OUT, TREATED
from segue.runtime.ingest import ingest
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text

Row = tuple[Any, ...]


def exposed(store: Store) -> list[Row]:
    return store.apply(
        lambda tx: tx.rows(
            "select customer.key, exposure.experiment, exposure.arm, exposure.at, exposure.propensity, exposure.shares "
            "from exposure join customer on customer.id = exposure.customer order by exposure.id"
        )
    )


def enter(store: Store, text: str, customers: int = 40, then: int = 0) -> list[Row]:
    running = publish_text(store, f"event paid\nevent ordered\n{text}", T0)
    arrivals = [event("paid", f"c{number}", traits={}) for number in range(customers)]
    store.apply(lambda tx: ingest(tx, running, arrivals, T0))
    if then:
        pass_all_time(store, running, Instant(T0 + then))
    return exposed(store)


def test_a_rule_without_a_control_group_or_a_split_logs_nothing() -> None:
    assert enter(Store(None), "rule r when paid goal ordered within 7d wait 1h") == []


def test_whoever_enters_a_rule_with_a_control_group_is_logged_on_either_side() -> None:
    store = Store(None)
    found = enter(store, "rule r when paid holdout 30% goal ordered within 7d wait 1h")
    assert len(found) == 40
    assert {(experiment, arm) for _, experiment, arm, *_ in found} == {(CONTROL, HELD_OUT), (CONTROL, TREATED)}
    for _, _, arm, at, propensity, shares in found:
        assert at == T0
        assert msgspec.json.decode(shares) == {HELD_OUT: 0.3, TREATED: pytest.approx(0.7)}
        assert propensity == pytest.approx(0.3 if arm == HELD_OUT else 0.7)
    journeys = store.apply(
        lambda tx: tx.rows(
            "select exposure.customer = journey.customer from exposure join journey on journey.id = exposure.journey"
        )
    )
    assert journeys == [(1,)] * 40


def test_an_arm_is_logged_when_its_split_is_reached_and_not_again() -> None:
    split = 'repeat 2 times split "who" 25% "a" wait 1h 75% "b" wait 2h end end'
    found = enter(Store(None), f"rule r when paid goal ordered within 7d wait 1d {split}", then=3 * DAY)
    assert len(found) == 40
    assert {(name, experiment, at) for name, experiment, _, at, *_ in found} == {
        (f"u:c{number}", "who", T0 + DAY) for number in range(40)
    }
    assert {(arm, propensity) for _, _, arm, _, propensity, _ in found} == {("a", 0.25), ("b", 0.75)}


def test_the_control_group_is_in_no_arm() -> None:
    both = 'rule r when paid holdout 50% goal ordered within 7d split "who" 50% "a" wait 1h 50% "b" wait 2h end'
    found = enter(Store(None), both)
    held = {name for name, experiment, arm, *_ in found if (experiment, arm) == (CONTROL, HELD_OUT)}
    armed = {name for name, experiment, *_ in found if experiment == "who"}
    assert held
    assert armed
    assert not held & armed
    assert len(held | armed) == 40


def test_who_turns_out_to_be_one_customer_keeps_both_exposures() -> None:
    store = Store(None)
    running = publish_text(store, "event paid\nrule r when paid holdout 50% goal paid within 7d wait 1h", T0)
    known = event("paid", "ann", traits={})
    unknown = msgspec.structs.replace(
        event("paid", None, id="anonymous", at=T0, traits={}), anonymous_id="device", user_id=None
    )
    linked = msgspec.structs.replace(event("paid", "ann", id="linked", traits={}), anonymous_id="device")
    for one in (known, unknown, linked):
        store.apply(lambda tx: ingest(tx, running, [one], T0))  # noqa: B023
    assert [name for name, *_ in exposed(store)] == ["u:ann"] * 2
