"""The channel against a client that says what a test wants."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import Answer, HttpError, Instant, Message, Rejected, Response, Retry, Sent, Tools, Unknown
from segue.testing.clients import Asked, StandInClient
from segue_push_fcm import Config, open_channel, segue_channels

KEY = "0123456789abcdef0123456789abcdef"
TOKEN_URI = "https://oauth2.test/token"
SENT = Response(200, b'{"name": "projects/shop-1/messages/0:1"}')
GRANTED = Response(200, b'{"access_token": "ya29.first", "expires_in": 3599, "token_type": "Bearer"}')


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def account(**changes: Any) -> str:
    pem = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    plain = {
        "type": "service_account",
        "project_id": "shop-1",
        "private_key_id": "k1",
        "private_key": pem,
        "client_email": "segue@shop-1.iam.gserviceaccount.test",
        "token_uri": TOKEN_URI,
    }
    return json.dumps(plain | changes)


class Client(StandInClient):
    """Gives tokens, answers sends with what it was given, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception, grants: Response | Exception = GRANTED) -> None:
        super().__init__(*answers)
        self.grants = grants
        self.asked_for_tokens: list[dict[str, list[str]]] = []
        self.asked: list[tuple[dict[str, str], Any]] = []

    def answer(self, asked: Asked) -> Response | Exception:
        assert asked.method == "POST"
        if asked.url == TOKEN_URI:
            self.asked_for_tokens.append(parse_qs(asked.body.decode()))
            return self.grants
        assert asked.url == "https://fcm.googleapis.com/v1/projects/shop-1/messages:send"
        self.asked.append((dict(asked.headers), json.loads(asked.body)["message"]))
        return super().answer(asked)


def message(address: str = "t:1", kind: Any = "promotional", lives: float = 60.5, content: Any = None) -> Message:
    return Message(
        key=KEY,
        channel="push",
        name="n",
        kind=kind,
        customer="c1",
        address=address,
        content={"title": "Hi", "text": "Ann"} | (content or {}),
        rule="r",
        expires=Instant(int((time.time() + lives) * 1e6)),
    )


async def send(client: Client, *messages: Message, **settings: Any) -> list[Answer]:
    config = Config(**({"service_account": account()} | settings))
    return list(await open_channel(config, Tools(channel="push", http=client)).send(messages))


def refusal(status: int, code: str, message: str = "said so", **detail: Any) -> Response:
    """An error as FCM writes it."""
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}, detail]
    return Response(
        status, json.dumps({"error": {"code": status, "message": message, "status": "X", "details": details}}).encode()
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("response", "kind", "gone"),
    [
        (SENT, Sent, False),
        (Response(200, b'{"error": {"code": 500}}'), Unknown, False),
        (Response(200, b"<html>hotel</html>"), Unknown, False),
        (Response(200, b'{"name": 7}'), Unknown, False),
        (Response(200, b"[" * 100_000), Unknown, False),
        (refusal(404, "UNREGISTERED"), Rejected, True),
        (refusal(403, "SENDER_ID_MISMATCH"), Rejected, False),
        (refusal(400, "INVALID_ARGUMENT", "Android TTL is wrong"), Rejected, False),
        (refusal(400, "INVALID_ARGUMENT", fieldViolations=[{"field": "message.token"}]), Rejected, True),
        (
            refusal(400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token"),
            Rejected,
            True,
        ),
        (refusal(429, "QUOTA_EXCEEDED"), Retry, False),
        (refusal(503, "UNAVAILABLE"), Retry, False),
        (refusal(500, "INTERNAL"), Retry, False),
        (refusal(401, "THIRD_PARTY_AUTH_ERROR"), Retry, False),
        (Response(400, b'{"error": {"status": "INVALID_ARGUMENT", "details": 7, "message": 7}}'), Rejected, False),
        (Response(401), Retry, False),
        (Response(403, b'{"error": {"status": "PERMISSION_DENIED"}}'), Retry, False),
        (Response(404, b"no such project"), Retry, False),
        (Response(302), Retry, False),
        (Response(502), Unknown, False),
        (Response(504), Unknown, False),
        (Response(200, b'{"error": {"status": "UNREGISTERED"}}'), Rejected, True),
        (Response(200, b'{"error": {"status": "UNAVAILABLE"}}'), Retry, False),
        (Response(204), Unknown, False),
        (Response(202, b"{}"), Unknown, False),
        (Response(999), Unknown, False),
        (HttpError("no connection", sent=False), Retry, False),
        (HttpError("no answer within 15 s", sent=True), Unknown, False),
        (RuntimeError("a client gone wrong"), Unknown, False),
    ],
)
async def test_fcm_s_answer_decides(response: Response | Exception, kind: type, gone: bool) -> None:
    (answer,) = await send(Client(response), message())
    assert isinstance(answer, kind)
    assert (isinstance(answer, Rejected) and answer.address_gone) == gone


@pytest.mark.asyncio
async def test_receipts_reasons_and_waits_are_passed_on() -> None:
    busy = refusal(503, "UNAVAILABLE")
    later = msgspec.structs.replace(busy, headers={"retry-after": "30"})
    quota = refusal(429, "QUOTA_EXCEEDED", "Topic\x1b quota")
    answers = await send(Client(SENT, busy, later, quota), *[message()] * 4)
    assert answers == [
        Sent("projects/shop-1/messages/0:1"),
        Retry("FCM answered 503 UNAVAILABLE said so"),
        Retry("FCM answered 503 UNAVAILABLE said so", after=30.0),
        Retry("FCM answered 429 QUOTA_EXCEEDED Topic quota", after=60.0, account=True),
    ]


@pytest.mark.asyncio
async def test_the_quota_of_one_device_is_not_the_project_s() -> None:
    named = {"subject": "device:eJx", "description": "exceeded device message rate quota"}
    (answer,) = await send(Client(refusal(429, "QUOTA_EXCEEDED", violations=[named])), message())
    assert isinstance(answer, Retry)
    assert (answer.account, answer.address) == (False, True)


@pytest.mark.asyncio
async def test_the_message_is_put_together() -> None:
    client = Client(SENT)
    full = {"url": "shop://cart", "image": "https://shop.test/i.png", "topic": "cart", "data": '{"cart": "7"}'}
    await send(
        client,
        message(content=full, kind="transactional"),
        message(lives=-5, content={"text": ""}),
        android_channel="offers",
        longest=30,
    )
    (headers, whole), (_, plain) = client.asked
    assert headers["Authorization"] == "Bearer ya29.first"
    assert whole["token"] == "t:1"
    assert whole["notification"] == {"title": "Hi", "body": "Ann", "image": "https://shop.test/i.png"}
    assert whole["data"] == {"cart": "7", "url": "shop://cart"}
    topic = whole["android"]["collapseKey"]
    assert whole["android"] == {
        "ttl": "30s",
        "priority": "HIGH",
        "collapseKey": topic,
        "notification": {"tag": topic, "channelId": "offers"},
    }
    assert whole["apns"]["headers"]["apns-collapse-id"] == topic
    assert 25 <= int(whole["apns"]["headers"]["apns-expiration"]) - time.time() <= 30
    assert plain == {
        "token": "t:1",
        "notification": {"title": "Hi"},
        "android": {"ttl": "0s", "priority": "NORMAL", "notification": {"tag": KEY, "channelId": "offers"}},
        "apns": {"headers": {"apns-expiration": "0", "apns-collapse-id": KEY}},
    }


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"title": "\r\n"}, "title is empty"),
        ({"text": "ä" * 2_000, "url": "x" * 900}, "4,"),
        ({"text": "\ud83d"}, "half a character"),
        ({"image": "http://shop.test/i.png"}, "https"),
        ({"data": "cart=7"}, "data is not"),
        ({"data": '{"cart": 7}'}, "data is not"),
        ({"data": '{"google.x": "7"}'}, "keeps for itself"),
        ({"data": '{"from": "7"}'}, "keeps for itself"),
    ],
)
async def test_content_that_cannot_go_is_rejected_before_any_call(content: dict[str, str], says: str) -> None:
    client = Client(SENT)
    (answer,) = await send(client, message(content=content))
    assert isinstance(answer, Rejected)
    assert says in answer.reason
    assert not answer.address_gone
    assert (client.asked, client.asked_for_tokens) == ([], [])


@pytest.mark.asyncio
@pytest.mark.parametrize("address", ["", "a b", "t\r\nX: y", "ä", "x" * 5_000])
async def test_what_is_no_token_is_never_sent_to(address: str) -> None:
    (answer,) = await send(Client(SENT), message(address))
    assert answer == Rejected("push_token is no registration token of FCM", address_gone=True)


@pytest.mark.asyncio
async def test_the_access_token_is_asked_for_once_with_a_signed_statement() -> None:
    client = Client(SENT)
    config = Config(service_account=account())
    channel = open_channel(config, Tools(channel="push", http=client))
    await channel.send([message()] * 5)
    await channel.send([message()])
    (asked,) = client.asked_for_tokens
    assert asked["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = asked["assertion"][0].split(".")
    key().public_key().verify(_b64(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())
    assert json.loads(_b64(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    said = json.loads(_b64(claims))
    assert said["exp"] - said["iat"] == 3_600
    assert (said["iss"], said["aud"]) == ("segue@shop-1.iam.gserviceaccount.test", TOKEN_URI)
    assert said["scope"] == "https://www.googleapis.com/auth/firebase.messaging"


@pytest.mark.asyncio
async def test_a_token_that_fcm_refuses_is_asked_for_anew() -> None:
    client = Client(Response(401), SENT)
    channel = open_channel(Config(service_account=account()), Tools(channel="push", http=client))
    assert isinstance((await channel.send([message()]))[0], Retry)
    assert isinstance((await channel.send([message()]))[0], Sent)
    assert len(client.asked_for_tokens) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "grants",
    [
        Response(400, b'{"error": "invalid_grant"}'),
        Response(503),
        Response(200, b"{}"),
        Response(200, b"[" * 100_000),
        Response(200, b'{"access_token": "a\\r\\nX: y"}'),
        HttpError("cut off", sent=True),
        RuntimeError("gone wrong"),
    ],
)
async def test_without_an_access_token_nothing_was_sent(grants: Response | Exception) -> None:
    client = Client(SENT, grants=grants)
    (answer,) = await send(client, message())
    assert isinstance(answer, Retry)
    assert client.asked == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"service_account": "/etc/firebase.json"}, "service_account"),
        ({"url": "fcm.googleapis.com"}, "url"),
        ({"longest": 40 * 86_400}, "longest"),
        ({"timeout": 0}, "timeout"),
        ({"project": "x"}, "project"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert({"service_account": account()} | settings, Config)
    assert "PRIVATE KEY" not in repr(Config(service_account=account()))


def test_what_is_no_service_account_is_refused_without_showing_it() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in ("{", "{}", account(private_key="hunter2"), account(private_key=pem), account(token_uri="file:///x")):
        with pytest.raises(ValueError, match="service_account") as caught:
            open_channel(Config(service_account=text), Tools(channel="push", http=Client(SENT)))
        assert "hunter2" not in str(caught.value)


def test_the_channel_is_declared() -> None:
    (spec,) = segue_channels()
    assert (spec.name, spec.address, spec.unknown) == ("push-fcm", "push_token", "retry")


def _b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
