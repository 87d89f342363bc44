"""The kit for sources that fetch: a good one passes it, and each way of being broken fails the check meant for it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Event, Fetched, Instant, Rejection, SourceSpec, SourceTools
from segue.testing import FetchingSourceConformance


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str


class Tail:
    """A good source: the lines of a file, from the line where it was."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        self.path = Path(config.path)
        self.source = tools.source

    async def fetch(self, position: str | None) -> Fetched:
        if not self.path.exists():
            await asyncio.sleep(0.02)
            return Fetched(again=0.01)
        start = int(position) if position is not None else 0
        if start < 0:
            raise ValueError(f"there is no line {start}")
        lines = self.path.read_text().splitlines()[start:]
        events = tuple(self.event(start + n, line) for n, line in enumerate(lines))
        return Fetched(events=events, position=str(start + len(lines)), again=0.01)

    def event(self, n: int, line: str) -> Event:
        return Event(message_id=f"line-{n}", timestamp=Instant(1_000), source=self.source, name="Said", user_id=line)

    async def settle(self, fetched: Fetched) -> None:
        return None

    async def close(self) -> None:
        return None


def spec_of(source: Callable[[Any, SourceTools], Any]) -> SourceSpec:
    return SourceSpec(name="tail", doc="Lines of a file", config=Config, open=source, fetches=True)


class TestTail(FetchingSourceConformance):
    source: Any = Tail

    def make(self) -> tuple[SourceSpec, Config]:
        return spec_of(type(self).source), Config(path=str(self.folder / "lines"))

    def feed(self, count: int) -> None:
        with open(self.folder / "lines", "a") as file:
            file.write("ann\n" * count)


class Counting(Tail):
    counter = itertools.count()

    def event(self, n: int, line: str) -> Event:
        return msgspec.structs.replace(super().event(n, line), message_id=str(next(self.counter)))


class Same(Tail):
    def event(self, n: int, line: str) -> Event:
        return msgspec.structs.replace(super().event(n, line), message_id="1")


class Ahead(Tail):
    def event(self, n: int, line: str) -> Event:
        return msgspec.structs.replace(super().event(n, line), timestamp=Instant(9_000_000_000_000_000))


class Elsewhere(Tail):
    def event(self, n: int, line: str) -> Event:
        return msgspec.structs.replace(super().event(n, line), source="somewhere")


class Odd(Tail):
    def event(self, n: int, line: str) -> Event:
        return msgspec.structs.replace(super().event(n, line), properties={"n": float("nan")})


class Forgetful(Tail):
    async def fetch(self, position: str | None) -> Fetched:
        return msgspec.structs.replace(await super().fetch(None), again=0.01)


class Lossy(Tail):
    """It forgets what it has handed over, settled or not."""

    async def fetch(self, position: str | None) -> Fetched:
        fetched = await super().fetch(position)
        self.path.unlink(missing_ok=True)
        return fetched


class Picky(Tail):
    async def fetch(self, position: str | None) -> Fetched:
        fetched = await super().fetch(position)
        return Fetched(position=fetched.position, rejections=(Rejection(reason="Not today."),), again=0.01)


class Untyped(Tail):
    async def fetch(self, position: str | None) -> Any:
        return (await super().fetch(position)).events


class Blocking(Tail):
    async def fetch(self, position: str | None) -> Fetched:
        time.sleep(1.2)
        return await super().fetch(position)


class Stubborn(Tail):
    async def fetch(self, position: str | None) -> Fetched:
        ends = time.monotonic() + 7
        while time.monotonic() < ends:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        return await super().fetch(position)


class Once(Tail):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@pytest.mark.parametrize(
    ("check", "source", "said"),
    [
        ("test_it_brings_what_is_new", Untyped, "is a tuple, not Fetched"),
        ("test_it_brings_what_is_new", Same, "the same message id"),
        ("test_it_brings_what_is_new", Elsewhere, "must be tools.source"),
        ("test_it_brings_what_is_new", Odd, "cannot be stored"),
        ("test_it_brings_what_is_new", Picky, "good things were rejected"),
        ("test_what_was_not_settled_comes_again_as_the_same", Counting, "as something else"),
        ("test_what_was_not_settled_comes_again_as_the_same", Lossy, "3 new things became 0 events"),
        ("test_what_was_settled_does_not_come_again", Forgetful, "came again from the committed position"),
        ("test_no_event_is_later_than_now", Ahead, "later than its arrival"),
        ("test_fetching_does_not_block_the_event_loop", Blocking, "stood still"),
        ("test_a_fetch_can_be_cancelled", Stubborn, "did not end within 5 s"),
    ],
)
def test_a_broken_source_fails(check: str, source: type[Tail], said: str, tmp_path: Path) -> None:
    suite = TestTail()
    suite.folder = tmp_path
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TestTail, "source", source)
        with pytest.raises(AssertionError, match=said):
            getattr(suite, check)()


def test_a_source_that_cannot_be_closed_twice_fails(tmp_path: Path) -> None:
    suite = TestTail()
    suite.folder = tmp_path
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TestTail, "source", Once)
        with pytest.raises(RuntimeError, match="closed already"):
            suite.test_closing_twice_is_harmless()


def test_a_declaration_that_does_not_say_that_it_fetches_fails(tmp_path: Path) -> None:
    class Suite(TestTail):
        def make(self) -> tuple[SourceSpec, Config]:
            spec, config = super().make()
            return msgspec.structs.replace(spec, fetches=False), config

    suite = Suite()
    suite.folder = tmp_path
    with pytest.raises(AssertionError, match="fetches=True"):
        suite.test_the_declaration_is_valid()
