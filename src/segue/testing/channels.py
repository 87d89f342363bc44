"""The suite for channels."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import pytest

from segue.api import (
    Answer,
    Channel,
    ChannelSpec,
    Instant,
    Message,
    Request,
    Sent,
    Tools,
)
from segue.host.answers import read_answers, read_callback, read_findings, read_polled
from segue.host.declarations import faults_of_channel
from segue.host.http import AiohttpClient
from segue.testing.declarations import require_config, require_unknown_settings_refused, texts

T = TypeVar("T")

_FAR: Final = Instant(4_102_444_800_000_000)  # 2100-01-01
_LONGEST_BLOCK: Final = 1.0
_INJECTED: Final = "X-Injected"
_BREAKS: Final = ("\r\n", "\n", "\r")


class ChannelConformance:
    """Subclass it in a test module, with a name that starts with ``Test``, and say how to `make` the channel.

    ``folder`` is an empty folder for each test. Set ``address`` to one that the channel takes. Where a provider is
    needed, start a stand-in in a fixture of your own; without one the channel should answer ``Retry``, and the suite
    accepts that.
    """

    address: str = "ann@example.com"
    """An address that the channel takes."""

    folder: Path

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        """The declaration, and a configuration with which the channel opens."""
        raise NotImplementedError("say how to make the channel: def make(self): return SPEC, Config(…)")

    def delivered(self) -> str | None:
        """Everything that went out so far, as it was on the wire; None when that can't be seen.

        A channel that answers ``Sent`` to a message with line breaks in its address or subject must show here that they
        did no harm. One that answers ``Rejected`` need not.
        """
        return None

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    # The declaration

    def test_the_declaration_is_valid(self) -> None:
        spec, _ = self.make()
        faults = faults_of_channel(spec)
        assert not faults, f"segue would set this plugin aside: {'; '.join(faults)}"

    def test_the_configuration_survives_a_round_trip(self) -> None:
        spec, config = self.make()
        require_config(spec.config, config)

    def test_unknown_settings_are_refused(self) -> None:
        spec, config = self.make()
        require_unknown_settings_refused(spec.config, config)

    # Sending

    def test_each_message_gets_one_answer_in_order(self) -> None:
        """Some that can go and some that hardly can: in a batch each must get the kind of answer it gets alone."""
        messages = [self.message(n) for n in range(5)]
        messages[1] = self.message(1, address="\r\n")
        messages[3] = self.message(3, address="\r\n")

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            alone = [(await self._send(channel, spec, [one]))[0] for one in messages]
            together: list[Answer] = []
            for start in range(0, len(messages), spec.batch):
                together += await self._send(channel, spec, messages[start : start + spec.batch])
            kinds = [type(one).__name__ for one in together]
            expected = [type(one).__name__ for one in alone]
            assert kinds == expected, (
                f"alone the messages get {expected}, together {kinds}: answers must keep the order"
            )

        self._with_channel(exchange)

    def test_no_messages_get_no_answers(self) -> None:
        self._with_channel(lambda channel, spec: self._send(channel, spec, []))

    def test_a_full_batch_is_answered(self) -> None:
        self._with_channel(
            lambda channel, spec: self._send(channel, spec, [self.message(n) for n in range(min(spec.batch, 1_000))])
        )

    def test_as_many_calls_at_once_as_declared_are_answered(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            calls = range(min(spec.in_flight, 20))
            await asyncio.gather(*(self._send(channel, spec, [self.message(n)]) for n in calls))

        self._with_channel(exchange)

    def test_the_same_message_again_is_answered_again(self) -> None:
        """After a crash the same message comes once more, with the same key."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            first = await self._send(channel, spec, [self.message(1)])
            again = await self._send(channel, spec, [self.message(1, attempt=2)])
            assert type(first[0]) is type(again[0]), f"first {first[0]!r}, then {again[0]!r}"

        self._with_channel(exchange)

    def test_any_content_is_answered(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for n, text in enumerate(texts()):
                content = {part.name: text for part in spec.content}
                await self._send(channel, spec, [self.message(n, content=content)])

        self._with_channel(exchange)

    def test_any_address_is_answered(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for n, text in enumerate(texts()):
                await self._send(channel, spec, [self.message(n, address=text)])

        self._with_channel(exchange)

    def test_line_breaks_cannot_inject(self) -> None:
        """A customer chooses their own name and address: neither may add a header, a recipient or a second message."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            lines = [part.name for part in spec.content if not part.extensions]
            for n, line_break in enumerate(_BREAKS):
                evil = f"hello{line_break}{_INJECTED}: yes{line_break}{line_break}{_INJECTED}"
                tried = [("address", self.message(n, address=self.address + line_break + f"{_INJECTED}: yes"))]
                for place, part in enumerate(lines):
                    plain = self.message(100 * (place + 1) + n)
                    tried.append((part, msgspec.structs.replace(plain, content={**plain.content, part: evil})))
                for where, message in tried:
                    (answer,) = await self._send(channel, spec, [message])
                    self._require_harmless(where, line_break, answer)

        self._with_channel(exchange)

    def test_sending_does_not_block_the_event_loop(self) -> None:
        """A channel that blocks is abandoned with its thread, so use an asynchronous client, or asyncio.to_thread."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            longest = 0.0

            async def watch() -> None:
                nonlocal longest
                while True:
                    began = time.monotonic()
                    await asyncio.sleep(0.01)
                    longest = max(longest, time.monotonic() - began - 0.01)

            watching = asyncio.create_task(watch())
            await asyncio.sleep(0)
            try:
                await self._send(channel, spec, [self.message(1)])
                await asyncio.sleep(0.02)
            finally:
                watching.cancel()
            assert longest < _LONGEST_BLOCK, f"send blocked the event loop for {longest:.1f} s"

        self._with_channel(exchange)

    # Everything else

    def test_taking_back_is_answered(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            messages = [self.message(1), self.message(2)][: spec.batch]
            answers = await self._within(spec.timeout, channel.retract(messages), "retract")
            self._require_answers(answers, len(messages), "retract")
            if not spec.retracts:
                wrong = [answer for answer in answers if isinstance(answer, Sent)]
                assert not wrong, "retract answers Sent, and the declaration says that the channel does not retract"

        self._with_channel(exchange)

    def test_hostile_callbacks_never_raise(self) -> None:
        """Anyone can call /callbacks/NAME."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for request in hostile_requests(f"/callbacks/{self._channel()}"):
                shown = f"{request.method} {request.path} with {len(request.body)} bytes: {request.body[:40]!r}"
                try:
                    returned = await self._within(10.0, channel.receive(request), "receive")
                except Exception as error:
                    raise AssertionError(f"receive raised {type(error).__name__}: {error}, for {shown}") from error
                try:
                    callback = read_callback(returned, spec.reactions)
                except ValueError as error:
                    raise AssertionError(f"receive, for {shown}: {error}") from error
                status = callback.response.status
                assert status < 500, f"receive answers {status} to {shown}; it is the caller's fault, so a 4xx"
                assert not callback.reports, f"receive believes {shown}, which is nobody's: {callback.reports}"

        self._with_channel(exchange)

    def test_polling_brings_reports_that_can_be_read(self) -> None:
        """Also where the other side is out of reach, it may only raise: sending goes on."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            if not spec.polls:
                return
            for _ in range(2):
                try:
                    returned = await self._within(60.0, channel.poll(), "poll")
                except AssertionError:
                    raise
                except Exception:
                    break
                try:
                    polled = read_polled(returned, spec.reactions)
                except ValueError as error:
                    raise AssertionError(f"poll: {error}") from error
                for _ in range(2):  # a crash may come between what it did and our hearing of it
                    await self._within(30.0, channel.settle(polled), "settle")
            await self._send(channel, spec, [self.message(1)])

        self._with_channel(exchange)

    def test_examining_gives_findings(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            if not spec.examines:
                return
            try:
                findings = read_findings(await self._within(60.0, channel.examine(), "examine"))
            except ValueError as error:
                raise AssertionError(f"examine: {error}") from error
            for one in findings:
                assert one.found, f"examine found nothing about {one.what!r}, and says so all the same"
                assert one.well or one.advice, (
                    f"examine says that {one.what} is not well, and not what to do: {one.found}"
                )

        self._with_channel(exchange)

    def test_closing_twice_is_harmless(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            await self._send(channel, spec, [self.message(1)])
            await self._within(10.0, channel.close(), "close")
            await self._within(10.0, channel.close(), "the second close")

        self._with_channel(exchange)

    def test_it_can_be_closed_unused_and_opened_again(self) -> None:
        async def nothing(channel: Channel, spec: ChannelSpec) -> None:
            return None

        self._with_channel(nothing)
        self._with_channel(lambda channel, spec: self._send(channel, spec, [self.message(1)]))

    # The stage

    def message(self, n: int, **changes: Any) -> Message:
        """A message that the channel should be able to carry; each ``n`` has a key of its own."""
        spec, _ = self.make()
        message = Message(
            key=f"{n:032x}",
            channel=self._channel(),
            name="welcome",
            kind="promotional",
            customer="ann",
            address=self.address,
            content={part.name: f"{part.name} number {n}"[: part.most] for part in spec.content},
            rule="welcome",
            expires=_FAR,
        )
        return msgspec.structs.replace(message, **changes)

    def _channel(self) -> str:
        spec, _ = self.make()
        return spec.serves[0] if spec.serves else spec.name.replace("-", "_")

    def _with_channel(self, exchange: Callable[[Channel, ChannelSpec], Awaitable[object]]) -> None:
        async def run() -> None:
            spec, config = self.make()
            http = AiohttpClient()
            tools = Tools(channel=self._channel(), http=http, callback_url="http://127.0.0.1:8080")
            channel = spec.open(config, tools)
            if asyncio.iscoroutine(channel):
                channel.close()
                raise AssertionError("open is a coroutine function; it must return the channel itself")
            try:
                await exchange(channel, spec)
            finally:
                await self._within(10.0, channel.close(), "close")
                await http.close()

        asyncio.run(run())

    async def _send(self, channel: Channel, spec: ChannelSpec, messages: Sequence[Message]) -> Sequence[Answer]:
        try:
            answers = await self._within(spec.timeout, channel.send(messages), "send")
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(
                f"send raised {type(error).__name__}: {error}; answer Retry, Rejected or Unknown instead"
            ) from error
        self._require_answers(answers, len(messages), "send")
        return answers

    @staticmethod
    def _require_answers(answers: object, count: int, call: str) -> None:
        _, fault = read_answers(answers, count)
        assert fault is None, f"{call}: {fault}"

    def _require_harmless(self, where: str, line_break: str, answer: Answer) -> None:
        if not isinstance(answer, Sent):
            return
        wire = self.delivered()
        assert wire is not None, (
            f"a message with {line_break!r} in its {where} was Sent; answer Rejected, "
            "or show in delivered() what went out, so that the suite can see that nothing was injected"
        )
        assert not re.search(rf"(^|[\r\n]){_INJECTED}", wire), (
            f"{line_break!r} in the {where} added a line to what went out"
        )

    @staticmethod
    async def _within(seconds: float, call: Awaitable[T], what: str) -> T:
        try:
            return await asyncio.wait_for(call, seconds)
        except TimeoutError:
            raise AssertionError(f"{what} took longer than {seconds:g} s") from None


def hostile_requests(path: str) -> list[Request]:
    """Calls that no provider makes."""
    bodies: tuple[bytes, ...] = (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"0",
        b'"text"',
        b"{",
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b'{"id": 7, "status": ["delivered"], "to": {}, "text": null, "key": NaN}',
        b'{"status":"delivered","id":"1","MessageSid":"x","MessageStatus":"delivered"}',
        b"status=delivered&id=1&status=%00&=&&%ZZ&a[]=1",
        b"\xff\xfe\x00\x00",
        b"\x1f\x8b\x08\x00broken",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"x" * 200_000,
    )
    types = ("", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=", "text/xml")
    requests = [
        Request("POST", path, {"content-type": kind} if kind else {}, {}, body) for body in bodies for kind in types
    ]
    queries: tuple[dict[str, str], ...] = (
        {},
        {"": ""},
        {"key": "", "status": ""},
        {"key": "0" * 32, "status": "delivered", "id": "1", "type": "1", "token": "guess", "secret": "guess"},
        {"key": "\0\ud800", "type": "-1", "status": "9" * 400, "to": "\r\nX: y"},
        {"from": "a" * 10_000, "text": "STOP\0", "id": "../../etc/passwd"},
    )
    requests += [Request(method, path, {}, query, b"") for method in ("GET", "POST", "PUT", "") for query in queries]
    requests.append(
        Request("POST", path + "/../../x", {"authorization": "Basic !!!", "x-signature": "\xff"}, {}, b"{}")
    )
    return requests
