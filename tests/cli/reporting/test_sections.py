"""What the sections of a report say."""

from __future__ import annotations

from segue.cli.reporting.charts import Bars, Ranges
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections import sections_of
from segue.measure.results.counts import Counts
from segue.measure.table import Cell, Column, Table
from tests.cli.reporting.made import counts, funnels, material

ATTRIBUTION = (Column("model", "Model"), Column("channel", "Channel"), Column("conversions", "Conversions", "number"))


def named(found: Material, name: str) -> Section:
    return next(section for section in sections_of(found) if section.name == name)


def lifts(*rows: tuple[Cell, ...]) -> Table:
    return Table(
        "lifts",
        "Lifts",
        (
            Column("rule", "Rule"),
            Column("sent_to", "Sent to", "count"),
            Column("held_out", "Held out", "count"),
            Column("rate_sent_to", "Converted", "share"),
            Column("rate_held_out", "Converted", "share"),
            Column("difference", "Difference", "share"),
            Column("low", "from", "share"),
            Column("high", "to", "share"),
            Column("verdict", "Verdict"),
            Column("cost", "Cost", "money"),
            Column("currency", "Currency"),
        ),
        rows,
    )


STRONG = ("carts", 1000, 200, 0.2, 0.1, 0.1, 0.05, 0.15, "It works.", 12.5, "EUR")
WEAK = ("hello", 1000, 20, 0.1, 0.1, 0.0, -0.1, 0.1, "It may do nothing.", None, None)
NOTHING = ("new", 3, 0, 0.3, None, None, None, None, None, None, None)


def test_models_that_disagree_are_a_band_and_the_widest_is_named() -> None:
    rows = (("first", "email", 80.0), ("first", "sms", 20.0), ("last", "email", 30.0), ("last", "sms", 70.0))
    found = material(counts(["a"]), None, Table("attribution", "Attribution", ATTRIBUTION, rows))
    section = named(found, "attribution")
    [chart] = section.charts
    assert isinstance(chart, Ranges)
    assert [(one.name, one.low, one.high) for one in chart.ranges] == [("email", 30, 80), ("sms", 20, 70)]
    assert "they disagree most about email: 30 to 80" in chart.said
    assert "would have happened without" in section.sentences[0]


def test_one_model_alone_agrees_with_itself() -> None:
    found = material(counts(["a"]), None, Table("attribution", "A", ATTRIBUTION, (("last", "email", 3.0),)))
    [chart] = named(found, "attribution").charts
    assert "agree about every channel" in chart.said


def test_strong_and_weak_evidence_are_told_apart() -> None:
    sentences = named(material(counts(["a"]), None, lifts(STRONG, WEAK, NOTHING)), "incrementality").sentences
    assert sentences[0] == "carts: the evidence is strong. It caused 50 to 150 conversions. Its messages cost €12.50."
    assert "hello: the evidence is weak." in sentences[1]
    assert "new: too few are held out" in sentences[2]


def test_what_was_measured_stands_beside_what_models_attribute() -> None:
    by_rule = Table(
        "attribution_by_rule",
        "By rule",
        (ATTRIBUTION[0], Column("rule", "Rule"), ATTRIBUTION[2]),
        (("first", "carts", 190.0), ("last", "carts", 60.0)),
    )
    section = named(material(counts(["a"]), None, lifts(STRONG), by_rule), "incrementality")
    [chart] = section.charts
    assert isinstance(chart, Ranges)
    assert [(one.name, one.low, one.high) for one in chart.ranges] == [
        ("carts: attributed", 60, 190),
        ("carts: measured", 50, 150),
    ]
    assert "models attribute up to 190" in section.sentences[0]


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
    assert "1 of 2 budgets are used up now." in {chart.said for chart in charts}


def test_money_of_two_currencies_is_told_in_two_sentences() -> None:
    sentences = named(material(counts(["a"])), "money").sentences
    assert [one[:4] for one in sentences] == ["EUR:", "SEK:"]


def test_every_part_of_an_empty_report_says_what_would_fill_it() -> None:
    for section in sections_of(material(Counts())):
        assert section.missing or section.name == "method", section.name
