"""A maildir is read, and what was understood is taken out of it once that is committed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Polled, Tools
from segue_email_smtp import Config, EmailChannel
from segue_email_smtp.mailboxes import AT_ONCE, Maildir
from segue_email_smtp.seals import Seals

SETTINGS: dict[str, Any] = {"host": "localhost", "sender": "shop@example.test", "tls": "none"}
IMAP = {"host": "imap.example.test", "username": "u", "password": "hunter2"}
SECRET = "0123456789 a secret"
SEALS = Seals(SECRET)
KEY = "0123456789abcdef0123456789abcdef"
ADDRESS = "Ann@example.org"
BOUNCE = f"""\
To: bounces+{SEALS.seal(KEY)}@b.example.test
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Action: failed
Status: 5.1.1
--b--
""".encode()
REPLY = f"From: {ADDRESS}\nIn-Reply-To: <{SEALS.seal_for(KEY, ADDRESS)}@x>\n\nThanks".encode()


def channel(**bounces: Any) -> EmailChannel:
    settings = SETTINGS | ({"bounces": {"secret": SECRET} | bounces} if bounces else {})
    tools = Tools(channel="email", http=None)  # type: ignore[arg-type]  # it calls nobody by HTTP
    return EmailChannel(msgspec.convert(settings, Config), tools)


def put(folder: Path, *mails: bytes) -> Path:
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    for number, raw in enumerate(mails):
        (folder / "new" / f"17{number:05}.x").write_bytes(raw)
    return folder


def test_without_a_mailbox_there_is_nothing_to_ask() -> None:
    assert asyncio.run(channel().poll()) == Polled(again=None)


def test_a_mail_stays_until_it_is_settled_and_only_what_a_person_may_want_stays_after(tmp_path: Path) -> None:
    folder = put(tmp_path, BOUNCE, REPLY, b"Subject: Hi\n\nAre you there?")

    async def run() -> None:
        email = channel(maildir=str(folder), every=30)
        polled = await email.poll()
        assert [report.what for report in polled.reports] == ["undelivered"]
        assert [inbound.text for inbound in polled.inbound] == ["Thanks"]
        assert polled.again == 30
        assert [report.id for report in (await email.poll()).reports] == [report.id for report in polled.reports]
        for _ in range(2):
            await email.settle(polled)
        assert (await email.poll()).taken == ()

    asyncio.run(run())
    assert list((folder / "new").iterdir()) == []
    assert sorted(path.name for path in (folder / "cur").iterdir()) == ["1700001.x:2,S", "1700002.x:2,S"]


def test_much_mail_is_brought_piece_by_piece(tmp_path: Path) -> None:
    folder = put(tmp_path, *[BOUNCE] * (AT_ONCE + 3))
    polled = asyncio.run(channel(maildir=str(folder)).poll())
    assert (len(polled.taken), polled.again) == (AT_ONCE, 0)


def test_neither_a_pipe_nor_a_link_nor_another_folder_is_followed(tmp_path: Path) -> None:
    folder = put(tmp_path)
    os.mkfifo(folder / "new" / "pipe")
    (folder / "new" / "link").symlink_to(__file__)
    (folder / "secret").write_text("keep me")
    mailbox = Maildir(folder)
    assert asyncio.run(mailbox.read()) == []
    asyncio.run(mailbox.put_away([("../secret", "delete")]))
    assert (folder / "secret").exists()


def test_a_mailbox_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="new"):
        asyncio.run(channel(maildir=str(tmp_path / "none")).poll())


@pytest.mark.parametrize(
    ("bounces", "says"),
    [
        ({"secret": SECRET}, "maildir or imap"),
        ({"secret": SECRET, "maildir": "/m", "imap": IMAP}, "one of the two"),
        ({"secret": "short", "maildir": "/m"}, "16"),
        ({"secret": SECRET, "maildir": "/m", "every": 0}, "every"),
        ({"secret": SECRET, "imap": IMAP | {"tls": "none"}}, "unencrypted"),
        ({"secret": SECRET, "imap": IMAP | {"mailbox": "a\r\nb LOGOUT"}}, "line break"),
        ({"secret": SECRET, "imap": IMAP | {"mailbox": "Entwürfe"}}, "UTF-7"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(bounces: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(SETTINGS | {"bounces": bounces}, Config)


def test_no_secret_is_shown() -> None:
    shown = repr(msgspec.convert(SETTINGS | {"bounces": {"secret": SECRET, "imap": IMAP}}, Config))
    assert SECRET not in shown
    assert "hunter2" not in shown


def test_the_key_goes_out_with_its_code() -> None:
    settings = SETTINGS | {
        "envelope_sender": "bounces+{key}@b.example.test",
        "bounces": {"secret": SECRET, "maildir": "/m"},
    }
    config = msgspec.convert(settings, Config)
    assert config.bounce_address(KEY) == f"bounces+{SEALS.seal(KEY)}@b.example.test"
    assert len(config.bounce_address(KEY).partition("@")[0]) <= 64
    assert config.message_id(KEY, ADDRESS) == f"<{SEALS.seal_for(KEY, ADDRESS.lower())}@example.test>"
