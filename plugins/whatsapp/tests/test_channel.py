"""The channel against a client that says what a test wants."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from segue.api import Answer, HttpError, Instant, Message, Rejected, Response, Retry, Sent, Tools, Unknown
from segue.testing.clients import Asked, StandInClient
from segue_whatsapp import Config, WhatsAppChannel, segue_channels

KEY = "0123456789abcdef0123456789abcdef"
GOOD = {"phone_number_id": "106540352242922", "access_token": "EAAJB-hunter2"}
SENT = Response(200, b'{"messaging_product": "whatsapp", "contacts": [], "messages": [{"id": "wamid.1"}]}')


class Client(StandInClient):
    """Answers as it was given, and keeps what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        super().__init__(*answers)
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    def answer(self, asked: Asked) -> Response | Exception:
        assert asked.method == "POST"
        self.asked.append((asked.url, dict(asked.headers), json.loads(asked.body)))
        return super().answer(asked)


def message(address: str = "+358 40 1234567", **content: str) -> Message:
    return Message(
        key=KEY,
        channel="whatsapp",
        name="n",
        kind="promotional",
        customer="c1",
        address=address,
        content=content or {"template": "cart_waiting"},
        rule="r",
        expires=Instant(4_000_000_000_000_000),
    )


async def send(client: Client, *messages: Message, **settings: Any) -> list[Answer]:
    return list(
        await WhatsAppChannel(Config(**(GOOD | settings)), Tools(channel="whatsapp", http=client)).send(messages)
    )


async def one(client: Client, sent: Message | None = None, **settings: Any) -> Answer:
    (answer,) = await send(client, sent or message(), **settings)
    return answer


def error(status: int, code: int, message: str = "said so", **more: Any) -> Response:
    """An error as the Graph API writes it."""
    body = {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "x"} | more}
    return Response(status, json.dumps(body).encode())


@pytest.mark.asyncio
async def test_a_template_goes_with_its_parameters() -> None:
    client = Client(SENT)
    whole = message(
        template="cart_waiting",
        language="pt_BR",
        header_image="https://shop.test/i.png",
        body_1=" Ann \n Lee\t ",
        body_2="59,80 €",
        button_2="cart/7",
    )
    assert await send(client, whole, message(header="Hi"), language="fi") == [
        Sent("wamid.1"),
        Rejected("there is neither a template nor a text: name a template in the front matter"),
    ]
    ((url, headers, body),) = client.asked
    assert url == "https://graph.facebook.com/v23.0/106540352242922/messages"
    assert headers["Authorization"] == "Bearer EAAJB-hunter2"
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+358401234567",
        "biz_opaque_callback_data": KEY,
        "type": "template",
        "template": {
            "name": "cart_waiting",
            "language": {"code": "pt_BR", "policy": "deterministic"},
            "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://shop.test/i.png"}}]},
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": "Ann Lee"}, {"type": "text", "text": "59,80 €"}],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "1",
                    "parameters": [{"type": "text", "text": "cart/7"}],
                },
            ],
        },
    }


@pytest.mark.asyncio
async def test_a_template_without_parameters_and_a_text_go_as_well() -> None:
    client = Client(SENT)
    await send(client, message(template="hello"), message(text=" Hei! \n"), language="fi")
    (_, _, template), (_, _, text) = client.asked
    assert template["template"] == {"name": "hello", "language": {"code": "fi", "policy": "deterministic"}}
    assert (text["type"], text["text"]) == ("text", {"body": "Hei!", "preview_url": False})


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"text": "  "}, "neither a template nor a text"),
        ({"text": "x" * 5_000}, "4,096"),
        ({"text": "Hi", "body_1": "Ann"}, "body_1 is for a template"),
        ({"text": "\ud83d"}, "half a character"),
        ({"template": "Cart Waiting"}, "small letters"),
        ({"template": "a", "language": "english"}, "pt_BR"),
        ({"template": "a", "body_1": "x", "body_3": "y"}, "body_2 is missing"),
        ({"template": "a", "body_2": "x"}, "body_1 is missing"),
        ({"template": "a", "body_1": " \n"}, "body_1 is empty"),
        ({"template": "a", "header": "x", "header_image": "https://x.test/"}, "one header"),
        ({"template": "a", "header_image": "http://x.test/"}, "https:"),
    ],
)
async def test_content_that_cannot_go_is_rejected_before_any_call(content: dict[str, str], says: str) -> None:
    client = Client(SENT)
    answer = await one(client, message(**content))
    assert isinstance(answer, Rejected)
    assert says in answer.reason
    assert not answer.address_gone
    assert client.asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize("address", ["", "ann", "0401234567", "+1\r\nX: y", "+12"])
async def test_what_is_no_number_is_never_sent_to(address: str) -> None:
    client = Client(SENT)
    answer = await one(client, message(address))
    assert isinstance(answer, Rejected)
    assert answer.address_gone
    assert client.asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("response", "kind", "says"),
    [
        (Response(200, b"{}"), Unknown, "names no message"),
        (Response(200, b"<html>hotel</html>"), Unknown, "names no message"),
        (Response(200, b'{"messages": [{"id": ""}]}'), Unknown, "names no message"),
        (Response(200, b"[" * 100_000), Unknown, "names no message"),
        (error(200, 131047), Rejected, "only a template may go now"),
        (error(400, 131047), Rejected, "only a template may go now"),
        (error(400, 131026), Rejected, "may not be on WhatsApp"),
        (error(400, 131049), Rejected, "another channel"),
        (error(400, 131050), Rejected, "no marketing"),
        (error(400, 132000), Rejected, "number of body_"),
        (error(404, 132001), Rejected, "no such template"),
        (error(400, 132015), Rejected, "paused"),
        (error(400, 131008), Rejected, "131008"),
        (error(400, 100), Rejected, "100 said so"),
        (error(400, 100, error_subcode=33), Retry, "phone_number_id"),
        (error(401, 190), Retry, "make a new one"),
        (error(401, 0), Retry, "make a new one"),
        (error(403, 10), Retry, "permission"),
        (error(403, 200), Retry, "200 said so"),
        (error(400, 131042), Retry, "payment"),
        (error(400, 133010), Retry, "register"),
        (error(400, 80007), Retry, "80007"),
        (error(429, 130429), Retry, "130429"),
        (error(400, 131048), Retry, "131048"),
        (error(500, 131000), Retry, "131000"),
        (error(503, 131016), Retry, "131016"),
        (error(500, 7), Unknown, "7 said so"),
        (Response(500), Unknown, "500"),
        (Response(502, b"<html>"), Unknown, "502"),
        (Response(503), Retry, "503"),
        (Response(429), Retry, "429"),
        (Response(404), Retry, "phone_number_id"),
        (Response(302), Retry, "url"),
        (Response(400, b"?"), Rejected, "400"),
        (Response(400, b'{"error": {"code": "x"}}'), Rejected, "400"),
        (HttpError("no connection", sent=False), Retry, "no connection"),
        (HttpError("cut off", sent=True), Unknown, "cut off"),
        (RuntimeError("EAAJB-hunter2"), Unknown, "RuntimeError"),
    ],
)
async def test_meta_s_answer_decides(response: Response | Exception, kind: type, says: str) -> None:
    answer = await one(Client(response))
    assert isinstance(answer, kind), answer
    assert says in str(answer)
    assert "hunter2" not in str(answer)
    assert not getattr(answer, "address_gone", False)  # the number may well take an SMS


@pytest.mark.asyncio
async def test_who_told_whatsapp_to_get_no_marketing_has_told_segue() -> None:
    answers = await send(Client(error(400, 131050), error(200, 131050), error(400, 131049)), *[message()] * 3)
    assert [answer.opted_out for answer in answers if isinstance(answer, Rejected)] == [True, True, False]


@pytest.mark.asyncio
async def test_a_template_goes_in_the_language_of_the_message() -> None:
    for locale, setting, expected in (
        ("fi", None, "fi"),
        ("pt-BR", None, "pt_BR"),
        ("pt_BR", None, "pt_BR"),
        ("zh-Hans-CN", None, "zh_CN"),
        ("sr-Latn", None, "sr"),
        ("de-CH-1996", None, "de_CH"),
        ("es-419", None, "es"),
        ("", None, "en"),
        ("?", None, "en"),
        ("fi", "en_US", "en_US"),
    ):
        client = Client(SENT)
        await send(client, msgspec.structs.replace(message(template="hello"), locale=locale), language=setting)
        assert client.asked[0][2]["template"]["language"]["code"] == expected, locale


@pytest.mark.asyncio
async def test_meta_says_when_to_come_again() -> None:
    waiting = msgspec.structs.replace(error(429, 130429), headers={"retry-after": "17"})
    said = await send(Client(waiting, error(400, 131056), Response(503)), *[message()] * 3)
    answers = [answer for answer in said if isinstance(answer, Retry)]
    assert [answer.after for answer in answers] == [17.0, 60.0, None]
    assert [(answer.account, answer.address) for answer in answers] == [(True, False), (False, True), (False, False)]


@pytest.mark.asyncio
async def test_meta_s_details_are_quoted_on_one_line() -> None:
    detailed = error(400, 132012, error_data={"details": "body: \x1b[31mformat\nmismatch"})
    answer = await one(Client(detailed))
    assert answer == Rejected(
        "Meta answered 400 with 132012 body: [31mformat mismatch: the parameters are not of the kind that the template "
        "expects"
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"phone_number_id": "+358401234567"}, "phone_number_id"),
        ({"access_token": ""}, "access_token"),
        ({"access_token": "hunter2\r\nX: y"}, "access_token"),
        ({"app_secret": ""}, "app_secret"),
        ({"language": "English"}, "en_US"),
        ({"url": "graph.facebook.com"}, "url"),
        ({"timeout": 0}, "timeout"),
        ({"number": "x"}, "number"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says) as caught:
        msgspec.convert(GOOD | settings, Config)
    assert "hunter2" not in str(caught.value)


def test_nothing_secret_is_shown() -> None:
    secrets = {"app_secret": "hunter3", "verify_token": "hunter4"}
    shown = repr(msgspec.convert(GOOD | secrets, Config))
    assert "106540352242922" in shown
    assert "hunter" not in shown


def test_the_channel_is_declared() -> None:
    (spec,) = segue_channels()
    assert (spec.name, spec.address, spec.unknown, spec.reactions) == ("whatsapp", "phone", "hold", ("read", "replied"))
