"""Apprise by what it really talks to: mosquitto, an SMTP server and an HTTP server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from segue.api import Answer, Instant, Message, Rejected, Retry, Sent, Tools, Unknown
from segue.host.http import AiohttpClient
from segue_apprise import Config, CustomerConfig, open_channel
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.brokers import Mosquitto
from tests.counterparts.misbehaving_smtp import MisbehavingSmtp
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer

TOKEN = "s3cretT0ken"
TRICKLES = "trickles"


def message(target: str = "", content: Any = None) -> Message:
    return Message(
        key="0" * 32,
        channel="telegram",
        name="n",
        kind="promotional",
        customer="c1",
        address=target,
        content=content or {"title": "Hi Ann", "text": "Näin ☃"},
        rule="r",
        expires=Instant(4_000_000_000_000_000),
    )


async def send(config: Config, *messages: Message) -> list[Answer]:
    channel = open_channel(config, Tools(channel="telegram", http=AiohttpClient()))
    return list(await channel.send(messages))


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    broker = Mosquitto()
    try:
        with reported_when_missing():
            broker.start()
        yield broker
    finally:
        broker.stop()


def test_a_rule_reaches_each_customer_s_topic_on_mosquitto(mosquitto: Mosquitto, tmp_path: Path) -> None:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.enums import CallbackAPIVersion

    got: list[tuple[str, str]] = []

    def hear(client: Client, data: object, one: MQTTMessage) -> None:
        got.append((one.topic, one.payload.decode()))

    listener = Client(CallbackAPIVersion.VERSION2)
    listener.on_message = hear
    listener.connect("127.0.0.1", mosquitto.port)
    listener.loop_start()
    listener.subscribe("#", 1)
    project = Project(
        tmp_path,
        rules="when signed_up send counter\n",
        messages={"signed_up": {"counter.txt": "Hi {{ customer.first_name }}!\n"}},
        channels=(
            '[channels.counter]\nuse = "customer-apprise"\nconsent = "opt-out"\nurl_secret = { file = "apprise" }\n'
        ),
    )
    project.write("apprise", f"mqtt://shop:{TOKEN}@127.0.0.1:{mosquitto.port}/{{target}}")
    (tmp_path / "apprise").chmod(0o600)
    try:
        with Daemon(project) as daemon:
            project.send(
                identify("ann", first_name="Ann", apprise_target="till-7"),
                identify("ben", first_name="Ben", apprise_target="till/7,till-8"),
                track("ann", "signed_up"),
                track("ben", "signed_up"),
            )
            wait_until(lambda: got, what="a message by MQTT")
            wait_until(project.is_drained, what="the end of the journeys")
            log = daemon.log
    finally:
        listener.disconnect()
        listener.loop_stop()
    assert got == [("till-7", "Hi Ann!")]
    assert project.rows("select address, reason from suppression") == [("till/7,till-8", "bounced")]
    assert TOKEN not in log


@pytest.mark.asyncio
async def test_postfix_takes_a_mail_from_apprise(postfix: PostfixServer) -> None:
    address = f"mailto://127.0.0.1:{postfix.port}?from=shop@example.test&to={{target}}&mode=insecure"
    assert await send(CustomerConfig(url_secret=address), message("ann@example.test")) == [Sent()]
    (mail,) = await asyncio.to_thread(postfix.wait_for, 1)
    assert (mail["subject"], mail["to"]) == ("Hi Ann", "ann@example.test")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Näin ☃" in body.get_content()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("ann@example.test", Sent),
        ("code-550@example.test", Rejected),
        ("code-450@example.test", Retry),
        ("end-554@example.test", Rejected),
        ("end-451@example.test", Retry),
        ("drop-end@example.test", Unknown),
        ("hang-end@example.test", Unknown),
    ],
)
async def test_what_an_smtp_server_says_is_understood(misbehaving: MisbehavingSmtp, target: str, kind: type) -> None:
    address = f"mailto://127.0.0.1:{misbehaving.port}?from=shop@example.test&to={{target}}&mode=insecure"
    (answer,) = await send(CustomerConfig(url_secret=address, timeout=1.5), message(target))
    assert type(answer) is kind, answer


async def misbehave(request: web.Request) -> web.StreamResponse:
    """Does what the last piece of the path says: a status, ``big``, ``cut`` or `TRICKLES`."""
    what = request.path.rpartition("/")[2]
    if what == "big":
        return web.Response(body=b"x" * 10_000_000)
    if what == "cut":
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if what == TRICKLES:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(100):
            await answer.write(b" ")
            await asyncio.sleep(0.1)
        return answer
    return web.Response(status=int(what), text=f"no: {request.headers.get('authorization')} {request.path}")


@pytest.mark.asyncio
async def test_what_an_http_service_says_is_understood_and_no_key_is_shown() -> None:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", misbehave)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    expected = {
        "200": Sent,
        "big": Sent,
        "400": Rejected,
        "401": Retry,
        "404": Rejected,
        "429": Retry,
        "500": Unknown,
        "503": Retry,
        "cut": Unknown,
        TRICKLES: Unknown,
    }
    base = f"json://user:{TOKEN}@127.0.0.1:{runner.addresses[0][1]}/{TOKEN}"
    try:
        answers = await asyncio.gather(
            *(send(Config(url_secret=f"{base}/{what}", timeout=2.0), message()) for what in expected)
        )
    finally:
        await runner.cleanup()
    assert {what: type(answer[0]) for what, answer in zip(expected, answers, strict=True)} == expected
    assert TOKEN not in str(answers)
