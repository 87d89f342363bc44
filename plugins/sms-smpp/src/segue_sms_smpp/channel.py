"""The open channel: a connection that is opened when it is needed, for sending and for what comes back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from segue.api import Answer, BaseChannel, Inbound, Message, Polled, Rejected, Report, Retry, Sent, Tools, Unknown
from segue.api.sms import NumberError, TextError
from segue_sms_smpp.config import Config
from segue_sms_smpp.inbox import Inbox
from segue_sms_smpp.pdu import Command, ShortMessage, read_message_id, write_short_message
from segue_sms_smpp.receipts import normal_id
from segue_sms_smpp.session import ConnectionLost, NotSent, Session
from segue_sms_smpp.statuses import judge
from segue_sms_smpp.texts import packets_of

__all__ = ["SmppChannel"]

LISTENING: Final = 30.0
"""Seconds that one poll waits for something to come."""
_PAUSE: Final = 2.0
"""Seconds after a connection that ended at once."""
_MOST_AT_ONCE: Final = 200
_MOST_BEGUN: Final = 10_000


class SmppChannel(BaseChannel):
    """SMS through one account at a message centre."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._config = config
        try:
            self._context = ssl.create_default_context(cafile=config.trusted) if config.tls else None
        except (OSError, ValueError) as error:
            raise ValueError(f"trusted cannot be read as certificates: {error}") from None
        self._inbox = Inbox(config)
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._begun: OrderedDict[str, dict[int, str]] = OrderedDict()
        """Of messages that went in part: the ids of their parts. Tried again, only the others go."""
        self._failed: tuple[float, str] | None = None
        self._closing = False

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over at the same time, as many as the window allows."""
        if not messages:
            return []
        session: Session | NotSent
        try:
            session = await self._bound()
        except NotSent as error:
            session = error
        return await asyncio.gather(*(self._send(session, message) for message in messages))

    async def poll(self) -> Polled:
        """What the message centre delivered. Raises NotSent where it cannot be reached."""
        session = await self._bound()
        if not session.delivered:
            session.came.clear()
            try:
                async with asyncio.timeout(LISTENING):
                    await session.came.wait()
            except TimeoutError:
                pass
        now = time.time()
        reports: list[Report] = []
        inbound: list[Inbound] = self._inbox.late(now)
        taken: list[str] = []
        while session.delivered and len(taken) < _MOST_AT_ONCE:
            one = session.delivered.popleft()
            name = f"{session.opened}:{one.sequence}"
            taken.append(name)
            found = self._inbox.take(one.message, name, now)
            if isinstance(found, Report):
                reports.append(found)
            elif found is not None:
                inbound.append(found)
        again = _PAUSE if session.closed and not taken else 0.0
        return Polled(reports=tuple(reports), inbound=tuple(inbound), taken=tuple(taken), again=again)

    async def settle(self, polled: Polled) -> None:
        """Acknowledge. What came by a connection that has ended is delivered again, by the next."""
        session = self._session
        for name in polled.taken:
            opened, _, sequence = name.partition(":")
            if session is not None and opened == str(session.opened):
                session.acknowledge(int(sequence))

    async def close(self) -> None:
        self._closing = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _bound(self) -> Session:
        """The connection, opened where there is none. Raises NotSent; whoever waited for another's attempt is told what
        became of that one."""
        asked = asyncio.get_running_loop().time()
        async with self._opening:
            if self._failed is not None and self._failed[0] >= asked:
                raise NotSent(self._failed[1])
            if self._session is not None and self._session.closed:
                await self._session.close()
                self._session = None
            if self._session is None:
                try:
                    opened = await Session.open(self._config, self._context)
                except NotSent as error:
                    self._failed = (asyncio.get_running_loop().time(), str(error))
                    raise
                if self._closing:
                    await opened.close()
                    raise NotSent("the channel is closed")
                self._session = opened
            return self._session

    async def _send(self, session: Session | NotSent, message: Message) -> Answer:
        try:
            packets, parts = packets_of(message, time.time(), self._config)
        except NumberError as error:
            return Rejected(str(error), address_gone=True)
        except TextError as error:
            return Rejected(str(error))
        if isinstance(session, NotSent):
            return Retry(str(session))
        begun = self._begun.pop(message.key, {})
        left = [place for place in range(len(packets)) if place not in begun]
        answers = await asyncio.gather(*(self._submit(session, packets[place]) for place in left))
        begun |= {
            place: answer.receipt for place, answer in zip(left, answers, strict=True) if isinstance(answer, Sent)
        }
        if len(begun) == len(packets):
            return Sent(begun[len(packets) - 1], parts)
        worst = min((one for one in answers if not isinstance(one, Sent)), key=_weight)
        if begun and not isinstance(worst, Rejected):
            self._begun[message.key] = begun
            while len(self._begun) > _MOST_BEGUN:
                self._begun.popitem(last=False)
        return worst

    async def _submit(self, session: Session, packet: ShortMessage) -> Answer:
        try:
            answer = await session.submit(write_short_message(packet))
            if answer.status != 0:
                return judge(answer.status)
            if answer.command != Command.SUBMIT_SM_RESP:
                return Unknown("the message centre answered with another packet than submit_sm_resp")
            return Sent(normal_id(read_message_id(answer.body)))
        except NotSent as error:
            return Retry(str(error))
        except ConnectionLost as error:
            return Unknown(str(error))


def _weight(answer: Answer) -> int:
    """Which answer of several parts is the message's: one refused for good, else one in doubt."""
    return 0 if isinstance(answer, Rejected) else 1 if isinstance(answer, Unknown) else 2
