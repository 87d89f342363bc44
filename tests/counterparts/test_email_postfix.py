"""The email channel against postfix."""

from __future__ import annotations

import time

import pytest

from segue.api import Rejected, Retry, Sent
from tests.counterparts.mail import channel, message
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer
from tests.counterparts.process import free_port

pytestmark = pytest.mark.asyncio


async def test_five_hundred_mails_go_over_one_connection_and_all_arrive(postfix: PostfixServer) -> None:
    batch = [message(f"customer{n}@example.test") for n in range(500)]
    begun = time.monotonic()
    async with channel(postfix, connections=1) as email:
        answers = [a for start in range(0, 500, 100) for a in await email.send(batch[start : start + 100])]
    assert time.monotonic() - begun < 60
    assert all(isinstance(answer, Sent) and answer.receipt for answer in answers)
    mails = postfix.wait_for(500)
    assert {mail["X-Original-To"] for mail in mails} == {m.address for m in batch}
    assert {mail["Message-ID"] for mail in mails} == {f"<{m.key}@example.test>" for m in batch}
    lines = [line for line in postfix.log.splitlines() if "disconnect from" in line and "data=500" in line]
    assert len(lines) == 1


async def test_text_html_and_names_in_any_script_arrive_as_written(postfix: PostfixServer) -> None:
    subject = "Ännu i tankarna? 🛒 " + "很长的主题" * 20
    text = "Hyvä Ann,\n.\n..dots\nFrom here on\n" + "pitkä rivi " * 200 + "\n"
    markup = '<html><body class="x"><p>Hyvä <b>Ann</b> 🛒</p></body></html>'
    content = {"subject": subject, "text": text, "html": markup, "preview": "3 < 4 tuotetta"}
    async with channel(
        postfix,
        sender_name='Käsityö, "Oy"',
        reply_to="help@example.test",
        envelope_sender="bounces+{key}@example.test",
        unsubscribe="https://shop.example/u/{key}",
    ) as email:
        sent = message("ann@example.test", content=content)
        assert isinstance((await email.send([sent]))[0], Sent)
    (mail,) = postfix.wait_for(1)
    assert mail["Subject"] == subject
    assert mail["From"].addresses[0].display_name == 'Käsityö, "Oy"'
    assert mail["From"].addresses[0].addr_spec == "shop@example.test"
    assert mail["To"] == "ann@example.test"
    assert mail["Reply-To"] == "help@example.test"
    assert mail["Return-Path"] == f"<bounces+{sent.key}@example.test>"
    assert mail["List-Unsubscribe"] == f"<https://shop.example/u/{sent.key}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == text
    assert rich is not None
    assert "<p>Hyvä <b>Ann</b> 🛒</p>" in rich.get_content()
    assert "3 &lt; 4 tuotetta" in rich.get_content()


async def test_each_recipient_gets_an_answer_of_its_own(postfix: PostfixServer) -> None:
    addresses = ["ann@example.test", "gone@example.test", "later@example.test", "refused@example.test"]
    addresses += ["closing@example.test", "bob@example.test"]
    async with channel(postfix, connections=1) as email:
        sent, gone, later, refused, closing, last = await email.send([message(a) for a in addresses])
    assert isinstance(sent, Sent)
    assert isinstance(gone, Rejected)
    assert gone.address_gone
    assert gone.reason.startswith("550 5.1.1")
    assert isinstance(later, Retry)
    assert later.reason.startswith("450 4.2.0")
    assert isinstance(refused, Rejected)
    assert not refused.address_gone
    assert isinstance(closing, Retry)
    assert isinstance(last, Sent)
    assert [mail["To"] for mail in postfix.wait_for(2)] == ["ann@example.test", "bob@example.test"]


async def test_a_mail_refused_after_its_text_was_read_is_rejected_or_comes_back(postfix: PostfixServer) -> None:
    async with channel(postfix, connections=1) as email:
        answers = await email.send(
            [
                message("ann@example.test", "X-Reject: 554\n"),
                message("ann@example.test", "X-Reject: 451\n"),
                message("ann@example.test", "a good one\n"),
            ]
        )
    assert [type(answer) for answer in answers] == [Rejected, Retry, Sent]


async def test_a_mail_over_the_servers_limit_is_rejected_and_the_next_one_goes() -> None:
    with reported_when_missing(), PostfixServer(size=20_000) as server:
        async with channel(server, connections=1) as email:
            answers = await email.send([message("ann@example.test", "x" * 30_000), message("ann@example.test")])
    assert isinstance(answers[0], Rejected)
    assert "552" in answers[0].reason
    assert isinstance(answers[1], Sent)


@pytest.mark.parametrize("how", ["starttls", "tls"])
async def test_mail_goes_encrypted_when_the_certificate_is_trusted(postfix_with_tls: PostfixServer, how: str) -> None:
    server = postfix_with_tls
    port = server.port if how == "starttls" else server.tls_port
    async with channel(server, tls=how, port=port, ca_file=str(server.certificate)) as email:
        assert isinstance((await email.send([message("ann@example.test")]))[0], Sent)
    server.wait_for(1)
    assert "TLS connection established" in server.log


@pytest.mark.parametrize("how", ["starttls", "tls"])
async def test_nothing_goes_to_a_server_whose_certificate_is_not_trusted(
    postfix_with_tls: PostfixServer, how: str
) -> None:
    server = postfix_with_tls
    async with channel(server, tls=how, port=server.port if how == "starttls" else server.tls_port) as email:
        (answer,) = await email.send([message("ann@example.test")])
    assert isinstance(answer, Retry)
    assert "certificate" in answer.reason
    assert server.messages() == []


async def test_a_server_that_offers_no_starttls_gets_no_mail_in_plain_text(postfix: PostfixServer) -> None:
    async with channel(postfix, tls="starttls") as email:
        (answer,) = await email.send([message("ann@example.test")])
    assert isinstance(answer, Retry)
    assert "STARTTLS" in answer.reason
    assert postfix.messages() == []


async def test_a_server_that_is_down_means_later_and_mail_goes_once_it_is_back(postfix: PostfixServer) -> None:
    async with channel(postfix) as email:
        assert isinstance((await email.send([message("a@example.test")]))[0], Sent)
        postfix.stop_programs()
        down = await email.send([message("b@example.test"), message("c@example.test")])
        assert [type(answer) for answer in down] == [Retry, Retry]
        postfix.start()
        back = await email.send([message("b@example.test"), message("c@example.test")])
        assert [type(answer) for answer in back] == [Sent, Sent]
    assert sorted(mail["To"] for mail in postfix.wait_for(3)) == [f"{x}@example.test" for x in "abc"]


async def test_a_refused_connection_means_later(postfix: PostfixServer) -> None:
    async with channel(postfix, port=free_port()) as email:
        answers = await email.send([message("a@example.test"), message("b@example.test")])
    assert [type(answer) for answer in answers] == [Retry, Retry]


async def test_a_connection_that_the_server_closed_while_idle_is_made_anew() -> None:
    with reported_when_missing(), PostfixServer(timeout=1) as server:
        async with channel(server, connections=1) as email:
            assert isinstance((await email.send([message("a@example.test")]))[0], Sent)
            deadline = time.monotonic() + 20
            while "timeout after" not in server.log and time.monotonic() < deadline:
                time.sleep(0.1)  # blocking on purpose: the client must not notice before it sends again
            assert isinstance((await email.send([message("b@example.test")]))[0], Sent)
        assert len(server.wait_for(2)) == 2


async def test_mail_to_an_international_address_arrives(postfix: PostfixServer) -> None:
    async with channel(postfix) as email:
        answers = await email.send([message("jürgen@example.test")])
    assert [type(answer) for answer in answers] == [Sent]
    (mail,) = postfix.wait_for(1)
    assert mail["To"] == "jürgen@example.test"


async def test_a_subject_or_an_address_with_a_line_break_reaches_no_server(postfix: PostfixServer) -> None:
    hostile = [
        message("ann@example.test", content={"subject": "Hi\r\nBcc: eve@example.test", "text": "x"}),
        message("ann@example.test>\r\nRCPT TO:<eve@example.test"),
        message("ann@example.test", "x\r\n.\r\nMAIL FROM:<eve@example.test>\r\n"),
    ]
    async with channel(postfix, connections=1) as email:
        answers = await email.send(hostile)
    assert [type(answer) for answer in answers] == [Rejected, Rejected, Sent]
    (mail,) = postfix.wait_for(1)
    assert "MAIL FROM:<eve@example.test>" in mail.get_content()
    assert "eve" not in postfix.log
