"""Shares of customers: who is rolled out, held out, or in which arm, by a hash and never by chance.

A share hangs on the first key by which the customer was ever known, the rule's name and what it is for. So it is the
same on every machine and on re-entry, one share says nothing about another, and raising one keeps those in it.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

from segue.api import Instant, Period
from segue.engine.journey import Assign, Choice
from segue.engine.passage import Passage
from segue.program import program as p
from segue.program.calendar import add_elapsed
from segue.program.facts import Customer

LEARNING = Period(days=7)
"""How long a split's ``towards`` counts in a rule without a goal."""


def share(customer: Customer, *use: str) -> float:
    """Where the customer stands among all others, in [0, 1), for one use."""
    named = "".join(f"{len(part)}:{part}" for part in (customer.standing.seed or customer.key, *use))
    digest = blake2b(named.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53  # all 64 bits would round up to 1


def among(customer: Customer, rule: str, use: str, percent: Decimal) -> bool:
    """Whether the customer is in a share of so many per cent."""
    return share(customer, rule, use) < percent / 100


def take_arm(passage: Passage, split: p.Split) -> tuple[str, int]:
    """The arm that the journey goes on in, and its first step."""
    journey, customer, rule = passage.journey, passage.customer, passage.program.name
    firsts = {name: first for name, _, first in split.arms}
    taken = next((choice.arm for choice in journey.choices if choice.split == split.name), None)
    if taken is not None and taken in firsts:
        return taken, firsts[taken]
    until = _learning_until(passage) if split.towards is not None and not journey.holdout else None
    arm = customer.standing.arm(rule, split.name)
    if arm is None or arm not in firsts:
        arm, shares = _draw(customer, rule, split)
        passage.effects.append(Assign(split.name, arm, journey.since, shares, until))
    journey.choices = (
        *(choice for choice in journey.choices if choice.split != split.name),
        Choice(split.name, arm, until),
    )
    return arm, firsts[arm]


def _draw(customer: Customer, rule: str, split: p.Split) -> tuple[str, dict[str, float]]:
    """The arm, and the probabilities that all had."""
    weights = [(name, weight) for name, weight, _ in split.arms]
    learned = customer.standing.weights(rule, split.name)
    if learned is not None:
        grown = [(name, max(0.0, learned.get(name, 0.0))) for name, _ in weights]
        weights = grown if any(weight for _, weight in grown) else weights
    whole = sum(weight for _, weight in weights)
    shares = {name: weight / whole for name, weight in weights}
    mark = share(customer, rule, split.name, "arm") * whole
    reached = 0.0
    for name, weight in weights:
        reached += weight
        if mark < reached:
            return name, shares
    return next(name for name, weight in reversed(weights) if weight), shares


def _learning_until(passage: Passage) -> Instant:
    journey = passage.journey
    if passage.program.goal is not None and journey.goal_until is not None:
        return journey.goal_until
    return add_elapsed(journey.since, LEARNING, passage.customer.zone)
