"""Triggers, header lines, steps, segments, policies and tests as they reach the model."""

from __future__ import annotations

import time
from decimal import Decimal

from segue.api import Money, Period
from segue.language import model
from segue.language.book import Checked, Source, check_book
from tests.language.words import WORDS

DAY = Period(days=1)
WEEK = Period(days=7)
HOUR = 3_600_000_000
NINE = model.Clock(540)
SEGMENT = "segment lapsed where not ordered in last 90d\n"


def _check(text: str) -> Checked:
    checked = check_book([Source("a.rules", text)], WORDS)
    assert [f"{d.code} {d.message}" for d in checked.diagnostics if d.is_error] == []
    return checked


def _rule(text: str) -> model.Rule:
    (rule,) = _check(SEGMENT + text).book.rules
    return rule


def _trigger(text: str) -> model.Trigger | None:
    rule = _rule(f"rule r {text} send email")
    assert rule.events == ()
    return rule.trigger


def test_triggers() -> None:
    assert _trigger("when customer enters lapsed") == model.OnMembership("enters", "lapsed")
    assert _trigger("when customer leaves lapsed") == model.OnMembership("leaves", "lapsed")
    assert _trigger('when customer.country changes to "FI"') == model.OnChange("country", "text", model.Literal_("FI"))
    assert _trigger("when customer.spent changes to 40") == model.OnChange(
        "spent", "money", model.Literal_(Money(Decimal(40), "EUR"))
    )
    assert _trigger("when 3d before customer.renewal at 09:00 UTC") == model.OnOffset(
        Period(days=3), "before", "renewal", NINE, "UTC"
    )
    assert _trigger("when 2h after customer.renewal") == model.OnOffset(Period(micros=2 * HOUR), "after", "renewal")
    assert _trigger("every thursday monday at 09:00 local for lapsed") == model.OnSchedule(model.Weekdays((0, 3)), NINE)
    assert _trigger("every day for lapsed") == model.OnSchedule(model.Weekdays((0, 1, 2, 3, 4, 5, 6)), model.Clock(0))
    assert _trigger("every month 31 at 09:00 Europe/Helsinki for lapsed") == model.OnSchedule(
        model.Monthly(31), NINE, "Europe/Helsinki"
    )
    assert _trigger("every year on customer.birthday at 09:00") == model.OnSchedule(model.Yearly("birthday"), NINE)
    assert _trigger("every year 7d after customer.birthday at 09:00") == model.OnSchedule(
        model.Yearly("birthday", WEEK, "after"), NINE
    )
    assert _trigger("on 2026-11-27 at 09:00 Europe/Helsinki for lapsed") == model.OnDate(
        model.Day("2026-11-27"), NINE, "Europe/Helsinki"
    )


def test_names_without_a_head() -> None:
    def name(text: str) -> str:
        return _rule(f"{text} send email").name

    assert name("when customer enters lapsed") == "lapsed"
    assert name("when customer.country changes") == "country"
    assert name("when 3d before customer.renewal at 09:00") == "renewal"
    assert name("every year on customer.birthday at 09:00 for lapsed") == "birthday"
    assert name("every monday at 09:00 for lapsed") == "lapsed"
    assert name("on 2026-11-27 at 09:00 for lapsed") == "lapsed"


def test_the_audience_and_the_fields_of_a_change() -> None:
    rule = _rule("when customer.spent changes for lapsed where new > old send email with earlier = old")
    assert rule.audience == "lapsed"
    assert rule.where == model.Compare(">", model.TriggerField("new", "money"), model.TriggerField("old", "money"))


def test_header_lines() -> None:
    rule = _rule(
        "when ordered expect 100 per 1d rollout 12.5% holdout 5% from 2026-11-20 to 2026-11-30 on edit follow "
        "goal returned within 7d send email"
    )
    assert rule.expect == model.Expect(100, DAY)
    assert (rule.rollout, rule.holdout, rule.on_edit) == (Decimal("12.5"), Decimal(5), "follow")
    assert rule.active == model.Active(model.Day("2026-11-20"), model.Day("2026-11-30"))
    assert _rule("when ordered from 2026-11-20 send email").active == model.Active(model.Day("2026-11-20"))


def test_splits_and_their_names() -> None:
    rule = _rule(
        'when ordered split 50% 50% stop end split "greeting" towards returned 90% "new" wait 1d 10% end '
        "split 100% end send email"
    )
    one, two, three, _ = rule.steps
    assert one == model.Split(
        "1", (model.Arm(Decimal(50), "a", ()), model.Arm(Decimal(50), "b", (model.Stop(2),))), None, 2
    )
    assert isinstance(two, model.Split)
    assert (two.name, [arm.name for arm in two.arms]) == ("greeting", ["new", "b"])
    assert two.towards == model.Happened("returned", model.Window("entry"))
    assert isinstance(three, model.Split)
    assert three.name == "2"


def test_repeat_best_time_preferred_and_coupons() -> None:
    rule = _rule('when ordered repeat 3 times until returned wait until best time send preferred "x" end')
    (repeat,) = rule.steps
    assert isinstance(repeat, model.Repeat)
    assert (repeat.times, repeat.until) == (3, model.Happened("returned", model.Window("entry")))
    wait, send = repeat.steps
    assert wait == model.WaitUntil(model.BestTime(), None, 2)
    assert send == model.Send(((model.Delivery(None, "x", (), "promotional", DAY),),), 2)
    (coupon,) = _rule('when ordered send email with code = coupon("CART10")').steps
    assert isinstance(coupon, model.Send)
    assert coupon.together[0][0].values == (("code", model.Coupon("CART10")),)


def test_in_a_segment_and_in_a_rule() -> None:
    rules = _check(
        f"{SEGMENT} rule a when ordered send email rule b when returned where in lapsed and in a send sms"
    ).book.rules
    assert rules[1].where == model.All((model.InSegment("lapsed"), model.InRule("a")))


def test_segments_are_asked_of_all_history() -> None:
    segment, other = _check(
        'segment lapsed "Bought, then went quiet" where ordered and not ordered in last 90d\n'
        "segment warm where not in lapsed and can get email"
    ).book.segments
    assert segment == model.Segment(
        "lapsed",
        "Bought, then went quiet",
        model.All(
            (
                model.Happened("ordered", model.Window("ever")),
                model.Not(model.Happened("ordered", model.Window("last", Period(days=90)))),
            )
        ),
        "a.rules",
        1,
    )
    assert other.condition == model.All((model.Not(model.InSegment("lapsed")), model.CanGet("email")))


def test_policies_are_asked_in_their_order_with_their_defaults() -> None:
    (policy,) = _check(
        "policy promotional budget 200 EUR per 1d space 4h drop limit 2 email per 7d defer 6h limit 5 messages per 7d "
        "quiet 21:00 to 08:00 when ordered send email"
    ).book.policies
    assert (policy.kind, policy.file, policy.line) == ("promotional", "a.rules", 1)
    assert policy.lines == (
        model.Quiet(model.Clock(21 * 60), model.Clock(8 * 60), None, model.Overflow("defer")),
        model.Space(Period(micros=4 * HOUR), model.Overflow("drop")),
        model.Limit(2, "email", WEEK, model.Overflow("defer", Period(micros=6 * HOUR))),
        model.Limit(5, None, WEEK, model.Overflow("drop")),
        model.Budget(Money(Decimal(200), "EUR"), DAY, model.Overflow("drop")),
    )


def test_tests_of_rules() -> None:
    (test,) = _check(
        """
        rule r when cart_abandoned split 50% "a" send email "x" 50% "b" send sms "x" end
        test "all of it"
          given customer country "FI", spent 40
          given arm "a"
          at 0h cart_abandoned total 60
          at 1h opened "x"
          at 2026-11-27 09:00 "Order Completed" order_id "X1"
          at 2h email fails
          expect email "x" at 1h
          expect no messages
          expect 2 exits
          expect entry at 2026-11-27
        """
    ).book.tests
    assert (test.title, test.rule, test.arms, test.file, test.line) == ("all of it", "r", ("a",), "a.rules", 3)
    assert test.traits == (
        ("country", model.Literal_("FI")),
        ("spent", model.Literal_(Money(Decimal(40), "EUR"))),
    )

    def after(hours: int) -> model.TestMoment:
        return model.TestMoment(after=Period(micros=hours * HOUR))

    assert test.happens == (
        model.Happens(after(0), "cart_abandoned", (("total", model.Literal_(Money(Decimal(60), "EUR"))),), 6),
        model.Reacts(after(1), "opened", "x", 7),
        model.Happens(
            model.TestMoment(day=model.Day("2026-11-27"), clock=NINE),
            "ordered",
            (("order_id", model.Literal_("X1")),),
            8,
        ),
        model.Fails(after(2), "email", 9),
    )
    assert test.expects == (
        model.ExpectOne("email", "x", after(1), 10),
        model.ExpectNone("messages", 11),
        model.ExpectCount(2, "exit", 12),
        model.ExpectOne("entry", None, model.TestMoment(day=model.Day("2026-11-27")), 13),
    )


def test_traits_may_change_in_a_test_and_be_declared_after_it() -> None:
    checked = check_book(
        [
            Source(
                "a.rules",
                'rule r when signed_up send email test "t" at 0h signed_up at 1d\n customer country "SE" '
                "expect email at 1d\ncustomer plan text",
            )
        ],
        WORDS,
    )
    assert checked.diagnostics == ()
    (test,) = checked.book.tests
    assert test.happens[1] == model.Alters(
        model.TestMoment(after=Period(days=1)), (("country", model.Literal_("SE")),), 1
    )
    assert checked.book.traits["plan"] == "text"


def test_a_test_beside_the_only_rule_of_the_book_may_stand_in_a_file_of_its_own() -> None:
    files = [
        Source("a.rules", "rule r when ordered send email"),
        Source("a.test.rules", 'test "t" at 0h ordered expect email'),
    ]
    checked = check_book(files, WORDS)
    assert checked.diagnostics == ()
    assert [test.rule for test in checked.book.tests] == ["r"]


def test_what_names_something_broken_is_left_out_and_nothing_else() -> None:
    text = """
    segment bad where total > 5
    segment worse where in bad
    segment good where ordered
    rule a when customer enters worse send email
    rule b when ordered for good send email
    rule c when ordered if in bad send email end
    rule d when orderd send email
    test "of a broken rule" for d at 0h ordered expect email
    test "of a good rule" for b at 0h ordered expect email
    """
    checked = check_book([Source("a.rules", text)], WORDS)
    assert [d.code for d in checked.diagnostics] == ["E0301", "E0301"]
    assert [segment.name for segment in checked.book.segments] == ["good"]
    assert [rule.name for rule in checked.book.rules] == ["b"]
    assert [test.title for test in checked.book.tests] == ["of a good rule"]


def test_chains_of_segments_may_be_long() -> None:
    text = "segment s0 where ordered\n" + "\n".join(f"segment s{n} where in s{n - 1}" for n in range(1, 3000))
    assert len(_check(text).book.segments) == 3000


def test_a_thousand_rules_around_one_event_are_told_in_a_moment() -> None:
    text = "\n".join(f"rule r{n} when ordered send email emit ordered" for n in range(1000))
    begun = time.process_time()
    found = check_book([Source("a.rules", text)], WORDS).diagnostics
    assert {d.code for d in found} == {"W0901"}
    assert len(found) == 1000
    assert time.process_time() - begun < 20
