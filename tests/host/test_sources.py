"""An open source that fetches harms nobody but itself, whatever it does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from segue.api import Event, Fetched, Instant, Rejection, SourceSpec, SourceTools
from segue.host import Fault, Limits, OpenSource

pytestmark = pytest.mark.asyncio

QUICK = Limits(
    opening=0.3, fetching=0.3, settling=0.3, closing=0.3, grace=0.2, first=0.05, longest=0.1, faults=3, abandoned=3
)


class Config(msgspec.Struct, frozen=True):
    password: str = "hunter2"


class Told:
    """A source that does what a test tells it."""

    def __init__(self, fetch: Callable[[str | None], Any], settle: Callable[[Fetched], Any] | None = None) -> None:
        self.do = fetch
        self.done = settle
        self.closed = 0

    async def fetch(self, position: str | None) -> Any:
        result = self.do(position)
        return await result if asyncio.iscoroutine(result) else result

    async def settle(self, fetched: Fetched) -> None:
        if self.done is not None:
            self.done(fetched)

    async def close(self) -> None:
        self.closed += 1


def event(n: int = 0, **more: Any) -> Event:
    return Event(**{"message_id": str(n), "timestamp": Instant(1), "source": "till", "user_id": "ann", **more})


def returned(**values: Any) -> Fetched:
    """An answer in which anything may stand."""
    return Fetched(**values)


@asynccontextmanager
async def opened(
    make: Callable[[Any, SourceTools], Any], said: list[str] | None = None, limits: Limits = QUICK
) -> AsyncIterator[OpenSource]:
    spec = SourceSpec(name="told", doc="x", config=Config, open=make, fetches=True)
    heard = said if said is not None else []
    source = await OpenSource.open(spec, Config(), SourceTools(source="till"), limits=limits, on_fault=heard.append)
    try:
        yield source
    finally:
        await source.close()


def doing(fetch: Callable[[str | None], Any]) -> Callable[[Any, SourceTools], Told]:
    return lambda config, tools: Told(fetch)


async def test_it_fetches_on_a_thread_of_its_own_from_the_position_it_is_given() -> None:
    threads: set[str] = set()

    def fetch(position: str | None) -> Fetched:
        threads.add(threading.current_thread().name)
        return Fetched(events=(event(1),), position=f"after {position}", again=2)

    async with opened(doing(fetch)) as source:
        fetched = await source.fetch("7")
        assert fetched == Fetched(events=(event(1),), position="after 7", again=2.0)
        await source.settle(fetched)
    assert threads == {"segue-source-till"}


async def test_events_carry_the_name_of_the_project_whatever_the_plugin_wrote() -> None:
    async with opened(doing(lambda position: Fetched(events=(event(1, source="kafka"),)))) as source:
        assert [one.source for one in (await source.fetch(None)).events] == ["till"]


@pytest.mark.parametrize(
    ("fetch", "said"),
    [
        (lambda position: None, "what it fetched is a NoneType, not Fetched"),
        (lambda position: returned(events=7), "has events or rejections that are no list"),
        (lambda position: returned(events=("x",)), "has an event that cannot be read: is a str, not Event"),
        (lambda position: returned(events=(event(1, name=7),)), "has an event that cannot be read: Expected `str"),
        (lambda position: returned(rejections=(None,)), "has a rejection that cannot be read"),
        (lambda position: returned(position=7), "has a position that is no text"),
        (lambda position: returned(position="x" * 1_000_001), "more than a million characters"),
        (lambda position: returned(again=-1), "asks to be asked again in -1 seconds"),
        (lambda position: returned(again=float("nan")), "asks to be asked again in nan seconds"),
        (lambda position: returned(events=(event(1),) * 100_001), "has more than 100,000 events"),
        (lambda position: asyncio.sleep(60), "it did not answer within 0.3 s"),
        (lambda position: 1 / 0, "it raised ZeroDivisionError"),
    ],
)
async def test_what_is_no_answer_sets_it_aside_and_it_is_opened_again(
    fetch: Callable[[str | None], Any], said: str
) -> None:
    sources: list[Told] = []

    def make(config: Any, tools: SourceTools) -> Told:
        sources.append(Told(fetch if not sources else lambda position: Fetched(position="good")))
        return sources[-1]

    async with opened(make) as source:
        with pytest.raises(Fault, match=said):
            await source.fetch(None)
        assert source.state == "set aside"
        assert said in source.reason
        async with asyncio.timeout(5):
            await source.ready()
        assert (await source.fetch(None)).position == "good"
        assert sources[0].closed == 1


async def test_no_secret_of_the_configuration_is_told() -> None:
    def fetch(position: str | None) -> Fetched:
        raise ConnectionError("no broker at kafka://ann:hunter2@host")

    said: list[str] = []
    async with opened(doing(fetch), said) as source:
        with pytest.raises(Fault):
            await source.fetch(None)
        assert "hunter2" not in source.reason
    assert said[0] == "it raised ConnectionError: no broker at kafka://ann:…@host"


async def test_one_that_blocks_its_loop_is_left_behind_and_opened_on_a_fresh_thread() -> None:
    release = threading.Event()
    count = 0

    def fetch(position: str | None) -> Fetched:
        nonlocal count
        count += 1
        if count == 1:
            release.wait(10)
        return Fetched()

    try:
        async with opened(doing(fetch)) as source:
            with pytest.raises(Fault, match="blocks its event loop"):
                await source.fetch(None)
            async with asyncio.timeout(5):
                await source.ready()
            assert await source.fetch(None) == Fetched()
    finally:
        release.set()


async def test_an_event_that_no_store_can_hold_becomes_a_rejection_beside_the_good_ones() -> None:
    bad = (event(2, properties={"n": float("inf")}), event(3, name="half \ud83d"), event(4, message_id=""))

    async with opened(doing(lambda position: Fetched(events=(event(1), *bad), position="4"))) as source:
        fetched = await source.fetch(None)
    assert [one.message_id for one in fetched.events] == ["1"]
    assert [one.place for one in fetched.rejections] == ["2", "3", ""]
    assert "NaN" in fetched.rejections[0].reason
    assert "empty message_id" in fetched.rejections[2].reason
    assert fetched.position == "4"


async def test_rejections_of_the_plugin_s_own_come_first() -> None:
    own = Rejection(reason="No order.", place="orders/0 @ 7", raw=b"{}")
    async with opened(doing(lambda position: Fetched(rejections=(own,), events=(event(1, message_id=""),)))) as source:
        assert (await source.fetch(None)).rejections[0] == own


async def test_a_cancelled_fetch_has_ended_when_the_next_call_begins() -> None:
    under_way: list[str] = []

    async def fetch(position: str | None) -> Fetched:
        under_way.append("in")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            under_way.append("out")
        return Fetched()

    async with opened(lambda config, tools: Told(fetch), limits=msgspec.structs.replace(QUICK, fetching=5.0)) as source:
        fetching = asyncio.create_task(source.fetch(None))
        while not under_way:
            await asyncio.sleep(0.01)
        fetching.cancel()
        await asyncio.wait({fetching})
        assert under_way == ["in", "out"]


async def test_a_settle_that_fails_sets_it_aside() -> None:
    def settle(fetched: Fetched) -> None:
        raise ConnectionError("gone")

    async with opened(lambda config, tools: Told(lambda position: Fetched(), settle)) as source:
        with pytest.raises(Fault, match="gone"):
            await source.settle(await source.fetch(None))
        assert source.state == "set aside"


async def test_one_that_never_opens_is_set_aside_and_says_why() -> None:
    def make(config: Any, tools: SourceTools) -> Told:
        raise ImportError("no module named aiokafka")

    async with opened(make) as source:
        assert source.state == "set aside"
        with pytest.raises(Fault, match="no module named aiokafka"):
            await source.fetch(None)
