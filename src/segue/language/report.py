"""Where the checks of one file put what they find."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from segue.diagnostics import Diagnostic, Fix, Label, Lines, Span, severity
from segue.language.characters import is_mixed
from segue.language.tree import Syntax

Place = Syntax | tuple[int, int]


class Report:
    """Collects the diagnostics of one file; ``lines`` turns offsets into places, ``problems`` are those that the parser
    found."""

    def __init__(self, lines: Lines, problems: Iterable[Diagnostic] = ()) -> None:
        self.lines = lines
        self.found: list[Diagnostic] = []
        self._misread = sorted(each.primary.start for each in problems if each.is_error and each.primary)

    def is_sound(self, item: Syntax, before: int) -> bool:
        """Whether everything in ``item`` was understood; ``before`` is how many diagnostics there were before its
        check."""
        first = bisect_left(self._misread, item.start)
        misread = first < len(self._misread) and self._misread[first] < item.end
        return not (misread or any(diagnostic.is_error for diagnostic in self.found[before:]))

    def span(self, place: Place) -> Span:
        start, end = place if isinstance(place, tuple) else (place.start, place.end)
        return self.lines.span(start, end)

    def line(self, place: Syntax) -> int:
        return self.lines.line(place.start)

    def text(self, place: Syntax, most: int = 60) -> str:
        """What was written there, on one line."""
        written = " ".join(self.lines.text[place.start : place.end].split())
        return written if len(written) <= most else written[: most - 1] + "…"

    def add(
        self,
        code: str,
        place: Place,
        message: str,
        *,
        label: str = "",
        hint: str = "",
        write: str | None = None,
        safe: bool = False,
        also: tuple[Label, ...] = (),
    ) -> None:
        """One diagnostic; ``write`` is what was probably meant in its place, or with ``safe`` certainly."""
        span = self.span(place)
        fix = Fix(f"write `{write}`", span, write, safe) if write is not None else None
        self.found.append(
            Diagnostic(
                severity=severity(code),
                code=code,
                message=message,
                primary=span,
                label=label,
                secondary=also,
                hint=hint,
                fix=fix,
            )
        )

    def unknown(self, code: str, place: Syntax, message: str, near: str | None, hint: str) -> None:
        """An unknown word: with the nearest known one, or else the hint. One that mixes alphabets has been told
        already."""
        if is_mixed(self.lines.text[place.start : place.end]):
            return
        if near:
            self.add(code, place, message, label=f"did you mean `{near}`?", hint=hint, write=near)
        else:
            self.add(code, place, message, label="unknown", hint=hint)
