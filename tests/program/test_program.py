"""Programs: numbered steps that only jump forward, guards over their block, anchors that survive edits elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from segue.api import Period
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.program import program as p
from segue.program.program import Program, compile_condition, compile_rule
from tests.engine.programs import rules
from tests.language.words import WORDS


def compiled(text: str) -> Program:
    book = check_book([Source("a.rules", text)], WORDS)
    assert [one.message for one in book.diagnostics if one.is_error] == []
    (rule,) = book.book.rules
    return compile_rule(rule)


def anchors(program: Program) -> list[str]:
    return [step.anchor for step in program.steps]


def guards_over(program: Program) -> dict[str, list[str]]:
    """What stands over each step, in words, by anchor."""
    return {step.anchor: [program.guards[index].reason for index in step.guards] for step in program.steps}


def test_the_sentence_as_steps() -> None:
    program = compiled("when cart_abandoned wait 1d unless ordered send email then sms")
    assert program.name == "cart_abandoned"
    assert anchors(program) == ["wait 1", "send email cart_abandoned 1", "send sms cart_abandoned 1"]
    assert [guard.reason for guard in program.guards] == ["unless ordered"]
    assert [(step.guards, step.reached) for step in program.steps] == [((0,), 0), ((0,), None), ((0,), None)]
    assert program.watched == program.events == {"ordered"}
    assert program.channels == {"email", "sms"}


# Guards


def test_a_guard_stands_over_all_that_follows_it_in_its_block_and_over_nothing_else() -> None:
    program = compiled("""
        when cart_abandoned
          send push
          if customer.vip
            send email
            wait 1d unless returned
            send sms
            if total > 100 send push "more" end
          else
            send push "other"
          end
          wait 2d unless ordered
          send email "last"
    """)
    assert guards_over(program) == {
        "send push cart_abandoned 1": [],
        "if customer.vip 1": [],
        "send email cart_abandoned 1": [],
        "wait 1": ["unless returned"],
        "send sms cart_abandoned 1": ["unless returned"],
        "if total > 100 EUR 1": ["unless returned"],
        "send push more 1": ["unless returned"],
        "end if 1": [],
        "send push other 1": [],
        "wait 2": ["unless ordered"],
        "send email last 1": ["unless ordered"],
    }


def test_until_stands_over_the_whole_rule_and_guards_add_up() -> None:
    program = compiled("""
        when cart_abandoned until returned
          wait 1d unless ordered send email
          wait for opened up to 2d unless customer.vip send sms
    """)
    assert list(guards_over(program).values()) == [
        ["until returned", "unless ordered"],
        ["until returned", "unless ordered"],
        ["until returned", "unless ordered", "unless customer.vip"],
        ["until returned", "unless ordered", "unless customer.vip"],
    ]
    assert [step.reached for step in program.steps] == [1, None, 2, None]


# Numbering and jumps


def path(program: Program, *taken: bool) -> list[str]:
    """The anchors passed when the branches turn out as given."""
    outcomes = iter(taken)
    index = 0
    passed: list[str] = []
    while index < len(program.steps):
        step = program.steps[index]
        match step:
            case p.Branch():
                index = index + 1 if next(outcomes) else step.otherwise
            case p.Jump():
                index = step.target
            case p.Stop():
                return [*passed, "stop"]
            case _:
                passed.append(step.anchor)
                index += 1
    return passed


def test_branches_lead_where_the_text_says() -> None:
    program = compiled("""
        when cart_abandoned
          if total > 100 send email "a"
          else if total > 50 if customer.vip stop end send email "b"
          else send email "c" end
          send email "d"
    """)
    a, b, c, d = (f"send email {name} 1" for name in "abcd")
    assert path(program, True) == [a, d]
    assert path(program, False, True, True) == ["stop"]
    assert path(program, False, True, False) == [b, d]
    assert path(program, False, False) == [c, d]


def test_an_if_without_an_else_goes_on_after_its_end() -> None:
    program = compiled('when cart_abandoned if customer.vip send email "a" end')
    assert path(program, True) == ["send email a 1"]
    assert path(program, False) == []
    assert not any(isinstance(step, p.Jump) for step in program.steps)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rules("any"))
def test_every_program_goes_forward_but_from_the_end_of_a_repeat_and_names_all_that_it_reads(rule: m.Rule) -> None:
    program = compile_rule(rule)
    count = len(program.steps)
    for index, step in enumerate(program.steps):
        if isinstance(step, p.Branch):
            assert index < step.otherwise <= count
        if isinstance(step, p.Jump):
            head = program.steps[step.target] if step.target < count else None
            if isinstance(head, p.Loop) and step.target < index:
                assert head.done == index + 1
                assert step.begins == step.target + 1
            else:
                assert index < step.target <= count
                assert step.begins <= index
        if isinstance(step, p.Split):
            firsts = [first for _, _, first in step.arms]
            assert firsts == sorted(firsts)
            assert index < firsts[0] <= firsts[-1] <= step.end <= count
        if isinstance(step, p.Loop):
            assert index < step.done <= count
        assert all(0 <= guard < len(program.guards) for guard in step.guards)
        assert step.reached is None or step.reached in step.guards
        if rule.until is not None:
            assert step.guards[0] == 0
    assert len(set(anchors(program))) == count
    assert len(program.ahead) == count + 1
    for here, after in zip(program.ahead, program.ahead[1:], strict=False):
        assert here >= after  # what is fetched at a step lasts for all that may follow
    assert program.ahead[-1] == frozenset()
    assert program.ahead[0] | program.watched == program.events
    for guard in program.guards:
        assert guard.condition.events <= program.watched
    assert compile_rule(rule).hash == program.hash


# Anchors

BEFORE = """
    when cart_abandoned
      wait 1d unless ordered
      send email "one"
      wait for opened up to 2d
      if customer.vip send sms "two" end
      set customer.vip = true
      emit returned
      wait until 09:00
      send email "three"
"""


@pytest.mark.parametrize(
    "inserted",
    [
        'send push "new"',
        'if total > 5 send push "new" end',
        'set customer.country = "FI"',
        "emit signed_up",
        "wait for clicked up to 1d",
    ],
)
@pytest.mark.parametrize("line", range(2, 11))
def test_an_anchor_survives_a_step_of_another_name_inserted_anywhere(inserted: str, line: int) -> None:
    lines = BEFORE.splitlines()
    edited = compiled("\n".join([*lines[:line], inserted, *lines[line:]]))
    before = anchors(compiled(BEFORE))
    kept = [anchor for anchor in anchors(edited) if anchor in before]
    assert kept == before


def test_an_anchor_survives_another_duration_and_another_value() -> None:
    edited = (
        BEFORE.replace("wait 1d", "wait 5d")
        .replace("up to 2d", "up to 3d")
        .replace("09:00", "10:00")
        .replace("= true", "= false")
    )
    assert anchors(compiled(edited)) == anchors(compiled(BEFORE))


def test_equal_steps_are_told_apart_by_their_occurrence() -> None:
    program = compiled('when cart_abandoned send email "a" wait 1d send email "a" wait 1d send email "b"')
    assert anchors(program) == ["send email a 1", "wait 1", "send email a 2", "wait 2", "send email b 1"]


def test_a_step_knows_the_line_it_stands_on() -> None:
    assert [step.line for step in compiled("when cart_abandoned\n\nwait 1d\n\n\nsend email").steps] == [3, 6]


# Facts ahead


def test_ahead_names_the_history_that_later_steps_may_read() -> None:
    program = compiled("""
        when cart_abandoned
          if returned send email "a" end
          wait 1d
          send email "b" with n = count(ordered ever)
          if signed_up send email "c" end
    """)
    ahead = dict(zip(anchors(program), program.ahead, strict=False))
    assert ahead == {
        "if returned 1": {"returned", "ordered", "signed_up"},
        "send email a 1": {"ordered", "signed_up"},
        "wait 1": {"ordered", "signed_up"},
        "send email b 1": {"ordered", "signed_up"},
        "if signed_up 1": {"signed_up"},
        "send email c 1": frozenset(),
    }
    assert program.watched == frozenset()


def test_a_guard_that_time_alone_can_change_is_read_at_every_step() -> None:
    steady = compiled("when cart_abandoned wait 1d unless ordered send email")
    assert [steady.ahead[0], steady.ahead[1]] == [{"ordered"}, frozenset()]
    volatile = compiled("when cart_abandoned wait 1d unless ordered in last 2h send email")
    assert [volatile.ahead[0], volatile.ahead[1]] == [{"ordered"}, {"ordered"}]
    assert [steady.guards[0].condition.volatile, volatile.guards[0].condition.volatile] == [False, True]


def test_a_set_reads_what_a_guard_over_the_same_trait_reads() -> None:
    program = compiled("when cart_abandoned wait 1d unless customer.vip and ordered set customer.vip = true send email")
    assert program.ahead[1] == {"ordered"}
    assert program.ahead[2] == frozenset()


def test_what_is_watched_is_named() -> None:
    program = compiled("""
        when cart_abandoned until returned goal ordered within 7d
          wait 1d unless customer.vip
          wait for signed_up up to 2d
          wait until customer.renewal
          send email with name = customer.first_name
    """)
    assert program.watched == {"returned", "ordered", "signed_up"}
    assert program.watched_traits == {"vip", "renewal", "timezone"}  # a day begins where the customer is


@pytest.mark.parametrize(
    ("expression", "volatile"),
    [
        (m.Happened("a", m.Window("entry")), False),
        (m.Happened("a", m.Window("ever")), False),
        (m.Happened("a", m.Window("last", Period(days=1))), True),
        (m.Compare("<", m.Now(), m.Trait("renewal", "date")), True),
        (m.CanGet("sms"), True),
        (m.Reacted("opened"), False),
        (m.Present(m.Trait("vip", "boolean")), False),
    ],
)
def test_a_condition_says_whether_it_can_change_without_an_input(expression: m.Expression, volatile: bool) -> None:
    assert compile_condition(expression).volatile is volatile
    assert compile_condition(m.Not(expression)).volatile is volatile


def test_every_step_of_the_language_becomes_a_step() -> None:
    program = compiled("""
        when cart_abandoned
          wait 1d wait until 09:00 wait for ordered up to 1d
          if customer.vip send email else send sms end
          set customer.vip = true emit returned stop
    """)
    twice = by_hand(m.Repeat(2, (halves((), ()),)))
    assert {type(step) for step in (*program.steps, *twice.steps)} == set(get_args(p.AnyStep))


# Splits and repeats


def by_hand(*steps: m.Step, segments: Mapping[str, m.Segment] | None = None, **more: Any) -> Program:
    return compile_rule(m.Rule("any", None, more.pop("events", ("cart",)), steps, **more), segments or {})


def halves(one: tuple[m.Step, ...], other: tuple[m.Step, ...], **more: Any) -> m.Split:
    return m.Split("offer", (m.Arm(Decimal(50), "a", one), m.Arm(Decimal(50), "b", other)), **more)


A_WAIT = m.Wait(Period(days=1))


def test_the_arms_of_a_split_lead_past_each_other() -> None:
    program = by_hand(halves((A_WAIT, m.Emit("one")), (m.Emit("other"),)), m.Stop())
    assert anchors(program) == ["split offer 1", "wait 1", "emit one 1", "end split 1", "emit other 1", "stop 1"]
    head, end = program.steps[0], program.steps[3]
    assert isinstance(head, p.Split)
    assert head.arms == (("a", 50.0, 1), ("b", 50.0, 4))
    assert head.end == 5
    assert isinstance(end, p.Jump)
    assert (end.target, end.begins) == (5, 1)


def test_the_body_of_a_repeat_leads_back_to_its_head() -> None:
    program = by_hand(m.Repeat(3, (A_WAIT, m.Emit("one")), m.Happened("ordered", m.Window("ever"))), m.Stop())
    assert anchors(program) == ["repeat 1", "wait 1", "emit one 1", "end repeat 1", "stop 1"]
    head, end = program.steps[0], program.steps[3]
    assert isinstance(head, p.Loop)
    assert (head.times, head.done) == (3, 4)
    assert isinstance(end, p.Jump)
    assert (end.target, end.begins) == (0, 1)


def test_a_guard_in_a_turn_does_not_stand_over_the_head_of_the_repeat() -> None:
    guarded = m.Wait(Period(days=1), m.Happened("ordered", m.Window("entry")))
    assert guards_over(by_hand(m.Repeat(3, (guarded, m.Emit("one"))), m.Stop())) == {
        "repeat 1": [],
        "wait 1": ["unless ordered"],
        "emit one 1": ["unless ordered"],
        "end repeat 1": [],
        "stop 1": [],
    }


def test_ahead_of_any_step_of_a_repeat_is_all_of_its_body() -> None:
    def asks(event: str) -> m.If:
        return m.If((m.Branch(m.Happened(event, m.Window("ever")), (A_WAIT,)),))

    inner = m.Repeat(2, (asks("inner"),), m.Happened("until", m.Window("ever")))
    program = by_hand(asks("before"), m.Repeat(2, (asks("first"), inner, asks("last"))), asks("after"))
    ahead = dict(zip(anchors(program), program.ahead, strict=False))
    body = {"first", "inner", "until", "last", "after"}
    assert ahead["if before ever 1"] == body | {"before"}
    assert ahead["if first ever 1"] == ahead["wait 4"] == ahead["end repeat 1"] == ahead["end repeat 2"] == body
    assert ahead["if after ever 1"] == {"after"}
    assert len(program.ahead) == len(program.steps) + 1


def test_what_a_split_grows_towards_is_watched_by_its_name() -> None:
    program = by_hand(halves((), (), towards=m.Happened("ordered", m.Window("entry"))))
    assert program.watched == {"ordered"}
    assert list(program.towards) == ["offer"]


def test_preferred_stands_in_a_channels_place() -> None:
    delivery = m.Delivery(None, "hello", (), "promotional", Period(days=1))
    program = by_hand(m.Send(((delivery, msgspec.structs.replace(delivery, channel="sms")),)))
    assert anchors(program) == ["send preferred hello sms hello 1"]
    assert program.channels == {"sms"}


def test_coupons_are_no_values() -> None:
    values = (("code", m.Coupon("CART10")), ("n", m.Aggregate("count", "ordered", None, "number", m.Window("ever"))))
    program = by_hand(m.Send(((m.Delivery("email", "hello", values, "promotional", Period(days=1)),),)))
    (step,) = program.steps
    assert isinstance(step, p.Send)
    assert [name for name, _ in step.together[0][0].values] == ["n"]
    assert step.together[0][0].coupons == (("code", "CART10"),)
    assert step.reads == {"ordered"}


# Segments

SEGMENTS = {
    "buyers": m.Segment("buyers", None, m.Happened("ordered", m.Window("ever"))),
    "recent": m.Segment("recent", None, m.Happened("viewed", m.Window("last", Period(days=30)))),
    "loyal": m.Segment("loyal", None, m.All((m.InSegment("buyers"), m.Present(m.Trait("vip", "boolean"))))),
    "knot": m.Segment("knot", None, m.Any_((m.InSegment("knot"), m.Happened("paid", m.Window("ever"))))),
}


def test_what_a_segment_reads_the_rule_reads() -> None:
    program = by_hand(m.Wait(Period(days=1), m.InSegment("loyal")), segments=SEGMENTS)
    assert program.watched == program.events == {"ordered"}
    assert program.watched_traits == {"vip"}
    assert program.names == program.watched_names == {"loyal", "buyers"}
    assert program.guards[0].condition.volatile


def test_what_only_a_step_asks_is_named_and_not_watched() -> None:
    program = by_hand(
        m.If((m.Branch(m.InSegment("recent"), ()),)),
        m.Set("x", "boolean", m.InRule("welcome")),
        m.Repeat(2, (m.Stop(),), m.InSegment("knot")),
        segments=SEGMENTS,
    )
    assert program.names == {"recent", "welcome", "knot"}
    assert program.watched_names == frozenset()
    assert program.ahead[0] == {"viewed", "paid"}


def test_the_audience_the_trigger_and_where_are_read_on_entry() -> None:
    where = m.Not(m.InSegment("recent"))
    program = by_hand(
        A_WAIT,
        segments=SEGMENTS,
        events=(),
        trigger=m.OnMembership("enters", "loyal"),
        audience="knot",
        where=where,
    )
    assert program.entry_reads == {"ordered", "paid", "viewed"}
    assert program.names == {"loyal", "buyers", "knot", "recent"}
    assert program.watched == program.events == frozenset()
    assert program.where is not None
    assert program.where.text == "not in recent and in knot"


@pytest.mark.parametrize(
    ("trigger", "traits"),
    [
        (m.OnChange("plan", "text"), {"plan"}),
        (m.OnOffset(Period(days=3), "before", "renewal"), {"renewal"}),
        (m.OnSchedule(m.Yearly("birthday")), {"birthday"}),
        (m.OnSchedule(m.Monthly(1)), frozenset()),
        (m.OnDate(m.Day("2026-11-27")), frozenset()),
        (m.OnMembership("leaves", "loyal"), frozenset()),
        (None, frozenset()),
    ],
)
def test_the_traits_by_which_a_trigger_works_are_named(trigger: m.Trigger | None, traits: frozenset[str]) -> None:
    assert by_hand(A_WAIT, events=(), trigger=trigger).entry_traits == traits


def test_the_hash_is_that_of_the_rule_whatever_its_segments_say() -> None:
    step = m.Wait(Period(days=1), m.InSegment("loyal"))
    assert by_hand(step).hash == by_hand(step, segments=SEGMENTS).hash
