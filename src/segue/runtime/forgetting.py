"""Erasures while the daemon runs: it begins those that were asked for, deletes what is left in pieces, and asks
channels until each has answered for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from segue.api import Answer, ChannelSpec, Forget, Instant, Message, Rejected, Retry, Sent
from segue.delivery.retries import retry_at
from segue.runtime import erasing
from segue.runtime.running import Running
from segue.runtime.turn import Done
from segue.store import erasures
from segue.store.database import LAST, Store, empty_log
from segue.store.erasures import Call

T = TypeVar("T")

_log = structlog.get_logger("segue")

_FORGET: Final = msgspec.json.Decoder(Forget)
_MESSAGE: Final = msgspec.json.Decoder(Message)


class Forgets(Protocol):
    """What has a provider forget customers: `segue.host.channels.OpenChannel`."""

    @property
    def spec(self) -> ChannelSpec: ...

    async def retract(self, messages: Sequence[Message]) -> list[Answer]: ...

    async def forget(self, customers: Sequence[Forget]) -> list[Answer]: ...


class Forgetter:
    """Sees to erasures. ``held``: nothing goes out of a restored store until it is released."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Forgets],
        running: Callable[[], Running],
        now: Callable[[], Instant],
        listener: Callable[[Done], None],
        held: Callable[[], bool],
    ) -> None:
        self._store = store
        self._channels = channels
        self._running = running
        self._now = now
        self._listener = listener
        self._held = held

    async def look(self) -> None:
        """Do all that is to be done now."""
        for erasure in await self._write(erasures.load_open):
            if erasure.state == erasures.ASKED:
                number, running = erasure.number, self._running()
                self._listener(await self._write(lambda tx: erasing.begin(tx, running, number, self._now())))  # noqa: B023
                _log.info("erasing", erasure=number)
            while await self._write(partial(erasing.go_on, number=erasure.number, now=self._now())):
                pass
        if not self._held():
            await asyncio.gather(*(self._ask(name, channel) for name, channel in self._channels.items()))
        await self._purge()

    async def _ask(self, name: str, channel: Forgets) -> None:
        """Ask one channel for all that is due."""
        now = self._now()
        due = await self._write(lambda tx: erasures.load_due_calls(tx, name, now, channel.spec.batch))
        for what in ("retract", "forget"):
            calls = [call for call in due if call.what == what and call.body is not None]
            if not calls:
                continue
            bodies = [call.body or b"" for call in calls]
            answers = (
                await channel.forget([_FORGET.decode(body) for body in bodies])
                if what == "forget"
                else await channel.retract([_MESSAGE.decode(body) for body in bodies])
            )
            settled = [settle(call, answer, self._now()) for call, answer in zip(calls, answers, strict=True)]
            await self._write(partial(erasures.settle_calls, calls=settled))
            for one in settled:
                if one.answer:
                    say = _log.warning if one.due is not None else _log.error
                    say("a channel did not erase", channel=name, erasure=one.erasure, reason=one.answer)

    async def _purge(self) -> None:
        """Empty the write-ahead log once everything is deleted: it holds pages as they were."""
        done = [one for one in await self._write(erasures.load_open) if one.state == erasures.DONE]
        if not done or self._store.path is None:
            return
        waiting = await self._write(erasures.waiting_erasures)
        purgeable = [one for one in done if one.number not in waiting]
        if not purgeable or not await asyncio.to_thread(empty_log, self._store.path):
            return
        now = self._now()
        purged = [msgspec.structs.replace(one, purged=now) for one in purgeable]
        await self._write(partial(erasures.put_erasures, found=purged))
        for one in purged:
            _log.info("erased", erasure=one.number, rows=sum(one.deleted.values()))

    async def _write(self, job: Callable[..., T]) -> T:
        return await asyncio.wrap_future(self._store.write(job, LAST))


def settle(call: Call, answer: Answer, now: Instant) -> Call:
    """A call as it is after an answer: what was needed for it goes once that is for good."""
    tries = call.tries + 1
    match answer:
        case Sent():
            return msgspec.structs.replace(call, body=None, due=None, tries=tries, answered=now, answer="")
        case Rejected(reason=reason):
            said = _without_names(call, reason)
            return msgspec.structs.replace(call, body=None, due=None, tries=tries, answered=now, answer=said)
        case _:
            after = answer.after if isinstance(answer, Retry) else None
            due = retry_at(f"erasure {call.number}", tries, now, after)
            said = _without_names(call, answer.reason)
            return msgspec.structs.replace(call, due=due, tries=tries, answer=said)


def _without_names(call: Call, reason: str) -> str:
    """What a provider said, for a record that names nobody."""
    body = call.body or b"{}"
    if call.what == "forget":
        forget = _FORGET.decode(body)
        names = [forget.customer, *forget.addresses, *forget.receipts]
    else:
        message = _MESSAGE.decode(body)
        names = [message.customer, message.address, *message.content.values()]
    for name in sorted(filter(None, names), key=len, reverse=True):
        reason = reason.replace(name, "…")
    return reason
