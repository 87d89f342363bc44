"""What is shown when one points at a word."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from segue.api import from_datetime
from segue.lsp.hover import hover
from tests.lsp.desk import at_cursor, draft_of

# A Tuesday; Helsinki is two hours ahead.
NOW = from_datetime(datetime(2026, 11, 24, 10, 0, tzinfo=UTC))


def shown(folder: Path, text: str) -> str:
    draft = draft_of(folder)
    found = hover(draft, *at_cursor(draft, text), NOW)
    return found.text if found else ""


def test_an_event_shows_its_fields_and_who_declares_it(tmp_path: Path) -> None:
    text = shown(tmp_path, "when ret|urned send email")
    assert "event" in text
    assert "“Return Requested”" in text
    assert "rules/words.rules:1" in text
    assert "`reason` text" in text


def test_an_event_of_a_plugin_names_the_plugin(tmp_path: Path) -> None:
    assert "plugin segue-segment" in shown(tmp_path, "when cart_aban|doned send email")


def test_a_trait_shows_its_type(tmp_path: Path) -> None:
    assert "boolean, trait" in shown(tmp_path, "when ordered where customer.v|ip send email")


def test_a_channel_shows_what_serves_it(tmp_path: Path) -> None:
    assert "Served by `console` from the plugin segue-console" in shown(tmp_path, "when ordered send em|ail")


def test_a_message_shows_its_content(tmp_path: Path) -> None:
    assert "email (any language)" in shown(tmp_path, 'when ordered send email "wel|come"')


def test_a_segment_shows_its_text(tmp_path: Path) -> None:
    assert "where returned in last 90d" in shown(tmp_path, "when ordered where in lap|sed send email")


def test_a_keyword_shows_a_sentence_and_an_example(tmp_path: Path) -> None:
    text = shown(tmp_path, "when ordered wait 1d unl|ess returned send email")
    assert "Guards everything that follows" in text
    assert "```segue" in text


def test_two_words_that_belong_together_are_explained_together(tmp_path: Path) -> None:
    assert "**on repeat**" in shown(tmp_path, "when ordered on rep|eat restart send email")


def test_a_duration_shows_both_dates(tmp_path: Path) -> None:
    text = shown(tmp_path, "when ordered wait 1d 6|h send email")
    assert "**1 day 6 hours**" in text
    assert "Wed 25 Nov 2026 18:00" in text
    assert "Mon 23 Nov 2026 06:00" in text


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        (
            "ev|ery monday at 09:00 for lapsed send email",
            "Mon 30 Nov 2026 09:00; Mon 7 Dec 2026 09:00; Mon 14 Dec 2026",
        ),
        ("every day at 09:0|0 for lapsed send email", "Wed 25 Nov 2026 09:00; Thu 26 Nov 2026 09:00; Fri 27 Nov 2026"),
        ("every mon|th 31 at 09:00 for lapsed send email", "Mon 30 Nov 2026 09:00; Thu 31 Dec 2026 09:00; Sun 31 Jan"),
        ("o|n 2026-11-27 at 08:00 for lapsed send email", "Next: Fri 27 Nov 2026 08:00"),
        ("when ordered wait until fri|day 09:00 send email", "From now: Fri 27 Nov 2026 09:00"),
        ("when ordered wait until tomorrow 09:0|0 send email", "From now: Wed 25 Nov 2026 09:00"),
        ("when ordered wait until ti|me between 09:00 and 11:00 send email", "From now: Wed 25 Nov 2026 09:00"),
        ("when ordered wa|it for returned up to 2d send email", "At the latest: Thu 26 Nov 2026 12:00"),
    ],
)
def test_schedules_and_waits_show_their_dates(tmp_path: Path, text: str, dates: str) -> None:
    assert dates in shown(tmp_path, text)


def test_a_yearly_rule_has_no_dates_of_its_own(tmp_path: Path) -> None:
    assert "Next" not in shown(tmp_path, "ev|ery year on customer.birthday for lapsed send email")


@pytest.mark.parametrize("text", ["# wh|en", 'rule x "wh|en" when ordered send email', "when ordered send email  |  "])
def test_nothing_is_said_about_comments_titles_and_space(tmp_path: Path, text: str) -> None:
    assert shown(tmp_path, text) == ""
