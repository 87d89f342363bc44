"""The page of a report."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.cli.reporting.gathering import english
from segue.cli.reporting.page import render
from segue.measure.incrementality import evidence_table
from segue.measure.results.counts import Counts, Fate
from segue.measure.table import Table
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

HOSTILE = '<script>alert("1")</script>\x1b[31m&amp;'
_VOID = {"meta", "br", "line", "polygon", "polyline"}


class _Reader(HTMLParser):
    """What is in a page: tags, attributes, and whether everything that opens is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def hostile_page() -> str:
    rules = [HOSTILE, "שלום עולם", "a" * 300, "كل عربات التسوق المتروكة"]
    now = counts(rules, (HOSTILE, "email"))
    now.reasons[HOSTILE, "skipped", HOSTILE] = 5
    titles = {HOSTILE: f"Title {HOSTILE}"}
    return render(material(now, counts(rules), *funnels(rules), project=HOSTILE, titles=titles))


def test_no_name_becomes_markup_or_drives_anything() -> None:
    page = hostile_page()
    reader = read(page)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert "\x1b" not in page
    assert any(HOSTILE.replace("\x1b", "\N{REPLACEMENT CHARACTER}") in text for text in reader.texts)


def test_a_page_loads_nothing_and_forbids_everything() -> None:
    page = hostile_page()
    reader = read(page)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page)
    assert "url(" not in page
    assert "@import" not in page
    [policy] = [found["content"] or "" for tag, found in reader.tags if found.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "script" not in policy


@pytest.mark.parametrize("page", [hostile_page(), render(material(counts(["a"]), counts(["a"]), *funnels(["a"])))])
def test_every_picture_has_a_title_a_description_and_a_table_behind_it(page: str) -> None:
    reader = read(page)
    pictures = [found for tag, found in reader.tags if tag == "svg" and found.get("role") == "img"]
    lists = [found for tag, found in reader.tags if tag == "ul" and found.get("class") == "rows"]
    ids = [found["id"] for _, found in reader.tags if found.get("id")]
    assert len(ids) == len(set(ids))
    assert len(pictures) > 2
    assert len(lists) > 3
    hidden = [found for tag, found in reader.tags if tag == "svg" and found.get("class") in ("strip", "spark")]
    assert all(found["aria-hidden"] == "true" for found in hidden)
    for picture in pictures:
        assert set((picture["aria-labelledby"] or "").split()) <= set(ids)
    assert sum(tag == "details" for tag, _ in reader.tags) == len(pictures) + len(lists)


@pytest.mark.parametrize(
    "now",
    [
        Counts(),
        counts(["one"], ()),
        counts([], ("email",)),
        counts(["one"], days=1),
        counts([f"rule {n}" for n in range(30)]),
    ],
)
def test_no_number_is_ever_none_or_not_one(now: Counts) -> None:
    for before in (None, Counts(), counts(["one"])):
        words = " ".join(read(render(material(now, before))).texts)
        assert not re.search(r"\b(?:nan|NaN|inf|None)\b(?! of)", words)


def test_an_empty_store_says_what_would_fill_each_part() -> None:
    page = render(material(Counts()))
    for text in (
        "Nothing happened in this period",
        "No message was decided",
        "No rule was entered",
        "No orders: events",
    ):
        assert text in page
    assert "<svg" not in page


def test_the_sentences_tell_what_changed_and_keep_currencies_apart() -> None:
    words = " ".join(read(render(material(counts(["a"], scale=2), counts(["a"])))).texts)
    assert "300 orders brought €24,225 and SEK\N{NO-BREAK SPACE}27,000, after €210.00 of refunds." in words
    assert "Against the 30 days before: journeys +73%, messages +84%, conversions +59%, orders +100%." in words


@pytest.mark.parametrize(
    ("locale", "period", "money"),
    [
        ("en", "Nov 1 – 30, 2026", "€240,225"),
        ("en-GB", "1–30 Nov 2026", "€240,225"),
        ("de", "1–30 Nov 2026", "€240,225"),
    ],
)
def test_numbers_and_days_are_english_as_the_words_are(locale: str, period: str, money: str) -> None:
    found = material(counts(["a"], scale=20), locale=english(locale))
    page = render(found)
    assert '<html lang="en">' in page
    assert money in page
    assert period in page.replace("\N{THIN SPACE}", " ")


RULES = st.sampled_from(["a", "b", HOSTILE])
SMALL = st.integers(0, 3)
WEEKS = st.sampled_from(["2026-10-26", "2026-11-02", "2026-11-23", "2026-11-30"])
ENDS = st.floats(-1, 1)


@st.composite
def any_counts(draw: st.DrawFn) -> Counts:
    """What may be in a store: mostly nothing, and what there is in any mixture."""
    found = Counts()
    days = st.integers(0, 29).map(lambda ahead: FIRST + timedelta(days=ahead))
    money = st.decimals(-(10**9), 10**9, places=3)
    fates = st.sampled_from(get_args(Fate))
    currencies = st.sampled_from(["EUR", "JPY", "KWD"])
    found.messages.update(draw(st.dictionaries(st.tuples(days, RULES, fates), SMALL, max_size=3)))
    found.reasons.update(draw(st.dictionaries(st.tuples(RULES, fates, RULES), SMALL, max_size=2)))
    found.entries.update(draw(st.dictionaries(st.tuples(days, RULES), SMALL, max_size=3)))
    found.conversions.update(draw(st.dictionaries(st.tuples(days, RULES), SMALL, max_size=3)))
    found.costs.update(draw(st.dictionaries(st.tuples(days, RULES, currencies), SMALL, max_size=2)))
    found.orders.update(draw(st.dictionaries(days, SMALL, max_size=2)))
    found.revenue.update(draw(st.dictionaries(st.tuples(days, currencies), money, max_size=2)))
    found.refunds.update(draw(st.dictionaries(st.tuples(days, currencies), money, max_size=2)))
    found.worth.update(draw(st.dictionaries(st.tuples(RULES, currencies), money, max_size=2)))
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(RULES, WEEKS, SMALL, st.integers(1, 3), st.sampled_from([0, 0, 0, 2])), max_size=2),
    any_counts(),
    st.none() | any_counts(),
    st.lists(st.tuples(RULES, st.none() | st.tuples(ENDS, ENDS, ENDS), SMALL), max_size=2),
    st.lists(st.tuples(st.sampled_from(["first", "last"]), RULES, st.floats(0, 1e6)), max_size=3),
)
def test_whatever_a_store_holds_there_is_a_page(
    weeks: list[tuple[str, str, int, int, int]],
    now: Counts,
    before: Counts | None,
    measured: list[tuple[str, tuple[float, float, float] | None, int]],
    attributed: list[tuple[str, str, float]],
) -> None:
    rules = [rule for rule, _, _ in measured]
    proven = evidence_table(
        [
            evidence(rule, None if ends is None else difference(*sorted(ends)), {"last": 1.0}, held_out=20 * held)
            for rule, ends, held in measured
        ]
    )
    tables = (
        cohorts(*weeks),
        *experiments(rules=rules),
        proven,
        Table("attribution", "Attribution", ATTRIBUTION, tuple(attributed)),
        *funnels(rules),
    )
    page = render(material(now, before, *tables))
    words = " ".join(read(page).texts)
    assert not re.search(r"\b(?:nan|NaN|inf|None)\b(?! of)", words)
    assert "script" not in {tag for tag, _ in read(page).tags}
