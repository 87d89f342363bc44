"""Queries for splits: who was given which arm, and what the arms of a split that learns have brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from segue.store.database import Transaction


class ArmCount(msgspec.Struct):
    """Of one arm of a split that learns: the journeys in it, those that met what the split grows towards, and its share
    of new customers (None: the written one)."""

    assigned: int = 0
    met: int = 0
    share: float | None = None


Place = tuple[int, str, str]
"""A customer, a rule and a split."""


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
