"""What the daemon posts, checked by the libraries of Standard Webhooks: PyPI and npm standardwebhooks."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from segue.api import Instant, Message, Rejected, Tools, Unknown
from segue.host.http import AiohttpClient
from segue_webhook import Config, WebhookChannel
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts import npm
from tests.counterparts.missing import reported_when_missing

OLD = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
NEW = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldw=="

NODE = r"""
const { Webhook } = require('standardwebhooks')
const { secret, headers, body } = JSON.parse(process.argv[2])
const take = (text) => { try { return new Webhook(secret).verify(text, headers) } catch (error) { return error.name } }
process.stdout.write(JSON.stringify([take(body), take(body + ' ')]))
"""


class Receiver:
    """Takes what is posted to it; ``/gone`` answers 410, and ``/moved`` leads to a page that must not be asked."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], str]] = []
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((request.path, headers, await request.text()))
        match request.path:
            case "/gone":
                return web.Response(status=410)
            case "/moved":
                return web.Response(status=302, headers={"Location": "/inside"})
            case _:
                return web.Response(status=204)


@pytest.mark.asyncio
async def test_a_rule_posts_what_both_libraries_take_and_hears_of_an_address_that_is_gone(tmp_path: Path) -> None:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        project = Project(
            tmp_path,
            rules="when signed_up send partner\n",
            messages={"signed_up": {"partner.txt": "---\ntitle: Hi\n---\n{{ customer.first_name }} signed up\n"}},
            channels=(
                '[channels.partner]\nuse = "customer-webhook"\nconsent = "opt-out"\nhttps_only = false\n'
                'allow = ["127.0.0.1/32"]\nsecret = [{ file = "new" }, { file = "old" }]\n'
            ),
        )
        for name, secret in (("new", NEW), ("old", OLD)):
            project.write(name, secret)
            (tmp_path / name).chmod(0o600)
        log = await asyncio.to_thread(daemon_s_turn, project, receiver, url)
    finally:
        await runner.cleanup()
    by_path = {path: (headers, body) for path, headers, body in receiver.got}
    assert set(by_path) == {"/ann", "/gone", "/moved"}  # neither /inside nor what a redirect or a name leads to
    headers, body = by_path["/ann"]
    expected = json.loads(body)
    assert expected["data"]["content"] == {"title": "Hi", "text": 'Ann", "admin": "yes signed up'}
    assert set(expected["data"]) == {"customer", "channel", "kind", "rule", "expires", "content", "unsubscribe"}
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(body, headers) == expected
        assert verified_by_node(tmp_path, secret, headers, body) == [expected, "WebhookVerificationError"]
    assert project.rows("select address, reason from suppression") == [(f"{url}/gone", "bounced")]
    outcomes = {reason for (reason,) in project.rows("select reason from message") if reason}
    assert any("is not a public address" in reason for reason in outcomes), outcomes
    assert not [secret for secret in (OLD, NEW) if secret in log]


async def ten_megabytes(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 10_000_000)


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(100):
        await answer.write(b" ")
        await asyncio.sleep(0.05)
    return answer


async def an_error_inside(request: web.Request) -> web.StreamResponse:
    return web.json_response({"ok": False, "error": {"message": "no such room"}})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("act", "kind"), [(ten_megabytes, Unknown), (reset, Unknown), (trickle, Unknown), (an_error_inside, Rejected)]
)
async def test_a_receiver_that_misbehaves_is_taken_for_what_it_is(act: Any, kind: type) -> None:
    app = web.Application()
    app.router.add_post("/", act)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    http = AiohttpClient()
    config = Config(
        secret=OLD,
        url=f"http://127.0.0.1:{runner.addresses[0][1]}/",
        allow=("127.0.0.1/32",),
        https_only=False,
        error="$.error.message",
        timeout=0.5,
    )
    message = Message(
        key="0" * 32,
        channel="crm",
        name="n",
        kind="promotional",
        customer="c1",
        address="c1",
        content={"text": "Hi"},
        rule="r",
        expires=Instant(4_000_000_000_000_000),
    )
    begun = time.monotonic()
    try:
        (answer,) = await WebhookChannel(config, Tools(channel="crm", http=http)).send([message])
    finally:
        await http.close()
        await runner.cleanup()
    assert isinstance(answer, kind), answer
    assert len(str(answer)) < 600
    assert time.monotonic() - begun < 4


def verified_by_node(folder: Path, secret: str, headers: dict[str, str], body: str) -> Any:
    """What npm's standardwebhooks makes of a call, and of one that was altered."""
    node = folder / "node"
    if not node.exists():
        node.mkdir()
        with reported_when_missing():
            npm.install(node, NODE, "standardwebhooks")
    return npm.run(node, json.dumps({"secret": secret, "headers": headers, "body": body}))


def daemon_s_turn(project: Project, receiver: Receiver, url: str) -> str:
    """What the daemon logs while customers sign up; beside the loop that answers as the receiver."""
    inside = url.replace("127.0.0.1", "127.0.0.2")
    with Daemon(project) as daemon:
        project.send(
            identify("ann", first_name='Ann", "admin": "yes', webhook_url=f"{url}/ann"),
            identify("ben", webhook_url=f"{url}/gone"),
            identify("cat", webhook_url=f"{url}/moved"),
            identify("dan", webhook_url=f"{inside}/inside"),
            *(track(name, "signed_up") for name in ("ann", "ben", "cat", "dan")),
        )
        wait_until(lambda: len(receiver.got) >= 3, what="three posts")
        wait_until(project.is_drained, what="the end of the journeys")
        return daemon.log
