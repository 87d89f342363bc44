"""The suite for channels."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Final

import msgspec

from segue.api import Answer, Attachment, Channel, ChannelSpec, Rejected, Sent
from segue.host.answers import read_findings, read_polled
from segue.host.declarations import faults_of_channel
from segue.testing.callers import CallerChecks
from segue.testing.declarations import require_config, require_unknown_settings_refused, texts
from segue.testing.providers import ProviderChecks

_LONGEST_BLOCK: Final = 1.0
_INJECTED: Final = "X-Injected"
_PAGE: Final = "<!doctype html><title>Päivä</title>\r\n.\r\n".encode() + bytes(range(256))
_BREAKS: Final = ("\r\n", "\n", "\r")


class ChannelConformance(ProviderChecks, CallerChecks):
    """Subclass it in a test module, with a name that starts with ``Test``, and say how to `make` the channel.

    ``folder`` is an empty folder for each test. Set ``address`` to one that the channel takes. Where a provider is
    needed, start a stand-in in a fixture of your own; without one the channel should answer ``Retry``, and the suite
    accepts that. A channel that calls its provider by ``tools.http`` is also tried with providers that misbehave.
    """

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

    def test_what_fits_is_not_rejected(self) -> None:
        """A text of as many characters as the declaration allows: Segue lets it through, and checks no further."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for part in spec.content:
                if not part.extensions or not part.most:
                    continue
                plain = self.message(1)
                (usual,) = await self._send(channel, spec, [plain])
                text = ("as long as it may be " * part.most)[: part.most - 1] + "x"
                long = msgspec.structs.replace(plain, key=f"{2:032x}", content={**plain.content, part.name: text})
                (answer,) = await self._send(channel, spec, [long])
                assert isinstance(usual, Rejected) or not isinstance(answer, Rejected), (
                    f"{part.name} may have {part.most:,} characters, by the declaration, and a text of so many is "
                    f"answered {answer!r}"
                )

        self._with_channel(exchange)

    def test_any_content_is_answered(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for n, text in enumerate(texts()):
                content = {part.name: text for part in spec.content}
                await self._send(channel, spec, [self.message(n, content=content)])

        self._with_channel(exchange)

    def test_a_message_with_a_file_is_answered_as_one_without(self) -> None:
        """Only where the declaration says that the channel carries files; no other is ever handed one."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            if not spec.attachments:
                return
            plain = self.message(1)
            page = Attachment(name="report-2026-11-23.html", media="text/html; charset=utf-8", data=_PAGE)
            (usual,) = await self._send(channel, spec, [plain])
            filed = msgspec.structs.replace(plain, key=f"{2:032x}", attachments=(page,))
            (answer,) = await self._send(channel, spec, [filed])
            assert type(answer) is type(usual), f"without a file it is answered {usual!r}, with one {answer!r}"

        self._with_channel(exchange)

    def test_any_address_is_answered(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for n, text in enumerate(texts()):
                await self._send(channel, spec, [self.message(n, address=text)])

        self._with_channel(exchange)

    def test_an_empty_address_is_rejected(self) -> None:
        """It is empty today and tomorrow: a Retry would try for a day, and a Sent would be a lie."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            if spec.address is None:
                return
            for address in ("", " ", "\r\n"):
                (answer,) = await self._send(channel, spec, [self.message(1, address=address)])
                assert isinstance(answer, Rejected), f"a message to {address!r} is answered {answer!r}, not Rejected"

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
