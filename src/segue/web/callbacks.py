"""Providers' calls: delivery reports, opens and clicks, customers' replies.

Understood by the channel, committed, and only then answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from segue.api import Callback, Request, Response
from segue.runtime.busy import Busy
from segue.store.errors import StoreUnavailable
from segue.web.answers import problem, unavailable
from segue.web.endpoints import Answering, Endpoint

__all__ = ["ReceiveCallback", "SettleCallback", "callback_endpoint"]

_log = structlog.get_logger(__name__)

ReceiveCallback = Callable[[Request], Awaitable[Callback]]
SettleCallback = Callable[[str, Callback], Awaitable[None]]
"""``settle(channel, callback)`` returns once what the callback says is committed; raises like ``accept``."""

LARGEST_CALLBACK = 1_000_000
"""Bytes of a provider's call. Providers that batch their reports stay far below."""
UNDERSTOOD_WITHIN = 20.0
"""Seconds a channel may take to understand a call. Providers hang up soon after."""

_PREFIX = "/callbacks/"


def callback_endpoint(callbacks: Mapping[str, ReceiveCallback], settle: SettleCallback) -> Endpoint:
    """``/callbacks/CHANNEL`` for every channel in ``callbacks``, which is looked up at each request."""
    return Endpoint(
        ("GET", "POST"), _PREFIX + "{channel}", _answering(callbacks, settle), owner="callbacks", most=LARGEST_CALLBACK
    )


def _answering(callbacks: Mapping[str, ReceiveCallback], settle: SettleCallback) -> Answering:
    async def answer(request: Request) -> Response:
        channel = request.path.removeprefix(_PREFIX)
        receive = callbacks.get(channel)
        if receive is None:
            known = ", ".join(sorted(callbacks)) or "none does"
            return problem(404, "not_found", f"no channel {channel[:40]!r} takes callbacks; these do: {known}")
        try:
            async with asyncio.timeout(UNDERSTOOD_WITHIN):
                callback = await receive(request)
        except TimeoutError:
            _log.error("callback not understood in time", channel=channel)
            return unavailable(f"channel {channel} did not answer in time", 30.0)
        if not isinstance(callback, Callback):
            raise TypeError(f"channel {channel} answered a callback with {type(callback).__name__}, not with Callback")
        if callback.reports or callback.inbound:
            try:
                await settle(channel, callback)
            except Busy as busy:
                return unavailable(f"nothing was taken: {busy.reason}", busy.retry_after)
            except StoreUnavailable as error:
                _log.warning("callback not stored", channel=channel, error=str(error))
                return unavailable("nothing was taken: the store does not answer", 5.0)
        return callback.response

    return answer
