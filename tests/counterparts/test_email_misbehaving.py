"""The email channel against a server that hangs, breaks off and talks nonsense."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiosmtplib
import pytest

from segue.api import Answer, Rejected, Retry, Sent, Unknown
from segue_email_smtp import connection as connection_module
from tests.counterparts.mail import channel, message
from tests.counterparts.misbehaving_smtp import MisbehavingSmtp

pytestmark = pytest.mark.asyncio


async def answers_for(server: MisbehavingSmtp, *names: str, **settings: Any) -> list[Answer]:
    async with channel(server, **({"connections": 1, "timeout": 0.5} | settings)) as email:
        return list(await email.send([message(f"{name}@example.test") for name in names]))


@pytest.mark.parametrize("name", ["drop-rcpt", "drop-data", "hang-rcpt", "busy", "code-450"])
async def test_a_mail_that_was_not_handed_over_goes_later(misbehaving: MisbehavingSmtp, name: str) -> None:
    before, answer, after = await answers_for(misbehaving, "ann", name, "bob")
    assert isinstance(answer, Retry)
    assert isinstance(before, Sent)
    assert isinstance(after, Sent)
    assert misbehaving.recipients() == ["ann@example.test", "bob@example.test"]


@pytest.mark.parametrize("name", ["drop-body", "drop-end", "hang-end", "junk-end"])
async def test_a_mail_that_was_cut_off_while_handed_over_is_unknown(misbehaving: MisbehavingSmtp, name: str) -> None:
    before, answer, after = await answers_for(misbehaving, "ann", name, "bob")
    assert isinstance(answer, Unknown)
    assert isinstance(before, Sent)
    assert isinstance(after, Sent)


@pytest.mark.parametrize(("name", "kind"), [("end-451", Retry), ("end-554", Rejected), ("code-550", Rejected)])
async def test_a_refusal_leaves_the_connection_good(misbehaving: MisbehavingSmtp, name: str, kind: type) -> None:
    before, answer, after = await answers_for(misbehaving, "ann", name, "bob")
    assert isinstance(answer, kind)
    assert isinstance(before, Sent)
    assert isinstance(after, Sent)
    assert misbehaving.connections == 1


async def test_two_broken_connections_in_a_row_leave_the_rest_for_later(misbehaving: MisbehavingSmtp) -> None:
    answers = await answers_for(misbehaving, "ann", "drop-data", "drop-end", "bob", "cid")
    assert [type(answer) for answer in answers] == [Sent, Retry, Unknown, Retry, Retry]
    assert misbehaving.recipients() == ["ann@example.test", "drop-end@example.test"]


async def test_a_hanging_server_holds_a_batch_no_longer_than_two_time_outs(misbehaving: MisbehavingSmtp) -> None:
    begun = time.monotonic()
    answers = await answers_for(misbehaving, *["hang-rcpt"] * 20)
    assert time.monotonic() - begun < 5
    assert {type(answer) for answer in answers} == {Retry}


async def test_a_batch_that_takes_too_long_is_answered_all_the_same(
    misbehaving: MisbehavingSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue_email_smtp.channel._BATCH_TIME", 0.5)
    answers = await answers_for(misbehaving, "ann", "hang-end", "bob", timeout=30)
    assert [type(answer) for answer in answers] == [Sent, Unknown, Retry]


async def test_a_server_that_takes_one_mail_a_connection_gets_them_all() -> None:
    with MisbehavingSmtp(last=1) as server:
        names = [f"customer{n}" for n in range(5)]
        async with channel(server, connections=1, timeout=5) as email:
            for name in names:
                assert isinstance((await email.send([message(f"{name}@example.test")]))[0], Sent)
                await asyncio.sleep(0.05)
        assert server.recipients() == [f"{name}@example.test" for name in names]
        assert server.connections == 5


async def test_connections_are_kept_over_sends_and_never_more_than_allowed(misbehaving: MisbehavingSmtp) -> None:
    async with channel(misbehaving, connections=3, timeout=5) as email:
        for turn in range(4):
            batch = [message(f"customer{turn}.{n}@example.test") for n in range(20)]
            assert {type(answer) for answer in await email.send(batch)} == {Sent}
    assert misbehaving.peak == 3
    assert misbehaving.connections == 3
    assert len(misbehaving.taken) == 80


async def test_connections_closed_between_sends_are_made_anew(misbehaving: MisbehavingSmtp) -> None:
    async with channel(misbehaving, connections=1, timeout=5) as email:
        await email.send([message("ann@example.test")])
        misbehaving.close_connections()
        time.sleep(0.1)  # blocking on purpose: the loop has not seen the close when it sends again
        assert isinstance((await email.send([message("bob@example.test")]))[0], Sent)


async def test_a_connection_that_waited_long_is_not_trusted(
    misbehaving: MisbehavingSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "IDLE", 0.0)
    async with channel(misbehaving, connections=1, timeout=5) as email:
        await email.send([message("ann@example.test")])
        await email.send([message("bob@example.test")])
    assert misbehaving.connections == 2


async def test_a_send_that_is_cancelled_leaves_no_connection_behind(misbehaving: MisbehavingSmtp) -> None:
    async with channel(misbehaving, connections=1, timeout=30) as email:
        under_way = asyncio.create_task(email.send([message("hang-end@example.test")]))
        await asyncio.sleep(0.3)
        under_way.cancel()
        with pytest.raises(asyncio.CancelledError):
            await under_way
        assert isinstance((await email.send([message("bob@example.test")]))[0], Sent)
    assert misbehaving.connections == 2


async def test_the_login_is_used_and_a_wrong_one_means_later() -> None:
    with MisbehavingSmtp(password="right") as server:
        (good,) = await answers_for(server, "ann", username="shop", password="right")
        (wrong,) = await answers_for(server, "bob", username="shop", password="wrong")
        (none,) = await answers_for(server, "cid")
    assert isinstance(good, Sent)
    assert isinstance(wrong, Retry)
    assert "535" in wrong.reason
    assert "wrong" not in wrong.reason
    assert isinstance(none, Retry)
    assert "530" in none.reason


async def test_the_same_message_is_the_same_mail_each_time_but_for_its_date(misbehaving: MisbehavingSmtp) -> None:
    async with channel(misbehaving, connections=1, timeout=5) as email:
        content = {"subject": "s", "text": "t\n", "html": "<p>h</p>"}
        for _ in range(2):
            await email.send([message("ann@example.test", content=content)])
    first, second = (
        [line for line in mail.splitlines() if not line.startswith(b"Date:")] for _, mail in misbehaving.taken
    )
    assert first == second
    assert any(line.startswith(b"Message-ID: <") for line in first)


@pytest.mark.parametrize("local", ["o'neil", "a!#$%&*/=?^_`{|}~-b", "x.y+tag", "jürgen", "用户", "a" * 64])
async def test_the_envelope_names_the_recipient_as_the_customer_wrote_it(
    misbehaving: MisbehavingSmtp, local: str
) -> None:
    (answer,) = await answers_for(misbehaving, local, timeout=5)
    assert isinstance(answer, Sent)
    assert misbehaving.recipients() == [f"{local}@example.test"]


async def test_an_error_of_the_client_costs_the_mail_it_met_and_no_other(
    misbehaving: MisbehavingSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    rcpt = aiosmtplib.SMTP.rcpt

    async def fail_once(self: aiosmtplib.SMTP, recipient: str, **options: Any) -> Any:
        if recipient.startswith("bob"):
            raise RuntimeError("a bug")
        return await rcpt(self, recipient, **options)

    monkeypatch.setattr(aiosmtplib.SMTP, "rcpt", fail_once)
    answers = await answers_for(misbehaving, "ann", "bob", "cid", timeout=5)
    assert [type(answer) for answer in answers] == [Sent, Retry, Sent]
