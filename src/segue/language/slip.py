"""What a slip is: a place where people write what they want and not yet how it is written, and its cure."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.diagnostics import Diagnostic, Fix, Lines


class Slip(msgspec.Struct, frozen=True):
    """What is wrong and how it is written. ``start`` and ``end`` are the place, ``write`` what stands there instead.

    ``safe`` where there is no doubt about it. There is doubt where the same slip can mean two things: `1,000` is a
    thousand to some and one to others, `last month` thirty days or a calendar month, `$` one of twenty dollars.
    """

    start: int
    end: int
    message: str
    hint: str
    label: str = ""
    write: str | None = None
    code: str = "E0201"
    safe: bool = False

    def diagnostic(self, lines: Lines) -> Diagnostic:
        """As it is told, with the fix where there is one."""
        fix = None
        if self.write is not None:
            title = f"write `{self.write.strip()}`" if self.write.strip() else "delete it"
            fix = Fix(title, lines.span(self.start, self.end), self.write, self.safe)
        return Diagnostic(
            severity="error",
            code=self.code,
            message=self.message,
            primary=lines.span(self.start, self.end),
            label=self.label,
            hint=self.hint,
            fix=fix,
        )


_NEAR: Final = 1000
"""How many characters around a mistake are looked at for what its author meant: one word may have a megabyte."""


def earlier(text: str, begins: int, start: int) -> str:
    """The text of a piece before a place, as far as a slip may reach."""
    return text[max(begins, start - _NEAR) : start]


def later(text: str, end: int, ends: int) -> str:
    """The same after a place."""
    return text[end : min(ends, end + _NEAR)]


class Place(msgspec.Struct, frozen=True):
    """The word that cannot stand there, with what is around it: ``earlier`` and ``later`` are the piece's text before
    and after, ``before`` is the word before, ``accepts`` the kinds of words that could stand."""

    word: str
    start: int
    end: int
    before: str
    earlier: str
    later: str
    accepts: frozenset[str]

    def slip(
        self, message: str, hint: str, *, write: str | None = None, code: str = "E0201", safe: bool = False
    ) -> Slip:
        """A slip at the word itself."""
        return Slip(self.start, self.end, message, hint, f"write `{write}`" if write else "", write, code, safe)

    def instead_of_before(self, message: str, hint: str, *, write: str = "", safe: bool = False) -> Slip:
        """A slip at the word before, with the gap after it."""
        start = self.start - (len(self.earlier) - self.earlier.rfind(self.before))
        label = f"write `{write.strip()}`" if write else "delete it"
        return Slip(start, self.start, message, hint, label, write, safe=safe)

    def takes_away(self, message: str, hint: str, *, code: str = "E0201") -> Slip:
        """A slip whose cure is to delete the word."""
        return Slip(self.start, self.end, message, hint, "delete it", self._gap(), code, safe=True)

    def _gap(self) -> str:
        """What stands in place of a deleted word: a space where its neighbours would grow together."""
        apart = self.earlier[-1:].isspace() or self.later[:1].isspace()
        return "" if apart or not self.earlier or not self.later else " "
