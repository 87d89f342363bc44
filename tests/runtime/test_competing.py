"""Messages that compete for a slot: who gets it, whoever looks first; when those that waited are looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Answer, Instant, Money, Period, Rejected, Sent, Unknown
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.delivery.ledger import MessageState
from segue.language import model as m
from segue.runtime.dispatch import Claim
from segue.runtime.explaining import Explanation, explain
from segue.store.database import Store
from segue.store.pauses import Pause, Sort, put_pause
from tests.engine.stage import spec
from tests.runtime.rulebook import T0
from tests.runtime.stage import Stage

DROP, DEFER = m.Overflow("drop"), m.Overflow("defer")
TWO = """
    event paid
    event asked
    event stopped
    rule early when paid wait 1h unless stopped send sms "early" within 3d
    rule late when asked wait 1h send email "late" within 3d
"""


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def limit(count: int, overflow: m.Overflow = DROP, hours: int = 24, channel: str | None = None) -> m.Limit:
    return m.Limit(count, channel, Period(micros=hours * HOUR), overflow)


def both_due(store: Store, *lines: m.Limit | m.Space | m.Quiet, text: str = TWO, **specs: object) -> Stage:
    """Both waits are over, the one for the SMS a minute earlier, before either channel's loop looks."""
    stage = Stage(store, text, **specs)
    stage.under(*lines)
    stage.arrive("paid")
    stage.later(MINUTE)
    stage.arrive("asked")
    stage.later(2 * HOUR)
    stage.wake()
    return stage


@pytest.mark.parametrize("first", ["email", "sms"])
def test_the_one_due_earlier_gets_the_slot_whichever_loop_looks_first(store: Store, first: str) -> None:
    stage = both_due(store, limit(1))
    claims = {}
    for channel in (first, "sms" if first == "email" else "email"):
        claims[channel] = [one.message for one in stage.claim(channel)[0]]
    assert claims == {"sms": ["early"], "email": []}


def test_a_wait_that_is_over_and_that_nobody_has_ended_yet_counts_by_its_own_moment(store: Store) -> None:
    stage = Stage(store, TWO.replace("asked wait 1h", "asked"))
    stage.under(limit(1))
    stage.arrive("paid")
    stage.later(HOUR + MINUTE)
    stage.arrive("asked")
    assert not stage.claim("email")[0]
    assert [one.message for one in stage.claim("sms")[0]] == ["early"]


def test_the_loser_s_record_and_its_explanation_name_the_rule_that_got_the_slot(store: Store) -> None:
    stage = both_due(store, limit(1))
    (line,) = [line for line in stage.look("email").done.lines if line.decision == "skipped"]
    assert line.reason == "limit 1 messages per 24h (promotional), taken by early at 2026-05-28T22:27:40Z"
    found = store.apply(lambda tx: explain(tx, stage.running, "ann", "late"))
    assert isinstance(found, Explanation)
    shown = [fact.detail for fact in found.facts]
    assert (
        'email "late": limit 1 messages per 24h: 1 of 1 taken, the latest by early at 2026-05-28T22:27:40Z, '
        "early is due since 2026-05-28T21:26:40Z and goes first" in shown
    )
    assert f'email "late": {line.reason}' in shown


@pytest.mark.parametrize(("sort", "name"), [("channel", "sms"), ("rule", "early")])
def test_what_is_paused_keeps_no_slot_from_others_and_waits(store: Store, sort: Sort, name: str) -> None:
    stage = both_due(store, limit(1))
    store.apply(lambda tx: put_pause(tx, Pause(sort, name, stage.now, "ann")))
    assert [one.message for one in stage.claim("email")[0]] == ["late"]
    states = dict(store.apply(lambda tx: tx.rows("select message, state from message")))
    assert states["early"] == MessageState.DECIDED


def test_the_order_in_which_they_were_decided_does_not_matter(store: Store) -> None:
    """A daemon that was down may decide the later one first."""
    stage = both_due(store, limit(1))
    numbers = dict(store.apply(lambda tx: tx.rows("select channel, id from message")))
    sms, email = numbers["sms"], numbers["email"]

    def exchange(tx: object) -> None:
        for was, now in ((sms, 10_000), (email, sms), (10_000, email)):
            tx.run("update message set id = ? where id = ?", (now, was))  # type: ignore[attr-defined]

    store.apply(exchange)
    assert not stage.claim("email")[0]
    assert [one.message for one in stage.claim("sms")[0]] == ["early"]


@pytest.mark.parametrize("why", ["consent", "guard", "budget", "too late"])
def test_who_may_not_go_after_all_stands_in_nobody_s_way(store: Store, why: str) -> None:
    budget = m.Budget(Money(Decimal(1), "EUR"), Period(days=1))
    text = TWO
    if why == "too late":
        text = TWO.replace('send sms "early" within 3d', 'send sms "early" within 30min')
    elif why == "guard":
        text = TWO.replace("unless stopped", "unless customer.birthday < now")
    stage = Stage(store, text)
    stage.under(limit(1), budget, costs={"sms": Money(Decimal(2 if why == "budget" else 1), "EUR")})
    stage.arrive(None, traits={"birthday": "2026-05-28T21:26:50Z"})
    stage.arrive("paid", id="1")
    stage.later(MINUTE)
    stage.arrive("asked", id="2")
    stage.now = Instant(T0 + HOUR)
    stage.wake()
    stage.later(2 * MINUTE)
    stage.wake()
    if why == "consent":
        stage.arrive("unsubscribed", id="3", channel="sms")
    elif why == "too late":
        stage.later(HOUR)
    assert [one.message for one in stage.claim("email")[0]] == ["late"]
    assert not stage.claim("sms")[0]


def test_one_that_was_only_held_back_by_the_night_keeps_its_place_in_the_line(store: Store) -> None:
    night = m.Quiet(m.Clock(21 * 60), m.Clock(8 * 60))
    stage = both_due(store, night, limit(1))
    assert not stage.claim("sms")[0]
    assert not stage.claim("email")[0]
    stage.now = Instant(T0 + 11 * HOUR + 33 * MINUTE + 20 * SECOND)  # 08:00
    assert not stage.claim("email")[0]
    assert [one.message for one in stage.claim("sms")[0]] == ["early"]


# Looked at again


@pytest.mark.parametrize("answer", [Rejected("no such box"), "undelivered"])
def test_a_slot_that_is_given_back_goes_at_once_to_who_waits_for_it(store: Store, answer: Answer | str) -> None:
    stage = both_due(store, limit(1, DEFER))
    (early,) = stage.claim("sms")[0]
    assert not stage.claim("email")[0]
    stage.later(HOUR)
    if isinstance(answer, str):
        stage.answer(early, Sent())
        stage.report(early, answer, "sms")
    else:
        stage.answer(early, answer)
    assert stage.due() == stage.now
    assert [one.message for one in stage.claim("email")[0]] == ["late"]


def test_an_unknown_outcome_keeps_its_slot_and_wakes_nobody(store: Store) -> None:
    stage = both_due(store, limit(1, DEFER), sms=spec("sms", unknown="hold"))
    (early,) = stage.claim("sms")[0]
    assert not stage.claim("email")[0]
    stage.answer(early, Unknown("timed out"))
    assert stage.state("sms") is MessageState.UNKNOWN
    assert not stage.claim("email")[0]


def test_a_message_taken_back_by_its_journey_leaves_its_place_in_the_line(store: Store) -> None:
    stage = both_due(store, limit(1, DEFER))
    assert not stage.claim("email")[0], "the SMS is before it"
    stage.arrive("stopped", id="3")
    assert [one.message for one in stage.claim("email")[0]] == ["late"]


def test_who_moves_to_another_zone_in_the_night_is_looked_at_by_their_new_clock(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "hello" within 3d')
    stage.under(m.Quiet(m.Clock(20 * 60), m.Clock(8 * 60)))
    stage.arrive(None, traits={"timezone": "Europe/London"})  # 21:26
    stage.arrive("paid", id="1")
    assert not stage.claim()[0]
    stage.later(HOUR)
    stage.arrive(None, id="2", traits={"timezone": "America/New_York"})  # 17:26
    assert len(stage.claim()[0]) == 1


def test_who_moves_into_the_night_is_held_back_when_their_old_morning_comes(store: Store) -> None:
    stage = Stage(store, 'event paid\nwhen paid send email "hello" within 3d')
    stage.under(m.Quiet(m.Clock(20 * 60), m.Clock(8 * 60)))
    stage.arrive(None, traits={"timezone": "Europe/London"})
    stage.arrive("paid", id="1")
    stage.claim()
    stage.later(SECOND)
    stage.arrive(None, id="2", traits={"timezone": "Australia/Lord_Howe"})  # 06:56 there
    stage.claim()
    assert stage.due() == T0 + HOUR + 3 * MINUTE + 20 * SECOND


# The law, against a reading of it that knows no slots and no line


class _Sent(msgspec.Struct):
    decided: int
    rule: str
    number: int
    channel: str
    claimed: int
    failed: int | None = None


_history = st.lists(
    st.tuples(
        st.sampled_from(["wait", "wait long", "a", "b", "c", "a", "b", "c", "look", "look", "fail", "report"]),
        st.integers(1, 12),
    ),
    min_size=8,
    max_size=60,
)


@given(_history, st.integers(1, 3), st.integers(1, 2))
def test_slots_are_what_a_plain_count_of_what_went_says(
    history: list[tuple[str, int]], count: int, emails: int
) -> None:
    """Random histories of three rules on two channels, looked at now and then, in batches, with failures at once and
    reported later. Whenever a channel looks, what it claims of what is due is what somebody would allow who counts, for
    each message in the order in which they were due, the messages of the last hours that have not failed."""
    text = """
        event a n text
        event b n text
        event c n text
        rule a when a per n send email "m"
        rule b when b per n send sms "m"
        rule c when c per n send email "m" within 40h
    """
    store = Store(None)
    stage = Stage(store, text)
    window, mails = 12 * HOUR, 30 * HOUR
    stage.under(limit(count, hours=12), limit(emails, hours=30, channel="email"))
    went: list[_Sent] = []
    waiting: list[tuple[int, str, int, str]] = []
    claims: dict[int, Claim] = {}
    for number, (what, size) in enumerate(history):
        stage.later(size * SECOND)
        if what.startswith("wait"):
            stage.later(size * (HOUR if what == "wait" else 4 * HOUR))
        elif what in "abc":
            stage.arrive(what, id=str(number), n=str(number))
            waiting.append((stage.now, what, number, "sms" if what == "b" else "email"))
        elif what == "look":
            within = {"a": 24 * HOUR, "b": 24 * HOUR, "c": 40 * HOUR}
            expected = set()
            for decided, rule, n, channel in sorted(waiting):
                lives = [one for one in went if one.failed is None]
                recent = [one for one in lives if one.claimed + window > stage.now]
                letters = [one for one in lives if one.channel == "email" and one.claimed + mails > stage.now]
                if stage.now > decided + within[rule] or len(recent) >= count:
                    continue
                if channel == "email" and len(letters) >= emails:
                    continue
                expected.add(n)
                went.append(_Sent(decided, rule, n, channel, stage.now))
            waiting.clear()
            channels = ("email", "sms") if size % 2 else ("sms", "email")
            found = [claim for channel in channels for claim in stage.claim(channel, limit=100)[0]]
            assert {int(one.values["event"]["n"]) for one in found} == expected
            for one in found:
                claims[int(one.values["event"]["n"])] = one
        else:
            under_way = [one for one in went if one.failed is None and one.number in claims]
            if under_way:
                lost = under_way[size % len(under_way)]
                claim = claims.pop(lost.number)
                lost.failed = stage.now
                if what == "fail":
                    stage.answer(claim, Rejected("no"))
                else:
                    stage.answer(claim, Sent())
                    stage.report(claim, "undelivered", lost.channel, id=str(number))
    store.close()


def test_a_deferral_of_a_week_is_not_kept_once_its_slot_is_given_back(store: Store) -> None:
    stage = both_due(store, m.Space(Period(days=1)))
    (early,) = stage.claim("sms")[0]
    assert not stage.claim("email")[0]
    assert stage.due() == stage.now + DAY
    stage.answer(early, Rejected("no such number"))
    assert len(stage.claim("email")[0]) == 1


def test_who_is_held_back_for_the_sake_of_one_behind_them_is_held_back_once(store: Store) -> None:
    """Both by email, in one batch: the one due later stands first there, since the other was deferred before."""
    text = """
        event paid
        event asked
        event left
        rule other when left send sms "other"
        rule early when paid send email "early" within 3d
        rule late when asked send email "late" within 3d
    """
    stage = Stage(store, text)
    stage.under(limit(1, DEFER))
    stage.arrive("left")
    stage.claim("sms")
    stage.arrive("paid", id="2")
    stage.claim("email")
    stage.later(HOUR)
    stage.arrive("asked", id="3")
    stage.later(23 * HOUR)
    stage.later(SECOND)
    stage.under(limit(1, DEFER), m.Quiet(m.Clock(0), m.Clock(0)))  # and now nobody may go
    lines = [line for line in stage.look("email").done.lines if line.decision == "deferred"]
    assert sorted(line.rule for line in lines) == ["early", "late"]
