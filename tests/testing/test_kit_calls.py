"""The kit for channels that call their provider over HTTP and are called back: as in `test_kit_channels`, a good one
passes, and each way of being broken fails the check that is meant for it."""

from __future__ import annotations

import hmac
import json
import logging
import sys
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
    HttpError,
    Instant,
    Message,
    Rejected,
    Report,
    Request,
    Response,
    Retry,
    Sent,
    Tools,
    Unknown,
)
from segue.api.replies import quotable, retry_after
from segue.testing import ChannelConformance


class Secretive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A configuration with a secret, which its repr keeps."""

    path: str
    api_key: str = "hunter2-hunter2"

    def __repr__(self) -> str:
        return f"Secretive({self.path!r})"


class Talkative(Secretive, frozen=True, forbid_unknown_fields=True):
    """One whose repr does not."""

    def __repr__(self) -> str:
        return f"Talkative({self.path!r}, {self.api_key!r})"


class Caller(BaseChannel):
    """A good channel that calls its provider over HTTP, and is called back with the secret as a token."""

    wait = 1.0

    def __init__(self, config: Secretive, tools: Tools) -> None:
        self.secret = config.api_key
        self.http = tools.http

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [await self.call(message) for message in messages]

    async def call(self, message: Message) -> Answer:
        if not message.address.strip():
            return Rejected("no address")
        body = msgspec.json.encode(self.written(message))
        headers = {"x-key": self.secret, "Idempotency-Key": self.known_by(message)}
        try:
            response = await self.http.request(
                "POST", "http://127.0.0.1:9/", headers=headers, body=body, timeout=self.wait
            )
        except HttpError as error:
            return self.failed(error)
        except Exception as error:
            return self.raised(error)
        return self.judge(response)

    def written(self, message: Message) -> list[str]:
        words = [message.address, message.content.get("text", "")]
        return [one.encode("utf-8", "replace").decode() for one in words]

    def known_by(self, message: Message) -> str:
        return message.key

    def failed(self, error: HttpError) -> Answer:
        return (Unknown if error.sent else Retry)(str(error))

    def raised(self, error: Exception) -> Answer:
        return Unknown(type(error).__name__)

    def judge(self, response: Response) -> Answer:
        if response.status in {429, 503}:
            return Retry("busy", after=retry_after(response, time.time()))
        if response.status >= 500 or response.status == 401:
            return Retry(f"{response.status}")
        return Sent() if response.status == 200 else Rejected(f"{response.status} {quotable(response.body)}")

    async def receive(self, request: Request) -> Callback:
        token = request.query.get("token")
        if request.method != "POST" or token != hmac.new(self.secret.encode(), request.body, "sha256").hexdigest():
            return Callback(response=Response(403))
        report = Report(id=self.id_of(request), what="delivered", at=Instant(1), key="0" * 32)
        return Callback(reports=(report,))

    def id_of(self, request: Request) -> str:
        return request.body.decode()


class Broadcaster(Caller):
    """Writes to one number, which its author had in mind."""

    def written(self, message: Message) -> list[str]:
        return ["+358401234567", *super().written(message)[1:]]


class Keyless(Caller):
    def known_by(self, message: Message) -> str:
        return "none"


class Forgetful(Caller):
    """Says each time that it is something new."""

    def known_by(self, message: Message) -> str:
        return f"{message.key}-{message.attempt}"


class Stubborn(Caller):
    """Says each time that it is the same, and tells the key elsewhere."""

    def known_by(self, message: Message) -> str:
        return "segue"


class Narrow(Caller):
    async def call(self, message: Message) -> Answer:
        return Rejected("too long") if len(message.content["text"]) > 100 else await super().call(message)


class Pessimist(Caller):
    def failed(self, error: HttpError) -> Answer:
        return Rejected(str(error), address_gone=True)


class Hasty(Caller):
    def failed(self, error: HttpError) -> Answer:
        return Retry(str(error))


class Optimist(Caller):
    def raised(self, error: Exception) -> Answer:
        return Sent()


class Impatient(Caller):
    def judge(self, response: Response) -> Answer:
        return Retry("busy", after=1.0) if response.status in {429, 503} else super().judge(response)


class Simple(Caller):
    def judge(self, response: Response) -> Answer:
        return Sent() if response.status < 400 else Rejected("no")


class Harsh(Caller):
    def judge(self, response: Response) -> Answer:
        if response.status in {401, 403}:
            return Rejected("no", address_gone=True)
        return super().judge(response)


class Trusting(Caller):
    def judge(self, response: Response) -> Answer:
        return Sent(receipt=json.loads(response.body)["id"]) if response.status == 200 else super().judge(response)


class Quoting(Caller):
    def judge(self, response: Response) -> Answer:
        return Rejected(repr(response.body)) if response.status == 400 else super().judge(response)


class Patient(Caller):
    wait = 30.0


class Gossip(Caller):
    def raised(self, error: Exception) -> Answer:
        return Unknown(str(error))


class Logger(Caller):
    def failed(self, error: HttpError) -> Answer:
        logging.getLogger("segue_lines").debug("called with %s", self.secret)
        return super().failed(error)


class Printer(Caller):
    def judge(self, response: Response) -> Answer:
        print(f"called with {self.secret}", file=sys.stderr)
        return super().judge(response)


class Deaf(Caller):
    async def receive(self, request: Request) -> Callback:
        return Callback(response=Response(403))


class Unsigned(Caller):
    """Whoever knows the address may say anything."""

    async def receive(self, request: Request) -> Callback:
        if not request.body.startswith(b"id-"):
            return Callback(response=Response(400))
        return Callback(reports=(Report(id=self.id_of(request), what="delivered", at=Instant(1), key="0" * 32),))


class Loose(Caller):
    """Looks at the token, and not whether it fits the body."""

    async def receive(self, request: Request) -> Callback:
        if len(request.query.get("token", "")) != 64:
            return Callback(response=Response(403))
        return Callback(reports=(Report(id=self.id_of(request), what="delivered", at=Instant(1), key="0" * 32),))


class Open(Caller):
    """Knows one thing to report, and takes it from everybody."""

    async def receive(self, request: Request) -> Callback:
        if request.body and request.query.get("token") != genuine_call().query["token"]:
            return Callback(response=Response(403))
        return Callback(reports=(Report(id="1", what="delivered", at=Instant(1), key="0" * 32),))


class Polite(Caller):
    """Refuses, and says that all was well."""

    async def receive(self, request: Request) -> Callback:
        found = await super().receive(request)
        return found if found.reports else Callback()


class Fickle(Caller):
    count = 0

    def id_of(self, request: Request) -> str:
        self.count += 1
        return f"{self.count}"


CALLER = ChannelSpec(
    name="lines",
    doc="Lines to a provider",
    config=Secretive,
    open=Caller,
    address="email",
    content=(ContentPart("text", extensions=("txt",), most=200),),
    timeout=2.0,
)


class TestCaller(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, Secretive]:
        return CALLER, Secretive(str(self.folder))

    def genuine(self) -> Request:
        return genuine_call()


def genuine_call() -> Request:
    body = b"id-1"
    token = hmac.new(b"hunter2-hunter2", body, "sha256").hexdigest()
    return Request("POST", "/callbacks/lines", {"content-type": "text/plain"}, {"token": token}, body)


@pytest.mark.parametrize(
    ("check", "channel", "said"),
    [
        ("test_a_provider_that_is_out_of_reach_means_later", Pessimist, "answer Retry, not Rejected"),
        ("test_a_call_that_was_cut_off_is_unknown", Hasty, "answer Unknown, not Retry"),
        ("test_a_client_that_raises_costs_no_answer", Optimist, "nobody knows whether it went"),
        ("test_a_busy_provider_is_given_the_time_it_asks_for", Impatient, "Retry-After: 17"),
        ("test_a_busy_provider_is_given_the_time_it_asks_for", Simple, "429 means later"),
        ("test_a_provider_that_fails_never_ends_a_message", Simple, "the provider answered 301"),
        ("test_no_address_is_given_up_for_the_operator_s_mistake", Harsh, "says nothing of the address"),
        ("test_junk_and_huge_answers_are_answered", Trusting, "send raised JSONDecodeError"),
        ("test_junk_and_huge_answers_are_answered", Quoting, "quote the beginning"),
        ("test_it_waits_no_longer_than_it_declares", Patient, "it waits 30 s for answers"),
        ("test_the_message_goes_to_its_address", Broadcaster, "no request names the address 'ann@example.com'"),
        ("test_the_provider_is_given_the_key", Keyless, 'declare unknown="hold"'),
        ("test_a_second_try_is_known_as_the_same", Forgetful, "the provider would send the message twice"),
        ("test_a_second_try_is_known_as_the_same", Stubborn, "the provider would send one of them only"),
        ("test_what_fits_is_not_rejected", Narrow, "text may have 200 characters, by the declaration"),
        ("test_secrets_are_kept", Gossip, "an answer shows the secret that begins with 'hun'"),
        ("test_secrets_are_kept", Logger, "the log shows the secret"),
        ("test_secrets_are_kept", Printer, "what is printed shows the secret"),
        ("test_a_genuine_call_is_believed", Deaf, "answers 403 to what genuine"),
        ("test_a_forged_call_is_refused", Unsigned, "a body that was altered"),
        ("test_a_forged_call_is_refused", Loose, "a body that was altered"),
        ("test_a_forged_call_is_refused", Polite, "refuse it by a 4xx"),
        ("test_a_repeated_call_brings_the_same_ids", Fickle, "the same call brings"),
    ],
)
def test_a_broken_channel_fails(check: str, channel: Callable[..., Any], said: str, tmp_path: Path) -> None:
    fails(check, msgspec.structs.replace(CALLER, open=channel), Secretive(str(tmp_path)), said, tmp_path)


def test_a_configuration_that_shows_its_secret_fails(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(CALLER, config=Talkative)
    fails("test_secrets_are_kept", spec, Talkative(str(tmp_path)), "the repr of the configuration shows", tmp_path)


def test_a_call_that_needs_nothing_to_be_believed_fails(tmp_path: Path) -> None:
    class Suite(ChannelConformance):
        def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
            return msgspec.structs.replace(CALLER, open=Open), Secretive("")

        def genuine(self) -> Request:
            return msgspec.structs.replace(genuine_call(), body=b"")

    with pytest.raises(AssertionError, match="without any of its headers and values: anybody could make it"):
        Suite().test_a_forged_call_is_refused()


def test_what_comes_before_the_message_is_no_failure_of_it(tmp_path: Path) -> None:
    """A channel that asks for a token first is judged by what becomes of the message."""

    class Asking(Hasty):
        async def call(self, message: Message) -> Answer:
            token = await self.http.request("POST", "http://127.0.0.1:9/token")
            return await super().call(message) if token.status == 200 else Retry("no token")

    spec = msgspec.structs.replace(CALLER, open=Asking)
    fails(
        "test_a_call_that_was_cut_off_is_unknown", spec, Secretive(""), "answer Unknown, not Retry", tmp_path, "/token"
    )


def fails(
    check: str, spec: ChannelSpec, config: msgspec.Struct, said: str, folder: Path, granted: str = "none"
) -> None:
    class Suite(ChannelConformance):
        def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
            return spec, config

        def genuine(self) -> Request:
            return genuine_call()

        def beforehand(self, method: str, url: str) -> Response | None:
            return Response(200) if url.endswith(granted) else None

    suite = Suite()
    suite.folder = folder
    with pytest.raises(AssertionError, match=said):
        getattr(suite, check)()


def test_a_channel_that_holds_what_nobody_knows_needs_no_key(tmp_path: Path) -> None:
    class Suite(ChannelConformance):
        def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
            return msgspec.structs.replace(CALLER, open=Keyless, unknown="hold"), Secretive("")

    Suite().test_the_provider_is_given_the_key()
