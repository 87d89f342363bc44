"""What an expression looks at: its parts, the events it names, whether it hangs on the clock alone."""

from __future__ import annotations

from collections.abc import Iterator

from segue.language import model
from segue.language import tree as t


def nodes(node: object) -> Iterator[model.Node]:
    """An expression and all its parts, those inside the brackets of `where (…)` among them."""
    waiting: list[object] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(reversed(part))
        elif isinstance(part, model.Node):
            yield part
            waiting.extend(getattr(part, field) for field in reversed(part.__struct_fields__))


def events_named(node: object) -> Iterator[str]:
    """The events that an expression names."""
    for part in nodes(node):
        if isinstance(part, model.Happened | model.Aggregate):
            yield part.event


def only_the_clock(node: object) -> bool:
    """Whether nothing that happens, only time, could make an expression true."""
    return not any(
        isinstance(
            part,
            model.Happened
            | model.Aggregate
            | model.Reacted
            | model.Trait
            | model.CanGet
            | model.InSegment
            | model.InRule,
        )
        for part in nodes(node)
    )


def parts(written: object) -> Iterator[t.Syntax]:
    """Something written and all that stands in it."""
    waiting: list[object] = [written]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(reversed(part))
        elif isinstance(part, t.Syntax):
            yield part
            waiting.extend(getattr(part, field) for field in reversed(part.__struct_fields__))
