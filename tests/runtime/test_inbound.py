"""What customers write: an event that rules can use, and an answer to the message that it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from segue.api import Inbound, Sent
from segue.api.values import DAY, MINUTE
from segue.runtime.dispatch import Claim
from segue.runtime.explaining import Explanation, explain
from segue.runtime.inbound import INBOUND, take_inbound
from segue.store.database import Store
from tests.runtime.rulebook import addresses
from tests.runtime.stage import Stage

PHONE = addresses("ann")["phone"]
RULES = """
event paid
event message_received
  channel text
  text text
rule ask
  when paid
  send sms "how_was_it"
  wait for replied up to 30d
  if replied "how_was_it" send email "thanks" end
rule more
  when paid
  wait 1d
  send sms "one_more_thing"
  wait for replied up to 30d
  if replied send email "thanks_again" end
rule answer
  when message_received where text = "help"
  send sms "help" as transactional
"""


class Talk(Stage):
    """A shop that asks by SMS, and a customer who may answer."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, RULES)
        self.arrive("paid")
        self.asked = self.send()

    def send(self) -> Claim:
        (claimed,), _ = self.claim("sms")
        self.answer(claimed, Sent(f"receipt of {claimed.message}"))
        self.later(MINUTE)
        return claimed

    def write(self, text: str, **more: Any) -> None:
        one = Inbound(**{"id": f"{text} {self.now}", "address": PHONE, "text": text, "at": self.now, **more})
        self.store.apply(lambda tx: take_inbound(tx, self.running, "sms", [one], self.now))

    def messages(self, channel: str) -> list[str]:
        return [
            name
            for (name,) in self.store.apply(
                lambda tx: tx.rows("select message from message where channel = ? order by id", (channel,))
            )
        ]

    def replied(self, rule: str) -> int:
        found = self.store.apply(lambda tx: explain(tx, self.running, "ann", rule))
        assert isinstance(found, Explanation)
        return sum(1 for fact in found.facts if fact.what == "replied")


@pytest.fixture
def talk() -> Iterator[Talk]:
    store = Store(None)
    yield Talk(store)
    store.close()


def test_a_reply_is_one_to_the_latest_message_of_its_channel(talk: Talk) -> None:
    talk.write("Great!")
    assert talk.messages("email") == ["thanks"]
    talk.later(DAY)
    talk.wake()
    talk.send()
    talk.write("That, too.")
    assert talk.messages("email") == ["thanks", "thanks_again"]
    assert (talk.replied("ask"), talk.replied("more")) == (1, 1)


def test_a_reply_that_names_its_message_is_one_to_that(talk: Talk) -> None:
    talk.later(DAY)
    talk.wake()
    talk.send()
    talk.write("Great!", key=talk.asked.key)
    assert talk.messages("email") == ["thanks"]
    talk.write("Also", receipt="receipt of one_more_thing")
    assert talk.messages("email") == ["thanks", "thanks_again"]


def test_the_same_reply_again_changes_nothing(talk: Talk) -> None:
    for _ in range(2):
        talk.write("Great!", id="one")
    assert talk.replied("ask") == 1


def test_what_is_written_long_afterwards_answers_nothing(talk: Talk) -> None:
    talk.later(8 * DAY)
    talk.write("Hello?")
    assert talk.replied("ask") == 0


@pytest.mark.parametrize("word", ["STOP", "Start", "help"])
def test_a_word_that_asks_for_something_of_its_own_is_no_answer(talk: Talk, word: str) -> None:
    talk.write(word)
    assert talk.replied("ask") == 0


def test_rules_read_what_was_written(talk: Talk) -> None:
    talk.write("help")
    assert talk.messages("sms") == ["how_was_it", "help"]


def test_a_reply_is_told_to_rules_under_a_name_that_every_book_knows() -> None:
    (event,) = INBOUND.events
    assert event.name == "message_received"
    assert [field.name for field in event.fields] == ["channel", "text", "keyword"]
