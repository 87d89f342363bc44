"""Paths into a JSON body: ``data.order.total``, ``lines.0.sku``, ``data.total_cents / 100``, ``=EUR``."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from segue.api.webhooks import number

__all__ = ["Path", "read_path"]

_DIVIDED: Final = re.compile(r"(.+?) / (\d{1,9})")


class Path(msgspec.Struct, frozen=True):
    """Where a value lies. ``steps`` lead there from the outside; ``divisor`` is what a number is divided by;
    ``constant`` stands for the value itself, whatever the body says."""

    steps: tuple[str, ...] = ()
    divisor: int = 1
    constant: str | None = None

    def find(self, body: Any) -> Any:
        """The value there; None where there is none, or where something else than a number was to be divided."""
        if self.constant is not None:
            return self.constant
        for step in self.steps:
            if isinstance(body, dict):
                body = body.get(step)
            elif isinstance(body, list) and step.isascii() and step.isdigit() and len(step) < 7:
                body = body[int(step)] if int(step) < len(body) else None
            else:
                return None
        if self.divisor == 1:
            return body
        amount = number(body)
        return number(Decimal(str(amount)) / self.divisor) if amount is not None else None


def read_path(written: str, setting: str) -> Path:
    """The path that a setting writes. Raises ValueError with a sentence."""
    if written.startswith("="):
        return Path(constant=written[1:])
    divided = _DIVIDED.fullmatch(written)
    divisor = int(divided[2]) if divided is not None else 1
    steps = tuple((divided[1] if divided is not None else written).split("."))
    if "" in steps or divisor == 0 or any(step != step.strip() for step in steps):
        raise ValueError(
            f"`{setting}` is {written!r}, which is no path: write names with dots between them, such as "
            '"data.order.id", a number for a place in a list ("lines.0.sku"), " / 100" behind an amount in cents, or '
            '"=EUR" for a text that is always the same'
        )
    return Path(steps, divisor)
