"""Queries for upkeep: what the store knows of time, what it may forget, and whether its counts agree."""

from __future__ import annotations

import msgspec

from segue.api import Instant
from segue.store.database import Transaction


def latest_moment(tx: Transaction) -> Instant:
    """The latest instant at which anything was written: no clock may show less."""
    row = tx.row(
        "select max((select coalesce(max(received), 0) from (select received from event order by id desc limit 1)), "
        "(select coalesce(max(at), 0) from publication))"
    )
    return Instant(row[0] or 0) if row is not None else Instant(0)


class RuleCount(msgspec.Struct, frozen=True):
    """One rule's journeys. The law: ``entered = inside + finished + exited + failed``."""

    rule: str
    entered: int
    inside: int
    finished: int
    exited: int
    failed: int
    ignored: int = 0
    converted: int = 0
    sent: int = 0
    skipped: int = 0
    undelivered: int = 0

    @property
    def balanced(self) -> bool:
        return self.entered == self.inside + self.finished + self.exited + self.failed


def count_rules(tx: Transaction) -> list[RuleCount]:
    """Counts of every rule: what is inside is counted in the journeys themselves, the rest in the tallies,
    so that a disagreement shows."""
    tallies: dict[str, dict[str, int]] = {}
    for rule, what, n in tx.rows("select rule, what, sum(n) from tally group by rule, what"):
        tallies.setdefault(rule, {})[what] = n
    for rule, n in tx.rows(
        "select program.rule, sum(inside.n) from "
        "(select program, count(*) as n from journey where live = 1 and state = 0 group by program) as inside "
        "join program on program.id = inside.program group by program.rule"
    ):
        tallies.setdefault(rule, {})["inside"] = n
    for (rule,) in tx.rows("select rule from book"):
        tallies.setdefault(rule, {})
    fields = [field.name for field in msgspec.structs.fields(RuleCount) if field.name != "rule"]
    return [
        RuleCount(rule, **{field: counts.get(field, 0) for field in fields}) for rule, counts in sorted(tallies.items())
    ]


def count_by_step(tx: Transaction, program: str) -> dict[int, int]:
    """How many customers are inside at each step of a program, by its hash."""
    return dict(
        tx.rows(
            "select step, count(*) from journey where live = 1 and state = 0 "
            "and program = (select id from program where hash = ?) group by step",
            (program,),
        )
    )


def exits(tx: Transaction) -> list[tuple[str, str, str, int]]:
    """How journeys ended and messages were not sent, with reasons: (rule, what, reason, how many)."""
    rows = tx.rows("select rule, what, reason, n from tally where reason <> '' order by rule, what, n desc, reason")
    return [(rule, what, reason, n) for rule, what, reason, n in rows]


def integrity(tx: Transaction) -> str:
    """SQLite's own check of the file; ``ok`` where nothing is wrong."""
    row = tx.row("pragma quick_check")
    return str(row[0]) if row is not None else "no answer"
