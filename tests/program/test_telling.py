"""Rules in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings

from segue.api import Money, Period
from segue.language import model as m
from segue.program.plain import say, say_period, say_turning, say_value
from segue.program.questions import Content, answer
from segue.program.telling import Sentence, tell
from tests.engine.programs import conditions, rules

ENTRY = m.Window("entry")
TOTAL = m.TriggerField("total", "money")


def forty() -> m.Literal_:
    return m.Literal_(Money(Decimal(40), "EUR"))


def sentences(found: tuple[Sentence, ...]) -> Iterator[str]:
    for one in found:
        yield one.text
        yield from sentences(one.under)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (m.Happened("ordered", ENTRY), "ordered has happened"),
        (
            m.Happened("ordered", m.Window("last", Period(days=90)), times=2),
            "ordered has happened at least 2 times in the last 90 days",
        ),
        (m.Not(m.Happened("ordered", m.Window("ever"))), "ordered has not happened at any time"),
        (m.Compare(">=", TOTAL, forty()), "total is at least 40 EUR"),
        (m.Present(m.Trait("vip", "boolean")), "the customer's vip is true"),
        (m.Present(m.Trait("email", "text")), "the customer's email is known"),
        (m.Not(m.CanGet("sms")), "sms cannot reach the customer"),
        (m.InSegment("lapsed"), "the customer is in the segment lapsed"),
        (m.Reacted("opened", "email"), "the email was opened"),
        (m.Not(m.Reacted("clicked", None, "hello")), 'the message "hello" was not clicked'),
        (m.OneOf(m.Weekday(), (m.Literal_(5), m.Literal_(6))), "the day is Saturday or Sunday"),
        (
            m.All((m.CanGet("sms"), m.Any_((m.InRule("welcome"), m.CanGet("email"))))),
            "sms can reach the customer and (the customer is inside the rule welcome or email can reach the customer)",
        ),
        (
            m.Compare(">", m.Aggregate("count", "ordered", None, "number", m.Window("ever")), m.Literal_(2)),
            "how often ordered happened at any time is more than 2",
        ),
    ],
)
def test_a_condition_reads_as_a_clause(expression: m.Expression, words: str) -> None:
    assert say(expression) == words


def test_what_is_watched_is_told_as_happening() -> None:
    assert say_turning(m.Happened("ordered", ENTRY)) == "ordered happens"


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (Period(days=1), "1 day"),
        (Period(days=14), "2 weeks"),
        (Period(months=2, days=3), "2 months and 3 days"),
        (Period(micros=5_400_000_000), "1 hour and 30 minutes"),
        (Period(), "no time"),
    ],
)
def test_a_period_reads_as_one_says_it(period: Period, words: str) -> None:
    assert say_period(period) == words


@settings(max_examples=200, deadline=None)
@given(conditions())
def test_no_condition_is_told_in_the_words_of_a_program(expression: m.Expression) -> None:
    told = say(expression)
    assert told.strip()
    assert not any(sign in told for sign in ("None", "Decimal(", "<", "model."))


@settings(max_examples=150, deadline=None)
@given(rules("r"))
def test_every_rule_is_told_whole(rule: m.Rule) -> None:
    told = tell(rule)
    text = " ".join(sentences((*told.beginning, *told.terms, *told.steps)))
    assert all(event in text for event in rule.events)
    for name in _messages(rule.steps):
        assert f'"{name}"' in text
    answers = answer(rule, Content(), 3, {})
    assert [one.number for one in answers] == list(range(1, 18))
    assert all(one.answer or one.clause for one in answers)


def _messages(steps: tuple[m.Step, ...]) -> Iterator[str]:
    for step in steps:
        match step:
            case m.Send(together=together):
                yield from (one.message for group in together for one in group)
            case m.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    yield from _messages(branch.steps)
                yield from _messages(otherwise)
            case _:
                pass


def test_the_canonical_sentence_is_told_as_anybody_would() -> None:
    rule = m.Rule(
        "cart_abandoned",
        None,
        ("cart_abandoned",),
        (
            m.Wait(Period(days=1), m.Happened("ordered", ENTRY)),
            m.Send(((m.Delivery("email", "cart_abandoned", (), "promotional", Period(days=1)),),)),
        ),
    )
    assert list(sentences(tell(rule).steps)) == [
        "Wait 1 day.",
        "From here on in this block, the journey ends as soon as ordered happens.",
        'Send "cart_abandoned" by email, at most 1 day late.',
    ]
    answers = {one.number: one for one in answer(rule, Content(), 1, {"ordered": ["segment"]})}
    assert answers[1].answer == "A journey begins when cart_abandoned happens."
    assert answers[5].answer is None
    assert answers[9].answer == "At most 1 message in one journey."
    assert answers[13].answer == "After 1 day."
    assert answers[16].answer == "It ends as soon as ordered happens."


def test_a_share_of_a_rule_and_its_times_are_told() -> None:
    rule = m.Rule(
        "r",
        None,
        (),
        (m.Stop(),),
        trigger=m.OnSchedule(m.Weekdays((0, 3)), m.Clock(540)),
        audience="readers",
        holdout=Decimal("2.50"),
        expect=m.Expect(100, Period(days=1)),
        active=m.Active(m.Day("2026-11-20"), m.Day("2026-11-30")),
        on_edit="follow",
    )
    told = " ".join(sentences((*tell(rule).beginning, *tell(rule).terms)))
    assert (
        "when it is 09:00 on a Monday or Thursday, by the customer's own clock, for customers in the segment readers"
        in told
    )
    assert "2.5 %" in told
    assert "over 1000 pauses entries" in told
    assert "from 2026-11-20 to 2026-11-30" in told
    assert "moved to the new text" in told


def test_values_say_whose_they_are() -> None:
    assert say_value(m.Trait("plan", "text")) == "the customer's plan"
    assert say_value(m.Aggregate("last", "ordered", "total", "money", ENTRY)) == "the latest total of ordered"
    assert say_value(m.Coupon("CART10")) == 'a code of the pool "CART10"'
