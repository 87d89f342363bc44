"""Where everything in a picture stands: a chart's blocks, measured from the inside out and placed from the top down.

Lengths are in SVG's user units, which are pixels where nobody scales. No font is at hand to measure with, so text is
taken a little wider than common interface fonts draw it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec

from segue.program.picture.chart import Box, Fork, Item, Turns

WIDTH: Final = 256
"""Of a box."""
GAP: Final = 34
"""Between one box and the next below."""
BESIDE: Final = 28
"""Between ways that stand side by side."""
FRAME: Final = 18
"""Between the frame of a repeat and what it holds."""
TITLE_SIZE: Final = 13.5
DETAIL_SIZE: Final = 12.0
TITLE_LINE: Final = 18
DETAIL_LINE: Final = 16
PADDING: Final = 12
ICON: Final = 26
"""Kept free at the left of a title for its sign."""
_NARROW: Final = 60


class Placed(msgspec.Struct, frozen=True):
    """A box where it stands: ``x`` is its middle, ``y`` its upper edge."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    title: tuple[str, ...]
    detail: tuple[str, ...]


class Line(msgspec.Struct, frozen=True):
    """A way from box to box through these points, with its label near its beginning; ``arrow`` at its end."""

    points: tuple[tuple[float, float], ...]
    label: str = ""
    arrow: bool = True


class Frame(msgspec.Struct, frozen=True):
    """Around what is repeated."""

    x: float
    y: float
    width: float
    height: float


class Layout(msgspec.Struct):
    """Everything placed. ``width`` and ``height`` hold all of it."""

    boxes: list[Placed]
    lines: list[Line]
    frames: list[Frame]
    width: float = 0.0
    height: float = 0.0


def lay_out(begin: Box, items: Sequence[Item], end: Box) -> Layout:
    """Place a chart: the beginning, its items, the end."""
    layout = Layout([], [], [])
    whole = (begin, *items, end)
    layout.width = max(_width_of(whole), WIDTH)
    layout.height, _ = _place(whole, layout.width / 2, 0.0, layout)
    return layout


def wrap(text: str, size: float, room: float) -> tuple[str, ...]:
    """A text in lines no longer than the room; a word that is longer is cut with an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and measure(longer, size) > room:
            lines.append(line)
            longer = word
        line = longer
    if line:
        lines.append(line)
    return tuple(_cut(one, size, room) for one in lines)


def measure(text: str, size: float) -> float:
    """About how wide a text is drawn."""
    return sum(_em(character) for character in text) * size


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.0
    if character in "iljtfI.,:;'|!()[] ":
        return 0.39
    if character in "mwMW@%":
        return 0.97
    return 0.74 if character.isupper() else 0.64


def _cut(line: str, size: float, room: float) -> str:
    if measure(line, size) <= room:
        return line
    while line and measure(f"{line}…", size) > room:
        line = line[:-1]
    return f"{line}…"


def _width_of(items: Sequence[Item]) -> float:
    return max((_width_of_item(item) for item in items), default=_NARROW)


def _width_of_item(item: Item) -> float:
    match item:
        case Box():
            return WIDTH
        case Fork(ways=ways):
            side_by_side = sum(_width_of(way.items) for way in ways) + BESIDE * (len(ways) - 1)
            return max(WIDTH, side_by_side)
        case Turns(items=inner):
            return max(WIDTH, _width_of(inner)) + 2 * FRAME + BESIDE


def _place(items: Sequence[Item], x: float, y: float, layout: Layout) -> tuple[float, bool]:
    """Place items one below the other, around ``x`` from ``y`` down. Gives where they end, and whether a way leads on
    from there."""
    leads_on = True
    for place, item in enumerate(items):
        if place:
            if leads_on:
                layout.lines.append(Line(((x, y), (x, y + GAP))))
            y += GAP
        match item:
            case Box():
                y = _place_box(item, x, y, layout)
                leads_on = item.kind != "end"
            case Fork():
                y, leads_on = _place_fork(item, x, y, layout)
            case Turns():
                y = _place_turns(item, x, y, layout)
                leads_on = True
    return y, leads_on


def _place_box(box: Box, x: float, y: float, layout: Layout) -> float:
    room = WIDTH - 2 * PADDING
    title = wrap(box.title, TITLE_SIZE, room - ICON)
    detail = wrap(box.detail, DETAIL_SIZE, room - ICON)
    height = 2 * PADDING + TITLE_LINE * len(title) + DETAIL_LINE * len(detail) - 2
    layout.boxes.append(Placed(box, x, y, WIDTH, height, title, detail))
    return y + height


def _place_fork(fork: Fork, x: float, y: float, layout: Layout) -> tuple[float, bool]:
    y = _place_box(fork.box, x, y, layout)
    widths = [_width_of(way.items) for way in fork.ways]
    left = x - (sum(widths) + BESIDE * (len(widths) - 1)) / 2
    turn, top = y + GAP * 0.45, y + GAP * 1.35
    ends: list[tuple[float, float]] = []
    for way, width in zip(fork.ways, widths, strict=True):
        middle = left + width / 2
        left += width + BESIDE
        layout.lines.append(Line(((x, y), (x, turn), (middle, turn), (middle, top)), way.label, arrow=bool(way.items)))
        bottom, leads_on = _place(way.items, middle, top, layout)
        if leads_on:
            ends.append((middle, bottom))
    lowest = max([top, *(placed.y + placed.height for placed in layout.boxes[-1:]), *(bottom for _, bottom in ends)])
    lowest = max(lowest, _bottom(layout, y))
    meet = lowest + GAP * 0.6
    for middle, bottom in ends:
        layout.lines.append(Line(((middle, bottom), (middle, meet), (x, meet)), arrow=False))
    return (meet, True) if ends else (lowest, False)


def _bottom(layout: Layout, below: float) -> float:
    """The lowest edge of what was placed below a line: ways of different length meet under the longest."""
    edges = [placed.y + placed.height for placed in layout.boxes if placed.y >= below]
    edges += [frame.y + frame.height for frame in layout.frames if frame.y >= below]
    return max(edges, default=below)


def _place_turns(turns: Turns, x: float, y: float, layout: Layout) -> float:
    width = _width_of_item(turns)
    top = y
    y = _place_box(turns.box, x, y + FRAME, layout)
    start = y
    layout.lines.append(Line(((x, y), (x, y + GAP)), "each time"))
    bottom, leads_on = _place(turns.items, x, y + GAP, layout)
    bottom = max(bottom, _bottom(layout, start))
    head = layout.boxes[[placed.box for placed in layout.boxes].index(turns.box)]
    if leads_on:
        side = x + width / 2 - FRAME * 0.7
        back = head.y + head.height / 2
        low = bottom + FRAME * 0.5
        layout.lines.append(Line(((x, bottom), (x, low), (side, low), (side, back), (x + WIDTH / 2, back))))
    layout.frames.append(Frame(x - width / 2, top, width, bottom + FRAME - top))
    return bottom + FRAME
