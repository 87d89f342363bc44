"""Usual slips are answered with how it is written, and a fix that is offered mends them."""

from __future__ import annotations

import pytest

from segue.diagnostics import Diagnostic
from segue.language.book import Source, check_book
from tests.language.words import WORDS

SLIPS = [
    ("When ordered send email", "`When` is written `when`", "when"),
    ("when ordered wait 1d, send email", "no comma is needed", ""),
    ("when ordered wait 1d; send email", "no `;` is needed", ""),
    ("when ordered: send email", "no `:` is needed", ""),
    ("when ordered send email, sms", "not joined by a comma", None),
    ("when ordered where total > 1,000 send email", "no comma in it", "1000"),
    ("when ordered where total > 50€ send email", "three letters of its currency", "50 EUR"),
    ("when ordered where total > $50 send email", "three letters of its currency", "50 USD"),
    ("when ordered where total > 50 euros send email", "three letters of its currency", "50 EUR"),
    ("when ordered if total > 5 then send email end", "`then` stands only between two channels", ""),
    ("when ordered if total > 5 send email elsif total > 3 send sms end", "`else if` is two words", "else if"),
    ("when ordered send e-mail", "names have no hyphens", "email"),
    ("when ordered send email hello", "the name of a message stands in quotes", '"hello"'),
    ('when ordered send "hello" by email', "the channel comes before the message", None),
    ("when ordered send an email", "`an` is not needed", ""),
    ("when ordered send email to customer", "always goes to the customer", None),
    ("when ordered send email at 09:00", "when a message goes", None),
    ("when ordered send email 3 times", "how often is not said in the `send`", None),
    ("when ordered wait a day send email", "does not say how long", None),
    ("when ordered wait 1.5d send email", "durations are whole numbers", "36h"),
    ("when ordered wait 0.75mo send email", "durations are whole numbers", None),
    ("when ordered wait until 9am send email", "clock times have 24 hours", "09:00"),
    ("when ordered wait until 12am send email", "clock times have 24 hours", "00:00"),
    ("when ordered wait until 09:00 Helsinki send email", "written with its continent", "Europe/Helsinki"),
    ("when ordered wait for returned send email", "how long to wait at the most", None),
    ("when ordered wait for returned", "how long to wait at the most", None),
    ("when ordered wait for 2d send email", "`2d` is a length", None),
    ("when ordered goal returned send email", "does not say by when", None),
    ("when ordered once a month send email", "`once` alone means once ever", None),
    ("when ordered wait 1d once send email", "`once` comes too late", None),
    ("when ordered send email until returned", "`until` comes too late", None),
    ("when ordered and returned send email", "no `and` between two", None),
    ("when ordered in last 30d send email", "not in a span of time", None),
    ("when ordered where returned 2 times in last 30d send email", "asked with `at least`", "at least 2"),
    ("when ordered where returned in last month send email", "needs a number", "1mo"),
    ("when ordered where returned more than 2 times send email", "`than` is no word", None),
    ("when ordered where total between 10 to 20 send email", "joined by `and`", "and"),
    ('when ordered where customer.country in "FI", "SE" send email', "stand in square brackets", '["FI", "SE"]'),
    ('when ordered where customer.country is "FI" send email', "compared with `=`", "="),
    ('when ordered where customer.country is not "FI" send email', "compared with `!=`", "!="),
    ("when ordered where customer.vip = yes send email", "I don't know `yes`", "true"),
    ('when ordered set country = "FI" send email', "traits are written with `customer.`", "customer.country"),
    ('when ordered set customer.country to "FI" send email', "a trait is set with `=`", "="),
    ("rule my long rule when ordered send email", "a rule's name is one word", "my_long_rule"),
    ("when ordered if opened then send sms end", "`if` goes without `then`", ""),
    ("when ordered send email and then sms", "`and then` is one word too many", ""),
    ("when ordered where total > 49,90 send email", "decimals stand after a point", "49.90"),
    ("when ordered where total > 49,90€ send email", "decimals stand after a point", "49.90 EUR"),
    ("when ordered where total > 49,90 euros send email", "decimals stand after a point", "49.90 EUR"),
    ("when ordered where total > €49,90 send email", "three letters of its currency", "49.90 EUR"),
    ("when ordered -> wait 1d send email", "no arrow is needed", ""),
    ("when ordered → send email", "no arrow is needed", ""),
    ("when ordered { send email }", "without braces around them", None),
    ('when ordered send email "x" with a = {{ customer.country }}', "stands without braces", "customer.country"),
    ("// all carts\nwhen ordered send email", "a comment begins with `#`", "#"),
    ("-- when a customer orders\nwhen ordered send email", "a comment begins with `#`", "#"),
    ("when ordered send email // if it works", "a comment begins with `#`", "#"),
    ("/* all carts */\nwhen ordered send email", "begins with `#` and ends with its line", None),
    ("- when ordered\nsend email", "without a list's marks", ""),
    ("when ordered\n2. send email", "without a list's marks", ""),
    ("when ordered holdout 5 percent goal returned within 7d send email", "written with `%`", "5%"),
    ("when ordered holdout 0.05 goal returned within 7d send email", "written with `%`", "5%"),
    ('when ordered split 50 "a" send email 50% "b" send sms end', "written with `%`", "50%"),
    ('when ordered split 50% a send email 50% "b" send sms end', "the name of an arm stands in quotes", '"a"'),
    ("when ordered split a send email b send sms end", "every arm begins with its share", None),
    ("every monday at 9 for lapsed send email", "a clock time has hours and minutes", "09:00"),
    ("policy promotional quiet 21 to 08:00", "a clock time has hours and minutes", "21:00"),
    ("policy promotional quiet hours 21:00 to 08:00", "`hours` is not needed", ""),
    ("policy promotional limit 3 email per week", "a length is a number with its unit", "1w"),
    ("when ordered wait until tomorrow send email", "does not say at what time", None),
    ("when ordered wait until tomorrow at 09:00 send email", "`at` is not needed", ""),
    ("when ordered wait until next monday 09:00 send email", "`next` is not needed", ""),
    ("when ordered wait until 09:00 local time send email", "`time` is not needed", ""),
    ("on 27.11.2026 at 08:00 for lapsed send email", "a day is written year, month, day", "2026-11-27"),
    ("on 11/27/2026 at 08:00 for lapsed send email", "a day is written year, month, day", "2026-11-27"),
    ("when ordered from 1/11/2026 send email", "a day is written year, month, day", None),
    ("when ordered where customer.birthday = 27.11.1980 send email", "year, month, day", "1980-11-27"),
    ("every week at 09:00 for lapsed send email", "does not say on which days", None),
    ("when ordered once every 30d send email", "how often is said with `per`", "per"),
    ("when ordered once per customer send email", "once for each customer already", ""),
    ("when ordered expect 100 a day send email", "how often is said with `per`", "per"),
    ("when ordered goal returned in 7d send email", "said with `within`", "within "),
    ("when ordered goal returned in 7 days send email", "said with `within`", "within "),
    ("when ordered where returned in 30d send email", "does not say from when", "in last "),
    ("when ordered repeat 3 send email wait 1d end", "goes on with `times`", "times send"),
    ("when ordered repeat 3x send email wait 1d end", "how often is said with `times`", "3 times"),
    ("when ordered after 1d send email", "a pause is a step of its own", "wait"),
    ("when ordered if opened send email endif", "every block is closed by `end`", "end"),
    ("when ordered wait 1d exit", "`exit` is not a step", "stop"),
    ("when ordered delay 1d send email", "`delay` is not a step", "wait"),
    ('when ordered wait 1d email "x"', "`email` is not a step", "send email"),
    ('when ordered send email subject "Hello"', "does not stand in the rule", None),
    ("if ordered send email", "a rule begins with what happened", "when"),
    ("on ordered send email", "an event begins a rule with `when`", "when"),
    ("when customer orders send email", "is not how a rule begins", None),
    ("when cart abandoned send email", "a name is one word", "cart_abandoned"),
    ('when ordered send email "x" with a = customer.first name', "a name is one word", "first_name"),
    ("when ordered wait 1d unless customer returned send email", "asked without `customer`", ""),
    ("when ordered wait 1d unless has returned send email", "`has` is not needed", ""),
    ("when ordered wait 1d unless has not returned send email", "`has` is not needed", ""),
    ("when ordered where returned in the last 30d send email", "`the` is not needed", ""),
    ('when ordered where in "lapsed" send email', "a name stands without quotes", "lapsed"),
    ('when ordered for "lapsed" send email', "a name stands without quotes", "lapsed"),
    ('rule "Win back" when ordered send email', "a name of one word before its title", 'win_back "Win back"'),
    ("rule win-back when ordered send email", "names have no hyphens", "win_back"),
    ('when ordered where customer.country in ("FI", "SE") send email', "square brackets", '["FI", "SE"]'),
    ('when ordered where items contains "X1" send email', "holds something is asked with `in`", '"X1" in items'),
    ("when ordered where customer.country exists send email", "`exists` is not needed", ""),
    ("when ordered where customer.country = null send email", "there is no `null`", None),
    ("when ordered where customer.country is empty send email", "is asked by its name alone", None),
    ("when ordered where event.total > 5 send email", "written with `trigger.`", "trigger"),
    ('when ordered where profile.country = "FI" send email', "I don't know `profile`", "customer"),
    ("when ordered if not_opened send sms end", "I don't know `not_opened`", "not opened"),
    ("when ordered set customer.cycle_days += 1", "what a trait becomes is written out", "= customer.cycle_days +"),
    ("segment vip count(ordered) > 3", "said with `where`", "where count"),
    ("segment vip is count(ordered) > 3", "said with `where`", "where"),
    ("event a (total money)", "stand without brackets", None),
    ("event a\n  total decimal", "there is no type `decimal`", "number"),
    ("trait country text", "declared in a `customer` block", None),
    ('rule r when ordered send email test "t" for r at 0h ordered total = 5 expect email', "no `=` is needed", ""),
    ('rule r when ordered send email test "t" for r at 9:00 ordered expect email', "the first moment", None),
    ('rule r when ordered send email test "t" for r at 0h ordered expect nothing', "cannot expect", "no messages"),
    ('rule r when ordered send email test "t" for r at 0h ordered expect send email', "`send` is not needed", ""),
    ('rule r when ordered send email test "t" for r expect email at 0h ordered', "stands before what", None),
    ("when ordered sendemail", "`sendemail` cannot stand here", None),
    ("when ordered wait 1d unlessreturned send email", "`unlessreturned`", None),
]


def _check(text: str) -> tuple[Diagnostic, ...]:
    return check_book([Source("slip.rules", text)], WORDS).diagnostics


@pytest.mark.parametrize(("text", "message", "write"), SLIPS, ids=[text for text, _, _ in SLIPS])
def test_a_usual_slip_is_answered_with_how_it_is_written(text: str, message: str, write: str | None) -> None:
    first = _check(text)[0]
    assert message in first.message
    assert first.hint or first.label
    if write is None:
        assert first.fix is None
        return
    assert first.fix is not None
    assert first.fix.replacement == write
    span = first.fix.span
    mended = text[: span.start] + write + text[span.end :]
    again = _check(mended)
    assert not any(each.is_error and each.message == first.message for each in again)


@pytest.mark.parametrize(
    "text",
    [
        'when ordered send email"x"then sms',
        'when ordered if "X1"in items send email end',
        "when ordered wait 1d unless(returned)send email",
    ],
)
def test_words_need_no_space_beside_a_mark(text: str) -> None:
    assert not [each for each in _check(text) if each.is_error]


def test_two_spellings_of_a_thousand_are_left_to_the_author() -> None:
    (problem,) = _check("when ordered where total > 1,000 send email")
    assert problem.fix is not None
    assert not problem.fix.safe


@pytest.mark.parametrize("text", ["when ordered priority high send email", "when ordered loop 3 times send email"])
def test_what_is_no_name_is_not_taken_for_one(text: str) -> None:
    assert "one word" not in _check(text)[0].message


def test_a_foreign_comment_hides_nothing_else() -> None:
    assert len([one for one in _check("// my first rule\nwhen ordered send email") if one.is_error]) == 1


def test_a_segment_that_is_missing_is_not_taken_for_the_rule_that_asks_for_it() -> None:
    (problem,) = [one for one in _check("every monday at 09:00 for vip send email") if one.is_error]
    assert problem.message == "I don't know the segment `vip`"


def test_an_hour_alone_is_told_how_a_clock_time_is_written() -> None:
    for written in ("9", "9.30"):
        (problem,) = [one for one in _check(f"when ordered wait until {written} send email") if one.is_error]
        assert problem.hint.startswith("a clock time has hours and minutes: `wait until 09:")
