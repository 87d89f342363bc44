"""The open channel: a batch of messages over a few connections, an answer for each."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from segue.api import Answer, BaseChannel, Finding, Message, Polled, Rejected, Retry, Tools, Unknown, from_datetime
from segue_email_smtp.config import Config
from segue_email_smtp.connection import Connection, Unreachable
from segue_email_smtp.letter import Letter, LetterError, compose
from segue_email_smtp.mailboxes import AT_ONCE, Fate
from segue_email_smtp.replies import readable
from segue_email_smtp.returned import understand

if TYPE_CHECKING:
    from segue_email_smtp.dkim import Signer

SEND_TIMEOUT = 240.0
"""Seconds after which Segue counts a batch as cut off. The channel answers before that by itself."""

_BATCH_TIME = 200.0
_GIVE_UP = 2  # broken connections in a row after which the rest of a batch waits for a better moment


class EmailChannel(BaseChannel):
    """Mail through an SMTP server, or through one for each stream."""

    def __init__(self, config: Config, tools: Tools) -> None:
        """Raises OSError where ``ca_file`` cannot be read, ValueError where a key cannot sign."""
        relays: dict[object, _Relay] = {}
        for one in config.streams:
            if one.relay not in relays:
                relays[one.relay] = _Relay(one)
        self._relays = tuple(relays.values())
        transactional, marketing = (_Stream(one, _signers(one), relays[one.relay]) for one in config.streams)
        self._config = config
        self._bounces = config.bounces
        self._seals = config.seals
        self._streams = {"transactional": transactional, "promotional": marketing, "informational": marketing}

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over. A connection that breaks costs the mail it carried at most; those before it are sent,
        those after it go over a new one, or come back as Retry when that fails too."""
        answers: dict[int, Answer] = {}
        batches = {relay: _Batch(answers) for relay in self._relays}
        for position, message in enumerate(messages):
            stream = self._streams[message.kind]
            batches[stream.relay].queue.append(_Waiting(position, message, stream))
        await asyncio.gather(*(relay.carry(batch) for relay, batch in batches.items() if batch.queue))
        return [answers[position] for position in range(len(messages))]

    async def poll(self) -> Polled:
        """What came back by mail. Raises OSError where the mailbox cannot be read."""
        if self._bounces is None or self._seals is None:
            return Polled(again=None)
        now = from_datetime(datetime.now(UTC))
        mails = await self._bounces.mailbox.read()
        found = [(name, await asyncio.to_thread(understand, raw, self._seals, now)) for name, raw in mails]
        return Polled(
            reports=tuple(report for _, one in found for report in one.reports),
            inbound=tuple(inbound for _, one in found for inbound in one.inbound),
            taken=tuple(f"{'keep' if one.kept else 'delete'} {name}" for name, one in found),
            again=0.0 if len(mails) == AT_ONCE else self._bounces.every,
        )

    async def settle(self, polled: Polled) -> None:
        """Put the mails away that were understood, or could not be."""
        if self._bounces is None or not polled.taken:
            return
        names: list[tuple[str, Fate]] = []
        for one in polled.taken:
            fate, _, name = one.partition(" ")
            names.append((name, "delete" if fate == "delete" else "keep"))
        await self._bounces.mailbox.put_away(names)

    async def examine(self) -> Sequence[Finding]:
        """The records by which receivers know the senders; whether servers let us in, and the mailbox is read."""
        from segue_email_smtp.dns import Dns
        from segue_email_smtp.examining import Examined, look_into

        dns = Dns(self._config.nameserver)
        streams = [self._streams["transactional"], self._streams["promotional"]]
        told = await asyncio.gather(
            *(Examined(one.config, one.signers, dns).findings() for one in streams),
            *(relay.knock() for relay in self._relays),
            look_into(self._config),
        )
        return list(dict.fromkeys(one for findings in told for one in findings))

    async def close(self) -> None:
        await asyncio.gather(*(relay.close() for relay in self._relays))


class _Batch:
    """What the carriers of one batch share; ``stopped`` says why no further mail is begun."""

    def __init__(self, answers: dict[int, Answer]) -> None:
        self.queue: deque[_Waiting] = deque()
        self.answers = answers
        self.deadline = asyncio.get_running_loop().time() + _BATCH_TIME
        self.stopped = ""


class _Relay:
    """A server, and the connections to it that wait to be used again."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._tls = config.tls_context()
        self._idle: list[Connection] = []

    async def carry(self, batch: _Batch) -> None:
        """Hand over the mails of a batch, and note an answer for each."""
        carriers = min(self._config.connections, len(batch.queue))
        await asyncio.gather(*(self._carry(batch) for _ in range(carriers)))
        for waiting in batch.queue:
            batch.answers[waiting.position] = Retry(f"not tried: {batch.stopped}")

    async def knock(self) -> list[Finding]:
        """Whether the server lets us in."""
        config = self._config
        connection = Connection(config, self._tls)
        try:
            await connection.connect()
        except Unreachable as error:
            advice = "mend host, port, tls or the login in segue.toml; until then mail waits"
            return [Finding("server", False, f"no connection to {error}", advice)]
        await connection.quit()
        how = "in plain text" if config.tls == "none" else "over TLS"
        return [Finding("server", True, f"{config.host}:{config.server_port} lets us in, {how}")]

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))

    async def _carry(self, batch: _Batch) -> None:
        connection = self._idle.pop() if self._idle else Connection(self._config, self._tls)
        broken = 0
        try:
            while batch.queue and not batch.stopped:
                waiting = batch.queue.popleft()
                try:
                    letter = waiting.stream.write(waiting.message)
                except LetterError as error:
                    batch.answers[waiting.position] = Rejected(str(error), address_gone=error.address)
                    await asyncio.sleep(0)
                    continue
                answer, good = await self._deliver(connection, letter, batch)
                batch.answers[waiting.position] = answer
                broken = 0 if good else broken + 1
                if broken >= _GIVE_UP and not batch.stopped:
                    assert isinstance(answer, Retry | Rejected | Unknown)
                    batch.stopped = f"the connection broke {broken} times in a row ({answer.reason})"
        except BaseException:
            connection.drop()
            raise
        if connection.open:
            self._idle.append(connection)

    async def _deliver(self, connection: Connection, letter: Letter, batch: _Batch) -> tuple[Answer, bool]:
        try:
            async with asyncio.timeout_at(batch.deadline):
                return await connection.deliver(letter)
        except Unreachable as error:
            batch.stopped = f"no connection to {error}"
            return Retry(f"no connection to {error}"), False
        except TimeoutError:
            connection.drop()
            batch.stopped = f"the batch took more than {_BATCH_TIME:g} s"
            return (Unknown if connection.handing_over else Retry)(batch.stopped), False
        except Exception as error:  # whatever one odd mail sets off must not decide over the others' answers
            connection.drop()
            reason = f"{type(error).__name__}: {readable(str(error))}"
            return (Unknown if connection.handing_over else Retry)(reason), False


class _Stream(msgspec.Struct, frozen=True):
    """What a kind of mail is written with, signed with, and handed over to."""

    config: Config
    signers: tuple[Signer, ...]
    relay: _Relay

    def write(self, message: Message) -> Letter:
        """The mail of a message, signed. Raises LetterError."""
        now = time.time()
        letter = compose(message, self.config, datetime.fromtimestamp(now, UTC))
        if not self.signers:
            return letter
        from segue_email_smtp.dkim import sign

        return msgspec.structs.replace(letter, data=sign(letter.data, self.signers, int(now)))


class _Waiting(msgspec.Struct, frozen=True):
    """A message of a batch; ``position`` is where its answer belongs."""

    position: int
    message: Message
    stream: _Stream


def _signers(config: Config) -> tuple[Signer, ...]:
    if not config.dkim:
        return ()
    from segue_email_smtp.dkim import Signer, UnusableKey  # cryptography takes its time: only where something is signed

    signers = []
    for one in config.dkim:
        try:
            signers.append(Signer(config.domain_of(one), one.selector, one.key))
        except UnusableKey as error:
            raise ValueError(f"the DKIM key {one.selector} cannot be used: {error}") from None
    return tuple(signers)
