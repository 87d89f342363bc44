"""Reading a text again after a change: only what the change touches is parsed, the rest is taken over and moved.

A file is cut into pieces from left to right, and where a piece begins the cutting starts afresh
(`segue.language.pieces`). So what stands before the change stays; and where, after it, a piece begins that began there
before, everything from there on is the same again, so many characters further on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any, Final, TypeVar

import msgspec

from segue.diagnostics import Diagnostic, Label, Span, in_order
from segue.language import tree as t
from segue.language.keywords import BUILT_IN, KEYWORDS
from segue.language.parser import parse

Read = tuple[t.File, tuple[Diagnostic, ...]]
"""A tree, and what is wrong with its text."""

S = TypeVar("S", bound=msgspec.Struct)

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SMALL: Final = 2_000
"""Characters: a shorter text is read whole."""


def read_again(before: Read, path: str, text: str, small: int = _SMALL) -> Read:
    """The same as `parse(path, text)`, quicker: ``before`` is what an earlier text of the file was read as."""
    tree, problems = before
    old = tree.text
    if text == old and tree.path == path:
        return before
    if min(len(text), len(old)) < small or tree.path != path:
        return parse(path, text)
    same_before = _same(old, text)
    longest = min(len(old), len(text)) - same_before
    same_after = _same(old[len(old) - longest :][::-1], text[len(text) - longest :][::-1])
    start = _beginning(tree, same_before)
    first, second = _resumption(tree, len(old) - same_after)
    end = len(old) if second is None else second
    moved = len(text) - len(old)
    middle, found = parse(path, text[start : end + moved])
    kept = tuple(item for item in tree.items if item.start >= end)
    if second is not None and not (first is not None and _begins_at(middle, first + moved - start)):
        return parse(path, text)
    if any(isinstance(item, t.Edition) for item in (*kept, *(middle.items if start else ()))):
        return parse(path, text)
    lines = text.count("\n", 0, start)
    items = (
        *(item for item in tree.items if item.start < start),
        *(_moved(item, start) for item in middle.items),
        *(_moved(item, moved) for item in kept),
    )
    comments = (
        *(comment for comment in tree.comments if comment.start < start),
        *(_moved(comment, start) for comment in middle.comments),
        *(_moved(comment, moved) for comment in tree.comments if comment.start >= end),
    )
    further = text.count("\n") - old.count("\n")
    told = (
        *(one for one in problems if _place(one) < start),
        *(_moved_diagnostic(one, start, lines) for one in found),
        *(_moved_diagnostic(one, moved, further) for one in problems if _place(one) >= end),
    )
    return t.File(path, text, items, comments), in_order(told)


class Edit(msgspec.Struct, frozen=True, order=True):
    """Put ``text`` in place of what stands between two offsets."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Sequence[Edit]) -> str:
    """A text after edits, which are given in the order of places."""
    out: list[str] = []
    last = 0
    for edit in edits:
        out += [text[last : edit.start], edit.text]
        last = edit.end
    return "".join([*out, text[last:]])


def read_edited(before: Read, edits: Sequence[Edit]) -> Read:
    """The same as parsing the text after ``edits``, quicker: only the items in which they stand are parsed, as in a
    renaming, whose edits are many and small. The edits are in the order of places."""
    tree, problems = before
    text = apply(tree.text, edits)
    touched = _touched(tree, edits)
    if not edits or problems or touched is None:
        return read_again(before, tree.path, text)
    items: list[t.Item] = []
    comments: list[t.Comment] = []
    by = at = 0
    for item in tree.items:
        while at < len(tree.comments) and tree.comments[at].start < item.start:
            comments.append(_moved(tree.comments[at], by))
            at += 1
        inner = touched.get(item.start, ())
        if not inner:
            items.append(_moved(item, by))
            continue
        longer = sum(len(edit.text) - (edit.end - edit.start) for edit in inner)
        start = item.start + by
        named = _Renamed(tree, item, inner, by)
        if named.item is not None:
            items.append(named.item)
            while at < len(tree.comments) and tree.comments[at].start < item.end:
                comments.append(named.comment(tree.comments[at]))
                at += 1
            by += longer
            continue
        read, found = parse(tree.path, text[start : item.end + by + longer])
        if found or len(read.items) != 1 or read.items[0].start or read.items[0].end != len(read.text):
            return read_again(before, tree.path, text)
        items.append(_moved(read.items[0], start))
        comments += [_moved(comment, start) for comment in read.comments]
        while at < len(tree.comments) and tree.comments[at].start < item.end:
            at += 1
        by += longer
    comments += [_moved(comment, by) for comment in tree.comments[at:]]
    return t.File(tree.path, text, tuple(items), tuple(comments)), ()


class _Renamed:
    """An item in which edits give names another spelling: the tree of before with the names of after. A name is one
    word for the parser whatever it is, as long as the language has no such word. ``item`` is None where this does not
    hold."""

    def __init__(self, tree: t.File, item: t.Item, edits: Sequence[Edit], by: int) -> None:
        self.item: t.Item | None = None
        if not all(_PLAIN.fullmatch(edit.text) and edit.text not in _words() for edit in edits):
            return
        self._by = by
        self._ends = [edit.end for edit in edits]
        self._longer = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in edits)]
        self._edits = {(edit.start, edit.end): edit.text for edit in edits}
        self._met = 0
        found: t.Item = self._node(item)
        if self._met == len(edits):
            self.item = found

    def comment(self, one: t.Comment) -> t.Comment:
        start, end = self._place(one.start), self._place(one.end)
        return t.Comment(start, end, one.text, self._place(one.follows))

    def _place(self, offset: int) -> int:
        return offset + self._by + self._longer[bisect_right(self._ends, offset)]

    def _node(self, node: t.Syntax) -> Any:
        start, end = node.start, node.end
        values = [self._value(getattr(node, field)) for field in _plan(type(node))]
        if isinstance(node, t.Name) and (start, end) in self._edits:
            self._met += 1
            values = [self._edits[start, end]]
        return type(node)(self._place(start), self._place(end), *values)

    def _value(self, value: Any) -> Any:
        if isinstance(value, t.Syntax):
            return self._node(value)
        if type(value) is tuple:
            return tuple([self._value(part) for part in value])
        return value


@cache
def _words() -> frozenset[str]:
    """Every word that the grammar names, and some more."""
    grammar = files("segue.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return frozenset(re.findall(r"[a-zA-Z]+", grammar)) | KEYWORDS | BUILT_IN


def _touched(tree: t.File, edits: Sequence[Edit]) -> dict[int, list[Edit]] | None:
    """The edits within each item, by its start; None where one stands elsewhere."""
    found: dict[int, list[Edit]] = {}
    items = iter(tree.items)
    item = next(items, None)
    for edit in edits:
        while item is not None and item.end < edit.end:
            item = next(items, None)
        if item is None or edit.start < item.start:
            return None
        found.setdefault(item.start, []).append(edit)
    return found


def _same(one: str, other: str) -> int:
    """How many characters two texts have in common from the beginning."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


def _beginning(tree: t.File, change: int) -> int:
    """Where a piece begins a line, with a whole piece between it and the change; else the beginning of the file."""
    starts = [item.start for item in tree.items if item.end < change and _is_piece(item)]
    return next((start for start in reversed(starts[:-1]) if _begins_line(tree.text, start)), 0)


def _resumption(tree: t.File, change: int) -> tuple[int | None, int | None]:
    """The first two pieces after the change that begin a line."""
    found = (
        item.start
        for item in tree.items
        if item.start > change and _is_piece(item) and _begins_line(tree.text, item.start)
    )
    return next(found, None), next(found, None)


def _begins_at(tree: t.File, place: int) -> bool:
    return any(item.start == place and _is_piece(item) for item in tree.items)


def _is_piece(item: t.Item) -> bool:
    """Whether a piece begins with it; the rest of a broken one has no first word."""
    return not (isinstance(item, t.Broken) and not item.begins)


def _begins_line(text: str, start: int) -> bool:
    return start > 0 and text[start - 1] == "\n"


def _place(diagnostic: Diagnostic) -> int:
    return diagnostic.primary.start if diagnostic.primary else 0


@cache
def _plan(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a node, places first."""
    return tuple(field for field in kind.__struct_fields__ if field not in ("start", "end"))


def _moved(node: S, by: int) -> S:
    """A node so many characters further on."""
    if not by:
        return node
    values = [_moved_value(getattr(node, field), by) for field in _plan(type(node))]
    if isinstance(node, t.Comment):
        return type(node)(node.start + by, node.end + by, node.text, node.follows + by)
    return type(node)(node.start + by, node.end + by, *values)  # type: ignore[attr-defined]


def _moved_value(value: Any, by: int) -> Any:
    if isinstance(value, t.Syntax):
        return _moved(value, by)
    if type(value) is tuple:
        return tuple([_moved_value(part, by) for part in value])
    return value


def _moved_diagnostic(one: Diagnostic, by: int, lines: int) -> Diagnostic:
    def span(place: Span) -> Span:
        return Span(place.file, place.start + by, place.end + by, place.line + lines, place.column)

    fix = one.fix
    return msgspec.structs.replace(
        one,
        primary=span(one.primary) if one.primary else None,
        secondary=tuple(Label(span(label.span), label.text) for label in one.secondary),
        fix=msgspec.structs.replace(fix, span=span(fix.span)) if fix else None,
    )
