"""The channels against a client that says what a test wants."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any, Self

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from segue.api import (
    Answer,
    Channel,
    ForbiddenAddress,
    HttpError,
    Instant,
    Message,
    Rejected,
    Response,
    Retry,
    Sent,
    Tools,
    Unknown,
)
from segue.testing.clients import Asked, StandInClient
from segue_webhook import Config, CustomerConfig, CustomerWebhookChannel, WebhookChannel, segue_channels

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
NEW = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldw=="
URL = "https://hooks.example.test/segue?key=hunter2"


class Client(StandInClient):
    """Answers as it was given, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        super().__init__(*answers)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.allowed: list[tuple[str, ...]] = []

    def guarded(self, allow: Sequence[str] = ()) -> Self:
        self.allowed.append(tuple(allow))
        return self

    def answer(self, asked: Asked) -> Response | Exception:
        assert asked.method == "POST"
        self.asked.append((asked.url, dict(asked.headers), asked.body))
        return super().answer(asked)


def message(address: str = URL, content: Any = None, **changes: Any) -> Message:
    plain = Message(
        key=KEY,
        channel="webhook",
        name="cart_reminder",
        kind="promotional",
        customer="c1",
        address=address,
        content=content or {"text": "Hi Ann"},
        rule="carts",
        expires=Instant(1_790_000_000_000_000),
    )
    return msgspec.structs.replace(plain, **changes)


def project(client: Client, **settings: Any) -> Channel:
    return WebhookChannel(Config(**({"secret": SECRET, "url": URL} | settings)), Tools(channel="webhook", http=client))


def customers(client: Client, **settings: Any) -> Channel:
    config = CustomerConfig(**({"secret": SECRET} | settings))
    return CustomerWebhookChannel(config, Tools(channel="webhook", http=client))


async def one(channel: Channel, sent: Message | None = None) -> Answer:
    (answer,) = await channel.send([sent or message()])
    return answer


@pytest.mark.asyncio
async def test_a_message_is_signed_so_that_the_standard_s_own_library_takes_it() -> None:
    client = Client(Response(204))
    assert await one(project(client), message(content={"title": "Ä", "text": "Hi 😀", "type": "cart.left"})) == Sent()
    ((url, headers, body),) = client.asked
    assert url == URL
    assert headers["webhook-id"] == KEY
    assert Webhook(SECRET).verify(body, headers) == {
        "type": "cart.left",
        "data": {
            "customer": "c1",
            "channel": "webhook",
            "kind": "promotional",
            "rule": "carts",
            "expires": "2026-09-21T14:13:20Z",
            "content": {"title": "Ä", "text": "Hi 😀"},
        },
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"c1", b"c2"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(body, headers)


@pytest.mark.asyncio
async def test_while_the_secret_is_changed_both_verify() -> None:
    client = Client(Response(200))
    await one(project(client, secret=(NEW, SECRET)))
    ((_, headers, body),) = client.asked
    for secret in (SECRET, NEW):
        assert Webhook(secret).verify(body, headers)["type"] == "cart_reminder"


@pytest.mark.asyncio
async def test_a_second_try_has_the_same_id_and_the_same_body() -> None:
    client = Client(Response(503), Response(200))
    channel = project(client)
    assert isinstance(await one(channel), Retry)
    assert await one(channel, message(attempt=2, unsubscribe="https://shop.test/u/1")) == Sent()
    (_, first, body), (_, second, other) = client.asked
    assert first["webhook-id"] == second["webhook-id"]
    assert json.loads(other)["data"].pop("unsubscribe") == "https://shop.test/u/1"
    assert json.loads(body)["type"] == json.loads(other)["type"] == "cart_reminder"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("response", "ours", "theirs"),
    [
        (Response(200, b"whatever"), Sent, Sent),
        (Response(202), Sent, Sent),
        (Response(204), Sent, Sent),
        (Response(301), Retry, Rejected),
        (Response(307), Retry, Rejected),
        (Response(400), Rejected, Rejected),
        (Response(401), Retry, Rejected),
        (Response(404), Retry, Rejected),
        (Response(408), Retry, Retry),
        (Response(410), Rejected, Rejected),
        (Response(413), Rejected, Rejected),
        (Response(422), Rejected, Rejected),
        (Response(429), Retry, Retry),
        (Response(500), Unknown, Unknown),
        (Response(502), Unknown, Unknown),
        (Response(503), Retry, Retry),
        (Response(504), Unknown, Unknown),
        (HttpError("no connection", sent=False), Retry, Retry),
        (HttpError("no answer within 15 s", sent=True), Unknown, Unknown),
        (ForbiddenAddress("10.0.0.1 is not a public address"), Retry, Rejected),
        (RuntimeError(f"a client gone wrong at {URL}"), Unknown, Unknown),
    ],
)
async def test_the_answer_decides(response: Response | Exception, ours: type, theirs: type) -> None:
    client = Client(response)
    answers = (
        await one(project(client)),
        await one(customers(client)),
        await one(project(client, url=""), message(content={"url": URL})),
    )
    assert [type(answer) for answer in answers] == [ours, theirs, theirs]
    gone = isinstance(response, Response) and response.status == 410
    assert [getattr(answer, "address_gone", False) for answer in answers] == [gone] * 3
    assert [asked[0] for asked in client.asked] == [URL] * 3
    assert "hunter2" not in str(answers)


@pytest.mark.asyncio
async def test_a_receiver_says_when_to_come_again_in_either_form() -> None:
    date = formatdate(time.time() + 100, usegmt=True)
    client = Client(Response(429, b"", {"retry-after": "17"}), Response(503, b"slow", {"retry-after": date}))
    channel = project(client)
    assert await one(channel) == Retry("the receiver answered 429", after=17.0, account=True)
    answer = await one(channel)
    assert isinstance(answer, Retry)
    assert answer.reason == "the receiver answered 503 slow"
    assert answer.after is not None
    assert 95 <= answer.after <= 100


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"ok": true}', Sent),
        (b'{"ok": "ok", "error": {"message": ""}}', Sent),
        (b'{"ok": false}', Rejected),
        (b'{"ok": true, "error": {"message": "no such room"}}', Rejected),
        (b'{"ok": true, "error": {"message": 0}}', Sent),
        (b"{}", Rejected),
        (b"[]", Rejected),
        (b"", Rejected),
        (b"<html>hotel</html>", Unknown),
        (b"[" * 100_000, Unknown),
    ],
)
async def test_an_error_inside_a_200_is_found_where_the_settings_say(body: bytes, kind: type) -> None:
    answer = await one(project(Client(Response(200, body)), ok="$.ok", error="$.error.message"))
    assert isinstance(answer, kind)
    if b"no such room" in body:
        assert answer == Rejected('the receiver answered with an error: "no such room"')
    assert await one(project(Client(Response(200, body)))) == Sent()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example.test",
        "ftp://hooks.example.test/",
        "http://hooks.example.test/",
        "https://user@hooks.example.test/",
        "https://user:password@hooks.example.test/",
        "https://good.test\\@evil.test/",
        "https://hooks.example.test/#f",
        "https://hooks.example.test/\r\nX: y",
        "https://hooks.example.test/a b",
        "https:///x",
        "file:///etc/passwd",
        "https://" + "x" * 3_000,
    ],
)
async def test_what_is_no_address_is_never_called(address: str) -> None:
    client = Client(Response(200))
    answer = await one(customers(client), message(address))
    assert isinstance(answer, Rejected)
    assert answer.address_gone
    named = await one(project(client), message(content={"url": address}))
    assert isinstance(named, Rejected if address else Sent)  # an empty url is none, and that of the settings holds
    assert len(client.asked) == (not address)


@pytest.mark.asyncio
async def test_plain_http_is_called_where_it_is_allowed() -> None:
    client = Client(Response(200))
    assert await one(customers(client, https_only=False), message("http://10.0.0.5/hook")) == Sent()


@pytest.mark.asyncio
async def test_a_message_without_any_address_is_rejected() -> None:
    answer = await one(project(Client(Response(200)), url=""))
    assert answer == Rejected("the message names no url, and there is none in the settings")


@pytest.mark.asyncio
@pytest.mark.parametrize(("text", "says"), [("\ud83d", "half a character"), ("x" * 300_000, "shorten")])
async def test_content_that_cannot_go_is_rejected(text: str, says: str) -> None:
    client = Client(Response(200))
    answer = await one(project(client), message(content={"text": text}))
    assert isinstance(answer, Rejected)
    assert says in answer.reason
    assert client.asked == []


def test_every_address_goes_through_the_guard() -> None:
    client = Client(Response(200))
    project(client)
    customers(client, allow=("10.0.0.0/8",))
    assert client.allowed == [(), ("10.0.0.0/8",)]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"secret": "hunter2"}, "secret"),
        ({"secret": "whsec_c2hvcnQ="}, "24"),
        ({"secret": ""}, "secret"),
        ({"secret": [SECRET, ""]}, "secret"),
        ({"url": "http://hooks.example.test/"}, "https_only"),
        ({"url": "hooks.example.test"}, "url"),
        ({"allow": ["10.0.0.1/8"]}, "allow: 10.0.0.1/8 has host bits set; write a network"),
        ({"allow": ["inside"]}, "write a network"),
        ({"ok": "ok"}, r"\$\.status\.ok"),
        ({"error": "$."}, r"\$\.status\.error"),
        ({"timeout": 0}, "timeout"),
        ({"adress": "x"}, "adress"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says) as caught:
        msgspec.convert({"secret": SECRET, "url": URL} | settings, Config)
    assert "hunter2" not in str(caught.value)


def test_nothing_secret_is_shown() -> None:
    shown = repr(Config(secret=SECRET, url=URL)) + repr(CustomerConfig(secret=(SECRET, NEW)))
    assert "hooks.example.test" in shown
    assert not [secret for secret in ("hunter2", SECRET, NEW) if secret in shown]


def test_the_channels_are_declared() -> None:
    fixed, own = segue_channels()
    assert (fixed.name, fixed.address) == ("webhook", None)
    assert (own.name, own.address) == ("customer-webhook", "webhook_url")
