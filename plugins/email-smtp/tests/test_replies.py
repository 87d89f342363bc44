"""What a server's refusal means."""

from __future__ import annotations

import pytest

from segue.api import Rejected, Retry
from segue_email_smtp.replies import Stage, judge, queue_id, readable


@pytest.mark.parametrize(
    ("code", "text", "stage", "gone"),
    [
        (550, "5.1.1 <x@y>: Recipient address rejected: User unknown in virtual mailbox table", "rcpt", True),
        (550, "5.1.1 no such user", "data", False),
        (550, "5.7.1 relaying denied", "rcpt", False),
        (550, "5.7.1 we do not know you: user unknown", "rcpt", False),
        (550, "No such user here", "rcpt", True),
        (550, "Mailbox not found", "rcpt", True),
        (550, "Blocked by policy", "rcpt", False),
        (554, "No such user here", "rcpt", False),
        (556, "5.1.10 null MX", "rcpt", True),
        (550, "5.2.1 mailbox disabled", "rcpt", True),
        (552, "5.2.2 mailbox full", "rcpt", False),
        (553, "5.1.8 sender unknown", "mail", False),
        (554, "5.6.0 content refused", "data", False),
    ],
)
def test_a_permanent_refusal_rejects_and_only_a_dead_mailbox_is_gone(
    code: int, text: str, stage: Stage, gone: bool
) -> None:
    answer = judge(code, text, stage)
    assert isinstance(answer, Rejected)
    assert answer.address_gone is gone
    assert answer.reason.startswith(str(code))


@pytest.mark.parametrize("code", [421, 450, 451, 452, 454, 455, 250, 354, 199, -1, 600, 999])
def test_everything_but_5xx_may_go_later(code: int) -> None:
    assert isinstance(judge(code, "x", "rcpt"), Retry)


@pytest.mark.parametrize(
    ("code", "text", "stage", "alone"),
    [
        (450, "4.2.0 <x@y>: Recipient address rejected: Greylisted, see https://postgrey.example", "rcpt", True),
        (451, "4.7.1 Greylisting in action, please come back later", "rcpt", True),
        (451, "4.7.1 Try again later: greylisted", "data", True),
        (450, "try later", "rcpt", True),
        (451, "local error in processing", "rcpt", True),
        (452, "4.2.2 mailbox full", "rcpt", True),
        (452, "insufficient system storage", "rcpt", False),
        (452, "4.3.1 out of disk", "rcpt", False),
        (450, "4.4.3 no route to the next server", "rcpt", False),
        (451, "4.3.0 queue file write error", "data", False),
        (450, "4.7.1 client host rejected: too many mails", "mail", False),
        (421, "4.7.0 too many connections", "rcpt", False),
        (454, "4.7.0 TLS not available", "rcpt", False),
        (535, "5.7.8 authentication", "mail", False),
    ],
)
def test_a_refusal_for_now_of_one_mailbox_says_nothing_of_the_server(
    code: int, text: str, stage: Stage, alone: bool
) -> None:
    answer = judge(code, text, stage)
    assert isinstance(answer, Retry)
    assert answer.address is alone


@pytest.mark.parametrize("code", [530, 534, 535, 538])
def test_a_login_that_is_refused_is_not_the_messages_fault(code: int) -> None:
    assert isinstance(judge(code, "5.7.8 authentication", "mail"), Retry)


def test_a_reason_is_one_short_line_whatever_the_server_says() -> None:
    said = readable("a\r\nb\x1b[31m\udcff" + "x" * 5000)
    assert said.startswith("a b [31m x")
    assert len(said) == 300
    assert said.isprintable()


def test_the_queue_id_is_found_in_postfixs_words() -> None:
    assert queue_id("2.0.0 Ok: queued as 4F3C2") == "4F3C2"
    assert queue_id("OK") == ""
