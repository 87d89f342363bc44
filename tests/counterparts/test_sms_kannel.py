"""The SMS channel against Kannel and its fake operator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from segue.api import Message, Rejected, Retry, Sent, Tools
from segue.host.http import AiohttpClient
from segue_sms_gateway import Config, SmsChannel
from tests.acceptance.harness import SECRET as DAEMON_SECRET
from tests.acceptance.harness import Daemon, Project, identify, sms_table, track, wait_until
from tests.counterparts.callbacks import Callbacks
from tests.counterparts.kannel import Kannel
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import free_port

pytestmark = pytest.mark.asyncio
SECRET = "a-secret-of-this-test"


@asynccontextmanager
async def channel(gateway: Kannel, callbacks: Callbacks | None = None, **settings: Any) -> AsyncIterator[SmsChannel]:
    http = AiohttpClient()
    plain = {"url": gateway.sendsms_url, "username": gateway.user, "password": gateway.password, "sender": "Segue"}
    plain |= {"callback_secret": SECRET}
    tools = Tools(channel="sms", http=http, callback_url=callbacks.url if callbacks else None)
    opened = SmsChannel(Config(**(plain | settings)), tools)
    if callbacks is not None:
        callbacks.channel = opened
    try:
        yield opened
    finally:
        await opened.close()
        await http.close()


def message(number: str, text: str) -> Message:
    return Message(
        key=f"{abs(hash((number, text))):032x}",
        channel="sms",
        name="cart_reminder",
        kind="promotional",
        customer="c1",
        address=number,
        content={"text": text},
        rule="cart_abandoned",
        expires=0,  # type: ignore[arg-type]
    )


async def test_short_long_and_foreign_texts_are_delivered_as_written(kannel: Kannel) -> None:
    texts = {
        "+358400000001": "Hyvä Ann, 20 % off [today] < 5 € & more + {code}?",
        "+358400000002": "Ostoskorisi odottaa. " * 15,
        "+358400000003": "Ваша корзина ждёт 🛒",
        "+358400000004": "Ваша корзина ждёт 🛒 " * 8,
        "+358400000005": "two\nlines",
        "+358400000006": "x" * 160,
        "+358400000007": "x" * 159 + "€",
    }
    async with channel(kannel) as sms:
        answers = await sms.send([message(number, text + "\n") for number, text in texts.items()])
    assert {type(answer) for answer in answers} == {Sent}
    delivered = await asyncio.to_thread(kannel.wait_for, len(texts))
    assert {d.recipient: d.text for d in delivered} == {number: text.strip() for number, text in texts.items()}
    assert {d.sender for d in delivered} == {"Segue"}
    parts = {d.recipient[-1]: d.parts for d in delivered}
    assert parts == {"1": 1, "2": 3, "3": 1, "4": 3, "5": 1, "6": 1, "7": 2}


async def test_a_delivery_report_comes_back_for_its_message(kannel: Kannel) -> None:
    messages = [message("+358400000001", "short"), message("+358400000002", "long " * 60)]
    begun = time.time()
    async with Callbacks() as callbacks, channel(kannel, callbacks) as sms:
        assert {type(answer) for answer in await sms.send(messages)} == {Sent}
        await callbacks.wait_for(2)
        await asyncio.sleep(0.3)
    assert {answer.response.status for answer in callbacks.answers} == {200}
    assert {(r.key, r.what, r.id) for r in callbacks.reports} == {
        (m.key, "delivered", f"{m.key}:delivered") for m in messages
    }
    assert all(begun - 2 <= report.at / 1e6 <= time.time() for report in callbacks.reports)


@pytest.mark.parametrize("text", ["STOP", "stop it & +1 100%", "Стоп 🛑"])
async def test_a_customers_reply_comes_in(text: str) -> None:
    async with Callbacks() as callbacks:
        gateway = Kannel(callback_url=f"{callbacks.url}/callbacks/sms?token={SECRET}&from=%p&id=%I&at=%T")
        try:
            with reported_when_missing():
                await asyncio.to_thread(gateway.start)
            async with channel(gateway, callbacks):
                await asyncio.to_thread(gateway.reply, "+358400000001", text)
                await callbacks.wait_for(1)
        finally:
            await asyncio.to_thread(gateway.stop)
    (got,) = callbacks.inbound
    assert got.address == "+358400000001"
    assert got.text == text
    assert got.id
    assert gateway.delivered() == []


async def test_a_call_with_the_wrong_token_is_refused_and_kannel_survives_it() -> None:
    async with Callbacks() as callbacks:
        gateway = Kannel(callback_url=f"{callbacks.url}/callbacks/sms?token=wrong&from=%p&id=%I&at=%T")
        try:
            with reported_when_missing():
                await asyncio.to_thread(gateway.start)
            async with channel(gateway, callbacks):
                await asyncio.to_thread(gateway.reply, "+358400000001", "STOP")
                await callbacks.wait_for(1)
        finally:
            await asyncio.to_thread(gateway.stop)
    assert callbacks.answers[0].response.status == 403
    assert callbacks.inbound == []


async def test_a_wrong_password_means_later_and_names_the_gateways_words(kannel: Kannel) -> None:
    async with channel(kannel, password="not this one") as sms:
        (answer,) = await sms.send([message("+358400000001", "x")])
    assert isinstance(answer, Retry)
    assert "403" in answer.reason
    assert "Authorization failed" in answer.reason
    assert kannel.delivered() == []


async def test_a_wrong_path_means_later(kannel: Kannel) -> None:
    async with channel(kannel, url=kannel.sendsms_url + "x") as sms:
        (answer,) = await sms.send([message("+358400000001", "x")])
    assert isinstance(answer, Retry)


async def test_what_is_no_number_is_rejected_and_the_others_go(kannel: Kannel) -> None:
    async with channel(kannel) as sms:
        answers = await sms.send([message(n, "x") for n in ("0401234567", "Ann", "+358 40 000 0001", "1 2")])
    assert [type(answer) for answer in answers] == [Rejected, Rejected, Sent, Rejected]
    (got,) = await asyncio.to_thread(kannel.wait_for, 1)
    assert got.recipient == "+358400000001"


async def test_a_gateway_that_is_down_means_later(kannel: Kannel) -> None:
    async with channel(kannel, url=f"http://127.0.0.1:{free_port()}/cgi-bin/sendsms") as sms:
        answers = await sms.send([message("+358400000001", "x"), message("+358400000002", "x")])
    assert [type(answer) for answer in answers] == [Retry, Retry]


async def test_a_rule_sends_and_hears_of_delivery_help_and_stop(tmp_path: Path) -> None:
    port = free_port()
    gateway = Kannel(callback_url=f"http://127.0.0.1:{port}/callbacks/sms?token={DAEMON_SECRET}&from=%p&id=%I&at=%T")

    def turn() -> tuple[Project, list[str]]:
        with reported_when_missing():
            gateway.start()
        project = Project(
            tmp_path,
            port=port,
            rules={
                "welcome": "when signed_up send sms\n",
                "help": 'event message_received keyword text\nwhen message_received where keyword = "help" send sms\n',
            },
            messages={
                "signed_up": {"sms.txt": "Welcome! " * 20},
                "message_received": {"sms.txt": "Reply STOP to opt out."},
            },
            channels=sms_table(gateway, cost='"0.05 EUR"', callback_secret='{ env = "SMS_CALLBACK_SECRET" }'),
        )
        with Daemon(project):
            project.send(identify("ann", phone="+358400000001"), track("ann", "signed_up"))
            wait_until(lambda: project.rows("select 1 from message where state = 3"), what="the report")
            gateway.reply("+358400000001", "HELP")
            wait_until(lambda: len(gateway.delivered()) == 2, what="the answer to HELP")
            gateway.reply("+358400000001", "Stop it, please")
            wait_until(lambda: project.rows("select 1 from suppression"), what="the STOP")
        return project, [one.text for one in gateway.delivered()]

    try:
        project, texts = await asyncio.to_thread(turn)
    finally:
        await asyncio.to_thread(gateway.stop)
    assert texts[1:] == ["Reply STOP to opt out."]
    assert project.rows("select address, reason, channel from suppression") == [("+358400000001", "stopped", "sms")]
    assert project.rows("select cost from message order by id")[0] == (100_000,)
