"""What is each broker's own: where a source begins, what is left by others, and what has been deleted."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import msgspec
import pytest

import segue_kafka
import segue_nats
import segue_rabbitmq
import segue_redis_streams
from segue.api import Fetched, FetchingSource, SourceSpec, SourceTools
from tests.counterparts.brokers import Broker, Kafka, Nats, Rabbit, RedisServer
from tests.counterparts.missing import reported_when_missing

T = TypeVar("T")
TOPICS = itertools.count()


def running(kind: type[Broker]) -> Iterator[Broker]:
    broker = kind()
    try:
        with reported_when_missing():
            broker.start()
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def kafka() -> Iterator[Broker]:
    yield from running(Kafka)


@pytest.fixture(scope="module")
def nats() -> Iterator[Broker]:
    yield from running(Nats)


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Broker]:
    yield from running(Rabbit)


@pytest.fixture(scope="module")
def redis() -> Iterator[Broker]:
    yield from running(RedisServer)


def new_topic(broker: Broker) -> str:
    topic = f"own{next(TOPICS)}"
    broker.make(topic)
    return topic


def paid(number: int) -> bytes:
    return json.dumps({"type": "track", "event": "paid", "userId": f"customer {number}"}).encode()


def run(spec: SourceSpec, settings: dict[str, Any], exchange: Callable[[FetchingSource], Awaitable[T]]) -> T:
    async def within() -> T:
        source: FetchingSource = spec.open(msgspec.convert(settings, spec.config), SourceTools(source="queue"))
        try:
            return await exchange(source)
        finally:
            await source.close()

    return asyncio.run(within())


def fetching(position: str | None = None, *, settle: bool = True) -> Callable[[FetchingSource], Awaitable[Fetched]]:
    """One fetch, settled or not."""

    async def exchange(source: FetchingSource) -> Fetched:
        fetched = await source.fetch(position)
        if settle:
            await source.settle(fetched)
        return fetched

    return exchange


def users(fetched: Fetched) -> list[str]:
    return sorted(event.user_id or "" for event in fetched.events)


# Kafka


def test_kafka_from_the_latest_on_remembers_where_that_was(kafka: Broker) -> None:
    topic = new_topic(kafka)
    kafka.publish(topic, [paid(1)])
    settings = {**kafka.settings(topic), "start": "latest"}
    first = run(segue_kafka.SPEC, settings, fetching())
    assert first.events == ()
    kafka.publish(topic, [paid(2)])  # while nobody reads
    assert users(run(segue_kafka.SPEC, settings, fetching(first.position))) == ["customer 2"]


def test_kafka_s_group_hears_how_far_it_is(kafka: Broker) -> None:
    from confluent_kafka import Consumer, TopicPartition

    topic = new_topic(kafka)
    kafka.publish(topic, [paid(n) for n in range(20)])

    async def settled(source: FetchingSource) -> None:
        fetched, count = await source.fetch(None), 0
        while (count := count + len(fetched.events)) < 20:
            fetched = await source.fetch(fetched.position)
        await source.settle(fetched)

    run(segue_kafka.SPEC, {**kafka.settings(topic), "group": f"group-{topic}"}, settled)
    watcher = Consumer({"bootstrap.servers": kafka.settings(topic)["servers"], "group.id": f"group-{topic}"})
    told = watcher.committed([TopicPartition(topic, number) for number in range(4)], timeout=10)
    watcher.close()
    assert sum(max(partition.offset, 0) for partition in told) == 20


def test_kafka_goes_on_with_what_is_there_and_says_what_was_deleted(kafka: Broker) -> None:
    topic = new_topic(kafka)
    kafka.publish(topic, [paid(1)])
    position = json.dumps({topic: {"0": 999, "1": 0, "2": 0, "3": 0}})
    fetched = run(segue_kafka.SPEC, kafka.settings(topic), fetching(position))
    assert [one.place for one in fetched.rejections] == [f"{topic}[0] @ 999"]
    assert "deleted" in fetched.rejections[0].reason


def test_kafka_without_the_topic_says_so(kafka: Broker) -> None:
    with pytest.raises(LookupError, match=r"there is no topic missing"):
        run(segue_kafka.SPEC, {**kafka.settings("missing"), "topics": ["missing"]}, fetching())


# NATS


def test_nats_may_begin_with_what_is_new(nats: Broker) -> None:
    topic = new_topic(nats)
    nats.publish(topic, [paid(1)])
    settings = {**nats.settings(topic), "start": "new"}
    assert run(segue_nats.SPEC, settings, fetching()).events == ()
    nats.publish(topic, [paid(2)])
    assert users(run(segue_nats.SPEC, settings, fetching())) == ["customer 2"]


def test_nats_takes_only_the_subject_that_is_asked_for(nats: Broker) -> None:
    topic = new_topic(nats)
    nats.publish(topic, [paid(1)])
    assert run(segue_nats.SPEC, {**nats.settings(topic), "subject": f"{topic}.carts"}, fetching()).events == ()


# RabbitMQ


def test_rabbit_knows_a_message_by_its_amqp_id(rabbit: Broker) -> None:
    import aio_pika

    topic = new_topic(rabbit)

    async def put() -> None:
        connection = await aio_pika.connect(host="127.0.0.1", port=rabbit.port)
        async with connection:
            channel = await connection.channel()
            for own in ("a", "b"):
                await channel.default_exchange.publish(aio_pika.Message(paid(1), message_id=own), topic)

    asyncio.run(put())
    fetched = run(segue_rabbitmq.SPEC, rabbit.settings(topic), fetching())
    assert {event.message_id for event in fetched.events} <= {"queue:a", "queue:b"}


def test_rabbit_without_the_queue_says_so(rabbit: Broker) -> None:
    with pytest.raises(Exception, match="no queue 'missing'"):
        run(segue_rabbitmq.SPEC, {**rabbit.settings("x"), "queue": "missing"}, fetching())


def test_rabbit_with_a_wrong_password_says_so(rabbit: Broker) -> None:
    with pytest.raises(Exception, match=r"(?i)refused|access"):
        run(segue_rabbitmq.SPEC, {**rabbit.settings("x"), "password": "wrong"}, fetching())


# Redis


def test_redis_takes_over_what_another_consumer_left(redis: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis import Redis

    monkeypatch.setattr("segue_redis_streams.source.IDLE_MS", 0)
    topic = new_topic(redis)
    redis.publish(topic, [paid(1)])
    client: Any = Redis(port=redis.port)
    client.xgroup_create(topic, "segue", id="0")
    client.xreadgroup("segue", "somebody else", {topic: ">"})

    async def exchange(source: FetchingSource) -> list[str]:
        found: list[str] = []
        for _ in range(3):
            fetched = await source.fetch(None)
            await source.settle(fetched)
            found += users(fetched)
        return found

    assert run(segue_redis_streams.SPEC, redis.settings(topic), exchange) == ["customer 1"]
    assert client.xpending(topic, "segue")["pending"] == 0


def test_redis_says_what_was_trimmed_away_before_it_was_read(redis: Broker) -> None:
    from redis import Redis

    topic = new_topic(redis)
    redis.publish(topic, [paid(1)])

    async def unsettled(source: FetchingSource) -> None:
        while not (await source.fetch(None)).events:
            pass

    run(segue_redis_streams.SPEC, redis.settings(topic), unsettled)
    Redis(port=redis.port).xtrim(topic, maxlen=0)
    (gone,) = run(segue_redis_streams.SPEC, redis.settings(topic), fetching()).rejections
    assert "deleted from the stream" in gone.reason


def test_an_entry_of_redis_without_the_field_is_a_payload_itself(redis: Broker) -> None:
    from redis import Redis

    topic = new_topic(redis)
    client: Any = Redis(port=redis.port)
    client.xadd(topic, {"kind": "visited", "card": "F-1", "seconds": "30"})
    settings = {
        **redis.settings(topic),
        "map": {"event": "$.kind", "user": "$.card", "fields": {"seconds": "$.seconds | number"}},
    }

    async def exchange(source: FetchingSource) -> Fetched:
        while not (fetched := await source.fetch(None)).events:
            assert not fetched.rejections
        return fetched

    (event,) = run(segue_redis_streams.SPEC, settings, exchange).events
    assert (event.name, event.user_id, event.properties) == ("visited", "F-1", {"seconds": 30})
