"""`--update` touches the expectations that do not hold, and nothing else; afterwards they hold."""

from __future__ import annotations

import pytest

from segue.language.parser import parse
from segue.scenario.updating import rewrite
from tests.scenario.trying import try_all

RULE = 'rule tips when signed_up send email "tip" wait 1d unless ordered send email "tip" then sms "last"\n'


def update(text: str) -> str:
    # check_book calls the file so
    tree, _ = parse("case.rules", text)
    return rewrite(tree, try_all(text))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("expect sms at 2d", 'expect sms "last" at 1d'),
        ("expect sms at 2026-01-08 10:00", 'expect sms "last" at 2026-01-06 09:00'),
        ('expect email "tip" at 3h', 'expect email "tip" at 0h'),
        (
            'expect email "tip" at 0h\n  expect email "tip" at 3h',
            'expect email "tip" at 0h\n  expect email "tip" at 1d',
        ),
        ("expect no sms", 'expect sms "last" at 1d'),
        (
            "expect no messages",
            'expect email "tip" at 0h\n  expect email "tip" at 1d\n  expect sms "last" at 1d',
        ),
        ("expect 7 messages", "expect 3 messages"),
        ("expect 2 sms", "expect 1 sms"),
        ("expect 1 push", "expect no push"),
        ("expect push at 1h", "expect no push"),
        ("expect exit", "expect no exit"),
        ("expect no finish", "expect finish at 1d"),
        ('expect sms "last"\n  expect sms "last"', 'expect sms "last"'),
        ('expect email "last"', 'expect email "tip" at 0h\n  expect email "tip" at 1d'),
    ],
)
def test_an_expectation_says_afterwards_what_happens(before: str, after: str) -> None:
    head = f'{RULE}\ntest "one" for tips\n  at 0h  signed_up   # as written\n'
    assert update(f"{head}  {before}\n") == f"{head}  {after}\n"
    assert all(outcome.passed for outcome in try_all(f"{head}  {after}\n"))


def test_comments_layout_and_other_tests_stay() -> None:
    text = (
        RULE
        + '# about tips\ntest "fine" for tips\n  at 0h signed_up\n\texpect   3 messages # three\n\n'
        + 'test "wrong" for tips\n  at 0h signed_up\n\n  # the text\n  expect sms at 5d   # late\n  expect no push\n'
    )
    assert update(text) == text.replace("expect sms at 5d", 'expect sms "last" at 1d')


def test_a_line_that_says_what_another_says_already_is_taken_away() -> None:
    head = f'{RULE}test "one" for tips at 0h signed_up\n  expect sms "last" at 1d\n'
    assert update(f"{head}  expect no sms\n  # end\n") == f"{head}  # end\n"


def test_expectations_on_one_line_stay_on_it() -> None:
    head = f'{RULE}test "one" for tips at 0h signed_up expect 3 messages'
    assert update(f"{head} expect no email") == f'{head} expect email "tip" at 0h expect email "tip" at 1d'


def test_a_test_that_cannot_be_carried_out_stays_as_it_is() -> None:
    text = f'{RULE}test "one" for tips at 0h opened expect no messages'
    assert update(text) == text
