"""A file at a glance: its rules and declarations, what can be folded, and which names have which colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from segue.language import tree as t
from segue.language.occurrences import Occurrence
from segue.language.triggers import name_of
from segue.lsp.draft import Draft

Kind = Literal["event", "field", "customer", "segment", "policy", "rule", "test", "step"]


class Entry(msgspec.Struct, frozen=True):
    """Something with a name. ``start`` and ``end`` are the whole of it, ``name_start`` and ``name_end`` its name."""

    name: str
    kind: Kind
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    inner: tuple[Entry, ...] = ()


def outline(draft: Draft, path: str) -> tuple[Entry, ...]:
    """The entries of a file, in the order of places."""
    lexicon, _ = draft.known()
    found: list[Entry] = []
    for item in draft.tree(path).items:
        match item:
            case t.EventDeclaration(name=name):
                found.append(_entry(item, name, "event", _title(item.sent_as), _fields(item.fields)))
            case t.CustomerDeclaration(traits=traits):
                word = t.Name(item.start, item.start + len("customer"), "customer")
                found.append(_entry(item, word, "customer", "traits", _fields(traits)))
            case t.Segment(name=name):
                found.append(_entry(item, name, "segment", _title(item.title)))
            case t.Policy(kind=name):
                found.append(_entry(item, name, "policy", "policy"))
            case t.Rule():
                place = item.name or t.Name(item.trigger.start, item.trigger.end, "")
                name = t.Name(place.start, place.end, name_of(item, lexicon) or "rule without a name")
                found.append(
                    _entry(item, name, "rule", _title(item.title), tuple(_steps(draft.text(path), item.steps)))
                )
            case t.Test(title=title):
                found.append(_entry(item, t.Name(title.start, title.end, title.value), "test", "test"))
            case t.Edition() | t.Broken():
                pass
    return tuple(found)


def _entry(item: t.Syntax, name: t.Name, kind: Kind, detail: str, inner: tuple[Entry, ...] = ()) -> Entry:
    return Entry(name.text or " ", kind, detail, item.start, item.end, name.start, name.end, inner)


def _title(text: t.Text | None) -> str:
    return text.value if text else ""


def _fields(fields: tuple[t.Field, ...]) -> tuple[Entry, ...]:
    return tuple(_entry(field, field.name, "field", field.type.text) for field in fields)


def _steps(text: str, steps: tuple[t.Step, ...]) -> Iterator[Entry]:
    for step in steps:
        written = " ".join(text[step.start : step.end].split())
        first = f"{written[:57]}…" if len(written) > 58 else written
        yield Entry(first, "step", "", step.start, step.end, step.start, step.end)


def folds(tree: t.File) -> Iterator[tuple[int, int]]:
    """Stretches of several lines that can be folded: items, and blocks within rules."""
    for item in tree.items:
        yield item.start, item.end
        if isinstance(item, t.Rule):
            yield from _blocks(item.steps)


def _blocks(steps: tuple[t.Step, ...]) -> Iterator[tuple[int, int]]:
    for step in steps:
        match step:
            case t.If(branches=branches, otherwise=otherwise):
                yield step.start, step.end
                for branch in branches:
                    yield from _blocks(branch.steps)
                yield from _blocks(otherwise)
            case t.Split(arms=arms):
                yield step.start, step.end
                for arm in arms:
                    yield from _blocks(arm.steps)
            case t.Repeat(steps=inner):
                yield step.start, step.end
                yield from _blocks(inner)
            case _:
                pass


COLOURS = ("event", "property", "class", "function", "enumMember")
"""The kinds of semantic tokens, as the protocol calls them."""
_COLOUR_OF = {
    "event": "event",
    "field": "property",
    "trait": "property",
    "segment": "class",
    "rule": "class",
    "channel": "function",
    "reaction": "event",
    "kind": "enumMember",
}


def colours(index: tuple[Occurrence, ...]) -> Iterator[tuple[int, int, int, bool]]:
    """Start, length, number in `COLOURS`, and whether it is a declaration; in order, never overlapping."""
    end = 0
    for one in index:
        colour = _COLOUR_OF.get(one.meaning.what)
        if colour is None or one.quoted or one.implied or one.start < end:
            continue
        end = one.end
        yield one.start, one.end - one.start, COLOURS.index(colour), one.defines
