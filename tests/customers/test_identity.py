"""Who is who: what links mean."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant
from segue.customers.identity import (
    NO_RULES,
    Link,
    Rules,
    address_key,
    describe,
    find_groups,
    identifiers,
    links_of,
    naming,
    owner_of,
)


def link(at: int, key: str, other: str) -> Link:
    return Link(Instant(at), f"m{at}", key, other)


def customers(
    links: Collection[Link], rules: Rules = NO_RULES, parted: Collection[tuple[str, str]] = ()
) -> dict[str, str]:
    """For each customer's key all identifiers, in one text."""
    return {group.key: " ".join(sorted(group.members)) for group in find_groups(links, parted, rules)[0]}


def test_a_device_is_the_customer_s_who_signed_in_on_it() -> None:
    assert customers([link(1, "a:d1", "u:ann")]) == {"u:ann": "a:d1 u:ann"}


def test_two_user_ids_are_never_made_one_by_a_device_or_an_address_they_share() -> None:
    shared = [
        link(1, "a:d1", "u:ann"),
        link(2, "a:d1", "u:bea"),
        link(3, "e:x@example.com", "u:bea"),
        link(4, "e:x@example.com", "u:ann"),
    ]
    assert customers(shared) == {"u:ann": "a:d1 u:ann", "u:bea": "e:x@example.com u:bea"}


def test_an_alias_from_one_user_id_to_another_makes_them_one_that_goes_on_by_the_first() -> None:
    assert customers([link(1, "u:old", "u:new")]) == {"u:old": "u:new u:old"}


def test_a_kind_that_the_project_trusts_joins_even_two_user_ids() -> None:
    links = [link(1, "x:loyalty:F1", "u:ann"), link(2, "x:loyalty:F1", "u:bea")]
    assert len(customers(links)) == 2
    assert customers(links, Rules(join_known_by=frozenset({"loyalty"}))) == {"u:ann": "u:ann u:bea x:loyalty:F1"}


def test_what_people_share_does_not_make_one_of_two_with_addresses_of_their_own() -> None:
    links = [
        link(1, "a:tablet", "e:ann@example.com"),
        link(2, "a:tablet", "e:bea@example.com"),
    ]
    assert customers(links) == {
        "a:tablet": "a:tablet e:ann@example.com",
        "e:bea@example.com": "e:bea@example.com",
    }


def test_the_earliest_link_decides_whose_a_shared_identifier_is() -> None:
    assert customers([link(2, "a:d1", "u:ann"), link(1, "a:d1", "u:bea")])["u:bea"] == "a:d1 u:bea"


def test_an_identifier_with_too_many_links_links_nobody() -> None:
    kiosk = [link(at, "a:kiosk", f"e:{at}@example.com") for at in range(12)]
    assert len(customers(kiosk, Rules(most_links=11))) == 13


def test_what_was_parted_is_never_one_again() -> None:
    links = [link(1, "a:d1", "u:ann"), link(2, "a:d1", "e:ann@example.com"), link(3, "e:ann@example.com", "u:ann")]
    assert customers(links, parted=[("a:d1", "u:ann")])["u:ann"] == "u:ann"
    assert (
        customers(links, parted=[("a:d1", "u:ann"), ("a:d1", "e:ann@example.com")])["u:ann"]
        == "e:ann@example.com u:ann"
    )


def test_a_shared_device_counts_for_whoever_used_it_last_by_then() -> None:
    links = [link(10, "a:d1", "u:ann"), link(20, "a:d1", "u:bea")]
    assert [owner_of("a:d1", Instant(at), links) for at in (5, 10, 19, 20, 99)] == [
        "a:d1",
        "u:ann",
        "u:ann",
        "u:bea",
        "u:bea",
    ]


_KEYS = ["u:1", "u:2", "u:3", "x:card:7", "e:a@b.co", "e:c@d.co", "p:+35840", "a:1", "a:2", "a:3"]
_LINKS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(_KEYS), st.sampled_from(_KEYS)).filter(
        lambda one: _KEYS.index(one[1]) > _KEYS.index(one[2])
    ),
    max_size=14,
    unique_by=lambda one: one[1:],
)


@given(_LINKS, st.randoms(use_true_random=False), st.sampled_from([frozenset[str](), frozenset({"card"})]))
def test_customers_are_a_partition_that_depends_on_the_set_of_links_alone(
    drawn: list[tuple[int, str, str]], shuffled: st.DataObject, joining: frozenset[str]
) -> None:
    links = [link(*one) for one in drawn]
    rules = Rules(joining)
    groups, _ = find_groups(links, (), rules)
    members = [key for group in groups for key in group.members]
    assert len(members) == len(set(members))
    assert set(members) == {end for one in links for end in (one.key, one.other)}
    other = list(links)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert set(find_groups(other, (), rules)[0]) == set(groups)
    if not joining and not any(one.key[0] == "u" for one in links):
        assert all(sum(key[0] == "u" for key in group.members) <= 1 for group in groups)


def test_an_event_s_identifiers_are_given_the_strongest_first() -> None:
    found = identifiers(
        "ann",
        "d1",
        None,
        {"loyalty": "F1"},
        {"email": " Ann@Example.com ", "phone": "040 1234567", "name": "Ann"},
        "FI",
    )
    assert found == ("u:ann", "x:loyalty:F1", "e:ann@example.com", "p:+358401234567", "a:d1")
    assert [(one.key, one.other) for one in links_of(found, "ann", None, Instant(1), "m")] == [
        ("x:loyalty:F1", "u:ann"),
        ("e:ann@example.com", "u:ann"),
        ("p:+358401234567", "u:ann"),
        ("a:d1", "u:ann"),
    ]


@pytest.mark.parametrize(
    ("trait", "value"),
    [("email", "nobody"), ("phone", "12"), ("push_token", ""), ("email", 5), ("push_token", "t" * 2000)],
)
def test_what_is_no_address_identifies_nobody(trait: str, value: object) -> None:
    assert address_key(trait, value, "FI") is None


@pytest.mark.parametrize(
    "key", ["u:7", "u:e:7", "a:d", "e:a@b.co", "p:+358401234567", "t:token", "w:{}", "x:loyalty:F:1"]
)
def test_an_event_that_names_a_customer_by_an_identifier_has_that_one_and_no_other(key: str) -> None:
    who = naming(key)
    assert identifiers(who.user_id, who.anonymous_id, None, who.ids, {}, None) == (key,)


def test_identifiers_are_told_in_words() -> None:
    assert [describe(key) for key in ("u:7", "a:d", "e:a@b.co", "x:loyalty:F:1")] == [
        "user id 7",
        "device d",
        "email a@b.co",
        "loyalty F:1",
    ]
