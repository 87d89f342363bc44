"""A rule file, laid out: what stands in it, with blank lines between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, assert_never

import msgspec

from segue.language import tree as t
from segue.language.layout_rules import RuleLayout
from segue.language.layout_steps import BLOCK
from segue.language.layout_values import DEEPER, OutOfStep
from segue.language.page import (
    HANGING,
    LINE,
    SPACE,
    WIDEST,
    Doc,
    Gap,
    Pause,
    Row,
    Statement,
    flat_width,
    group,
    joined,
    nest,
    rows_of,
    text_of,
    width,
)

_LINE_BREAK: Final = re.compile(r"[\r\n]")
_COMMENT_BESIDE: Final = re.compile(r"[ \t\f]*#[^\n]*")
_NOTHING: Final = Pause((), False)
_IN_ONE_ROW: Final = (t.Wait, t.WaitUntil, t.WaitFor, t.Send, t.Set, t.Emit, t.Stop)


class Laid(msgspec.Struct, frozen=True):
    """The rows of an item, without what stands before it, and how many comments are in them."""

    rows: tuple[Row, ...]
    comments: int


Known = Mapping[str, Laid]
"""How items are laid out, by their text, the comment at the end of their last row included. The text decides: how an
item is read and laid out depends on nothing around it."""


def lay_out(file: t.File, known: Known | None = None) -> tuple[str, Known]:
    """A file without errors, as it should look; and its items, for the next time. What is ``known`` is taken over.
    Raises OutOfStep where text and tree contradict each other."""
    layout = Layout(file.text, file.comments, known or {})
    return text_of(layout.file(file.items)), layout.laid


class Layout(RuleLayout):
    """Adds declarations, rules and tests."""

    def __init__(self, text: str, comments: Sequence[t.Comment], known: Known) -> None:
        super().__init__(text, comments)
        self._known = known
        self.laid: dict[str, Laid] = {}

    def file(self, items: tuple[t.Item, ...]) -> list[Row]:
        """All rows, in order."""
        rows: list[Row] = []
        before: tuple[type, int] | None = None
        for place, item in enumerate(items):
            pause = self._pause()
            if place:
                kept, pause = self._parted(pause, items[place - 1])
                rows += kept
                before = None if kept else before
            set_rows = [*self._set([Statement(0, pause, None, False)]), *self._item_rows(item, blank=pause.blank)]
            now = (type(item), len(set_rows))
            # Neighbours of one row each, such as events without fields, may stand together.
            together = before == now and now[1] == 1
            set_rows[0].blank = place > 0 and (pause.begins_blank or not together)
            rows += set_rows
            before = now
        pause = self._pause()
        if items:
            kept, pause = self._parted(pause, items[-1])
            rows += kept
        last = self._set([Statement(0, pause, None, bool(rows) and pause.begins_blank)])
        return rows + last

    def _item_rows(self, item: t.Item, *, blank: bool) -> list[Row]:
        """The rows of the next item, after its pause; ``blank``: whether a blank line stands right before it."""
        text = self._text[item.start : self._row_end(item.end)]
        laid = self._known.get(text)
        if laid is None:
            before = self._next_comment
            rows = self._set(self.item(item, _NOTHING))
            laid = Laid(tuple(rows), self._next_comment - before)
            if self._at != item.start + len(text):
                raise OutOfStep(self._at)
        else:
            self._at = item.start + len(text)
            self._next_comment += laid.comments
        self.laid[text] = laid
        return [Row(laid.rows[0].text, laid.rows[0].comment, blank), *laid.rows[1:]]

    def _row_end(self, end: int) -> int:
        """Where the comment at the end of a row ends, else ``end``."""
        comment = _COMMENT_BESIDE.match(self._text, end)
        return comment.end() if comment else end

    def _set(self, statements: Iterable[Statement]) -> list[Row]:
        return [row for statement in statements for row in rows_of(statement)]

    def _parted(self, pause: Pause, last: t.Item) -> tuple[list[Row], Pause]:
        """What of a pause belongs to the item before it, and the rest. Remarks right below an item that stand in deeper
        than it are about its last line, such as a step that was commented out."""
        column = last.start - self._text.rfind("\n", 0, last.start) - 1
        deeper = 0
        for remark in pause.remarks:
            if remark.blank or remark.column <= column:
                break
            deeper += 1
        kept = Pause(pause.remarks[:deeper], False)
        return self._set([Statement(BLOCK, kept, None, False)]), Pause(pause.remarks[deeper:], pause.blank)

    def item(self, item: t.Item, pause: Pause) -> list[Statement]:
        """The statements of the next item, after its pause."""
        self._out = []
        match item:
            case t.Edition():
                self._put(0, pause, joined(self._word("edition"), SPACE, self._digits()), blank=False)
            case t.EventDeclaration():
                self._event(item, pause)
            case t.CustomerDeclaration():
                self._put(0, pause, self._word("customer"), blank=False)
                self._fields(item.traits)
            case t.Segment():
                self._segment(item, pause)
            case t.Policy():
                self._policy(item, pause)
            case t.Rule():
                self._rule(item, pause)
            case t.Test():
                self._test_of_rule(item, pause)
            case t.Broken():
                raise OutOfStep(item.start)
            case _:
                assert_never(item)
        return self._out

    def _line(self, content: Doc, pause: Pause, *, blank: bool) -> None:
        """A line of an item, one block in; ``blank``: the author's blank line before it stays."""
        self._put(BLOCK, pause, content, blank=blank and pause.begins_blank)

    # Declarations

    def _event(self, event: t.EventDeclaration, pause: Pause) -> None:
        head: Doc = joined(self._word("event"), SPACE, self._name(event.name))
        if event.sent_as is not None:
            head = joined(head, SPACE, self._word("is"), SPACE, self._node(event.sent_as))
        self._put(0, pause, head, blank=False)
        self._fields(event.fields)

    def _fields(self, fields: tuple[t.Field, ...]) -> None:
        widest = max((width(field.name.text) for field in fields), default=0)
        for place, field in enumerate(fields):
            pause = self._pause()
            room = Gap(" " * (widest - width(field.name.text) + 1), False)
            self._line(joined(self._name(field.name), room, self._name(field.type)), pause, blank=place > 0)

    def _segment(self, segment: t.Segment, pause: Pause) -> None:
        parts: list[Doc] = [self._word("segment"), SPACE, self._name(segment.name)]
        if segment.title is not None:
            parts += (SPACE, self._node(segment.title))
        where = joined(self._word("where"), SPACE, self._condition(segment.condition, DEEPER))
        self._put(0, pause, joined(*parts, nest(BLOCK, LINE, where)), blank=False)

    def _policy(self, policy: t.Policy, pause: Pause) -> None:
        self._put(0, pause, joined(self._word("policy"), SPACE, self._name(policy.kind)), blank=False)
        for place, line in enumerate(policy.lines):
            pause = self._pause()
            self._line(self._policy_line(line), pause, blank=place > 0)

    def _policy_line(self, line: t.Quiet | t.Limit | t.Space | t.Budget) -> Doc:
        doc: Doc
        match line:
            case t.Quiet():
                first = joined(self._word("quiet"), SPACE, self._clock(line.first), SPACE, self._word("to"), SPACE)
                doc = self._with_zone(joined(first, self._clock(line.last)), line.zone)
            case t.Limit():
                first = joined(self._word("limit"), SPACE, self._digits(), SPACE, self._name(line.channel))
                doc = joined(first, SPACE, self._word("per"), SPACE, self._duration(line.per))
            case t.Space():
                doc = joined(self._word("space"), SPACE, self._duration(line.duration))
            case t.Budget():
                first = joined(self._word("budget"), SPACE, self._value(line.amount))
                doc = joined(first, SPACE, self._word("per"), SPACE, self._duration(line.per))
            case _:
                assert_never(line)
        if line.overflow is not None:
            doc = joined(doc, SPACE, self._word(line.overflow.action))
            if line.overflow.longest is not None:
                doc = joined(doc, SPACE, self._duration(line.overflow.longest))
        return doc

    # Rules

    def _rule(self, rule: t.Rule, pause: Pause) -> None:
        indent = 0
        if rule.name is not None:
            head: Doc = joined(self._word("rule"), SPACE, self._name(rule.name))
            if rule.title is not None:
                head = joined(head, SPACE, self._node(rule.title))
            self._put(0, pause, head, blank=False)
            pause, indent = self._pause(), BLOCK
        trigger = joined(self._trigger(rule.trigger), *self._clauses(rule.clauses))
        self._put(indent, pause, trigger, blank=False)
        for place, header in enumerate(rule.headers):
            pause = self._pause()
            self._line(self._header(header), pause, blank=place > 0)
        self._steps(rule.steps, BLOCK, blank=True)
        if self._is_sentence(rule):
            parts: list[Doc] = []
            for statement in self._out:
                assert statement.content is not None
                parts += (LINE, statement.content) if parts else (statement.content,)
            sentence = group(*parts)
            if flat_width(sentence) <= WIDEST:
                self._out = [Statement(0, self._out[0].pause, sentence, False)]

    def _is_sentence(self, rule: t.Rule) -> bool:
        """Whether the author wrote a rule as one sentence, on one line."""
        return (
            rule.name is None
            and not rule.headers
            and all(isinstance(step, _IN_ONE_ROW) for step in rule.steps)
            and not _LINE_BREAK.search(self._text, rule.start, rule.end)
        )

    # Tests

    def _test_of_rule(self, test: t.Test, pause: Pause) -> None:
        head: Doc = joined(self._word("test"), SPACE, self._node(test.title))
        if test.rule is not None:
            head = joined(head, SPACE, self._word("for"), SPACE, self._name(test.rule))
        self._put(0, pause, head, blank=False)
        moments: list[tuple[Pause, bool, Doc, Doc]] = []
        for place, line in enumerate(test.lines):
            pause = self._pause()
            if isinstance(line, t.Happens | t.Alters | t.Fails):
                at = joined(self._word("at"), SPACE, self._moment_of_test(line.at))
                moments.append((pause, place > 0, at, self._happening(line)))
                continue
            self._timeline(moments)
            self._line(self._given_or_expected(line), pause, blank=place > 0)
        self._timeline(moments)

    def _timeline(self, moments: list[tuple[Pause, bool, Doc, Doc]]) -> None:
        """Lines that begin with `at`, what happens in one column."""
        widest = max((flat_width(at) for _, _, at, _ in moments), default=0)
        for pause, blank, at, happening in moments:
            room = Gap(" " * (widest - flat_width(at) + 1), False)
            self._line(joined(at, room, happening), pause, blank=blank)
        moments.clear()

    def _moment_of_test(self, moment: t.TestMoment) -> Doc:
        if moment.after is not None:
            return self._duration(moment.after)
        assert moment.date is not None
        day = self._node(moment.date)
        return day if moment.clock is None else joined(day, SPACE, self._clock(moment.clock))

    def _happening(self, line: t.Happens | t.Alters | t.Fails) -> Doc:
        if isinstance(line, t.Fails):
            return joined(self._name(line.channel), SPACE, self._word("fails"))
        if isinstance(line, t.Alters):
            return joined(self._word("customer"), SPACE, self._facts(line.facts))
        what: Doc = self._event_name(line.name)
        if line.message is not None:
            what = joined(what, SPACE, self._node(line.message))
        return joined(what, SPACE, self._facts(line.facts)) if line.facts else what

    def _given_or_expected(
        self, line: t.GivenCustomer | t.GivenArm | t.ExpectNone | t.ExpectOne | t.ExpectCount
    ) -> Doc:
        match line:
            case t.GivenCustomer():
                return joined(self._words("given", "customer"), SPACE, self._facts(line.facts))
            case t.GivenArm():
                return joined(self._words("given", "arm"), SPACE, self._node(line.arm))
            case t.ExpectNone():
                return joined(self._words("expect", "no"), SPACE, self._name(line.what))
            case t.ExpectOne():
                expect = joined(self._word("expect"), SPACE, self._name(line.what))
                if line.message is not None:
                    expect = joined(expect, SPACE, self._node(line.message))
                if line.at is not None:
                    expect = joined(expect, SPACE, self._word("at"), SPACE, self._moment_of_test(line.at))
                return expect
            case t.ExpectCount():
                return joined(self._word("expect"), SPACE, self._digits(), SPACE, self._name(line.what))
            case _:
                assert_never(line)

    def _facts(self, facts: tuple[t.Fact, ...]) -> Doc:
        parts: list[Doc] = []
        for place, fact in enumerate(facts):
            if place:
                parts += (self._word(","), LINE)
            parts += (self._name(fact.name), SPACE, self._value(fact.value))
        return nest(HANGING, *parts)
