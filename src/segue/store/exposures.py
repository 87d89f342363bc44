"""Queries for the log of exposures: who was put into which group of an experiment, when, and how probable that was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from segue.api import Instant
from segue.measure.experiments.exposed import TREATED, Exposed
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


def each_exposed(
    tx: Transaction,
    rule: str,
    experiment: str,
    since: Instant,
    until: Instant,
    before: tuple[str, int] = ("", 0),
    piece: int = 5000,
) -> Iterator[list[Exposed]]:
    """Those who were first put into an experiment in a period, in pieces of so many customers, each with the journey
    that did it. ``before`` is an event, and for how many microseconds before that moment it is counted."""
    last = 0
    decode = msgspec.json.Decoder(dict[str, float]).decode
    shares: dict[str, dict[str, float]] = {}
    while True:
        rows = tx.rows(_EXPOSED, (rule, experiment, last, piece, *before))
        if not rows:
            return
        last = rows[-1][0]
        found = []
        for customer, arm, at, drawn, mixed, earlier, entered, goal_until, converted, worth in rows:
            if since <= at < until:
                if drawn not in shares:
                    shares[drawn] = decode(drawn)
                known = shares[drawn]
                found.append(
                    Exposed(customer, arm, at, known, bool(mixed), earlier, entered, goal_until, converted, worth)
                )
        yield found


_EXPOSED: Final = """
with first as materialized (
  select min(id) as id, count(distinct arm) > 1 as mixed from exposure
  where customer > ?3 and rule = ?1 and experiment = ?2 group by customer order by customer limit ?4
)
select chosen.customer, chosen.arm, chosen.at, chosen.shares, first.mixed,
  iif(?5 = '', 0, (
    select count(*) from event
    where event.customer = chosen.customer and event.name = (select id from name where name = ?5)
      and event.at >= chosen.at - ?6 and event.at < chosen.at
  )),
  entered, goal_until, converted, worth
from first join exposure as chosen on chosen.id = first.id left join journey on journey.id = chosen.journey
order by chosen.customer
"""


def count_entries(tx: Transaction, rule: str, since: Instant, over: Instant) -> tuple[int, int, Instant | None]:
    """Of the journeys of a rule that began from ``since`` on: how many there are whose goal's time was over at
    ``over``, how many of these converted, and when the first of all began."""
    row = tx.row(
        "select count(*) filter (where goal_until <= ?1), count(converted) filter (where goal_until <= ?1), "
        "min(entered) from journey where program in (select id from program where rule = ?2) and entered >= ?3",
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
