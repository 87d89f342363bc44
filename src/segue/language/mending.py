"""Mends a rule book: makes the safe fixes of its diagnostics, checks it again, and so on until there is none left.

One mistake can hide another in the same rule, so each round finds further ones. A fix in whose place a new error
stands afterwards is taken back, and tried again only once another fix has changed the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from segue.diagnostics import Diagnostic, Fix
from segue.diagnostics.fixes import Applied, apply_fixes
from segue.language.book import Checked, Source

MOST_ROUNDS: Final = 100
"""Checks of the book at most. Each makes a fix, or gives one up."""

Check = Callable[[Sequence[Source]], Checked]
"""How the book is checked, with its words."""


class Mended(msgspec.Struct, frozen=True):
    """The files after their fixes, what was fixed (each at its place at the time), and the check of the result."""

    sources: tuple[Source, ...]
    fixed: tuple[Diagnostic, ...]
    checked: Checked


def mend(sources: Sequence[Source], check: Check) -> Mended:
    """Make every safe fix. Never raises for what stands in the files."""
    now = tuple(sources)
    checked = check(now)
    fixed: list[Diagnostic] = []
    refused: set[Fix] = set()
    for _ in range(MOST_ROUNDS):
        tried = {
            diagnostic.fix: diagnostic
            for diagnostic in checked.diagnostics
            if diagnostic.fix is not None and diagnostic.fix.safe and diagnostic.fix not in refused
        }
        if not tried:
            break
        rounds = {
            source.path: apply_fixes(source.text, [fix for fix in tried if fix.span.file == source.path])
            for source in now
        }
        after = tuple(Source(source.path, rounds[source.path].text) for source in now)
        result = check(after)
        harm = _harm(checked.diagnostics, result.diagnostics, rounds)
        if harm:
            refused |= harm
            continue
        fixed += [tried[fix] for applied in rounds.values() for fix in applied.made]
        refused.clear()  # the error may only have come to light: now that it is known, a fix beside it does no harm
        now, checked = after, result
    return Mended(now, tuple(fixed), checked)


def _harm(before: Sequence[Diagnostic], after: Sequence[Diagnostic], rounds: dict[str, Applied]) -> set[Fix]:
    """The fixes of a round in whose place an error stands that was not there before, or that they should have ended."""
    made = {fix for applied in rounds.values() for fix in applied.made}
    known = {
        (one.primary.file, rounds[one.primary.file].moved(one.primary.start), one.code)
        for one in before
        if one.primary is not None and one.primary.file in rounds and one.fix not in made
    }
    harm: set[Fix] = set()
    for one in after:
        span = one.primary
        if one.is_error and span is not None and span.file in rounds and (span.file, span.start, one.code) not in known:
            harm.update(rounds[span.file].touching(span.start, span.end))
    return harm
