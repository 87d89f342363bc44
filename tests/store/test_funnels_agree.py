"""Random rules, customers, policies, answers, edits, retries, merges, retention and erasure through the real loops in
virtual time: every figure of the funnel is what counting by hand gives, for every version, group, step and period.

``SEGUE_EXAMPLES=2000`` looks deeper than every build does.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Event, Instant, Money, Period, Report
from segue.api.values import DAY, HOUR, MINUTE
from segue.engine.journey import Journey
from segue.language import model as m
from segue.measure.funnels import cohorts, losses, results, tables, ways
from segue.measure.funnels.counting import Funnel
from segue.measure.period import Period as Stretch
from segue.measure.table import Table
from segue.program.calendar import local
from segue.runtime import erasing
from segue.runtime.publishing import Setting
from segue.runtime.running import DecisionLine
from segue.scenario.replay import RecordedReport
from segue.store import erasures
from segue.store.database import Store, read_only
from segue.store.funnels import find_rules, read_courses
from segue.store.retention import sweep_journeys, sweep_messages
from tests.engine.answered import AnsweredReplay, arrivals_of, book_of, setting_of, watched_for
from tests.engine.programs import Life, lives, pick
from tests.engine.stage import put
from tests.store import funnels_by_hand as by_hand

EXAMPLES: Final = int(os.environ.get("SEGUE_EXAMPLES", "25"))
ALWAYS: Final = Stretch(Instant(0), Instant(2**60))

pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)


@pytest.fixture(autouse=True, scope="module")
def short_watch() -> Iterator[None]:
    with watched_for(timedelta(days=3)):
        yield


_LINES: Final = (
    m.Quiet(m.Clock(21 * 60), m.Clock(8 * 60)),
    m.Quiet(m.Clock(12 * 60), m.Clock(14 * 60), None, m.Overflow("drop")),
    m.Limit(1, "email", Period(micros=24 * HOUR)),
    m.Limit(2, None, Period(micros=48 * HOUR)),
    m.Space(Period(micros=HOUR)),
    m.Budget(Money(Decimal(2), "EUR"), Period(micros=24 * HOUR)),
)


class More(msgspec.Struct, frozen=True):
    """What happens to a life besides: its contact policy, whether its two customers turn out to be one and how late,
    whether dead letters are put up again, whether the first rule is removed in the end, and what is deleted after."""

    lines: tuple[Any, ...]
    merged: float | None
    retried: bool
    removed: bool
    deleted: str
    seed: int


@st.composite
def more(draw: st.DrawFn) -> More:
    return More(
        tuple(line for line in _LINES if draw(st.integers(0, 2)) == 0),
        draw(pick((2, st.none()), (1, st.sampled_from([0.3, 0.6, 0.95])))),
        draw(st.booleans()),
        draw(st.integers(0, 3)) == 0,
        draw(st.sampled_from(["nothing", "nothing", "messages", "journeys", "a customer"])),
        draw(st.integers(0, 99)),
    )


def merging(life: Life, share: float | None) -> Life:
    """Bob is a device, which signs in as Ann when such a share of the time is over."""
    if share is None:
        return life
    first, last = life.arrivals[0][0], life.arrivals[-1][0]
    moment = Instant(first + int((last - first) * share) // MINUTE * MINUTE + 1)
    device = [
        (
            received,
            msgspec.structs.replace(event, user_id=None, anonymous_id="bob") if event.user_id == "bob" else event,
        )
        for received, event in life.arrivals
    ]
    joining = Event(message_id="joins", timestamp=moment, source="shop", user_id="ann", anonymous_id="bob")
    return msgspec.structs.replace(life, arrivals=tuple(sorted([*device, (moment, joining)], key=lambda one: one[0])))


class Lived:
    """A life in a store of its own, decided by the real loops."""

    def __init__(self, path: Path, life: Life, besides: More) -> None:
        self.path, self.life, self.more = path, life, besides
        self.lines: list[DecisionLine] = []
        self.begun_before: set[str] = set()
        """The journeys that had begun when the rules were edited."""
        self.store = Store(path, durable=False)
        how = msgspec.structs.replace(setting_of(life), costs={"sms": Money(Decimal(1), "EUR")})
        first = Instant(life.arrivals[0][0] - 1)
        running = put(self.store, self._book(life.rules), how, first)
        self.replay = AnsweredReplay(self.store, running, life)
        left = arrivals_of(life)
        if life.edit is not None:
            moment, rules = life.edit
            self._run([one for one in left if one.received < moment], moment)
            left = [one for one in left if one.received >= moment]
            self.begun_before = {line.key for line in self.lines if line.decision == "entered"}
            self.lines += self.replay.edit(put(self.store, self._book(rules), how, moment), moment)
        if besides.removed:
            moment = Instant(life.arrivals[-1][0] + 5 * HOUR)
            self._run(left, moment)
            left = []
            rules = life.edit[1] if life.edit is not None else life.rules
            self.lines += self.replay.edit(put(self.store, self._book(rules[1:]), how, moment), moment)
        self._run(left, None)
        if besides.retried:
            rows = self.store.apply(lambda tx: tx.rows("select key from message where state in (5, 7) order by id"))
            for place, (key,) in enumerate(rows):
                self.replay.put_up.append((Instant(self.replay.moment + place * MINUTE), key.hex(), "ann"))
            self._run([], None)

    def _book(self, rules: tuple[m.Rule, ...]) -> m.Book:
        found = book_of(msgspec.structs.replace(self.life, rules=rules))
        policy = m.Policy("promotional", self.more.lines)
        return msgspec.structs.replace(found, policies=(policy,) if self.more.lines else ())

    def _run(self, arrivals: list[Any], until: Instant | None) -> None:
        for line in self.replay.run(arrivals, until=until):
            self.lines.append(line)
            if line.decision == "sent":
                draw = random.Random(f"{self.more.seed} {line.key}")
                for what in by_hand.DEEDS:
                    if draw.random() < 0.4:
                        at = Instant(line.at + draw.randrange(30 * HOUR))
                        heard = Report(id=f"{what}-{line.key}", what=what, at=at, key=line.key)
                        self.replay.hear(RecordedReport(line.channel, heard, at))

    def delete(self) -> None:
        """What retention and erasure leave."""
        now = Instant(self.replay.moment + DAY)
        cut = Instant((self.life.arrivals[0][0] + self.replay.moment) // 2)
        match self.more.deleted:
            case "messages":
                self.store.apply(lambda tx: sweep_messages(tx, 0, cut, now, 10_000))
            case "journeys":
                self.store.apply(lambda tx: sweep_journeys(tx, 0, cut, now, 10_000))
            case "a customer":
                self._erase(now)
            case _:
                pass

    def _erase(self, now: Instant) -> None:
        (customer,) = self.store.apply(lambda tx: tx.rows("select min(id) from customer"))[0]
        number = self.store.apply(partial(erasures.ask, customer=customer, who="ann", now=now))
        self.store.apply(partial(erasing.begin, running=self.replay.running, number=number, now=now))
        while self.store.apply(partial(erasing.go_on, number=number, now=now)):
            pass

    def setting(self) -> Setting:
        return setting_of(self.life)

    def funnel(self, rule: str, period: Stretch, now: Instant) -> Funnel:
        look = partial(read_only, self.path)
        with look() as tx:
            found = find_rules(tx, [rule])[rule]
        funnel = Funnel(rule, found.versions, self.setting().zone, by_customer=True)
        for course in read_courses(look, found.versions, found.newest, period, lambda _done, _of: None):
            funnel.take(course, now)
        assert not tables.faults(funnel, found.books if period == ALWAYS else None)
        return funnel


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(lives(), more())
def test_every_figure_is_what_counting_by_hand_gives(life: Life, besides: More) -> None:
    with TemporaryDirectory() as folder:
        lived = Lived(Path(folder) / "segue.db", merging(life, besides.merged), besides)
        try:
            for rule in life.rules:
                hold_to_decisions(lived, rule.name)
            lived.delete()
            entries = [at for (at,) in lived.store.apply(lambda tx: tx.rows("select entered from journey order by 1"))]
            middle = Instant(entries[len(entries) // 2]) if entries else Instant(0)
            for rule in life.rules:
                for period in (ALWAYS, Stretch(Instant(0), middle), Stretch(middle, ALWAYS.until)):
                    hold_to_the_store(lived, rule.name, period)
        finally:
            lived.store.close()


def hold_to_decisions(lived: Lived, rule: str) -> None:
    """Journeys and messages are those decided, and nothing is counted twice or left out."""
    funnel = lived.funnel(rule, ALWAYS, lived.replay.moment)
    decided = Counter((line.decision, line.reason) for line in lived.lines if line.rule == rule)
    how = Counter[str]()
    for (decision, _), number in decided.items():
        how[decision] += number
    lines = tables.lines_of(funnel)
    assert sum(line.entered for line in lines) == how["entered"]
    for state in (tables.FINISHED, tables.EXITED, tables.FAILED):
        assert sum(line.states[state] for line in lines) == how[tables.STATES[state]]
    assert sum(number for reach, number in funnel.reaches.items() if reach.converted) == how["converted"]
    went = {line.key for line in lived.lines if (line.rule, line.decision) == (rule, "sent")}
    assert sum(number for letter, number in funnel.letters.items() if letter.fate == "sent") == len(went)


def hold_to_the_store(lived: Lived, rule: str, period: Stretch) -> None:
    """Every table says what counting by hand gives."""
    now = Instant((lived.life.arrivals[-1][0] + lived.replay.moment) // 2)
    funnel = lived.funnel(rule, period, now)
    told = by_hand.entered_in(lived.store.apply(partial(by_hand.tell, rule=rule)), period)
    hold_journeys(lived, funnel, told)
    hold_steps(funnel, told)
    if lived.life.edit is None:  # an edit takes messages along whose steps are gone
        hold_messages_to_their_steps(funnel, told)
    hold_reasons(funnel, told)
    hold_arms(funnel, told)
    hold_answers(funnel, told)
    hold_times(funnel, told, now)
    hold_touches(funnel, told)
    hold_cohorts(lived, funnel, told)


def records(table: Table) -> list[dict[str, Any]]:
    return [dict(one) for one in table.records()]


STATES: Final = ("entered", "inside", "finished", "exited", "failed")
JOURNEYS: Final = (*STATES, "sent_to", *by_hand.DEEDS, "converted")
STEPS: Final = ("reached", "times", "here", "went_on", "finished", "exited", "failed")


def hold_journeys(lived: Lived, funnel: Funnel, told: list[by_hand.Told]) -> None:
    found = records(tables.journeys_table([(funnel, None)]))
    assert by_hand.figures(found, ("version", "group"), JOURNEYS) == by_hand.numbers(by_hand.journeys(told))
    moved = Counter((str(one.version), one.group) for one in told if one.journey.key in lived.begun_before)
    for one in found:
        assert one["entered"] == sum(one[state] for state in STATES[1:])
        if one["version"] != "1" and one["published"] is not None:
            assert one["moved_here"] == moved[one["version"], one["group"]]


def hold_steps(funnel: Funnel, told: list[by_hand.Told]) -> None:
    """Whoever reached a step is here, went on, or ended here."""
    found = records(tables.steps_table(funnel))
    counted = by_hand.figures(found, ("version", "group", "step"), STEPS)
    assert {key: line for key, line in counted.items() if line} == by_hand.numbers(by_hand.steps(told))
    for one in found:
        assert one["reached"] == sum(one[name] for name in STEPS[2:])
        if one["messages"] is not None:
            assert one["messages"] == sum(one[name] for name in ("waiting", "sent", "skipped", "refused", "unknown"))


def hold_messages_to_their_steps(funnel: Funnel, told: list[by_hand.Told]) -> None:
    counted = Counter[tuple[str, str, int | None]]()
    for letter, number in funnel.letters.items():
        group = tables.GROUPS[letter.held_out]
        counted[str(funnel.versions[letter.version].number), group, letter.step] += number
    assert counted == Counter((str(one.version), one.group, one.step_of(row)) for one in told for row, _ in one.letters)


def hold_reasons(funnel: Funnel, told: list[by_hand.Told]) -> None:
    """Why journeys ended, which ways they took, and why messages did not arrive."""
    ended, taken, dropped = Counter[Any](), Counter[Any](), Counter[Any]()
    for one in records(losses.exits_table(funnel)):
        ended[one["how"], one["reason"] or ""] += one["journeys"]
    assert ended == by_hand.ends(told)
    for one in records(ways.outcomes_table(funnel)):
        taken[one["version"], one["group"], one["outcome"]] += one["times"]
    assert taken == by_hand.ways(told)
    for one in records(losses.dropped_table(funnel)):
        dropped[one["outcome"], one["channel"], one["message"], one["reason"]] += one["messages"]
    assert dropped == by_hand.kept_back(told)
    by_step = Counter[Any]()
    for one in records(losses.dropped_by_step_table(funnel)):
        by_step[one["outcome"], one["channel"], one["message"], one["reason"]] += one["messages"]
    assert by_step == dropped


def hold_arms(funnel: Funnel, told: list[by_hand.Told]) -> None:
    """In each arm of a split the law holds."""
    found = records(ways.arms_table(funnel))
    names = (*STATES, "converted")
    counted = by_hand.figures(found, ("version", "group", "step", "arm"), names)
    assert counted == by_hand.numbers(by_hand.arms(told))
    assert all(one["entered"] == sum(one[state] for state in STATES[1:]) for one in found)


def hold_answers(funnel: Funnel, told: list[by_hand.Told]) -> None:
    """Which channels and which content were answered, and after which journeys converted."""
    channels = by_hand.figures(
        records(results.channels_table(funnel)), ("channel",), ("sent", *by_hand.DEEDS, "answered")
    )
    assert channels == by_hand.numbers(by_hand.channels(told))
    content = by_hand.figures(
        records(results.content_table(funnel, {})), ("message", "channel"), ("sent", *by_hand.DEEDS, "converted")
    )
    assert content == by_hand.numbers(by_hand.content(told))


def hold_times(funnel: Funnel, told: list[by_hand.Told], now: Instant) -> None:
    """How long it took, and whether the goal's window fits."""
    taken = by_hand.times(told)
    found = [one for one in records(results.times_table(funnel)) if one["version"] == tables.ALL]
    assert {one["what"]: one["journeys"] for one in found} == {what: len(values) for what, values in taken.items()}
    for one in found:
        for at, name in ((0.1, "p10"), (0.25, "p25"), (0.5, "p50"), (0.75, "p75"), (0.9, "p90")):
            assert one[name] == by_hand.quantile(taken[one["what"]], at) / 1_000_000
    found = records(results.window_table(funnel))
    assert {one["day"]: one["conversions"] for one in found} == by_hand.windows(told, now)


def hold_touches(funnel: Funnel, told: list[by_hand.Told]) -> None:
    journeys, converted, customers = by_hand.touches(told)
    found = records(results.touches_table(funnel))
    assert {int(one["messages"]): one["journeys"] for one in found if one["journeys"]} == journeys
    assert {int(one["messages"]): one["converted"] or 0 for one in found if one["converted"]} == converted
    assert {int(one["messages"]): one["customers"] for one in found if one["customers"]} == customers


def hold_cohorts(lived: Lived, funnel: Funnel, told: list[by_hand.Told]) -> None:
    """By the calendar: entries by day, and conversion by the week of entry."""
    zone = lived.setting().zone
    days = Counter(local(one.journey.entered, zone).date().isoformat() for one in told)
    found = records(cohorts.entries_table(funnel, None))
    assert {one["day"]: one["entered"] for one in found if one["entered"]} == days
    today = local(Instant(lived.replay.moment + 90 * DAY), zone).date()

    def week_of(journey: Journey) -> str:
        day = local(journey.entered, zone).date()
        return (day - timedelta(days=day.weekday())).isoformat()

    sent_to = [one.journey for one in told if not one.journey.holdout]
    for one in cohorts.cohorts_table(funnel, today).records():
        week = [journey for journey in sent_to if week_of(journey) == one["week_of_entry"]]
        age = int(str(one["weeks"])) * 7 * DAY
        assert one["entered"] == len(week)
        assert one["converted"] == sum(
            journey.converted is not None and journey.converted - journey.entered < age for journey in week
        )
