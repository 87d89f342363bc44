"""Where a customer lives, as far as the clock goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from segue.customers import normal
from segue.program.calendar import find_zone


def zone_of(traits: Mapping[str, Any]) -> str | None:
    """The name of the customer's own zone; None where the project's holds."""
    return normal.derived_zone(traits)


def clock_of(traits: Mapping[str, Any], project: tzinfo) -> tzinfo:
    """The zone by whose clock the customer lives."""
    name = normal.derived_zone(traits)
    return (find_zone(name) if name is not None else None) or project
