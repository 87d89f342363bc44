"""The open channel: messages to a stream, and as JSON lines to a file."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from segue.api import Answer, BaseChannel, Callback, Instant, Message, Request, Retry, Sent, Tools, to_rfc3339
from segue_console.picture import draw
from segue_console.reactions import read_reaction


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where messages are shown.

    ``stream``  ``stdout``, ``stderr``, or ``none``
    ``path``    a file that each message is appended to as one line of JSON: a mailbox for trials and tests
    """

    stream: Literal["stdout", "stderr", "none"] = "stdout"
    path: str | None = None

    def __post_init__(self) -> None:
        if self.path is not None and (not self.path or "\x00" in self.path):
            raise ValueError("path must name a file")
        if self.stream == "none" and self.path is None:
            raise ValueError('with stream = "none" a path is needed, or messages would vanish')


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the mailbox file. ``at`` is the machine's clock when it was written (RFC 3339, UTC). ``retracted``
    stands only in the line of a message that was taken back, ``attachments`` (the names of files) only where there are
    some."""

    at: str
    key: str
    channel: str
    name: str
    kind: str
    customer: str
    address: str
    rule: str
    attempt: int
    content: dict[str, str]
    retracted: bool = False
    attachments: tuple[str, ...] = ()


class ConsoleChannel(BaseChannel):
    """Shows messages. The file, where there is one, decides: a message counts as sent once it is there."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self._stream = config.stream
        self._path = config.path

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [self._show(message) for message in messages]

    async def receive(self, request: Request) -> Callback:
        return read_reaction(request, Instant(time.time_ns() // 1000))

    async def retract(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [self._show(message, retracted=True) for message in messages]

    def _show(self, message: Message, *, retracted: bool = False) -> Answer:
        if self._path is not None:
            try:
                append(self._path, message, retracted=retracted)
            except OSError as error:
                return Retry(f"{self._path}: {error.strerror or error}")
        if self._stream != "none":
            # Looked up each time: a daemon may have replaced its streams since the channel was opened.
            stream = sys.stdout if self._stream == "stdout" else sys.stderr
            try:
                encoding = getattr(stream, "encoding", None) or "utf-8"
                stream.write(draw(message, retracted=retracted).encode(encoding, "replace").decode(encoding))
                stream.flush()
            except (OSError, ValueError) as error:
                if self._path is None:
                    return Retry(f"{self._stream}: {error}")
        return Sent()


def append(path: str, message: Message, *, retracted: bool = False) -> None:
    """Add the message's line to the file, whole or not at all; ``retracted``: that it was taken back. Raises
    OSError."""
    line = Line(
        at=to_rfc3339(Instant(time.time_ns() // 1000)),
        key=_whole(message.key),
        channel=_whole(message.channel),
        name=_whole(message.name),
        kind=message.kind,
        customer=_whole(message.customer),
        address=_whole(message.address),
        rule=_whole(message.rule),
        attempt=message.attempt,
        content={_whole(name): _whole(text) for name, text in message.content.items()},
        retracted=retracted,
        attachments=tuple(_whole(file.name) for file in message.attachments),
    )
    data = msgspec.json.encode(line) + b"\n"
    target = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        before = os.fstat(target).st_size
        written = os.write(target, data)
        if written < len(data):  # The disk is full: half a line would spoil the next one.
            os.ftruncate(target, before)
            raise OSError(errno.ENOSPC, "no space left for a whole line")
    finally:
        os.close(target)


def _whole(text: str) -> str:
    """The text with lone surrogates, which JSON in UTF-8 cannot hold, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
