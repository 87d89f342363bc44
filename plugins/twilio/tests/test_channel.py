"""The channels against a client that says what a test wants."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from urllib.parse import parse_qsl

import pytest

from segue.api import Answer, HttpError, Instant, Message, Rejected, Response, Retry, Sent, Tools, Unknown
from segue.testing.clients import Asked, StandInClient
from segue_twilio import RcsConfig, SmsConfig, open_rcs, open_sms
from segue_twilio.channel import TwilioChannel

pytestmark = pytest.mark.asyncio
ACCOUNT = "AC" + "a" * 32
KEY = "0123456789abcdef0123456789abcdef"
SID = "SM" + "c" * 32
TEMPLATE = "HX" + "d" * 32


def created(**changes: Any) -> Response:
    body = {"sid": SID, "status": "queued", "num_segments": "1", "error_code": None, "error_message": None, "to": "+1"}
    return Response(201, json.dumps(body | changes).encode())


def refused(status: int, code: int, **headers: str) -> Response:
    body = {"code": code, "message": "no", "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return Response(status, json.dumps(body).encode(), headers)


class Client(StandInClient):
    """Answers what it was given, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        super().__init__(*answers)
        self.asked: list[dict[str, str]] = []
        self.account = Response(200, b'{"status": "active"}')

    def answer(self, asked: Asked) -> Response | Exception:
        if asked.method == "GET":
            assert asked.url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}.json"
            return self.account
        assert (asked.method, asked.url) == (
            "POST",
            f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        )
        assert asked.headers["Authorization"].startswith("Basic ")
        self.asked.append(dict(parse_qsl(asked.body.decode(), keep_blank_values=True)))
        return super().answer(asked)


def sms(client: Client, callback_url: str | None = None, **settings: Any) -> TwilioChannel:
    plain = {"account_sid": ACCOUNT, "auth_token": "the-token"}
    plain |= {} if "messaging_service" in settings else {"sender": "Shop"}
    return open_sms(SmsConfig(**(plain | settings)), Tools(channel="sms", http=client, callback_url=callback_url))


def rcs(client: Client) -> TwilioChannel:
    config = RcsConfig(account_sid=ACCOUNT, auth_token="the-token", sender="shop_agent")
    return open_rcs(config, Tools(channel="rcs", http=client))


def message(text: str = "Hi", address: str = "+358401234567", seconds: float = 60.5, **content: str) -> Message:
    return Message(
        key=KEY,
        channel="sms",
        name="n",
        kind="promotional",
        customer="c1",
        address=address,
        content={"text": text} | content,
        rule="r",
        expires=Instant(int((time.time() + seconds) * 1e6)),
    )


async def answer_to(response: Response | Exception) -> Answer:
    (answer,) = await sms(Client(response)).send([message()])
    return answer


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (created(), Sent),
        (Response(200, created().body), Sent),
        (Response(201, b""), Unknown),
        (Response(201, b"<html>Sign in to the hotel's network</html>"), Unknown),
        (Response(201, b'{"sid": 7}'), Unknown),
        (Response(201, b'{"sid": "SM\\u0000"}'), Unknown),
        (Response(201, b"[" * 100_000), Unknown),
        (created(status="failed", error_code=30007), Rejected),
        (created(error_code=21610), Rejected),
        (created(status="undelivered"), Rejected),
        (Response(301, b""), Retry),
        (refused(400, 21617), Rejected),
        (refused(400, 21408), Rejected),
        (refused(400, 63106), Rejected),
        (refused(400, 99999), Rejected),
        (refused(400, 21606), Retry),
        (refused(400, 21611), Retry),
        (Response(400, b"a proxy speaks"), Retry),
        (refused(401, 20003), Retry),
        (refused(404, 20404), Retry),
        (refused(429, 20429), Retry),
        (Response(500, b""), Unknown),
        (Response(502, b""), Unknown),
        (Response(503, b""), Retry),
        (refused(200, 21610), Rejected),
        (refused(200, 20429), Retry),
        (Response(204, b""), Unknown),
        (Response(299, b"{}"), Unknown),
        (Response(999, b""), Unknown),
        (HttpError("no connection", sent=False), Retry),
        (HttpError("no answer within 20 s", sent=True), Unknown),
        (RuntimeError("the-token"), Unknown),
    ],
)
async def test_twilio_s_answer_decides(response: Response | Exception, kind: type) -> None:
    answer = await answer_to(response)
    assert isinstance(answer, kind)
    assert "the-token" not in str(answer)


@pytest.mark.parametrize(
    ("code", "gone", "opted_out"),
    [
        (21211, True, False),
        (21614, True, False),
        (30005, True, False),
        (21610, False, True),
        (30003, False, False),
        (30004, False, False),
        (30006, False, False),
        (30007, False, False),
        (30008, False, False),
        (63106, False, False),
    ],
)
async def test_a_code_says_what_became_of_the_address(code: int, gone: bool, opted_out: bool) -> None:
    for response in (refused(400, code), created(status="failed", error_code=code)):
        answer = await answer_to(response)
        assert isinstance(answer, Rejected)
        assert (answer.address_gone, answer.opted_out) == (gone, opted_out)
        assert str(code) in answer.reason


async def test_a_receipt_and_the_parts_come_back() -> None:
    assert await answer_to(created(num_segments="3")) == Sent(SID, parts=3)
    long = "x" * 307
    for said in ("0", None, "many", "٣", "9" * 400):
        (answer,) = await sms(Client(created(num_segments=said))).send([message(long)])
        assert answer == Sent(SID, parts=3)


async def test_retry_after_is_passed_on() -> None:
    answer = await answer_to(refused(429, 20429, **{"retry-after": "7"}))
    assert isinstance(answer, Retry)
    assert (answer.after, answer.account) == (7.0, True)


async def test_an_sms_goes_by_the_sender_of_its_country() -> None:
    client = Client(created())
    channel = sms(client, senders={"US": "+12025550100"})
    await channel.send([message("5 €"), message(address="+12125550123")])
    first, second = client.asked
    assert first == {"To": "+358401234567", "Body": "5 €", "ValidityPeriod": "60", "From": "Shop"}
    assert second["From"] == "+12025550100"


async def test_a_messaging_service_chooses_the_sender_where_a_country_has_none() -> None:
    client = Client(created())
    service = "MG" + "b" * 32
    await sms(client, messaging_service=service, senders={"US": "+12025550100"}).send(
        [message(), message(address="+12125550123")]
    )
    assert [("From" in one, one.get("MessagingServiceSid")) for one in client.asked] == [(False, service), (True, None)]


async def test_a_message_waits_at_twilio_no_longer_than_it_may() -> None:
    client = Client(created())
    await sms(client, validity=600).send([message(seconds=86_400), message(seconds=1), message(seconds=100.5)])
    assert [one["ValidityPeriod"] for one in client.asked] == ["600", "5", "100"]


async def test_a_text_is_transliterated_where_that_is_asked_for() -> None:
    client = Client(created())
    await sms(client).send([message("It’s")])
    await sms(client, transliterate="punctuation").send([message("It’s")])
    assert [one["Body"] for one in client.asked] == ["It’s", "It's"]


async def test_reports_come_back_to_an_address_of_the_message_s_own() -> None:
    client = Client(created())
    await sms(client, "https://segue.test/a/").send([message()])
    assert client.asked[0]["StatusCallback"] == f"https://segue.test/a/callbacks/sms?key={KEY}"


@pytest.mark.parametrize("text", ["", " \n", "a\x00b", "\ud83d", "x" * 307])
async def test_what_cannot_go_is_rejected_before_any_call(text: str) -> None:
    client = Client(created())
    (answer,) = await sms(client, most_parts=2).send([message(text)])
    assert isinstance(answer, Rejected)
    assert not answer.address_gone
    assert client.asked == []


async def test_what_is_no_number_is_gone() -> None:
    for channel in (sms(Client(created())), rcs(Client(created()))):
        (answer,) = await channel.send([message(address="0401234567")])
        assert isinstance(answer, Rejected)
        assert answer.address_gone


async def test_rcs_goes_by_rcs_and_by_nothing_else() -> None:
    client = Client(created())
    await rcs(client).send(
        [message(media="https://shop.test/i.png"), message(""), message("", media="https://s.test/i")]
    )
    first, second = client.asked
    assert (first["To"], first["From"]) == ("rcs:+358401234567", "rcs:shop_agent")
    assert (first["Body"], first["MediaUrl"]) == ("Hi", "https://shop.test/i.png")
    assert "FallbackFrom" not in first
    assert "MessagingServiceSid" not in first
    assert "Body" not in second


async def test_a_template_takes_the_place_of_a_text() -> None:
    client = Client(created())
    await rcs(client).send([message(template=TEMPLATE, variables='{"1": "Ann"}')])
    (asked,) = client.asked
    assert (asked["ContentSid"], asked["ContentVariables"]) == (TEMPLATE, '{"1":"Ann"}')
    assert "Body" not in asked


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"template": "HX1"}, "template is no SID"),
        ({"template": TEMPLATE, "variables": '{"1": 7}'}, "not a JSON object of texts"),
        ({"template": TEMPLATE, "variables": "[" * 100_000}, "not a JSON object of texts"),
        ({"variables": '{"1": "Ann"}'}, "no template"),
        ({"media": "http://10.0.0.1/i.png"}, "https:"),
        ({"text": ""}, "empty"),
    ],
)
async def test_rcs_content_that_cannot_go_says_why(content: dict[str, str], says: str) -> None:
    (answer,) = await rcs(Client(created())).send([message(**content)])  # type: ignore[arg-type]
    assert isinstance(answer, Rejected)
    assert says in answer.reason


@pytest.mark.parametrize(
    ("response", "well", "says"),
    [
        (Response(200, b'{"status": "active", "sid": "AC"}'), True, "active"),
        (Response(200, b'{"status": "suspended"}'), False, "suspended"),
        (Response(401, b'{"code": 20003}'), False, "token"),
        (Response(200, b"<html>Sign in</html>"), False, "not known"),
        (Response(503, b""), False, "503"),
    ],
)
async def test_the_doctor_hears_whether_the_account_can_send(response: Response, well: bool, says: str) -> None:
    client = Client()
    client.account = response
    account, callbacks = await sms(client).examine()
    assert account.well is well
    assert says in account.found
    assert not callbacks.well
    assert (await sms(client, "https://segue.test/").examine())[1].found.endswith("https://segue.test/callbacks/sms")
    assert client.asked == []


async def test_the_form_is_the_one_that_twilio_s_own_library_posts() -> None:
    from twilio.http import HttpClient
    from twilio.http.response import Response as Posted
    from twilio.rest import Client as Theirs

    class Capture(HttpClient):  # type: ignore[misc]
        posted: dict[str, Any] = {}

        def request(self, method: str, url: str, data: Any = None, **rest: Any) -> Posted:
            self.posted = data
            return Posted(201, created().body.decode())

    capture = Capture(logging.getLogger("test"), False)
    theirs = Theirs(ACCOUNT, "the-token", http_client=capture)
    ours = Client(created())
    await rcs(ours).send([message(media="https://shop.test/i.png")])
    theirs.messages.create(
        to="rcs:+358401234567",
        from_="rcs:shop_agent",
        body="Hi",
        media_url=["https://shop.test/i.png"],
        validity_period=60,
    )
    assert {name: str(value[0] if isinstance(value, list) else value) for name, value in capture.posted.items()} == (
        ours.asked[0]
    )
    await rcs(ours).send([message(template=TEMPLATE, variables='{"1":"Ann"}')])
    theirs.messages.create(
        to="rcs:+358401234567",
        from_="rcs:shop_agent",
        content_sid=TEMPLATE,
        content_variables='{"1":"Ann"}',
        validity_period=60,
    )
    assert {name: str(value) for name, value in capture.posted.items()} == ours.asked[1]
