"""The source, from a request to events and an answer."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from segue.api import Instant, Received, Request, SourceTools
from segue_segment import SEGMENT, Config, SegmentSource, segue_sources, segue_vocabulary

NOW = Instant(1_767_225_600_000_000)  # 2026-01-01T00:00:00Z
MINUTE = 60_000_000
TOOLS = SourceTools(source="segment")
KEY = "the-key"


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def post(path: str, body: object, headers: dict[str, str] | None = None, now: Instant = NOW) -> Received:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("POST", path, basic(KEY) if headers is None else headers, {}, raw)
    return SegmentSource(Config(write_keys=KEY), TOOLS).receive(request, now)


def answer(received: Received) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(received.response.body)
    return decoded


def track(**fields: Any) -> dict[str, Any]:
    return {"messageId": "m1", "userId": "ann", "event": "Cart Abandoned", "properties": {"total": 60}, **fields}


def test_track_becomes_an_event_with_its_name_as_sent() -> None:
    received = post("/v1/track", track(anonymousId="device", timestamp="2025-12-31T23:00:00Z"))
    (event,) = received.events
    assert received.response.status == 200
    assert answer(received) == {"success": True}
    assert (event.message_id, event.user_id, event.anonymous_id) == ("m1", "ann", "device")
    assert (event.name, event.properties, event.traits) == ("Cart Abandoned", {"total": 60}, {})
    assert event.timestamp == NOW - 60 * MINUTE
    assert event.source == "segment"


@pytest.mark.parametrize(
    ("path", "short", "body", "name"),
    [
        ("track", "t", {"event": "Ordered"}, "Ordered"),
        ("identify", "i", {"traits": {"plan": "gold"}}, None),
        ("page", "p", {}, "page_viewed"),
        ("screen", "s", {}, "screen_viewed"),
        ("group", "g", {"groupId": "acme"}, "group_joined"),
        ("alias", "a", {"previousId": "device"}, None),
    ],
)
def test_each_call_has_a_long_path_a_short_one_and_a_place_in_a_batch(
    path: str, short: str, body: dict[str, Any], name: str | None
) -> None:
    call = {"messageId": "m", "userId": "ann", **body}
    events = [
        *post(f"/v1/{path}", call).events,
        *post(f"/v1/{short}", call).events,
        *post("/v1/batch", {"batch": [call | {"type": path}]}).events,
        *post("/v1/b", {"batch": [call | {"type": path}]}).events,
        *post("/v1/import", {"batch": [call | {"type": path}]}).events,
    ]
    assert len(events) == 5
    assert set(map(repr, events)) == {repr(events[0])}
    assert events[0].name == name


def test_identify_brings_traits_by_the_names_of_the_vocabulary() -> None:
    sent = {
        "firstName": "Ann",
        "createdAt": "2020-01-01",
        "favouriteColour": "red",
        "address": {"street": "1 High St", "city": "Turku", "postalCode": "20100", "country": "FI"},
        "company": {"name": "Acme", "id": 7},
        "phone": None,
    }
    (event,) = post("/v1/identify", {"userId": "ann", "messageId": "m", "traits": sent}).events
    assert event.traits == {
        "first_name": "Ann",
        "created_at": "2020-01-01",
        "favouriteColour": "red",
        "address": sent["address"],
        "street": "1 High St",
        "city": "Turku",
        "postal_code": "20100",
        "country": "FI",
        "company": "Acme",
        "company_id": 7,
        "phone": None,
    }


def test_external_ids_identify_by_their_kind() -> None:
    external = [
        {"type": "Loyalty Card", "id": 1001, "collection": "users"},
        {"type": "ios.push_token", "id": "t-1"},
        {"type": "company", "id": "c-1", "collection": "accounts"},
        {"type": "loyalty", "id": None},
        {"type": 5, "id": "x"},
        "junk",
    ]
    (event,) = post("/v1/track", track(userId=None, context={"externalIds": external})).events
    assert event.ids == {"loyalty_card": "1001", "push_token": "t-1"}
    (of_identify,) = post("/v1/identify", {"messageId": "m", "context": {"externalIds": external}}).events
    assert of_identify.ids == event.ids
    (odd,) = post("/v1/track", track(context={"externalIds": "none"})).events
    assert odd.ids == {}


def test_an_address_alone_says_whose_traits_they_are() -> None:
    sent = {"messageId": "m", "traits": {"email": "ann@example.com", "city": "Oslo"}}
    (event,) = post("/v1/identify", sent).events
    assert (event.user_id, event.anonymous_id, event.traits) == (None, None, sent["traits"])


def test_context_gives_traits_where_the_call_has_none_of_that_name() -> None:
    context = {
        "traits": {"email": "ann@example.com", "firstName": "Anna"},
        "device": {"token": "t0k3n", "type": "ios"},
        "locale": "fi-FI",
        "timezone": "Europe/Helsinki",
    }
    (of_track,) = post("/v1/track", track(context=context)).events
    assert of_track.traits == {
        "email": "ann@example.com",
        "first_name": "Anna",
        "push_token": "t0k3n",
        "locale": "fi-FI",
        "timezone": "Europe/Helsinki",
    }
    own = {"firstName": "Ann", "locale": "sv-FI"}
    (of_identify,) = post("/v1/identify", {"userId": "a", "context": context, "traits": own}).events
    assert of_identify.traits["first_name"] == "Ann"
    assert of_identify.traits["locale"] == "sv-FI"


def test_page_and_screen_carry_name_category_and_where_the_browser_was() -> None:
    page = {"url": "https://shop.example/a", "path": "/a", "title": "A"}
    call = {"userId": "ann", "name": "Shoes", "category": "Shop", "properties": {"path": "/own"}}
    (event,) = post("/v1/page", call | {"context": {"page": page}}).events
    assert event.properties == {
        "name": "Shoes",
        "category": "Shop",
        "path": "/own",
        "url": "https://shop.example/a",
        "title": "A",
    }


def test_a_group_s_traits_are_fields_and_not_traits_of_the_customer() -> None:
    (event,) = post("/v1/group", {"userId": "ann", "groupId": 7, "traits": {"name": "Acme"}}).events
    assert event.properties == {"name": "Acme", "group_id": "7"}
    assert event.traits == {"group_id": "7"}


def test_alias_names_the_former_id() -> None:
    (event,) = post("/v1/alias", {"userId": "ann", "previousId": "device"}).events
    assert (event.user_id, event.previous_id, event.name) == ("ann", "device", None)


@pytest.mark.parametrize(
    ("products", "items"),
    [
        ([{"product_id": "X1"}, {"sku": "S2"}, {"id": 3}, {"name": "no id"}, "X9"], ["X1", "S2", "3", "X9"]),
        ([], None),
        ("X1", None),
    ],
)
def test_items_are_filled_with_the_ids_of_products(products: object, items: list[str] | None) -> None:
    (event,) = post("/v1/track", track(properties={"products": products})).events
    assert event.properties.get("items") == items


def test_items_that_were_sent_stay() -> None:
    sent = {"items": ["own"], "products": [{"product_id": "X1"}]}
    (event,) = post("/v1/track", track(properties=sent)).events
    assert event.properties["items"] == ["own"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2025-12-31T23:59:00Z", NOW - MINUTE),
        ("2025-12-31t23:59:00z", NOW - MINUTE),
        ("2026-01-01T01:59:00+02:00", NOW - MINUTE),
        ("2025-12-31T23:59:00", NOW - MINUTE),
        ("2025-12-31T23:59:00.123456789Z", NOW - MINUTE + 123_456),
        ("2025-12-31T23:58:60Z", NOW - MINUTE),
        ("2025-12-31", NOW - 24 * 60 * MINUTE),
        (1_767_225_540, NOW - MINUTE),
        (1_767_225_540_000, NOW - MINUTE),
        (1_767_225_540.5, NOW - MINUTE + 500_000),
        ("2031-01-01T00:00:00Z", 1_924_992_000_000_000),
        (None, NOW),
    ],
)
def test_timestamps_are_read_as_clients_write_them(written: object, expected: int) -> None:
    (event,) = post("/v1/track", track(timestamp=written)).events
    assert event.timestamp == expected


@pytest.mark.parametrize(
    "written", ["yesterday", "", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", -5, 1e18, "1767225540", True, [], {}]
)
@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp", "sentAt"])
def test_a_time_that_is_none_is_refused_by_its_field(written: object, field: str) -> None:
    received = post("/v1/track", track(**{field: written}))
    assert (received.response.status, received.events, len(received.rejections)) == (400, (), 1)
    assert answer(received)["field"] == field


def test_a_client_s_wrong_clock_is_undone_by_sent_at() -> None:
    an_hour_ahead = {"timestamp": "2026-01-01T00:58:00Z", "sentAt": "2026-01-01T01:00:00Z"}
    (single,) = post("/v1/track", track(**an_hour_ahead)).events
    assert single.timestamp == NOW - 2 * MINUTE
    batch = {"batch": [track(type="track", timestamp="2026-01-01T00:58:00Z")], "sentAt": "2026-01-01T01:00:00Z"}
    (batched,) = post("/v1/batch", batch).events
    assert batched.timestamp == NOW - 2 * MINUTE


def test_a_time_in_the_future_is_handed_on_so_that_the_clock_is_noticed() -> None:
    sent_before_it_happened = {"timestamp": "2026-01-01T02:00:00Z", "sentAt": "2026-01-01T01:00:00Z"}
    (event,) = post("/v1/track", track(**sent_before_it_happened)).events
    assert event.timestamp == NOW + 60 * MINUTE


def test_the_same_bytes_without_a_message_id_are_a_duplicate() -> None:
    call = {"userId": "ann", "event": "Ordered", "timestamp": "2025-12-31T23:59:00Z"}
    first = post("/v1/track", call).events[0].message_id
    assert post("/v1/track", call, now=Instant(NOW + MINUTE)).events[0].message_id == first
    assert post("/v1/track", call | {"userId": "bob"}).events[0].message_id != first


def test_equal_calls_without_message_id_and_time_are_each_their_own() -> None:
    call = {"type": "track", "userId": "ann", "event": "Product Viewed"}
    ids = {post("/v1/track", call, now=Instant(NOW + n)).events[0].message_id for n in range(3)}
    assert len(ids) == 3
    batch = post("/v1/batch", {"batch": [call, call]}).events
    assert batch[0].message_id != batch[1].message_id
    sent = {"batch": [call, call], "sentAt": "2026-01-01T00:00:00Z"}
    again = [post("/v1/batch", sent, now=Instant(NOW + n)).events for n in range(2)]
    assert [event.message_id for event in again[0]] == [event.message_id for event in again[1]]


@pytest.mark.parametrize(("sent", "kept"), [(42, "42"), (42.0, "42"), ("", None), (None, None), ("ä 😀", "ä 😀")])
def test_ids_are_text_or_numbers_and_empty_is_none(sent: object, kept: str | None) -> None:
    (event,) = post("/v1/track", track(userId=sent)).events
    assert event.user_id == kept


def test_a_track_call_without_a_customer_is_taken_when_it_has_a_field_to_go_by() -> None:
    (event,) = post("/v1/track", {"event": "Back In Stock", "properties": {"product_id": "X1"}}).events
    assert (event.user_id, event.anonymous_id) == (None, None)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("track", {"userId": "a"}, "event"),
        ("track", {"userId": "a", "event": ""}, "event"),
        ("track", {"userId": "a", "event": "  "}, "event"),
        ("track", {"userId": "a", "event": None}, "event"),
        ("track", {"userId": "a", "event": 5}, "event"),
        ("track", {"event": "X"}, "userId"),
        ("track", {"userId": "a", "event": "x" * 1001}, "event"),
        ("track", {"userId": "a" * 1001, "event": "X"}, "userId"),
        ("track", {"userId": "a", "event": "X", "messageId": "m" * 1001}, "messageId"),
        ("track", {"event": "X", "userId": True}, "userId"),
        ("track", {"event": "X", "userId": {"$ne": 1}}, "userId"),
        ("track", {"event": "X", "anonymousId": []}, "anonymousId"),
        ("track", {"event": "X", "userId": "a", "properties": []}, "properties"),
        ("track", {"event": "X", "userId": "a", "properties": "x"}, "properties"),
        ("track", {"event": "X", "userId": "a", "context": "x"}, "context"),
        ("track", {"event": "X", "userId": "a", "context": {"device": "x"}}, "context.device"),
        ("track", {"event": "X", "userId": "a", "context": {"traits": 1}}, "context.traits"),
        ("track", {"event": "X", "userId": "a", "messageId": {}}, "messageId"),
        ("track", {"event": "X", "userId": "a", "type": "identify"}, "type"),
        ("identify", {"traits": {}}, "userId"),
        ("identify", {"userId": "a", "traits": []}, "traits"),
        ("page", {}, "userId"),
        ("page", {"userId": "a", "name": {}}, "name"),
        ("screen", {}, "userId"),
        ("group", {"groupId": "g"}, "userId"),
        ("group", {"userId": "a"}, "groupId"),
        ("alias", {"userId": "a"}, "previousId"),
        ("alias", {"previousId": "a"}, "userId"),
        ("batch", {}, "batch"),
        ("batch", {"batch": {}}, "batch"),
        ("batch", {"batch": None}, "batch"),
        ("batch", {"batch": [], "sentAt": "soon"}, "sentAt"),
        ("batch", [], "body"),
        ("track", [], "body"),
        ("track", "x", "body"),
    ],
)
def test_a_missing_or_wrong_field_is_refused_by_its_name(path: str, body: object, field: str) -> None:
    received = post(f"/v1/{path}", body)
    assert (received.response.status, received.events, len(received.rejections)) == (400, (), 1)
    said = answer(received)
    assert said["field"] == field
    assert said["success"] is False
    assert said["message"].startswith(f"`{field}` ")
    assert said["code"] == "invalid"


def test_good_calls_beside_bad_ones_are_taken_and_the_answer_names_the_bad() -> None:
    good = track(type="track")
    bad: list[Any] = [
        {"type": "track", "userId": "a"},
        5,
        {"userId": "a"},
        {"type": "x"},
        track(type="track", timestamp=[]),
    ]
    received = post("/v1/batch", {"batch": [good, *bad, good | {"messageId": "m2"}]})
    assert received.response.status == 200
    assert [event.message_id for event in received.events] == ["m1", "m2"]
    assert len(received.rejections) == 5
    said = answer(received)
    assert (said["success"], said["rejected_count"]) == (True, 5)
    assert [(item["index"], item["field"]) for item in said["rejected"]] == [
        (1, "event"),
        (2, "body"),
        (3, "type"),
        (4, "type"),
        (5, "timestamp"),
    ]
    assert said["rejected"][0]["error"].startswith("`batch[1].event` is missing")
    assert said["rejected"][1]["error"] == "`batch[2]` must be an object, not a number"


def test_a_batch_without_any_good_call_is_refused() -> None:
    received = post("/v1/batch", {"batch": [{"type": "track", "userId": "a"}]})
    assert (received.response.status, len(received.rejections)) == (400, 1)
    assert answer(received)["field"] == "batch[0].event"


def test_an_empty_batch_is_fine() -> None:
    received = post("/v1/batch", {"batch": []})
    assert (received.response.status, received.events, len(received.rejections)) == (200, (), 0)


def test_of_very_many_bad_calls_the_answer_shows_the_first_and_counts_all() -> None:
    said = answer(post("/v1/batch", {"batch": [{}] * 1000}))
    assert len(said["rejected"]) == 100
    assert said["rejected_count"] == 1000


def test_a_batch_of_more_calls_than_can_be_is_refused_unread() -> None:
    assert post("/v1/batch", {"batch": [0] * 15_001}).response.status == 413


def test_a_batch_s_context_counts_for_calls_without_their_own() -> None:
    calls = [track(type="track"), track(type="track", messageId="m2", context={"locale": "sv"})]
    events = post("/v1/batch", {"batch": calls, "context": {"locale": "fi"}}).events
    assert [event.traits for event in events] == [{"locale": "fi"}, {"locale": "sv"}]


def test_a_call_over_32_kb_is_too_large() -> None:
    large = track(type="track", properties={"note": "x" * 33_000})
    single = post("/v1/track", large)
    assert (single.response.status, answer(single)["code"]) == (413, "too_large")
    assert post("/v1/batch", {"batch": [large]}).response.status == 413
    among = post("/v1/batch", {"batch": [large, track(type="track")]})
    assert (among.response.status, len(among.events), len(among.rejections)) == (200, 1, 1)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (r"a\u0000b", "ab"),
        (r"cut \ud83d", "cut \ufffd"),
        (r"\ude00 first", "\ufffd first"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ud83d\ude00", "😀"),
        (r"C:\\u0000", r"C:\u0000"),
        (r"\u00e4", "ä"),
    ],
)
def test_nul_goes_and_half_an_emoji_becomes_a_replacement_character(written: str, kept: str) -> None:
    raw = b'{"messageId":"m","userId":"a","event":"X","properties":{"title":"%b"}}' % written.encode()
    (event,) = post("/v1/track", raw).events
    assert event.properties == {"title": kept}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert len(post("/v1/track", b"\xef\xbb\xbf" + json.dumps(track()).encode()).events) == 1


def test_nesting_is_limited() -> None:
    def nested(depth: int) -> bytes:
        inner = b'{"a":' * depth + b"1" + b"}" * depth
        return b'{"userId":"a","event":"X","properties":%b}' % inner

    assert post("/v1/track", nested(60)).response.status == 200
    for depth in (70, 900, 5000):
        received = post("/v1/track", nested(depth))
        assert (received.response.status, len(received.rejections)) == (400, 1)
    flat = post("/v1/track", track(properties={"products": [{"product_id": str(n)} for n in range(200)]}))
    assert flat.response.status == 200


@pytest.mark.parametrize("field", ["userId", "event", "messageId", "properties", "timestamp"])
def test_a_field_that_decides_and_is_given_twice_is_refused(field: str) -> None:
    raw = json.dumps(track(timestamp="2025-12-31T00:00:00Z"))
    value = json.dumps(track(timestamp="2025-12-31T00:00:00Z")[field])
    received = post("/v1/track", f'{{"{field}": {value}, {raw[1:]}'.encode())
    assert (received.response.status, answer(received)["field"]) == (400, field)


def test_a_field_s_name_may_come_again_further_inside() -> None:
    properties = {"userId": "b", "event": "Y", "properties": {"timestamp": 1}}
    (event,) = post("/v1/track", track(properties=properties)).events
    assert (event.user_id, event.properties) == ("ann", properties)


@pytest.mark.parametrize(
    "headers",
    [
        basic("wrong"),
        basic(""),
        basic(KEY + "x"),
        {"authorization": "Basic"},
        {"authorization": "Basic ???"},
        {"authorization": "Basic \xe4\xe4"},
        {"authorization": "Bearer " + KEY},
        {"authorization": KEY},
        {"authorization": ""},
        {"authorization": f"{basic(KEY)['authorization']}, {basic(KEY)['authorization']}"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
def test_a_wrong_write_key_is_refused(headers: dict[str, str], path: str) -> None:
    received = post(path, track() if path == "/v1/track" else {"batch": []}, headers)
    assert (received.response.status, received.events) == (401, ())
    assert answer(received)["code"] == "unauthorized"
    assert received.response.headers["www-authenticate"].startswith("Basic")


def test_the_write_key_may_stand_in_the_body() -> None:
    assert post("/v1/t", track(writeKey=KEY), {}).response.status == 200
    assert post("/v1/b", {"batch": [track(type="track")], "writeKey": KEY}, {}).response.status == 200
    assert post("/v1/t", track(writeKey="wrong"), {}).response.status == 401
    assert post("/v1/t", track(writeKey=KEY), basic("wrong")).response.status == 401


def test_each_of_several_keys_opens_and_no_key_at_all_opens_to_everyone() -> None:
    body = json.dumps(track()).encode()
    several = SegmentSource(Config(write_keys=("one", "two")), TOOLS)
    open_to_all = SegmentSource(Config(), TOOLS)
    for key, status in (("one", 200), ("two", 200), ("three", 401)):
        request = Request("POST", "/v1/track", basic(key), {}, body)
        assert several.receive(request, NOW).response.status == status
        assert open_to_all.receive(request, NOW).response.status == 200
    assert open_to_all.receive(Request("POST", "/v1/track", {}, {}, body), NOW).response.status == 200


def test_an_empty_write_key_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValueError, match="write_keys"):
        SegmentSource(Config(write_keys=""), TOOLS)
    with pytest.raises(msgspec.ValidationError, match="write_kye"):
        msgspec.convert({"write_kye": "x"}, Config)


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        (None, {"host": "127.0.0.1:8080"}, ("http", "127.0.0.1:8080/v1")),
        (None, {"host": "t.example.com"}, ("https", "t.example.com/v1")),
        (None, {"host": "t.example.com", "x-forwarded-proto": "http"}, ("http", "t.example.com/v1")),
        ("https://t.example.com/", {"host": "inside:1"}, ("https", "t.example.com/v1")),
    ],
)
def test_settings_send_the_browser_here(url: str | None, headers: dict[str, str], expected: tuple[str, str]) -> None:
    source = SegmentSource(Config(write_keys=KEY, url=url), TOOLS)
    received = source.receive(Request("GET", f"/v1/projects/{KEY}/settings", headers, {}, b""), NOW)
    integration = answer(received)["integrations"]["Segment.io"]
    assert (integration["protocol"], integration["apiHost"]) == expected
    assert integration["apiKey"] == KEY


@pytest.mark.parametrize(
    ("key", "host", "status"),
    [("wrong", "t.example.com", 401), (KEY, 'x"}{<script>', 400), (KEY, "", 400), (KEY, "a b", 400)],
)
def test_settings_need_the_key_and_a_host_that_is_one(key: str, host: str, status: int) -> None:
    request = Request("GET", f"/v1/projects/{key}/settings", {"host": host}, {}, b"")
    assert SegmentSource(Config(write_keys=KEY), TOOLS).receive(request, NOW).response.status == status


def test_receiving_the_same_request_at_the_same_instant_gives_the_same() -> None:
    body = {"batch": [track(type="track"), {"type": "track", "userId": "a", "event": "X"}]}
    assert repr(post("/v1/batch", body)) == repr(post("/v1/batch", body))


class TestRecordedCalls:
    def read(self, **fields: Any) -> Any:
        assert SEGMENT.decode is not None
        return SEGMENT.decode(json.dumps({"type": "track", **track(), **fields}).encode() + b"\n")

    def test_received_at_is_the_arrival(self) -> None:
        event, received = self.read(timestamp="2025-12-31T23:00:00Z", receivedAt="2025-12-31T23:30:00.500Z")
        assert (event.timestamp, received) == (NOW - 60 * MINUTE, NOW - 30 * MINUTE + 500_000)

    def test_without_it_the_timestamp_is(self) -> None:
        event, received = self.read(timestamp="2025-12-31T23:00:00Z")
        assert event.timestamp == received == NOW - 60 * MINUTE

    def test_a_timestamp_in_an_archive_was_corrected_already(self) -> None:
        times = {
            "originalTimestamp": "2025-12-31T10:00:00Z",
            "sentAt": "2025-12-31T10:05:00Z",
            "receivedAt": "2025-12-31T23:05:00Z",
        }
        event, _ = self.read(**times, timestamp="2025-12-31T23:01:00Z")
        assert event.timestamp == NOW - 59 * MINUTE
        event, _ = self.read(**times)
        assert event.timestamp == NOW - 60 * MINUTE

    def test_it_is_the_event_that_the_same_call_is_over_http(self) -> None:
        call = track(timestamp="2025-12-31T23:00:00Z", context={"locale": "fi"}, properties={"products": [{"id": 1}]})
        recorded, _ = self.read(**call)
        assert recorded == post("/v1/track", call).events[0]

    @pytest.mark.parametrize(
        ("line", "field"),
        [
            (b'{"type":"track","userId":"a","event":"X"}', "receivedAt"),
            (b'{"userId":"a","event":"X","timestamp":1}', "type"),
            (b'{"type":"track","userId":"a","timestamp":1}', "event"),
            (b'{"type":"track","userId":"a","event":"X","timestamp":1,"receivedAt":"x"}', "receivedAt"),
            (b"{", "body"),
            (b"", "body"),
            (b"[" * 100_000, "body"),
        ],
    )
    def test_a_wrong_line_is_refused_by_its_field(self, line: bytes, field: str) -> None:
        assert SEGMENT.decode is not None
        with pytest.raises(ValueError, match=f"^`{field}` "):
            SEGMENT.decode(line)


def test_the_hooks_declare_one_source_with_its_routes() -> None:
    (spec,) = segue_sources()
    assert spec is SEGMENT
    assert spec.cors
    assert spec.body == 512_000
    assert "POST /v1/batch" in spec.routes
    assert "GET /v1/projects/{key}/settings" in spec.routes


def test_the_vocabulary_names_each_word_once() -> None:
    (vocabulary,) = segue_vocabulary()
    names = [event.name for event in vocabulary.events]
    assert len(names) == len(set(names))
    sent = [name for event in vocabulary.events for name in event.sent_as]
    assert len(sent) == len(set(sent))
    traits = [trait.name for trait in vocabulary.traits]
    assert len(traits) == len(set(traits))
    for event in vocabulary.events:
        fields = [field.name for field in event.fields]
        assert len(fields) == len(set(fields)), event.name
        assert event.doc


def test_the_vocabulary_knows_the_shop_s_words() -> None:
    (vocabulary,) = segue_vocabulary()
    events = {event.name: event for event in vocabulary.events}
    ordered = {field.name: field.type for field in events["ordered"].fields}
    assert ordered["order_id"] == "text"
    assert ordered["total"] == ordered["revenue"] == "money"
    assert ordered["items"] == "list"
    assert "Order Completed" in events["ordered"].sent_as
    assert "Cart Abandoned" in events["cart_abandoned"].sent_as
    assert {"item_ordered", "back_in_stock", "signed_up", "page_viewed", "unsubscribed"} <= set(events)
    traits = {trait.name: trait.type for trait in vocabulary.traits}
    assert traits["birthday"] == "date"
    assert traits["vip"] == "boolean"
    assert {"email", "phone", "push_token", "first_name", "country", "timezone"} <= set(traits)


# Orders and their lines


def test_an_order_brings_its_lines_behind_it_in_a_single_call_and_in_a_batch() -> None:
    call = {
        "type": "track",
        "userId": "ann",
        "event": "Order Completed",
        "messageId": "o1",
        "timestamp": "2026-01-01T00:00:00Z",
        "properties": {
            "order_id": "7",
            "currency": "EUR",
            "products": [{"product_id": "X1", "price": 5}, {"sku": "X2"}],
        },
    }
    source = SegmentSource(Config(), SourceTools(source="web"))
    single = source.receive(Request("POST", "/v1/track", {}, {}, json.dumps(call).encode()), NOW)
    batch = source.receive(Request("POST", "/v1/batch", {}, {}, json.dumps({"batch": [call]}).encode()), NOW)
    assert single.events == batch.events
    assert [event.message_id for event in single.events] == ["o1", "o1/line-1", "o1/line-2"]
    assert [event.name for event in single.events] == ["Order Completed", "item_ordered", "item_ordered"]
    line = {"product_id": "X1", "price": 5, "quantity": 1, "order_id": "7", "currency": "EUR"}
    assert single.events[1].properties == line


def test_events_carry_the_source_s_name_in_segue_toml() -> None:
    call = {"type": "identify", "userId": "ann", "traits": {"vip": True}}
    source = SegmentSource(Config(), SourceTools(source="web"))
    (event,) = source.receive(Request("POST", "/v1/identify", {}, {}, json.dumps(call).encode()), NOW).events
    assert event.source == "web"
