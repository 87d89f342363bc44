"""Clocks of sources: one that is hours off is noticed and said once, one that is right raises no alarm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import pytest
from structlog.testing import capture_logs

from segue.api import Event, Fetched, Instant
from segue.api.values import HOUR, MINUTE, SECOND
from segue.runtime.inbox import Inbox
from segue.runtime.source_clocks import SourceClocks
from segue.store.clocks import load_clocks
from segue.store.database import Store
from tests.runtime.rulebook import publish_text

pytestmark = pytest.mark.asyncio
T0 = Instant(1_790_000_000_000_000)


class Watch:
    """Clocks with a time of their own, which a test moves."""

    def __init__(self, store: Store) -> None:
        self.now = T0
        self.store = store
        self.clocks = SourceClocks(store, lambda: self.now, frozenset({"nightly"}))

    def pass_by(
        self, offsets: Sequence[int], *, every: int = MINUTE, called: bool = True, source: str = "till"
    ) -> None:
        """Events arrive one after the other, each dated so far from its arrival (positive: in the future)."""
        for n, offset in enumerate(offsets):
            self.now = Instant(self.now + every)
            event = Event(message_id=f"{self.now}-{n}", timestamp=Instant(self.now + offset), source=source)
            self.clocks.note([event], self.now, called=called)

    async def look(self) -> list[str]:
        """What a look says, in the log."""
        with capture_logs() as logs:
            self.clocks.look()
            if self.clocks._looking is not None:
                await self.clocks._looking
        return [f"{line['log_level']}: {line['event']}, {line['ahead_seconds']} s" for line in logs]

    def state(self) -> str:
        return self.clocks.clocks["till"].state


@pytest.fixture
def watch() -> Iterator[Watch]:
    with contextlib.closing(Store(None)) as store:
        store.start()
        yield Watch(store)


async def test_a_clock_that_is_ahead_is_said_once_and_again_when_it_is_right(watch: Watch) -> None:
    watch.pass_by([2 * HOUR] * 30)
    assert await watch.look() == [
        "warning: the clock of a source is ahead: its events count as of their arrival, see `segue doctor`, 7200 s"
    ]
    assert await watch.look() == []
    watch.pass_by([-SECOND] * 600)
    assert await watch.look() == ["info: the clock of a source is right again, 0 s"]


async def test_a_clock_that_is_behind_is_said_with_the_least_lag(watch: Watch) -> None:
    watch.pass_by([-2 * HOUR - 3 * SECOND, -2 * HOUR - SECOND, -9 * HOUR] * 30)
    assert await watch.look() == [
        "warning: the clock of a source is behind, or it sends late: see `segue doctor`, -7201 s"
    ]
    watch.pass_by([-SECOND])
    assert await watch.look() == ["info: the clock of a source is right again, 0 s"]


@pytest.mark.parametrize(
    ("offsets", "every", "called"),
    [
        pytest.param([-HOUR] * 40 + [-SECOND], 2 * MINUTE, True, id="one that comes at once among old ones"),
        pytest.param([-5 * HOUR] * 500, SECOND, True, id="what waited through an outage"),
        pytest.param([-5 * HOUR] * 500, MINUTE, False, id="old rows that are fetched"),
        pytest.param([-SECOND] * 30 + [3 * HOUR], MINUTE, True, id="one phone that is ahead"),
        pytest.param([MINUTE] * 100, MINUTE, True, id="a minute ahead"),
        pytest.param([4 * HOUR] * 19, MINUTE, True, id="too few to say"),
    ],
)
async def test_no_false_alarm(watch: Watch, offsets: list[int], every: int, called: bool) -> None:
    watch.pass_by(offsets, every=every, called=called)
    assert await watch.look() == []


async def test_a_source_that_is_late_on_purpose_is_never_behind_but_may_be_ahead(watch: Watch) -> None:
    watch.pass_by([-5 * HOUR] * 100, every=5 * MINUTE, source="nightly")
    assert await watch.look() == []
    watch.pass_by([5 * HOUR] * 100, every=5 * MINUTE, source="nightly")
    assert await watch.look() == [
        "warning: the clock of a source is ahead: its events count as of their arrival, see `segue doctor`, 18000 s"
    ]


async def test_a_source_that_was_behind_is_right_once_it_is_said_to_be_late(watch: Watch) -> None:
    watch.pass_by([-5 * HOUR] * 100, every=5 * MINUTE)
    await watch.look()
    assert watch.state() == "behind"
    watch.clocks = SourceClocks(watch.store, lambda: watch.now, frozenset({"till"}))
    await watch.clocks.start()
    watch.pass_by([-5 * HOUR] * 30)
    assert await watch.look() == ["info: the clock of a source is right again, 0 s"]


async def test_what_is_fetched_from_the_future_is_noticed(watch: Watch) -> None:
    watch.pass_by([3 * HOUR] * 30, called=False)
    assert await watch.look() == [
        "warning: the clock of a source is ahead: its events count as of their arrival, see `segue doctor`, 10800 s"
    ]


async def test_a_single_absurd_time_does_not_hide_by_how_much_a_clock_is_ahead(watch: Watch) -> None:
    watch.pass_by([HOUR] * 30 + [10**17])
    await watch.look()
    assert watch.clocks.clocks["till"].offset == HOUR


async def test_a_restart_says_nothing_again(watch: Watch) -> None:
    watch.pass_by([2 * HOUR] * 30)
    await watch.look()
    [kept] = watch.store.write(load_clocks).result(5)
    assert (kept.state, kept.offset, kept.share, kept.since) == ("ahead", 2 * HOUR, 1000, watch.now)
    after = Watch(watch.store)
    after.now = watch.now
    await after.clocks.start()
    after.pass_by([2 * HOUR] * 30)
    assert await after.look() == []
    assert (after.state(), after.clocks.clocks["till"].since) == ("ahead", kept.since)


async def test_after_a_restart_a_clock_that_was_behind_is_so_until_an_event_comes_in_time(watch: Watch) -> None:
    watch.pass_by([-2 * HOUR] * 90)
    await watch.look()
    after = Watch(watch.store)
    after.now = watch.now
    await after.clocks.start()
    after.pass_by([-2 * HOUR] * 25)
    assert await after.look() == []
    assert after.state() == "behind"
    after.pass_by([-SECOND])
    assert await after.look() == ["info: the clock of a source is right again, 0 s"]


async def test_what_is_remembered_of_a_source_is_bounded(watch: Watch) -> None:
    watch.pass_by([0] * 3000, every=15 * MINUTE)
    assert len(watch.clocks._buckets["till"]) <= 201


async def test_the_inbox_tells_what_is_called_in_from_what_is_fetched() -> None:
    with contextlib.closing(Store(None)) as store:
        running = publish_text(store, "event paid")
        store.start()
        watch = Watch(store)
        inbox = Inbox(store, lambda: running, lambda: watch.now, lambda done: None, clocks=watch.clocks)
        inbox.start()
        for n in range(30):
            watch.now = Instant(watch.now + 10 * MINUTE)
            old = Instant(watch.now - 2 * HOUR)
            await inbox.put([Event(message_id=f"a{n}", timestamp=old, source="till", name="paid")])
            fetched = Fetched(events=(Event(message_id=f"b{n}", timestamp=old, source="crm", name="paid"),))
            await inbox.put_fetched("crm", fetched)
        assert await watch.look() == [
            "warning: the clock of a source is behind, or it sends late: see `segue doctor`, -7200 s"
        ]
        assert {name: one.state for name, one in watch.clocks.clocks.items()} == {"crm": "right", "till": "behind"}
        await inbox.drain()
