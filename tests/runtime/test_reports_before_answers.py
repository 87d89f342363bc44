"""A provider's report may come before the answer to the very call it is about, or in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from segue.api import Answer, Instant, Report, Retry, Sent, Unknown
from segue.api.values import HOUR, MINUTE
from segue.messages.catalogue import Catalogue
from segue.runtime.claiming import claim
from segue.runtime.dispatch import Outcome, report, settle
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.store.database import Store
from tests.engine.stage import spec
from tests.runtime.rulebook import T0, event, publish_text, told

TEXT = 'event paid\nwhen paid send sms "hello" or email "hello" then push "more"'


class Stage:
    """One customer, whose SMS is claimed and on its way."""

    def __init__(self, store: Store, settles: str) -> None:
        self.store = store
        channels = {
            "sms": spec("sms", settles=settles, settles_within=3600.0),
            "email": spec("email"),
            "push": spec("push"),
        }
        self.running: Running = publish_text(store, TEXT, channels=channels)
        store.apply(lambda tx: ingest(tx, self.running, [event("paid")], T0))
        self.now = Instant(T0 + MINUTE)
        self.key = self.claim("sms")[0].key

    def tick(self) -> Instant:
        self.now = Instant(self.now + 1)
        return self.now

    def claim(self, channel: str) -> Any:
        return self.store.apply(lambda tx: claim(tx, self.running, Catalogue(), channel, self.tick(), 10)).claims

    def report(self, what: str, **how: Any) -> list[tuple[str, str, str]]:
        one = Report(id=what, what=what, at=self.tick(), **(how or {"key": self.key}))
        return told(self.store.apply(lambda tx: report(tx, self.running, "sms", [one], self.tick())).lines)

    def answer(self, answer: Answer) -> list[tuple[str, str, str]]:
        outcome = Outcome(self.row("id"), answer)
        return told(self.store.apply(lambda tx: settle(tx, self.running, [outcome], self.tick())).lines)

    def row(self, column: str) -> Any:
        return self.store.apply(lambda tx: tx.rows(f"select {column} from message where channel = 'sms'"))[0][0]


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


@pytest.mark.parametrize("settles", ["acceptance", "report"])
def test_a_delivery_that_is_reported_first_settles_the_message_at_once(store: Store, settles: str) -> None:
    stage = Stage(store, settles)
    assert stage.report("delivered") == [("paid", "sent", "sms")]
    assert stage.answer(Sent("r1")) == []
    assert (stage.row("state"), stage.row("due"), stage.row("receipt")) == (3, None, "r1")
    assert len(stage.claim("push")) == 1


@pytest.mark.parametrize("settles", ["acceptance", "report"])
def test_a_failure_that_is_reported_first_leads_to_the_next_channel_once(store: Store, settles: str) -> None:
    stage = Stage(store, settles)
    assert [what for _, what, _ in stage.report("undelivered")] == ["sent", "undelivered"]
    assert stage.answer(Sent("r1")) == []
    assert stage.row("state") == 4
    assert len(stage.claim("email")) == 1
    assert not stage.claim("email")


@pytest.mark.parametrize("answer", [Unknown("timed out"), Retry("reset")])
def test_what_a_report_proves_to_be_delivered_is_not_called_again(store: Store, answer: Answer) -> None:
    stage = Stage(store, "acceptance")
    stage.report("delivered")
    stage.answer(answer)
    stage.now = Instant(stage.now + HOUR)
    assert not stage.claim("sms")


def test_a_report_on_a_call_that_was_cut_off_ends_its_retries(store: Store) -> None:
    stage = Stage(store, "acceptance")
    stage.answer(Unknown("timed out"))
    assert stage.report("delivered") == [("paid", "sent", "sms")]
    stage.now = Instant(stage.now + HOUR)
    assert not stage.claim("sms")
    assert stage.row("state") == 3


def test_a_report_on_a_message_that_the_provider_surely_refused_proves_nothing(store: Store) -> None:
    stage = Stage(store, "acceptance")
    stage.answer(Retry("busy"))
    stage.report("delivered")
    stage.now = Instant(stage.now + HOUR)
    assert len(stage.claim("sms")) == 1
