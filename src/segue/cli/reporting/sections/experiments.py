"""Experiments and holdouts, and what they say beside attribution."""

from __future__ import annotations

from segue.cli.reporting.material import Material, Section


def sections(material: Material) -> list[Section]:
    """What differs between those who were sent to and those who were not."""
    return [
        Section(
            "experiments",
            "Experiments and holdouts",
            missing=("No rule has a holdout: write `holdout 5%` in a rule to learn what it changes.",),
        )
    ]
