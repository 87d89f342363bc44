"""WhatsApp: what is sent fits Meta's own description of the API, and what Meta would call with is understood."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from segue.api import Answer, Instant, Message, Sent, Tools
from segue.host.http import AiohttpClient
from segue_whatsapp import Config, WhatsAppChannel
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.prism import Prism, description

pytestmark = pytest.mark.asyncio

NUMBER = "106540352242922"
TOKEN = "EAAJB-of-this-test"
SECRET = "app-secret-of-this-test"
INSIDE = "select count(*) from journey where state = 0"
LANGUAGE = {"code": "en", "policy": "deterministic"}
FULL = {
    "template": "cart_waiting",
    "language": "en_US",
    "header_image": "https://shop.example/cart.png",
    "body_1": "Ann",
    "body_2": "59,80 €",
    "button_2": "cart-7",  # the first button's index is 0, which the description's pattern forgets
}


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    specification = description("meta-business-messaging-v23.yaml")
    with reported_when_missing(), Prism(specification, tmp_path_factory.mktemp("prism")) as running:
        yield running


def message(**content: str) -> Message:
    return Message(
        key="0123456789abcdef0123456789abcdef",
        channel="whatsapp",
        name="cart_reminder",
        kind="promotional",
        customer="ann",
        address="+358401234567",
        content=content,
        rule="cart_abandoned",
        expires=Instant(int((time.time() + 60) * 1e6)),
    )


async def send(url: str, *messages: Message) -> list[Answer]:
    http = AiohttpClient()
    config = Config(phone_number_id=NUMBER, access_token=TOKEN, url=f"{url}/v23.0")
    try:
        return list(await WhatsAppChannel(config, Tools(channel="whatsapp", http=http)).send(messages))
    finally:
        await http.close()


class Meta:
    """Stands before prism: keeps what comes, and refuses where Meta would by its own lights."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.url = ""
        self.got: list[dict[str, Any]] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.got.append(body)
        if body["to"].endswith("47"):
            error = {"message": "(#131047) Re-engagement message", "type": "OAuthException", "code": 131047}
            return web.json_response({"error": error}, status=400)
        headers = {name: request.headers[name] for name in ("Authorization", "User-Agent", "Content-Type")}
        # The description knows this field of calls only, and Meta takes it with every message.
        described = json.dumps({name: value for name, value in body.items() if name != "biz_opaque_callback_data"})
        async with (
            ClientSession(headers=headers) as client,
            client.post(f"{self.behind}{request.path}", data=described) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())


@asynccontextmanager
async def meta(behind: str) -> AsyncIterator[Meta]:
    running = Meta(behind)
    app = web.Application()
    app.router.add_post("/{rest:.*}", running.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()


async def test_what_is_sent_is_taken_as_meta_describes_it(prism: Prism) -> None:
    contents: list[dict[str, str]] = [
        FULL,
        {"template": "hello_world"},
        {"template": "with_header", "header": "Ann", "body_1": "x"},
        {"text": "Ostoskorisi odottaa 🛒"},
    ]
    async with meta(prism.url) as running:
        answers = await send(running.url, *(message(**content) for content in contents))
    assert [one["biz_opaque_callback_data"] for one in running.got] == [message().key] * 4
    assert [type(answer) for answer in answers] == [Sent] * 4, answers
    assert all(isinstance(answer, Sent) and answer.receipt for answer in answers)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"type": "telegram"}, 422),
        ({"to": None}, 422),
        ({"template": {"name": "x"}}, 422),
        ({"template": {"name": "x", "language": LANGUAGE, "components": [{"type": "footer"}]}}, 422),
    ],
)
async def test_meta_s_description_refuses_what_does_not_fit_it(
    prism: Prism, wrong: dict[str, Any], status: int
) -> None:
    good = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+358401234567",
        "type": "template",
        "template": {"name": "x", "language": LANGUAGE},
    }
    headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "Segue-WhatsApp/0.1.0"}
    async with ClientSession(headers=headers) as client:
        async with client.post(f"{prism.url}/v23.0/{NUMBER}/messages", json=good) as answer:
            assert answer.status == 200, await answer.text()
        async with client.post(f"{prism.url}/v23.0/{NUMBER}/messages", json=good | wrong) as answer:
            assert answer.status == status, await answer.text()


async def test_a_rule_sends_a_template_hears_that_it_was_read_and_stops_when_asked(
    prism: Prism, tmp_path: Path
) -> None:
    async with meta(prism.url) as running:
        project = Project(
            tmp_path,
            rules='when signed_up send whatsapp "hello" wait 1d unless read send whatsapp "hello"\n',
            messages={
                "hello": {
                    "whatsapp.txt": "---\ntemplate: hello\nlanguage: en_US\nbody_1: {{ customer.first_name }}\n---\n"
                }
            },
            channels=(
                f'[channels.whatsapp]\nuse = "whatsapp"\nconsent = "opt-out"\nphone_number_id = "{NUMBER}"\n'
                'access_token = { file = "token" }\napp_secret = { file = "secret" }\n'
                f'verify_token = {{ file = "secret" }}\nurl = "{running.url}/v23.0"\n'
            ),
        )
        for name, text in (("token", TOKEN), ("secret", SECRET)):
            project.write(name, text)
            (tmp_path / name).chmod(0o600)
        log = await asyncio.to_thread(daemon_s_turn, project, running)
    assert sorted(body["to"] for body in running.got) == ["+358401234567", "+358401234747"]
    template = running.got[0]["template"]
    assert template["components"][0]["parameters"][0]["text"] in {"Ann", "Ben"}
    told = project.rows("select reason from message where reason like '%24 hours%'")
    assert len(told) == 1
    assert not [secret for secret in (TOKEN, SECRET) if secret in log]


def daemon_s_turn(project: Project, running: Meta) -> str:
    """What the daemon logs while two customers sign up, and one reads the message and answers STOP."""
    with Daemon(project) as daemon:
        project.send(
            identify("ann", first_name="Ann", phone="+358401234567"),
            identify("ben", first_name="Ben", phone="+358401234747"),
            track("ann", "signed_up"),
            track("ben", "signed_up"),
        )
        wait_until(lambda: len(running.got) == 2, what="two templates")
        wait_until(lambda: not project.rows("select 1 from message where due is not null"), what="both answers")
        assert project.rows(INSIDE) == [(2,)]
        key = next(one["biz_opaque_callback_data"] for one in running.got if one["to"].endswith("67"))
        now = str(int(time.time()))
        status = {"id": "wamid.A", "timestamp": now, "biz_opaque_callback_data": key}
        said = {"from": "358401234567", "id": "wamid.B", "timestamp": now, "type": "text", "text": {"body": "STOP"}}
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": NUMBER},
            "statuses": [status | {"status": "delivered"}, status | {"status": "read"}],
            "messages": [said],
        }
        call = json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
        for secret, expected in (("forged", 403), (SECRET, 200), (SECRET, 200)):
            signature = hmac.new(secret.encode(), call, hashlib.sha256).hexdigest()
            answer = project.request(
                "POST", "/callbacks/whatsapp", call, {"X-Hub-Signature-256": f"sha256={signature}"}
            )
            assert answer.status == expected
        hello = f"/callbacks/whatsapp?hub.mode=subscribe&hub.challenge=42&hub.verify_token={SECRET}"
        assert project.request("GET", hello).body == b"42"
        wait_until(lambda: project.rows("select 1 from suppression"), what="the suppression after STOP")
        assert project.rows("select address, reason from suppression") == [("+358401234567", "stopped")]
        assert project.rows("select state from message where address = '+358401234567'") == [(3,)]  # delivered
        wait_until(lambda: project.rows(INSIDE) == [(1,)], what="the end for the one who read it")
        return daemon.log
