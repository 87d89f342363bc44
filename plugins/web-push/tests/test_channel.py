"""The channel against a client that says what a test wants, and the encryption against the example of RFC 8291."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from segue.api import Answer, HttpError, Instant, Message, Rejected, Response, Retry, Sent, Tools, Unknown
from segue.testing.clients import Asked, StandInClient
from segue_web_push import Config, open_channel, segue_channels
from segue_web_push.encryption import LARGEST, encrypt
from segue_web_push.notification import payload_of, topic_of
from segue_web_push.subscription import Subscription, SubscriptionError, parse_subscription
from segue_web_push.vapid import Signer, load_key, public_key

KEY = "0123456789abcdef0123456789abcdef"
RAW_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
FIREFOX = "https://updates.push.services.mozilla.com/wpush/v2/abc"


class Client(StandInClient):
    """Answers what it was given, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        super().__init__(*answers)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    def answer(self, asked: Asked) -> Response | Exception:
        assert asked.method == "POST"
        self.asked.append((asked.url, dict(asked.headers), asked.body))
        return super().answer(asked)


def subscription(endpoint: str = FIREFOX, **keys: str) -> str:
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": KEYS | keys})


def message(address: str | None = None, kind: Any = "promotional", lives: float = 60.5, **content: str) -> Message:
    return Message(
        key=KEY,
        channel="web_push",
        name="n",
        kind=kind,
        customer="c1",
        address=subscription() if address is None else address,
        content={"title": "Hi", "text": "Ann"} | content,
        rule="r",
        expires=Instant(int((time.time() + lives) * 1e6)),
    )


async def send(client: Client, *messages: Message, **settings: Any) -> list[Answer]:
    plain = {"private_key": RAW_KEY, "subject": "mailto:shop@example.test"}
    channel = open_channel(Config(**(plain | settings)), Tools(channel="web_push", http=client))
    return list(await channel.send(messages))


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_rfc_8291_comes_out_to_the_byte() -> None:
    """Appendix A."""
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        parse_subscription(subscription()),
        own=load_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=b64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == b64(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_largest_payload_fills_what_push_services_take() -> None:
    assert len(encrypt(b"x" * LARGEST, parse_subscription(subscription()))) == 4096


def test_the_token_is_signed_for_the_push_service_and_kept_for_hours() -> None:
    key = load_key(RAW_KEY)
    signer = Signer(key, "mailto:shop@example.test")
    header = signer.authorization("https://push.test", 1_000.0)
    token, shown = header.removeprefix("vapid t=").split(", k=")
    assert shown == KEYS["p256dh"] == public_key(key)
    head, claims, signature = token.split(".")
    assert json.loads(b64(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(b64(claims)) == {"aud": "https://push.test", "exp": 44_200, "sub": "mailto:shop@example.test"}
    raw = b64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.public_key().verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    assert signer.authorization("https://push.test", 22_599.0) == header
    assert signer.authorization("https://push.test", 22_600.0) != header
    assert signer.authorization("https://other.test", 1_001.0) != header
    assert signer.authorization("https://push.test", 999.0) != header  # a clock that was put back


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(201, b"", {"location": "https://push.test/m/1"}), Sent("https://push.test/m/1")),
        (Response(202), Sent()),
        (Response(200), Sent()),
        (Response(200, b'{"error": "InvalidRegistration"}'), Unknown),
        (Response(202, b"<html>log in"), Unknown),
        (Response(301), Retry),
        (Response(400, b'{"reason":"BadWebPushTopic"}'), Rejected),
        (Response(401), Retry),
        (Response(403, b"the VAPID credentials do not correspond"), Retry),
        (Response(404), Rejected("the push service answered 404", address_gone=True)),
        (Response(410, b"gone"), Rejected("the push service answered 410 gone", address_gone=True)),
        (Response(413), Rejected),
        (Response(429, b"", {"retry-after": "7"}), Retry("the push service answered 429", after=7.0, address=True)),
        (Response(500), Retry),
        (Response(502), Unknown),
        (Response(503, b"", {"retry-after": "9"}), Retry("the push service answered 503", after=9.0)),
        (Response(504), Unknown),
        (Response(204), Unknown),
        (Response(999), Unknown),
        (HttpError("no connection", sent=False), Retry),
        (HttpError("no answer within 20 s", sent=True), Unknown),
        (RuntimeError("https://push.test/secret"), Unknown("RuntimeError")),
    ],
)
async def test_the_push_service_s_answer_decides(response: Response | Exception, expected: Any) -> None:
    (answer,) = await send(Client(response), message())
    if isinstance(expected, type):
        assert isinstance(answer, expected)
        assert not (isinstance(answer, Rejected) and answer.address_gone)
    else:
        assert answer == expected


@pytest.mark.asyncio
async def test_a_retry_after_that_is_a_date_is_understood() -> None:
    (answer,) = await send(Client(Response(429, b"", {"retry-after": "Fri, 31 Dec 2100 23:59:59 GMT"})), message())
    assert answer == Retry("the push service answered 429", after=86_400.0, address=True)


@pytest.mark.asyncio
async def test_the_headers_say_how_long_how_urgent_and_what_it_replaces() -> None:
    client = Client(Response(201))
    await send(
        client,
        message(),
        message(kind="transactional", lives=10**9),
        message(lives=-5, urgency="very-low", topic="cart"),
        longest=3600,
    )
    told = [(h["TTL"], h["Urgency"], h["Topic"]) for _, h, _ in client.asked]
    cart = topic_of(message(topic="cart"))
    assert told == [("60", "normal", KEY), ("3600", "high", KEY), ("0", "very-low", cart)]
    assert len(cart) == 32
    assert {h["Content-Encoding"] for _, h, _ in client.asked} == {"aes128gcm"}
    assert {url for url, _, _ in client.asked} == {FIREFOX}


def test_the_service_worker_gets_what_is_there() -> None:
    full = payload_of(message(url="/cart", icon="https://shop.test/i.png", image="/i.png", title="Two\r\nlines "))
    assert json.loads(full) == {
        "title": "Two lines",
        "body": "Ann",
        "tag": KEY,
        "url": "/cart",
        "icon": "https://shop.test/i.png",
        "image": "/i.png",
    }
    assert json.loads(payload_of(message(text=""))) == {"title": "Hi", "tag": KEY}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"title": " \n"}, "title is empty"),
        ({"text": "ä" * 2_000}, "4,0"),
        ({"text": "\ud83d"}, "half a character"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "//evil.test"}, "url"),
        ({"icon": "http://shop.test/i.png"}, "icon"),
        ({"image": "/a b"}, "image"),
        ({"urgency": "now"}, "very-low"),
    ],
)
async def test_content_that_cannot_go_is_rejected_before_any_call(content: dict[str, Any], says: str) -> None:
    client = Client(Response(201))
    (answer,) = await send(client, message(**content))
    assert isinstance(answer, Rejected)
    assert says in answer.reason
    assert not answer.address_gone
    assert client.asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "address",
    [
        "",
        "token",
        "[" * 100_000,
        '{"endpoint": 7}',
        subscription(p256dh="AAAA"),
        subscription(p256dh=KEYS["p256dh"][:-4] + "AAAA"),
        subscription(p256dh="ä"),
        subscription(auth="AAAA"),
        subscription() + "\r\nX: y",
        subscription("http://fcm.googleapis.com/x"),
        subscription("https://fcm.googleapis.com:8443/x"),
        subscription("https://user@fcm.googleapis.com/x"),
        subscription("https://fcm.googleapis.com.evil.test/x"),
        subscription("https://evil.test/.push.apple.com"),
        subscription("https://evilpush.apple.com/x"),
        subscription("https://127.0.0.1/x"),
        subscription("https://[::1]/x"),
        subscription("https://169.254.169.254/latest/meta-data"),
        subscription("https://localhost/x"),
        subscription("https://fcm.googleapis.com\\@127.0.0.1/x"),
        subscription("https://fcm.googleapis.com:x/"),
        subscription("https://[/"),
        subscription("https://fcm.googleapis.com/\r\nx"),
        subscription("file:///etc/passwd"),
    ],
)
async def test_an_address_that_is_no_subscription_to_a_push_service_is_never_called(address: str) -> None:
    client = Client(Response(201))
    (answer,) = await send(client, message(address))
    assert isinstance(answer, Rejected)
    assert answer.address_gone
    assert client.asked == []


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", "https://fcm.googleapis.com"),
        ("https://web.push.apple.com/x", "https://web.push.apple.com"),
        ("https://wns2-par02p.notify.windows.com/w/?token=x", "https://wns2-par02p.notify.windows.com"),
        ("https://FCM.googleapis.com:443/x", "https://fcm.googleapis.com"),
        ("http://127.0.0.1:9001/x", "http://127.0.0.1:9001"),
    ],
)
def test_push_services_are_known_by_name_or_by_the_settings(endpoint: str, origin: str) -> None:
    found = parse_subscription(subscription(endpoint), ("http://127.0.0.1:9001",))
    assert found == Subscription(endpoint, origin, b64(KEYS["p256dh"]), b64(KEYS["auth"]))
    with pytest.raises(SubscriptionError, match="other_services"):
        parse_subscription(subscription("http://127.0.0.1:9002/x"), ("http://127.0.0.1:9001",))


@pytest.mark.asyncio
async def test_one_failing_call_touches_no_other_answer() -> None:
    client = Client(Response(201), HttpError("cut off", sent=True), Response(201))
    answers = await send(client, message(), message(), message(""), message())
    assert [type(answer) for answer in answers] == [Sent, Unknown, Rejected, Sent]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"private_key": "short"}, "private_key"),
        ({"subject": "shop@example.test"}, "subject"),
        ({"other_services": ["https://push.test/x"]}, "origins"),
        ({"longest": 40 * 86_400}, "longest"),
        ({"timeout": 0}, "timeout"),
        ({"subjekt": "x"}, "subjekt"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    good = {"private_key": RAW_KEY, "subject": "mailto:shop@example.test"}
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(good | settings, Config)
    assert RAW_KEY not in repr(msgspec.convert(good, Config))


@pytest.mark.parametrize("key", ["A" * 43, "_" * 43, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_without_showing_it(key: str) -> None:
    config = Config(private_key=key, subject="mailto:shop@example.test")
    with pytest.raises(ValueError, match="private_key") as caught:
        open_channel(config, Tools(channel="web_push", http=Client(Response(201))))
    assert key not in str(caught.value)


def test_the_channel_is_declared() -> None:
    (spec,) = segue_channels()
    assert (spec.name, spec.address, spec.unknown) == ("web-push", "web_push_token", "retry")
