"""Reading providers' answers."""

from __future__ import annotations

import pytest

from segue.api import Response
from segue.api.replies import quotable, retry_after

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("9" * 5000, 86_400.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60.0),
        ("Sun Nov  6 08:50:37 1994", 60.0),
        ("Sun, 06 Nov 1994 08:50:37 -0000", 60.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("Sun, 06 Nov 2094 08:00:00 GMT", 86_400.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("", None),
        ("Sun, 99 Nov 1994 08:50:37 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(given: str, after: float | None) -> None:
    assert retry_after(Response(503, b"", {"retry-after": given}), NOW) == after


def test_without_the_header_nothing_is_asked_for() -> None:
    assert retry_after(Response(503), NOW) is None
    assert retry_after(Response(503, b"", {"Retry-After": "3"}), NOW) == 3.0


def test_what_is_quoted_is_one_short_line() -> None:
    said = quotable(b"\x1b[2J two\r\nlines \xff" + b"x" * 1_000_000)
    assert said.startswith("[2J two lines \ufffdxx")
    assert said.isprintable()
    assert len(said) == 200
    assert quotable(b"{}") == "{}"
