"""Queries for the log of exposures: who was put into which group of an experiment, when, and how probable that was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from segue.api import Instant
from segue.measure.experiments.exposed import TREATED, Buyer, Drawn, Piece
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


def count_exposed(tx: Transaction, rule: str, experiment: str) -> int:
    """How many customers were ever put into an experiment."""
    row = tx.row("select count(distinct customer) from exposure where rule = ? and experiment = ?", (rule, experiment))
    return int(row[0]) if row is not None else 0


def each_piece(
    tx: Transaction,
    rule: str,
    experiment: str,
    period: Period,
    now: Instant,
    before: tuple[str, int] = ("", 0),
    size: int = 50_000,
) -> Iterator[Piece]:
    """Those who were first put into an experiment in a period, in pieces of so many customers. ``before`` is an event,
    and for how many microseconds before the draw it is counted."""
    first = 0
    while (last := _last_of_piece(tx, rule, experiment, first, size)) is not None:
        values = (rule, experiment, first, last, period.since, period.until, now, *before)
        drawn = [Drawn(row[0], row[1], bool(row[2]), *row[3:]) for row in tx.rows(_DRAWN, values)]
        decode = msgspec.json.Decoder(list[str | None]).decode
        buyers = [
            Buyer(arm, shares, earlier, decode(worths)) for arm, shares, earlier, worths in tx.rows(_BUYERS, values)
        ]
        yield Piece(drawn, buyers)
        first = last


def _last_of_piece(tx: Transaction, rule: str, experiment: str, after: int, size: int) -> int | None:
    row = tx.row(
        "select max(customer) from (select distinct customer from exposure "
        "where rule = ? and experiment = ? and customer > ? order by customer limit ?)",
        (rule, experiment, after, size),
    )
    return row[0] if row is not None else None


_CHOSEN: Final = """
with first as materialized (
  select customer, min(id) as id, count(*) > 1 as again from exposure
  where rule = ?1 and experiment = ?2 and customer > ?3 and customer <= ?4 group by customer
), chosen as materialized (
  select first.customer, exposure.arm, exposure.shares, exposure.at, goal_until, again and exists (
      select 1 from exposure as other where other.rule = ?1 and other.experiment = ?2
      and other.customer = first.customer and other.arm <> exposure.arm
    ) as mixed,
    iif(?8 = '', 0, (
      select count(*) from event
      where event.customer = first.customer and event.name = (select id from name where name = ?8)
        and event.at >= exposure.at - ?9 and event.at < exposure.at
    )) as before
  from first join exposure on exposure.id = first.id left join journey on journey.id = exposure.journey
  where exposure.at >= ?5 and exposure.at < ?6
)
"""
_DRAWN: Final = f"""{_CHOSEN}
select arm, shares, mixed, iif(goal_until is null, 'gone', iif(goal_until > ?7, 'open', 'over')) as state,
  count(*), total(before), total(before * before), min(at), max(at)
from chosen group by arm, shares, mixed, state
"""


def _converted(live: int) -> str:
    return f"""
  select chosen.customer, arm, shares, before, worth
  from chosen cross join journey on journey.customer = chosen.customer
  where live = {live} and converted >= at and converted <= chosen.goal_until and chosen.goal_until <= ?7
    and program in (select id from program where rule = ?1)"""


# two halves, each by an index of its own; cross: or else every piece goes over all journeys
_BUYERS: Final = f"""{_CHOSEN}
select arm, shares, before, json_group_array(worth) from ({_converted(1)} union all {_converted(0)})
group by customer
"""


def count_combinations(
    tx: Transaction, rule: str, splits: Sequence[str], period: Period, now: Instant
) -> dict[tuple[str, ...], tuple[int, int]]:
    """Of those who were put into all of a rule's splits, and whose goal's time is over: by their arms how many they
    are, and how many of them converted since they were in the last of them."""
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
        f"and other.converted >= {latest} and other.converted <= journey.goal_until "
        "and other.program in (select id from program where rule = ?1))"
        for live in (1, 0)
    )
    rows = tx.rows(
        f"with {factors} select {arms}, count(*), sum({met}) from of0 {joins} "
        "join journey on journey.id = of0.journey "
        "where of0.at >= ?2 and of0.at < ?3 and journey.goal_until <= ?4 "
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
    """What the messages of a rule cost that went to those who are not held out of it: in the journey by which each came
    into the experiment in a period, where the time of its goal is over. In whole units, by currency."""
    rows = tx.rows(
        "with first as materialized (select min(id) as id from exposure "
        "where rule = ?1 and experiment = '' group by customer) "
        "select message.currency, sum(message.cost) from first join exposure on exposure.id = first.id "
        "join journey on journey.id = exposure.journey "
        "join message on message.customer = exposure.customer and message.journey = exposure.journey "
        "where exposure.arm = ?2 and exposure.at >= ?3 and exposure.at < ?4 and journey.goal_until <= ?5 "
        "and message.cost > 0 group by message.currency",
        (rule, TREATED, since, until, now),
    )
    return {currency: amount / 1_000_000 for currency, amount in rows}
