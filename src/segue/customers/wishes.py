"""What customers choose for each kind of message beside agreeing to it: the channel, and how often at most.

Both are traits, so that a form, an import and the preference page set them alike, and rules may read them:
``preferred_channel_promotional`` and ``frequency_promotional``; ``preferred_channel`` is for every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from segue.api import Period

FREQUENCIES: Final[Mapping[str, Period]] = {
    "daily": Period(days=1),
    "weekly": Period(days=7),
    "monthly": Period(months=1),
}
"""At most one message of the kind in such a time, whatever the channel; absent: as the contact policy says."""

PREFERRED: Final = "preferred_channel"


def frequency_trait(kind: str) -> str:
    """The trait that says how often at most."""
    return f"frequency_{kind}"


def preferred_trait(kind: str) -> str:
    """The trait that names the channel chosen for a kind."""
    return f"{PREFERRED}_{kind}"


def chosen_frequency(traits: Mapping[str, Any], kind: str) -> Period | None:
    """How long a customer wants there to be between two messages of a kind; None where they did not say. Transactional
    messages come when they are needed."""
    chosen = traits.get(frequency_trait(kind)) if kind != "transactional" else None
    return FREQUENCIES.get(chosen) if isinstance(chosen, str) else None


def chosen_channel(traits: Mapping[str, Any], kind: str) -> str | None:
    """The channel that a customer chose for a kind; None where they did not."""
    chosen = traits.get(preferred_trait(kind)) or traits.get(PREFERRED)
    return chosen if isinstance(chosen, str) else None
