"""What comes back by mail: from postfix into a maildir, to the daemon; and by IMAP from dovecot."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Tools
from segue.host.http import AiohttpClient
from segue_email_smtp import Config, EmailChannel
from segue_email_smtp.seals import Seals
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.dovecot import PASSWORD, USER, DovecotServer
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer

SECRET = "0123456789 a secret"
SEALS = Seals(SECRET)
KEY = "0123456789abcdef0123456789abcdef"

TABLE = """\
[channels.email]
use = "email-smtp"
consent = "opt-out"
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "shop@example.test"
envelope_sender = "bounces+{{key}}@example.test"

[channels.email.bounces]
secret = {{ env = "BOUNCE_SECRET" }}
maildir = "{maildir}"
every = 1
"""


def bounce(seals: Seals, key: str = KEY) -> bytes:
    return (
        f"To: bounces+{seals.seal(key)}@b.example.test\nContent-Type: multipart/report; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.test\n\n"
        "Action: failed\nStatus: 5.1.1\n\n--b--\n"
    ).encode()


def complaint(mail: str) -> bytes:
    return (
        "From: fbl@provider.example\nTo: fbl@example.test\nContent-Type: multipart/report; boundary=b\n\n--b\n"
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--b\n"
        f"Content-Type: message/rfc822\n\n{mail}\n--b--\n"
    ).encode()


def reply(mail: str, sender: str, text: str) -> bytes:
    (message_id,) = [line[12:] for line in mail.splitlines() if line.startswith("Message-ID: ")]
    return f"From: {sender}\nTo: shop@example.test\nIn-Reply-To: {message_id}\n\n{text}\n".encode()


def mails(box: Path) -> dict[str, str]:
    """The mails that arrived, by recipient, read or not."""
    paths = [path for name in ("new", "cur") if (box / name).exists() for path in (box / name).iterdir()]
    found = {}
    for path in paths:
        text = path.read_text("utf-8", "replace")
        if "\nX-Original-To: " in f"\n{text}":
            found[f"\n{text}".partition("\nX-Original-To: ")[2].partition("\n")[0]] = text
    return found


def test_bounces_complaints_and_replies_reach_the_rule_s_customers(postfix: PostfixServer, tmp_path: Path) -> None:
    box = postfix.directory / "mail" / "all"
    project = Project(
        tmp_path,
        rules="when signed_up send email\n",
        messages={"signed_up": {"email.txt": "---\nsubject: Hi {{ customer.first_name }}\n---\nWelcome!\n"}},
        channels=TABLE.format(port=postfix.port, maildir=box),
    )
    for path in (box, box / "new", box / "cur", box / "tmp"):
        path.mkdir()
        os.chown(path, box.parent.stat().st_uid, box.parent.stat().st_gid)
    with Daemon(project, environment={"BOUNCE_SECRET": SECRET}) as daemon:
        people = {"ann": "example.test", "ben": "nowhere.test", "cid": "example.test"}
        project.send(*(identify(name, email=f"{name}@{domain}") for name, domain in people.items()))
        project.send(*(track(name, "signed_up") for name in people))
        here = {"ann@example.test", "cid@example.test"}
        wait_until(lambda: here <= mails(box).keys(), what="the mails")
        wait_until(project.is_drained, what="the end of the journeys")
        arrived = mails(box)
        key = project.rows("select key from message limit 1")[0][0]
        for number, raw in enumerate(
            (
                bounce(Seals("somebody else's"), key if isinstance(key, str) else bytes(key).hex()),
                complaint(arrived["ann@example.test"]),
                reply(arrived["cid@example.test"], "cid@example.test", "STOP"),
                reply(arrived["cid@example.test"], "ann@example.test", "START"),
            )
        ):
            (box / "new" / f"test{number}").write_bytes(raw)
        known = "select address, reason from suppression order by address"
        wait_until(lambda: len(project.rows(known)) >= 3, what="the suppressions")
        wait_until(lambda: not list((box / "new").iterdir()), what="an empty mailbox")
        assert project.rows(known) == [
            ("ann@example.test", "complained"),
            ("ben@nowhere.test", "bounced"),
            ("cid@example.test", "stopped"),
        ]
        ((reason,),) = project.rows("select reason from message where reason is not null")
        assert reason.startswith("bounced: unknown user")
        assert "fault" not in daemon.log
        assert SECRET not in daemon.log


@pytest.fixture(scope="module")
def dovecot() -> Iterator[DovecotServer]:
    server = DovecotServer()
    try:
        with reported_when_missing():
            server.start()
        yield server
    finally:
        server.stop()


def channel(server: DovecotServer, **imap: Any) -> EmailChannel:
    settings = {"host": server.host, "port": server.tls_port, "username": USER, "password": PASSWORD}
    known = {"ca_file": str(server.certificate)}
    bounces = {"secret": SECRET, "imap": settings | known | imap}
    config = msgspec.convert({"host": "localhost", "sender": "shop@example.test", "bounces": bounces}, Config)
    return EmailChannel(config, Tools(channel="email", http=AiohttpClient()))


@pytest.mark.asyncio
@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
async def test_a_mailbox_is_read_by_imap_and_put_in_order_once_all_is_committed(
    dovecot: DovecotServer, tls: str
) -> None:
    dovecot.put(bounce(SEALS), b"Subject: Hi\n\nAre you there?\n", bounce(SEALS) + b"x" * 1_000_000)
    email = channel(dovecot, tls=tls, port=dovecot.tls_port if tls == "tls" else dovecot.port)
    polled = await email.poll()
    assert [(report.what, report.key, report.address_gone) for report in polled.reports] == [
        ("undelivered", KEY, True)
    ] * 2
    again = await email.poll()
    assert again.taken == polled.taken, "what is not settled comes again"
    for _ in range(2):
        await email.settle(polled)
    assert (await email.poll()).taken == ()
    assert {flags[0] for flags in dovecot.inside()} == {"S"}, "what a person may want to read stays, as read"
    assert all(raw.startswith(b"Subject: Hi") for raw in dovecot.inside().values())


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("imap", "says"),
    [
        ({"password": "wrong"}, "(?i)authentication"),
        ({"ca_file": None}, "certificate"),
        ({"mailbox": "None"}, "(?i)mailbox"),
        ({"tls": "starttls", "timeout": 1}, "."),
    ],
)
async def test_a_mailbox_that_cannot_be_read_says_why(dovecot: DovecotServer, imap: dict[str, Any], says: str) -> None:
    with pytest.raises(OSError, match=says) as refused:
        await channel(dovecot, **imap).poll()
    assert PASSWORD not in str(refused.value)


@pytest.mark.asyncio
async def test_a_server_that_trickles_is_left_when_nobody_waits_any_more() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
        try:
            while not writer.is_closing():
                writer.write(b"* x")
                await asyncio.sleep(0.05)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    imap = {"host": "127.0.0.1", "port": port, "tls": "none", "username": "u", "password": "p"}
    bounces = {"secret": SECRET, "imap": imap}
    config = msgspec.convert({"host": "localhost", "sender": "shop@example.test", "bounces": bounces}, Config)
    email = EmailChannel(config, Tools(channel="email", http=AiohttpClient()))
    before = threading.active_count()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(email.poll(), 0.5)
    server.close()
    await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 3)
    assert threading.active_count() <= before
