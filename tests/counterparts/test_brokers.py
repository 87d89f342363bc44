"""Sources that read from brokers, against the real ones: the kit, and a thousand messages through crashes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Fetched, FetchingSource, SourceSpec
from segue.testing import FetchingSourceConformance
from tests.acceptance.harness import Daemon, Project, wait_until
from tests.counterparts.brokers import BROKERS, Broker
from tests.counterparts.missing import reported_when_missing

RULE = "event paid\nwhen paid wait 30d wait 1d\n"
TOPICS = itertools.count()


@pytest.fixture(scope="module", params=BROKERS, ids=lambda kind: kind.use)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """One of each, for all tests of this module."""
    made: Broker = request.param()
    try:
        with reported_when_missing():
            made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def topic(broker: Broker) -> str:
    name = f"topic{next(TOPICS)}"
    broker.make(name)
    return name


def paid(number: int, **more: Any) -> bytes:
    """A payment; what makes it another one than the rest is only its customer."""
    call = {"type": "track", "event": "paid", "userId": f"customer {number}", "properties": {"total": number}, **more}
    return json.dumps(call).encode()


class TestConformance(FetchingSourceConformance):
    broker: Broker
    topic: str
    numbers: itertools.count[int]

    @pytest.fixture(autouse=True)
    def _broker(self, broker: Broker, topic: str) -> None:
        self.broker, self.topic, self.numbers = broker, topic, itertools.count()

    def make(self) -> tuple[SourceSpec, msgspec.Struct]:
        module = import_module("segue_" + self.broker.use.replace("-", "_"))
        (spec,) = module.segue_sources()
        config: msgspec.Struct = msgspec.convert(self.broker.settings(self.topic), spec.config)
        return spec, config

    def feed(self, count: int) -> None:
        self.broker.publish(self.topic, [paid(next(self.numbers)) for _ in range(count)])

    def test_what_cannot_be_read_is_a_rejection_that_never_comes_again(self) -> None:
        bad = [b"{", b"", b"\xff\x00", b"[" * 10_000, b'{"type": "track"}', b"x" * 40_000]
        self.broker.publish(self.topic, [*bad, paid(1)])

        async def exchange(source: FetchingSource) -> tuple[list[Fetched], str | None]:
            position, found = None, []
            for _ in range(8):
                fetched = await source.fetch(position)
                await source.settle(fetched)
                position = fetched.position or position
                found.append(fetched)
                if sum(len(one.events) for one in found):
                    break
            return found, position

        found, position = self._run(exchange)
        rejections = [one for fetched in found for one in fetched.rejections]
        assert len(rejections) == len(bad)
        assert all(one.place and one.reason for one in rejections)
        assert {one.raw for one in rejections} == set(bad)

        async def again(source: FetchingSource) -> Fetched:
            return await source.fetch(position)

        assert not self._run(again).rejections


def test_a_thousand_messages_survive_crashes_on_both_sides(broker: Broker, topic: str, tmp_path: Path) -> None:
    """Segue is killed between the commit and the acknowledgement, and the broker in the middle; nothing is lost, and
    nothing counts twice."""
    project = Project(tmp_path / "shop", rules=RULE, messages={}, channels=_table(broker, topic))

    def count() -> int:
        return int(project.rows("select count(*) from event")[0][0])

    broker.publish(topic, [paid(number) for number in range(500)])
    crashing = Daemon(project, environment={"SEGUE_KILL_AT": "after-ingest-commit:2"})
    try:
        assert crashing.wait(60) == -9
        taken = count()
        assert 0 < taken < 500
    finally:
        crashing.kill()
    with Daemon(project) as daemon:
        wait_until(lambda: count() >= 500, 60, daemon.log)
        if broker.use != "kafka":
            broker.crash()
            daemon.wait_for("source fault")
            broker.start()
        broker.publish(topic, [paid(number) for number in range(500, 1000)])
        wait_until(lambda: count() >= 1000, 60, daemon.log)
        found = project.get("/healthz").json()
        assert found["sources"] == {"queue": "open"}
        assert found["balanced"]
    assert project.rows("select count(*), count(distinct customer) from event") == [(1000, 1000)]
    assert project.rows("select count(*) from journey") == [(1000,)]
    assert project.rows("select count(*) from rejection") == [(0,)]
    with Daemon(project) as daemon:  # everything was acknowledged: a last look brings nothing
        wait_until(lambda: 'segue_source_last_success_timestamp_seconds{source="queue"} 1' in _metrics(project))
        wait_until(lambda: 'segue_source_open{source="queue"} 1.0' in _metrics(project))
        assert count() == 1000


def _metrics(project: Project) -> str:
    return project.get("/metrics").body.decode()


def _table(broker: Broker, topic: str) -> str:
    settings = {**broker.settings(topic), "batch": 100}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return f'[sources.queue]\nuse = "{broker.use}"\n{lines}'
