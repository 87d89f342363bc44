"""The channel against a client that says what a test wants."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from segue.api import Answer, HttpError, Instant, Message, Rejected, Response, Retry, Sent, Tools, Unknown
from segue.testing.clients import Asked, StandInClient
from segue_sms_gateway import Config, SmsChannel, segue_channels

pytestmark = pytest.mark.asyncio
SECRET = "a-secret-of-this-test"
KEY = "0123456789abcdef0123456789abcdef"
ACCEPTED = Response(202, b"0: Accepted for delivery")


class Client(StandInClient):
    """Answers what it was given, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        super().__init__(*answers)
        self.asked: list[dict[str, str]] = []

    def answer(self, asked: Asked) -> Response | Exception:
        assert (asked.method, asked.url) == ("GET", "http://gateway.test/cgi-bin/sendsms")
        self.asked.append(dict(asked.query))
        return super().answer(asked)


def channel(client: Client, callback_url: str | None = None, **settings: Any) -> SmsChannel:
    plain = {"url": "http://gateway.test/cgi-bin/sendsms", "username": "segue", "password": "p/w +d"}
    return SmsChannel(Config(**(plain | settings)), Tools(channel="sms", http=client, callback_url=callback_url))


def message(text: str = "Hi", address: str = "+358401234567", minutes: float = 90) -> Message:
    return Message(
        key=KEY,
        channel="sms",
        name="n",
        kind="promotional",
        customer="c1",
        address=address,
        content={"text": text},
        rule="r",
        expires=Instant(int((time.time() + 60 * minutes) * 1e6)),
    )


async def answer_to(response: Response | Exception) -> Answer:
    (answer,) = await channel(Client(response)).send([message()])
    return answer


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (ACCEPTED, Sent),
        (Response(202, b"3: Queued for later delivery"), Sent),
        (Response(200, b"0: Accepted for delivery\n"), Sent),
        (Response(200, b"<html>Sign in to the hotel's network</html>"), Unknown),
        (Response(202, b""), Unknown),
        (Response(202, b"0"), Unknown),
        (Response(301, b""), Retry),
        (Response(400, b"Sender missing and no global set, rejected"), Retry),
        (Response(400, b"Number(s) has/have been denied by white- and/or black-lists."), Rejected),
        (Response(400, b"Coding field misformed, rejected"), Rejected),
        (Response(401, b""), Retry),
        (Response(403, b"Authorization failed for sendsms"), Retry),
        (Response(403, b"Not routable. Do not try again."), Rejected),
        (Response(404, b"Unknown request."), Retry),
        (Response(414, b""), Rejected),
        (Response(429, b"slow down"), Retry),
        (Response(500, b""), Retry),
        (Response(502, b""), Unknown),
        (Response(503, b"Temporal failure, try again later."), Retry),
        (Response(504, b""), Unknown),
        (Response(204, b""), Unknown),
        (Response(201, b"0: Accepted for delivery"), Unknown),
        (Response(999, b""), Unknown),
        (HttpError("no connection", sent=False), Retry),
        (HttpError("no answer within 20 s", sent=True), Unknown),
        (RuntimeError("a client gone wrong"), Unknown),
    ],
)
async def test_the_gateways_answer_decides(response: Response | Exception, kind: type) -> None:
    assert isinstance(await answer_to(response), kind)


@pytest.mark.parametrize(
    ("given", "after"), [("7", 7.0), ("9" * 30, 86400.0), ("-1", None), ("soon", None), ("٣", None)]
)
async def test_retry_after_is_passed_on_when_it_is_seconds(given: str, after: float | None) -> None:
    answer = await answer_to(Response(503, b"busy", {"retry-after": given}))
    assert isinstance(answer, Retry)
    assert answer.after == after


async def test_one_failing_call_touches_no_other_answer() -> None:
    client = Client(ACCEPTED, HttpError("cut off", sent=True), ACCEPTED)
    answers = await channel(client).send([message(), message(), message("\x07"), message()])
    assert [type(answer) for answer in answers] == [Sent, Unknown, Rejected, Sent]


async def test_a_reason_holds_neither_password_nor_control_characters() -> None:
    for error in (HttpError("GET http://g/?password=p%2Fw+%2Bd failed", sent=True), ValueError("p/w +d")):
        answer = await answer_to(error)
        assert isinstance(answer, Unknown)
        assert "p/w" not in answer.reason
        assert "p%2Fw" not in answer.reason
    hostile = await answer_to(Response(500, b"\x1b[2J\xff" + b"x" * 1_000_000))
    assert isinstance(hostile, Retry)
    assert hostile.reason.isprintable()
    assert len(hostile.reason) < 300


async def test_the_alphabet_is_chosen_by_the_text() -> None:
    client = Client(ACCEPTED)
    await channel(client, sender="Shop", smsc="fi", validity=60).send([message("5 € [x]"), message("жук")])
    plain, wide = client.asked
    assert plain == {
        "username": "segue",
        "password": "p/w +d",
        "to": "+358401234567",
        "text": "5 € [x]",
        "charset": "UTF-8",
        "coding": "0",
        "from": "Shop",
        "smsc": "fi",
        "validity": "60",
    }
    assert wide["coding"] == "2"


async def test_line_ends_and_what_surrounds_the_text_are_tidied() -> None:
    client = Client(ACCEPTED)
    await channel(client).send([message("\r\nHi\tAnn,\r\nyour cart\r\n\r\n")])
    assert client.asked[0]["text"] == "Hi Ann,\nyour cart"


@pytest.mark.parametrize("text", ["", " \n", "a\x00b", "\x1b[2J", "\ud83d"])
async def test_a_text_that_no_sms_can_carry_is_rejected_before_any_call(text: str) -> None:
    client = Client(ACCEPTED)
    (answer,) = await channel(client).send([message(text)])
    assert isinstance(answer, Rejected)
    assert not answer.address_gone
    assert client.asked == []


async def test_a_text_that_is_too_long_is_rejected_rather_than_cut() -> None:
    client = Client(ACCEPTED)
    answers = await channel(client, most_parts=2).send([message("x" * 306), message("x" * 307)])
    assert answers[0] == Sent(parts=2)
    assert isinstance(answers[1], Rejected)


async def test_a_country_may_have_its_sender() -> None:
    client = Client(ACCEPTED)
    await channel(client, sender="Shop", senders={"US": "+12025550100"}).send(
        [message(), message(address="+12125550123")]
    )
    assert [one["from"] for one in client.asked] == ["Shop", "+12025550100"]


async def test_the_operator_tries_no_longer_than_the_message_may_go() -> None:
    client = Client(ACCEPTED)
    await channel(client).send([message(minutes=89.5), message(minutes=-5), message(minutes=1e6)])
    assert [one["validity"] for one in client.asked] == ["90", "1", "44640"]


async def test_a_text_is_transliterated_where_that_is_asked_for() -> None:
    client = Client(ACCEPTED)
    await channel(client, transliterate="letters").send([message("“Ça va”, č")])
    assert [(one["text"], one["coding"]) for one in client.asked] == [('"Ça va", c', "0")]


@pytest.mark.parametrize(
    "address", ["", "Ann", "0401234567", "+0401234567", "12345", "+1 2 3", "+3584012345671234", "+358401234567&to=1"]
)
async def test_what_is_no_number_is_rejected(address: str) -> None:
    (answer,) = await channel(Client(ACCEPTED)).send([message(address=address)])
    assert isinstance(answer, Rejected)
    assert answer.address_gone


@pytest.mark.parametrize(
    "address", ["+358 40 123 4567", "00358401234567", "358401234567", "+358-(40)-123.4567", "+358\u00a0401234567"]
)
async def test_numbers_are_brought_to_e164(address: str) -> None:
    client = Client(ACCEPTED)
    await channel(client).send([message(address=address)])
    assert client.asked[0]["to"] == "+358401234567"


async def test_reports_are_asked_for_when_they_can_come_back() -> None:
    for url, secret in ((None, SECRET), ("https://segue.test", None)):
        client = Client(ACCEPTED)
        await channel(client, url, callback_secret=secret).send([message()])
        assert "dlr-url" not in client.asked[0]
    client = Client(ACCEPTED)
    await channel(client, "https://segue.test/a%20b/", callback_secret=SECRET).send([message()])
    asked = client.asked[0]
    assert asked["dlr-mask"] == "19"
    # Kannel reads %% as a percent sign and fills in the rest.
    address = urlsplit(asked["dlr-url"].replace("%%", "%"))
    assert address.path == "/a%20b/callbacks/sms"
    query = parse_qs(address.query)
    assert query["key"] == [KEY]
    assert query["status"] == ["%d"]
    assert SECRET not in asked["dlr-url"]


async def test_the_channel_is_declared() -> None:
    (spec,) = segue_channels()
    assert (spec.name, spec.address, spec.settles) == ("sms-gateway", "phone", "acceptance")
