"""A chart as lines of text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segue.program.picture.chart import Box, Chart, Counts, Fork, Item, Turns, Way

_SIGNS = {
    "begin": "●",
    "wait": "◷",
    "send": "✉",
    "ask": "◇",
    "split": "⑂",
    "repeat": "↻",
    "note": "✎",
    "end": "■",
}


def draw_text(chart: Chart, counts: Counts | None = None) -> str:
    """The rule as a tree, one box a line; with ``counts``, who is where now."""
    lines = [f"{chart.title}  ({chart.rule})" if chart.title != chart.rule else chart.title]
    lines += [f"  {term}" for term in chart.terms]
    lines += ["", _line(chart.begin, counts)]
    if counts is not None:
        lines[-1] += f"  {counts.entered:,} entered"
    lines += _items(chart.items, "", counts)
    end = "■ The end"
    if counts is not None:
        end += (
            f"  {counts.inside:,} inside, {counts.finished:,} finished, {counts.exited:,} exited, "
            f"{counts.failed:,} failed; {counts.converted:,} converted"
        )
    return "\n".join([*lines, "│", end, ""])


def _items(items: Sequence[Item], indent: str, counts: Counts | None) -> Iterator[str]:
    for item in items:
        yield f"{indent}│"
        match item:
            case Box():
                yield indent + _line(item, counts)
            case Fork(box=box, ways=ways):
                yield indent + _line(box, counts)
                yield from _ways(ways, indent, counts)
            case Turns(box=box, items=inner):
                yield indent + _line(box, counts)
                yield from _way(Way("each time", inner), indent, counts, last=True)


def _ways(ways: Sequence[Way], indent: str, counts: Counts | None) -> Iterator[str]:
    for way in ways:
        yield from _way(way, indent, counts, last=way is ways[-1])


def _way(way: Way, indent: str, counts: Counts | None, *, last: bool) -> Iterator[str]:
    yield f"{indent}{'╰' if last else '├'}─ {way.label}{'' if way.items else ': go on'}"
    yield from _items(way.items, f"{indent}{' ' if last else '│'}    ", counts)


def _line(box: Box, counts: Counts | None) -> str:
    detail = f"  {box.detail}" if box.detail else ""
    here = counts.here.get(box.step, 0) if counts is not None and box.step is not None else 0
    return f"{_SIGNS[box.kind]} {box.title}{detail}" + (f"  ← {here:,} here now" if here else "")
