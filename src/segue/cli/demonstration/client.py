"""The shop's clients: Segment calls in batches over HTTP, reactions one by one, sent again where Segue is busy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp

from segue.cli.demonstration.diary import Call, Deed, Reaction

MOST = 100
"""Calls in a batch, as the SDKs send them."""
TRIES = 8


class Refused(Exception):
    """Segue did not take a batch; the text holds its answer."""


class Client:
    """Posts to ``url`` with a write key, as an SDK does, and tells of reactions, as a provider does. An async context
    manager."""

    def __init__(self, url: str, write_key: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(auth=aiohttp.BasicAuth(write_key, ""))

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def send(self, deeds: Sequence[Deed]) -> None:
        """Tell Segue of deeds in their order; returns once it has them on disk. Raises Refused."""
        calls: list[Call] = []
        for deed in deeds:
            if not isinstance(deed, Reaction):
                calls.append(deed)
            if calls and (isinstance(deed, Reaction) or len(calls) == MOST):
                await self._post("/v1/batch", {"batch": calls})
                calls = []
            if isinstance(deed, Reaction):
                await self._post(f"/callbacks/{deed.channel}", {"key": deed.key, "what": deed.what})
        if calls:
            await self._post("/v1/batch", {"batch": calls})

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        said = ""
        for _ in range(TRIES):
            try:
                async with self._session.post(self._url + path, json=body) as answer:
                    if answer.status in (200, 202):
                        return
                    said = f"{answer.status} {await answer.text()}"
                    if answer.status not in (429, 502, 503):
                        break
                    pause = float(answer.headers.get("Retry-After", "1"))
            except aiohttp.ClientError as error:
                said, pause = f"{type(error).__name__}: {error}", 0.5
            await asyncio.sleep(pause)  # the same ids go again: what had arrived is a duplicate
        raise Refused(f"Segue refused what the shop told it: {said}")
