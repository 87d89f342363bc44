"""What a channel makes of a provider on a bad day.

In place of the host's client it is lent one that misbehaves. What goes out by other ways, a socket or a library of its
own, is not seen here: try such a channel against a server that misbehaves.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from email.utils import formatdate
from io import StringIO
from typing import Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from segue.api import (
    Answer,
    Channel,
    ChannelSpec,
    HttpError,
    Message,
    Rejected,
    Response,
    Retry,
    Sent,
    Unknown,
)
from segue.host.secrets import secrets_in
from segue.testing.clients import Asked, StandInClient
from segue.testing.stage import ChannelStage

_AFTER: Final = 17
"""Seconds that a busy provider asks for."""
_LONGEST_REASON: Final = 2_000
"""Characters of a reason. Segue keeps 500; beyond this a whole answer was quoted."""
_SHORTEST_SECRET: Final = 8
"""Characters of a secret that is looked for: shorter ones stand in words."""

_ID: Final = re.compile(r"idempoten|dedup|^(?:x-)?(?:message|request)[-_]?id$", re.IGNORECASE)
"""Names under which providers take what tells one message from another."""

JUNK: Final = (
    b"",
    b"<html><body>Free wifi, please log in</body></html>",
    b"{}",
    b"[]",
    b"null",
    b"0",
    b'"text"',
    b"{",
    b"[" * 100_000,
    b'{"a":' * 10_000,
    b'{"id": [], "messages": 7, "error": "none", "name": null, "sid": {}, "errors": [null]}',
    b'{"error": {"code": "x", "message": [], "details": 7, "status": {}}}',
    b"\xff\xfe\x00\x00",
    b"\x1f\x8b\x08\x00broken",
    b"x" * 1_000_000,
)
"""Bodies that no provider should answer with, and some do."""


class BadProvider(StandInClient):
    """A client whose every request ends as ``act`` says, save those that ``beforehand`` answers. ``asked`` are
    all of them."""

    def __init__(
        self, act: Callable[[Asked], Response | Exception], beforehand: Callable[[str, str], Response | None]
    ) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self._act = act
        self._beforehand = beforehand

    def answer(self, asked: Asked) -> Response | Exception:
        self.asked.append(asked)
        return self._beforehand(asked.method, asked.url) or self._act(asked)


class ProviderChecks(ChannelStage):
    """Asked of channels that call their provider by ``tools.http``; to any other these checks say nothing."""

    def test_a_provider_that_is_out_of_reach_means_later(self) -> None:
        for answer, _ in self._answered(_always(HttpError("no connection", sent=False))):
            assert isinstance(answer, Retry), (
                f"no connection came about, so the message certainly did not go: answer Retry, not {answer!r}"
            )

    def test_a_call_that_was_cut_off_is_unknown(self) -> None:
        """``sent`` is True: the request may have arrived, and only the answer been lost. Retry would send it twice."""
        for answer, carried in self._answered(_always(HttpError("no answer within 1 s", sent=True))):
            if carried:
                assert isinstance(answer, Unknown), f"the message may have gone: answer Unknown, not {answer!r}"
            else:
                assert isinstance(answer, Retry | Unknown), f"it hardly went: answer Retry or Unknown, not {answer!r}"

    def test_a_client_that_raises_costs_no_answer(self) -> None:
        for answer, _ in self._answered(_always(RuntimeError("a client gone wrong"))):
            assert isinstance(answer, Retry | Unknown), f"nobody knows whether it went: {answer!r}"

    def test_a_busy_provider_is_given_the_time_it_asks_for(self) -> None:
        """429 and 503, with Retry-After in both forms (RFC 9110, 10.2.3): `segue.api.replies.retry_after` reads it."""
        for status in (429, 503):
            for form in (str(_AFTER), formatdate(time.time() + _AFTER, usegmt=True)):
                answered = self._answered(_always(Response(status, b"", {"retry-after": form})))
                for answer, carried in answered:
                    assert isinstance(answer, Retry), f"{status} means later: answer Retry, not {answer!r}"
                    if carried:
                        waits = answer.after is not None and _AFTER - 5 <= answer.after <= _AFTER
                        assert waits, f"the provider answered {status} and Retry-After: {form}; {answer!r} says another"

    def test_a_provider_that_fails_never_ends_a_message(self) -> None:
        """A 5xx is the provider's fault, and no 3xx is a yes: redirects are not followed."""
        for status in (301, 307, 500, 502, 503, 504):
            for body in (b"", b"<html>Bad gateway</html>"):
                for answer, _ in self._answered(_always(Response(status, body))):
                    final = isinstance(answer, Sent) or (isinstance(answer, Rejected) and status >= 500)
                    assert not final, f"the provider answered {status}, and the channel {answer!r}"

    def test_no_address_is_given_up_for_the_operator_s_mistake(self) -> None:
        """A wrong key is every customer's 401: a dead address is dead for good."""
        for status in (400, 401, 403, 407, 429, 500, 503):
            for answer, _ in self._answered(_always(Response(status))):
                gone = isinstance(answer, Rejected) and answer.address_gone
                assert not gone, f"an empty {status} says nothing of the address, and the channel {answer!r}"

    def test_junk_and_huge_answers_are_answered(self) -> None:
        for status in (200, 400, 500):
            for body in JUNK:
                for answer, _ in self._answered(_always(Response(status, body))):
                    reason = getattr(answer, "reason", "")
                    assert len(reason) <= _LONGEST_REASON, (
                        f"a reason has {len(reason):,} characters: quote the beginning (segue.api.replies.quotable)"
                    )

    def test_it_waits_no_longer_than_it_declares(self) -> None:
        provider, spec = BadProvider(_always(HttpError("no answer", sent=True)), self.beforehand), self.make()[0]
        self._with_channel(lambda channel, spec: self._send(channel, spec, [self.message(1)]), provider)
        waits = sum(one.timeout for one in provider.asked)
        assert waits <= spec.timeout, (
            f"it waits {waits:g} s for answers, and declares {spec.timeout:g} s: Segue would cut it off before"
        )

    def test_the_message_goes_to_its_address(self) -> None:
        """To each customer their own: not to a number from the settings, nor to the one before."""
        for asked, message in self._accepted():
            assert any(one.is_addressed(message) for one in asked), (
                f"no request names the address {message.address!r}: each message goes to its own `message.address`"
            )

    def test_the_provider_is_given_the_key(self) -> None:
        """A message that comes again, after a crash or an answer that was lost, is known by its key."""
        if self.make()[0].unknown != "retry":
            return
        for asked, message in self._accepted():
            readable = any(one.shows(*_words(message)) for one in asked)
            key = any(one.shows(message.key, message.key.upper(), str(UUID(message.key))) for one in asked)
            assert key or not readable, (
                "no request holds the message's key: give it to the provider as idempotency key, reference or id of "
                'your own. Where it takes none, declare unknown="hold": nothing is then sent twice'
            )

    def test_a_second_try_is_known_as_the_same(self) -> None:
        """What a request calls its idempotency key, or its id, is the same each time a message is tried, and of another
        message another."""
        tried = [[list(_ids(one)) for one in asked] for asked, _ in self._accepted(1, 1, 2)]
        if len(tried) < 3:
            return
        (first, again, other) = tried
        for before, after in zip(first, again, strict=False):
            assert before == after, (
                f"a second try says {after!r}, the first said {before!r}: the provider would send the message twice. "
                "Make it of `message.key`"
            )
        if any(first):
            assert first != other, f"two messages have the same {first!r}: the provider would send one of them only"

    def test_secrets_are_kept(self) -> None:
        """No secret setting in the log, on the terminal, in a reason or in the ``repr`` of the configuration."""
        _, config = self.make()
        secrets = [one for one in secrets_in(config) if len(one) >= _SHORTEST_SECRET]
        shown = {"the repr of the configuration": repr(config)}
        printed = StringIO()
        with _listening() as logged, redirect_stdout(printed), redirect_stderr(printed):
            for act in (
                _telling,
                lambda asked: HttpError(f"cut off: {asked.url}", sent=True),
                lambda asked: Response(500),
            ):
                answers = [answer for answer, _ in self._answered(act)]
                shown["an answer"] = shown.get("an answer", "") + repr(answers)
            self._with_channel(lambda channel, spec: self._send(channel, spec, [self.message(1)]))
        shown["the log"] = "\n".join(logged)
        shown["what is printed"] = printed.getvalue()
        for where, text in shown.items():
            found = [secret for secret in secrets for form in (secret, quote(secret, safe="")) if form in text]
            assert not found, f"{where} shows the secret that begins with {found[0][:3]!r}"

    def _accepted(self, *numbers: int) -> list[tuple[list[Asked], Message]]:
        """The requests for each of these messages, of a provider that says yes; those without any are left out."""
        found = []
        for place, number in enumerate(numbers or (1,)):
            provider = BadProvider(_always(Response(200, b"{}")), self.beforehand)
            message = self.message(number, attempt=place + 1)
            self._with_channel(lambda channel, spec, one=message: self._send(channel, spec, [one]), provider)  # type: ignore[misc]
            if asked := [one for one in provider.asked if one.carries(message)]:
                found.append((asked, message))
        return found

    def _answered(self, act: Callable[[Asked], Response | Exception]) -> Iterable[tuple[Answer, bool]]:
        """The answer to one message, and whether a request carried it; nothing where none was made."""
        provider = BadProvider(act, self.beforehand)
        message = self.message(1)
        found: list[Answer] = []

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            found.extend(await self._send(channel, spec, [message]))

        self._with_channel(exchange, provider)
        if not provider.asked:
            return []
        return [(answer, any(one.carries(message) for one in provider.asked)) for answer in found]


def _words(message: Message) -> list[str]:
    """The parts of a message that are more than a word or two."""
    return [text for text in message.content.values() if " " in text]


def _ids(asked: Asked) -> Iterator[tuple[str, str]]:
    """What a request says is its own: an idempotency key, an id of the message."""
    for name, value in asked.headers.items():
        if _ID.search(name):
            yield name, value
    try:
        body = msgspec.json.decode(asked.body)
    except msgspec.DecodeError:
        return
    if isinstance(body, dict):
        yield from ((name, str(value)) for name, value in body.items() if _ID.search(name))


def _always(answer: Response | Exception) -> Callable[[Asked], Response | Exception]:
    """A provider that says one thing, whatever it is asked."""
    return lambda asked: answer


def _telling(asked: Asked) -> Exception:
    """As some clients do: an error that quotes the whole request."""
    return RuntimeError(f"{asked.method} {asked.url} {asked.query} {asked.headers} {asked.body!r}")


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Everything that is logged meanwhile, down to the details, as a handler of the root logger gets it."""
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, ear = logging.getLogger(), Ear(logging.DEBUG)
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(ear)
        root.setLevel(level)
