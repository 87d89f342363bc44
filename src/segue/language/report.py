"""Where the checks of one file put what they find."""

from __future__ import annotations

from segue.diagnostics import Diagnostic, Fix, Label, Lines, Span, severity
from segue.language.characters import is_mixed
from segue.language.tree import Syntax

Place = Syntax | tuple[int, int]


class Report:
    """Collects the diagnostics of one file; ``lines`` turns offsets into places."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.found: list[Diagnostic] = []

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

    def refuse(self, place: Place, what: str, hint: str = "") -> None:
        """Something that is in the language and that Segue does not carry out yet."""
        self.add(
            "E0601",
            place,
            f"{what} is understood but not carried out yet",
            label="not carried out yet",
            hint=hint or "it would be ignored if the rule ran, so the rule does not run; leave it out for now",
        )
