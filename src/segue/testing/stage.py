"""What every check of a channel stands on: how the channel is made, opened, called and closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec
import pytest

from segue.api import Answer, Channel, ChannelSpec, HttpClient, Instant, Message, Request, Response, Tools
from segue.host.answers import read_answers
from segue.host.http import AiohttpClient

T = TypeVar("T")

FAR: Final = Instant(4_102_444_800_000_000)  # 2100-01-01


class ClosingClient(HttpClient, Protocol):
    """A client that a test lends and lets go again."""

    async def close(self) -> None: ...


class ChannelStage:
    """What an author says of a channel, and what the checks do with it."""

    address: str = "ann@example.com"
    """An address that the channel takes."""

    folder: Path

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        """The declaration, and a configuration with which the channel opens."""
        raise NotImplementedError("say how to make the channel: def make(self): return SPEC, Config(…)")

    def delivered(self) -> str | None:
        """Everything that went out so far, as it was on the wire; None when that can't be seen.

        A channel that answers ``Sent`` to a message with line breaks in its address or subject must show here that they
        did no harm. One that answers ``Rejected`` need not.
        """
        return None

    def genuine(self) -> Request | None:
        """A call as the provider makes it: signed by the secrets that `make` configures, with something to report or a
        customer's message in it. None where the channel takes no calls, and then nothing is asked of them."""
        return None

    def beforehand(self, method: str, url: str) -> Response | None:
        """The good answer to a request that comes before the message's own, such as one for an access token; None for
        the message's own. Only then do the checks of bad providers come as far as the message."""
        return None

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    # The stage

    def message(self, n: int, **changes: Any) -> Message:
        """A message that the channel should be able to carry; each ``n`` has a key of its own."""
        spec, _ = self.make()
        message = Message(
            key=f"{n:032x}",
            channel=self._channel(),
            name="welcome",
            kind="promotional",
            customer="ann",
            address=self.address,
            content={part.name: f"{part.name} number {n}"[: part.most] for part in spec.content},
            rule="welcome",
            expires=FAR,
        )
        return msgspec.structs.replace(message, **changes)

    def _channel(self) -> str:
        spec, _ = self.make()
        return spec.serves[0] if spec.serves else spec.name.replace("-", "_")

    def _with_channel(
        self, exchange: Callable[[Channel, ChannelSpec], Awaitable[object]], lent: ClosingClient | None = None
    ) -> None:
        async def run() -> None:
            spec, config = self.make()
            http = AiohttpClient() if lent is None else lent
            tools = Tools(channel=self._channel(), http=http, callback_url="http://127.0.0.1:8080")
            channel = spec.open(config, tools)
            if asyncio.iscoroutine(channel):
                channel.close()
                raise AssertionError("open is a coroutine function; it must return the channel itself")
            try:
                await exchange(channel, spec)
            finally:
                await self._within(10.0, channel.close(), "close")
                await http.close()

        asyncio.run(run())

    async def _send(self, channel: Channel, spec: ChannelSpec, messages: Sequence[Message]) -> Sequence[Answer]:
        try:
            answers = await self._within(spec.timeout, channel.send(messages), "send")
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(
                f"send raised {type(error).__name__}: {error}; answer Retry, Rejected or Unknown instead"
            ) from error
        self._require_answers(answers, len(messages), "send")
        return answers

    @staticmethod
    def _require_answers(answers: object, count: int, call: str) -> None:
        _, fault = read_answers(answers, count)
        assert fault is None, f"{call}: {fault}"

    @staticmethod
    async def _within(seconds: float, call: Awaitable[T], what: str) -> T:
        try:
            return await asyncio.wait_for(call, seconds)
        except TimeoutError:
            raise AssertionError(f"{what} took longer than {seconds:g} s") from None
