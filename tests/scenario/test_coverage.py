"""Coverage names the steps that no test reached and the ways that none took."""

from __future__ import annotations

from segue.scenario.coverage import Covered, measure
from tests.acceptance.drivers import read_rules
from tests.scenario.trying import try_all

RULE = """rule cart
  when cart_abandoned
  wait 1h unless ordered
  if total >= 40
    send sms or email
  else
    send email "cheap"
  end
  wait for opened up to 1d
"""
TESTS = {
    "dear": 'test "dear" for cart at 0h cart_abandoned total 50 expect sms\n',
    "refused": 'test "refused" for cart at 0h cart_abandoned total 50 at 0h sms fails expect email\n',
    "cheap": 'test "cheap" for cart at 0h cart_abandoned total 5 at 2h opened expect email at 1h\n',
    "ordered": 'test "ordered" for cart at 0h cart_abandoned at 1min ordered expect exit\n',
}


def cover(*tests: str, rules: str = RULE) -> Covered:
    text = rules + "".join(TESTS[name] for name in tests)
    outcomes = try_all(text)
    assert all(outcome.passed for outcome in outcomes), [outcome.unmet for outcome in outcomes]
    (covered,) = measure(read_rules(text).rules, outcomes)
    return covered


def test_a_rule_without_a_test_has_nothing_covered() -> None:
    covered = cover()
    assert (covered.tests, covered.steps_taken, covered.ways_taken) == (0, 0, 0)
    assert covered.steps == 5
    assert covered.ways == 7


def test_what_one_test_leaves_is_named_with_its_line() -> None:
    covered = cover("dear")
    assert covered.steps_missed == (7,)
    assert [(way.line, way.text) for way in covered.ways_missed] == [
        (3, "unless ordered: it came true"),
        (4, "if total >= 40 EUR: no"),
        (5, 'send email "cart"'),
        (9, "wait for opened: it came true"),
    ]


def test_together_the_tests_take_every_way() -> None:
    covered = cover(*TESTS)
    assert covered.whole
    assert (covered.tests, covered.steps_taken, covered.ways_taken) == (4, 5, 7)


def test_the_channel_that_is_preferred_is_a_way_of_its_own() -> None:
    rules = 'rule cart when cart_abandoned send preferred "hello" or sms\n'
    text = rules + 'test "one" for cart at 0h cart_abandoned expect 1 message\n'
    (covered,) = measure(read_rules(text).rules, try_all(text))
    assert [way.text for way in covered.ways_missed] == ['send sms "hello"']


def test_arms_and_turns_are_ways() -> None:
    rules = 'rule cart when cart_abandoned split "x" 50% "a" stop 50% "b" repeat 2 times send email wait 1d end end\n'
    text = rules + 'test "one" for cart given arm "b" at 0h cart_abandoned expect 2 email\n'
    (covered,) = measure(read_rules(text).rules, try_all(text))
    assert [way.text for way in covered.ways_missed] == ['split "x": arm "a"']
    assert covered.ways == 4


def test_a_test_that_fails_covers_as_well() -> None:
    text = RULE + 'test "wrong" for cart at 0h cart_abandoned at 1min ordered expect email\n'
    (covered,) = measure(read_rules(text).rules, try_all(text))
    assert "unless ordered: it came true" not in [way.text for way in covered.ways_missed]
