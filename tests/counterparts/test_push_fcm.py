"""FCM, as Google's own discovery document describes it: what is sent must fit it strictly, and google-auth must take
what is signed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jsonschema
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from segue.api import Answer, Instant, Message, Rejected, Retry, Sent, Tools
from segue.host.http import AiohttpClient
from segue_push_fcm import Config, open_channel
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import CounterpartMissing

pytestmark = pytest.mark.asyncio

_FORMATS = {"google-duration": r"^[0-9]+(\.[0-9]{1,9})?s$"}


@cache
def document() -> dict[str, Any]:
    """The discovery document of FCM that comes with google-api-python-client."""
    try:
        import googleapiclient
    except ImportError:
        raise CounterpartMissing("googleapiclient is missing: pip install google-api-python-client") from None
    place = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "fcm.v1.json"
    found: dict[str, Any] = json.loads(place.read_text("utf-8"))
    return found


@cache
def schema() -> jsonschema.Draft202012Validator:
    """Of the body of ``messages:send``, as strict as FCM itself: no unknown fields, no other words in an enum."""
    definitions = {name: _strict(one) for name, one in document()["schemas"].items()}
    return jsonschema.Draft202012Validator({"$ref": "#/$defs/SendMessageRequest", "$defs": definitions})


def _strict(one: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in one:
        return {"$ref": f"#/$defs/{one['$ref']}"}
    made: dict[str, Any] = {"type": one["type"]} if one.get("type") not in {None, "any"} else {}
    if "enum" in one:
        made["enum"] = one["enum"]
    if one.get("format") in _FORMATS:
        made["pattern"] = _FORMATS[one["format"]]
    if "items" in one:
        made["items"] = _strict(one["items"])
    if one.get("type") == "object":
        made["properties"] = {name: _strict(each) for name, each in one.get("properties", {}).items()}
        made["additionalProperties"] = _strict(one["additionalProperties"]) if "additionalProperties" in one else False
    return made


class Fcm:
    """Google's two addresses on loopback. ``refusals`` are error codes by registration token."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.refusals = {
            "gone": (404, "UNREGISTERED"),
            "other": (403, "SENDER_ID_MISMATCH"),
            "much": (429, "QUOTA_EXCEEDED"),
            "down": (503, "UNAVAILABLE"),
        }
        self.got: list[dict[str, Any]] = []
        self.tokens = 0
        self.url = ""

    @property
    def account(self) -> str:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "shop-1",
                "private_key_id": "k1",
                "private_key": pem,
                "client_email": "segue@shop-1.test",
                "token_uri": f"{self.url}/token",
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        from google.auth import jwt

        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        statement = parse_qs(await request.text())["assertion"][0]
        claims: Any = jwt.decode(  # type: ignore[no-untyped-call]
            statement, certs={"k1": pem}, audience=f"{self.url}/token"
        )
        assert claims["scope"] in document()["auth"]["oauth2"]["scopes"]
        self.tokens += 1
        return web.json_response({"access_token": f"ya29.{self.tokens}", "expires_in": 3599, "token_type": "Bearer"})

    async def send(self, request: web.Request) -> web.Response:
        if request.headers["authorization"] != f"Bearer ya29.{self.tokens}":
            return self._refuse(401, "UNAUTHENTICATED", "no such token")
        body = await request.json()
        for fault in schema().iter_errors(body):
            return self._refuse(400, "INVALID_ARGUMENT", f"{fault.json_path}: {fault.message}")
        token = body["message"]["token"]
        if token in self.refusals:
            return self._refuse(*self.refusals[token], "as asked")
        self.got.append(body["message"])
        return web.json_response({"name": f"projects/shop-1/messages/{len(self.got)}"})

    @staticmethod
    def _refuse(status: int, code: str, message: str) -> web.Response:
        details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
        error = {"code": status, "message": message, "status": code, "details": details}
        return web.json_response({"error": error}, status=status, headers={"retry-after": "17"})


@asynccontextmanager
async def fcm() -> AsyncIterator[Fcm]:
    with reported_when_missing():
        path = document()["resources"]["projects"]["resources"]["messages"]["methods"]["send"]["flatPath"]
    running = Fcm()
    application = web.Application()
    application.router.add_post("/token", running.token)
    application.router.add_post("/" + path.replace("{projectsId}", "shop-1"), running.send)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()


def message(address: str, content: dict[str, str] | None = None) -> Message:
    return Message(
        key="0123456789abcdef0123456789abcdef",
        channel="push",
        name="cart_reminder",
        kind="transactional",
        customer="ann",
        address=address,
        content={"title": "Your cart", "text": "Ostoskorisi odottaa 🛒"} | (content or {}),
        rule="cart_abandoned",
        expires=Instant(int((time.time() + 60.5) * 1e6)),
    )


async def send(running: Fcm, *messages: Message) -> list[Answer]:
    http = AiohttpClient()
    config = Config(service_account=running.account, url=running.url, android_channel="offers")
    channel = open_channel(config, Tools(channel="push", http=http))
    try:
        return list(await channel.send(messages))
    finally:
        await channel.close()
        await http.close()


async def test_what_is_sent_fits_google_s_description() -> None:
    full = {"url": "shop://cart", "image": "https://shop.test/i.png", "topic": "cart", "data": '{"cart": "7"}'}
    async with fcm() as running:
        answers = await send(running, message("t:1"), message("t:2", full))
    assert [type(answer) for answer in answers] == [Sent, Sent]
    assert {one["token"] for one in running.got} == {"t:1", "t:2"}
    assert {one["android"]["ttl"] for one in running.got} == {"60s"}
    assert running.tokens == 1


async def test_each_refusal_is_understood() -> None:
    async with fcm() as running:
        answers = await send(running, *(message(token) for token in ("gone", "other", "much", "down", "t:1")))
    assert [type(answer) for answer in answers] == [Rejected, Rejected, Retry, Retry, Sent]
    assert [one.address_gone for one in answers if isinstance(one, Rejected)] == [True, False]
    assert [one.after for one in answers if isinstance(one, Retry)] == [17.0, 17.0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"token": "t", "androd": {}}, "androd"),
        ({"token": "t", "android": {"priority": "high"}}, "high"),
        ({"token": "t", "android": {"ttl": 60}}, "60"),
        ({"token": "t", "data": {"cart": 7}}, "7"),
        ({"token": "t", "notification": {"text": "x"}}, "text"),
    ],
)
async def test_the_description_catches_typos_and_wrong_words(wrong: dict[str, Any], says: str) -> None:
    with reported_when_missing():
        found = [fault.message for fault in schema().iter_errors({"message": wrong})]
    assert len(found) == 1
    assert says in found[0]


async def test_a_rule_sends_a_push_and_hears_of_an_app_that_is_gone(tmp_path: Path) -> None:
    async with fcm() as running:
        project = Project(
            tmp_path,
            rules="when signed_up send push\n",
            messages={"signed_up": {"push.txt": "---\ntitle: Hi {{ customer.first_name }}\n---\nWelcome!\n"}},
            channels=(
                '[channels.push]\nuse = "push-fcm"\nconsent = "opt-out"\n'
                f'service_account = {{ file = "firebase.json" }}\nurl = "{running.url}"\n'
            ),
        )
        project.write("firebase.json", running.account)
        (tmp_path / "firebase.json").chmod(0o600)
        log = await asyncio.to_thread(daemon_s_turn, project, running)
    (got,) = running.got
    assert (got["token"], got["notification"]) == ("t:ann", {"title": "Hi Ann", "body": "Welcome!"})
    assert project.rows("select address, reason from suppression") == [("gone", "bounced")]
    assert "PRIVATE" not in log
    assert "ya29" not in log


def daemon_s_turn(project: Project, running: Fcm) -> str:
    """What the daemon logs while two customers sign up; beside the loop that answers as FCM."""
    with Daemon(project) as daemon:
        project.send(
            identify("ann", first_name="Ann", push_token="t:ann"),
            identify("ben", first_name="Ben", push_token="gone"),
            track("ann", "signed_up"),
            track("ben", "signed_up"),
        )
        wait_until(lambda: running.got, what="the push")
        wait_until(project.is_drained, what="the end of the journeys")
        return daemon.log
