"""What a message may have attached: ``attach: report 7d`` in the front matter of its content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

ATTACH: Final = "attach"
"""The part that says it. It is for Segue, and no channel is handed it."""

MOST_DAYS: Final = 366
_REPORT: Final = re.compile(r"report\s+([1-9]\d{0,2})d")


def report_days(parts: Mapping[str, str]) -> int | None:
    """How many whole days the report covers that goes with a message of these parts; None where none goes with it."""
    found = _REPORT.fullmatch(parts.get(ATTACH, "").strip())
    days = int(found[1]) if found is not None else 0
    return days if 0 < days <= MOST_DAYS else None
