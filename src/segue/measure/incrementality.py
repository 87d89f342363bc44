"""What a rule was measured to cause, beside what models attribute to it, what it cost, and what follows for its budget.

Attribution shares out what happened; it cannot know what would have happened anyway. A holdout can. So only a measured
response moves money here, and by a bounded step: what was measured holds near where it was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from segue.measure.experiments.groups import Difference
from segue.measure.experiments.result import FEW, Lift, days_until_settled
from segue.measure.table import Cell, Column, Table

STEP: Final = 0.2
"""The share of a rule's spend that one suggestion moves at the most."""

_TOO_LONG: Final = 730
"""Days that nobody is told to wait."""

Strength = Literal["strong", "weak", "none"]
"""``strong``: the interval of the difference leaves out nothing at all; ``weak``: it does not; ``none``: there is no
interval, or the groups are not what they should be."""
Move = Literal["more", "less", "keep", "unknown"]


class Evidence(msgspec.Struct, frozen=True):
    """What is known of a rule. ``attributed`` are the conversions that each model gives it; ``cost`` is what the
    messages to those who count in the lift cost, by currency."""

    rule: str
    lift: Lift
    attributed: Mapping[str, float]
    cost: Mapping[str, float]

    @property
    def strength(self) -> Strength:
        """How strong the evidence of an effect is."""
        if self.lift.each is None or not self.lift.sound or min(self.lift.customers, self.lift.held_out) < FEW:
            return "none"
        return "strong" if self.lift.claimed else "weak"

    @property
    def currencies(self) -> list[str]:
        """Those in which something was brought or spent."""
        return sorted(self.lift.worth.keys() | self.cost.keys())

    def net(self, currency: str) -> Difference | None:
        """What was brought beyond what was spent, in a currency; None where nothing was measured."""
        worth = self.lift.worth.get(currency)
        if worth is None or self.strength == "none":
            return None
        spent = self.cost.get(currency, 0.0)
        return msgspec.structs.replace(
            worth, estimate=worth.estimate - spent, low=worth.low - spent, high=worth.high - spent, p=None
        )

    def give_back(self, currency: str) -> float | None:
        """What a unit of money spent brought, beyond what would have come anyway; None where nothing was spent or
        measured."""
        worth, spent = self.lift.worth.get(currency), self.cost.get(currency, 0.0)
        if worth is None or not spent or self.strength == "none":
            return None
        return worth.estimate / spent

    def more_days(self, currency: str) -> float | None:
        """How many days more the holdout takes to show whether the rule pays, if that is as it looks now."""
        lift = self.lift
        return days_until_settled(self.net(currency), lift.customers + lift.held_out, lift.per_day)

    def move(self, currency: str) -> Move:
        """Where the budget should go: only what was measured to pay, or not to, moves it."""
        net = self.net(currency)
        if net is None or not self.cost.get(currency) or currency in self.lift.lopsided:
            return "unknown"
        if net.low > 0:
            return "more"
        return "less" if net.high < 0 else "keep"


def say(evidence: Evidence) -> str:
    """One sentence on which evidence is strong."""
    lift = evidence.lift
    least, most = _band(evidence.attributed)
    models = f"models attribute {_range(least, most)} conversions" if most is not None and least is not None else ""
    if not lift.sound:
        return "No evidence: the groups are not the size they should be, so nothing is measured" + _and(models) + "."
    if evidence.strength == "none":
        return f"No evidence of a cause yet: too few are held out{_and(models)}."
    caused = lift.conversions
    assert caused is not None, "it was measured"
    if evidence.strength == "weak":
        return f"Weak evidence: it may have caused nothing at all{_and(models)}."
    if caused.estimate < 0:
        return (
            f"Strong evidence that it does harm: it cost {_range(-caused.high, -caused.low)} conversions{_and(models)}."
        )
    beyond = ""
    # Models share out all that came in the period; measured are those customers whose windows are over. Only what
    # cannot be for either number of customers is called wrong.
    at_most = max(caused.high, caused.high * (1 + lift.waiting / lift.customers))
    if least is not None and most is not None and (least > at_most or most < caused.low):
        beyond = "; every model is wrong about it"
    return f"Strong evidence: it caused {_range(caused.low, caused.high)} conversions{_and(models)}{beyond}."


def suggest(evidence: Evidence, currency: str) -> str:
    """What to do with the rule's budget, and where that cannot be said, what would make it so."""
    match evidence.move(currency):
        case "more":
            return f"up to {STEP:.0%} more: on average each {currency} was measured to bring more than it costs"
        case "less":
            return f"{STEP:.0%} less: it was measured to bring less than it costs"
        case "keep":
            days = evidence.more_days(currency)
            later = f" for about {max(1.0, days):,.0f} more days" if days is not None and days <= _TOO_LONG else ""
            return f"not enough evidence: whether it pays is open; let the holdout run on{later}"
        case "unknown":
            return _what_is_missing(evidence, currency)


def _what_is_missing(evidence: Evidence, currency: str) -> str:
    """Why nothing can be said of the budget, and what would change that."""
    lift = evidence.lift
    if not lift.sound:
        look = f"`segue experiment {lift.rule}`"
        return f"not enough evidence: find out why the groups are not the size they should be ({look})"
    if evidence.strength == "none":
        return "not enough evidence: hold out more customers (`holdout 10%`), and wait for the goal's time to pass"
    if not evidence.cost.get(currency):
        return "its messages cost nothing: there is no budget to move"
    if currency in lift.lopsided:
        return "not enough evidence: what it brings hangs on one customer alone; let the holdout run on"
    return (
        f"not enough evidence: nobody brought anything in {currency}; if orders are paid in it, name their amount in "
        "the goal (`worth total`)"
    )


def evidence_table(found: Sequence[Evidence]) -> Table:
    """A line for each rule with a holdout, and each currency in which it brought or cost something."""
    columns = (
        Column("rule", "rule"),
        Column("customers", "customers", "count"),
        Column("attributed_low", "attributed, least", "number"),
        Column("attributed_high", "attributed, most", "number"),
        Column("caused", "caused", "number"),
        Column("caused_low", "from", "number"),
        Column("caused_high", "to", "number"),
        Column("currency", "currency"),
        Column("cost", "cost", "money"),
        Column("worth", "worth caused", "money"),
        Column("worth_low", "from", "money"),
        Column("worth_high", "to", "money"),
        Column("net", "net of cost", "money"),
        Column("give_back", "brought by 1 spent", "number"),
        Column("evidence", "evidence"),
        Column("sentence", "in a sentence"),
        Column("suggestion", "budget"),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        least, most = _band(one.attributed)
        caused = one.lift.conversions if one.strength != "none" else None
        for currency in one.currencies or [""]:
            worth = one.lift.worth.get(currency) if one.strength != "none" else None
            net = one.net(currency)
            rows.append(
                (
                    *(one.rule, one.lift.customers, least, most),
                    *_ends(caused),
                    *(currency, one.cost.get(currency, 0.0)),
                    *_ends(worth),
                    net.estimate if net is not None else None,
                    one.give_back(currency),
                    one.strength,
                    say(one),
                    suggest(one, currency),
                )
            )
    notes = (
        "Attributed are the conversions of the period; caused are those of the customers who came in it and whose "
        "goal's time is over, by intention to treat. `segue experiment` counts everybody since the holdout began.",
        f"A suggestion moves at most {STEP:.0%}: what was measured holds near where it was measured.",
    )
    return Table("incrementality", "Measured beside attributed", columns, tuple(rows), notes if rows else ())


def _ends(difference: Difference | None) -> tuple[float | None, float | None, float | None]:
    return (difference.estimate, difference.low, difference.high) if difference is not None else (None, None, None)


def _band(attributed: Mapping[str, float]) -> tuple[float | None, float | None]:
    return (min(attributed.values()), max(attributed.values())) if attributed else (None, None)


def _range(low: float, high: float) -> str:
    first, last = f"{low:,.0f}", f"{high:,.0f}"
    return first if first == last else f"{first} to {last}"


def _and(words: str) -> str:
    return f"; {words}" if words else ""
