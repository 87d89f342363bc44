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
    ('when ordered where customer.country in "FI", "SE" send email', "stand in brackets", '["FI", "SE"]'),
    ('when ordered where customer.country is "FI" send email', "compared with `=`", "="),
    ('when ordered where customer.country is not "FI" send email', "compared with `!=`", "!="),
    ("when ordered where customer.vip = yes send email", "I don't know `yes`", "true"),
    ('when ordered set country = "FI" send email', "traits are written with `customer.`", "customer.country"),
    ('when ordered set customer.country to "FI" send email', "a trait is set with `=`", "="),
    ("rule my long rule when ordered send email", "a rule's name is one word", "my_long_rule"),
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
