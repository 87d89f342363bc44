"""A small HTTP server that hands what a provider calls back with to a channel, as Segue's own does."""

from __future__ import annotations

import asyncio
import time
from typing import Self

from aiohttp import web

from segue.api import Callback, Channel, Inbound, Report, Request


class Callbacks:
    """Listens on 127.0.0.1 and keeps what ``channel.receive`` understood. Assign ``channel`` before the first call."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.port = 0
        self.answers: list[Callback] = []
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def reports(self) -> list[Report]:
        return [report for answer in self.answers for report in answer.reports]

    @property
    def inbound(self) -> list[Inbound]:
        return [message for answer in self.answers for message in answer.inbound]

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def wait_for(self, count: int, within: float = 20.0) -> None:
        """Return once ``count`` calls have come."""
        deadline = time.monotonic() + within
        while len(self.answers) < count:
            assert time.monotonic() < deadline, f"{len(self.answers)} of {count} calls after {within:g} s"
            await asyncio.sleep(0.05)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        assert self.channel is not None
        answer = await self.channel.receive(
            Request(
                request.method,
                request.path,
                {name.lower(): value for name, value in request.headers.items()},
                dict(request.query),
                await request.read(),
            )
        )
        self.answers.append(answer)
        return web.Response(status=answer.response.status, body=answer.response.body)
