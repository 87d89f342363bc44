"""What the sections of a report say."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from segue.api import Instant
from segue.api.values import HOUR
from segue.cli.reporting.charts import Bars, Heat, Ranges
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections import sections_of
from segue.measure.experiments.result import Lift
from segue.measure.incrementality import Evidence, evidence_table
from segue.measure.period import Period
from segue.measure.results.counts import Counts
from segue.measure.table import Column, Table
from tests.cli.reporting.made import (
    ATTRIBUTION,
    FIRST,
    cohorts,
    counts,
    difference,
    evidence,
    experiments,
    funnels,
    material,
)


def named(found: Material, name: str) -> Section:
    return next(section for section in sections_of(found) if section.name == name)


def test_models_that_disagree_are_a_band_and_the_widest_is_named() -> None:
    rows = (("first", "email", 80.0), ("first", "sms", 20.0), ("last", "email", 30.0), ("last", "sms", 70.0))
    found = material(counts(["a"]), None, Table("attribution", "Attribution", ATTRIBUTION, rows))
    section = named(found, "attribution")
    [chart] = section.charts
    assert isinstance(chart, Ranges)
    assert [(one.name, one.low, one.high) for one in chart.ranges] == [("email", 30, 80), ("sms", 20, 70)]
    assert "They disagree most about email: 30 to 80 orders." in chart.said
    assert "would have happened without" in section.sentences[0]


def test_one_model_alone_agrees_with_itself() -> None:
    found = material(counts(["a"]), None, Table("attribution", "A", ATTRIBUTION, (("last", "email", 3.0),)))
    [chart] = named(found, "attribution").charts
    assert "agree about every channel" in chart.said


def test_each_experiment_says_its_verdict_and_draws_its_groups() -> None:
    section = named(material(counts(["a"]), None, *experiments(), titles={"carts": "Win back carts"}), "experiments")
    assert section.points == (("Win back carts.", "It works."),)
    differences, rates = section.charts
    assert isinstance(differences, Ranges)
    assert isinstance(rates, Bars)
    assert [(one.name, one.low, one.high, one.note) for one in differences.ranges] == [
        ("Win back carts", 5, 15, "+5.0 to +15.0")
    ]
    assert [(bar.name, bar.value, bar.note) for bar in rates.bars] == [
        ("holdout", 0.1, "of 200"),
        ("treated", 0.2, "of 1,000"),
    ]


def test_what_was_measured_stands_beside_what_models_attribute() -> None:
    by_rule = Table(
        "attribution_by_rule",
        "By rule",
        (ATTRIBUTION[0], Column("rule", "Rule"), ATTRIBUTION[2]),
        (("first", "carts", 190.0), ("last", "carts", 60.0)),
    )
    table = evidence_table([evidence("carts", difference(100, 50, 150), {"first": 190, "last": 60})])
    section = named(material(counts(["a"]), None, *experiments(), table, by_rule), "incrementality")
    [chart] = section.charts
    assert isinstance(chart, Ranges)
    assert [(one.name, one.low, one.high) for one in chart.ranges] == [
        ("carts: attributed", 60, 190),
        ("carts: measured", 50, 150),
    ]
    [(name, said)] = section.points
    assert name == "carts."
    assert said.startswith("Strong evidence: it caused 50 to 150 conversions")


def test_money_is_moved_only_by_what_was_measured() -> None:
    worth = difference(1000, 500, 1500)
    lift = Lift("carts", 1000, 200, difference(100, 50, 150), difference(100, 50, 150), {"EUR": worth}, True, True)
    tables = experiments(), evidence_table([Evidence("carts", lift, {}, {"EUR": 12.5})])
    sentences = named(material(counts(["a"]), None, *tables[0], tables[1]), "incrementality").sentences
    assert sentences == (
        "“carts” brought €80.00 (with 95% certainty €40.00 to €120.00) for each €1.00 that its messages cost. Its "
        "budget: up to 20% more: on average each EUR was measured to bring more than it costs.",
    )


def test_where_no_money_can_be_moved_it_says_what_would_have_to_be_known() -> None:
    tables = experiments(), evidence_table([evidence("carts", difference(100, 50, 150), {}, held_out=2)])
    sentences = named(material(counts(["a"]), None, *tables[0], tables[1]), "incrementality").sentences
    assert sentences == (
        "The budget of “carts”: not enough evidence: hold out more customers (`holdout 10%`), and wait for the goal's "
        "time to pass.",
    )


def test_what_is_missing_for_an_experiment_is_said_on_the_page() -> None:
    verdicts, groups = experiments()
    told = Table(verdicts.name, verdicts.title, verdicts.columns, verdicts.rows, ("welcome has no goal.",))
    assert "welcome has no goal." in named(material(counts(["a"]), None, told, groups), "experiments").missing


def test_no_difference_is_drawn_of_a_group_that_is_too_small() -> None:
    verdicts, groups = experiments()
    few = Table(groups.name, groups.title, groups.columns, tuple((*row[:-2], 2, 14) for row in groups.rows))
    charts = named(material(counts(["a"]), None, verdicts, few), "experiments").charts
    assert [type(chart) for chart in charts] == [Bars]


def test_a_rule_of_which_nothing_was_measured_has_a_sentence_and_no_picture() -> None:
    table = evidence_table([evidence("new", None, {}, held_out=2)])
    section = named(material(counts(["a"]), None, *experiments(), table), "incrementality")
    assert section.charts == ()
    assert "too few are held out" in section.points[0][1]


def test_without_a_holdout_it_is_said_how_to_get_one() -> None:
    assert "write `holdout 5%`" in named(material(counts(["a"]), None, *funnels(["a"])), "experiments").missing[0]


def test_a_funnel_is_drawn_of_those_who_entered() -> None:
    charts = named(material(counts(["a"]), None, *funnels(["a"])), "rules").charts
    funnel = next(chart for chart in charts if chart.title.startswith("How far they came"))
    assert isinstance(funnel, Bars)
    assert [(bar.name, bar.value, bar.note) for bar in funnel.bars] == [
        ("Entered", 1000, ""),
        ("Wait 1 hour", 1000, "· 100%"),
        ("Send by email: a", 640, "· 64%"),
        ("Stop", 80, "· 8%"),
        ("Converted", 120, "· 12%"),
    ]


def test_cohorts_of_which_nobody_converted_yet_are_no_picture() -> None:
    section = named(material(counts(["a"]), None, cohorts(("a", "2026-11-02", 100, 1, 0))), "cohorts")
    assert section.charts == ()
    assert section.missing[0].startswith("Cohorts need journeys")


def test_of_many_channels_those_that_sent_most_are_drawn_and_all_are_in_the_table() -> None:
    names = [f"channel {number}" for number in range(50)]
    section = named(material(counts(["a"], names, scale=1000)), "channels")
    sent = section.charts[0]
    assert isinstance(sent, Bars)
    assert [bar.name for bar in sent.bars[:2]] == ["channel 0", "channel 1"]
    assert len(sent.bars) == 20
    assert "The 20 of 50 that sent most." in sent.said
    assert len(section.tables[0].rows) == 50


def test_how_long_it_took_is_told_in_the_order_of_the_rules() -> None:
    columns = (
        *(Column(name, name) for name in ("rule", "version", "what")),
        Column("journeys", "Journeys", "count"),
        *(Column(name, name, "duration") for name in ("p10", "p25", "p50", "p75", "p90")),
    )
    goals = (("few", "all", "entry to goal", 3, 1, 2, 3, 4, 5), ("most", "all", "entry to goal", 9, 1, 2, 3, 4, 5))
    times = Table("times", "How long it took", columns, (*goals, ("most", "1", "entry to goal", 9, 1, 2, 3, 4, 5)))
    [_, table] = named(material(counts(["most", "few"]), None, times), "rules").tables
    assert [row[0] for row in table.rows] == ["most", "few"]
    assert [column.title for column in table.columns[-3:]] == ["a tenth within", "half within", "nine tenths within"]


def test_a_budget_that_is_used_up_is_told() -> None:
    budgets = Table(
        "budgets",
        "Budgets",
        (
            Column("kind", "Messages"),
            Column("span", "Days"),
            Column("budget", "Budget", "money"),
            Column("spent", "Spent", "money"),
            Column("used", "Used", "share"),
            Column("currency", "Currency"),
        ),
        (("promotional", "today", 200.0, 200.0, 1.0, "EUR"), ("informational", "today", 50.0, 1.0, 0.02, "EUR")),
    )
    charts = named(material(counts(["a"]), None, budgets), "money").charts
    assert "1 of 2 budgets is used up now." in {chart.said for chart in charts}


def test_money_of_two_currencies_is_told_in_two_sentences() -> None:
    sentences = named(material(counts(["a"])), "money").sentences
    assert [one[:4] for one in sentences] == ["EUR:", "SEK:"]


def test_every_part_of_an_empty_report_says_what_would_fill_it() -> None:
    for section in sections_of(material(Counts())):
        assert section.missing or section.name == "method", section.name


def test_the_headline_says_first_what_came_in_and_what_was_measured_to_cause_it() -> None:
    table = evidence_table(
        [
            evidence("carts", difference(100, 50, 150), {}),
            evidence("spam", difference(-100, -150, -50), {}),
            evidence("new", None, {}, held_out=2),
        ]
    )
    first, second, *_ = named(material(counts(["a"]), None, *experiments(), table), "headline").sentences
    assert first.startswith("150 orders brought €12,225 and SEK")
    assert second == (
        "Measured against a control group, “carts” brought conversions that would not have come without, and “spam” "
        "cost conversions that would have come without; for the other rule with a holdout there is not enough evidence "
        "yet."
    )


def test_more_paid_back_than_came_in_is_no_change_in_per_cent() -> None:
    now = counts(["a"])
    now.refunds[FIRST, "EUR"] = Decimal(99_999)
    section = named(material(now, counts(["a"])), "headline")
    assert "is left" in section.sentences[0] or "are left" in section.sentences[0]
    [card] = [card for card in section.cards if card.title.startswith("Orders less refunds, EUR")]
    assert (card.value[0], card.change) == ("-", "€12,225 before")


def test_a_period_that_has_not_begun_is_told_so() -> None:
    found = material(Counts())
    ahead = msgspec.structs.replace(found, made=Instant(found.period.since - 1))
    assert "has not begun" in named(ahead, "headline").sentences[0]


def test_hours_are_not_called_a_day() -> None:
    found = material(counts(["a"]), counts(["b"]))
    since = Instant(found.period.since + 3 * HOUR)
    hours = msgspec.structs.replace(found, period=Period(since, Instant(since + 2 * HOUR)))
    assert named(hours, "headline").sentences[-1].startswith("Against the 2 hr before: ")
    begun = msgspec.structs.replace(found, period=Period(found.period.since, since))
    assert named(begun, "headline").sentences[-1].startswith("Against the day before, also until 03:00: ")


def test_a_rule_that_converts_no_more_counts_in_the_weeks_after() -> None:
    """The last row of ``short`` is its first week's; that of November 16 is not over on December 1."""
    table = cohorts(
        ("short", "2026-11-02", 100, 1, 10),
        *(("long", "2026-11-02", 100, weeks, converted) for weeks, converted in ((1, 5), (2, 8), (3, 9))),
        ("short", "2026-11-16", 50, 1, 5),
        ("long", "2026-11-16", 50, 1, 5),
        ("long", "2026-11-23", 10, 1, 1),
    )
    [heat] = [
        chart for chart in named(material(counts(["a"]), None, table), "cohorts").charts if isinstance(chart, Heat)
    ]
    assert heat.rows == (
        ("Nov 2", "200 entered", (0.075, 0.09, 0.095)),
        ("Nov 16", "100 entered", (0.1, None, None)),
    )
