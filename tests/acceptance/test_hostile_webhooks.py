"""Calls that are forged, sent again, too large, nested without end or of wrong types, to each source that is called,
before the real daemon: answered with a 4xx and its reason, and the next good call is taken."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest

from segue.api import Request
from tests.acceptance.harness import KEY, Daemon, Project, wait_until
from tests.acceptance.tellers import CALLS, MAP, SECRET, digest

PATHS: Final = {source: "/v1/track" if source == "segment" else f"/hooks/{source}" for source in CALLS}
_BASIC: Final = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()


def _sign_as_webhooks(body: bytes, at: datetime) -> dict[str, str]:
    message_id, moment = f"m{hash(body)}", str(int(at.timestamp()))
    signature = digest(f"{message_id}.{moment}.".encode() + body, b"0123456789abcdef01234567")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }


def _sign_as_stripe(body: bytes, at: datetime) -> dict[str, str]:
    moment = int(at.timestamp())
    return {"stripe-signature": f"t={moment},v1={digest(f'{moment}.'.encode() + body).hex()}"}


SIGN: Final[Mapping[str, Callable[[bytes, datetime], dict[str, str]]]] = {
    "segment": lambda body, at: {"authorization": _BASIC},
    "shopify": lambda body, at: {
        "x-shopify-topic": "orders/create",
        "x-shopify-hmac-sha256": base64.b64encode(digest(body)).decode(),
    },
    "stripe": _sign_as_stripe,
    "webhooks": _sign_as_webhooks,
    "woocommerce": lambda body, at: {
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-signature": base64.b64encode(digest(body)).decode(),
    },
}
"""How each source knows who calls, as headers over a body."""
TIMED: Final = ("stripe", "webhooks")
"""Those whose signature holds a moment: a call that was caught is of no use for long."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    tables = [
        f'[sources.{name}]\nuse = "{name}"\nsecret = {{ env = "HOOK_SECRET" }}\n'
        for name in ("shopify", "stripe", "woocommerce", "webhooks")
    ]
    project = Project(
        tmp_path_factory.mktemp("hostile") / "shop", channels="\n".join([*tables, "[sources.webhooks.map]", MAP])
    )
    with Daemon(project, environment={"HOOK_SECRET": SECRET}):
        yield project


@pytest.fixture(params=sorted(CALLS))
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def now() -> datetime:
    """A signature holds for minutes only, and the suite runs for longer."""
    return datetime.now(UTC)


def good(source: str, at: datetime | None = None) -> Request:
    """A call of an order, as the source makes it."""
    at = at or now()
    found = CALLS[source]("order", at)
    assert found is not None
    # Of an order that was placed long ago WooCommerce's calls bring nothing.
    body = re.sub(rb'("date_(?:created|paid)_gmt": )"[^"]+"', rb'\1"%s"' % at.isoformat()[:19].encode(), found.body)
    body = body.replace(b'"messageId": "order"', b'"messageId": "a call"')
    return msgspec.structs.replace(found, body=body, headers={**found.headers, **SIGN[source](body, at)})


def send(project: Project, request: Request) -> int:
    """The status of the answer; one that refuses says why, in one sentence that quotes little."""
    answer = project.request("POST", request.path, request.body, request.headers)
    if answer.status >= 400:
        told = answer.json()
        assert told.get("error") or told.get("message")
        assert len(answer.body) < 1_000
    return answer.status


def taken(project: Project) -> list[tuple[Any, ...]]:
    return project.rows("select count(*), count(distinct message_id) from event")


def altered(request: Request) -> Iterator[tuple[str, Request]]:
    """The call as somebody would alter it who does not have the secret."""
    amount = request.body.replace(b"59.8", b"0.01").replace(b"5980", b"1")
    assert amount != request.body
    yield "another amount", msgspec.structs.replace(request, body=amount)
    yield "a byte more", msgspec.structs.replace(request, body=request.body + b" ")
    signed = next(name for name in request.headers if "signature" in name or "hmac" in name)
    rest = {name: value for name, value in request.headers.items() if name != signed}
    yield "no signature", msgspec.structs.replace(request, headers=rest)
    for label, value in (
        ("an empty signature", ""),
        ("a short signature", request.headers[signed][:-4]),
        ("a signature with a secret that is empty", _with(b"", request.body)),
        ("a signature with another secret", _with(b"guessed", request.body)),
        ("50 KB of signatures", " ".join(["v1,AAAA"] * 7_000)),
        ("no ASCII", "\xe9"),
    ):
        yield label, msgspec.structs.replace(request, headers={**rest, signed: value})


def _rejected(project: Project, source: str) -> int:
    return sum(total for (total,) in project.rows("select total from rejected where source = ?", source))


def _with(secret: bytes, body: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, body, "sha256")).decode()


@pytest.mark.parametrize("signed", sorted(set(CALLS) - {"segment"}))
def test_a_forged_call_is_refused_and_counted(project: Project, signed: str) -> None:
    before, rejected = taken(project), _rejected(project, signed)
    told = {label: send(project, request) for label, request in altered(good(signed))}
    assert {label: status for label, status in told.items() if status not in (401, 431)} == {}
    assert taken(project) == before
    # Written together once a second; of many only some are kept, all are counted.
    refused = sum(status == 401 for status in told.values())
    wait_until(lambda: _rejected(project, signed) >= rejected + refused, what="the rejections")


def test_a_call_that_is_sent_again_changes_nothing(project: Project, source: str) -> None:
    request = good(source)
    assert send(project, request) == 200
    once = taken(project)
    assert project.rows("select 1 from event where instr(fields, ?) limit 1", f'"source":"{source}"'.encode())
    for _ in range(20):
        assert send(project, request) == 200
    assert taken(project) == once


def test_nobody_has_the_orders_of_a_shop_taken_for_duplicates_before_they_come(project: Project) -> None:
    call = {"event": "paid", "userId": "mallory", "messageId": "woocommerce/orders/8/ordered"}
    project.send({"type": "track", **call})
    order = good("woocommerce")
    raw = order.body.replace(b'"id": 7', b'"id": 8')
    assert send(project, msgspec.structs.replace(order, body=raw, headers=SIGN["woocommerce"](raw, now()))) == 200
    (found,) = project.rows("select fields from event where message_id = ?", call["messageId"])
    assert b'"order_id":"8"' in found[0]


def test_a_call_of_one_source_is_nothing_to_another(project: Project, source: str) -> None:
    before = taken(project)
    request = good(source)
    for other, path in PATHS.items():
        if other != source:
            assert 400 <= send(project, msgspec.structs.replace(request, path=path)) < 500
    assert taken(project) == before


@pytest.mark.parametrize("signed", TIMED)
@pytest.mark.parametrize("hours", [-24, -3, 3])
def test_a_call_that_was_signed_long_ago_or_by_a_clock_hours_ahead_is_refused(
    project: Project, signed: str, hours: int
) -> None:
    before = taken(project)
    at = now() + timedelta(hours=hours)
    answer = project.request("POST", PATHS[signed], good(signed, at).body, good(signed, at).headers)
    assert (answer.status, "or a clock is wrong" in answer.json()["error"]) == (401, True)
    assert taken(project) == before


HUGE: Final = {
    "lists 100,000 deep": b'{"id":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects 100,000 deep and open": b'{"id":' * 100_000,
    "6 MB in one text": b'{"id":1,"x":"' + b"x" * 6_000_000 + b'"}',
    "a number of 100,000 digits": b'{"id":1' + b"0" * 100_000 + b"}",
    "no UTF-8": b'{"id":"\xff\xfe"}',
    "no JSON": b"\x00\x01\x02",
    "nothing": b"",
    "a list": b"[1]",
    "null": b"null",
}


@pytest.mark.parametrize("name", HUGE)
def test_a_body_too_large_too_deep_or_no_object_is_refused_though_it_is_signed(
    project: Project, source: str, name: str
) -> None:
    before = taken(project)
    request = Request("POST", PATHS[source], SIGN[source](HUGE[name], now()), {}, HUGE[name])
    assert 400 <= send(project, request) < 500
    assert taken(project) == before


def _with_lists(value: Any, length: int) -> Any:
    """The value with every list in it repeated up to a length."""
    if isinstance(value, dict):
        return {name: _with_lists(inner, length) for name, inner in value.items()}
    return (value * length)[:length] if isinstance(value, list) else value


def test_an_order_of_more_lines_than_any_has_is_refused(project: Project, source: str) -> None:
    before = taken(project)
    for length in (2_001, 20_000):
        raw = json.dumps(_with_lists(json.loads(good(source).body), length)).encode()
        assert send(project, Request("POST", PATHS[source], SIGN[source](raw, now()), {}, raw)) == 413
    assert taken(project) == before


JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    1e300,
    "",
    "x" * 2_000,
    "\0",
    [],
    [[1]],
    {},
    {"a": {"b": []}},
    "9" * 400,
)


def _with_junk(value: Any, junk: Any) -> Iterator[Any]:
    """The value with junk in each place of it, one after the other."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {**value, name: junk}
            yield from ({**value, name: one} for one in _with_junk(inner, junk))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from ([*value[:number], one, *value[number + 1 :]] for one in _with_junk(inner, junk))


def test_a_value_of_a_wrong_type_anywhere_is_taken_or_refused_and_breaks_nothing(project: Project, source: str) -> None:
    shown = json.loads(good(source).body)
    for junk in JUNK:
        for body in _with_junk(shown, junk):
            raw = json.dumps(body).encode()
            status = send(project, Request("POST", PATHS[source], SIGN[source](raw, now()), {}, raw))
            assert status == 200 or 400 <= status < 500, (status, raw[:500])
    assert send(project, good(source)) == 200
    assert project.get("/healthz").json()["balanced"]
