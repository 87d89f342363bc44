"""The known name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 60


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` most like ``word``, None when nothing is near."""
    if not word or len(word) > _LONGEST:
        return None
    candidates = {candidate.casefold(): candidate for candidate in sorted(known) if candidate != word}
    matches = get_close_matches(word.casefold(), candidates, n=1, cutoff=0.7)
    return candidates[matches[0]] if matches else None


def listed(words: Iterable[str], most: int = 8) -> str:
    """Words as a phrase: `a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in sorted(words)]
    if len(quoted) > most:
        quoted = [*quoted[:most], f"{len(quoted) - most} more"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}" if quoted else ""
