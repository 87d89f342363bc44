"""The shop's Segment client: batches over HTTP, sent again where Segue is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp

from segue.cli.demonstration.shop import Call

MOST = 100
"""Calls in a batch, as the SDKs send them."""
TRIES = 8


class Refused(Exception):
    """Segue did not take a batch; the text holds its answer."""


class Client:
    """Posts to ``url`` with a write key, as an SDK does. An async context manager."""

    def __init__(self, url: str, write_key: str) -> None:
        self._url = f"{url}/v1/batch"
        self._session = aiohttp.ClientSession(auth=aiohttp.BasicAuth(write_key, ""))

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def send(self, calls: Sequence[Call]) -> None:
        """Send calls in their order; returns once Segue has them on disk. Raises Refused."""
        for start in range(0, len(calls), MOST):
            await self._post(calls[start : start + MOST])

    async def _post(self, calls: Sequence[Call]) -> None:
        said = ""
        for _ in range(TRIES):
            try:
                async with self._session.post(self._url, json={"batch": list(calls)}) as answer:
                    if answer.status == 200:
                        return
                    said = f"{answer.status} {await answer.text()}"
                    if answer.status not in (429, 502, 503):
                        break
                    pause = float(answer.headers.get("Retry-After", "1"))
            except aiohttp.ClientError as error:
                said, pause = f"{type(error).__name__}: {error}", 0.5
            await asyncio.sleep(pause)  # the same message ids go again: what had arrived is a duplicate
        raise Refused(f"Segue refused the shop's events: {said}")
