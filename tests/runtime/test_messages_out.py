"""What becomes of a message between its decision and its end: claims, answers, reports, crashes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from segue.api import Rejected, Report, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.delivery.ledger import MessageState
from segue.messages.catalogue import Catalogue
from segue.messages.rendering import render
from segue.messages.template import template_of
from segue.runtime.dispatch import Claim, report
from segue.runtime.explaining import explain
from segue.runtime.ingest import ingest
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine
from segue.runtime.sweeping import Chore, chores, sweep
from segue.store.books import Changes
from segue.store.database import Store
from segue.store.sweeps import count_rules
from tests.engine.stage import setting, spec, with_content
from tests.runtime.rulebook import T0, book_of, event, publish_text, told
from tests.runtime.stage import RULE, Stage, Told


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def claimed_email(store: Store, text: str = 'send email "hello"', **specs: Any) -> tuple[Stage, Claim]:
    stage = Stage(store, RULE + text, **specs)
    stage.arrive("paid")
    return stage, stage.claim()[0][0]


# Claims


def test_a_message_is_claimed_once(store: Store) -> None:
    stage, _ = claimed_email(store)
    assert stage.claim() == ((), [])


def test_consent_withdrawn_between_decision_and_claim_wins(store: Store) -> None:
    stage = Stage(store, RULE + 'send email "hello" or sms "hello"')
    stage.arrive("paid")
    stage.arrive("unsubscribed", channel="email")
    claims, lines = stage.claim()
    assert not claims
    assert lines == [("paid", "skipped", "email")]
    assert len(stage.claim("sms")[0]) == 1


def test_a_transactional_message_goes_after_a_withdrawal_of_the_rest(store: Store) -> None:
    stage = Stage(store, RULE + 'as transactional send email "hello"')
    stage.arrive("unsubscribed")
    stage.arrive("paid")
    assert len(stage.claim()[0]) == 1


def test_a_guard_that_time_turned_is_seen_in_the_moment_of_sending(store: Store) -> None:
    stage = Stage(store, RULE + 'wait 1h unless customer.birthday < now send email "hello"')
    stage.arrive(None, traits={"birthday": "2026-05-28T21:30:00Z", "email": "a@example.com"})
    stage.arrive("paid")
    stage.later(HOUR)
    assert stage.wake() == []
    stage.later(2 * HOUR)  # the channel was slow to claim: T0 is the afternoon of the day
    assert stage.claim() == ((), [("paid", "exited", "unless customer.birthday < now"), ("paid", "skipped", "email")])


def test_a_message_that_is_too_late_is_skipped(store: Store) -> None:
    stage = Stage(store, RULE + 'send email "hello" within 6h')
    stage.arrive("paid")
    stage.later(6 * HOUR)
    assert len(stage.claim()[0]) == 1
    stage.arrive("paid", "bob")
    stage.later(6 * HOUR + 1)
    assert stage.claim() == ((), [("paid", "skipped", "email"), ("paid", "finished", "")])


def test_a_message_without_content_for_its_channel_is_skipped(store: Store) -> None:
    stage = Stage(store, RULE + 'send email "hello"', email=with_content("email"))
    stage.arrive("paid")
    assert stage.claim() == ((), [("paid", "skipped", "email"), ("paid", "finished", "")])


def test_a_message_decided_while_inside_still_goes_when_its_journey_finishes_in_that_moment(store: Store) -> None:
    stage, claimed = claimed_email(store, 'send email "hello" or sms "hello" wait 1h')
    stage.answer(claimed, Sent())
    stage.later(HOUR)
    assert stage.report(claimed, "undelivered") == [("paid", "undelivered", "email")]
    assert stage.wake() == [("paid", "finished", "")]
    (fallback,) = stage.claim("sms")[0]
    assert stage.answer(fallback, Retry("busy")) == []  # and is tried again like any other
    stage.later(HOUR)
    (again,) = stage.claim("sms")[0]
    assert again.key == fallback.key
    assert stage.answer(again, Sent()) == [("paid", "sent", "sms")]


# Answers


def test_a_temporary_failure_is_tried_again_with_the_same_key_until_its_time_is_over(store: Store) -> None:
    stage, claimed = claimed_email(store, 'send email "hello" within 2h')
    keys, lines, tries = {claimed.key}, stage.answer(claimed, Retry("busy")), 1
    while not lines:
        stage.now = stage.due()
        assert stage.now <= T0 + 2 * HOUR
        (claimed,), _ = stage.claim()
        keys.add(claimed.key)
        tries += 1
        assert claimed.attempt == tries
        lines = stage.answer(claimed, Retry("busy"))
        assert tries < 100
    assert lines == [("paid", "undelivered", "email"), ("paid", "finished", "")]
    assert keys == {claimed.key}
    assert stage.state() is MessageState.FAILED


def test_a_provider_that_says_when_is_not_asked_before(store: Store) -> None:
    stage, claimed = claimed_email(store)
    stage.answer(claimed, Retry("slow down", after=600.0))
    assert T0 + 600 * SECOND <= stage.due() <= T0 + 601 * SECOND
    stage.later(599 * SECOND)
    assert stage.claim() == ((), [])


def test_a_permanent_failure_leads_to_the_next_channel_once(store: Store) -> None:
    stage, claimed = claimed_email(store, 'send email "hello" or sms "hello" then push "more"')
    assert stage.answer(claimed, Rejected("no")) == [("paid", "undelivered", "email")]
    (fallback,) = stage.claim("sms")[0]
    assert fallback.key != claimed.key
    assert not stage.claim("push")[0]
    assert stage.answer(fallback, Rejected("no")) == [("paid", "undelivered", "sms")]
    assert not stage.claim("email")[0]
    assert len(stage.claim("push")[0]) == 1


def test_an_address_that_is_gone_is_not_tried_again_until_there_is_another(store: Store) -> None:
    stage, claimed = claimed_email(store)
    stage.answer(claimed, Rejected("unregistered", address_gone=True))
    assert ("paid", "skipped", "email") in stage.arrive("paid", id="2")
    stage.later(SECOND)
    stage.arrive(None, traits={"email": "new@example.com"})
    stage.arrive("paid", id="3", traits={})
    assert len(stage.claim()[0]) == 1


def test_an_answer_that_comes_twice_counts_once(store: Store) -> None:
    stage, claimed = claimed_email(store)
    assert stage.answer(claimed, Sent("r1"))[0] == ("paid", "sent", "email")
    assert stage.answer(claimed, Rejected("no")) == []
    assert stage.state() is MessageState.HANDED


def test_a_call_cut_off_goes_again_where_the_channel_knows_the_key(store: Store) -> None:
    stage, claimed = claimed_email(store)
    assert stage.answer(claimed, Unknown("timed out")) == []
    stage.later(MINUTE)
    (again,), _ = stage.claim()
    assert (again.key, again.attempt) == (claimed.key, 2)


def test_a_call_cut_off_is_held_where_a_second_would_cost_money(store: Store) -> None:
    stage, claimed = claimed_email(
        store, 'send email "hello" or sms "hello" wait 1h', email=spec("email", unknown="hold")
    )
    assert stage.answer(claimed, Unknown("timed out")) == [("paid", "undelivered", "email")]
    assert stage.state() is MessageState.UNKNOWN
    stage.later(DAY)
    assert not stage.claim()[0]
    assert not stage.claim("sms")[0], "it may have arrived: nothing goes in its place"


@pytest.mark.parametrize(
    "then",
    ["consent", "late", "exit", "temporary failures to the end"],
)
def test_what_may_have_gone_is_never_called_skipped_or_failed(store: Store, then: str) -> None:
    stage = Stage(store, "event paid\nevent stopped\nwhen paid until stopped " + 'send email "hello" within 1h wait 1d')
    stage.arrive("paid")
    stage.answer(stage.claim()[0][0], Unknown("timed out"))
    lines: Told = []
    match then:
        case "consent":
            stage.arrive("unsubscribed")
        case "late":
            stage.later(2 * HOUR)
        case "exit":
            lines += stage.arrive("stopped")
        case _:
            while not lines:
                stage.now = stage.due()
                lines += stage.answer(stage.claim()[0][0], Retry("busy"))
    stage.later(MINUTE)
    lines += stage.claim()[1]
    assert ("paid", "undelivered", "email") in lines
    assert not [line for line in lines if line[1] == "skipped"]
    assert stage.state() is MessageState.UNKNOWN


# Reports


def test_a_report_of_failure_leads_to_the_next_channel_once(store: Store) -> None:
    stage, claimed = claimed_email(store, 'send email "hello" or sms "hello" wait 2d')
    stage.answer(claimed, Sent("r1"))
    stage.later(HOUR)
    assert stage.report(claimed, "undelivered") == [("paid", "undelivered", "email")]
    assert stage.report(claimed, "undelivered", reason="again") == []
    assert len(stage.claim("sms")[0]) == 1
    assert stage.claim("sms") == ((), [])


def test_a_report_of_failure_after_within_leads_nowhere(store: Store) -> None:
    stage, claimed = claimed_email(store, 'send email "hello" or sms "hello" within 1h wait 2d')
    stage.answer(claimed, Sent("r1"))
    stage.later(HOUR + 1)
    assert stage.report(claimed, "undelivered") == [("paid", "undelivered", "email")]
    assert stage.claim("sms") == ((), [])


def test_a_report_after_the_journey_leads_nowhere(store: Store) -> None:
    stage, claimed = claimed_email(store, 'send email "hello" or sms "hello"')
    assert stage.answer(claimed, Sent("r1"))[-1] == ("paid", "finished", "")
    assert stage.report(claimed, "undelivered") == [("paid", "undelivered", "email")]
    assert stage.claim("sms") == ((), [])


def test_a_report_is_found_by_the_receipt_and_by_nothing_else(store: Store) -> None:
    stage, claimed = claimed_email(store)
    stage.answer(claimed, Sent("r1"))

    def tell(**how: Any) -> Told:
        one = Report(id=str(how), what="undelivered", at=stage.now, **how)
        return told(store.apply(lambda tx: report(tx, stage.running, "email", [one], stage.now)).lines)

    assert tell(receipt="r2") == []
    assert tell(key="not a key") == []
    assert tell() == []
    assert tell(receipt="r1") == [("paid", "undelivered", "email")]


def test_a_hand_over_that_waits_for_a_report_goes_on_without_one_after_its_time(store: Store) -> None:
    slow = spec("email", settles="report", settles_within=600.0)
    stage, claimed = claimed_email(store, email=slow)
    assert stage.answer(claimed, Sent()) == [("paid", "sent", "email")]
    stage.later(600 * SECOND - 1)
    assert stage.claim() == ((), [])
    stage.later(1)
    assert stage.claim() == ((), [("paid", "finished", "")])


# Crashes


def test_after_a_crash_the_same_key_goes_again_with_what_was_claimed(store: Store) -> None:
    stage = Stage(store, RULE + 'send email "hello"', email=with_content("email"))
    old = template_of("hello", "email", None, {"text": "Hello {{ customer.first_name }}"})
    stage.content = Catalogue({("hello", "email", None): old})
    person = {"first_name": "Ann", "email": "ann@example.com"}
    stage.arrive("paid", traits=person)
    (before,), _ = stage.claim()
    stage.content = Catalogue({("hello", "email", None): template_of("hello", "email", None, {"text": "Edited"})})
    stage.arrive(None, traits={"first_name": "Anna", "email": "anna@example.com"})
    assert stage.recover() == []
    stage.later(MINUTE)
    (after,), _ = stage.claim()
    assert (after.key, after.address, after.values, after.template) == (
        before.key,
        before.address,
        before.values,
        before.template,
    )
    assert after.template is not None
    assert render(after.template, after.values) == {"text": "Hello Ann"}


def test_after_a_crash_a_held_message_is_not_called_again(store: Store) -> None:
    stage, _ = claimed_email(store, email=spec("email", unknown="hold"))
    assert stage.recover() == [("paid", "undelivered", "email"), ("paid", "finished", "")]
    stage.later(DAY)
    assert stage.claim() == ((), [])
    assert stage.recover() == []


def test_after_a_crash_a_withdrawal_wins_over_the_second_call(store: Store) -> None:
    stage, _ = claimed_email(store)
    stage.arrive("unsubscribed")
    stage.recover()
    stage.later(MINUTE)
    assert stage.claim() == ((), [("paid", "undelivered", "email"), ("paid", "finished", "")])


def test_after_a_long_halt_inputs_still_come_in_the_order_of_their_moments(store: Store) -> None:
    text = """
    event paid
    rule first when paid wait 1h set customer.vip = true
    rule second when paid send email "hello" if customer.vip send sms "vip" end
    """
    stage = Stage(store, text, email=spec("email", unknown="hold"))
    stage.arrive("paid")
    stage.claim()
    stage.later(DAY)  # Segue stood still: the wait was over long before the call is found cut off
    stage.recover()
    assert len(stage.claim("sms")[0]) == 1


# Publications


def test_whoever_is_inside_leaves_with_a_removed_rule(store: Store) -> None:
    stage = Stage(store, "event paid\nrule one when paid send email wait 7d\nrule other when paid wait 7d")
    for customer in ("ann", "bob", "cyd"):
        stage.arrive("paid", customer)
    changes = store.apply(
        lambda tx: publish(tx, book_of("event paid\nrule other when paid wait 7d"), stage.now, "test")
    )
    assert changes == Changes(removed=("one",))
    found = store.apply(lambda tx: resume(tx, setting(channels=stage.channels)))
    assert found is not None
    stage.running = found
    lines = []
    (chore,) = store.apply(lambda tx: chores(tx, found))
    left: Chore | None = chore
    while left is not None:
        swept = store.apply(partial(sweep, running=found, chore=left, now=stage.now, limit=2))
        lines += told(swept.done.lines)
        left = swept.left
        assert bool(store.apply(lambda tx: chores(tx, found))) == (len(lines) < 6)
    assert lines == [("one", "exited", "the rule was removed"), ("one", "skipped", "email")] * 3
    assert stage.claim() == ((), [])
    counts = {count.rule: count for count in store.apply(count_rules)}
    assert all(count.balanced for count in counts.values())
    assert (counts["one"].inside, counts["other"].inside) == (0, 3)


def test_whoever_is_inside_keeps_the_version_they_began_with(store: Store) -> None:
    stage = Stage(store, RULE + "wait 7d send email")
    stage.arrive("paid", "ann")
    stage.running = publish_text(store, RULE + "wait 1d send sms", channels=stage.channels)
    stage.arrive("paid", "bob")
    stage.later(DAY)
    stage.wake()
    assert [one.customer for one in stage.claim("sms")[0]] == ["bob"]
    stage.later(6 * DAY)
    stage.wake()
    assert [one.customer for one in stage.claim("email")[0]] == ["ann"]


# Events without a customer


@pytest.mark.parametrize("together", [False, True])
def test_an_event_that_names_no_customer_reaches_every_journey_of_its_value(store: Store, together: bool) -> None:
    text = "event booked\n  seat text\nevent moved\n  seat text\nwhen booked per seat wait 1d unless moved"
    running = publish_text(store, text)
    events = [
        event("booked", "ann", id="1", seat="7"),
        event("booked", "bob", id="2", seat="7"),
        event("booked", "cyd", id="3", seat="8"),
        event("moved", None, id="4", seat="7"),
    ]
    lines: list[DecisionLine] = []
    for batch in [events] if together else [[one] for one in events]:
        lines += store.apply(lambda tx: ingest(tx, running, batch, T0)).done.lines  # noqa: B023
    assert [(line.customer, line.decision) for line in lines if line.decision != "entered"] == [
        ("ann", "exited"),
        ("bob", "exited"),
    ]


def test_rules_that_set_each_other_off_end_at_depth_eight(store: Store) -> None:
    stage = Stage(store, "event ping\nevent pong\nrule one when ping emit pong\nrule two when pong emit ping")
    lines = stage.arrive("ping")
    assert sum(what == "entered" for _, what, _ in lines) == 9
    rows = store.apply(lambda tx: tx.rows("select reason, n from tally where what = 'ignored'"))
    assert rows == [("a chain ended at depth 8", 1)]


def test_content_that_is_fallen_back_to_is_explained(store: Store) -> None:
    stage = Stage(store, RULE + 'send email "hello"', email=with_content("email"))
    parts = {"text": "olá"}
    stage.content = Catalogue({("hello", "email", "pt"): template_of("hello", "email", "pt", parts)})
    stage.arrive(None, traits={"locale": "pt-BR", "email": "ann@example.com"})
    stage.arrive("paid")
    (claimed,), _ = stage.claim()
    assert claimed.template is not None
    assert claimed.template.locale == "pt"
    found = store.apply(lambda tx: explain(tx, stage.running, "ann", "paid"))
    assert not isinstance(found, str)
    assert [fact.detail for fact in found.facts if fact.what == "content"] == [
        "email \"hello\": not in pt-BR, the customer's language; written in pt, the customer's language"
    ]
