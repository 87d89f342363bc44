"""Material for reports, made without a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from segue.api import from_datetime
from segue.cli.reporting.material import Material
from segue.cli.tabling.shown import Shown
from segue.measure.experiments.exposed import HELD_OUT
from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import Lift
from segue.measure.incrementality import Evidence
from segue.measure.period import Period
from segue.measure.results.counts import Counts
from segue.measure.results.tables import channels_table, days_table, headline_table, money_table, rules_table
from segue.measure.table import Column, Table

FIRST = date(2026, 11, 1)
ATTRIBUTION = (Column("model", "Model"), Column("channel", "Channel"), Column("conversions", "Conversions", "number"))


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


def difference(estimate: float, low: float, high: float) -> Difference:
    """A difference between two groups, with its interval."""
    return Difference(estimate, low, high, 0.01, 0.95)


def evidence(rule: str, caused: Difference | None, attributed: dict[str, float], held_out: int = 200) -> Evidence:
    """What is known of a rule whose messages cost 12.50 EUR."""
    lift = Lift(rule, 1000, held_out, caused, caused, {}, True, caused is not None and caused.settled)
    return Evidence(rule, lift, attributed, {"EUR": 12.5})


def experiments(rate: float = 0.2, rules: Sequence[str] = ("carts",)) -> tuple[Table, Table]:
    """A verdict, and two groups, of each rule."""
    named = (Column("rule", "rule"), Column("experiment", "experiment"))
    numbers = (
        *(Column(name, name, "share") for name in ("rate", "difference", "low", "high")),
        Column("converted", "converted", "count"),
        Column("customers", "counted", "count"),
    )
    seen = Column("customers", "customers", "count"), Column("verdict", "verdict")
    return (
        Table("experiments", "E", (*named, *seen), tuple((rule, HELD_OUT, 1200, "It works.") for rule in rules)),
        Table(
            "groups",
            "G",
            (*named, Column("arm", "group"), *numbers),
            tuple(
                (rule, HELD_OUT, *group)
                for rule in rules
                for group in (
                    (HELD_OUT, 0.1, None, None, None, 20, 200),
                    ("treated", rate, 0.1, 0.05, 0.15, int(rate * 1000), 1000),
                )
            ),
        ),
    )


def cohorts(*rows: tuple[str, str, int, int, int]) -> Table:
    """Rules, weeks of entry, how many entered, and how many had converted so many weeks later."""
    columns = (
        Column("rule", "Rule"),
        Column("week_of_entry", "Week"),
        *(Column(name, name, "count") for name in ("entered", "weeks", "converted")),
    )
    return Table("cohorts", "C", columns, rows)
