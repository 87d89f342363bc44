"""What an expression looks at: its parts, the events it names, whether it hangs on the clock alone."""

from __future__ import annotations

from collections.abc import Iterator

from segue.language import model
from segue.language import tree as t


def nodes(node: object) -> Iterator[model.Node]:
    """An expression and all its parts, those inside the brackets of `where (…)` among them."""
    if isinstance(node, tuple):
        for part in node:
            yield from nodes(part)
    elif isinstance(node, model.Node):
        yield node
        for field in node.__struct_fields__:
            value = getattr(node, field)
            if isinstance(value, tuple | model.Node):
                yield from nodes(value)


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
    if isinstance(written, tuple):
        for part in written:
            yield from parts(part)
    elif isinstance(written, t.Syntax):
        yield written
        for field in written.__struct_fields__:
            value = getattr(written, field)
            if isinstance(value, tuple | t.Syntax):
                yield from parts(value)
