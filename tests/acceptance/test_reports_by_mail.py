"""A report that a rule of the project sends by its own email channel: the real daemon, and a mail server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.acceptance.harness import Daemon, Project, email_table, identify, track, wait_until
from tests.counterparts.process import free_port

RULES = """
event report_wanted

rule welcome when signed_up as informational
  send email "hello"
  wait 30h
  send email "again"

rule weekly when report_wanted as informational send email "weekly_report"
"""
EVERY_WEEK = """
customer
  team boolean

segment team where customer.team

rule every_week
  every {day} at {time} for team
  as informational
  send email "weekly_report"
"""
MESSAGES = {
    "hello": {"email.txt": "---\nsubject: Hello\n---\nHello!\n"},
    "again": {"email.txt": "---\nsubject: Again\n---\nHello again!\n"},
    "weekly_report": {"email.txt": "---\nsubject: The week\nattach: report 7d\n---\nHere it is.\n"},
}


class Mailbox:
    """Takes mail as an SMTP server hands it over."""

    def __init__(self) -> None:
        self.found: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.found.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 OK"

    def pages(self) -> list[tuple[str, str]]:
        """The reports that came, each with its name."""
        return [
            (part.get_filename() or "", part.get_content())
            for mail in self.found
            if mail["Subject"] == "The week"
            for part in mail.iter_attachments()
        ]


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    held = Mailbox()
    controller = Controller(held, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield held, controller.port
    controller.stop()


@pytest.fixture
def project(tmp_path: Path, mailbox: tuple[Mailbox, int]) -> Project:
    """A project that has a day behind it on which the rule ``welcome`` sent something."""
    made = Project(tmp_path / "project", rules=RULES, messages=MESSAGES, channels=email_table(mailbox[1]))
    with Daemon(made, speed=100_000):
        made.send(identify("ann", email="ann@example.com"), track("ann", "Signed Up"))
        wait_until(lambda: len(mailbox[0].found) == 2)
    return made


def test_a_rule_mails_the_page_of_the_last_days_to_all_of_its_recipients(
    project: Project, mailbox: tuple[Mailbox, int]
) -> None:
    with Daemon(project, speed=10) as daemon:
        for name in ("ann", "bea"):
            project.send(identify(name, email=f"{name}@example.com"), track(name, "report_wanted"))
        pages = wait_until(lambda: len(mailbox[0].pages()) == 2 and mailbox[0].pages())
        assert not daemon.entries("the report cannot be made")
    ((name, page), again) = pages
    assert (name, page) == again
    assert re.fullmatch(r"report-\d{4}-\d\d-\d\d\.html", name)
    assert page.lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "welcome" in page
    waited = project.rows("select attempted from message where rule = 'weekly'")
    assert all(b"days before" in attempted and b"is being made" in attempted for (attempted,) in waited)


def test_a_report_that_cannot_be_made_leaves_a_reason_and_no_mail_until_it_can(
    project: Project, mailbox: tuple[Mailbox, int]
) -> None:
    settings = (project.root / "segue.toml").read_text("utf-8")
    before = len(mailbox[0].found)
    with Daemon(project, speed=10) as daemon:
        project.write("segue.toml", f"{settings}\n[nonsense]\n")
        project.send(track("ann", "report_wanted"))
        said = daemon.wait_for("the report cannot be made")["reason"]
        assert "nonsense" in said
        ((reason,),) = wait_until(
            lambda: project.rows("select reason from message where rule = 'weekly' and reason like 'its report%'")
        )
        assert reason == f"its report cannot be made: {said}"
        assert len(mailbox[0].found) == before
        project.write("segue.toml", settings)
        wait_until(mailbox[0].pages)


def test_a_rule_of_the_calendar_mails_it_on_its_day_of_the_week(tmp_path: Path, mailbox: tuple[Mailbox, int]) -> None:
    due = datetime.now(UTC) + timedelta(hours=3)
    rules = EVERY_WEEK.format(day=f"{due:%A}".lower(), time=f"{due:%H:%M}")
    project = Project(tmp_path / "project", rules=rules, messages=MESSAGES, channels=email_table(mailbox[1]))
    with Daemon(project, speed=1_000):
        project.send(identify("tess", email="tess@example.com", team=True), identify("ann", email="ann@example.com"))
        ((name, page),) = wait_until(mailbox[0].pages, within=80.0)
    assert name == f"report-{due:%Y-%m-%d}.html"
    assert page.rstrip().endswith("</html>")
    (mail,) = mailbox[0].found
    assert mail["To"] == "tess@example.com"
    ((decided,),) = project.rows("select decided from message")
    assert decided == due.replace(second=0, microsecond=0).timestamp() * 1_000_000
