"""The token, the notification and what Apple's answers mean; the connection is proven against a real HTTP/2 server."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import Instant, Message, Rejected, Response, Retry, Sent, Tools, Unknown
from segue_push_apns import Config, open_channel, segue_channels
from segue_push_apns.notification import ContentError, headers_of, payload_of
from segue_push_apns.provider import ProviderToken, load_key
from segue_push_apns.replies import judge

KEY = "0123456789abcdef0123456789abcdef"
NOW = 1_000_000.0


@cache
def private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


GOOD: dict[str, Any] = {
    "private_key": private_key(),
    "key_id": "ABC123DEFG",
    "team_id": "DEF123GHIJ",
    "bundle_id": "test.shop",
}


class NoClient:
    """APNs is never reached by the shared client."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> Response:
        raise AssertionError("the shared client speaks no HTTP/2")


def message(content: dict[str, str] | None = None, kind: Any = "promotional", lives: float = 60.0) -> Message:
    return Message(
        key=KEY,
        channel="push",
        name="n",
        kind=kind,
        customer="c1",
        address="ab" * 32,
        content={"title": "Hi", "text": "Ann"} | (content or {}),
        rule="r",
        expires=Instant(int((NOW + lives) * 1e6)),
    )


def test_the_token_is_signed_and_kept_for_forty_minutes() -> None:
    key = load_key(private_key())
    tokens = ProviderToken(key, "ABC123DEFG", "DEF123GHIJ")
    first = tokens.current(NOW)
    head, claims, signature = first.split(".")
    assert json.loads(_b64(head)) == {"alg": "ES256", "kid": "ABC123DEFG"}
    assert json.loads(_b64(claims)) == {"iss": "DEF123GHIJ", "iat": 1_000_000}
    raw = _b64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.public_key().verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert tokens.current(NOW + 2_399) == first
    assert tokens.current(NOW + 2_400) != first


def test_a_token_that_apple_calls_expired_is_renewed_no_sooner_than_apple_allows() -> None:
    tokens = ProviderToken(load_key(private_key()), "ABC123DEFG", "DEF123GHIJ")
    first = tokens.current(NOW)
    tokens.renew(first, NOW + 1_199)
    assert tokens.current(NOW + 1_199) == first
    tokens.renew(first, NOW + 1_200)
    second = tokens.current(NOW + 1_200)
    assert second != first
    tokens.renew(first, NOW + 3_000)  # the answer to an older message
    assert tokens.current(NOW + 3_000) == second
    assert tokens.current(NOW) != second  # a clock that was put back


def test_the_headers_say_how_long_how_urgent_and_what_it_replaces() -> None:
    plain = headers_of(message(), "test.shop", NOW, 3600)
    assert plain == {
        "apns-id": "01234567-89ab-cdef-0123-456789abcdef",
        "apns-topic": "test.shop",
        "apns-push-type": "alert",
        "apns-expiration": "1000060",
        "apns-priority": "5",
        "apns-collapse-id": KEY,
    }
    urgent = headers_of(message({"topic": "cart"}, kind="transactional", lives=10**6), "test.shop", NOW, 3600)
    assert (urgent["apns-priority"], urgent["apns-expiration"]) == ("10", "1003600")
    assert len(urgent["apns-collapse-id"]) == 64  # Apple's longest
    assert headers_of(message(lives=-5), "test.shop", NOW, 3600)["apns-expiration"] == "0"


def test_the_notification_is_put_together() -> None:
    full = {"subtitle": "Three\r\nthings", "url": "shop://cart", "sound": "till.caf", "data": '{"cart": 7}'}
    assert json.loads(payload_of(message(full))) == {
        "aps": {"alert": {"title": "Hi", "subtitle": "Three things", "body": "Ann"}, "sound": "till.caf"},
        "cart": 7,
        "url": "shop://cart",
    }
    assert json.loads(payload_of(message({"text": ""}))) == {"aps": {"alert": {"title": "Hi"}, "sound": "default"}}


def test_a_notification_may_have_4096_bytes() -> None:
    room = 4_096 - len(payload_of(message({"text": "x"}))) + 1
    assert len(payload_of(message({"text": "x" * room}))) == 4_096
    with pytest.raises(ContentError, match=r"4,097 bytes, and APNs takes 4,096"):
        payload_of(message({"text": "x" * (room + 1)}))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"title": "\r\n"}, "title is empty"),
        ({"text": "\ud83d"}, "half a character"),
        ({"data": "cart=7"}, "data is not"),
        ({"data": "[7]"}, "data is not"),
        ({"data": '{"aps": {}}'}, "keeps for itself"),
    ],
)
def test_content_that_cannot_go_says_why(content: dict[str, str], says: str) -> None:
    with pytest.raises(ContentError, match=says):
        payload_of(message(content))


@pytest.mark.parametrize(
    ("status", "reason", "kind", "gone"),
    [
        (410, "Unregistered", Rejected, True),
        (410, "ExpiredToken", Rejected, True),
        (410, "", Rejected, True),
        (400, "BadDeviceToken", Rejected, True),
        (400, "DeviceTokenNotForTopic", Rejected, False),
        (400, "BadExpirationDate", Rejected, False),
        (400, "BadTopic", Retry, False),
        (403, "InvalidProviderToken", Retry, False),
        (403, "ExpiredProviderToken", Retry, False),
        (404, "BadPath", Retry, False),
        (413, "PayloadTooLarge", Rejected, False),
        (429, "TooManyRequests", Retry, False),
        (429, "TooManyProviderTokenUpdates", Retry, False),
        (500, "InternalServerError", Retry, False),
        (502, "", Unknown, False),
        (503, "ServiceUnavailable", Retry, False),
        (503, "Shutdown", Retry, False),
        (504, "", Unknown, False),
        (302, "", Retry, False),
        (204, "", Unknown, False),
        (999, "", Unknown, False),
    ],
)
def test_apple_s_answer_decides(status: int, reason: str, kind: type, gone: bool) -> None:
    answer = judge(Response(status, json.dumps({"reason": reason}).encode() if reason else b"<html>"), NOW)
    assert isinstance(answer, kind)
    assert not isinstance(answer, Sent)
    assert reason in answer.reason
    assert (isinstance(answer, Rejected) and answer.address_gone) == gone


def test_receipts_and_waits_are_passed_on() -> None:
    assert judge(Response(200, b"", {"apns-id": "X"}), NOW) == Sent("X")
    assert isinstance(judge(Response(200, b'{"reason":"InternalServerError"}'), NOW), Unknown)
    assert isinstance(judge(Response(200, b"<html>log in"), NOW), Unknown)
    assert judge(Response(200, b'{"reason":"Unregistered"}'), NOW) == Rejected(
        "Apple answered 200 Unregistered", address_gone=True
    )
    later = judge(Response(429, b'{"reason":"TooManyRequests"}', {"retry-after": "9"}), NOW)
    assert later == Retry("Apple answered 429 TooManyRequests", after=9.0, address=True)
    updates = judge(Response(429, b'{"reason":"TooManyProviderTokenUpdates"}'), NOW)
    assert updates == Retry("Apple answered 429 TooManyProviderTokenUpdates", after=1_200.0, account=True)
    assert isinstance(judge(Response(400, b"[" * 100_000), NOW), Rejected)


@pytest.mark.asyncio
@pytest.mark.parametrize("address", ["", "g" * 64, "ab" * 20, "ab" * 32 + "\r\nx: y", "../" + "ab" * 32, "ab" * 200])
async def test_what_is_no_device_token_is_never_sent_to(address: str) -> None:
    channel = open_channel(Config(**GOOD, url="https://127.0.0.1:9"), Tools(channel="push", http=NoClient()))
    (answer,) = await channel.send([msgspec.structs.replace(message(), address=address)])
    await channel.close()
    assert answer == Rejected("push_token is no device token of APNs in hexadecimal", address_gone=True)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"private_key": "AuthKey.p8"}, "private_key"),
        ({"key_id": "abc"}, "key_id"),
        ({"team_id": ""}, "team_id"),
        ({"bundle_id": "a b"}, "bundle_id"),
        ({"url": "http://api.push.apple.com"}, "url"),
        ({"url": "https://api.push.apple.com/3"}, "url"),
        ({"longest": 40 * 86_400}, "longest"),
        ({"timeout": 0}, "timeout"),
        ({"topic": "x"}, "topic"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(GOOD | settings, Config)
    assert "PRIVATE KEY" not in repr(Config(**GOOD))


def test_what_is_no_key_is_refused_without_showing_it() -> None:
    other = rsa.generate_private_key(65537, 2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in ("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", pem):
        with pytest.raises(ValueError, match="private_key") as caught:
            open_channel(Config(**GOOD | {"private_key": text}), Tools(channel="push", http=NoClient()))
        assert text not in str(caught.value)
    with pytest.raises(ValueError, match="trusted"):
        open_channel(Config(**GOOD, trusted="/nowhere.pem"), Tools(channel="push", http=NoClient()))


def test_the_channel_is_declared() -> None:
    (spec,) = segue_channels()
    assert (spec.name, spec.address, spec.unknown) == ("push-apns", "push_token", "retry")


def _b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
