"""Traits: the newest by when it happened, in the form that is declared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import FieldType, Instant
from segue.customers.traits import (
    MOST_TRAITS,
    Origin,
    decode_origins,
    encode_origins,
    join,
    limit_traits,
    newest,
    put,
    read_traits,
    set_by_rule,
)


def origin(at: int, message_id: str = "m") -> Origin:
    return Origin(Instant(at), message_id, "shop")


def test_a_late_old_value_changes_nothing() -> None:
    traits: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    put(traits, origins, {"city": "Oslo"}, origin(10))
    assert put(traits, origins, {"city": "Turku"}, origin(5)) == {}
    assert traits == {"city": "Oslo"}


def test_null_takes_a_trait_away_by_its_time_too() -> None:
    traits: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    put(traits, origins, {"city": None}, origin(10))
    put(traits, origins, {"city": "Turku"}, origin(5))
    assert traits == {}
    assert put(traits, origins, {"city": "Oslo"}, origin(11)) == {"city": None}
    assert traits == {"city": "Oslo"}


def test_what_a_rule_sets_goes_before_an_event_of_the_same_instant() -> None:
    traits, _ = newest([({"vip": True}, set_by_rule("r", Instant(5))), ({"vip": False}, origin(5, "zzz"))])
    assert traits == {"vip": True}


_ENTRIES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, True, "x", None]), min_size=1),
        st.integers(0, 4),
    ),
    max_size=8,
)


@given(_ENTRIES, st.integers(0, 8), st.randoms(use_true_random=False))
def test_traits_are_the_same_in_any_order_and_of_two_customers_joined(
    drawn: list[tuple[dict[str, Any], int]], cut: int, shuffled: st.DataObject
) -> None:
    entries = [(given_, origin(at, f"m{number}")) for number, (given_, at) in enumerate(drawn)]
    expected = newest(entries)
    shuffled.shuffle(entries)  # type: ignore[attr-defined]
    assert newest(entries) == expected
    traits, origins = newest(entries[:cut])
    join(traits, origins, *newest(entries[cut:]))
    assert (traits, origins) == expected
    assert decode_origins(encode_origins(origins)) == origins


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("number", "12", 12),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        ("boolean", 0, False),
        ("text", 5, "5"),
        ("date", "2026-02-01", "2026-02-01"),
    ],
)
def test_a_declared_trait_is_read_as_its_type(kind: FieldType, sent: Any, kept: Any) -> None:
    assert read_traits({"t": sent}, {"t": kind}, None) == ({"t": kept}, [])


@pytest.mark.parametrize(
    ("name", "kind", "sent"),
    [
        ("t", "number", "many"),
        ("t", "boolean", "perhaps"),
        ("t", "date", "someday"),
        ("t", "list", "a"),
        ("email", "text", "nobody"),
        ("phone", "text", "12"),
        ("country", "text", "Atlantis"),
        ("timezone", "text", "Mars/Olympus"),
    ],
)
def test_what_is_not_of_its_type_is_kept_out_with_a_reason(name: str, kind: FieldType, sent: Any) -> None:
    kept, refused = read_traits({name: sent, "other": 1}, {name: kind}, "FI")
    assert kept == {"other": 1}
    assert [one.trait for one in refused] == [name]
    assert refused[0].reason


def test_a_phone_number_is_kept_in_e164_by_the_country_of_the_event_or_the_project() -> None:
    assert read_traits({"phone": "040 1234567"}, {}, "FI")[0] == {"phone": "+358401234567"}
    assert read_traits({"phone": "070 123 45 67", "country": "SE"}, {}, "FI")[0]["phone"] == "+46701234567"


@pytest.mark.parametrize(("value", "stays"), [("x" * 8_190, True), ("x" * 8_191, False), (["ab"] * 2_000, False)])
def test_a_value_of_a_trait_is_bounded(value: Any, stays: bool) -> None:
    kept, refused = read_traits({"bio": value, "other": 1}, {}, None)
    assert ("bio" in kept, len(refused)) == (stays, not stays)
    assert kept["other"] == 1


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        *((name, name) for name in ("bio", "cart_v2", "loyalty no")),
        *((name, "") for name in ("ann@example.com", "+358401234567", "Ann Miller", "u4711")),
    ],
)
def test_of_a_value_that_is_kept_out_no_name_is_noted_that_may_be_somebody_s(name: str, noted: str) -> None:
    _, (refused,) = read_traits({name: "x" * 9_000}, {"loyalty no": "text"}, None)
    assert refused.trait == noted


def test_names_that_a_source_makes_up_are_bounded() -> None:
    given_ = {f"t{number}": 1 for number in range(MOST_TRAITS + 10)}
    kept, refused = limit_traits(given_, {}, {"t509"})
    assert len(refused) == 9
    assert "t509" in kept
