"""The kit for channels: a good channel passes it, and each way of being broken fails the check that is meant for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import (
    Answer,
    BaseChannel,
    Callback,
    ChannelSpec,
    ContentPart,
    Finding,
    Instant,
    Message,
    Polled,
    Rejected,
    Report,
    Request,
    Response,
    Retry,
    Sent,
    Tools,
)
from segue.testing import ChannelConformance


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str


class Lenient(msgspec.Struct, frozen=True):
    path: str


class Forgetful(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "path", self.path + "!")


class Lines(BaseChannel):
    """A good channel: one line of JSON for each message."""

    def __init__(self, config: Config, tools: Tools) -> None:
        self.path = Path(config.path)

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [self.write(message) for message in messages]

    def write(self, message: Message) -> Answer:
        if not message.address.strip():
            return Rejected("no address")
        with self.path.open("a") as file:
            file.write(json.dumps({"to": message.address, "content": dict(message.content)}) + "\n")
        return Sent(message.key)


SPEC = ChannelSpec(
    name="lines",
    doc="Lines in a file",
    config=Config,
    open=Lines,
    address="email",
    content=(ContentPart("subject"), ContentPart("text", extensions=("txt",))),
    timeout=2.0,
    batch=10,
    in_flight=2,
)


class TestLines(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, Config]:
        return SPEC, Config(str(self.folder / "out"))

    def delivered(self) -> str:
        return (self.folder / "out").read_text()


class Raising(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        raise OSError("disk")


class Short(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [self.write(message) for message in messages][:1]


class Generous(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [Sent() for _ in messages] or [Sent()]


class Junk(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [True for _ in messages]  # type: ignore[misc]


class Shuffled(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return sorted((self.write(message) for message in messages), key=repr)


class Hanging(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        await asyncio.sleep(60)
        return []


class Blocking(Lines):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        time.sleep(1.2)
        return [self.write(message) for message in messages]


class Latin(Lines):
    def write(self, message: Message) -> Answer:
        for part in message.content.values():
            part.encode("latin-1")
        return super().write(message)


class Addressed(Lines):
    def write(self, message: Message) -> Answer:
        message.address.encode("ascii")
        return super().write(message)


class Raw(Lines):
    """As a careless sender of mail would write it."""

    def write(self, message: Message) -> Answer:
        with self.path.open("a", newline="", errors="replace") as file:
            file.write(f"To: {message.address}\nSubject: {message.content.get('subject')}\n\n")
        return Sent()


class Once(Lines):
    def __init__(self, config: Config, tools: Tools) -> None:
        super().__init__(config, tools)
        self.seen: set[str] = set()

    def write(self, message: Message) -> Answer:
        if message.key in self.seen:
            return Rejected("again")
        self.seen.add(message.key)
        return super().write(message)


class Alone(Lines):
    """Does not expect two calls at once."""

    busy = False

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        if self.busy:
            raise RuntimeError("busy")
        self.busy = True
        await asyncio.sleep(0.01)
        self.busy = False
        return await super().send(messages)


class CloseOnce(Lines):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class Gullible(Lines):
    async def receive(self, request: Request) -> Callback:
        if request.query.get("status") == "delivered":
            return Callback(reports=(Report(id="1", what="delivered", at=Instant(1), key=request.query["key"]),))
        return Callback(response=Response(400))


class Fragile(Lines):
    async def receive(self, request: Request) -> Callback:
        json.loads(request.body)
        return Callback(response=Response(403))


class Ashamed(Lines):
    async def receive(self, request: Request) -> Callback:
        return Callback(response=Response(500))


class Boastful(Lines):
    async def retract(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [Sent() for _ in messages]


class Mute(Lines):
    async def retract(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return []


class Unnamed(Lines):
    async def poll(self) -> Polled:
        return Polled(reports=(Report(id="1", what="read", at=Instant(1), key="k"),))


class SettledOnce(Lines):
    settled = False

    async def settle(self, polled: Polled) -> None:
        if self.settled:
            raise RuntimeError("settled already")
        self.settled = True


class Speechless(Lines):
    async def examine(self) -> Sequence[Finding]:
        return [Finding("SPF", False, "no record")]


class Addressless(Lines):
    def write(self, message: Message) -> Answer:
        return Sent(message.key) if message.address else Retry("no address yet")


async def open_later(config: Config, tools: Tools) -> Lines:
    return Lines(config, tools)


def run(check: str, spec: ChannelSpec, folder: Path, config: msgspec.Struct, delivered: str | None = None) -> None:
    class Suite(ChannelConformance):
        def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
            return spec, config

        def delivered(self) -> str | None:
            path = folder / "out"
            return path.read_bytes().decode() if delivered and path.exists() else None

    suite = Suite()
    suite.folder = folder
    getattr(suite, check)()


@pytest.mark.parametrize(
    ("check", "channel", "changes", "said"),
    [
        ("test_the_declaration_is_valid", Lines, {"batch": 0}, "batch is 0"),
        ("test_the_declaration_is_valid", Lines, {"name": "My Channel"}, "lower-case"),
        ("test_unknown_settings_are_refused", Lines, {"config": Lenient}, "forbid_unknown_fields"),
        ("test_the_configuration_survives_a_round_trip", Lines, {"config": Forgetful}, "changes when it is written"),
        ("test_each_message_gets_one_answer_in_order", Raising, {}, "send raised OSError: disk"),
        ("test_each_message_gets_one_answer_in_order", Short, {}, "gave 1 answers to 5 messages"),
        ("test_each_message_gets_one_answer_in_order", Shuffled, {}, "answers must keep the order"),
        ("test_each_message_gets_one_answer_in_order", Junk, {}, "an answer is a bool"),
        ("test_each_message_gets_one_answer_in_order", Hanging, {"timeout": 0.1}, "send took longer than 0.1 s"),
        ("test_no_messages_get_no_answers", Generous, {}, "gave 1 answers to 0 messages"),
        ("test_a_full_batch_is_answered", Short, {}, "gave 1 answers to 10"),
        ("test_as_many_calls_at_once_as_declared_are_answered", Alone, {}, "RuntimeError: busy"),
        ("test_the_same_message_again_is_answered_again", Once, {}, "first Sent"),
        ("test_any_content_is_answered", Latin, {}, "UnicodeEncodeError"),
        ("test_any_address_is_answered", Addressed, {}, "UnicodeEncodeError"),
        ("test_line_breaks_cannot_inject", Raw, {}, "answer Rejected, or show in delivered()"),
        ("test_sending_does_not_block_the_event_loop", Blocking, {}, "blocked the event loop"),
        ("test_taking_back_is_answered", Boastful, {}, "does not retract"),
        ("test_taking_back_is_answered", Mute, {}, "0 answers to 2"),
        ("test_hostile_callbacks_never_raise", Fragile, {}, "receive raised JSONDecodeError"),
        ("test_hostile_callbacks_never_raise", Gullible, {}, "which is nobody's"),
        ("test_hostile_callbacks_never_raise", Ashamed, {}, "answers 500"),
        ("test_polling_brings_reports_that_can_be_read", Unnamed, {"polls": True}, "reports 'read'"),
        ("test_polling_brings_reports_that_can_be_read", SettledOnce, {"polls": True}, "settled already"),
        ("test_examining_gives_findings", Speechless, {"examines": True}, "not what to do"),
        ("test_closing_twice_is_harmless", CloseOnce, {}, "closed already"),
        ("test_it_can_be_closed_unused_and_opened_again", open_later, {}, "coroutine function"),
        ("test_an_empty_address_is_rejected", Addressless, {}, "is answered Retry"),
    ],
)
def test_a_broken_channel_fails(
    check: str, channel: Callable[..., Any], changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    spec = msgspec.structs.replace(SPEC, open=channel, **changes)
    config = spec.config(path=str(tmp_path / "out"))
    with pytest.raises((AssertionError, RuntimeError), match=said.replace("(", r"\(").replace(")", r"\)")):
        run(check, spec, tmp_path, config)


def test_an_injection_that_can_be_seen_fails(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(SPEC, open=Raw)
    with pytest.raises(AssertionError, match="added a line to what went out"):
        run("test_line_breaks_cannot_inject", spec, tmp_path, Config(str(tmp_path / "out")), delivered="yes")


def test_a_suite_without_make_says_what_to_write() -> None:
    with pytest.raises(NotImplementedError, match="def make"):
        ChannelConformance().test_the_declaration_is_valid()
