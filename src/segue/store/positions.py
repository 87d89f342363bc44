"""Queries for pictures of what runs: where the journeys inside stand, and what was handed over."""

from __future__ import annotations

import msgspec

from segue.store.database import Transaction


class Position(msgspec.Struct, frozen=True):
    """How many journeys inside stand at a step of a program, which is named by its hash."""

    rule: str
    program: str
    step: int
    inside: int


def count_positions(tx: Transaction) -> list[Position]:
    """Where the journeys inside stand, by program and step."""
    rows = tx.rows(
        "select program.rule, program.hash, journey.step, count(*) from journey "
        "join program on program.id = journey.program where journey.state = 0 group by journey.program, journey.step"
    )
    return [Position(*row) for row in rows]


class HandedOver(msgspec.Struct, frozen=True):
    """How many messages of a name a rule has handed over on a channel."""

    rule: str
    channel: str
    message: str
    count: int


def count_handed_over(tx: Transaction) -> list[HandedOver]:
    """What was handed over, by rule, channel and message."""
    rows = tx.rows(
        "select rule, channel, message, count(*) from message where handed is not null group by rule, channel, message"
    )
    return [HandedOver(*row) for row in rows]


class HeldOut(msgspec.Struct, frozen=True):
    """Of the journeys of a rule that are held out: how many there are, and how many of them converted."""

    rule: str
    entered: int
    converted: int


def count_held_out(tx: Transaction) -> list[HeldOut]:
    """Who is held out, by rule. Whether a journey is stands last in its detail, where MessagePack writes true as c3."""
    rows = tx.rows(
        "select program.rule, count(*), count(journey.converted) from journey "
        "join program on program.id = journey.program where substr(journey.detail, -1) = x'c3' group by program.rule"
    )
    return [HeldOut(*row) for row in rows]


class Assigned(msgspec.Struct, frozen=True):
    """How many customers were given an arm of a rule's split."""

    rule: str
    split: str
    arm: str
    count: int


def count_assigned(tx: Transaction) -> list[Assigned]:
    """Who was given which arm, by rule and split."""
    rows = tx.rows("select rule, split, arm, count(*) from assignment group by rule, split, arm")
    return [Assigned(*row) for row in rows]


def list_worth(tx: Transaction) -> list[tuple[str, str]]:
    """The rule, and the worth (``60.00 EUR``) of the goal, of each journey that converted with one."""
    return [
        (rule, worth)
        for rule, worth in tx.rows(
            "select program.rule, journey.worth from journey join program on program.id = journey.program "
            "where journey.worth is not null"
        )
    ]


def count_customers(tx: Transaction) -> int:
    """How many customers the store knows."""
    row = tx.row("select count(*) from customer")
    return int(row[0]) if row is not None else 0
