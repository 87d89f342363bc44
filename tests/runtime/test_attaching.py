"""How the report of a message is made: once, beside the daemon, or not at all and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from segue.api import Attachment, Instant, Rejected, Retry
from segue.clock.clock import Clock
from segue.runtime import attaching
from segue.runtime.attaching import Bounds, Reports

MONDAY = Instant(1_795_420_800_000_000)  # 2026-11-23T08:00:00Z
WRITES = """
import sys
with open("runs", "a") as file: file.write(" ".join(sys.argv[1:-1]) + "\\n")
with open(sys.argv[-1], "w") as file: file.write("<!doctype html>")
"""
KILLED = "import os; os.kill(os.getpid(), 9)"
GREEDY = "held = b'.' * 4_000_000_000"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has another program in the place of ``segue report``, with the same bounds."""

    bounds = attaching._START.partition("from segue")[0]

    def put(text: str) -> None:
        monkeypatch.setattr(attaching, "_START", bounds + text)

    return put


async def ask_until(reports: Reports, kind: Any) -> Any:
    async with asyncio.timeout(20.0):
        while not isinstance(answer := reports.ask(7, MONDAY), kind):
            await asyncio.sleep(0.02)
        return answer


def test_it_is_made_once_for_all_who_ask_on_a_day(tmp_path: Path, program: Callable[[str], None]) -> None:
    program(WRITES)

    async def run() -> None:
        reports = Reports(tmp_path, UTC, Clock())
        waiting = reports.ask(7, MONDAY)
        assert isinstance(waiting, Retry)
        assert waiting.reason == "the report of the 7 days before 2026-11-23 is being made"
        assert isinstance(reports.ask(7, MONDAY), Retry)
        made = await ask_until(reports, Attachment)
        assert made == Attachment(
            name="report-2026-11-23.html", media="text/html; charset=utf-8", data=b"<!doctype html>"
        )
        assert reports.ask(7, Instant(MONDAY + 3_600_000_000)) is made
        await reports.stop()

    asyncio.run(run())
    assert (tmp_path / "runs").read_text("utf-8") == "report --since 2026-11-16 --until 2026-11-22 --out\n"


@pytest.mark.parametrize(
    ("text", "bounds", "reason"),
    [
        (KILLED, {}, "its process was ended by SIGKILL"),
        ("import time; time.sleep(60)", {"within": 0.2}, "it took longer than 0.2 s"),
        (GREEDY, {"memory": 2**30}, "it needs more than 1 GB of memory"),
        ("print('half a page')", {}, "no page was written"),
        ("raise SystemExit('the store is gone')", {}, "the store is gone"),
        ("print('words ' * 200_000); raise SystemExit('at last')", {}, "at last"),
        (WRITES, {"largest": 10}, "it has 0 MB, and mailboxes take no more than 0"),
    ],
)
def test_what_fails_is_tried_again_and_then_given_up_with_its_reason(
    tmp_path: Path, program: Callable[[str], None], text: str, bounds: dict[str, Any], reason: str
) -> None:
    program(text)

    async def run() -> None:
        reports = Reports(tmp_path, UTC, Clock(), Bounds(tries=2, pause=0.05, **bounds))
        told = []
        async with asyncio.timeout(20.0):
            while not isinstance(answer := reports.ask(7, MONDAY), Rejected):
                assert isinstance(answer, Retry)
                told.append(answer.reason)
                await asyncio.sleep(0.01)
        assert answer.reason == f"its report cannot be made: {reason}"
        assert answer.reason in told
        await reports.stop()

    asyncio.run(run())


def test_after_a_rest_what_was_given_up_is_tried_anew(tmp_path: Path, program: Callable[[str], None]) -> None:
    program(KILLED)

    async def run() -> None:
        reports = Reports(tmp_path, UTC, Clock(), Bounds(tries=1, rest=0.2))
        await ask_until(reports, Rejected)
        program(WRITES)
        await ask_until(reports, Attachment)
        await reports.stop()

    asyncio.run(run())


def test_a_stop_ends_the_process(tmp_path: Path, program: Callable[[str], None]) -> None:
    program("import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")

    async def run() -> None:
        reports = Reports(tmp_path, UTC, Clock())
        reports.ask(7, MONDAY)
        async with asyncio.timeout(20.0):
            while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text("utf-8"):
                await asyncio.sleep(0.02)
            await reports.stop()

    asyncio.run(run())
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text('utf-8')}").exists()


def test_waits_are_as_long_by_a_compressed_clock(tmp_path: Path, program: Callable[[str], None]) -> None:
    program(WRITES)

    async def run() -> None:
        reports = Reports(tmp_path, UTC, Clock(speed=100.0), Bounds(look=2.0))
        answer = reports.ask(7, MONDAY)
        assert isinstance(answer, Retry)
        assert answer.after == 200.0
        await reports.stop()

    asyncio.run(run())
