"""What the store tells of an experiment: who counts in which group, and what they brought."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from segue.api import Event, Instant
from segue.api.values import DAY, HOUR
from segue.measure.experiments.exposed import CONTROL, HELD_OUT, TREATED, Collected, Group, collect
from segue.measure.period import Period
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.store.database import Store, Transaction
from segue.store.draws import each_piece
from segue.store.exposures import cost_of_treated, count_combinations, count_entries, list_experiments
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text

HOLDS = "rule r when paid goal ordered within 2d worth total holdout 50% wait 1h"
VOCABULARY = "event paid\nevent ordered\n  total number\n"
EVER = Period(Instant(0), Instant(2**62))
LATER = Instant(T0 + 10 * DAY)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store(None)
    yield store
    store.close()


def put(store: Store, running: Running, *events: Event) -> None:
    for one in events:
        store.apply(lambda tx: ingest(tx, running, [one], one.timestamp))  # noqa: B023


def read(
    store: Store, experiment: str = CONTROL, now: Instant = LATER, period: Period = EVER, before: int = 0, size: int = 7
) -> Collected:
    pieces = store.apply(lambda tx: list(each_piece(tx, {"r": "ordered"}, period, now, before, size)))
    return collect(piece for _, name, piece in pieces if name == experiment)


def whole(found: Collected) -> Group:
    return sum(found.groups.values(), Group())


def paid(customer: str, at: int = 0) -> Event:
    return event("paid", customer, at=Instant(T0 + at), traits={})


def ordered(customer: str, at: int, total: float = 10.0) -> Event:
    return event("ordered", customer, at=Instant(T0 + at), traits={}, total=total)


def test_everybody_is_counted_once_in_pieces_of_any_size(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, *(paid(f"c{number}", number) for number in range(40)))
    put(store, running, *(ordered(f"c{number}", HOUR) for number in range(0, 40, 4)))
    assert store.apply(list_experiments) == [("r", CONTROL)]
    for size in (1, 7, 1000):
        found = read(store, size=size)
        assert set(found.groups) == {HELD_OUT, TREATED}
        assert (whole(found).drawn, whole(found).rate.customers, whole(found).rate.met) == (40, 40, 10)
        assert whole(found).values == {"EUR": 100.0}
        assert found.expected == {HELD_OUT: 20.0, TREATED: 20.0}
        assert (found.first, found.last, found.moved) == (T0, T0 + 39, False)


def test_whoever_still_has_time_is_told_apart_also_when_they_converted(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, paid("ann"), ordered("ann", HOUR), paid("bob", 5 * DAY), ordered("bob", 5 * DAY + HOUR))
    counted = whole(read(store, now=Instant(T0 + 6 * DAY)))
    assert (counted.drawn, counted.open, counted.rate.customers, counted.rate.met) == (2, 1, 1, 1)


def test_a_conversion_that_a_second_journey_took_over_is_the_customer_s(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, paid("ann"))
    pass_all_time(store, running, Instant(T0 + 2 * HOUR))
    put(store, running, paid("ann", DAY), ordered("ann", DAY + HOUR, 12.0))
    counted = whole(read(store))
    assert (counted.drawn, counted.rate.met, counted.values) == (1, 1, {"EUR": 12.0})


def test_an_order_in_the_very_moment_of_the_draw_was_not_brought_by_it(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, paid("ann"), ordered("ann", 0), paid("bob"), ordered("bob", 1))
    counted = whole(read(store))
    assert (counted.drawn, counted.gone, counted.rate.customers, counted.rate.met) == (2, 1, 1, 1)


def test_who_had_converted_before_they_reached_the_split_is_left_out(store: Store) -> None:
    rule = 'rule r when paid goal ordered within 2d wait 1h split "who" 50% "a" wait 1h 50% "b" wait 2h end'
    running = publish_text(store, VOCABULARY + rule, T0)
    put(store, running, paid("ann"), paid("bob"), ordered("ann", HOUR // 2))
    pass_all_time(store, running, Instant(T0 + 2 * HOUR))
    put(store, running, ordered("bob", 3 * HOUR))
    counted = whole(read(store, "who"))
    assert (counted.drawn, counted.gone, counted.rate.customers, counted.rate.met) == (2, 1, 1, 1)


def test_what_comes_after_the_window_of_the_first_journey_does_not_count(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, paid("ann"))
    pass_all_time(store, running, Instant(T0 + 2 * HOUR))
    put(store, running, paid("ann", 3 * DAY), ordered("ann", 3 * DAY + HOUR))
    assert whole(read(store)).rate.met == 0


def test_a_period_is_of_when_customers_came_into_the_experiment(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, *(paid(f"c{number}", number * HOUR) for number in range(10)))
    found = read(store, period=Period(Instant(T0 + 2 * HOUR), Instant(T0 + 5 * HOUR)))
    assert whole(found).drawn == 3
    assert sum(found.expected.values()) == pytest.approx(3)


def test_what_was_done_before_is_counted_up_to_the_draw(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, ordered("ann", 0), ordered("ann", 2 * DAY), ordered("ann", 3 * DAY), paid("ann", 4 * DAY))
    put(store, running, ordered("ann", 4 * DAY + HOUR))
    conversions = whole(read(store, before=3 * DAY)).conversions
    assert (conversions.n, conversions.y, conversions.x, conversions.xx, conversions.xy) == (1, 1, 2, 4, 2)


def test_two_customers_of_two_groups_who_are_one_count_in_the_first_and_are_told(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, *(paid(f"c{number}") for number in range(30)))
    arms = store.apply(
        lambda tx: dict(
            tx.rows("select customer.key, arm from exposure join customer on customer.id = exposure.customer")
        )
    )
    first = next(key for key, arm in arms.items() if arm == HELD_OUT)
    for number in range(20):  # visitors without a name, of whom some are treated
        nameless = msgspec.structs.replace(
            event("paid", None, id=f"n{number}", at=Instant(T0 + HOUR), traits={}), anonymous_id=f"device{number}"
        )
        put(store, running, nameless)
    linked = [
        msgspec.structs.replace(
            event(None, first[2:], id=f"l{number}", at=Instant(T0 + HOUR)), anonymous_id=f"device{number}"
        )
        for number in range(20)
    ]
    put(store, running, *linked)
    found = read(store)
    assert whole(found).drawn == 30
    assert found.groups[HELD_OUT].mixed == 1
    assert whole(found).mixed == 1


def test_an_arm_that_was_added_is_compared_with_those_who_could_have_come_into_it(store: Store) -> None:
    two = 'rule r when paid goal ordered within 2d split "who" 50% "a" wait 1h 50% "b" wait 2h end'
    three = two.replace('50% "a" wait 1h 50% "b" wait 2h', '40% "a" wait 1h 40% "b" wait 2h 20% "c" wait 3h')
    running = publish_text(store, VOCABULARY + two, T0)
    put(store, running, *(paid(f"c{number}") for number in range(40)))
    running = publish_text(store, VOCABULARY + three, Instant(T0 + HOUR))
    put(store, running, *(paid(f"d{number}", 2 * HOUR) for number in range(60)))
    found = read(store, "who")
    assert found.moved
    assert found.among("a", "b").drawn == found.groups["a"].drawn
    assert found.among("a", "c").drawn + found.among("b", "c").drawn + found.groups["c"].drawn == 60
    assert found.expected == pytest.approx({"a": 44.0, "b": 44.0, "c": 12.0})


def test_combinations_of_two_splits_are_of_those_who_came_into_both(store: Store) -> None:
    split = 'split "{0}" 50% "{0}1" wait 1h 50% "{0}2" wait 1h end'
    both = f"rule r when paid goal ordered within 2d {split.format('x')} {split.format('y')}"
    running = publish_text(store, VOCABULARY + both, T0)
    put(store, running, *(paid(f"c{number}") for number in range(40)))
    pass_all_time(store, running, Instant(T0 + 90 * 60_000_000))
    put(store, running, *(ordered(f"c{number}", 2 * HOUR) for number in range(10)))
    found = store.apply(lambda tx: count_combinations(tx, "r", ("x", "y"), EVER, LATER))
    assert set(found) == {(x, y) for x in ("x1", "x2") for y in ("y1", "y2")}
    assert sum(customers for customers, _ in found.values()) == 40
    assert sum(met for _, met in found.values()) == 10


def test_what_a_plan_goes_by_are_customers_and_not_their_journeys(store: Store) -> None:
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    for day in range(3):
        put(store, running, paid("ann", day * DAY), paid("bob", day * DAY))
        pass_all_time(store, running, Instant(T0 + day * DAY + 2 * HOUR))
        if day:
            put(store, running, ordered("ann", day * DAY + 3 * HOUR))
    counts = store.apply(lambda tx: (count_entries(tx, "r", T0, LATER), count_entries(tx, "r", Instant(T0 + 1), LATER)))
    assert counts == ((2, 0, T0), (2, 1, T0 + DAY))


def test_what_the_lift_cost_are_the_messages_to_those_who_count_in_it(store: Store) -> None:
    """Those of the journey that made the draw, and of a second one that began while its goal counted."""
    running = publish_text(store, VOCABULARY + HOLDS, T0)
    put(store, running, *(paid(f"c{number}") for number in range(20)))
    pass_all_time(store, running, Instant(T0 + 2 * HOUR))

    def spend(tx: Transaction) -> tuple[int, int]:
        treated = [row[0] for row in tx.rows("select customer from exposure where arm = 'treated' order by customer")]
        held = [row[0] for row in tx.rows("select customer from exposure where arm = 'holdout' order by customer")]
        journeys = dict(tx.rows("select customer, id from journey"))
        for number, (customer, journey, decided) in enumerate(
            (
                *((customer, journeys[customer], T0 + HOUR) for customer in (*treated, *held)),
                (treated[0], 10_000, T0 + DAY),  # of a second journey
                (treated[0], 10_001, T0 + 5 * DAY),  # and of a third, after the goal's time
            )
        ):
            tx.run(
                "insert into message (key, journey, customer, rule, channel, message, kind, state, decided, expires, "
                "cost, currency) values (?, ?, ?, 'r', 'email', 'm', 'promotional', 3, ?, 0, 250000, 'EUR')",
                (number.to_bytes(4, "big"), journey, customer, decided),
            )
        return len(treated), len(held)

    treated, held = store.apply(spend)
    assert treated
    assert held
    cost = store.apply(lambda tx: cost_of_treated(tx, "r", Instant(0), Instant(2**62), LATER))
    assert cost == {"EUR": (treated + 1) / 4}
    early = Instant(T0 + DAY)  # nobody's goal is over
    assert store.apply(lambda tx: cost_of_treated(tx, "r", Instant(0), Instant(2**62), early)) == {}
