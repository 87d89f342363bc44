"""What is counted of journeys, whatever they are like."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date

from hypothesis import given, settings
from hypothesis import strategies as st

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.language.book import Source, check_book
from segue.measure.funnels import losses, tables, ways
from segue.measure.funnels.cohorts import as_matrix, cohorts_table, entries_table
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import CLICKED, OPENED, Books, Contact, Course, Fate, Sort, Version
from segue.measure.funnels.reasons import MANY_REASONS
from segue.measure.funnels.results import (
    MANY_TOUCHES,
    channels_table,
    content_table,
    judge_window,
    times_table,
    touches_table,
    window_table,
)
from segue.measure.table import Table
from segue.program.program import compile_rule
from tests.language.words import WORDS

MONDAY = Instant(1_780_272_000_000_000)
"""2026-06-01, midnight in UTC."""
NOW = Instant(MONDAY + 100 * DAY)

RULE = """
rule carts
  when cart_abandoned
  expect 40 per 1d
  goal ordered within 7d
  wait 1d unless ordered
  send email "offer" with k = 1
  repeat 3 times
    send sms "again"
    wait 2d
  end
"""


def version(number: int = 1, row: int = 1, published: Instant | None = None) -> Version:
    checked = check_book([Source("a.rules", RULE)], WORDS)
    assert checked.ok, checked.diagnostics
    return Version(number, row, compile_rule(checked.book.rules[0]), published, True)


def course(
    entered: Instant = MONDAY,
    *,
    customer: int = 1,
    version: int = 1,
    state: int = 0,
    step: int = 0,
    converted: Instant | None = None,
    held_out: bool = False,
    passed: tuple[tuple[int, str], ...] = (),
    contacts: tuple[Contact, ...] = (),
    reason: str = "",
) -> Course:
    return Course(
        version,
        customer,
        entered,
        state,
        step,
        None if state == 0 else Instant(entered + DAY),
        reason,
        Instant(entered + 7 * DAY),
        converted,
        held_out,
        passed,
        list(contacts),
    )


def contact(
    channel: str = "email",
    message: str = "offer",
    *,
    fate: Fate = "sent",
    reason: str = "",
    handed: Instant | None = None,
    persons: int = 0,
    machines: int = 0,
) -> Contact:
    return Contact(Sort(channel, message, 1, fate, reason, ""), handed, persons, machines)


def counted(*courses: Course, versions: tuple[Version, ...] = ()) -> Funnel:
    funnel = Funnel("carts", {one.row: one for one in versions or (version(),)}, UTC)
    for one in courses:
        funnel.take(one, NOW)
    return funnel


def every_table(funnel: Funnel) -> list[Table]:
    return [
        tables.journeys_table([(funnel, None)], machines=True),
        tables.steps_table(funnel, machines=True),
        ways.outcomes_table(funnel),
        losses.exits_table(funnel),
        losses.dropped_table(funnel),
        times_table(funnel),
        window_table(funnel),
        touches_table(funnel),
        channels_table(funnel),
        content_table(funnel, {}, machines=True),
        entries_table(funnel, None),
        cohorts_table(funnel, date(2026, 9, 9)),
        as_matrix(cohorts_table(funnel, date(2026, 9, 9))),
    ]


def test_of_nothing_every_table_is_empty_and_says_so() -> None:
    funnel = counted()
    for table in every_table(funnel):
        assert all(cell in (None, 0, "carts", "all") or isinstance(cell, str) for row in table.rows for cell in row)
    assert not tables.faults(funnel, Books())


steps = len(version().program.steps)
instants = st.integers(MONDAY, MONDAY + 90 * DAY).map(Instant)
contacts = st.builds(
    contact,
    st.sampled_from(["email", "sms", "\x1b[31m"]),
    st.sampled_from(["offer", "again"]),
    fate=st.sampled_from(["waiting", "sent", "skipped", "failed", "unknown"]),
    reason=st.sampled_from(["", "too late", "holdout", "limit 1 email per 1d (promotional)"]),
    handed=st.one_of(st.none(), instants),
    persons=st.integers(0, 15),
    machines=st.integers(0, 6),
)
courses = st.builds(
    course,
    instants,
    customer=st.integers(1, 5),
    version=st.sampled_from([1, 2]),
    state=st.integers(0, 3),
    step=st.integers(0, steps),
    converted=st.one_of(st.none(), st.integers(MONDAY - DAY, MONDAY + 99 * DAY).map(Instant)),
    held_out=st.booleans(),
    passed=st.lists(st.tuples(st.integers(0, steps - 1), st.sampled_from(["", "yes", "turn 1"])), max_size=12).map(
        tuple
    ),
    contacts=st.lists(contacts, max_size=3).map(tuple),
    reason=st.sampled_from(["", "unless ordered", "until x"]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(courses, max_size=12))
def test_entered_is_inside_finished_exited_and_failed_and_so_at_each_step(all_of: list[Course]) -> None:
    funnel = counted(*all_of, versions=(version(), version(2, 2, MONDAY)))
    lines = tables.lines_of(funnel)
    assert sum(line.entered for line in lines) == len(all_of)
    assert all(line.balanced for line in lines)
    assert not tables.faults(funnel, None)
    for line in lines:
        ours = [one for one in all_of if (one.version, one.held_out) == (line.version, line.held_out)]
        assert line.states == tuple(sum(one.state == state for one in ours) for state in range(4))
        for number, standing in tables.standings(funnel, line.version, held_out=line.held_out).items():
            if number < steps:
                assert standing.reached == standing.here + standing.went_on + sum(standing.ended)
                at = [one for one in ours if one.step == number or number in dict(one.passed)]
                assert standing.reached == len(at)
    for table in every_table(funnel):
        for record in table.records():
            for column in table.columns:
                cell = record[column.name]
                if column.kind == "share" and isinstance(cell, float):
                    assert 0 <= cell <= 1


@settings(max_examples=20, deadline=None)
@given(st.lists(courses, max_size=8))
def test_counting_does_not_depend_on_the_order(all_of: list[Course]) -> None:
    two = (version(), version(2, 2, MONDAY))
    there, back = counted(*all_of, versions=two), counted(*reversed(all_of), versions=two)
    for one, other in zip(every_table(there), every_table(back), strict=True):
        assert one.rows == other.rows


def test_a_state_that_there_is_not_breaks_the_law_and_is_said() -> None:
    (said,) = tables.faults(counted(course(state=7), course()), None)
    assert said == "version 1 of carts, sent to: 2 entered, but 1 are inside, finished, exited or failed"


def test_books_that_do_not_balance_are_said() -> None:
    (said,) = tables.faults(counted(), Books(entered=3, inside=1, exited=1))
    assert "3 entered, but 2 are inside" in said


def test_what_machines_open_counts_apart() -> None:
    funnel = counted(course(contacts=(contact(handed=MONDAY, persons=CLICKED, machines=OPENED),)))
    (shown,) = content_table(funnel, {}, machines=True).records()
    assert (shown["opened"], shown["clicked"], shown["opened_by_machines"]) == (0, 1, 1)
    assert "opened_by_machines" not in next(content_table(funnel, {}).records())


def test_a_conversion_counts_for_messages_before_it_only() -> None:
    before, after = contact("email", handed=MONDAY), contact("sms", handed=Instant(MONDAY + 3 * HOUR))
    funnel = counted(course(converted=Instant(MONDAY + HOUR), contacts=(before, after)))
    assert {one["channel"]: one["converted"] for one in content_table(funnel, {}).records()} == {"email": 1, "sms": 0}


def test_content_names_the_values_that_the_rule_gives() -> None:
    funnel = counted(course(contacts=(contact(handed=MONDAY),)))
    (shown,) = content_table(funnel, {}).records()
    assert shown["personal"] == "k"


def test_touches_are_counted_by_journey_and_by_customer() -> None:
    one = course(contacts=(contact(handed=MONDAY),))
    many = course(customer=2, contacts=(contact(handed=MONDAY),) * 30)
    found = {
        record["messages"]: (record["journeys"], record["customers"])
        for record in touches_table(counted(one, one, many)).records()
    }
    assert found == {"1": (2, 0), "2": (0, 1), f"{MANY_TOUCHES} or more": (1, 1)}


def test_reasons_beyond_many_are_counted_together() -> None:
    funnel = counted(*(course(contacts=(contact(fate="failed", reason=f"box {number}"),)) for number in range(300)))
    reasons = Counter({record["reason"]: record["messages"] for record in losses.dropped_table(funnel).records()})
    assert reasons[MANY_REASONS] == 300 - 200


def test_cohorts_say_what_part_had_converted_week_by_week() -> None:
    soon = [course(Instant(MONDAY + day * DAY), converted=Instant(MONDAY + day * DAY + HOUR)) for day in range(3)]
    late = course(converted=Instant(MONDAY + 10 * DAY))
    next_week = course(Instant(MONDAY + 8 * DAY))
    table = cohorts_table(counted(*soon, late, next_week), date(2026, 6, 17))
    assert [tuple(row[1:]) for row in table.rows] == [
        ("2026-06-01", 4, 1, 3, 0.75, "yes"),
        ("2026-06-01", 4, 2, 4, 1.0, "no"),
        ("2026-06-08", 1, 1, 0, 0.0, "no"),
    ]
    matrix = as_matrix(table)
    assert matrix.rows == (("2026-06-01", 4, 0.75, 1.0), ("2026-06-08", 1, 0.0, None))


def test_days_without_entries_stand_in_the_calendar_beside_what_is_expected() -> None:
    found = entries_table(counted(course(), course(), course(Instant(MONDAY + 2 * DAY))), None).rows
    assert [row[1:] for row in found] == [
        ("2026-06-01", 2, 40.0),
        ("2026-06-02", 0, 40.0),
        ("2026-06-03", 1, 40.0),
    ]


def test_a_window_that_cuts_conversions_off_is_told() -> None:
    def with_goal(after: int) -> Funnel:
        return counted(*(course(converted=Instant(MONDAY + after + number)) for number in range(30)))

    assert "a longer one" in str(judge_window(with_goal(6 * DAY + HOUR)))
    assert "a shorter one" in str(judge_window(with_goal(HOUR)))
    assert "fits" in str(judge_window(with_goal(3 * DAY)))
    assert judge_window(counted(course(converted=Instant(MONDAY + DAY)))) is None


def test_open_windows_are_not_judged_yet() -> None:
    funnel = Funnel("carts", {1: version()}, UTC)
    funnel.take(course(converted=Instant(MONDAY + DAY)), Instant(MONDAY + 2 * DAY))
    table = window_table(funnel)
    assert not table.rows
    assert table.notes == ("1 journey may still meet the goal, and do not count here.",)


def test_times_are_quantiles_of_what_was_seen() -> None:
    funnel = counted(*(course(contacts=(contact(handed=Instant(MONDAY + hours * HOUR)),)) for hours in range(1, 11)))
    first = next(record for record in times_table(funnel).records() if record["what"] == "entry to first message")
    assert (first["journeys"], first["p10"], first["p50"], first["p90"]) == (10, 3600.0, 5 * 3600.0, 9 * 3600.0)


def test_without_a_goal_nothing_is_said_of_conversions() -> None:
    checked = check_book([Source("a.rules", "rule carts when cart_abandoned send email")], WORDS)
    plain = Version(1, 1, compile_rule(checked.book.rules[0]), None, True)
    funnel = counted(course(contacts=(contact(handed=MONDAY),)), versions=(plain,))
    assert next(tables.journeys_table([(funnel, None)]).records())["conversion"] is None
    assert next(touches_table(funnel).records())["conversion"] is None
    assert next(content_table(funnel, {}).records())["conversion_rate"] is None
    assert cohorts_table(funnel, date(2026, 9, 9)).rows == ()
