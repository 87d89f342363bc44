"""Which name stands where, and what it means."""

from __future__ import annotations

from segue.diagnostics import Lines
from segue.language.occurrences import Meaning, Occurrence, groups_of, occurrences
from segue.language.parser import parse
from segue.language.report import Report
from segue.language.tree import CustomerDeclaration, EventDeclaration
from segue.language.vocabulary import Lexicon
from tests.language.words import WORDS


def index(text: str) -> tuple[Occurrence, ...]:
    tree, problems = parse("a.rules", text)
    assert problems == ()
    lexicon = Lexicon(WORDS)
    report = Report(Lines("a.rules", text))
    for item in tree.items:
        if isinstance(item, EventDeclaration):
            lexicon.declare_event(item, report)
        elif isinstance(item, CustomerDeclaration):
            lexicon.declare_traits(item, report)
    return occurrences(tree, lexicon, dict(groups_of(tree, lexicon)))


def meanings(text: str, word: str) -> list[tuple[str, str]]:
    """What a word means at each of its places."""
    found = index(text)
    for one in found:
        assert text[one.start : one.end] == one.written
    return [(one.meaning.what, one.meaning.owner) for one in found if one.written == word]


def test_a_bare_name_is_a_field_of_the_trigger_before_it_is_an_event() -> None:
    text = "event total\nwhen cart_abandoned where total > 40 wait 1d unless ordered send email"
    assert meanings(text, "total") == [("event", ""), ("field", "cart_abandoned")]
    assert meanings(text, "ordered") == [("event", "")]


def test_a_field_that_all_triggers_have_is_listed_for_each() -> None:
    assert meanings("when cart_abandoned or ordered where total > 40 send email", "total") == [
        ("field", "cart_abandoned"),
        ("field", "ordered"),
    ]


def test_inside_the_brackets_of_where_a_name_is_that_event_s_field() -> None:
    text = "when cart_abandoned wait 1d unless ordered where (total > 20) send email"
    assert meanings(text, "total") == [("field", "ordered")]


def test_inside_an_aggregate_too() -> None:
    text = "when cart_abandoned where sum(ordered.total where (total > 20) in last 90d) > 100 send email"
    assert meanings(text, "total") == [("field", "ordered"), ("field", "ordered")]


def test_dotted_names_are_an_event_and_its_field() -> None:
    text = "when cart_abandoned where trigger.total > 40 wait 1d unless ordered.total > 3 send email"
    assert meanings(text, "total") == [("field", "cart_abandoned"), ("field", "ordered")]


def test_traits_are_found_wherever_they_stand() -> None:
    text = (
        'customer\n  tier text\nwhen customer.tier changes set customer.tier = "x" '
        "wait until customer.tier send email with t = customer.tier"
    )
    assert meanings(text, "tier")[:2] == [("trait", ""), ("trait", "")]
    assert len(meanings(text, "tier")) == 6  # the last but one is the rule that is named after it


def test_sends_name_channels_messages_and_kinds() -> None:
    text = 'rule a when ordered send push or email "hello" as transactional wait for clicked "hello" up to 1d stop'
    assert meanings(text, "push") == [("channel", "")]
    assert meanings(text, "hello") == [("message", ""), ("message", "")]
    assert meanings(text, "transactional") == [("kind", "")]
    assert meanings(text, "clicked") == [("reaction", "")]


def test_segments_and_rules_are_told_apart() -> None:
    text = (
        "segment lapsed where not ordered in last 90d\nrule a when customer enters lapsed send email\n"
        "rule b when ordered where in lapsed or in a send email"
    )
    assert meanings(text, "lapsed") == [("segment", "")] * 3
    assert meanings(text, "a") == [("rule", ""), ("rule", "")]


def test_a_rule_without_a_head_is_defined_by_its_trigger() -> None:
    found = [one for one in index("when cart_abandoned send email") if one.meaning.what == "rule"]
    assert [(one.meaning, one.implied, one.defines) for one in found] == [
        (Meaning("rule", "cart_abandoned"), True, True)
    ]


def test_the_name_that_sources_send_means_the_event() -> None:
    text = 'event paid is "Invoice Paid"\nwhen "Invoice Paid" send email'
    found = [one for one in index(text) if one.quoted and not one.implied]
    assert [one.meaning for one in found] == [Meaning("event", "paid")] * 2


def test_tests_name_rules_events_fields_channels_traits_and_arms() -> None:
    text = (
        'rule a when cart_abandoned split 50% "x" send email 50% "y" send sms end\n'
        'test "t" for a given customer country "FI" given arm "x" at 0h cart_abandoned total 60 at 0h email fails '
        'at 1h opened "m" expect email "m" expect no sms'
    )
    assert meanings(text, "a") == [("rule", ""), ("rule", "")]
    assert meanings(text, "total") == [("field", "cart_abandoned")]
    assert meanings(text, "country") == [("trait", "")]
    assert meanings(text, "x") == [("arm", "a"), ("arm", "a")]
    assert meanings(text, "m") == [("message", ""), ("message", "")]
    assert meanings(text, "email") == [("channel", "")] * 3
    assert meanings(text, "opened") == [("reaction", "")]


def test_a_goal_s_worth_is_a_field_of_its_event() -> None:
    assert meanings("when cart_abandoned goal ordered within 7d worth total send email", "total") == [
        ("field", "ordered")
    ]


def test_what_means_nothing_is_left_out() -> None:
    assert index("when unheard_of where nothing > 3 send pigeon") == tuple(
        one for one in index("when unheard_of where nothing > 3 send pigeon") if one.meaning.what == "rule"
    )
