"""Cells of CSV files, which people open in spreadsheets."""

from __future__ import annotations

import json
from typing import Any

from segue.api.cells import harmless


def cell(value: Any) -> Any:
    """A value as a cell: numbers stay numbers, what is nested is JSON, and no text is a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int | float):
        return value
    return harmless(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
