"""Segments: written to checked, and those that name each other in a circle."""

from __future__ import annotations

import msgspec

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions, TooDeep
from segue.language.looking import nodes, parts
from segue.language.names import Scope
from segue.language.report import Report
from segue.language.vocabulary import Lexicon

_SCOPE = Scope(fields={}, since="ever", reactions=False, began_by=None)


class CheckedSegment(msgspec.Struct, frozen=True):
    """A segment as it was written and as it was understood, and the report of its file."""

    written: t.Segment
    segment: model.Segment
    report: Report


def check_segment(segment: t.Segment, lexicon: Lexicon, report: Report, file: str) -> CheckedSegment | None:
    """The checked segment, None when something is wrong with it; what that is stands in ``report``."""
    try:
        condition = Expressions(lexicon, report, _SCOPE).condition(segment.condition)
    except (TooDeep, RecursionError):
        report.add(
            "E0209",
            (segment.start, segment.name.end),
            "the condition of this segment is nested too deep",
            hint="nobody can follow this; take it apart into several segments",
        )
        return None
    if condition is None:
        return None
    title = segment.title.value if segment.title else None
    checked = model.Segment(segment.name.text, title, condition, file, report.line(segment))
    return CheckedSegment(segment, checked, report)


def segments_named(node: object) -> tuple[str, ...]:
    """The segments that a condition, or a whole rule, names in its conditions."""
    return tuple(dict.fromkeys(part.name for part in nodes(node) if isinstance(part, model.InSegment)))


def find_circles(segments: list[CheckedSegment]) -> None:
    """Tell of segments that name themselves, directly or through others: whether a customer is in one would hang on
    whether they are in it. Each circle is told once, where it closes."""
    by_name = {checked.segment.name: checked for checked in segments}
    named = {name: segments_named(checked.segment.condition) for name, checked in by_name.items()}
    done: set[str] = set()
    for start in by_name:
        if start in done:
            continue
        # Depth first, by a stack of its own: a chain of segments may be longer than Python's.
        way = [start]
        waiting = [iter(named[start])]
        on_way = {start: 0}
        while waiting:
            following = next(waiting[-1], None)
            if following is None:
                waiting.pop()
                last = way.pop()
                del on_way[last]
                done.add(last)
            elif following in on_way:
                _tell_circle([by_name[name] for name in way[on_way[following] :]])
            elif following in by_name and following not in done:
                on_way[following] = len(way)
                way.append(following)
                waiting.append(iter(named[following]))


def _tell_circle(circle: list[CheckedSegment]) -> None:
    first, last = circle[0], circle[-1]
    name = first.segment.name
    place = next(
        (part for part in parts(last.written.condition) if isinstance(part, t.InsideTest) and part.name.text == name),
        last.written.name,
    )
    around = " names ".join(f"`{checked.segment.name}`" for checked in (*circle, first))
    last.report.add(
        "E0314",
        place,
        f"whether a customer is in `{name}` would hang on whether they are in `{name}`"
        if len(circle) == 1
        else f"these segments name each other in a circle: {around}",
        label="back to where it began",
        hint="take one of these conditions out",
        also=tuple(
            Label(checked.report.span(checked.written.name), f"the segment `{checked.segment.name}`")
            for checked in circle[:-1]
        ),
    )
