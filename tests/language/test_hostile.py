"""Texts that nobody writes by hand: huge, deep, broken everywhere, full of characters that look like others.

None may crash, take long or go unanswered. Times are processor seconds, many times what a quiet machine needs; what
takes the square of the text's length misses them by far.
"""

from __future__ import annotations

import time

import pytest

from segue.language.book import Checked, Source, check_book
from segue.language.formatting import format_text
from tests.language.words import WORDS

WHEN = "when cart_abandoned "
RULE = """\
rule rule_{} "Win back carts"
  when cart_abandoned where total > 40
  once per 30d  # not too often

  wait 1d unless ordered
  send email "cart_reminder" with total = total then sms
"""


def checked_within(seconds: float, text: str) -> Checked:
    begun = time.process_time()
    checked = check_book([Source("a.rules", text)], WORDS)
    assert time.process_time() - begun < seconds
    return checked


def first_place(text: str) -> tuple[str, int, int]:
    """Code, line and column of the first mistake, told by the checker and by the formatter; the formatter leaves the
    text alone."""
    begun = time.process_time()
    formatted = format_text("a.rules", text)
    assert time.process_time() - begun < 30
    assert formatted.text == text
    first = next(each for each in checked_within(30, text).diagnostics if each.is_error)
    assert first.primary is not None
    assert formatted.diagnostics[0].code == first.code
    return first.code, first.primary.line, first.primary.column


HUNDRED = 100_000
BROKEN = {
    "brackets": (WHEN + "where " + "(" * HUNDRED, ("E0209", 1, 91)),
    "nots": (WHEN + "where " + "not " * HUNDRED, ("E0209", 1, 283)),
    "signs": (WHEN + "where " + "-" * HUNDRED, ("E0209", 1, 91)),
    "blocks": (WHEN + "if ordered " * 10_000, ("E0209", 1, 725)),
    "a long sum": (WHEN + "where total > " + "1 + " * 30_000 + "1 send email", ("E0209", 1, 35)),
    "ends": (WHEN + "send email " + "end " * 30_000, ("E0204", 1, 32)),
    "blocks left open": (WHEN + "\nif ordered send email" * 60, ("E0203", 61, 1)),
    "a text left open": (WHEN + 'send email "' + "x" * HUNDRED, ("E0106", 1, 32)),
    "texts left open": (WHEN + 'send email "x\n' * 3000, ("E0106", 1, 32)),
    "quotes": ('"' * HUNDRED, ("E0201", 1, 1)),
    "a long name": ("when " + "x" * HUNDRED, ("E0205", 1, 6)),
    "a long number": (WHEN + "where total > " + "9" * HUNDRED + " send email", ("E0208", 1, 35)),
    "a long duration": (WHEN + "wait " + "1d" * HUNDRED + " send email", ("E0207", 1, 26)),
    "the same word": ("when " * 20_000, ("E0202", 1, 6)),
    "no words": (WHEN + "send " + "]" * HUNDRED, ("E0201", 1, 26)),
    "curly quotes": ("# fine\n" + WHEN + "send email “x”", ("E0101", 2, 32)),
    "many curly quotes": ("“x” " * 10_000, ("E0101", 1, 1)),
    "no-break spaces": ("\n\n" + WHEN + "send\u00a0email", ("E0102", 3, 25)),
    "bidi marks": (WHEN + "send email \u202e" + "\u2066x" * 10_000, ("E0103", 1, 32)),
    "a bidi mark in a comment": (WHEN + "send email # \u202e why", ("E0103", 1, 34)),
    "two byte order marks": ("\ufeff\ufeff" + WHEN + "send email", ("E0103", 1, 1)),
    "mixed alphabets": (WHEN + "\nsend emаil", ("E0104", 2, 6)),
    "many mixed alphabets": ("оrdered " * 10_000, ("E0104", 1, 1)),
    "a NUL": (WHEN + "send email \x00", ("E0105", 1, 32)),
    "NULs": ("\x00" * HUNDRED, ("E0105", 1, 1)),
    "a lone surrogate": (WHEN + "send email \ud800", ("E0105", 1, 32)),
    "lone surrogates": ("\udfff" * HUNDRED, ("E0105", 1, 1)),
    "a broken rule with CRLF": ("# fine\r\n" + WHEN + "\r\n  send", ("E0205", 3, 3)),
    "a comment that CR should end": (WHEN + "# why\r  send email\rwhen ordered send sms\r", ("E0103", 1, 26)),
    "a text that U+2028 should end": (WHEN + 'send email "a\u2028b"', ("E0103", 1, 34)),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", BROKEN)
def test_it_is_answered_with_a_line_and_a_column(name: str) -> None:
    text, place = BROKEN[name]
    assert first_place(text) == place


LINE_ENDS = {"CRLF": "\r\n", "CR": "\r"}


@pytest.mark.parametrize("name", LINE_ENDS)
def test_foreign_line_ends_are_fine_and_go_when_the_file_is_formatted(name: str) -> None:
    text = RULE.format(1).replace("  # not too often", "")
    foreign = text.replace("\n", LINE_ENDS[name])
    assert checked_within(30, foreign).diagnostics == ()
    assert format_text("a.rules", foreign).text == text


def test_a_byte_order_mark_at_the_beginning_is_fine_and_goes() -> None:
    text = "\ufeff" + RULE.format(1)
    assert checked_within(30, text).diagnostics == ()
    assert format_text("a.rules", text).text == text[1:]


@pytest.mark.timeout(400)
def test_ten_thousand_rules_in_one_file_are_checked_and_formatted() -> None:
    text = "\n".join(RULE.format(number) for number in range(10_000))
    checked = checked_within(90, text)
    assert checked.diagnostics == ()
    assert len(checked.book.rules) == 10_000
    begun = time.process_time()
    formatted = format_text("a.rules", text)
    assert not formatted.changed
    assert formatted.diagnostics == ()
    assert time.process_time() - begun < 120


@pytest.mark.timeout(400)
def test_ten_thousand_broken_rules_get_ten_thousand_answers() -> None:
    text = "\n".join(f"rule r{number} {WHEN}wait send email" for number in range(10_000))
    checked = checked_within(60, text)
    assert [each.primary.line for each in checked.diagnostics if each.primary] == list(range(1, 10_001))


@pytest.mark.timeout(400)
def test_ten_thousand_rules_of_one_name_get_their_answers() -> None:
    checked = checked_within(60, f"rule same {WHEN}send email\n" * 10_000)
    assert len(checked.diagnostics) == 9_999


LONG = {
    "steps": WHEN + "wait 1d unless ordered send email " * 3000,
    "a condition": WHEN + "where " + " and ".join(["total > 40"] * 7000) + " send email",
    "a list": WHEN + "where total in [" + "1, " * 30_000 + "1] send email",
    "channels": WHEN + "send " + "email then " * 9000 + "sms",
    "a text": WHEN + 'send email "' + "x" * HUNDRED + '"',
    "spaces": WHEN + " " * HUNDRED + "send email",
    "spaces after else": WHEN + "if total > 1 send email else " + " " * HUNDRED + " send sms end",
    "comments": WHEN + "# why\n" * 20_000 + "send email",
    "branches": WHEN + "if ordered send email " + "else if ordered send email " * 4000 + "end",
    "fields": "event e " + " ".join(f"f{number} text" for number in range(8000)),
    "nothing": "\n" * HUNDRED,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", LONG)
def test_what_is_long_and_right_is_checked_and_formatted(name: str) -> None:
    assert not any(each.code.startswith("E02") for each in checked_within(30, LONG[name]).diagnostics)
    begun = time.process_time()
    assert format_text("a.rules", LONG[name]).diagnostics == ()
    assert time.process_time() - begun < 60


@pytest.mark.timeout(400)
def test_a_rule_of_a_megabyte_is_checked() -> None:
    text = WHEN + "wait 1d unless ordered send email " * 30_000
    assert len(text) > 1_000_000
    assert checked_within(90, text).ok
