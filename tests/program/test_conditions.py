"""Conditions: the laws of missing values, of money, dates and lists, and which past counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Money, Period
from segue.api.values import HOUR
from segue.language import model as m
from segue.program.conditions import compile_expression
from segue.program.facts import Past, Reaction, Scene, Standing
from segue.program.reads import Reads, collect_reads
from segue.program.steps import compile_segments
from tests.engine.stage import at
from tests.program.scenes import NOW, past, scene

ENTRY, EVER = m.Window("entry"), m.Window("ever")
MISSING = m.Trait("nothing", "text")
OPERATORS = ["=", "!=", "<", "<=", ">", ">="]
TOTAL = m.EventField("total", "number")


def last(**period: int) -> m.Window:
    return m.Window("last", Period(**period))


def lit(value: Any) -> m.Literal_:
    return m.Literal_(value)


def eur(amount: str | int) -> Money:
    return Money(Decimal(amount), "EUR")


def compare(left: m.Expression, op: Any, right: m.Expression) -> m.Compare:
    return m.Compare(op, left, right)


def judge(expression: m.Expression, where: Scene | None = None, **how: Any) -> Any:
    return compile_expression(expression)(where or scene(**how))


# Missing values


@pytest.mark.parametrize("kind", ["text", "number", "money", "boolean", "date", "time"])
@pytest.mark.parametrize("op", OPERATORS)
def test_a_missing_value_is_only_unequal(op: str, kind: Any) -> None:
    missing = m.Trait("nothing", kind)
    for other in (lit("x"), lit(1), lit(eur(1)), lit(True), m.Now(), lit(m.Clock(60)), missing):
        assert judge(compare(missing, op, other)) is (op == "!=")
        assert judge(compare(other, op, missing)) is (op == "!=")


def test_a_missing_value_is_between_nothing_among_nothing_and_in_no_list() -> None:
    number = m.Trait("nothing", "number")
    assert judge(m.Between(number, lit(0), lit(9))) is False
    assert judge(m.Between(lit(5), number, lit(9))) is False
    assert judge(m.Between(lit(5), lit(0), number)) is False
    assert judge(m.OneOf(MISSING, (lit("a"), MISSING))) is False
    assert judge(m.Contains(MISSING, m.Trait("items", "list")), traits={"items": [None, "a"]}) is False
    assert judge(m.Contains(lit("a"), m.Trait("nothing", "list"))) is False


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_arithmetic_with_a_missing_value_is_missing(op: Any) -> None:
    number = m.Trait("nothing", "number")
    for left, right in ((number, lit(1)), (lit(1), number), (number, lit(eur(1))), (m.Now(), number)):
        assert judge(m.Arithmetic(op, left, right)) is None


@pytest.mark.parametrize(
    ("traits", "present"),
    [({}, False), ({"x": None}, False), ({"x": False}, False), ({"x": True}, True)],
)
def test_a_bare_boolean_is_true_only_when_it_is_true(traits: dict[str, Any], present: bool) -> None:
    assert judge(m.Present(m.Trait("x", "boolean")), traits=traits) is present
    assert judge(m.Not(m.Present(m.Trait("x", "boolean"))), traits=traits) is not present


def test_a_bare_value_is_true_when_it_is_present_whatever_it_is() -> None:
    for kind, value in (("number", 0), ("text", ""), ("list", []), ("money", 0), ("date", 0)):
        assert judge(m.Present(m.Trait("x", kind)), traits={"x": value}) is True  # type: ignore[arg-type]
    assert judge(m.Present(m.Trait("x", "date")), traits={"x": "soon"}) is False


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("text", True),
        ("text", ["a"]),
        ("number", "many"),
        ("number", True),
        ("number", "1e2000000"),
        ("number", 10**40),
        ("number", "NaN"),
        ("number", "Infinity"),
        ("money", {"currency": "EUR"}),
        ("money", "free"),
        ("boolean", "true"),
        ("boolean", 1),
        ("date", "soon"),
        ("time", "25:00"),
        ("time", 900),
        ("list", "a,b"),
        ("list", {"a": 1}),
    ],
)
def test_a_value_of_another_type_than_declared_is_missing(kind: Any, raw: Any) -> None:
    assert judge(m.Trait("x", kind), traits={"x": raw}) is None
    assert judge(m.TriggerField("x", kind), trigger={"x": raw}) is None


def test_what_sources_write_otherwise_is_read_as_what_it_means() -> None:
    assert judge(m.Trait("x", "text"), traits={"x": 507}) == "507"
    assert judge(m.Trait("x", "number"), traits={"x": " 12.50 "}) == Decimal("12.5")
    assert judge(m.Trait("x", "time"), traits={"x": "09:30"}) == m.Clock(570)


# Comparing


@pytest.mark.parametrize(
    ("op", "outcome"), [("=", False), ("!=", True), ("<", False), ("<=", False), (">", False), (">=", False)]
)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        (lit(eur(40)), lit(Money(Decimal(40), "USD"))),
        (lit("abc"), lit(5)),
        (lit(m.Clock(60)), lit(60)),
        (lit(eur(40)), lit(40)),
        (lit(Period(days=1)), lit(86_400_000_000)),
    ],
)
def test_values_that_do_not_go_together_are_only_unequal(
    left: m.Expression, right: m.Expression, op: str, outcome: bool
) -> None:
    assert judge(compare(left, op, right)) is outcome
    assert judge(compare(right, op, left)) is outcome


def test_true_is_not_one() -> None:
    assert judge(compare(lit(True), "=", lit(1))) is False
    assert judge(compare(lit(False), "!=", lit(0))) is True
    assert judge(m.Contains(lit(True), m.Trait("x", "list")), traits={"x": [1]}) is False


def test_money_takes_its_currency_from_beside_it_else_from_the_project() -> None:
    over_forty = compare(m.TriggerField("total", "money"), ">", lit(eur(40)))
    assert judge(over_forty, trigger={"total": 50}) is True
    assert judge(over_forty, trigger={"total": "50.00", "currency": "eur"}) is True
    assert judge(over_forty, trigger={"total": 50, "currency": "USD"}) is False
    assert judge(over_forty, trigger={"total": {"amount": 50, "currency": "EUR"}, "currency": "USD"}) is True
    assert judge(over_forty, trigger={"total": {"amount": 50}}) is True


def test_amounts_are_compared_by_what_they_are_worth_not_by_how_they_are_written() -> None:
    assert judge(compare(lit(eur("40.00")), "=", lit(eur(40)))) is True
    assert judge(compare(m.Trait("x", "number"), "=", lit(Decimal("0.3"))), traits={"x": 0.3}) is True


def test_a_number_in_a_text_field_compares_as_its_digits() -> None:
    assert judge(compare(m.Trait("x", "text"), "=", lit("507")), traits={"x": 507}) is True


def test_between_includes_both_ends() -> None:
    for value, inside in ((0, False), (1, True), (2, True), (3, True), (4, False)):
        assert judge(m.Between(lit(value), lit(1), lit(3))) is inside


def test_clock_times_and_lengths_of_time_have_an_order() -> None:
    assert judge(compare(m.Trait("wakes", "time"), "<", lit(m.Clock(9 * 60))), traits={"wakes": "08:59"}) is True
    since = m.Arithmetic("-", m.Now(), m.Trait("joined", "date"))
    assert judge(compare(since, ">", lit(Period(days=30))), traits={"joined": "2026-02-01T00:00Z"}) is True
    assert judge(compare(since, ">", lit(Period(days=60))), traits={"joined": "2026-02-01T00:00Z"}) is False
    assert judge(compare(lit(Period(days=1)), "=", lit(Period(micros=24 * HOUR)))) is True


@pytest.mark.parametrize(
    ("op", "on_the_day", "before", "after"),
    [
        ("=", True, False, False),
        ("!=", False, True, True),
        ("<", False, True, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", True, False, True),
    ],
)
def test_beside_a_day_an_instant_is_the_customers_whole_day(
    op: str, on_the_day: bool, before: bool, after: bool
) -> None:
    on = compare(m.Trait("renewal", "date"), op, lit(m.Day("2026-11-27")))
    for moment, expected in (
        ("2026-11-26T22:59:59Z", before),
        ("2026-11-26T23:00:00Z", on_the_day),
        ("2026-11-27T22:59:59Z", on_the_day),
        ("2026-11-27", on_the_day),
        ("2026-11-27T23:00:00Z", after),
    ):
        assert judge(on, traits={"renewal": moment}, zone="Europe/Paris") is expected


def test_between_two_days_lasts_to_the_end_of_the_second() -> None:
    between = m.Between(m.Now(), lit(m.Day("2026-03-28")), lit(m.Day("2026-03-29")))
    assert judge(between, now=at("2026-03-29T23:59Z")) is True
    assert judge(between, now=at("2026-03-30T00:00Z")) is False
    assert judge(between, now=at("2026-03-27T23:59Z")) is False


def test_the_weekday_and_the_time_are_the_customers() -> None:
    late_on_sunday = at("2026-03-29T20:00Z")
    assert judge(compare(m.Weekday(), "=", lit(6)), now=late_on_sunday) is True
    assert judge(compare(m.Weekday(), "=", lit(0)), now=late_on_sunday, zone="Asia/Tokyo") is True
    assert judge(m.OneOf(m.Weekday(), (lit(5), lit(6))), now=late_on_sunday) is True
    morning = m.TimeBetween(m.Clock(5 * 60), m.Clock(6 * 60))
    assert judge(morning, now=late_on_sunday, zone="Asia/Tokyo") is True
    assert judge(morning, now=late_on_sunday) is False
    assert judge(m.TimeBetween(m.Clock(5 * 60), m.Clock(6 * 60), "Asia/Tokyo"), now=late_on_sunday) is True


# Calculating


@pytest.mark.parametrize(
    ("left", "op", "right", "outcome"),
    [
        (eur(40), "+", eur(2), eur(42)),
        (eur(40), "-", eur(2), eur(38)),
        (eur(40), "*", 2, eur(80)),
        (2, "*", eur(40), eur(80)),
        (eur(40), "/", 4, eur(10)),
        (eur(40), "/", eur(10), Decimal(4)),
        (eur(40), "+", Money(Decimal(2), "USD"), None),
        (eur(40), "-", Money(Decimal(2), "USD"), None),
        (eur(40), "/", Money(Decimal(2), "USD"), None),
        (eur(40), "/", 0, None),
        (1, "/", 0, None),
        (Decimal("0.1"), "+", Decimal("0.2"), Decimal("0.3")),
        (3, "*", Period(days=1), Period(days=3)),
        (Period(days=1), "*", Decimal("0.5"), Period(micros=12 * HOUR)),
        ("a", "+", "b", None),
        (True, "+", 1, None),
    ],
)
def test_calculations(left: Any, op: Any, right: Any, outcome: Any) -> None:
    assert judge(m.Arithmetic(op, lit(left), lit(right))) == outcome


def test_a_date_moves_by_the_customers_calendar() -> None:
    tomorrow = m.Arithmetic("+", m.Now(), lit(Period(days=1)))
    noon_before = at("2026-03-28T12:00+01:00")
    assert judge(tomorrow, now=noon_before, zone="Europe/Paris") == at("2026-03-29T12:00+02:00")
    assert judge(m.Arithmetic("-", m.Now(), lit(Period(micros=24 * HOUR))), now=noon_before) == noon_before - 24 * HOUR
    assert judge(m.Arithmetic("+", lit(m.Day("2026-03-28")), lit(Period(days=1)))) == at("2026-03-29T00:00Z")


def test_a_date_minus_a_date_is_elapsed_time() -> None:
    length = m.Arithmetic("-", lit(m.Day("2026-03-30")), lit(m.Day("2026-03-29")))
    assert judge(length, zone="Europe/Paris") == 23 * HOUR


def test_a_date_beyond_the_calendar_is_missing() -> None:
    far = m.Arithmetic("*", m.Trait("n", "number"), lit(Period(days=1)))
    for number in (10**7, 10**15, 10**29, -(10**7)):
        assert judge(m.Arithmetic("+", m.Now(), far), traits={"n": number}) is None


# Lists


@pytest.mark.parametrize(
    ("items", "wanted", "found"),
    [
        (["X1", "X2"], "X1", True),
        (["X1", "X2"], "x1", False),
        ([{"product_id": "X1", "sku": "A"}], "X1", True),
        ([{"product_id": "X1", "sku": "A"}], "A", False),
        ([{"sku": "X1"}], "X1", True),
        ([{"id": "X1"}], "X1", True),
        ([{"name": "X1"}], "X1", False),
        ([507], "507", True),
        ([{"product_id": 507}], "507", True),
        ([507], 507, True),
        (["507"], 507, True),
        ([], "X1", False),
        ("X1", "X1", False),
        ([None, ["X1"]], "X1", False),
    ],
)
def test_a_list_holds_a_value_or_an_object_with_that_id(items: Any, wanted: Any, found: bool) -> None:
    assert judge(m.Contains(lit(wanted), m.TriggerField("items", "list")), trigger={"items": items}) is found


# Looking back


ORDERS_OF_MARCH = {
    "ordered": [
        past("2026-03-01T00:00Z", 1, total=10),
        past("2026-03-20T00:00Z", 2, total=60),
        past("2026-03-28T12:00Z", 3, total=20),
    ]
}


def test_history_since_entry_ever_and_of_late() -> None:
    started = scene(history=ORDERS_OF_MARCH, start=(at("2026-03-10T00:00Z"), 1))
    for window, times in ((ENTRY, 2), (EVER, 3), (last(days=10), 2), (last(micros=HOUR), 0), (last(months=1), 3)):
        assert judge(m.Aggregate("count", "ordered", None, "number", window), started) == times
        assert judge(m.Happened("ordered", window), started) is (times > 0)
        for least in (1, 2, 3, 4):
            assert judge(m.Happened("ordered", window, times=least), started) is (times >= least)


def test_a_day_of_history_is_24_hours_also_when_the_clock_changed() -> None:
    # Paris, noon after the change: 24 hours ago it was 11 o'clock there
    now = at("2026-03-29T12:00+02:00")
    for happened, counts in (("2026-03-28T11:00:00.000001+01:00", True), ("2026-03-28T11:00+01:00", False)):
        history = {"ordered": [past(happened, 1)]}
        assert judge(m.Happened("ordered", last(days=1)), now=now, zone="Europe/Paris", history=history) is counts


def test_events_after_now_have_not_happened_yet() -> None:
    history = {"ordered": [past(Instant(NOW + 1), 1)]}
    for window in (ENTRY, EVER, last(days=9)):
        assert judge(m.Happened("ordered", window), history=history) is False
        assert judge(m.Happened("ordered", window), history=history, now=Instant(NOW + 1)) is True


def test_the_event_that_began_the_journey_is_not_part_of_its_history() -> None:
    history = {"ordered": [past(NOW, 7, total=5)]}
    for window in (EVER, last(days=1)):
        assert judge(m.Happened("ordered", window), history=history, without=7) is False
        assert judge(m.Happened("ordered", window), history=history, without=8) is True
    assert judge(m.Happened("ordered", ENTRY), history=history, start=(NOW, 7), without=7) is False


def test_of_events_at_the_moment_of_entry_only_those_that_arrived_later_count() -> None:
    for order, counts in ((6, False), (7, False), (8, True)):
        history = {"ordered": [past(NOW, order)]}
        assert judge(m.Happened("ordered", ENTRY), history=history, start=(NOW, 7)) is counts


def test_per_leaves_the_events_of_other_values_out_and_takes_those_without_one() -> None:
    history = {"paid": [past(NOW, 1, order_id="A"), past(NOW, 2, order_id="B"), past(NOW, 3), past(NOW, 4, order_id=7)]}
    start = (Instant(NOW - 1), 0)
    count = m.Aggregate("count", "paid", None, "number", ENTRY)
    for value, number in (("A", 2), ("B", 2), ("C", 1), ("7", 2)):
        assert judge(count, history=history, start=start, per="order_id", value=value) == number
    # the window is what `per` narrows: all of history is still the customer's
    assert (
        judge(
            m.Aggregate("count", "paid", None, "number", EVER), history=history, start=start, per="order_id", value="A"
        )
        == 4
    )


def test_inside_the_brackets_bare_names_are_that_events_fields() -> None:
    over_fifty = compare(TOTAL, ">", lit(50))
    assert judge(m.Happened("ordered", EVER, over_fifty), history=ORDERS_OF_MARCH) is True
    assert judge(m.Happened("ordered", EVER, over_fifty, times=2), history=ORDERS_OF_MARCH) is False
    assert judge(m.Happened("ordered", last(days=5), over_fifty), history=ORDERS_OF_MARCH) is False
    # the trigger's field of that name is not meant
    assert judge(m.Happened("ordered", EVER, over_fifty), history=ORDERS_OF_MARCH, trigger={"total": 1}) is True
    more = compare(TOTAL, ">", m.TriggerField("total", "number"))
    assert (
        judge(
            m.Aggregate("count", "ordered", None, "number", EVER, more), history=ORDERS_OF_MARCH, trigger={"total": 15}
        )
        == 2
    )


def test_what_is_looked_at_in_the_brackets_is_forgotten_after_them() -> None:
    seen = scene(history=ORDERS_OF_MARCH)
    assert judge(m.Happened("ordered", EVER, compare(TOTAL, ">", lit(5))), seen) is True
    assert seen.subject is None
    assert judge(TOTAL, seen) is None


def figure(function: Any, window: m.Window = EVER, kind: Any = "number", **how: Any) -> Any:
    return judge(m.Aggregate(function, "ordered", "total", kind, window, how.pop("where", None)), **how)


def test_figures_over_past_events() -> None:
    shown = {name: figure(name, history=ORDERS_OF_MARCH) for name in ("sum", "average", "min", "max", "first", "last")}
    assert shown == {"sum": 90, "average": 30, "min": 10, "max": 60, "first": 10, "last": 20}
    over = compare(TOTAL, ">", lit(15))
    assert figure("sum", where=over, history=ORDERS_OF_MARCH) == 80
    assert figure("sum", last(days=10), history=ORDERS_OF_MARCH) == 80


def test_first_and_last_go_by_when_it_happened_then_by_arrival_not_by_the_order_of_rows() -> None:
    rows = ORDERS_OF_MARCH["ordered"]
    for shuffled in (rows, rows[::-1], [rows[1], rows[2], rows[0]]):
        assert (figure("first", history={"ordered": shuffled}), figure("last", history={"ordered": shuffled})) == (
            10,
            20,
        )
    twins = [past(NOW, 2, total=2), past(NOW, 1, total=1)]
    assert (figure("first", history={"ordered": twins}), figure("last", history={"ordered": twins})) == (1, 2)


@pytest.mark.parametrize("window", [ENTRY, EVER, last(days=30)])
def test_a_count_of_a_field_counts_events_whether_they_have_it_or_not(window: m.Window) -> None:
    counted = m.Aggregate("count", "ordered", "total", "money", window)
    start = (at("2026-03-01T00:00Z"), 0)
    assert judge(counted, history={}, start=start) == 0
    history = {"ordered": [past(NOW, 1, total=5), past(NOW, 2)]}
    assert judge(counted, history=history, start=start) == 2


@pytest.mark.parametrize("history", [{}, {"ordered": []}, {"ordered": [past(NOW, 1), past(NOW, 2, total="n/a")]}])
def test_figures_over_nothing_are_missing_but_a_count_and_a_sum_are_zero(history: dict[str, list[Past]]) -> None:
    for function in ("average", "min", "max", "first", "last"):
        assert figure(function, history=history) is None
    assert figure("sum", history=history) == 0
    assert figure("sum", kind="money", history=history) == eur(0)  # the project's
    assert judge(m.Aggregate("count", "ordered", None, "number", last(micros=1)), history={"ordered": []}) == 0


def test_events_without_the_field_are_left_out_of_a_figure() -> None:
    history = {"ordered": [past(NOW, 1, total=4), past(NOW, 2), past(NOW, 3, total=8)]}
    assert figure("average", history=history) == 6


@pytest.mark.parametrize("function", ["sum", "average", "min", "max"])
def test_figures_over_two_currencies_are_missing_in_whatever_order_they_come(function: str) -> None:
    rows = [
        past(NOW, 1, total=5, currency="EUR"),
        past(NOW, 2, total=1, currency="USD"),
        past(NOW, 3, total=9, currency="EUR"),
    ]
    for shuffled in (rows, rows[::-1], [rows[1], rows[0], rows[2]]):
        assert figure(function, kind="money", history={"ordered": shuffled}) is None
    only = compare(m.EventField("total", "money"), ">", lit(eur(0)))
    assert figure("max", kind="money", where=only, history={"ordered": rows}) == eur(9)


def test_a_window_longer_than_the_calendar_is_ever() -> None:
    assert judge(m.Happened("ordered", last(months=12 * 5000)), history=ORDERS_OF_MARCH) is True


# Reactions and reach


def test_reactions_are_told_apart_by_channel_and_message() -> None:
    seen = (Reaction("opened", "email", "cart_reminder", NOW), Reaction("undelivered", "sms", "hello", NOW))
    for reaction, expected in (
        (m.Reacted("opened"), True),
        (m.Reacted("opened", channel="email"), True),
        (m.Reacted("opened", channel="sms"), False),
        (m.Reacted("opened", message="cart_reminder"), True),
        (m.Reacted("opened", message="other"), False),
        (m.Reacted("clicked"), False),
        (m.Reacted("bounced", channel="sms"), True),
    ):
        assert judge(reaction, reactions=seen) is expected


def test_can_get_asks_for_the_kind_of_message_at_hand() -> None:
    def refusal(channel: str, kind: str) -> str | None:
        return "consent withdrawn" if (channel, kind) == ("sms", "promotional") else None

    assert judge(m.CanGet("sms"), refusal=refusal) is False
    assert judge(m.CanGet("sms"), refusal=refusal, kind="transactional") is True
    assert judge(m.CanGet("email"), refusal=refusal) is True


# All of them


def test_and_or_not_are_what_they_say() -> None:
    yes, no = lit(True), lit(False)
    assert judge(m.All((yes, yes))) is True
    assert judge(m.All((yes, no))) is False
    assert judge(m.Any_((no, yes))) is True
    assert judge(m.Any_((no, no))) is False
    assert judge(m.Not(no)) is True


def test_the_facts_of_an_expression_are_named() -> None:
    where = compare(TOTAL, ">", m.Trait("limit", "number"))
    reads = collect_reads(
        m.All(
            (m.Happened("ordered", ENTRY, where), m.Not(m.CanGet("sms")), m.Present(m.TriggerField("total", "money")))
        ),
        Reads(),
    )
    assert (reads.events, reads.traits, reads.reach, reads.fields) == ({"ordered"}, {"limit"}, {"sms"}, {"total"})
    assert (reads.clock, reads.reactions) == (False, False)


@pytest.mark.parametrize(
    "expression", [m.Now(), m.Weekday(), m.TimeBetween(m.Clock(0), m.Clock(1)), m.Happened("a", last(days=1))]
)
def test_what_changes_by_time_alone_is_known(expression: m.Expression) -> None:
    assert collect_reads(m.Not(expression), Reads()).clock


_RAW = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["2026-03-29", "9999-12-31", "09:00"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["amount", "currency", "id"]), inner, max_size=2)
    ),
    max_leaves=4,
)
_KINDS = st.sampled_from(["text", "number", "money", "boolean", "date", "time", "list"])


@given(_RAW, _RAW, _KINDS, _KINDS, st.sampled_from(OPERATORS), st.sampled_from(["+", "-", "*", "/"]))
def test_whatever_a_source_sends_a_comparison_is_true_or_false(
    left: Any, right: Any, one: Any, other: Any, op: str, sign: Any
) -> None:
    a, b = m.Trait("a", one), m.Trait("b", other)
    where = scene(traits={"a": left, "b": right})
    equal, unequal = judge(compare(a, "=", b), where), judge(compare(a, "!=", b), where)
    assert equal is not unequal
    assert judge(compare(a, op, b), where) in (True, False)
    assert judge(m.Contains(a, b), where) in (True, False)
    judge(m.Arithmetic(sign, a, b), where)


def test_every_kind_of_expression_is_compiled() -> None:
    assert {kind.__name__ for kind in get_args(m.Expression)} == {
        "Literal_",
        "Now",
        "Weekday",
        "TriggerField",
        "Trait",
        "EventField",
        "Happened",
        "Aggregate",
        "Reacted",
        "CanGet",
        "InSegment",
        "InRule",
        "Coupon",
        "Compare",
        "Between",
        "OneOf",
        "Contains",
        "TimeBetween",
        "Present",
        "Not",
        "All",
        "Any_",
        "Arithmetic",
    }


# Segments and rules


class Inside(Standing):
    def inside(self, rule: str) -> bool:
        return rule == "welcome"


def test_a_segment_is_judged_by_all_history_and_without_the_journey() -> None:
    segments = {
        "buyers": m.Segment("buyers", None, m.Happened("ordered", ENTRY)),
        "guests": m.Segment("guests", None, m.Not(m.InSegment("buyers"))),
    }
    judges = {name: condition.judge for name, condition in compile_segments(segments).items()}
    before = scene(history={"ordered": [past("2020-01-01T00:00Z", 1)]}, start=(NOW, 5), without=1)
    before.customer.segments = judges
    assert judge(m.InSegment("buyers"), before)
    assert not judge(m.InSegment("guests"), before)
    assert not judge(m.Happened("ordered", ENTRY), before)


def test_nobody_is_in_a_segment_that_is_not_published() -> None:
    assert judge(m.InSegment("unknown"), scene()) is False


def test_who_is_inside_a_rule_is_known_by_their_standing() -> None:
    here = scene()
    assert not judge(m.InRule("welcome"), here)
    here.customer.standing = Inside()
    assert judge(m.InRule("welcome"), here)
    assert not judge(m.InRule("other"), here)


def test_a_coupon_is_no_condition() -> None:
    with pytest.raises(ValueError, match="stands only as a value of a message"):
        compile_expression(m.Coupon("CART10"))
