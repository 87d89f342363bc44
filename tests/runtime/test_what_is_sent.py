"""What a channel is handed: content in the customer's language, filled in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from segue.api import Answer, ContentPart, Instant, Message, Sent
from segue.clock.clock import Clock
from segue.customers.reach import ChannelReach, Reach
from segue.messages.catalogue import Catalogue
from segue.messages.template import House, template_of
from segue.runtime.daemon import Daemon
from segue.store.database import Store
from tests.engine.stage import setting, spec
from tests.runtime.rulebook import book_of, event


class Wire:
    """A channel that keeps the one message that it is handed."""

    spec = spec("push", content=(ContentPart("text"),))

    def __init__(self) -> None:
        self.sent: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        (message,) = messages
        self.sent.set_result(message)
        return [Sent()]

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        raise AssertionError("nothing is taken back here")


@pytest.mark.asyncio
async def test_a_message_says_the_language_of_its_content_and_its_kind(tmp_path: Path) -> None:
    store = Store(tmp_path / "segue.db", durable=False)
    store.start()
    wire = Wire()
    house = House("en", "Europe/Helsinki", "EUR")
    parts = {"text": "{{ kind }}, {{ event.total | money }}, {{ locale }}"}
    content = Catalogue({("hello", "push", "fi"): template_of("hello", "push", "fi", parts, house=house)})
    how = setting(reach=Reach({"push": ChannelReach(None)}), channels={"push": wire.spec})
    daemon = Daemon(store, Clock(), how, {"push": wire}, content)
    try:
        await daemon.start(book_of('event paid\nwhen paid send push "hello"'))
        now = Instant(time.time_ns() // 1000)
        await daemon.accept([event(None, "ann", at=now, traits={"locale": "fi-FI"})])
        await daemon.accept([event("paid", "ann", at=now, total=60)])
        message = await asyncio.wait_for(wire.sent, 10)
    finally:
        await daemon.stop()
        await asyncio.to_thread(store.close)
    assert message.locale == "fi"
    assert message.content == {"text": "promotional, 60,00 €, fi-FI"}
