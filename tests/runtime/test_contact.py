"""The contact policy in the transaction that claims: what a batch knows of itself, of what went before, of money."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from segue.api import Instant, Money, Period, Rejected, Retry, Sent, Unknown
from segue.api.values import DAY, HOUR, MINUTE
from segue.delivery.ledger import MessageState
from segue.language import model as m
from segue.runtime.explaining import Explanation, explain
from segue.store.database import Store
from tests.engine.stage import spec
from tests.runtime.rulebook import T0
from tests.runtime.stage import Stage

EMAIL = 'event paid order_id text\nwhen paid per order_id send email "hello" within 3d'
DROP, DEFER = m.Overflow("drop"), m.Overflow("defer")
ONE_DAY, ONE_WEEK = Period(days=1), Period(days=7)


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store(None)
    yield opened
    opened.close()


def limited(store: Store, *lines: m.Limit | m.Space | m.Quiet | m.Budget, text: str = EMAIL, **more: object) -> Stage:
    stage = Stage(store, text)
    stage.under(*lines, **more)  # type: ignore[arg-type]
    return stage


def limit(count: int, channel: str | None = None, overflow: m.Overflow = DROP, per: Period = ONE_DAY) -> m.Limit:
    return m.Limit(count, channel, per, overflow)


def states(store: Store) -> list[MessageState]:
    rows = store.apply(lambda tx: tx.rows("select state from message order by id"))
    return [MessageState(state) for (state,) in rows]


def decided(stage: Stage, count: int, customer: str = "ann") -> None:
    for number in range(count):
        stage.arrive("paid", customer, id=f"{customer}-{number}", order_id=f"{customer}-{number}")


# Slots


def test_many_claims_of_one_batch_at_one_limit_see_each_other(store: Store) -> None:
    stage = limited(store, limit(3, "email"))
    decided(stage, 40)
    decided(stage, 40, "bob")
    found = stage.look(limit=1000)
    assert sorted(one.customer for one in found.claims) == ["ann"] * 3 + ["bob"] * 3
    skipped = [line for line in found.done.lines if line.decision == "skipped"]
    assert len(skipped) == 74
    assert {line.reason for line in skipped} == {
        "limit 3 email per 1d (promotional), taken by paid at 2026-05-28T20:26:40Z"
    }


def test_what_went_before_is_found_in_the_ledger_when_the_policy_is_new(store: Store) -> None:
    stage = Stage(store, EMAIL)
    decided(stage, 1)
    stage.answer(stage.claim()[0][0], Sent())
    stage.under(limit(1))
    stage.later(23 * HOUR)
    stage.arrive("paid", order_id="next")
    assert not stage.claim()[0]
    stage.later(HOUR)
    stage.arrive("paid", order_id="the one after", id="3")
    assert len(stage.claim()[0]) == 1


def test_another_kind_takes_no_slot_and_a_transactional_message_passes(store: Store) -> None:
    text = """
        event paid order_id text
        event asked
        rule receipt when paid per order_id as transactional send email "receipt"
        rule answer when asked as informational send email "answer"
        rule more when paid per order_id wait 1min send email "more"
    """
    stage = limited(store, limit(1), text=text)
    stage.arrive("asked")
    decided(stage, 3)
    assert len(stage.claim()[0]) == 4
    stage.later(MINUTE)
    stage.wake()
    claims, _ = stage.claim()
    assert [one.message for one in claims] == ["more"]


@pytest.mark.parametrize("answer", [Rejected("no such box"), None])
def test_a_failure_gives_the_slot_back(store: Store, answer: Rejected | None) -> None:
    stage = limited(store, limit(1))
    decided(stage, 1)
    (claimed,), _ = stage.claim()
    if answer is not None:
        stage.answer(claimed, answer)
    else:
        stage.answer(claimed, Sent())
        stage.report(claimed, "undelivered")
    stage.arrive("paid", order_id="next", id="2")
    assert len(stage.claim()[0]) == 1


@pytest.mark.parametrize("then", ["unknown", "tried again", "under way"])
def test_what_may_have_gone_or_will_be_tried_again_keeps_its_slot(store: Store, then: str) -> None:
    stage = Stage(store, EMAIL, email=spec("email", unknown="hold"))
    stage.under(limit(1))
    decided(stage, 1)
    (claimed,), _ = stage.claim()
    if then == "unknown":
        stage.answer(claimed, Unknown("timed out"))
    elif then == "tried again":
        stage.answer(claimed, Retry("busy", after=7200))
    stage.arrive("paid", order_id="next", id="2")
    assert not stage.claim()[0]


def test_a_message_that_is_tried_again_does_not_stand_in_its_own_way_and_takes_its_slot_anew(store: Store) -> None:
    stage = limited(store, limit(1))
    decided(stage, 1)
    stage.answer(stage.claim()[0][0], Retry("busy", after=3600 * 5))
    stage.later(6 * HOUR)
    (again,), _ = stage.claim()
    assert again.attempt == 2
    stage.answer(again, Sent())
    stage.later(23 * HOUR)
    stage.arrive("paid", order_id="next", id="2")
    assert not stage.claim()[0], "29 hours after the first try, and 23 after the one that went"


def test_a_limit_that_drops_leads_to_the_next_alternative(store: Store) -> None:
    text = 'event paid order_id text\nwhen paid per order_id send email "hello" or sms "hello" then push "bye"'
    stage = limited(store, limit(1, "email"), text=text)
    decided(stage, 2)
    claims, lines = stage.claim()
    assert len(claims) == 1
    assert lines == [("paid", "skipped", "email")]
    (fallback,) = stage.claim("sms")[0]
    assert fallback.message == "hello"
    stage.answer(fallback, Sent())
    assert len(stage.claim("push")[0]) == 1


def test_what_stands_takes_no_slot_and_needs_none(store: Store) -> None:
    text = 'event paid order_id text\nwhen paid per order_id send audience "x" and email "hello" wait 1d'
    stage = Stage(store, text, audience=spec("audience", stands=True, retracts=True))
    stage.under(limit(1), m.Space(ONE_DAY), m.Quiet(m.Clock(0), m.Clock(0)))
    decided(stage, 2)
    assert len(stage.claim("audience")[0]) == 2
    stage.under(limit(1))
    assert len(stage.claim("email")[0]) == 1


# Deferrals


def test_a_deferral_is_recorded_with_its_end_and_counted_by_its_line(store: Store) -> None:
    stage = limited(store, limit(1, "email", DEFER))
    decided(stage, 2)
    found = stage.look()
    (line,) = found.done.lines
    assert (line.decision, line.reason) == (
        "deferred",
        "limit 1 email per 1d (promotional), taken by paid at 2026-05-28T20:26:40Z, until 2026-05-29T20:26:40Z",
    )
    assert found.next_due == T0 + DAY
    tally = store.apply(lambda tx: tx.rows("select reason, n from tally where what = 'deferred'"))
    assert tally == [("limit 1 email per 1d (promotional)", 1)]
    assert stage.look().seen == 0, "until then nobody looks at it"


def test_guards_are_looked_at_again_after_a_deferral(store: Store) -> None:
    text = """
        event paid order_id text
        when paid per order_id wait 1min unless customer.birthday < now send email "hello" within 3d
    """
    stage = limited(store, limit(1, "email", DEFER), text=text)
    stage.arrive(None, traits={"birthday": "2026-05-29T12:00:00Z", "email": "a@example.com"})
    decided(stage, 2)
    stage.later(MINUTE)
    stage.wake()
    assert len(stage.claim()[0]) == 1
    stage.later(DAY)
    _, lines = stage.claim()
    assert ("paid", "exited", "unless customer.birthday < now") in lines


def test_consent_withdrawn_while_a_message_is_deferred_wins(store: Store) -> None:
    stage = limited(store, limit(1, "email", DEFER))
    decided(stage, 2)
    stage.claim()
    stage.arrive("unsubscribed", channel="email")
    stage.later(DAY)
    (line,) = [line for line in stage.look().done.lines if line.decision == "skipped"]
    assert line.reason == "consent withdrawn for promotional email"


def test_what_was_deferred_to_its_last_moment_is_given_up_in_the_line_s_words_however_late_it_is(store: Store) -> None:
    stage = limited(store, limit(1, "email", DEFER, ONE_WEEK))
    decided(stage, 2)
    stage.claim()
    stage.later(3 * DAY + MINUTE)
    (line,) = [line for line in stage.look().done.lines if line.decision == "skipped"]
    assert line.reason == "limit 1 email per 7d (promotional), taken by paid at 2026-05-28T20:26:40Z"


def test_a_message_that_was_deferred_does_not_go_after_its_time(store: Store) -> None:
    stage = limited(store, limit(1, "email", DEFER, ONE_WEEK))
    decided(stage, 2)
    stage.claim()
    stage.later(8 * DAY)
    found = stage.look()
    assert not found.claims
    assert found.done.lines[0].reason == "limit 1 email per 7d (promotional)"


def test_of_two_that_wait_for_one_slot_the_one_decided_earlier_goes_whichever_channel_looks_first(
    store: Store,
) -> None:
    text = """
        event paid
        event asked
        event left
        rule first when paid send push "first"
        rule second when asked send sms "second" within 3d
        rule third when left send email "third" within 3d
    """
    stage = limited(store, limit(1, None, DEFER), text=text)
    stage.arrive("paid")
    stage.claim("push")
    stage.later(HOUR)
    stage.arrive("asked")
    assert not stage.claim("sms")[0]
    stage.later(HOUR)
    stage.arrive("left")
    assert not stage.claim("email")[0]
    stage.now = Instant(T0 + DAY)
    found = stage.look("email")
    assert not found.claims
    assert found.done.lines[0].reason.startswith("limit 1 messages per 1d (promotional), taken by second at ")
    assert [one.message for one in stage.claim("sms")[0]] == ["second"]
    stage.now = Instant(T0 + 2 * DAY)
    assert [one.message for one in stage.claim("email")[0]] == ["third"]


# Money


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def budget(amount: str, per: Period = ONE_DAY, overflow: m.Overflow = DROP) -> m.Budget:
    return m.Budget(euros(amount), per, overflow)


def spent(store: Store) -> dict[str, int]:
    return dict(store.apply(lambda tx: tx.rows("select day, amount from spend order by day")))


def test_a_budget_is_the_project_s_and_one_batch_does_not_go_over_it(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("0.3")})
    for number in range(10):
        stage.arrive("paid", f"customer {number}", order_id="1")
    found = stage.look()
    assert len(found.claims) == 3
    assert {line.reason for line in found.done.lines if line.decision == "skipped"} == {
        "budget 1 EUR per 1d (promotional)"
    }
    assert spent(store) == {"2026-05-28": 900_000}
    stage.later(DAY)
    stage.arrive("paid", "eve", order_id="2")
    assert len(stage.claim()[0]) == 1


def test_a_message_of_three_parts_costs_three_times(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("0.3")})
    decided(stage, 2)
    one, other = stage.claim()[0]
    stage.later(DAY)
    stage.answer(one, Sent(parts=3))
    stage.answer(one, Sent(parts=3))
    assert spent(store) == {"2026-05-28": 1_200_000}
    stage.answer(other, Rejected("no"))
    assert spent(store) == {"2026-05-28": 900_000}


def test_parts_that_are_known_after_the_report_count_as_well(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("0.3")})
    decided(stage, 1)
    (one,), _ = stage.claim()
    stage.report(one, "delivered")
    stage.answer(one, Sent(parts=2))
    assert spent(store) == {"2026-05-28": 600_000}


def test_parts_of_what_was_reported_undelivered_before_the_answer_cost_nothing(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("0.3")})
    decided(stage, 1)
    (one,), _ = stage.claim()
    stage.report(one, "undelivered")
    stage.answer(one, Sent(parts=2))
    assert spent(store) == {"2026-05-28": 0}


def test_what_the_provider_says_that_it_costs_is_what_counts(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("0.3")})
    decided(stage, 1)
    stage.answer(stage.claim()[0][0], Sent(parts=2, cost=euros("0.05")))
    assert spent(store) == {"2026-05-28": 50_000}


def test_what_failed_is_given_back_to_its_day(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("1")})
    decided(stage, 1)
    (claimed,), _ = stage.claim()
    stage.later(DAY)
    stage.answer(claimed, Rejected("no"))
    assert spent(store) == {"2026-05-28": 0}


def test_a_message_tried_again_costs_once_on_the_day_it_went(store: Store) -> None:
    stage = limited(store, budget("1"), costs={"email": euros("1")})
    decided(stage, 1)
    stage.answer(stage.claim()[0][0], Retry("busy", after=3600 * 20))
    stage.later(DAY)
    assert len(stage.claim()[0]) == 1
    assert spent(store) == {"2026-05-28": 0, "2026-05-29": 1_000_000}


def test_a_message_taken_back_by_its_journey_while_it_waits_to_be_tried_again_costs_nothing(store: Store) -> None:
    text = 'event paid\nevent stopped\nwhen paid until stopped send email "hello"'
    stage = limited(store, budget("1"), text=text, costs={"email": euros("1")})
    stage.arrive("paid")
    stage.answer(stage.claim()[0][0], Retry("busy"))
    stage.arrive("stopped")
    assert spent(store) == {"2026-05-28": 0}


def test_spending_is_counted_before_there_is_a_budget(store: Store) -> None:
    stage = limited(store, limit(9), costs={"email": euros("0.6")})
    decided(stage, 1)
    stage.claim()
    stage.under(budget("1"), costs={"email": euros("0.6")})
    stage.arrive("paid", order_id="next", id="2")
    assert not stage.claim()[0]


def paid_by(stage: Stage, count: int) -> None:
    for number in range(count):
        stage.arrive("paid", f"customer {number}", order_id="1")


@pytest.mark.parametrize("how", ["refused", "reported", "cheaper"])
def test_money_that_comes_back_goes_at_once_to_who_waits_for_it(store: Store, how: str) -> None:
    stage = limited(store, budget("1", overflow=DEFER), costs={"email": euros("0.5")})
    paid_by(stage, 5)
    claims, _ = stage.claim()
    assert [one.customer for one in claims] == ["customer 0", "customer 1"]
    assert not stage.claim()[0]
    stage.later(MINUTE)
    if how == "cheaper":
        stage.answer(claims[0], Sent(cost=euros("0.01")))
        assert not stage.claim()[0], "0.49 are not enough for another"
        stage.answer(claims[1], Sent(cost=euros("0.02")))
    elif how == "refused":
        stage.answer(claims[0], Rejected("no such box"))
    else:
        stage.answer(claims[0], Sent())
        stage.report(claims[0], "undelivered")
    assert stage.due() == stage.now
    assert [one.customer for one in stage.claim()[0]] == ["customer 2"]
    assert not stage.claim()[0]


def test_only_as_many_are_woken_as_there_is_money_for_and_by_every_channel(store: Store) -> None:
    text = """
        event paid order_id text
        event asked
        rule a when paid per order_id send email "hello" within 3d
        rule b when asked send sms "hello" within 3d
    """
    costs = {"email": euros("0.6"), "sms": euros("0.4")}
    stage = limited(store, budget("1", overflow=DEFER), text=text, costs=costs)
    paid_by(stage, 3)
    for number in range(3):
        stage.arrive("asked", f"other {number}")
    (email,) = stage.claim()[0]
    (sms,) = stage.claim("sms")[0]
    stage.later(MINUTE)
    stage.answer(sms, Rejected("no such number"))
    deferred = store.apply(lambda tx: tx.rows("select channel from message where due = ?", (stage.now,)))
    assert deferred == [("sms",)]
    assert not stage.claim()[0]
    (sms,) = stage.claim("sms")[0]
    stage.answer(sms, Sent())
    stage.answer(email, Rejected("no such box"))
    assert [one.customer for one in stage.claim()[0]] == ["customer 1"]
    assert not stage.claim("sms")[0]


@pytest.mark.parametrize("why", ["consent", "night"])
def test_money_that_somebody_does_not_take_after_all_goes_to_the_next(store: Store, why: str) -> None:
    stage = limited(
        store, m.Quiet(m.Clock(0), m.Clock(8 * 60)), budget("1", overflow=DEFER), costs={"email": euros("1")}
    )
    for name in ("customer 0", "customer 1", "customer 2"):
        stage.arrive("paid", name, order_id="1")
    (claimed,) = stage.claim()[0]
    stage.later(MINUTE)
    if why == "consent":
        stage.arrive("unsubscribed", "customer 1", channel="email", id="2")
    else:
        stage.arrive(None, "customer 1", id="2", traits={"email": "b@example.com", "timezone": "Asia/Tokyo"})
    stage.answer(claimed, Rejected("no such box"))
    assert not stage.claim()[0], "it was for customer 1"
    assert [one.customer for one in stage.claim()[0]] == ["customer 2"]


def test_money_of_another_day_wakes_nobody(store: Store) -> None:
    stage = limited(store, budget("1", overflow=DEFER), costs={"email": euros("1")})
    paid_by(stage, 1)
    (yesterday,) = stage.claim()[0]
    stage.later(DAY)
    stage.arrive("paid", "eve", order_id="1")
    stage.arrive("paid", "bob", order_id="1")
    assert len(stage.claim()[0]) == 1
    due = stage.due()
    stage.answer(yesterday, Rejected("no such box"))
    assert stage.due() == due > stage.now


# Explained


def test_why_shows_each_check_and_the_value_seen(store: Store) -> None:
    stage = limited(store, m.Quiet(m.Clock(22 * 60), m.Clock(8 * 60)), limit(1, "email", DEFER))
    decided(stage, 2)
    stage.claim()
    found = store.apply(lambda tx: explain(tx, stage.running, "ann", "paid"))
    assert isinstance(found, Explanation)
    shown = [(fact.what, fact.detail) for fact in found.facts]
    assert ("checked", 'email "hello": quiet 22:00 to 08:00 local: 20:26') in shown
    assert ("checked", 'email "hello": limit 1 email per 1d: 0 of 1 taken') in shown
    assert (
        "checked",
        'email "hello": limit 1 email per 1d: 1 of 1 taken, the latest by paid at 2026-05-28T20:26:40Z',
    ) in shown
    assert (
        "deferred",
        'email "hello": limit 1 email per 1d (promotional), until 2026-05-29T20:26:40Z',
    ) in shown


def test_without_a_policy_a_claim_asks_nothing_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from segue.store import ledger

    def asked(*_: object) -> list[object]:
        raise AssertionError("no policy, no query")

    monkeypatch.setattr(ledger, "load_taken", asked)
    monkeypatch.setattr(ledger, "load_waiting", asked)
    stage = Stage(store, EMAIL)
    decided(stage, 1)
    assert len(stage.claim()[0]) == 1


def test_ones_own_policy_is_that_of_its_kind(store: Store) -> None:
    stage = Stage(store, EMAIL)
    policies = {"informational": m.Policy("informational", (limit(1, "email", DROP),))}
    stage.running = msgspec.structs.replace(stage.running, policies=policies)
    decided(stage, 3)
    assert len(stage.claim()[0]) == 3


# What the customer chose


def test_who_wants_to_hear_once_a_week_gets_one_message_a_week_of_that_kind_by_whatever_channel(store: Store) -> None:
    text = 'event paid order_id text\nwhen paid per order_id send email "hello" and sms "hello" within 3d'
    stage = Stage(store, text)
    stage.arrive(None, traits={"email": "ann@example.com", "phone": "+358401234567", "frequency_promotional": "weekly"})
    stage.arrive("paid", order_id="1", traits={})
    assert len(stage.claim()[0]) == 1
    (line,) = [line for line in stage.look("sms").done.lines if line.decision == "skipped"]
    assert (
        line.reason
        == "limit 1 messages per 7d, as the customer chose (promotional), taken by paid at 2026-05-28T20:26:40Z"
    )
    explained = store.apply(lambda tx: explain(tx, stage.running, "ann", "paid"))
    assert isinstance(explained, Explanation)
    assert any("as the customer chose: 1 of 1 taken" in fact.detail for fact in explained.facts)
    stage.later(7 * DAY)
    stage.arrive("paid", order_id="2", traits={})
    assert len(stage.claim()[0]) == 1


@pytest.mark.parametrize(("chosen", "free"), [("daily", DAY), ("weekly", 7 * DAY), ("monthly", 31 * DAY)])
def test_a_customer_s_frequency_holds_beside_the_project_s_limits(store: Store, chosen: str, free: int) -> None:
    stage = limited(store, limit(50))
    stage.arrive(None, traits={"email": "ann@example.com", "frequency_promotional": chosen})
    stage.arrive("paid", order_id="1", traits={})
    assert len(stage.claim()[0]) == 1
    stage.later(free - MINUTE)
    stage.arrive("paid", order_id="2", traits={})
    assert not stage.claim()[0]
    stage.later(MINUTE)
    stage.arrive("paid", order_id="3", traits={})
    assert len(stage.claim()[0]) == 1


@pytest.mark.parametrize("kind", ["transactional", "informational"])
def test_a_frequency_is_for_one_kind_of_message(store: Store, kind: str) -> None:
    stage = Stage(store, f'event paid order_id text\nwhen paid per order_id send email "hello" as {kind}')
    traits = {"email": "ann@example.com", "frequency_promotional": "monthly", "frequency_transactional": "monthly"}
    stage.arrive(None, traits=traits)
    for number in "123":
        stage.arrive("paid", id=number, order_id=number, traits={})
    assert len(stage.claim()[0]) == 3


def test_a_frequency_that_is_none_limits_nothing(store: Store) -> None:
    stage = Stage(store, EMAIL)
    for number, chosen in enumerate(["hourly", "", 7, ["daily"]]):
        stage.arrive(
            "paid",
            order_id=str(number),
            id=str(number),
            traits={"frequency_promotional": chosen, "email": "a@x.example"},
        )
    assert len(stage.claim()[0]) == 4
