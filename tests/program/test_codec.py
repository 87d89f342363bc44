"""Rules as bytes: what comes back is equal, and the hash is that of the meaning alone."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Money, Period
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.program.codec import decode_rule, encode_rule
from segue.program.program import compile_rule
from tests.engine.programs import rules
from tests.language.words import WORDS

TEXT = """
rule cart_recovery "Win back carts"
  when cart_abandoned where total > 40 and not ordered in last 30d per cart_id
  once per 30d
  on repeat restart
  until returned
  goal ordered within 7d worth total
  as promotional
  wait 1d unless ordered where (total > trigger.total) or customer.vip
  send email "cart_reminder" with total = total, name = customer.first_name within 6h and sms or push
  wait for next opened "cart_reminder" up to 2d
  if clicked email
    stop
  else if sum(ordered.total in last 90d) >= 100.50 EUR
    set customer.vip = true
  else
    emit returned with total = total * 0.5
  end
  wait until tomorrow 09:00 Europe/Helsinki
  wait until 2d before customer.renewal at 08:00
  wait until time between 09:00 and 20:00
  wait until now + customer.cycle_days * 1d
  send push
"""

CHANGES = [
    ("rule cart_recovery", "rule cart_return"),
    ("> 40", "> 41"),
    ("> 40", ">= 40"),
    ("> 40", "> 40 USD"),
    ("in last 30d per", "in last 1mo per"),
    ("per cart_id", "per source"),
    (" per cart_id", ""),
    ("once per 30d", "once per 31d"),
    ("once per 30d", "once"),
    ("repeat restart", "repeat ignore"),
    ("until returned", "until ordered"),
    ("within 7d", "within 168h"),
    ("7d worth total", "7d"),
    ("as promotional", "as transactional"),
    ("wait 1d unless", "wait 24h unless"),
    ("trigger.total) or", "trigger.total) and"),
    (" unless ordered where (total > trigger.total) or customer.vip", ""),
    ('email "cart_reminder" with', 'email "cart_remainder" with'),
    ("with total = total,", "with total = total + 1,"),
    ("total = total, name", "amount = total, name"),
    ("within 6h", "within 7h"),
    ("and sms or push", "and sms and push"),
    ("and sms or push", "and push or sms"),
    ("and sms or push", "then sms or push"),
    ("wait for next opened", "wait for opened"),
    ("up to 2d", "up to 48h"),
    ('opened "cart_reminder"', "opened"),
    ("clicked email", "clicked"),
    ("sum(", "average("),
    ("100.50 EUR", "100.51 EUR"),
    ("vip = true", "vip = false"),
    ("emit returned", "emit ordered"),
    ("tomorrow 09:00", "tomorrow 09:01"),
    ("tomorrow 09:00", "09:00"),
    ("Europe/Helsinki", "Europe/Tallinn"),
    ("Europe/Helsinki", "local"),
    ("2d before", "2d after"),
    ("renewal at 08:00", "renewal"),
    ("between 09:00 and 20:00", "between 09:00 and 21:00"),
    ("wait until now +", "wait until now -"),
    ("send push\n", "send push send push\n"),
]


HASH_OF_THE_SENTENCE = "1365344df14edba826fc9ab5544d761d"


def checked(text: str) -> m.Rule:
    book = check_book([Source("some.rules", text)], WORDS)
    assert [one.message for one in book.diagnostics if one.is_error] == []
    (rule,) = book.book.rules
    return rule


def hash_of(text: str) -> str:
    return compile_rule(checked(text)).hash


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rules("any"), st.integers(0, 999))
def test_a_rule_comes_back_as_it_went(rule: m.Rule, line: int) -> None:
    placed = msgspec.structs.replace(rule, line=line, file="some.rules", title="Something")
    assert decode_rule(encode_rule(placed)) == placed
    assert encode_rule(decode_rule(encode_rule(placed))) == encode_rule(placed)
    assert compile_rule(decode_rule(encode_rule(placed))).hash == compile_rule(rule).hash


def test_a_rule_of_every_clause_comes_back_as_it_went() -> None:
    rule = checked(TEXT)
    assert decode_rule(encode_rule(rule)) == rule
    assert compile_rule(decode_rule(encode_rule(rule))).hash == compile_rule(rule).hash


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        0,
        1,
        -5,
        999_999_999_999_999_999,
        Decimal("0.10"),
        Decimal("1E-7"),
        "",
        'é\u2028"',
        Money(Decimal("40.00"), "EUR"),
        Period(1, 2, 3),
        m.Clock(0),
        m.Day("2026-11-27"),
    ],
)
def test_every_kind_of_constant_comes_back_with_its_own_type(value: Any) -> None:
    rule = m.Rule("r", None, ("e",), (m.Set("t", "text", m.Literal_(value)),))
    (step,) = decode_rule(encode_rule(rule)).steps
    assert isinstance(step, m.Set)
    assert isinstance(step.value, m.Literal_)
    assert type(step.value.value) is type(value)
    assert step.value.value == value


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_layout_comments_and_places_are_no_part_of_the_meaning(draw: random.Random) -> None:
    lines = []
    for line in TEXT.splitlines():
        lines += [""] * draw.randint(0, 2) + ["# so it is"] * draw.randint(0, 1)
        lines.append(
            "\t" * draw.randint(0, 2) + draw.choice(["  ", " ", "\n"]).join(line.split(" "))
            if '"' not in line and "EUR" not in line
            else line
        )
    assert hash_of("\n".join(lines)) == hash_of(TEXT)


def test_a_title_and_a_file_are_no_part_of_the_meaning() -> None:
    assert hash_of(TEXT.replace(' "Win back carts"', "")) == hash_of(TEXT)
    rule = checked(TEXT)
    assert compile_rule(msgspec.structs.replace(rule, file="other.rules", line=99)).hash == compile_rule(rule).hash


def test_what_is_written_out_and_what_is_left_to_its_default_mean_the_same() -> None:
    short = "when cart_abandoned send email"
    head = "rule cart_abandoned when cart_abandoned on repeat ignore as promotional on edit finish"
    long = f'{head} send email "cart_abandoned" within 24h'
    assert hash_of(long.replace("within 24h", "within 1d")) == hash_of(short)


@pytest.mark.parametrize(("written", "instead"), CHANGES, ids=[f"{a.strip()} to {b.strip()}" for a, b in CHANGES])
def test_a_change_of_meaning_changes_the_hash(written: str, instead: str) -> None:
    assert TEXT.count(written) == 1
    assert hash_of(TEXT.replace(written, instead)) != hash_of(TEXT)


def test_another_trigger_is_another_meaning() -> None:
    written = ("signed_up", "signed_up or returned", "returned or signed_up")
    assert len({hash_of(f"rule r when {trigger} send email") for trigger in written}) == 3


def test_the_hash_is_the_same_on_every_machine_and_in_every_release() -> None:
    # stored beside journeys: a change here makes every rule that runs look edited
    assert hash_of("when cart_abandoned wait 1d unless ordered send email then sms") == HASH_OF_THE_SENTENCE


@pytest.mark.parametrize(
    "data",
    [
        b'{"_":"Teleport","name":"r"}',
        b'{"_":"Stop"}',
        b'{"_":"Rule","name":"r","title":null,"events":["e"],"steps":[],"colour":"blue"}',
        b'{"_":"Rule","name":"r","title":null,"events":["e"],"steps":[{"_":"Stop","hard":true}]}',
    ],
)
def test_what_a_newer_version_stored_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ValueError, match="stored program"):
        decode_rule(data)


EVERY_NODE = m.Rule(
    "everything",
    None,
    (),
    (
        m.Split(
            "offer",
            (m.Arm(Decimal("33.5"), "a", (m.Stop(),)), m.Arm(Decimal("66.5"), "b", ())),
            m.InRule("welcome"),
        ),
        m.Repeat(3, (m.WaitUntil(m.BestTime(), m.InSegment("lapsed")),), m.Not(m.InSegment("lapsed"))),
        m.Send(((m.Delivery(None, "hello", (("code", m.Coupon("CART10")),), "promotional", Period(days=1)),),)),
    ),
    audience="members",
    on_edit="follow",
    expect=m.Expect(100, Period(days=1)),
    rollout=Decimal(10),
    holdout=Decimal("2.5"),
    active=m.Active(m.Day("2026-11-20"), m.Day("2026-11-30")),
)


@pytest.mark.parametrize(
    "trigger",
    [
        m.OnMembership("leaves", "lapsed"),
        m.OnChange("plan", "text", m.Literal_("gold")),
        m.OnOffset(Period(days=3), "before", "renewal", m.Clock(540), "Europe/Helsinki"),
        m.OnSchedule(m.Weekdays((0, 3)), m.Clock(540)),
        m.OnSchedule(m.Monthly(31)),
        m.OnSchedule(m.Yearly("birthday", Period(days=7), "after")),
        m.OnDate(m.Day("2026-11-27"), m.Clock(480), "Europe/Helsinki"),
    ],
)
def test_every_trigger_and_node_comes_back_as_it_went(trigger: m.Trigger) -> None:
    rule = msgspec.structs.replace(EVERY_NODE, trigger=trigger)
    assert decode_rule(encode_rule(rule)) == rule
    assert compile_rule(decode_rule(encode_rule(rule))).hash == compile_rule(rule).hash


@pytest.mark.parametrize(
    "changed",
    [
        {"trigger": m.OnDate(m.Day("2026-11-27"))},
        {"audience": "others"},
        {"on_edit": "finish"},
        {"expect": None},
        {"rollout": Decimal(20)},
        {"holdout": Decimal(5)},
        {"active": m.Active(m.Day("2026-11-20"))},
    ],
)
def test_every_header_line_is_part_of_the_meaning(changed: dict[str, Any]) -> None:
    rule = msgspec.structs.replace(EVERY_NODE, **changed)
    assert compile_rule(rule).hash != compile_rule(EVERY_NODE).hash
    assert decode_rule(encode_rule(rule)) == rule


def test_a_program_stored_before_the_language_was_whole_is_still_read() -> None:
    stored = (
        b'{"_":"Rule","name":"r","title":null,"events":["cart"],"steps":[{"_":"Wait","period":{"_":"Period","days":1},'
        b'"unless":{"_":"Happened","event":"ordered","window":{"_":"Window","since":"entry"}},"line":1},{"_":"Send",'
        b'"together":[[{"_":"Delivery","channel":"email","message":"r","values":[],"kind":"promotional","within":'
        b'{"_":"Period","days":1}}]],"line":1}],"file":"a.rules","line":1}'
    )
    rule = decode_rule(stored)
    assert (rule.trigger, rule.on_edit, rule.holdout) == (None, "finish", None)
    assert encode_rule(rule) == stored
