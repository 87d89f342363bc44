"""Erasures and retention while the daemon runs: what was asked for is carried out, channels are asked until they
answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from segue.api import Answer, ChannelSpec, Forget, Message, Rejected, Retry, Sent, Unknown
from segue.clock.clock import Clock
from segue.host.privacy import Retention
from segue.runtime.forgetting import Forgetter
from segue.runtime.upkeep import Upkeep
from segue.store import erasures
from segue.store.database import Store
from segue.store.retention import load_kept
from tests.engine.stage import spec
from tests.runtime.stage import Stage

ANN = {"email": "ann@example.com", "first_name": "Ann"}
TEXT = 'event paid\nwhen paid send audience "x" wait 14d'


class Provider:
    """A channel that keeps data, and answers what it is told to."""

    def __init__(self, spec: ChannelSpec, *answers: Answer) -> None:
        self.spec = spec
        self.answers = list(answers)
        self.kept = {"ann"}
        self.asked: list[Forget] = []
        self.back: list[Message] = []

    async def forget(self, customers: Sequence[Forget]) -> list[Answer]:
        self.asked += customers
        found = [self.answers.pop(0) if self.answers else Sent() for _ in customers]
        self.kept -= {one.customer for one, answer in zip(customers, found, strict=True) if isinstance(answer, Sent)}
        return found

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        self.back += messages
        return [Sent() for _ in messages]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "segue.db")
    opened.start()
    yield opened
    opened.close()


def provider(*answers: Answer) -> Provider:
    return Provider(spec("audience", keeps=True, retracts=True, stands=True), *answers)


def play(store: Store, channel: Provider) -> Stage:
    """Ann is inside, and stands in an audience; her erasure is asked for."""
    stage = Stage(store, TEXT, audience=channel.spec)
    stage.arrive("paid", "ann", traits=ANN)
    for claimed in stage.claim("audience")[0]:
        stage.answer(claimed, Sent("r-1"))
    store.apply(lambda tx: erasures.ask(tx, 1, "ops", stage.now))
    return stage


def look(stage: Stage, channel: Provider, *, held: bool = False) -> None:
    forgetter = Forgetter(
        stage.store,
        {"audience": channel},
        lambda: stage.running,
        lambda: stage.now,
        lambda done: None,
        lambda: held,
    )
    asyncio.run(forgetter.look())


def the_erasure(store: Store) -> erasures.Erasure:
    (found,) = store.apply(erasures.load_erasures)
    return found


def calls(store: Store) -> dict[str, erasures.Call]:
    return {call.what: call for call in store.apply(lambda tx: erasures.load_calls(tx, 1))}


def test_one_look_erases_takes_back_and_has_the_provider_forget(store: Store) -> None:
    channel = provider()
    stage = play(store, channel)
    look(stage, channel)
    found = the_erasure(store)
    assert (found.state, found.purged is not None, found.customer, found.texts) == (erasures.DONE, True, None, ())
    assert (found.deleted["customer"], found.deleted["message"], found.deleted["journey"]) == (1, 1, 1)
    (forget,) = channel.asked
    assert (forget.customer, forget.addresses, forget.receipts) == ("ann", ("ann",), ("r-1",))
    assert [message.customer for message in channel.back] == ["ann"]
    assert channel.kept == set()
    assert all(call.body is None and call.due is None for call in calls(store).values())


def test_a_provider_is_asked_again_until_it_answers_with_the_same_key(store: Store) -> None:
    channel = provider(Retry("busy with ann"), Unknown("cut off"))
    stage = play(store, channel)
    for _ in range(3):
        look(stage, channel)
        stage.later(3_600_000_000)
    assert len({one.key for one in channel.asked}) == 1
    assert len(channel.asked) == 3
    assert channel.kept == set()
    assert calls(store)["forget"].tries == 3


def test_what_a_provider_would_not_do_is_kept_without_the_name_and_settled_by_hand(store: Store) -> None:
    channel = provider(Rejected("no member ann, r-1"))
    stage = play(store, channel)
    look(stage, channel)
    call = calls(store)["forget"]
    assert (call.body, call.answer) == (None, "no member …, …")
    assert store.apply(erasures.count_refused) == {1: ["audience"]}
    assert store.apply(lambda tx: erasures.settle_by_hand(tx, 1, stage.now)) == 1
    assert store.apply(erasures.count_refused) == {}


def test_nothing_goes_out_of_a_store_that_is_held(store: Store) -> None:
    channel = provider()
    stage = play(store, channel)
    look(stage, channel, held=True)
    assert the_erasure(store).state == erasures.DONE
    assert channel.asked == []
    assert store.apply(erasures.count_waiting) == {"audience": 2}


def test_an_erasure_whose_customer_is_gone_by_then_is_done(store: Store) -> None:
    channel = provider()
    stage = play(store, channel)
    look(stage, channel)
    store.apply(lambda tx: erasures.ask(tx, 1, "ops", stage.now))
    look(stage, channel)
    assert [one.state for one in store.apply(erasures.load_erasures)] == [erasures.DONE, erasures.DONE]


def test_the_loop_carries_out_what_is_asked_for_and_sweeps(store: Store) -> None:
    channel = provider()
    stage = play(store, channel)

    async def run() -> None:
        upkeep = Upkeep(
            store,
            Clock(1.0, None, stage.now),
            Retention(ignored=0),
            {"audience": channel},
            running=lambda: stage.running,
            listener=lambda done: None,
            held=lambda: False,
        )
        upkeep.start()
        for _ in range(500):
            await asyncio.sleep(0.01)
            if the_erasure(store).purged is not None and store.apply(load_kept):
                break
        await upkeep.stop()
        assert set(upkeep.deleted.values()) == {0}

    asyncio.run(run())
    assert the_erasure(store).purged is not None
    assert store.apply(load_kept)["ignored"].ended is not None
