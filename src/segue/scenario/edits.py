"""What an edit of a rule book changes in its text: which rules, segments and policies, and how they read before."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from segue.language import model as m
from segue.language.book import Checked
from segue.language.pieces import cut
from segue.store.books import Changes

Kind = Literal["rule", "segment", "policy"]
Change = Literal["added", "changed", "removed"]

_KINDS: Final = ("rule", "segment", "policy")
_AROUND: Final = 3
"""Unchanged lines shown on each side of a change."""


class Edit(msgspec.Struct, frozen=True):
    """One rule, segment or policy that an edit adds, changes or removes. ``difference`` are the lines of its text, each
    with ``+``, ``-`` or a space before it, and ``@`` where lines are left out; empty where the text that runs was not
    kept. ``used_by`` are the rules that name a segment."""

    name: str
    kind: Kind
    change: Change
    difference: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()


def find_edits(changes: Changes, before: Checked | None, after: Checked) -> tuple[Edit, ...]:
    """The edits that a publication would make, with their texts; rules first, each kind by name. ``before`` is the book
    that runs, as it is read now, None where its text was not kept."""
    old = texts_of(before) if before is not None else {}
    new = texts_of(after)
    edits: list[Edit] = []
    all_of: dict[Change, tuple[str, ...]] = {
        "added": changes.added,
        "changed": changes.changed,
        "removed": changes.removed,
    }
    for change, names in all_of.items():
        for name in names:
            kind = _kind_of(name, after.book, before.book if before is not None else None)
            known = before is not None or change == "added"
            difference = compare_texts(old.get(name, ""), new.get(name, "")) if known else ()
            used_by = _used_by(name, after.book) if kind == "segment" else ()
            edits.append(Edit(name.removeprefix("policy "), kind, change, difference, used_by))
    return tuple(sorted(edits, key=lambda edit: (_KINDS.index(edit.kind), edit.name)))


def _kind_of(name: str, after: m.Book, before: m.Book | None) -> Kind:
    if name.startswith("policy "):
        return "policy"
    books = [book for book in (after, before) if book is not None]
    return "segment" if any(one.name == name for book in books for one in book.segments) else "rule"


def _used_by(segment: str, book: m.Book) -> tuple[str, ...]:
    """The rules that name a segment, in whatever place."""
    return tuple(sorted(rule.name for rule in book.rules if _names(rule, segment)))


def _names(rule: m.Rule, segment: str) -> bool:
    if rule.audience == segment:
        return True
    if isinstance(rule.trigger, m.OnMembership) and rule.trigger.segment == segment:
        return True
    return _mentions(msgspec.to_builtins(rule), segment)


def _mentions(node: object, segment: str) -> bool:
    match node:
        case {"node": "in_segment", "name": name} if name == segment:
            return True
        case dict():
            return any(_mentions(part, segment) for part in node.values())
        case list() | tuple():
            return any(_mentions(part, segment) for part in node)
        case _:
            return False


def texts_of(checked: Checked) -> dict[str, str]:
    """The text of every rule, segment and policy by the name under which its change is noted."""
    book = checked.book
    places: dict[tuple[str, int], str] = {}
    for tree in checked.trees:
        for piece in cut(tree.text)[0]:
            first = tree.text.count("\n", 0, piece.start) + 1
            begin = tree.text.rfind("\n", 0, piece.start) + 1
            text = tree.text[begin if not tree.text[begin : piece.start].strip() else piece.start : piece.end]
            places[tree.path, first] = text.rstrip()
    named = [(one.name, one.file, one.line) for one in book.rules]
    named += [(one.name, one.file, one.line) for one in book.segments]
    named += [(f"policy {one.kind}", one.file, one.line) for one in book.policies]
    return {name: _text_at(places, file, line) for name, file, line in named}


def _text_at(places: Mapping[tuple[str, int], str], file: str, line: int) -> str:
    """The text of what stands at a line: it begins there, or on a line before."""
    begins = [first for path, first in places if path == file and first <= line]
    return places[file, max(begins)] if begins else ""


def compare_texts(before: str, after: str) -> tuple[str, ...]:
    """How two texts differ, line by line."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_AROUND)
    shown = ["@" if line.startswith("@@") else line for line in list(lines)[2:]]
    return tuple(shown[1:] if shown[:1] == ["@"] else shown)
