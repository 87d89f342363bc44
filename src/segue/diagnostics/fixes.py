"""Fixes put into a text. Which fixes, and whether they mend, is for others to say (`segue.language.mending`)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

import msgspec

from segue.diagnostics.diagnostic import Fix


class Applied(msgspec.Struct, frozen=True):
    """A text with fixes put in. ``made`` are those, from the beginning of the text to its end; ``old`` and ``new`` are
    where each begins in the text before and in ``text``."""

    text: str
    made: tuple[Fix, ...]
    old: tuple[int, ...]
    new: tuple[int, ...]

    def moved(self, offset: int) -> int:
        """Where a place of the text before is now. What was replaced counts as its beginning."""
        last = bisect_right(self.old, offset) - 1
        if last < 0:
            return offset
        fix, start = self.made[last], self.new[last]
        if offset < fix.span.end or offset == fix.span.start:
            return start
        return start + len(fix.replacement) + offset - fix.span.end

    def touching(self, start: int, end: int) -> Iterator[Fix]:
        """The fixes whose replacement a stretch of ``text`` touches; of a deletion, the character that followed."""
        for place in range(bisect_left(self.new, max(end, start + 1)) - 1, -1, -1):
            fix, begins = self.made[place], self.new[place]
            if begins + max(len(fix.replacement), 1) <= start:
                return
            yield fix


def apply_fixes(text: str, fixes: Iterable[Fix]) -> Applied:
    """Put fixes of one text into it. Of two that overlap or touch, the first is made: the second was found in a text
    that is no more."""
    parts: list[str] = []
    made: list[Fix] = []
    new: list[int] = []
    at = length = 0
    for fix in sorted(dict.fromkeys(fixes), key=lambda fix: (fix.span.start, fix.span.end)):
        if made and fix.span.start <= at:
            continue
        kept = text[at : fix.span.start]
        made.append(fix)
        new.append(length + len(kept))
        parts += [kept, fix.replacement]
        length = new[-1] + len(fix.replacement)
        at = fix.span.end
    return Applied("".join([*parts, text[at:]]), tuple(made), tuple(fix.span.start for fix in made), tuple(new))
