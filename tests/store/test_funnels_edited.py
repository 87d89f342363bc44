"""Funnels of rules that were edited: which text a journey began with, and what came of messages of an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from segue.api import Event, Instant, Report
from segue.api.values import DAY, HOUR, MINUTE
from segue.measure.funnels import tables
from segue.measure.funnels.counting import Funnel
from segue.measure.period import Period
from segue.messages.catalogue import Catalogue
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario.replay import Arrival, RecordedReport, Replay
from segue.store.database import Store, Transaction, read_only
from segue.store.funnels import find_rules, read_courses
from tests.acceptance.drivers import read_rules, setting

START = Instant(1_780_000_000_000_000)
EDIT = Instant(START + DAY)
RULE = 'rule hello when app_opened on edit follow send push "hello"'
EDITED = 'rule hello when app_opened on edit follow send push "hello" wait 2d send push "more"'
WAITING = EDITED.replace("wait 2d", "wait 3d")


class Shop:
    """One customer at a time opens the app."""

    def __init__(self, path: Path, rules: str) -> None:
        self.path = path
        self.store = Store(path, durable=False)
        self.replay = Replay(self.store, self._publish(rules, START), Catalogue())

    def _publish(self, rules: str, now: Instant) -> Running:
        def job(tx: Transaction) -> Running:
            publish(tx, read_rules(rules), now, "test")
            running = resume(tx, setting())
            assert running is not None
            return running

        return self.store.apply(job)

    def open(self, user: str, at: int, received: int | None = None) -> Arrival:
        traits = {"push_token": user}
        event = Event(
            message_id=user, timestamp=Instant(at), source="app", name="app_opened", user_id=user, traits=traits
        )
        return Arrival(event, Instant(at if received is None else received))

    def run(self, *arrivals: Arrival, until: int | None = None) -> list[DecisionLine]:
        return list(self.replay.run(arrivals, until=Instant(until) if until is not None else None))

    def edit(self, rules: str) -> None:
        self.replay.edit(self._publish(rules, EDIT), EDIT)

    def funnel(self) -> Funnel:
        look = partial(read_only, self.path)
        with look() as tx:
            found = find_rules(tx, ["hello"])["hello"]
        funnel = Funnel("hello", found.versions, setting().zone)
        period = Period(Instant(0), Instant(2**60))
        for course in read_courses(look, found.versions, found.newest, period, lambda _done, _of: None):
            funnel.take(course, Instant(2**60))
        assert not tables.faults(funnel, found.books)
        return funnel


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = Shop(tmp_path / "segue.db", request.param)
    yield made
    made.store.close()


def journeys(shop: Shop) -> dict[str, dict[str, Any]]:
    return {str(one["version"]): dict(one) for one in tables.journeys_table([(shop.funnel(), None)]).records()}


@pytest.mark.parametrize("shop", [RULE], indirect=True)
@pytest.mark.parametrize("later", [EDITED, "rule other when app_opened wait 1d"])
def test_an_answer_counts_also_when_the_text_that_its_journey_ended_in_runs_no_more(shop: Shop, later: str) -> None:
    (sent,) = [line for line in shop.run(shop.open("ann", START), until=EDIT) if line.decision == "sent"]
    shop.edit(later)
    at = Instant(EDIT + HOUR)
    for what in ("opened", "replied"):
        shop.replay.hear(RecordedReport("push", Report(id=what, what=what, at=at, key=sent.key), at))
    shop.run()
    assert (journeys(shop)["1"]["opened"], journeys(shop)["1"]["replied"]) == (1, 1)


@pytest.mark.parametrize("shop", [EDITED], indirect=True)
def test_a_journey_whose_event_came_late_after_an_edit_began_with_the_new_text(shop: Shop) -> None:
    shop.run(shop.open("ann", EDIT - HOUR), until=EDIT)
    shop.edit(WAITING)
    shop.run(shop.open("late", EDIT - 2 * HOUR, EDIT + MINUTE))
    assert (journeys(shop)["2"]["entered"], journeys(shop)["2"]["moved_here"]) == (2, 1)
