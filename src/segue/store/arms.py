"""Queries for splits: who was given which arm, and what the arms of a split that learns have brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from segue.api import Instant
from segue.store.database import Transaction


class ArmCount(msgspec.Struct):
    """Of one arm of a split that learns: the journeys in it, those that met what the split grows towards, and its share
    of new customers (None: the written one)."""

    assigned: int = 0
    met: int = 0
    share: float | None = None


Place = tuple[int, str, str]
"""A customer, a rule and a split."""

Hour = tuple[str, str, str, int]
"""A rule, a split, an arm, and the hour since 1970 in which the windows of journeys end."""

_HOUR: Final = 3_600_000_000


def hour_of(moment: Instant) -> int:
    """The hour since 1970 that a moment lies in."""
    return moment // _HOUR


def load_assignments(tx: Transaction, customers: Iterable[int]) -> dict[Place, str]:
    """The arms that these customers were given."""
    wanted = msgspec.json.encode(list(customers)).decode()
    return {
        (customer, rule, split): arm
        for customer, rule, split, arm in tx.rows(
            "select customer, rule, split, arm from assignment where customer in (select value from json_each(?))",
            (wanted,),
        )
    }


def put_assignments(tx: Transaction, assignments: Mapping[Place, str]) -> None:
    """Remember arms. The first that a customer was given stays."""
    tx.run_many(
        "insert into assignment (customer, rule, split, arm) values (?, ?, ?, ?) on conflict do nothing",
        [(*place, arm) for place, arm in assignments.items()],
    )


def load_counts(tx: Transaction, rule: str, split: str) -> dict[str, ArmCount]:
    """What is known of a split's arms."""
    return {
        arm: ArmCount(assigned, met, share)
        for arm, assigned, met, share in tx.rows(
            "select arm, assigned, met, share from arm where rule = ? and split = ?", (rule, split)
        )
    }


def put_counts(tx: Transaction, counts: Mapping[tuple[str, str], Mapping[str, ArmCount]]) -> None:
    """Write what is known, by rule and split."""
    tx.run_many(
        "insert into arm (rule, split, arm, assigned, met, share) values (?, ?, ?, ?, ?, ?) on conflict do update set "
        "assigned = excluded.assigned, met = excluded.met, share = excluded.share",
        [
            (rule, split, arm, one.assigned, one.met, one.share)
            for (rule, split), arms in counts.items()
            for arm, one in arms.items()
        ],
    )


def add_hours(tx: Transaction, changes: Mapping[Hour, Sequence[int]]) -> None:
    """Add to what is known of the journeys whose windows end in an hour: how many were assigned, and met it."""
    tx.run_many(
        "insert into arm_hour (rule, split, arm, hour, assigned, met) values (?, ?, ?, ?, ?, ?) on conflict do update "
        "set assigned = assigned + excluded.assigned, met = met + excluded.met",
        [(*place, *change) for place, change in changes.items()],
    )


def sum_hours(tx: Transaction, rule: str, split: str, now: Instant) -> dict[str, tuple[int, int]]:
    """Of each arm the journeys whose windows were over when this hour began, and those of them that met it."""
    return {
        arm: (assigned, met)
        for arm, assigned, met in tx.rows(
            "select arm, sum(assigned), sum(met) from arm_hour where rule = ? and split = ? and hour < ? group by arm",
            (rule, split, hour_of(now)),
        )
    }
