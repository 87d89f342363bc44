"""A chart as SVG: one file that needs nothing else, light and dark, sharp on a slide and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from segue.program.picture.chart import Box, Chart, Counts
from segue.program.picture.layout import (
    DETAIL_LINE,
    DETAIL_SIZE,
    ICON,
    PADDING,
    TITLE_LINE,
    TITLE_SIZE,
    Layout,
    Line,
    Placed,
    lay_out,
    measure,
    wrap,
)

_MARGIN: Final = 32
_HEADING: Final = 24
_TERM: Final = 12.5
_CORNER: Final = 9

_STYLE: Final = """
  svg { color-scheme: light dark; }
  text { font-family: Inter, "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif; }
  .paper { fill: #fbfaf7; } .ink { fill: #1f2a33; } .soft { fill: #5d6a75; }
  .box { fill: #ffffff; stroke: #d8d5cb; stroke-width: 1.2; }
  .line { fill: none; stroke: #a9adae; stroke-width: 1.6; } .tip { fill: #a9adae; }
  .frame { fill: #f2efe7; fill-opacity: .6; stroke: #c9c4b6; stroke-width: 1.2; stroke-dasharray: 5 5; }
  .label { fill: #5d6a75; font-size: 12px; font-weight: 600; } .plate { fill: #fbfaf7; }
  .title { font-size: 13.5px; font-weight: 600; } .detail { font-size: 12px; }
  .name { font-size: 22px; font-weight: 700; } .term { font-size: 12.5px; }
  .chip { fill: #efece3; } .badge { fill: #1f2a33; } .count { fill: #ffffff; font-size: 11.5px; font-weight: 700; }
  .sign { fill: none; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
  .begin .edge { fill: #0b6e4f; } .begin .sign { stroke: #0b6e4f; }
  .wait .edge { fill: #c98a16; } .wait .sign { stroke: #c98a16; }
  .send .edge { fill: #2563b8; } .send .sign { stroke: #2563b8; }
  .ask .edge, .split .edge { fill: #8a4fb0; } .ask .sign, .split .sign { stroke: #8a4fb0; }
  .repeat .edge, .note .edge { fill: #64748b; } .repeat .sign, .note .sign { stroke: #64748b; }
  .end .edge { fill: #a33b3b; } .end .sign { stroke: #a33b3b; }
  @media (prefers-color-scheme: dark) {
    .paper, .plate { fill: #12181d; } .ink { fill: #eceff1; } .soft, .label { fill: #9aa7b1; }
    .box { fill: #1c242b; stroke: #33404a; } .line { stroke: #5b6871; } .tip { fill: #5b6871; }
    .frame { fill: #171f25; stroke: #3b4852; } .chip { fill: #232d35; }
    .badge { fill: #eceff1; } .count { fill: #12181d; }
  }
"""

_SIGNS: Final = {
    "begin": "M4 3 L13 8 L4 13 Z",
    "wait": "M8 1.8 A6.2 6.2 0 1 0 8.01 1.8 M8 4.6 V8 L10.6 9.6",
    "ask": "M8 1.5 L14.5 8 L8 14.5 L1.5 8 Z",
    "split": "M8 2 V6 M8 6 L3 10 V14 M8 6 L13 10 V14",
    "repeat": "M13.5 8 A5.5 5.5 0 1 1 11.6 3.9 M11.8 1.4 V4.2 H9",
    "note": "M3 13 L3.6 10.2 L10.8 3 L13 5.2 L5.8 12.4 Z",
    "end": "M4 4 H12 V12 H4 Z",
    "email": "M1.5 3.5 H14.5 V12.5 H1.5 Z M1.5 4 L8 9 L14.5 4",
    "sms": "M2 3 H14 V11 H7 L4 13.8 V11 H2 Z",
    "push": "M8 2 C5 2 4 4.4 4 7 C4 9.6 3 10.6 2.6 11.4 H13.4 C13 10.6 12 9.6 12 7 C12 4.4 11 2 8 2 "
    "M6.6 13.4 A1.6 1.6 0 0 0 9.4 13.4",
    "letter": "M3.5 1.5 H10 L12.5 4 V14.5 H3.5 Z M5.5 6.5 H10.5 M5.5 9 H10.5 M5.5 11.5 H8.5",
    "send": "M1.5 8 L14.5 2 L10 14 L7.6 9 Z",
}
_BY_CHANNEL: Final = {"web_push": "push", "whatsapp": "sms", "rcs": "sms", "chat": "sms"}


def draw_svg(chart: Chart, counts: Counts | None = None) -> str:
    """The picture as the text of an SVG file."""
    layout = lay_out(chart.begin, chart.items, Box("end", "The journey ends", _ending(counts)))
    room = max(layout.width, 420.0)
    terms, top = _terms(chart.terms, room)
    width, height = room + 2 * _MARGIN, top + layout.height + 2 * _MARGIN
    shift = _MARGIN + (room - layout.width) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label={quoteattr(_printable(chart.title))}>',
        f"<title>{_text(chart.title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
        f'<g transform="translate({_MARGIN} {_MARGIN})">',
        f'<text class="ink name" y="{_HEADING - 4}">{_text(chart.title)}</text>',
        *terms,
        "</g>",
        f'<g transform="translate({shift:.1f} {_MARGIN + top:.1f})">',
        *_body(layout, counts),
        "</g>",
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _ending(counts: Counts | None) -> str:
    if counts is None:
        return ""
    told = [f"{counts.finished:,} finished", f"{counts.exited:,} exited"]
    told += [f"{counts.failed:,} failed"] if counts.failed else []
    return ", ".join([*told, f"{counts.converted:,} converted"])


def _terms(terms: Sequence[str], room: float) -> tuple[list[str], float]:
    """The rule's terms as chips under its name, and how much room name and chips take."""
    parts: list[str] = []
    x, y = 0.0, _HEADING + 14.0
    for term in terms:
        (line, *_) = wrap(term, _TERM, 1e9)
        wide = min(measure(line, _TERM) + 20, room)
        if x and x + wide > room:
            x, y = 0.0, y + 32
        (line, *rest) = wrap(term, _TERM, room - 20)
        line += "…" if rest else ""
        parts.append(f'<rect class="chip" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="25" rx="12.5"/>')
        parts.append(f'<text class="soft term" x="{x + 10:.1f}" y="{y + 17:.1f}">{_text(line)}</text>')
        x += wide + 8
    return parts, y + (25 if terms else -14) + 28


def _body(layout: Layout, counts: Counts | None) -> list[str]:
    parts = [
        f'<rect class="frame" x="{one.x:.1f}" y="{one.y:.1f}" '
        f'width="{one.width:.1f}" height="{one.height:.1f}" rx="14"/>'
        for one in sorted(layout.frames, key=lambda frame: -frame.width)
    ]
    for line in layout.lines:
        parts += _line(line)
    for line in layout.lines:  # above all lines, so that no other one crosses them
        parts += _label(line)
    for placed in layout.boxes:
        parts += _box(placed, counts)
    return parts


def _line(line: Line) -> list[str]:
    points = [point for place, point in enumerate(line.points) if place == 0 or point != line.points[place - 1]]
    if len(points) < 2:
        return []
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(here, before), _towards(here, after)
        path += f" L{near[0]:.1f} {near[1]:.1f} Q{here[0]:.1f} {here[1]:.1f} {far[0]:.1f} {far[1]:.1f}"
    (x, y), (before_x, _) = points[-1], points[-2]
    parts = [f'<path class="line" d="{path} L{x:.1f} {y - (2 if line.arrow and before_x == x else 0):.1f}"/>']
    if line.arrow:
        turned = "" if before_x == x else f' transform="rotate({-90 if before_x < x else 90} {x:.1f} {y:.1f})"'
        parts.append(f'<path class="tip" d="M{x:.1f} {y:.1f} l-4.5 -8 h9 Z"{turned}/>')
    return parts


def _towards(here: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """A point a corner's width away."""
    far = max(abs(other[0] - here[0]), abs(other[1] - here[1]))
    share = min(_CORNER, far / 2) / far if far else 0.0
    return here[0] + (other[0] - here[0]) * share, here[1] + (other[1] - here[1]) * share


def _label(line: Line) -> list[str]:
    if not line.label:
        return []
    x, y = line.points[-1][0], (line.points[-1][1] + line.points[-2][1]) / 2 - 1
    wide = measure(line.label, 12) + 14
    return [
        f'<rect class="plate" x="{x - wide / 2:.1f}" y="{y - 10:.1f}" width="{wide:.1f}" height="19" rx="9.5"/>',
        f'<text class="label" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{_text(line.label)}</text>',
    ]


def _box(placed: Placed, counts: Counts | None) -> list[str]:
    left, top, box = placed.x - placed.width / 2, placed.y, placed.box
    parts = [
        f'<g class="{box.kind}" transform="translate({left:.1f} {top:.1f})">',
        f'<rect class="box" width="{placed.width:.1f}" height="{placed.height:.1f}" rx="10"/>',
        f'<path class="edge" d="M0 10 a10 10 0 0 1 4 -8 V{placed.height - 2:.1f} a10 10 0 0 1 -4 -8 Z"/>',
        f'<path class="sign" transform="translate({PADDING + 1} {PADDING})" d="{_sign(box)}"/>',
    ]
    y = PADDING + TITLE_SIZE
    for text in placed.title:
        parts.append(f'<text class="ink title" x="{PADDING + ICON}" y="{y - 0.5:.1f}">{_text(text)}</text>')
        y += TITLE_LINE
    y += DETAIL_SIZE - TITLE_SIZE
    for text in placed.detail:
        parts.append(f'<text class="soft detail" x="{PADDING + ICON}" y="{y:.1f}">{_text(text)}</text>')
        y += DETAIL_LINE
    told = _count(box, counts)
    if told:
        wide = measure(told, 11.5) + 16
        x = placed.width - wide + 10
        parts.append(f'<rect class="badge" x="{x:.1f}" y="-10" width="{wide:.1f}" height="20" rx="10"/>')
        parts.append(f'<text class="count" x="{x + wide / 2:.1f}" y="4" text-anchor="middle">{told}</text>')
    return [*parts, "</g>"]


def _count(box: Box, counts: Counts | None) -> str:
    if counts is None:
        return ""
    if box.kind == "begin":
        return f"{counts.entered:,} entered"
    here = counts.here.get(box.step, 0) if box.step is not None else 0
    return f"{here:,} here now" if here else ""


def _sign(box: Box) -> str:
    if box.kind != "send":
        return _SIGNS[box.kind]
    return _SIGNS.get(_BY_CHANNEL.get(box.channel, box.channel), _SIGNS["send"])


def _printable(text: str) -> str:
    """Without the characters that XML forbids."""
    return "".join(character for character in text if character.isprintable())


def _text(text: str) -> str:
    return escape(_printable(text))
