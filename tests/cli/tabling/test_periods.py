"""--since, --until and --last."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import typer

from segue.api import Instant, from_datetime
from segue.api.values import HOUR
from segue.cli.tabling.periods import BEGINNING, read_period, read_span
from segue.measure.period import Period

ZONE = ZoneInfo("Europe/Helsinki")


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZONE))


NOW = at("2026-03-31T10:00")


@pytest.mark.parametrize(
    ("since", "until", "last", "expected"),
    [
        ("2026-03-02", None, None, Period(at("2026-03-02T00:00"), NOW)),
        ("2026-03-02", "2026-03-04", None, Period(at("2026-03-02T00:00"), at("2026-03-05T00:00"))),
        ("2026-03-02", "2026-03-04T10:00", None, Period(at("2026-03-02T00:00"), at("2026-03-04T10:00"))),
        ("2026-03-02T10:00+00:00", None, None, Period(at("2026-03-02T12:00"), NOW)),
        (None, None, "3d", Period(at("2026-03-29T00:00"), NOW)),
        (None, None, "2w", Period(at("2026-03-18T00:00"), NOW)),
        (None, None, "1mo", Period(at("2026-03-01T00:00"), NOW)),
        (None, None, "1y", Period(at("2025-04-01T00:00"), NOW)),
        (None, None, "9999y", Period(BEGINNING, NOW)),
        (None, None, "5h", Period(at("2026-03-31T05:00"), NOW)),
        (None, "2026-03-04", "2d", Period(at("2026-03-03T00:00"), at("2026-03-05T00:00"))),
        (None, None, None, Period(BEGINNING, NOW)),
    ],
)
def test_a_day_is_a_day_of_the_zone(since: str, until: str, last: str, expected: Period) -> None:
    assert read_period(since, until, last, zone=ZONE, now=NOW) == expected


def test_what_is_meant_without_options_is_the_command_s_own() -> None:
    assert read_period(None, None, None, zone=ZONE, now=NOW, otherwise="1d").since == at("2026-03-31T00:00")
    assert read_period("2026-03-02", None, None, zone=ZONE, now=NOW, otherwise="1d").since == at("2026-03-02T00:00")


@pytest.mark.parametrize(
    ("since", "until", "last", "said"),
    [
        ("yesterday", None, None, "--since yesterday: write a day or a time"),
        (None, None, "30", "--last 30: write a number and h, d, w, mo or y"),
        ("2026-03-02", None, "30d", "give --since or --last, not both"),
        ("2026-03-02", "2026-03-01", None, "nothing lies between --since 2026-03-02 and --until 2026-03-01"),
    ],
)
def test_options_without_sense_are_refused(
    since: str, until: str, last: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        read_period(since, until, last, zone=ZONE, now=NOW)
    assert ended.value.exit_code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("text", "hours"), [("36h", 36), ("2d", 48), ("1w", 168)])
def test_a_span_is_elapsed_time(text: str, hours: int) -> None:
    assert read_span("--lookback", text) == hours * HOUR


@pytest.mark.parametrize("text", ["", "0d", "30", "2mo", "1y", "-1d", "1.5h"])
def test_a_span_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        read_span("--lookback", text)
    assert f"--lookback {text}: write a number and h, d or w" in capsys.readouterr().err
