"""Queries for the log of exposures: who was put into which group of an experiment, when, and how probable that was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from segue.api import Instant
from segue.measure.experiments.exposed import TREATED
from segue.measure.period import Period
from segue.store.database import Transaction


class Exposure(msgspec.Struct, frozen=True):
    """A customer was put into an arm by a journey, at the moment of the draw. ``shares`` are the probabilities that the
    arms had in it, by arm, as JSON; ``propensity`` is that of the arm which was drawn."""

    customer: int
    rule: str
    experiment: str
    arm: str
    at: Instant
    journey: int
    propensity: float
    shares: str


def put_exposures(tx: Transaction, exposures: Iterable[Exposure]) -> None:
    """Append to the log."""
    tx.run_many(
        "insert into exposure (customer, rule, experiment, arm, at, journey, propensity, shares) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        [msgspec.structs.astuple(one) for one in exposures],
    )


def list_experiments(tx: Transaction) -> list[tuple[str, str]]:
    """The experiments that anybody was put into: (rule, split), where the split is empty for a rule's control group."""
    return tx.rows("select distinct rule, experiment from exposure order by rule, experiment")


def count_combinations(
    tx: Transaction, rule: str, splits: Sequence[str], period: Period, now: Instant
) -> dict[tuple[str, ...], tuple[int, int]]:
    """Of those who were put into all of a rule's splits, and whose goal's time is over: by their arms how many they
    are, and how many of them converted after they came into the last of them."""
    arms = ", ".join(f"of{at}.arm" for at in range(len(splits)))
    latest = f"max({', '.join(f'of{at}.at' for at in range(len(splits)))})" if len(splits) > 1 else "of0.at"
    factors = ", ".join(
        f"of{at} as materialized (select customer, arm, at, journey from exposure where id in (select min(id) "
        f"from exposure where rule = ?1 and experiment = ?{at + 5} group by customer))"
        for at in range(len(splits))
    )
    joins = " ".join(f"join of{at} on of{at}.customer = of0.customer" for at in range(1, len(splits)))
    met = " or ".join(
        f"exists (select 1 from journey as other where other.customer = of0.customer and other.live = {live} "
        f"and other.converted > {latest} and other.converted <= journey.goal_until "
        "and other.program in (select id from program where rule = ?1))"
        for live in (1, 0)
    )
    rows = tx.rows(
        f"with {factors} select {arms}, count(*), sum({met}) from of0 {joins} "
        "join journey on journey.id = of0.journey "
        "where of0.at >= ?2 and of0.at < ?3 and journey.goal_until <= ?4 "
        f"and journey.goal_until > {latest} and (converted is null or converted > {latest}) "
        f"group by {arms}",
        (rule, period.since, period.until, now, *splits),
    )
    return {tuple(row[: len(splits)]): (row[-2], row[-1]) for row in rows}


def count_entries(tx: Transaction, rule: str, since: Instant, over: Instant) -> tuple[int, int, Instant | None]:
    """Of the customers who came into a rule from ``since`` on, by the first of their journeys since: how many there are
    whose goal's time was over at ``over``, how many of these converted, and when the first of all came."""
    row = tx.row(
        # a bare column of a group is that of the row with its least moment
        "select count(*) filter (where goal_until <= ?1), count(converted) filter (where goal_until <= ?1), "
        "min(entered) from (select min(entered) as entered, goal_until, converted from journey "
        "where program in (select id from program where rule = ?2) and entered >= ?3 group by customer)",
        (over, rule, since),
    )
    return (row[0], row[1], row[2]) if row is not None else (0, 0, None)


def cost_of_treated(tx: Transaction, rule: str, since: Instant, until: Instant, now: Instant) -> dict[str, float]:
    """What the messages of a rule cost that went to those who are not held out of it, and count in its lift: they came
    into the experiment in a period, and the time of that journey's goal is over. Those of this journey, and of others
    while the goal counted, whose conversions count as well. In whole units, by currency."""
    rows = tx.rows(
        "with first as materialized (select min(id), customer, arm, at, journey from exposure "
        "where rule = ?1 and experiment = '' group by customer) "
        "select message.currency, sum(message.cost) from first join journey on journey.id = first.journey "
        "join message on message.customer = first.customer and message.rule = ?1 "
        "and (message.journey = first.journey or message.decided between first.at and journey.goal_until) "
        "where first.arm = ?2 and first.at >= ?3 and first.at < ?4 and journey.goal_until <= ?5 "
        "and journey.goal_until > first.at and (journey.converted is null or journey.converted > first.at) "
        "and message.cost > 0 group by message.currency",
        (rule, TREATED, since, until, now),
    )
    return {currency: amount / 1_000_000 for currency, amount in rows}
