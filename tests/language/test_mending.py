"""Safe fixes, made over and over until there is none left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.diagnostics import render_concise
from segue.language.book import Checked, Source, check_book
from segue.language.mending import Mended, mend
from tests.language.words import WORDS


def mended(*texts: str) -> Mended:
    sources = [Source(f"{number}.rules", text) for number, text in enumerate(texts)]
    return mend(sources, lambda given: check_book(given, WORDS))


def text(written: str) -> str:
    (source,) = mended(written).sources
    return source.text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("when ordered send email “hello”", 'when ordered send email "hello"'),
        ("when ordered send email 'hello'", 'when ordered send email "hello"'),
        ("when ordered\u00a0send email", "when ordered send email"),
        ("when ord\u200bered send email", "when ordered send email"),
        ('when ordered send email "a\u202eb"', 'when ordered send email "ab"'),
        ("when ordered where total > –5 send email", "when ordered where total > -5 send email"),
        ("WHEN ordered SEND email", "when ordered send email"),
        ("rule x When ordered send email", "rule x when ordered send email"),
        ("when ordered where total == 5 send email", "when ordered where total = 5 send email"),
        ("when ordered where total => 5 send email", "when ordered where total >= 5 send email"),
        (
            "when ordered where not ordered || total > 5 send email",
            "when ordered where not ordered or total > 5 send email",
        ),
        ("when ordered where !customer.vip send email", "when ordered where not customer.vip send email"),
        ("when ordered wait 2 days send email", "when ordered wait 2d send email"),
        ("when ordered wait 1.5h send email", "when ordered wait 90min send email"),
        ("when ordered wait until 9pm send email", "when ordered wait until 21:00 send email"),
        ("when ordered wait 1d,send email", "when ordered wait 1d send email"),
        ("when ordered where total > 50€ send email", "when ordered where total > 50 EUR send email"),
        ("when ordered where customer.vip = yes send email", "when ordered where customer.vip = true send email"),
        ("rule my long rule When ordered send email", "rule my_long_rule when ordered send email"),
    ],
)
def test_what_is_beyond_doubt_is_mended(written: str, meant: str) -> None:
    result = mended(written)
    assert result.sources[0].text == meant
    assert result.checked.ok, render_concise(result.checked.diagnostics)
    assert result.fixed


@pytest.mark.parametrize(
    "written",
    [
        "when orderd send email",  # the nearest name
        "wen ordered send email",  # the nearest word
        "when ordered wait 5m send email",  # minutes or months
        "when ordered where total > 1,000 send email",  # a thousand, or one
        "when ordered where total > $5 send email",  # whose dollars
        "when ordered where returned in last month send email",  # thirty days, or by the calendar
        "when ordered wait 1.5d send email",  # a day by the calendar is not always 24 hours
        "when ordered if total > 5 send email",  # where it ends
        "when ordered send email end",  # whether it began
        'when ordered send email "hello',  # where it ends
        "when ordered where country = 5 send email",  # a trait, or a field that is not declared
        "when ordered send email hello",  # a message, or a channel
        "when ordered send email When returned send sms",  # whether another rule begins here
        "when pаypal_paid send email",  # which alphabet
    ],
)
def test_a_guess_is_left_to_people(written: str) -> None:
    result = mended(written)
    assert result.sources[0].text == written
    assert result.fixed == ()
    assert not result.checked.ok


def test_one_mistake_behind_another_is_found_in_the_next_round() -> None:
    result = mended("When ordered Wait 2 days; Send an email “hello”")
    assert result.sources[0].text == 'when ordered wait 2d send email "hello"'
    assert len(result.fixed) == 7


def test_a_fix_that_makes_a_new_error_is_taken_back() -> None:
    result = mended("when ordered where customer.country = yes send email\nWhen returned send email")
    assert result.sources[0].text == "when ordered where customer.country = yes send email\nwhen returned send email"
    assert [one.fix and one.fix.title for one in result.fixed] == ["write `when`"]
    assert [one.code for one in result.checked.diagnostics] == ["E0301"]


def test_a_name_that_would_be_taken_is_left_as_it_is() -> None:
    written = "rule my_rule when ordered send email\nrule my rule when returned send email"
    assert text(written) == written


def test_files_are_mended_together_and_others_are_left_alone() -> None:
    result = mended("Event paid\n  amount money", "when paid where amount > 5 Send email", "when ordered send sms")
    assert [source.text for source in result.sources] == [
        "event paid\n  amount money",
        "when paid where amount > 5 send email",
        "when ordered send sms",
    ]
    assert result.checked.ok


def test_line_ends_and_marks_of_order_stay() -> None:
    assert text("\ufeffWhen ordered\r\n\tSend email\r\n") == "\ufeffwhen ordered\r\n\tsend email\r\n"


def test_many_fixes_in_one_rule_take_few_rounds() -> None:
    rounds = 0

    def check(sources: object) -> Checked:
        nonlocal rounds
        rounds += 1
        assert isinstance(sources, tuple)
        return check_book(sources, WORDS)

    spaced = "when\u00a0ordered\u00a0where\u00a0total\u00a0>\u00a05\u00a0send\u00a0email\n"
    result = mend([Source("a.rules", spaced)], check)
    assert "\u00a0" not in result.sources[0].text
    assert rounds == 2


_PIECES = st.lists(
    st.sampled_from(
        (
            *("When", "when", "ordered", "returned", "where", "total", "==", "=", "5", "1.5h", "days", "yes", "“a”"),
            *("'b'", ",", ";", "!", "&&", "–", "send", "Send", "an", "email", "e-mail", "if", "then", "end", "rule"),
            *("my", "wait", "until", "9am", "is", "not", "50€", "elsif", "between", "to", "customer.vip"),
            *("\u00a0", "\u200b", "\n", "# x\n"),
        )
    ),
    max_size=25,
)


@given(_PIECES.map(" ".join))
def test_mending_leaves_no_safe_fix_but_those_taken_back_and_is_stable(written: str) -> None:
    once = mended(written)
    again = mended(once.sources[0].text)
    assert again.sources == once.sources
    assert again.fixed == ()
