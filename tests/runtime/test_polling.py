"""What channels bring when they are polled is committed first, and settled then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from segue.api import Callback, Instant, Polled, Report
from segue.host import Fault
from segue.runtime import polling
from segue.runtime.busy import Busy
from segue.runtime.polling import Pollers
from segue.store.errors import StoreUnavailable

pytestmark = pytest.mark.asyncio


def bounce(n: int) -> Report:
    return Report(id=str(n), what="undelivered", at=Instant(1), key="k")


class Mailbox:
    """A channel with a mailbox. What was settled is gone from it; ``wrong`` are the errors of the next polls."""

    def __init__(self, *reports: Report, wrong: tuple[Exception, ...] = ()) -> None:
        self.inside = list(reports)
        self.wrong = list(wrong)
        self.said: list[str] = []
        self.empty = asyncio.Event()

    async def poll(self) -> Polled:
        if self.wrong:
            raise self.wrong.pop(0)
        if not self.inside:
            self.empty.set()
            return Polled(again=3600)
        return Polled(reports=(self.inside[0],), taken=(self.inside[0].id,), again=0)

    async def settle(self, polled: Polled) -> None:
        self.said += [f"settled {name}" for name in polled.taken]
        self.inside = [one for one in self.inside if one.id not in polled.taken]


async def drive(mailbox: Mailbox, commit: Callable[[str, Callback], None]) -> Pollers:
    async def settle(channel: str, callback: Callback) -> None:
        commit(channel, callback)

    pollers = Pollers({"email": mailbox}, settle)
    pollers.start()
    await asyncio.wait_for(mailbox.empty.wait(), 5)
    await pollers.stop()
    return pollers


async def test_each_report_is_committed_and_then_settled() -> None:
    mailbox = Mailbox(bounce(1), bounce(2))
    pollers = await drive(mailbox, lambda channel, callback: mailbox.said.append(f"{channel} {callback.reports[0].id}"))
    assert mailbox.said == ["email 1", "settled 1", "email 2", "settled 2"]
    assert pollers.all["email"].reports == 2


@pytest.mark.parametrize("error", [Busy(0.01), StoreUnavailable("the disk is full")])
async def test_what_cannot_be_committed_is_offered_again_and_not_settled_before(error: Exception) -> None:
    mailbox = Mailbox(bounce(1))
    wrong = [error, error]

    def commit(channel: str, callback: Callback) -> None:
        mailbox.said.append("offered")
        if wrong:
            raise wrong.pop()

    await drive(mailbox, commit)
    assert mailbox.said == ["offered", "offered", "offered", "settled 1"]


async def test_a_mailbox_that_cannot_be_read_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "UNREACHABLE_FIRST", 0.01)
    mailbox = Mailbox(
        bounce(1), wrong=(Fault("no connection"), Fault("no connection"), ValueError("a mistake of ours"))
    )
    monkeypatch.setattr("segue.runtime.asking.LONGEST_PAUSE", 0.01)
    await drive(mailbox, lambda channel, callback: None)
    assert mailbox.said == ["settled 1"]


async def test_stopping_waits_for_no_answer_and_settles_nothing_that_is_not_committed() -> None:
    class Hanging(Mailbox):
        async def poll(self) -> Polled:
            self.empty.set()
            await asyncio.Event().wait()
            raise AssertionError("never")

    await asyncio.wait_for(drive(Hanging(), lambda channel, callback: None), 2)

    mailbox = Mailbox(bounce(1))

    def commit(channel: str, callback: Callback) -> None:
        mailbox.empty.set()
        raise Busy(60.0)

    await asyncio.wait_for(drive(mailbox, commit), 2)
    assert mailbox.said == []


async def test_a_channel_with_nothing_to_ask_is_not_asked_again() -> None:
    class Nothing(Mailbox):
        async def poll(self) -> Polled:
            self.said.append("asked")
            self.empty.set()
            return Polled(again=None)

    nothing = Nothing()
    await drive(nothing, lambda channel, callback: None)
    assert nothing.said == ["asked"]
