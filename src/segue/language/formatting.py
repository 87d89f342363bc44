"""The formatter: one style, no options. It keeps meaning and comments, and checks on every run that it did."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from segue.diagnostics import Diagnostic, Lines
from segue.language import tree as t
from segue.language.layout import Known, lay_out
from segue.language.layout_values import OutOfStep, shown
from segue.language.parser import parse
from segue.language.rereading import Read, read_again


class Formatted(msgspec.Struct, frozen=True):
    """A rule file's text after formatting.

    ``text`` is the text as it was where ``diagnostics`` say why it cannot be formatted: a file with a mistake in its
    grammar is left alone, whole. ``changed``: whether ``text`` is another than before.
    """

    text: str
    changed: bool
    diagnostics: tuple[Diagnostic, ...] = ()


def format_text(path: str, text: str) -> Formatted:
    """A rule file's text in the one style. ``path`` is what diagnostics call it. Never raises, whatever the text.

    The result is read again: unless it says the same as before, with the same comments, and formatting it changes
    nothing, the text stays as it was and a diagnostic (E0108) says so.
    """
    return Formatter().format(parse(path, text))


class Formatter:
    """`format_text` for a file that is formatted again and again, as in an editor: of what did not change since, the
    layout is kept, and the result is read again only where it changed."""

    def __init__(self) -> None:
        self._known: Known = {}
        self._written: Read | None = None

    @property
    def written(self) -> Read | None:
        """What was last written, as it was read again; None while everything was as it should be."""
        return self._written

    def format(self, read: Read) -> Formatted:
        """The text of a file in the one style; ``read`` is what the parser made of it."""
        tree, problems = read
        if any(problem.is_error for problem in problems):
            return Formatted(tree.text, False, problems)
        try:
            written, self._known = lay_out(tree, self._known)
            if written != tree.text and not self._is_the_same(tree, written):
                return _refused(tree.path, tree.text)
        except (OutOfStep, RecursionError):
            return _refused(tree.path, tree.text)
        return Formatted(written, written != tree.text)

    def _is_the_same(self, tree: t.File, written: str) -> bool:
        before = self._written
        if before is None or before[0].path != tree.path:
            again, problems = parse(tree.path, written)
        else:
            again, problems = read_again(before, tree.path, written)
        self._written = again, problems
        if (
            any(problem.is_error for problem in problems)
            or list(map(shown, again.comments)) != list(map(shown, tree.comments))
            or meaning(again) != meaning(tree)
        ):
            return False
        rewritten, laid = lay_out(again, self._known)
        self._known = {**self._known, **laid}
        return rewritten == written


def meaning(tree: t.File) -> list[object]:
    """What a file says: its items without their places, flat and comparable. Comments are not part of it."""
    flat: list[object] = []
    _flatten(tree.items, flat)
    return flat


def _flatten(value: object, flat: list[object]) -> None:
    if isinstance(value, msgspec.Struct):
        flat.append(type(value))
        for name in value.__struct_fields__:
            if name not in ("start", "end"):
                _flatten(getattr(value, name), flat)
    elif isinstance(value, tuple):
        flat.append(len(value))
        for each in value:
            _flatten(each, flat)
    else:
        flat.append(value.as_tuple() if isinstance(value, Decimal) else value)


def _refused(path: str, text: str) -> Formatted:
    return Formatted(
        text,
        False,
        (
            Diagnostic(
                severity="error",
                code="E0108",
                message="this file was left as it is: formatted, it would not say exactly the same",
                primary=Lines(path, text).span(0, 0),
                hint="the fault is in `segue fmt`, not in your file; please report it, with the file",
            ),
        ),
    )
