"""Which channels the customers of each segment answer, beside those they may be reached by and those they chose."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.rates import interval, share
from segue.measure.table import Cell, Column, Table

Numbers = npt.NDArray[np.int64]
"""Customers by number, each once, in order."""

EVERYONE = "everyone"


class Contactable(msgspec.Struct, frozen=True):
    """Of those who entered a rule, by channel: whom it may reach now with the rule's kind of message (there is an
    address, consent, and no suppression), and who chose it."""

    reachable: Mapping[str, Numbers]
    chosen: Mapping[str, Numbers]


def as_numbers(customers: array[int] | None) -> Numbers:
    """Customers from a list in which one may stand several times."""
    return np.unique(np.frombuffer(customers, dtype=np.int64)) if customers else np.zeros(0, dtype=np.int64)


def preferences_table(funnel: Funnel, segments: Mapping[str, Numbers], standing: Contactable) -> Table:
    """A line for each segment and channel. ``segments`` are their members, of those who entered the rule or of all."""
    entered = funnel.customers()
    reached = {channel: as_numbers(found) for channel, found in funnel.reached_by.items()}
    answered = {channel: as_numbers(found) for channel, found in funnel.answered_by.items()}
    channels = sorted(reached.keys() | standing.reachable.keys() | standing.chosen.keys())
    rows: list[tuple[Cell, ...]] = []
    for segment, members in ((EVERYONE, entered), *sorted(segments.items())):
        inside = np.intersect1d(entered, members, assume_unique=True)
        for channel in channels:
            got, reacted, may, chose = (
                len(np.intersect1d(inside, found[channel], assume_unique=True)) if channel in found else 0
                for found in (reached, answered, standing.reachable, standing.chosen)
            )
            rows.append(
                (
                    funnel.rule,
                    segment,
                    channel,
                    len(inside),
                    may,
                    chose,
                    got,
                    reacted,
                    share(reacted, got),
                    *interval(reacted, got),
                )
            )
    return Table(
        "segments",
        "Which channels the customers of each segment answer",
        (
            Column("rule", "Rule"),
            Column("segment", "Segment"),
            Column("channel", "Channel"),
            Column("customers", "Customers", "count"),
            Column("reachable", "Reachable", "count"),
            Column("chose_it", "Chose it", "count"),
            Column("sent_to", "Sent to", "count"),
            Column("answered", "Answered", "count"),
            Column("answer_rate", "Rate", "share"),
            Column("answer_low", "from", "share"),
            Column("answer_high", "to", "share"),
        ),
        tuple(rows),
        ("Customers of the rule, by the segments that they are in now; answered is who opened, clicked or replied.",),
    )
