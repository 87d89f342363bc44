"""``segue send --test``: what arrives, what is refused, and how it ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner, Result

from segue.cli.main import app
from tests.counterparts.process import free_port

RULE = "event paid\nrule sale when paid send email and sms\n"


class Mailbox:
    """Takes mail as an SMTP server hands it over, and refuses whom it does not know."""

    def __init__(self) -> None:
        self.found: list[EmailMessage] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = BytesParser(policy=default).parsebytes(envelope.content)
        self.found.append(message)
        return "250 OK"


class Gateway(BaseHTTPRequestHandler):
    """Answers as Kannel does."""

    texts: list[str] = []

    def do_GET(self) -> None:
        self.texts.append(parse_qs(urlsplit(self.path).query, encoding="utf-8").get("text", [""])[0])
        self.send_response(202)
        self.end_headers()
        self.wfile.write(b"0: Accepted for delivery")

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    held = Mailbox()
    controller = Controller(held, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield held, controller.port
    controller.stop()


@pytest.fixture
def gateway() -> Iterator[int]:
    Gateway.texts.clear()
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mailbox: tuple[Mailbox, int], gateway: int) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KANNEL", "secret")
    home = tmp_path / "rules" / "messages" / "sale"
    home.mkdir(parents=True)
    (home / "email.txt").write_text("---\nsubject: Sale\n---\nToday\n{{ unsubscribe_url }}", "utf-8")
    (home / "email.fi.txt").write_text("---\nsubject: Ale\n---\nTänään\n{{ unsubscribe_url }}", "utf-8")
    (home / "sms.txt").write_text("Today", "utf-8")
    (tmp_path / "rules" / "sale.rules").write_text(RULE, "utf-8")
    (tmp_path / "segue.toml").write_text(
        f'[channels.email]\nuse = "email-smtp"\nhost = "127.0.0.1"\nport = {mailbox[1]}\ntls = "none"\n'
        'sender = "shop@example.com"\nconsent = "opt-in"\n'
        f'[channels.sms]\nuse = "sms-gateway"\nurl = "http://127.0.0.1:{gateway}/"\nusername = "a"\n'
        'password = { env = "KANNEL" }\nconsent = "opt-in"\n',
        "utf-8",
    )
    return tmp_path


def send(*arguments: str, to: str = "me@example.com", channel: str = "email") -> Result:
    return CliRunner().invoke(app, ["send", "sale", "--to", to, "--channel", channel, *arguments])


def test_a_marked_email_arrives_and_the_store_keeps_nothing(shop: Path, mailbox: tuple[Mailbox, int]) -> None:
    result = send("--test", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["answer"], said["to"]) == ("sent", "me@example.com")
    (message,) = mailbox[0].found
    assert message["Subject"] == "[Test] Sale"
    assert message["To"] == "me@example.com"
    assert said["key"] in str(message["Message-ID"])
    assert not list(shop.glob("*.db*"))


def test_the_language_is_chosen_as_for_a_customer(shop: Path, mailbox: tuple[Mailbox, int]) -> None:
    assert send("--test", "--locale", "fi").stdout.startswith("sent to me@example.com by email-smtp")
    assert mailbox[0].found[0]["Subject"] == "[Test] Ale"


def test_a_test_says_that_it_goes_without_the_report(shop: Path, mailbox: tuple[Mailbox, int]) -> None:
    path = shop / "rules" / "messages" / "sale" / "email.txt"
    path.write_text("---\nsubject: Sale\nattach: report 7d\n---\nToday\n{{ unsubscribe_url }}", "utf-8")
    result = send("--test")
    assert result.exit_code == 0, result.output
    assert "A test goes without its attachment: `segue report` makes the page." in result.output
    assert not list(mailbox[0].found[0].iter_attachments())
    shown = CliRunner().invoke(app, ["preview", "sale", "--channel", "email"]).output.replace("│", "")
    assert "attached when sent, not here: the report of the last 7 days" in " ".join(shown.split())


def test_a_text_message_is_marked_at_its_beginning(shop: Path) -> None:
    result = send("--test", to="+358401234567", channel="sms")
    assert result.exit_code == 0, result.output
    assert Gateway.texts == ["[Test] Today"]


def test_what_the_provider_rejects_ends_with_1_and_its_reason(shop: Path) -> None:
    result = send("--test", to="nobody@example.com")
    assert result.exit_code == 1
    assert "no such mailbox" in result.output


def test_a_suppressed_address_is_refused_unless_that_is_wanted(shop: Path, mailbox: tuple[Mailbox, int]) -> None:
    assert CliRunner().invoke(app, ["suppress", "me@example.com"]).exit_code == 0
    result = send("--test", to="ME@example.com")
    assert result.exit_code == 1
    assert "--even-if-suppressed" in result.output
    assert mailbox[0].found == []
    assert send("--test", "--even-if-suppressed").exit_code == 0
    assert len(mailbox[0].found) == 1


@pytest.mark.parametrize(
    ("arguments", "channel"), [((), "email"), (("--test",), "letter"), (("--test", "--customer", "nobody"), "email")]
)
def test_wrong_usage_sends_nothing(
    shop: Path, mailbox: tuple[Mailbox, int], arguments: tuple[str, ...], channel: str
) -> None:
    assert send(*arguments, channel=channel).exit_code in (1, 2)
    assert mailbox[0].found == []
