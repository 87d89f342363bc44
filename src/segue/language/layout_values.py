"""Values and conditions, laid out from the tree. Words are taken from the text in their order, each with the comments
beside it, so that none can be lost; the tree says which word comes next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, assert_never

from segue.language import tree as t
from segue.language.page import HANGING, LINE, SOFT, SPACE, Doc, Joined, Pause, Remark, Word, group, joined, nest

_GAP: Final = re.compile(r"[ \t\f\r\n]*")
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_DIGITS: Final = re.compile(r"\d+(?:\.\d+)?")
_ZEROS: Final = re.compile(r"^0+(?=\d)")
_PART_OF_DURATION: Final = re.compile(r"(\d+)(mo|min|w|d|h|s)")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")

DEEPER: Final = 2
"""Columns by which what breaks inside something broken stands in."""


class OutOfStep(Exception):
    """The text does not go on as the tree says: a fault of the formatter."""


class ValueLayout:
    """Walks through one file's text, word by word."""

    def __init__(self, text: str, comments: Sequence[t.Comment]) -> None:
        self._text = text
        self._comments = comments
        self._next_comment = 0
        self._at = len(text) - len(text.removeprefix("\ufeff"))  # the mark that some editors put first

    # Words and comments

    def _pause(self) -> Pause:
        """The remarks before the next word."""
        remarks: list[Remark] = []
        while True:
            gap = _GAP.match(self._text, self._at)
            assert gap is not None
            blank = len(_LINE_BREAK.findall(gap.group())) > 1
            self._at = gap.end()
            if not self._text.startswith("#", self._at):
                return Pause(tuple(remarks), blank)
            column = self._at - self._text.rfind("\n", 0, self._at) - 1
            remarks.append(Remark(self._comment(), column, blank))

    def _comment(self) -> str:
        """The comment that begins here."""
        if self._next_comment == len(self._comments):
            raise OutOfStep(self._at)
        comment = self._comments[self._next_comment]
        if comment.start != self._at:
            raise OutOfStep(self._at)
        self._next_comment += 1
        self._at = comment.end
        return shown(comment)

    def _take(self, length: int, written: str) -> Word:
        """The next word of the text, ``length`` characters long, and how it is written. `_pause` went before."""
        self._at += length
        gap = _GAP.match(self._text, self._at)
        assert gap is not None
        after = None
        if self._text.startswith("#", gap.end()) and not _LINE_BREAK.search(gap.group()):
            self._at = gap.end()
            after = self._comment()
        return Word(written, (), after)

    def _word(self, word: str) -> Word:
        """A word or a mark of the language."""
        before = self._pause().remarks
        if not self._text.startswith(word, self._at):
            raise OutOfStep(self._at)
        taken = self._take(len(word), word)
        return Word(word, before, taken.after) if before else taken

    def _words(self, *words: str) -> Joined:
        first, *rest = words
        parts: list[Doc] = [self._word(first)]
        for word in rest:
            parts += (SPACE, self._word(word))
        return joined(*parts)

    def _node(self, node: t.Syntax, written: str | None = None) -> Word:
        """What is one word in the tree too."""
        before = self._pause().remarks
        if self._at != node.start:
            raise OutOfStep(self._at)
        taken = self._take(node.end - node.start, self._text[node.start : node.end] if written is None else written)
        return Word(taken.text, before, taken.after) if before else taken

    def _matched(self, pattern: re.Pattern[str]) -> Word:
        """A word that stands in the tree by its meaning only, such as the number of a `repeat`."""
        before = self._pause().remarks
        match = pattern.match(self._text, self._at)
        if match is None:
            raise OutOfStep(self._at)
        return Word(match.group(), before, self._take(len(match.group()), "").after)

    def _digits(self, mark: str = "") -> Word:
        """A number, without needless zeros before it; a percentage with its ``mark``."""
        before = self._pause().remarks
        match = _DIGITS.match(self._text, self._at)
        if match is None or not self._text.startswith(mark, match.end()):
            raise OutOfStep(self._at)
        taken = self._take(len(match.group()) + len(mark), _ZEROS.sub("", match.group()) + mark)
        return Word(taken.text, before, taken.after)

    def _name(self, name: t.Name) -> Word:
        return self._node(name, name.text)

    # Values

    def _duration(self, node: t.Duration | t.TestMoment) -> Joined:
        """`1w 3d`: the parts apart."""
        parts: list[Doc] = []
        while True:
            before = self._pause().remarks
            match = _PART_OF_DURATION.match(self._text, self._at)
            if match is None:
                raise OutOfStep(self._at)
            taken = self._take(len(match.group()), _ZEROS.sub("", match[1]) + match[2])
            if parts:
                parts.append(SPACE)
            parts.append(Word(taken.text, before, taken.after))
            if match.end() >= node.end:
                return joined(*parts)

    def _clock(self, node: t.ClockTime) -> Word:
        return self._node(node, f"{node.minute // 60:02}:{node.minute % 60:02}")

    def _with_zone(self, doc: Doc, zone: t.Zone | None) -> Doc:
        return doc if zone is None else joined(doc, SPACE, self._node(zone))

    def _path(self, node: t.Path | t.TraitPath) -> Doc:
        if isinstance(node, t.TraitPath):
            return joined(self._word("customer"), self._word("."), self._name(node.name))
        first, *rest = node.names
        parts: list[Doc] = [self._name(first)]
        for name in rest:
            parts += (self._word("."), self._name(name))
        return joined(*parts)

    def _listed(self, values: Sequence[t.Expression]) -> Joined:
        """`A, B, C`, one a row where they don't go on one."""
        first, *rest = values
        parts: list[Doc] = [self._value(first)]
        for value in rest:
            parts += (self._word(","), LINE, self._value(value))
        return joined(*parts)

    def _between(self, first: t.ClockTime, last: t.ClockTime, zone: t.Zone | None) -> Doc:
        words = self._words("time", "between")
        return self._with_zone(
            joined(words, SPACE, self._clock(first), SPACE, self._word("and"), SPACE, self._clock(last)), zone
        )

    def _assignments(self, values: tuple[t.Assignment, ...], by: int = DEEPER) -> Doc:
        """`with a = 1, b = 2`."""
        parts: list[Doc] = [self._word("with"), SPACE]
        for place, each in enumerate(values):
            if place:
                parts += (self._word(","), LINE)
            parts += (self._name(each.name), SPACE, self._word("="), SPACE, self._value(each.value))
        return group(nest(by, *parts))

    def _condition(self, node: t.Expression, by: int = HANGING) -> Doc:
        """A condition; the rows after its first stand in by ``by``."""
        return nest(by, self._value(node))

    def _value(self, node: t.Expression) -> Doc:
        match node:
            case t.Number():
                return self._digits()
            case t.Amount():
                number = self._digits()
                return joined(number, SPACE, self._matched(_CURRENCY))
            case t.Text() | t.Truth() | t.DayOfWeek() | t.Date() | t.Now():
                return self._node(node)
            case t.Duration():
                return self._duration(node)
            case t.ClockTime():
                return self._clock(node)
            case t.Path() | t.TraitPath():
                return self._path(node)
            case t.Call():
                name = joined(self._name(node.name), self._word("("))
                if not node.arguments:
                    return joined(name, self._word(")"))
                arguments = self._listed(node.arguments)
                return group(name, nest(DEEPER, SOFT, arguments), SOFT, self._word(")"))
            case t.Signed():
                return joined(self._word(node.sign), self._value(node.value))
            case t.Group():
                return self._in_brackets(node.value)
            case t.Calculation():
                parts: list[Doc] = [self._value(node.first)]
                for sign, value in node.rest:
                    parts += (LINE, self._word(sign), SPACE, self._value(value))
                return group(*parts)
            case _:
                return self._test(node)

    def _in_brackets(self, value: t.Expression) -> Doc:
        first = self._word("(")
        inside = self._value(value)
        return group(first, nest(DEEPER, SOFT, inside), SOFT, self._word(")"))

    def _test(
        self,
        node: t.Comparison
        | t.BetweenTest
        | t.OneOfTest
        | t.ContainsTest
        | t.History
        | t.Reaction
        | t.TimeOfDayTest
        | t.InsideTest
        | t.CanGetTest
        | t.Not
        | t.And
        | t.Or,
    ) -> Doc:
        match node:
            case t.Comparison():
                return joined(self._value(node.left), SPACE, self._word(node.op), SPACE, self._value(node.right))
            case t.BetweenTest():
                return joined(
                    *(self._value(node.value), SPACE, self._word("between"), SPACE, self._value(node.low)),
                    *(SPACE, self._word("and"), SPACE, self._value(node.high)),
                )
            case t.OneOfTest():
                first = joined(self._value(node.value), SPACE, self._word("in"), SPACE, self._word("["))
                among = self._listed(node.among)
                return group(first, nest(DEEPER, SOFT, among), SOFT, self._word("]"))
            case t.ContainsTest():
                return joined(self._value(node.value), SPACE, self._word("in"), SPACE, self._path(node.list))
            case t.History():
                return self._history(node)
            case t.Reaction():
                name = self._name(node.name)
                if node.channel is not None:
                    return joined(name, SPACE, self._name(node.channel))
                assert node.message is not None
                return joined(name, SPACE, self._node(node.message))
            case t.TimeOfDayTest():
                return self._between(node.first, node.last, node.zone)
            case t.InsideTest():
                return joined(self._word("in"), SPACE, self._name(node.name))
            case t.CanGetTest():
                return joined(self._words("can", "get"), SPACE, self._name(node.channel))
            case t.Not():
                return joined(self._word("not"), SPACE, self._value(node.value))
            case t.And():
                return self._chain("and", node.parts)
            case t.Or():
                return self._chain("or", node.parts)
            case _:
                assert_never(node)

    def _chain(self, word: str, values: tuple[t.Expression, ...]) -> Doc:
        first, *rest = values
        parts: list[Doc] = [self._link(first)]
        for value in rest:
            parts += (LINE, self._word(word), SPACE, self._link(value))
        return group(*parts)

    def _link(self, value: t.Expression) -> Doc:
        """A part of a chain: an `and` within an `or` stands in deeper."""
        doc = self._value(value)
        return nest(DEEPER, doc) if isinstance(value, t.And) else doc

    def _history(self, node: t.History) -> Doc:
        parts: list[Doc] = [self._path(node.path)]
        if node.where is not None:
            parts += (SPACE, self._word("where"), SPACE, self._in_brackets(node.where))
        if node.times is not None:
            parts += (SPACE, self._words("at", "least"), SPACE, self._digits(), SPACE, self._word("times"))
        match node.window:
            case t.InLast():
                parts += (SPACE, self._words("in", "last"), SPACE, self._duration(node.window.duration))
            case t.Ever():
                parts += (SPACE, self._word("ever"))
        return joined(*parts)


def shown(comment: t.Comment) -> str:
    """A comment as it is written: without the white space at its end."""
    return comment.text.rstrip(" \t\f\r")
