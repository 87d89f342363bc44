"""Material for reports, made without a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from segue.api import from_datetime
from segue.cli.reporting.material import Material
from segue.cli.tabling.shown import Shown
from segue.measure.period import Period
from segue.measure.results.counts import Counts
from segue.measure.results.tables import channels_table, days_table, headline_table, money_table, rules_table
from segue.measure.table import Column, Table

FIRST = date(2026, 11, 1)


def counts(
    rules: Sequence[str], channels: Sequence[str] = ("email", "sms"), *, scale: int = 1, days: int = 30
) -> Counts:
    """Thirty days in which much happened, the more the greater the scale."""
    found = Counts()
    for ahead in range(days):
        day = FIRST + timedelta(days=ahead)
        for place, rule in enumerate(rules):
            found.entries[day, rule] = (40 - place) * scale + ahead
            found.conversions[day, rule] = 4 * scale + ahead % 7
        for place, channel in enumerate(channels):
            found.messages[day, channel, "sent"] = (100 >> place) * scale + ahead
            found.messages[day, channel, "skipped"] = 3
            found.costs[day, channel, "EUR"] = 60_000 * (place + 1)
            found.reasons[channel, "skipped", "consent withdrawn for promotional email"] += 3
        found.orders[day] = 5 * scale
        found.revenue[day, "EUR"] = Decimal(400 * scale + ahead)
        found.revenue[day, "SEK"] = Decimal(900)
        found.refunds[day, "EUR"] = Decimal(7)
    for channel in channels:
        found.deeds[channel, "opened"] = 700 * scale
        found.deeds[channel, "clicked"] = 90 * scale
    for rule in rules:
        found.worth[rule, "EUR"] = Decimal(1234 * scale)
    return found


def material(
    now: Counts,
    before: Counts | None = None,
    *more: Table,
    project: str = "Shop",
    locale: str = "en",
    titles: dict[str, str] | None = None,
) -> Material:
    """What a report on November tells."""
    since = from_datetime(datetime(2026, 11, 1, tzinfo=UTC))
    until = from_datetime(datetime(2026, 12, 1, tzinfo=UTC))
    period = Period(since, until)
    days = period.days(UTC)
    tables = (
        headline_table(now, before),
        days_table(now, days),
        channels_table(now),
        rules_table(now),
        money_table(now),
        *more,
    )
    return Material(
        project=project,
        period=period,
        zone=UTC,
        shown=Shown(locale, UTC),
        made=until,
        now=now,
        before=before,
        tables={table.name: table for table in tables},
        titles=titles or {},
    )


def funnels(rules: Sequence[str]) -> tuple[Table, Table]:
    """Journeys and steps, as funnels have them."""
    text = ("rule", "version", "group")
    journeys = Table(
        "journeys",
        "Journeys",
        (
            *(Column(name, name) for name in text),
            Column("entered", "Entered", "count"),
            Column("converted", "Converted", "count"),
        ),
        tuple((rule, "1", "sent to", 1000, 120) for rule in rules),
    )
    steps = Table(
        "steps",
        "Steps",
        (
            *(Column(name, name) for name in (*text, "words")),
            Column("reached", "Reached", "count"),
            Column("sent", "Sent", "count"),
        ),
        tuple(
            (rule, "1", "sent to", words, reached, sent)
            for rule in rules
            for words, reached, sent in (
                ("Wait 1 hour", 1000, None),
                (f"Send by email: {rule}", 640, 630),
                ("Stop", 80, None),
            )
        ),
    )
    return journeys, steps
