"""Wrong and hostile requests against the real server: a 4xx, a counted reject, never a 5xx, and nothing taken."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Mapping

import pytest
import pytest_asyncio

from segue.api import SourceTools
from segue_segment import SEGMENT, Config
from tests.web.served import BASIC, KEY, Answer, Served, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

REJECTED = 'segue_events_rejected_total{source="segment"}'

GOOD = b'{"messageId":"m","userId":"a","event":"X"}'


@pytest_asyncio.fixture(loop_scope="module", scope="module", name="running")
async def one_server_for_all() -> AsyncIterator[Served]:
    async with serving(
        ("segment", SEGMENT, SEGMENT.open(Config(write_keys=KEY), SourceTools(source="segment")))
    ) as served:
        yield served


@pytest.fixture
def served(running: Served) -> Served:
    running.accepted.clear()
    return running


async def assert_refused(served: Served, asked: Awaitable[Answer], counted: int = 1) -> Answer:
    """The answer is a 4xx that says why, the reject is counted, nothing is taken, and the server is well."""
    before = served.metric(REJECTED)
    answer = await asked
    assert 400 <= answer.status < 500
    assert answer.json()["message"]
    assert served.accepted == []
    assert served.metric(REJECTED) == before + counted
    await assert_still_well(served)
    return answer


async def assert_still_well(served: Served) -> None:
    assert (await served.post("/v1/track", GOOD)).status == 200


def nested(opening: bytes, depth: int = 100_000) -> bytes:
    return b'{"userId":"a","event":"X","properties":{"x":' + opening * depth


def bomb(size: int, *, times: int = 1) -> bytes:
    packed = b"\0" * size
    for _ in range(times):
        packed = gzip.compress(packed, 9)
    return packed


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b"  \n\t ",
    "a word": b"hello",
    "null": b"null",
    "true": b"true",
    "a number": b"42",
    "a list": b"[]",
    "a text": b'"x"',
    "two objects": GOOD + GOOD,
    "an object and a comma": GOOD + b",",
    "an open object": b'{"userId":"a"',
    "an open text": b'{"userId":"a',
    "an open escape": b'{"userId":"a\\',
    "half an escape": b'{"userId":"\\u12',
    "an unknown escape": b'{"userId":"\\x41","event":"X"}',
    "a trailing comma": b'{"userId":"a","event":"X",}',
    "single quotes": b"{'userId':'a','event':'X'}",
    "names without quotes": b'{userId:"a",event:"X"}',
    "a comment": b'{"userId":"a",/* x */"event":"X"}',
    "a form": b"userId=a&event=X",
    "XML": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "a NUL byte": b'{"userId":"a\x00","event":"X"}',
    "NUL bytes only": b"\x00" * 1000,
    "a control character": b'{"userId":"a\x01","event":"X"}',
    "bytes that are no UTF-8": b'{"userId":"\xff\xfe","event":"X"}',
    "overlong UTF-8": b'{"userId":"\xc0\x80","event":"X"}',
    "a surrogate in UTF-8": b'{"userId":"\xed\xa0\x80","event":"X"}',
    "UTF-16": '{"userId":"a","event":"X"}'.encode("utf-16"),
    "UTF-32": '{"userId":"a","event":"X"}'.encode("utf-32"),
    "NaN": b'{"userId":"a","event":"X","properties":{"total":NaN}}',
    "Infinity": b'{"userId":"a","event":"X","properties":{"total":Infinity}}',
    "minus Infinity": b'{"userId":"a","event":"X","properties":{"total":-Infinity}}',
    "a number beyond all bounds": b'{"userId":"a","event":"X","properties":{"total":1e999}}',
    "a leading zero": b'{"userId":"a","event":"X","properties":{"total":01}}',
    "a leading plus": b'{"userId":"a","event":"X","properties":{"total":+1}}',
    "a hexadecimal number": b'{"userId":"a","event":"X","properties":{"total":0x1}}',
    "an id of 5,000 digits": b'{"event":"X","userId":1' + b"0" * 5000 + b"}",
    "a time of 5,000 digits": b'{"event":"X","userId":"a","timestamp":1' + b"0" * 5000 + b"}",
    "lists 100,000 deep": nested(b"["),
    "objects 100,000 deep": nested(b'{"a":', 90_000),
    "lists 100,000 deep and closed": nested(b"[") + b"]" * 100_000 + b"}}",
    "lists 300 deep": nested(b"[", 300) + b"]" * 300 + b"}}",
    "a user given twice": b'{"userId":"a","userId":"b","event":"X"}',
    "an event given twice": b'{"userId":"a","event":"X","event":"Y"}',
    "properties given twice": b'{"userId":"a","event":"X","properties":{},"properties":{"a":1}}',
    "an event that is a number": b'{"userId":"a","event":1}',
    "an event that is a list": b'{"userId":"a","event":["X"]}',
    "an event that is blank": b'{"userId":"a","event":"   "}',
    "an event of NUL": b'{"userId":"a","event":"\\u0000"}',
    "a user that is an object": b'{"userId":{"$gt":""},"event":"X"}',
    "a user that is true": b'{"userId":true,"event":"X"}',
    "no customer and no field": b'{"event":"X"}',
    "properties that are a list": b'{"userId":"a","event":"X","properties":[1]}',
    "properties that are a text": b'{"userId":"a","event":"X","properties":"{}"}',
    "a context that is a list": b'{"userId":"a","event":"X","context":[]}',
    "a time that is none": b'{"userId":"a","event":"X","timestamp":"not a time"}',
    "the 30th of February": b'{"userId":"a","event":"X","timestamp":"2026-02-30T00:00:00Z"}',
    "the year 0": b'{"userId":"a","event":"X","timestamp":"0000-01-01T00:00:00Z"}',
    "the year 10000": b'{"userId":"a","event":"X","timestamp":"10000-01-01T00:00:00Z"}',
    "a time that is an object": b'{"userId":"a","event":"X","timestamp":{"$date":1}}',
    "another type": b'{"userId":"a","event":"X","type":"alias"}',
    "10 MB": b'{"userId":"a","event":"X","properties":{"x":"' + b"x" * 10_000_000 + b'"}}',
    "33 KB": b'{"userId":"a","event":"X","properties":{"x":"' + b"x" * 33_000 + b'"}}',
    "500 KB of spaces": b" " * 500_000,
    "gzip without saying so": gzip.compress(GOOD),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_wrong_body_is_refused(name: str, served: Served) -> None:
    await assert_refused(served, served.post("/v1/track", BODIES[name]))


@pytest.mark.parametrize("name", [name for name in BODIES if BODIES[name].strip()])
async def test_a_wrong_call_in_a_batch_is_refused(name: str, served: Served) -> None:
    call = BODIES[name].strip()
    typed = b'{"type":"track",' + call[1:] if call.startswith(b"{") else call
    await assert_refused(served, served.post("/v1/batch", b'{"batch":[' + typed + b"]}"))


ENCODED: dict[str, tuple[str, bytes]] = {
    "a gzip bomb": ("gzip", bomb(200_000_000)),
    "a gzip bomb of many members": ("gzip", bomb(400_000) * 500),
    "empty gzip members without end": ("gzip", gzip.compress(b"") * 20_000),
    "gzip in gzip": ("gzip", gzip.compress(gzip.compress(GOOD))),
    "gzip cut short": ("gzip", gzip.compress(GOOD)[:-9]),
    "gzip without its check sum": ("gzip", gzip.compress(GOOD)[:-8]),
    "gzip with a wrong check sum": ("gzip", gzip.compress(GOOD)[:-8] + b"\0" * 8),
    "gzip and rubbish": ("gzip", gzip.compress(GOOD) + b"rubbish"),
    "no gzip": ("gzip", GOOD),
    "nothing as gzip": ("gzip", b""),
    "zlib as gzip": ("gzip", zlib.compress(GOOD)),
    "deflate": ("deflate", zlib.compress(GOOD)),
    "brotli": ("br", b"\x8b\x03\x80{}\x03"),
    "gzip twice": ("gzip, gzip", gzip.compress(gzip.compress(GOOD))),
    "an encoding that is none": ("\xe4;q=1", GOOD),
}


@pytest.mark.parametrize("name", ENCODED)
async def test_a_wrong_encoding_is_refused(name: str, served: Served) -> None:
    encoding, body = ENCODED[name]
    await assert_refused(served, served.post("/v1/track", body, {"content-encoding": encoding}))


KEYS: dict[str, Mapping[str, str]] = {
    "no key": {},
    "a wrong key": {"authorization": "Basic d3Jvbmc6"},
    "a key that is no base64": {"authorization": "Basic \xe4\xf6"},
    "another scheme": {"authorization": f"Bearer {KEY}"},
    "a scheme alone": {"authorization": "Basic"},
    "a key of 40 KB": {"authorization": "Basic " + "A" * 40_000},
    "a key as password": {"authorization": "Basic OnRoZS1rZXk="},
    "a key with a tail": {"authorization": f"{BASIC}, {BASIC}"},
}


@pytest.mark.parametrize("name", KEYS)
async def test_a_wrong_key_is_refused(name: str, served: Served) -> None:
    answer = await assert_refused(served, served.ask("POST", "/v1/track", GOOD, KEYS[name]))
    assert (answer.status, answer.json()["field"]) == (401, "authorization")


def request(*lines: str, body: bytes = b"", start: str = "POST /v1/track HTTP/1.1") -> bytes:
    head = "\r\n".join([start, "host: x", f"authorization: {BASIC}", "connection: close", *lines])
    return head.encode("latin-1") + b"\r\n\r\n" + body


RAW: dict[str, bytes] = {
    "rubbish": b"\x00\x01\x02\x03\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a length that is no number": request("content-length: x", body=GOOD),
    "a negative length": request("content-length: -1", body=GOOD),
    "a length in hexadecimal": request("content-length: 0x2a", body=GOOD),
    "two lengths": request("content-length: 5", f"content-length: {len(GOOD)}", body=GOOD),
    "a length beyond all bounds": request("content-length: " + "9" * 40, body=GOOD),
    "a length of 10 GB": request("content-length: 10000000000", body=GOOD),
    "a length and chunks": request(f"content-length: {len(GOOD)}", "transfer-encoding: chunked", body=GOOD),
    "an unknown transfer encoding": request("transfer-encoding: gzip", body=GOOD),
    "a chunk whose size is no number": request("transfer-encoding: chunked", body=b"zz\r\n" + GOOD),
    "a chunk of a negative size": request("transfer-encoding: chunked", body=b"-1\r\n" + GOOD),
    "a chunk beyond all bounds": request("transfer-encoding: chunked", body=b"f" * 40 + b"\r\n" + GOOD),
    "a header without a name": request(": x", body=GOOD),
    "a header with a space in its name": request("x y: z", body=GOOD),
    "a header with NUL": request("x: \x00", body=GOOD),
    "a bare line feed in a header": request("x: a\nb", body=GOOD),
    "a path with a space": request(start="POST /v1/ track HTTP/1.1"),
    "a path that is not ASCII": request(start="POST /v1/tr\xe4ck HTTP/1.1"),
    "a path that climbs": request(start="GET /v1/../../etc/passwd HTTP/1.1"),
    "a path that climbs, encoded": request(start="GET /v1/projects/%2e%2e%2f%2e%2e/settings HTTP/1.1"),
    "a path with NUL": request(start="GET /v1/projects/%00/settings HTTP/1.1"),
    "a path with half a character": request(start="GET /v1/projects/%ff%fe/settings HTTP/1.1"),
    "a path of 60 KB": request(start="GET /" + "a" * 60_000 + " HTTP/1.1"),
    "a head of 1 MB": request(*(f"x-{n}: {'x' * 1000}" for n in range(1000))),
    "a header of 1 MB": request("x: " + "x" * 1_000_000),
    "a path of 1 MB": request(start="GET /" + "a" * 1_000_000 + " HTTP/1.1"),
    "a method that is none": request(start="STEAL /v1/track HTTP/1.1"),
    "a method that is not this path's": request(start="DELETE /v1/track HTTP/1.1"),
    "an upgrade": request("upgrade: websocket", "connection: upgrade", start="GET /v1/track HTTP/1.1"),
    "a host that is a script": b'GET /v1/projects/the-key/settings HTTP/1.1\r\nhost: "><script>\r\n\r\n',
    "a query of 50 KB": request(start="GET /v1/track?" + "a=b&" * 12_500 + " HTTP/1.1"),
}


@pytest.mark.parametrize("name", RAW)
async def test_a_wrong_request_is_refused(name: str, served: Served) -> None:
    (answer,) = await served.raw(RAW[name])
    assert 400 <= answer.status < 500
    assert served.accepted == []
    await assert_still_well(served)


async def test_good_calls_beside_hostile_ones_are_taken(served: Served) -> None:
    before = served.metric(REJECTED)
    good = b'{"type":"track","messageId":"m%d","userId":"a","event":"X"}'
    calls = [good % 1, b'{"type":"track","userId":"\xff"}', b'{"type":"track","userId":"a"}', b"[[[]]]", good % 2]
    answer = await served.post("/v1/batch", b'{"batch":[' + b",".join(calls) + b"]}")
    assert answer.status == 200
    assert [item["index"] for item in answer.json()["rejected"]] == [1, 2, 3]
    assert [event.message_id for event in served.events] == ["m1", "m2"]
    assert served.metric(REJECTED) == before + 3


async def test_texts_in_a_refusal_are_cut_and_harmless(served: Served) -> None:
    answer = await served.post("/v1/track", {"userId": "a", "event": "X", "type": "<script>" * 1000})
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.body) < 1000
    assert answer.json()["field"] == "type"
