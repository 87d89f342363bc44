"""Mail that comes back: what it says, and what nobody can make it say."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant
from segue_email_smtp.returned import Understood, understand
from segue_email_smtp.seals import Seals

KEY = "0123456789abcdef0123456789abcdef"
SEALS = Seals("0123456789 a secret")
ADDRESS = "Ann@example.org"
SEALED = SEALS.seal(KEY)
RETURN_PATH = f"bounces+{SEALED}@b.example.test"
MESSAGE_ID = f"<{SEALS.seal_for(KEY, ADDRESS)}@example.test>"
NOW = Instant(1_800_000_000_000_000)
DATE = "Tue, 24 Nov 2026 10:00:00 +0200"


def bounce(
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <ann@example.org> User unknown",
    to: str = RETURN_PATH,
    original: str = MESSAGE_ID,
) -> bytes:
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: {DATE}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: {DATE}

Final-Recipient: rfc822; ann@example.org
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--b
Content-Type: text/rfc822-headers

Message-ID: {original}
Subject: Hi
--b--
""".encode()


def complaint(sort: str = "abuse", original: str = MESSAGE_ID) -> bytes:
    return f"""\
From: <abuse@provider.example>
To: <fbl@example.test>
Subject: FW: Hi
Date: {DATE}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: {sort}
User-Agent: SomeGenerator/1.0
Version: 1

--b
Content-Type: message/rfc822

From: <shop@example.test>
Received: from mail.example.test
Message-ID: {original}
Subject: Hi

Buy!
--b--
""".encode()


def reply(text: str, sender: str = "Ann <ann@EXAMPLE.org>", answers: str = MESSAGE_ID, more: str = "") -> bytes:
    return (
        f"From: {sender}\nTo: shop@example.test\nSubject: Re: Hi\nDate: {DATE}\nIn-Reply-To: {answers}\n{more}"
        f"Content-Type: text/plain; charset=utf-8\n\n{text}"
    ).encode()


def read(raw: bytes) -> Understood:
    return understand(raw, SEALS, NOW)


@pytest.mark.parametrize(
    ("status", "diagnostic", "gone"),
    [
        ("5.1.1", "smtp; 550 5.1.1 no such user", True),
        ("5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", True),
        ("5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled", True),
        ("5.0.0", "smtp; 550 5.1.1 unknown", True),
        ("5.0.0", "smtp; 550 User unknown", True),
        ("5.0.0", "smtp; 550 spam", False),
        ("5.7.1", "smtp; 554 5.7.1 refused by policy, user unknown to us", False),
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", False),
        ("4.4.7", "smtp; 550 5.1.1 delivery time expired", False),
        ("", "", False),
    ],
)
def test_a_final_bounce_says_whether_the_address_is_gone(status: str, diagnostic: str, gone: bool) -> None:
    understood = read(bounce(status=status, diagnostic=diagnostic))
    (report,) = understood.reports
    assert (report.what, report.key, report.address_gone) == ("undelivered", KEY, gone)
    assert report.reason.startswith("bounced: ")
    assert not understood.kept


def test_a_bounce_is_dated_by_its_sender_but_not_in_the_future() -> None:
    (report,) = read(bounce()).reports
    assert report.at == 1_795_507_200_000_000
    (future,) = read(bounce().replace(b"2026", b"2999")).reports
    (junk,) = read(bounce().replace(DATE.encode(), b"yesterday")).reports
    assert future.at == junk.at == NOW


def test_the_seal_of_the_original_will_do_and_so_will_that_of_the_return_path() -> None:
    assert read(bounce(to="bounces@b.example.test")).reports[0].key == KEY
    assert read(bounce(original="<else@example.test>")).reports[0].key == KEY
    assert read(bounce(to=RETURN_PATH.upper(), original="")).reports[0].key == KEY


def test_a_delay_decides_nothing_and_a_delivery_is_told() -> None:
    assert read(bounce(action="delayed", status="4.4.1")) == Understood()
    assert [report.what for report in read(bounce(action="delivered", status="2.0.0")).reports] == ["delivered"]


def test_the_international_form_of_a_bounce_is_understood() -> None:
    raw = bounce().replace(b"message/delivery-status", b"message/global-delivery-status")
    assert read(raw).reports[0].address_gone


FORGED = SEALED[:-1] + ("a" if SEALED[-1] != "a" else "b")


@pytest.mark.parametrize("seal", [FORGED, KEY, f"{KEY}-aaaaaaaaaaaaaaaa", Seals("another secret !").seal(KEY), ""])
def test_nobody_can_forge_a_bounce_a_complaint_or_a_reply(seal: str) -> None:
    trace = f"<{seal}@example.test>"
    assert read(bounce(to=f"bounces+{seal}@b.example.test", original=trace)) == Understood()
    assert read(complaint(original=trace)) == Understood()
    assert read(reply("STOP", answers=trace)) == Understood()


@pytest.mark.parametrize("sort", ["abuse", "fraud", "Abuse", "other"])
def test_a_complaint_is_one(sort: str) -> None:
    understood = read(complaint(sort))
    (report,) = understood.reports
    assert (report.what, report.key) == ("complained", KEY)
    assert report.reason == f"complaint ({sort.lower()}) reported by SomeGenerator/1.0"
    assert not understood.kept


@pytest.mark.parametrize("sort", ["not-spam", "auth-failure", "dmarc", ""])
def test_other_feedback_is_none(sort: str) -> None:
    assert read(complaint(sort)) == Understood()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("STOP\n", "STOP"),
        ("Kiitos, tuli perille 🛒\n\nAnn\n", "Kiitos, tuli perille 🛒\n\nAnn"),
        ("STOP\n\nOn Tue, 24 Nov 2026 the shop wrote:\n> Hi Ann\n> stop\n", "STOP"),
        ("Yes\n-- \nAnn, Director of Everything\n", "Yes"),
        ("Stop.\n\nSent from my telephone\n", "Stop."),
        ("No\n________________________________\nFrom: shop\n", "No"),
        ("-----Original Message-----\nHi\n", ""),
        ("STOP\n\nOn Tue, Nov 24, 2026 at 10:00 AM The Shop <shop@example.test>\nwrote:\n\n> Hi\n", "STOP"),
        ("STOP\n\nOn Tue, Nov 24, 2026 at 10:00 AM The Shop\n<shop@example.test> wrote:\n\n> Hi\n", "STOP"),
        ("STOP\n\nOn Tuesday, November 24, 2026 at 10:00:00 AM GMT+2, Shop <s@x.test> wrote: \n \n Hi Ann\n", "STOP"),
        ("Stopp\n\nAm Di., 24. Nov. 2026 um 10:00 Uhr schrieb The Shop <\nshop@example.test>:\n\n> Hi\n", "Stopp"),
        (
            "Stopp\n\nVon: Shop <s@x.test>\nGesendet: Dienstag, 24. November 2026 10:00\nAn: Ann\nBetreff: Hi\n\nHi",
            "Stopp",
        ),
        ("Arrêt\n\nDe : Shop <s@x.test>\nEnvoyé : mardi 24 novembre 2026\nÀ : Ann\nObjet : Hi\n\nBonjour", "Arrêt"),
        ("Stop\n\nFrom: Shop <s@x.test>\nDate: Tuesday\nTo: Ann\nSubject: Hi\n\nHi", "Stop"),
        ("Stopp\n-----Ursprüngliche Nachricht-----\nHi\n", "Stopp"),
        ("Stop\n-------- Forwarded message --------\nHi\n", "Stop"),
        ("Lopeta\n\nLähetetty iPhonesta\n", "Lopeta"),
        ("Stopp\n\nVon meinem iPhone gesendet\n", "Stopp"),
        ("Arret\n\nEnvoyé de mon iPhone\n", "Arret"),
        ("Stop\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n", "Stop"),
        ("From: me. To: you\nThanks: all", "From: me. To: you\nThanks: all"),
        ("I wrote:\nstop", "I wrote:\nstop"),
        ("On time, thanks!\nYou wrote well", "On time, thanks!\nYou wrote well"),
    ],
)
def test_a_reply_is_what_its_writer_wrote_and_not_what_they_answered(text: str, said: str) -> None:
    understood = read(reply(text))
    (inbound,) = understood.inbound
    assert (inbound.address, inbound.text, inbound.key) == ("ann@example.org", said, KEY)
    assert understood.kept


def test_a_reply_in_html_alone_is_read_too() -> None:
    raw = reply("<p>STOP</p><blockquote>&gt; Hi</blockquote>").replace(b"text/plain", b"text/html")
    assert read(raw).inbound[0].text == "STOP"


def test_a_reply_from_another_address_is_not_the_customers() -> None:
    assert read(reply("yes", sender="eve@example.org")) == Understood()
    own = f"<{SEALS.seal_for(KEY, 'eve@example.org')}@example.test>"
    assert read(reply("yes", sender="ann@example.org", answers=own)) == Understood()


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-generated (vacation)\n",
        "Precedence: auto_reply\n",
        "X-Auto-Response-Suppress: All\n",
        "X-Autoreply: yes\n",
        "List-Id: <list.example.org>\n",
        "Return-Path: <>\n",
        "X-Autogenerated: Reply\n",
        "X-Auto-Reply: yes\n",
        "X-Mail-Autoreply: yes\n",
        "X-Autoreply-From: ann@example.org\n",
        "X-MS-Exchange-Inbox-Rules-Loop: ann@example.org\n",
    ],
)
def test_an_automatic_answer_says_nothing(more: str) -> None:
    assert read(reply("STOP", more=more)) == Understood()
    assert read(reply("STOP", more="Auto-Submitted: no\n")).inbound


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "Automatic reply: Hi",
            "Out of Office: Hi",
            "Out of office Re: Hi",
            "Automatische Antwort: Hi",
            "AW: Abwesend: Hi",
        ),
        *("Abwesenheitsnotiz: Hi", "Réponse automatique : Hi", "Automaattinen vastaus: Hi", "Autosvar: Hi"),
        *("Respuesta automática: Hi", "Risposta automatica: Hi", "Autoreply: Hi", "Auto: Hi", "Absence du bureau : Hi"),
        "=?utf-8?q?R=C3=A9ponse_automatique=C2=A0: Hi?=",
    ],
)
def test_an_automatic_answer_that_says_so_in_its_subject_alone_says_nothing(subject: str) -> None:
    assert read(reply("STOP").replace(b"Re: Hi", subject.encode())) == Understood()
    assert read(reply("STOP").replace(b"Re: Hi", b"Re: " + subject.encode().removeprefix(b"AW: "))).inbound


QMAIL = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.org
To: {RETURN_PATH}
Subject: failure notice
Date: {DATE}

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@example.org>:
%s

--- Below this line is a copy of the message.

Message-ID: {MESSAGE_ID}
Subject: <bob@example.org>:

Hi
"""
EXIM = f"""\
Return-Path: <>
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: {RETURN_PATH}
X-Failed-Recipients: ann@example.org
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender
Date: {DATE}

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann@example.org
    %s

------ This is a copy of the message, including all the headers. ------

Subject: Hi
"""


@pytest.mark.parametrize("form", [QMAIL, EXIM], ids=["qmail", "exim"])
@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ("Sorry, no mailbox here by that name. (#5.1.1)", True),
        ("host mx.example.org [192.0.2.1]: 550 5.1.1 User unknown", True),
        ("SMTP error from remote mail server after RCPT TO:<ann@example.org>:\n    550 No such user here", True),
        ("192.0.2.1 does not like recipient.\nRemote host said: 550 User unknown\nGiving up on 192.0.2.1.", True),
        ("user is over quota (#5.2.2)", False),
        ("retry timeout exceeded", False),
        ("Remote host said: 554 5.7.1 refused: listed at spam.example, user unknown to us", False),
    ],
)
def test_the_bounces_of_qmail_and_of_old_exim_are_understood(form: str, said: str, gone: bool) -> None:
    (report,) = read((form % said).encode()).reports
    assert (report.what, report.key, report.address_gone) == ("undelivered", KEY, gone)
    assert " ".join(said.split())[:20] in report.reason


def test_a_bounce_of_no_form_says_nothing() -> None:
    late = QMAIL.replace("I'm afraid I wasn't able to", "I have not yet been able to").replace(
        "Hi. This is the", "This is a"
    )
    assert read((late % "busy").encode()) == Understood()
    delayed = EXIM.replace("X-Failed-Recipients: ann@example.org\n", "")
    assert read((delayed % "busy").encode()) == Understood()
    forged = QMAIL.replace(SEALED, FORGED).replace(MESSAGE_ID, "<x@y>")
    assert read((forged % "no such user").encode()) == Understood()
    # Somebody who wrote by hand, and not a server.
    written = (QMAIL % "550 user unknown").replace("Return-Path: <>\n", "").replace("MAILER-DAEMON@mx", "ann@mx")
    assert read(written.encode()) == Understood()


def test_exchange_says_in_a_way_of_its_own_that_there_is_no_such_mailbox() -> None:
    said = "smtp;550 5.4.1 Recipient address rejected: Access denied. [mx.outlook.example]"
    assert read(bounce(status="5.4.1", diagnostic=said)).reports[0].address_gone
    assert not read(bounce(status="5.4.1", diagnostic="smtp; 550 5.4.1 no answer from host")).reports[0].address_gone


def test_a_robot_s_mail_and_a_receipt_of_reading_say_nothing() -> None:
    robot = SEALS.seal_for(KEY, "no-reply@example.org")
    assert read(reply("STOP", sender="no-reply@example.org", answers=f"<{robot}@x>")) == Understood()
    receipt = b"multipart/report; report-type=disposition-notification; boundary=b"
    assert read(reply("STOP").replace(b"text/plain", receipt)) == Understood()


def test_the_same_mail_is_the_same_report_and_another_is_another() -> None:
    assert read(bounce()).reports[0].id == read(bounce()).reports[0].id
    assert read(bounce()).reports[0].id != read(complaint()).reports[0].id


@given(st.binary(max_size=400), st.integers(0, 900), st.sampled_from([bounce(), complaint(), reply("STOP")]))
def test_no_mail_is_too_odd_to_be_read(junk: bytes, place: int, whole: bytes) -> None:
    for raw in (junk, whole[:place] + junk + whole[place:], whole[:place]):
        for report in read(raw).reports:
            assert report.key == KEY
            assert report.reason.isprintable()


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 9_000,
        b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(9_000)),
        b"To: " + b"a@b.c, " * 40_000,
        b"From: " + b"(" * 250_000,
        b"Subject: =?utf-8?b?" + b"A" * 250_000,
        reply("> x\n" * 60_000),
        bounce() + b"x" * 10_000_000,
    ],
    ids=["nested", "enclosed", "recipients", "comment", "word", "quote", "large"],
)
def test_a_hostile_mail_takes_no_time(raw: bytes) -> None:
    began = time.monotonic()
    read(raw)
    assert time.monotonic() - began < 2.0
