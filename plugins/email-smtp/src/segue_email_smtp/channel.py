"""The open channel: a batch of messages over a few connections, an answer for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from segue.api import Answer, BaseChannel, Message, Rejected, Retry, Tools, Unknown
from segue_email_smtp.config import Config
from segue_email_smtp.connection import Connection, Unreachable
from segue_email_smtp.letter import Letter, LetterError, compose
from segue_email_smtp.replies import readable

SEND_TIMEOUT = 240.0
"""Seconds after which Segue counts a batch as cut off. The channel answers before that by itself."""

_BATCH_TIME = 200.0
_GIVE_UP = 2  # broken connections in a row after which the rest of a batch waits for a better moment


class EmailChannel(BaseChannel):
    """Mail through one SMTP server."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._config = config
        self._tls = config.tls_context()
        self._idle: list[Connection] = []

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand the messages over. A connection that breaks costs the mail it carried at most; those before it are sent,
        those after it go over a new one, or come back as Retry when that fails too."""
        answers: dict[int, Answer] = {}
        queue: deque[tuple[int, Letter]] = deque()
        for position, message in enumerate(messages):
            try:
                queue.append((position, compose(message, self._config)))
            except LetterError as error:
                answers[position] = Rejected(str(error), address_gone=error.address)
        batch = _Batch(queue, answers, asyncio.get_running_loop().time() + _BATCH_TIME)
        carriers = min(self._config.connections, len(queue))
        await asyncio.gather(*(self._carry(batch) for _ in range(carriers)))
        for position, _ in queue:
            answers[position] = Retry(f"not tried: {batch.stopped}")
        return [answers[position] for position in range(len(messages))]

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))

    async def _carry(self, batch: _Batch) -> None:
        connection = self._idle.pop() if self._idle else Connection(self._config, self._tls)
        broken = 0
        try:
            while batch.queue and not batch.stopped:
                position, letter = batch.queue.popleft()
                answer, good = await self._deliver(connection, letter, batch)
                batch.answers[position] = answer
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


class _Batch:
    """What the carriers of one batch share; ``stopped`` says why no further mail is begun."""

    def __init__(self, queue: deque[tuple[int, Letter]], answers: dict[int, Answer], deadline: float) -> None:
        self.queue = queue
        self.answers = answers
        self.deadline = deadline
        self.stopped = ""
