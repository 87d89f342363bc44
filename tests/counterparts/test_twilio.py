"""SMS and RCS by Twilio: what is sent fits Twilio's own description, and what its own library signs is believed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from aiohttp import web

from segue.api import Answer, Channel, Instant, Message, Rejected, Retry, Sent, Tools, Unknown
from segue.host.http import AiohttpClient
from segue_twilio import RcsConfig, SmsConfig, open_rcs, open_sms
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.prism import Prism, description

pytestmark = pytest.mark.asyncio

ACCOUNT = "AC" + "a" * 32
TOKEN = "a-token-of-this-test"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"


def message(number: str = "+358401234567", **content: str) -> Message:
    return Message(
        key="0123456789abcdef0123456789abcdef",
        channel="sms",
        name="cart_reminder",
        kind="promotional",
        customer="ann",
        address=number,
        content={"text": "Ostoskorisi odottaa 🛒"} | content,
        rule="cart_abandoned",
        expires=Instant(int((time.time() + 60) * 1e6)),
    )


def config(url: str, **settings: Any) -> SmsConfig:
    return SmsConfig(**({"account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "Shop", "url": url} | settings))


async def send(channel_of: Any, *messages: Message) -> list[Answer]:
    http = AiohttpClient()
    channel: Channel = channel_of(Tools(channel="sms", http=http, callback_url="https://segue.test"))
    try:
        return list(await channel.send(messages))
    finally:
        await channel.close()
        await http.close()


async def test_what_is_sent_is_taken_as_twilio_describes_it(twilio_s_prism: Prism) -> None:
    service = config(twilio_s_prism.url, sender="", messaging_service="MG" + "b" * 32)
    agent = RcsConfig(account_sid=ACCOUNT, auth_token=TOKEN, sender="rcs:shop_agent", url=twilio_s_prism.url)
    template = {"template": "HX" + "d" * 32, "variables": '{"1": "Ann"}'}
    answers = [
        *await send(lambda tools: open_sms(config(twilio_s_prism.url), tools), message(), message("+12125550123")),
        *await send(lambda tools: open_sms(service, tools), message()),
        *await send(lambda tools: open_rcs(agent, tools), message(), message(**template)),
    ]  # without MediaUrl: prism takes a list of one, which a form cannot tell from a text, for no list
    assert [type(answer) for answer in answers] == [Sent] * 5, answers


async def test_twilio_s_description_refuses_what_does_not_fit_it(twilio_s_prism: Prism) -> None:
    http = AiohttpClient()
    url = twilio_s_prism.url + MESSAGES.replace("{AccountSid}", ACCOUNT)
    form = {"content-type": "application/x-www-form-urlencoded"}
    signed = form | {"authorization": "Basic eDp5"}
    without_to, wrong_service = (
        urlencode(fields).encode()
        for fields in ({"From": "Shop", "Body": "x"}, {"To": "+1", "Body": "x", "MessagingServiceSid": "MG1"})
    )
    try:
        assert (await http.request("POST", url, headers=signed, body=without_to)).status == 422
        assert (await http.request("POST", url, headers=signed, body=wrong_service)).status == 422
        assert (await http.request("POST", url, headers=form, body=without_to)).status == 401
    finally:
        await http.close()


async def test_every_field_is_one_that_twilio_knows() -> None:
    """Prism lets a misspelt field pass, as Twilio does."""
    document = msgspec.json.decode(description("twilio_api_v2010.json").read_bytes())
    create = document["paths"][MESSAGES]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    async with twilio() as running:
        agent = RcsConfig(account_sid=ACCOUNT, auth_token=TOKEN, sender="shop", url=running.url)
        service = config(running.url, sender="", messaging_service="MG" + "b" * 32)
        template = {"template": "HX" + "d" * 32, "variables": '{"1": "Ann"}'}
        await send(lambda tools: open_sms(config(running.url), tools), message())
        await send(lambda tools: open_sms(service, tools), message())
        await send(lambda tools: open_rcs(agent, tools), message(**template), message(media="https://s.test/i"))
    fields = {name for form in running.got for name in form}
    assert len(running.got) == 4
    assert fields <= set(create["schema"]["properties"])


class Twilio:
    """Twilio's interface on loopback, for what a description cannot do: refuse as asked, or misbehave."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[dict[str, str]] = []
        self.answer: Any = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.got.append(form)
        if form["To"].startswith("rcs:"):
            return web.json_response({"code": 63106, "message": "not a RCS capable number", "status": 400}, status=400)
        if self.answer is not None:
            answered: web.StreamResponse = await self.answer(request)
            return answered
        sid = f"SM{len(self.got):032x}"
        body = {"sid": sid, "status": "queued", "num_segments": "1", "error_code": None, "error_message": None}
        return web.json_response(body, status=201)


@asynccontextmanager
async def twilio() -> AsyncIterator[Twilio]:
    running = Twilio()
    application = web.Application()
    application.router.add_post(MESSAGES.replace("{AccountSid}", ACCOUNT), running.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()


async def ten_megabytes(request: web.Request) -> web.StreamResponse:
    return web.Response(status=201, body=b'{"sid": "' + b"x" * 10_000_000)


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
    body = {"sid": "SM" + "0" * 32, "status": "failed", "error_code": 30005, "error_message": "Unknown handset"}
    return web.json_response(body)


@pytest.mark.parametrize(
    ("answer", "kind"), [(ten_megabytes, Unknown), (reset, Unknown), (trickle, Unknown), (an_error_inside, Rejected)]
)
async def test_an_answer_that_misbehaves_is_taken_for_what_it_is(answer: Any, kind: type) -> None:
    async with twilio() as running:
        running.answer = answer
        begun = time.monotonic()
        (found,) = await send(lambda tools: open_sms(config(running.url, timeout=1.0), tools), message())
    assert isinstance(found, kind)
    assert time.monotonic() - begun < 4


async def test_a_provider_that_is_down_means_later() -> None:
    (answer,) = await send(lambda tools: open_sms(config("http://127.0.0.1:9"), tools), message())
    assert isinstance(answer, Retry)


async def test_a_rule_falls_back_from_rcs_to_sms_and_hears_what_became_of_it(tmp_path: Path) -> None:
    async with twilio() as running:
        account = f'account_sid = "{ACCOUNT}"\nauth_token = {{ env = "TWILIO" }}\nurl = "{running.url}"\n'
        account += 'consent = "opt-out"\n'
        project = Project(
            tmp_path,
            rules="when signed_up send rcs or sms\n",
            messages={"signed_up": {"rcs.txt": "Welcome, in colour!\n", "sms.txt": "Welcome!\n"}},
            channels=(
                f'[channels.rcs]\nuse = "rcs"\nsender = "shop_agent"\n{account}'
                f'[channels.sms]\nuse = "sms-twilio"\nsender = "Shop"\n{account}'
            ),
        )
        log = await asyncio.to_thread(daemon_s_turn, project, running)
    first, second = running.got
    assert (first["To"], first["Body"]) == ("rcs:+358401234567", "Welcome, in colour!")
    assert (second["To"], second["Body"]) == ("+358401234567", "Welcome!")
    assert project.rows("select reason, channel from suppression") == [("stopped", "sms")]
    assert TOKEN not in log


def daemon_s_turn(project: Project, running: Twilio) -> str:
    """What the daemon logs while a customer signs up, gets the message, and answers STOP."""
    from twilio.request_validator import RequestValidator

    def call(address: str, fields: dict[str, str], token: str) -> int:
        signature = RequestValidator(token).compute_signature(address, fields)
        headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
        path = address.removeprefix(f"http://127.0.0.1:{project.port}")
        return project.request("POST", path, urlencode(fields).encode(), headers).status

    with Daemon(project, environment={"TWILIO": TOKEN}) as daemon:
        project.send(identify("ann", phone="+358401234567"), track("ann", "signed_up"))
        wait_until(lambda: len(running.got) == 2, what="the SMS")
        wait_until(project.is_drained, what="the end of the journey")
        address = running.got[1]["StatusCallback"]
        delivered = {"MessageSid": f"SM{2:032x}", "MessageStatus": "delivered", "To": "+358401234567"}
        assert call(address, delivered, "a guess") == 403
        assert project.rows("select state from message where channel = 'sms' and receipt != ''") == [(2,)]
        assert call(address, delivered, TOKEN) == 200
        wait_until(lambda: project.rows("select 1 from message where channel = 'sms' and state = 3"), what="the report")
        replies = f"http://127.0.0.1:{project.port}/callbacks/sms"
        stop = {"MessageSid": f"SM{9:032x}", "From": "+358401234567", "Body": "Enough", "OptOutType": "STOP"}
        assert call(replies, stop, "a guess") == 403
        assert call(replies, stop, TOKEN) == 200
        wait_until(lambda: project.rows("select 1 from suppression"), what="the STOP")
        return daemon.log
