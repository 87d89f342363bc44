"""Which plugins may offer a kind of thing, told without importing them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec


def that_may_offer(hook: str, entry_points: Iterable[metadata.EntryPoint]) -> list[metadata.EntryPoint]:
    """The entry points whose module names the hook, and those of which that cannot be told: what is no module of
    Python text, or takes in all that another has. A command that wants one kind of thing imports only these."""
    return [entry for entry in entry_points if _may_offer(hook, entry)]


def _may_offer(hook: str, entry: metadata.EntryPoint) -> bool:
    if entry.attr or "." in entry.module:
        return True
    try:
        found = find_spec(entry.module)
        if found is None or found.origin is None or not found.origin.endswith(".py"):
            return True
        with open(found.origin, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError, ImportError):
        return True
    return hook in text or "import *" in text or "__getattr__" in text
