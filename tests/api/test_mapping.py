"""Payloads of one's own, and the events they become."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Event, Instant
from segue.api.bodies import Refused
from segue.api.mapping import Mapping, Reader
from segue.api.values import MINUTE
from segue.host.configuration import ConfigurationError, configure

NOW = Instant(1_790_000_000_000_000)
ORDER = {
    "id": "e-1",
    "type": "order.created",
    "order": {
        "number": 4711,
        "placed_at": "2026-09-21T14:00:00Z",
        "total": "59.90",
        "cents": 5990,
        "gift": "yes",
        "customer": {"id": 17, "email": "ann@example.com", "e mail": "x"},
        "lines": [{"sku": "A1", "price": "1.5"}, {"sku": "B2"}],
        "stored": '[{"product_id": "A1"}]',
    },
}


def read(mapping: Mapping | None, payload: Any, key: str = "queue:1") -> tuple[Event, ...]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Reader(mapping, "till").read(raw, NOW, key=key)


def one(payload: Any = ORDER, **mapping: Any) -> Event:
    (event,) = read(Mapping(**{"event": "$.type", **mapping}), payload)
    return event


def refusal(payload: Any = ORDER, **mapping: Any) -> str:
    with pytest.raises(Refused) as refused:
        one(payload, **mapping)
    return refused.value.describe()


def test_the_whole_example_of_the_module() -> None:
    event = one(
        names={"order.created": "ordered"},
        id="$.id",
        time="$.order.placed_at",
        user="$.order.customer.id",
        ids={"email": "$.order.customer.email"},
        fields={
            "order_id": "$.order.number | text",
            "total": "$.order.total | number",
            "items": "$.order.lines[*].sku",
            "source_system": "pos",
        },
        traits={"email": "$.order.customer.email"},
    )
    assert event == Event(
        message_id="e-1",
        timestamp=Instant(1_789_999_200_000_000),
        source="till",
        name="ordered",
        user_id="17",
        ids={"email": "ann@example.com"},
        properties={"order_id": "4711", "total": 59.9, "items": ["A1", "B2"], "source_system": "pos"},
        traits={"email": "ann@example.com"},
    )


def test_lines_in_words_of_their_own_become_products_and_events_of_their_own() -> None:
    lines = {"each": "$.order.lines", "product_id": "$.sku", "price": "$.price | number", "tax_class": "full"}
    mapping = Mapping(event="ordered", fields={"order_id": "$.order.number"}, lines=lines)
    order, first, second = read(mapping, ORDER)
    assert order.properties["items"] == ["A1", "B2"]
    assert order.properties["products"] == [
        {"product_id": "A1", "price": 1.5, "tax_class": "full"},
        {"product_id": "B2", "tax_class": "full"},
    ]
    assert (first.name, first.properties["price"], first.properties["order_id"]) == ("item_ordered", 1.5, 4711)
    assert second.properties == {"product_id": "B2", "quantity": 1, "tax_class": "full", "order_id": 4711}
    no_list = Mapping(event="ordered", lines={"each": "$.order.customer"})
    assert [one.name for one in read(no_list, ORDER)] == ["ordered"]


def test_lines_need_the_path_of_their_list() -> None:
    with pytest.raises(ValueError, match=r"`lines.each` is missing"):
        Mapping(event="ordered", lines={"sku": "$.sku"})


def test_without_fields_the_whole_payload_is_the_event_s() -> None:
    assert one({"type": "Paid", "sum": 3}).properties == {"type": "Paid", "sum": 3}


def test_without_an_event_a_payload_brings_traits_only() -> None:
    traits = {"vip": "$.vip", "phone": "$.phone"}
    event = one({"id": 1, "vip": True, "phone": None}, event="", user="$.id", traits=traits)
    assert (event.name, event.properties, event.traits) == (None, {}, {"vip": True, "phone": None})


def test_what_is_not_there_is_left_out_and_null_takes_a_trait_away() -> None:
    event = one({"type": "Paid", "a": None}, fields={"a": "$.a", "b": "$.b[0].c"}, traits={"a": "$.a", "b": "$.b"})
    assert (event.properties, event.traits) == ({}, {"a": None})


def test_every_item_of_a_list_is_an_event_with_a_message_id_of_its_own() -> None:
    events = read(Mapping(event="$.n", each="$.all"), {"all": [{"n": "one"}, {"n": "two"}]})
    assert [(event.name, event.message_id) for event in events] == [("one", "queue:1/0"), ("two", "queue:1/1")]


def test_ignored_events_are_passed_over() -> None:
    assert read(Mapping(event="$.type", ignore=("ping",)), {"type": "ping"}) == ()


def test_an_order_s_lines_follow_it() -> None:
    payload = {"type": "Order Completed", "products": [{"sku": "A1"}, {"sku": "B2"}], "id": "7"}
    order, first, second = read(Mapping(event="$.type", id="$.id"), payload)
    assert order.properties["items"] == ["A1", "B2"]
    assert [(line.name, line.message_id) for line in (first, second)] == [
        ("item_ordered", "7/line-1"),
        ("item_ordered", "7/line-2"),
    ]


def test_the_message_id_is_the_payload_s_else_where_it_stands_else_what_it_is() -> None:
    reader = Reader(Mapping(event="$.type", id="$.id"), "till")
    assert reader.read(b'{"type":"x","id":5}', NOW, key="k")[0].message_id == "5"
    assert reader.read(b'{"type":"x"}', NOW, key="k")[0].message_id == "k"
    same = [reader.read(b'{"type":"x"}', now)[0].message_id for now in (NOW, Instant(NOW + 1))]
    assert same[0] == same[1]
    assert same[0] != reader.read(b'{"type":"y"}', NOW)[0].message_id


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-09-21T14:00:00+02:00", 1_789_992_000_000_000),
        (1_789_992_000, 1_789_992_000_000_000),
        ("1789992000000", 1_789_992_000_000_000),
        ("2099-01-01", 4_070_908_800_000_000),
        (None, NOW),
        ("", NOW),
    ],
)
def test_times_are_read_as_they_are_written_even_from_the_future(written: Any, at: int) -> None:
    assert one({"type": "x", "at": written}, time="$.at").timestamp == at


def test_a_payload_that_was_kept_happened_at_the_latest_when_it_was_kept() -> None:
    (event,) = Reader(Mapping(event="$.type"), "till").read(b'{"type":"x"}', NOW, arrived=Instant(5), key="k")
    assert event.timestamp == 5


@pytest.mark.parametrize(
    ("written", "at"),
    [
        pytest.param(NOW - MINUTE, NOW - 10 * MINUTE, id="after it was kept: then at the latest"),
        pytest.param(NOW + MINUTE, NOW + MINUTE, id="even after now: handed on, so that the clock is noticed"),
    ],
)
def test_a_payload_that_was_kept_may_say_a_later_time(written: int, at: int) -> None:
    reader, raw = Reader(Mapping(event="$.type", time="$.at"), "till"), b'{"type":"x","at":%d}' % (written // 1000)
    (event,) = reader.read(raw, NOW, arrived=Instant(NOW - 10 * MINUTE), key="k")
    assert event.timestamp == at


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.order.lines[1].sku", "B2"),
        ("$.order['customer'].id", 17),
        ('$.order.customer["e mail"]', "x"),
        ("$['order'].lines[*].price | number", [1.5]),
        ("$.order.total | number", 59.9),
        ("$.order.number | text", "4711"),
        ("$.order.cents | hundredths", 59.9),
        ("$.order.gift | boolean", True),
        ("$.order.stored | json", [{"product_id": "A1"}]),
        ("$.order.lines[1] | json", {"sku": "B2"}),
        ("fixed | text", "fixed | text"),
    ],
)
def test_paths_and_what_their_values_are_to_be(path: str, value: Any) -> None:
    assert one(fields={"x": path}).properties == {"x": value}


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"event": "$.order..x"}, "`event` is '$.order..x', which is no path"),
        ({"event": "$.order[x]"}, "which is no path"),
        ({"fields": {"total": "$.a | money"}}, "`fields.total` ends with `| money`: there are number, text"),
        ({"fields": {"total": "$.a | text | number"}}, "more than one"),
        ({"event": ""}, "`event` is missing, and so are `traits`"),
        ({"id": "id"}, "`id` is 'id': write a path into the payload, such as $.id"),
    ],
)
def test_a_mapping_that_cannot_be_understood_is_refused_with_the_settings(mapping: dict[str, Any], said: str) -> None:
    class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        map: Mapping | None = None

    with pytest.raises(ConfigurationError) as refused:
        configure(Config, {"map": {"event": "$.type", **mapping}}, "sources.till")
    assert said in str(refused.value)
    assert str(refused.value).startswith("sources.till.map")


@pytest.mark.parametrize(
    ("payload", "mapping", "said"),
    [
        (b"{", {}, "`body` is not valid JSON"),
        (b"[]", {}, "`body` is no JSON object"),
        (b"\xff", {}, "`body` is not"),
        (b"x" * 40_000, {}, "`body` has 40,000 bytes"),
        (b"[" * 9_000, {}, "`body` is n"),
        (b'{"type":"x","a":' + b"[" * 70 + b"]" * 70 + b"}", {}, "`body` is nested more than 64 deep"),
        ({}, {}, "`$.type` is missing, or no text"),
        ({"type": 7}, {}, "`$.type` is missing, or no text"),
        ({"type": "x" * 2_000}, {}, "`$.type` has 2,000 characters"),
        ({"type": "x"}, {"user": "$.customer.id", "ids": {"email": "$.email"}}, "no `$.customer.id` or `$.email`"),
        ({"type": "x", "u": {}}, {"user": "$.u"}, "`$.u` is no id"),
        ({"type": "x", "u": "y" * 2_000}, {"user": "$.u"}, "`$.u` has 2,000 characters"),
        ({"type": "x", "t": "soon"}, {"time": "$.t"}, "`$.t` is 'soon', which is no RFC 3339 time"),
        ({"type": "x", "t": []}, {"time": "$.t"}, "`$.t` is no time"),
        ({"type": "x", "n": "12,50"}, {"fields": {"n": "$.n | number"}}, "`$.n` is '12,50', which is no number"),
        ({"type": "x", "n": "nan"}, {"fields": {"n": "$.n | number"}}, "which is no number"),
        ({"type": "x", "b": "maybe"}, {"fields": {"b": "$.b | boolean"}}, "neither true nor false"),
        ({"type": "x", "j": "[1,"}, {"fields": {"j": "$.j | json"}}, "`$.j` is '[1,', which is no JSON"),
        ({"type": "x", "j": "[" * 70 + "]" * 70}, {"fields": {"j": "$.j | json"}}, "nested too deeply"),
        ({"all": 7}, {"each": "$.all"}, "`$.all` is no list"),
        ({"all": [{}] * 1_001}, {"each": "$.all"}, "`$.all` has 1,001 items"),
    ],
)
def test_what_cannot_become_an_event_is_refused_in_words(payload: Any, mapping: dict[str, Any], said: str) -> None:
    assert said in refusal(payload, **mapping)


def test_without_a_mapping_a_payload_is_a_segment_style_call() -> None:
    call = {"type": "track", "event": "Paid", "userId": "ann", "timestamp": "2026-09-21T14:00:00Z", "sentAt": 1}
    (event,) = read(None, call)
    assert (event.message_id, event.name, event.user_id, event.source) == ("queue:1", "Paid", "ann", "till")
    # By when it is read nobody can say how wrong the client's clock was: it may have waited for hours.
    assert event.timestamp == 1_789_999_200_000_000
    with pytest.raises(Refused, match="type"):
        read(None, {"event": "Paid"})


def test_a_call_that_was_kept_has_its_client_s_clock_put_right_by_when_that_was() -> None:
    call = {"type": "track", "event": "Paid", "userId": "ann", "messageId": "m", "timestamp": 1_000, "sentAt": 2_000}
    (event,) = Reader(None, "till").read(json.dumps(call).encode(), NOW, arrived=Instant(5_000_000_000))
    assert (event.message_id, event.timestamp) == ("m", 4_000_000_000)


def test_a_row_that_is_read_already_is_mapped_alike() -> None:
    reader = Reader(Mapping(event="visited", user="$.card", fields={"n": "$.n | number"}), "csv")
    (event,) = reader.read_value({"card": "F-1", "n": "3"}, NOW, key="a.csv:7")
    assert (event.name, event.user_id, event.properties, event.message_id) == ("visited", "F-1", {"n": 3}, "a.csv:7")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
PATHS = st.sampled_from(
    ["$", "$.a", "$.b.c", "$.a[0]", "$.a[*].b", "$.b | number", "$.c | text", "$.a | boolean", "$.b | hundredths", "x"]
)


@given(JSON, PATHS, PATHS, PATHS, PATHS)
def test_any_payload_becomes_events_or_a_refusal(payload: Any, name: str, user: str, field: str, trait: str) -> None:
    mapping = Mapping(event=name, user=user, time="$.b", fields={"x": field}, traits={"y": trait})
    with contextlib.suppress(Refused):
        for event in read(mapping, payload):
            assert event.timestamp <= NOW
            assert event.message_id
