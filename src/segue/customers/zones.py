"""Where a customer lives, as far as the clock goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.program.calendar import find_zone
from segue.program.facts import ZONE_TRAIT


def known_zone(name: object) -> str | None:
    """The name itself where it is that of a zone; None for anything else."""
    return name if isinstance(name, str) and find_zone(name) is not None else None


def zone_of(traits: Mapping[str, Any]) -> str | None:
    """The name of the customer's own zone; None where the project's holds."""
    named = traits.get(ZONE_TRAIT)
    return known_zone(named) if named is not None else None
