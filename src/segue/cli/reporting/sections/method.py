"""How the numbers were made."""

from __future__ import annotations

from typing import Final

from segue.api import Instant, to_rfc3339
from segue.cli.reporting.material import Material, Section
from segue.measure.table import Column, Table

_TERMS = (
    ("Journey begun", "A customer entered a rule in the period."),
    (
        "Message sent",
        "Decided in the period, and taken by a provider by now. Skipped: Segue did not send it. Refused: the provider "
        "did not take it. Undelivered: it took it and reported later that it did not arrive.",
    ),
    (
        "Opened, clicked",
        "Messages, each counted once, for which a person's reaction was reported. What programs open is left out where "
        "Segue can tell; mail programs that load pictures by themselves cannot always be told from people.",
    ),
    ("Conversion", "The goal of a rule was met in the period, within the time that the goal allows."),
    (
        "Orders",
        "All of the shop's, whether messages had a part in them or not, each once and by its own time, but for those "
        "that were cancelled. What was paid back (order_refunded) counts with its order, however late it came.",
    ),
    ("Cost", "What messages cost by the channels' prices. What was skipped, refused or undelivered costs nothing."),
    (
        "Change",
        "Against the stretch just before: as many days, from and until the same times of the day. Only where the store "
        "knows all of that stretch.",
    ),
)

_NOTES: Final = {"content": 2}
"""How many notes of a table stand here; those after them are about single rows."""


def sections(material: Material) -> list[Section]:
    """Definitions, the period, the store's moment, and what was left out."""
    zone = str(material.zone)
    since, until = (
        material.shown.moment(to_rfc3339(moment)) for moment in (material.period.since, material.period.until)
    )
    notes = dict.fromkeys(
        note for name, table in material.tables.items() for note in table.notes[: _NOTES.get(name, 4)]
    )
    return [
        Section(
            "method",
            "How the numbers were made",
            (
                f"The period is from {since} until {until}, by the clock of {zone}; a day is a day there.",
                f"All figures are as the store stood at {material.shown.moment(to_rfc3339(Instant(material.made)))}: "
                "what is reported later changes them.",
                "Customers who were erased, and what was deleted by age, are not counted.",
                *notes,
            ),
            tables=(
                Table(
                    "terms",
                    "What the words mean",
                    (Column("term", "Word"), Column("meaning", "Meaning")),
                    _TERMS,
                ),
            ),
        )
    ]
