"""What sources that are called refused: kept, bounded, and never in the way."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from segue.api import Instant, Rejection
from segue.runtime import refusals
from segue.runtime.refusals import BURST, Refusals
from segue.store.database import Store
from segue.store.rejections import LONGEST_RAW, count_rejections, list_rejections

pytestmark = pytest.mark.asyncio


def bad(n: int, raw: bytes = b"{}") -> Rejection:
    return Rejection(place=str(n), reason="No.", raw=raw)


async def test_what_was_refused_is_written_soon_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "WRITTEN_EVERY", 0.05)
    with contextlib.closing(Store(None)) as store:
        store.start()
        taken = Refusals(store, lambda: Instant(7))
        before = store.commits
        for n in range(5):
            taken.take("segment", [bad(n)])
        async with asyncio.timeout(5):
            while store.commits == before:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert store.commits == before + 1
        kept = store.write(lambda tx: list_rejections(tx, "segment", 10)).result(5)
        assert [one.place for one in kept] == ["4", "3", "2", "1", "0"]
        await taken.stop()


async def test_of_a_flood_a_burst_is_kept_and_the_rest_is_counted() -> None:
    with contextlib.closing(Store(None)) as store:
        store.start()
        taken = Refusals(store, lambda: Instant(7))
        for n in range(10_000):
            taken.take("forged", [bad(n, b"x" * 100_000)])
        taken.take("honest", [bad(1)])
        assert sum(len(one.raw) for one in taken._sources["forged"].kept) <= (BURST + 10) * LONGEST_RAW * 2
        await taken.stop()
        forged, honest = store.write(count_rejections).result(5)
        assert forged.total == 10_000
        assert BURST <= forged.kept <= BURST + 10
        assert (honest.total, honest.kept) == (1, 1)


async def test_it_never_waits_for_the_writer() -> None:
    release = threading.Event()
    with contextlib.closing(Store(None)) as store:
        store.start()
        held = store.write(lambda tx: release.wait(10))
        taken = Refusals(store, lambda: Instant(7))
        began = asyncio.get_running_loop().time()
        for n in range(1_000):
            taken.take("segment", [bad(n)])
        assert asyncio.get_running_loop().time() - began < 1.0
        release.set()
        held.result(5)
        await taken.stop()


async def test_a_sweep_forgets_the_old_ones() -> None:
    with contextlib.closing(Store(None)) as store:
        store.start()
        moment = Instant(0)
        taken = Refusals(store, lambda: moment)
        taken.take("segment", [bad(1)])
        await taken.stop()
        moment = Instant(31 * 86_400_000_000)
        taken.sweep()
        async with asyncio.timeout(5):
            while store.write(count_rejections).result(5)[0].kept:
                await asyncio.sleep(0.01)
