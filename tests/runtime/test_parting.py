"""Identifiers that are parted by hand go with what came under them, and stay apart."""

from __future__ import annotations

from typing import Any

from segue.api import Event, Instant
from segue.customers.identity import Rules
from segue.runtime.explaining import Explanation, explain
from segue.runtime.ingest import ingest
from segue.runtime.parting import carry_out, part, staying
from segue.store.identity import want_parting
from tests.runtime.test_identity_does_not_depend_on_arrival import NOW, event_of, fresh, outcome


def sent(number: int, at: int, **values: object) -> Event:
    drawn: dict[str, Any] = {
        "at": at,
        "name": None,
        "user_id": None,
        "anonymous_id": None,
        "previous_id": None,
        "ids": {},
        "traits": {},
    }
    return event_of(number, {**drawn, **values})


VISIT = sent(0, 0, anonymous_id="d1", name="viewed", traits={"city": "Oslo"})
SIGN_IN = sent(1, 1, anonymous_id="d1", user_id="ann", name="ordered", traits={"plan": 1})
AGAIN = sent(2, 2, anonymous_id="d1", name="viewed")


def test_a_parted_device_takes_its_history_and_traits_along_and_never_comes_back() -> None:
    running, store = fresh(Rules())
    assert outcome(running, store, [[VISIT, SIGN_IN]])["u:ann"] == (
        ["a:d1", "u:ann"],
        {"city": "Oslo", "plan": 1},
        ["m0", "m1"],
    )
    store.apply(lambda tx: part(tx, running, "a:d1", NOW))
    parted = {"a:d1": (["a:d1"], {"city": "Oslo"}, ["m0", "m2"]), "u:ann": (["u:ann"], {"plan": 1}, ["m1", "m3"])}
    assert outcome(running, store, [[AGAIN], [sent(3, 3, anonymous_id="d1", user_id="ann", name="viewed")]]) == parted
    store.close()


def test_a_wish_to_part_is_carried_out_once() -> None:
    running, store = fresh(Rules())
    store.apply(lambda tx: ingest(tx, running, [VISIT, SIGN_IN], NOW))
    store.apply(lambda tx: want_parting(tx, "a:d1", NOW))
    assert len(store.apply(lambda tx: carry_out(tx, running, NOW))) == 1
    assert store.apply(lambda tx: carry_out(tx, running, NOW)) == []
    assert set(outcome(running, store, [])) == {"a:d1", "u:ann"}
    store.close()


def test_what_belongs_to_a_customer_only_by_way_of_the_parted_goes_along() -> None:
    from tests.customers.test_identity import link

    links = [link(1, "u:old", "u:new"), link(2, "a:1", "u:old"), link(3, "a:2", "u:new")]
    assert staying("u:old", ["u:new", "u:old", "a:1", "a:2"], links) == {"u:new", "a:2"}


def test_why_tells_who_turned_out_to_be_whom_and_what_was_parted() -> None:
    running, store = fresh(Rules())
    store.apply(lambda tx: ingest(tx, running, [VISIT, SIGN_IN], NOW))
    store.apply(lambda tx: part(tx, running, "a:d1", Instant(NOW + 1)))
    rule = next(iter(running.current))
    told = store.apply(lambda tx: explain(tx, running, "ann", rule))
    assert isinstance(told, Explanation)
    assert [(fact.what, fact.detail) for fact in told.facts if fact.what in ("merged", "parted")] == [
        ("merged", "device d1 turned out to be user id ann: device d1 came with user id ann in event m1"),
        ("parted", "device d1 from this customer, by hand"),
    ]
    store.close()


def test_the_traits_of_a_refused_value_stay_as_they_were() -> None:
    running, store = fresh(Rules())
    bad = sent(4, 5, user_id="ann", traits={"phone": "12"})
    good = sent(3, 4, user_id="ann", traits={"phone": "+358401234561"})
    assert outcome(running, store, [[good, bad]])["u:ann"][1] == {"phone": "+358401234561"}
    row = store.apply(lambda tx: tx.row("select trait, source, n from trait_refused"))
    assert row == ("phone", "shop", 1)
    store.close()
