"""One connection to a message centre, bound as transceiver."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import deque
from typing import Final

import msgspec

from segue_sms_smpp.config import Config
from segue_sms_smpp.pdu import (
    HEADER,
    Command,
    Pdu,
    PduError,
    ShortMessage,
    decode_header,
    encode,
    read_short_message,
    write_bind,
)
from segue_sms_smpp.statuses import INVALID, QUEUE_FULL, name_of

__all__ = ["ConnectionLost", "Delivered", "NotSent", "Session"]

_MOST_WAITING: Final = 1_000
"""deliver_sm that are kept until they are committed; the message centre is told to offer others again later."""
_LAST_SEQUENCE: Final = 0x7FFFFFFF
_GOODBYE: Final = 1.0
QUEUEING: Final = 25.0
"""Seconds that a request waits for a place in the window."""


class NotSent(Exception):
    """The request certainly did not leave; the text says why."""


class ConnectionLost(Exception):
    """There is no answer, and none will come: the other side may have taken the request."""


class Delivered(msgspec.Struct, frozen=True):
    """A deliver_sm that waits to be acknowledged, by its ``sequence``."""

    sequence: int
    message: ShortMessage


class Session:
    """A bound connection. Nothing here opens it again: whoever finds it `closed` opens another."""

    def __init__(self, config: Config, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened = time.time_ns()
        self.delivered: deque[Delivered] = deque()
        self.came = asyncio.Event()
        """Set whenever something was delivered, or the connection ended."""
        self._config = config
        self._reader = reader
        self._writer = writer
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[Pdu]] = {}
        self._window = asyncio.Semaphore(config.window)
        self._heard = asyncio.get_running_loop().time()
        self._reason = ""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]

    @classmethod
    async def open(cls, config: Config, context: ssl.SSLContext | None) -> Session:
        """Connect, with TLS where there is a ``context``, and bind. Raises NotSent."""
        where = f"{config.host}:{config.port}"
        try:
            async with asyncio.timeout(config.timeout):
                reader, writer = await asyncio.open_connection(config.host, config.port, ssl=context)
        except TimeoutError:
            raise NotSent(f"{where}: no connection within {config.timeout:g} s") from None
        except (OSError, ValueError) as error:
            raise NotSent(f"{where}: {error}"[:200]) from None
        session = cls(config, reader, writer)
        try:
            body = write_bind(config.system_id, config.password, config.system_type)
            answer = await session._ask(Command.BIND_TRANSCEIVER, body)
        except ConnectionLost as error:
            await session.close()
            raise NotSent(f"{where}: not bound: {error}") from None
        except BaseException:
            await session.close()
            raise
        if answer.status != 0 or answer.command != Command.BIND_TRANSCEIVER_RESP:
            await session.close()
            raise NotSent(f"{where}: the message centre does not let us in: {name_of(answer.status)}")
        return session

    @property
    def closed(self) -> bool:
        return bool(self._reason)

    async def submit(self, body: bytes) -> Pdu:
        """Hand over a submit_sm, once fewer than the window's requests are waiting. Raises NotSent, ConnectionLost."""
        try:
            async with asyncio.timeout(QUEUEING):
                await self._window.acquire()
        except TimeoutError:
            raise NotSent(f"{self._config.window} requests still wait for their answer") from None
        try:
            return await self._ask(Command.SUBMIT_SM, body)
        finally:
            self._window.release()

    def acknowledge(self, sequence: int) -> None:
        """A deliver_sm is committed: the message centre may forget it."""
        self._write(Pdu(Command.DELIVER_SM_RESP, sequence, body=b"\0"))

    async def close(self) -> None:
        """Say goodbye, and let go."""
        if not self.closed:
            with contextlib.suppress(ConnectionLost, NotSent, TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self._ask(Command.UNBIND, b"")
        self._end("closed")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, command: Command, body: bytes) -> Pdu:
        """Raises NotSent before anything of it was written, else ConnectionLost where no answer comes in time."""
        if self.closed:
            raise NotSent(f"the connection ended: {self._reason}")
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        sequence = self._sequence
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = answer
        try:
            self._write(Pdu(command, sequence, body=body))
            async with asyncio.timeout(self._config.timeout):
                await self._drain()
                return await answer
        except TimeoutError:
            raise ConnectionLost(f"no answer within {self._config.timeout:g} s") from None
        finally:
            del self._waiting[sequence]

    def _write(self, pdu: Pdu) -> None:
        if not self.closed:
            self._writer.write(encode(pdu))

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except OSError as error:
            self._end(str(error))
            raise ConnectionLost(str(error)) from None

    async def _read(self) -> None:
        try:
            while True:
                length, pdu = decode_header(await self._reader.readexactly(HEADER))
                body = await self._reader.readexactly(length) if length else b""
                self._heard = asyncio.get_running_loop().time()
                self._take(msgspec.structs.replace(pdu, body=body))
        except asyncio.IncompleteReadError:
            self._end("the message centre closed the connection")
        except (PduError, OSError) as error:
            self._end(str(error))

    def _take(self, pdu: Pdu) -> None:
        match pdu.command:
            case Command.DELIVER_SM:
                self._deliver(pdu)
            case Command.ENQUIRE_LINK:
                self._write(Pdu(Command.ENQUIRE_LINK_RESP, pdu.sequence))
            case Command.UNBIND:
                self._write(Pdu(Command.UNBIND_RESP, pdu.sequence))
                self._end("the message centre said goodbye")
            case Command.ALERT_NOTIFICATION:
                pass  # it wants no answer, and we asked for none
            case _ if pdu.is_response:
                answer = self._waiting.get(pdu.sequence)
                if answer is not None and not answer.done():
                    answer.set_result(pdu)
            case _:
                self._write(Pdu(Command.GENERIC_NACK, pdu.sequence, 0x03))

    def _deliver(self, pdu: Pdu) -> None:
        if len(self.delivered) >= _MOST_WAITING:
            self._write(Pdu(Command.DELIVER_SM_RESP, pdu.sequence, QUEUE_FULL, b"\0"))
            return
        try:
            message = read_short_message(pdu.body)
        except PduError:
            self._write(Pdu(Command.DELIVER_SM_RESP, pdu.sequence, INVALID, b"\0"))
            return
        self.delivered.append(Delivered(pdu.sequence, message))
        self.came.set()

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(self._heard + self._config.keepalive - loop.time(), 0.05))
            if loop.time() - self._heard < self._config.keepalive:
                continue
            try:
                await self._ask(Command.ENQUIRE_LINK, b"")
            except (ConnectionLost, NotSent) as error:
                self._end(f"the message centre is silent: {error}")
                return

    def _end(self, reason: str) -> None:
        if self.closed:
            return
        self._reason = reason or "cut off"
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionLost(self._reason))
        self.came.set()
        self._writer.close()
