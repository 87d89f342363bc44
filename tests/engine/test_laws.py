"""What must hold for every program and every order of events.

``SEGUE_EXAMPLES=5000`` looks deeper than every build does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from segue.api import Event, Instant
from segue.engine import step as engine
from segue.engine.journey import Effect, Input, Journey, Woken
from segue.program.facts import Customer
from segue.program.program import Program
from segue.runtime import turn
from segue.runtime.due import end_recurrence
from segue.runtime.running import DecisionLine, Running
from segue.runtime.wake import wake
from segue.scenario.replay import Arrival, Progress
from segue.store.database import Store
from segue.store.sweeps import count_rules
from tests.engine.answered import AnsweredReplay, arrivals_of, dump, live, publish_life, reload, watched_for
from tests.engine.programs import Life, lives

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "80"))
law = settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
)
pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)


@pytest.fixture(autouse=True, scope="module")
def short_watch() -> Iterator[None]:
    with watched_for(timedelta(days=3)):
        yield


@law
@given(lives())
def test_the_same_inputs_give_the_same_journal(life: Life) -> None:
    assert live(life) == live(life)


@law
@given(lives())
def test_an_event_that_comes_again_changes_nothing(life: Life) -> None:
    once: list[tuple[Instant, Event]] = []
    seen: set[str] = set()
    for received, event in life.arrivals:
        if event.message_id not in seen:
            seen.add(event.message_id)
            once.append((received, event))
    moved = [(max(received, once[-1][0]), event) for received, event in once]
    again = sorted([*once, *once, *moved], key=lambda pair: pair[0])
    assert live(msgspec.structs.replace(life, arrivals=tuple(once))) == live(
        msgspec.structs.replace(life, arrivals=tuple(again))
    )


@law
@given(lives())
def test_a_batch_decides_what_its_events_decide_one_by_one(life: Life) -> None:
    together, stored = live(life)
    single, stored_single = live(life, span=1)
    assert together == single
    assert stored == stored_single


@law
@given(lives())
def test_everyone_who_entered_is_inside_or_has_ended_at_every_moment(life: Life) -> None:
    store = Store(None)

    def check(_: Progress) -> None:
        for count in store.apply(count_rules):
            assert count.balanced, count

    replay = AnsweredReplay(store, publish_life(store, life), life)
    for _ in replay.run(arrivals_of(life), progress=check):
        pass
    assert not any(count.inside for count in store.apply(count_rules))
    store.close()


@law
@given(lives(), st.integers(0, 400))
def test_a_run_that_is_stopped_and_started_again_decides_the_same(life: Life, half_hours: int) -> None:
    life = msgspec.structs.replace(
        life, answers={place: (how, timedelta()) for place, (how, _) in life.answers.items()}
    )
    arrivals = arrivals_of(life)
    # what recurs goes on until a run is stopped, and ends with the last event of one that is not
    stop = Instant(min(arrivals[0].received + half_hours * 1_800_000_000, arrivals[-1].received))
    before = [one for one in arrivals if one.received < stop]
    after = [one for one in arrivals if one.received >= stop]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "segue.db"
        store = Store(path, durable=False)
        running = _recurring_until_the_end(store, publish_life(store, life), arrivals)
        lines = list(AnsweredReplay(store, running, life).run(before, until=stop))
        store.close()
        store = Store(path, durable=False)
        running = _recurring_until_the_end(store, reload(store, life), arrivals)
        lines += AnsweredReplay(store, running, life).run(after)
        stored = dump(store)
        store.close()
    assert (lines, stored) == live(life)


def _recurring_until_the_end(store: Store, running: Running, arrivals: Sequence[Arrival]) -> Running:
    """A run that is stopped does not know that no more events come, and the calendar would go on."""
    ending = msgspec.structs.replace(running, recurs_until=arrivals[-1].received)
    store.apply(lambda tx: end_recurrence(tx, ending))
    return ending


@law
@given(lives())
def test_an_early_wake_changes_nothing(life: Life) -> None:
    expected, stored = live(life)
    store = Store(None)
    running = publish_life(store, life)
    replay = AnsweredReplay(store, running, life)
    lines: list[DecisionLine] = []

    def look_early(progress: Progress) -> None:
        # What is due in this very moment comes after the arrivals of the moment, and is not early.
        woke = store.apply(lambda tx: wake(tx, running, Instant(progress.moment - 1)))
        assert woke.fired == 0
        assert woke.done.lines == ()

    lines += replay.run(arrivals_of(life), progress=look_early)
    assert lines == expected
    assert dump(store) == stored
    store.close()


class Watched:
    """The engine's step, looked at from outside."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(
        self,
        program: Program,
        journey: Journey,
        happening: Input,
        customer: Customer,
        now: Instant,
        *,
        goals: bool = True,
    ) -> tuple[Journey, list[Effect]]:
        self.calls += 1
        before = deepcopy((journey, customer.traits, program.rule))
        after, effects = engine.step(program, journey, happening, customer, now, goals=goals)
        assert (journey, customer.traits, program.rule) == before
        assert after is not journey
        assert engine.step(program, journey, happening, customer, now, goals=goals) == (after, effects)
        if after.due is not None:
            early = Instant(after.due - 1)
            assert engine.step(program, after, Woken(), customer, early) == (after, [])
        _keys_are_new(journey, effects)
        return after, effects


def _keys_are_new(journey: Journey, effects: Sequence[Effect]) -> None:
    keys = [effect.key for effect in effects if hasattr(effect, "key")]
    assert len(keys) == len(set(keys))
    assert not {sending.key for sending in journey.sends} & set(keys)


@law
@given(lives())
def test_a_step_is_a_function_of_its_arguments_and_leaves_them_alone(life: Life) -> None:
    watched = Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turn, "step", watched)
        lines, _ = live(life)
    assume(lines)
    assert not [line for line in lines if line.decision == "failed"], "an assertion inside the engine's turn"


def test_the_watched_step_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    from segue.language import model as m
    from tests.engine.stage import DAY, arrival, play, send

    watched = Watched()
    monkeypatch.setattr(turn, "step", watched)
    rule = m.Rule("greet", None, ("cart",), (m.Wait(DAY), send("push")))
    play([rule], [arrival("1", "cart", "2026-01-05T10:00Z")])
    assert watched.calls == 2  # the wake, and the answer; no guard asks to be judged at the claim
