"""The models side by side as a picture: SVG that needs nothing else, on screens and on paper."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from pathlib import Path

from segue.diagnostics.render.printable import printable, width
from segue.measure.comparing import Comparison

__all__ = ["NoPicture", "draw", "save"]

_SHARP = 2
"""Dots of a PNG for each unit of the drawing: so it is sharp on paper, too."""

MOST = 20
"""Lines: more nobody compares. The others are told in a sentence."""
_WIDE, _LEFT, _RIGHT = 900, 200, 60
_ROW, _TOP = 46, 96
_COLOURS = ("#1f5fa8", "#c8581a", "#2b8a5b", "#8a3f9e", "#a98600", "#c0355e", "#3b8ea5", "#6b6b6b", "#5a7d1e")
_STYLE = """
text{font:14px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1c2430}
.title{font-size:20px;font-weight:600}.said,.tick,.key{fill:#5a6472;font-size:13px}
.grid{stroke:#e4e7ec}.band{fill:#d5dce6}.whisker{stroke-width:1.5;opacity:.55}
"""


class NoPicture(Exception):
    """A picture that cannot be made here, and what to do about it."""


def save(place: Path, drawn: str) -> None:
    """Write a drawing as what the file is called: SVG, or PNG. Raises NoPicture, OSError."""
    if place.suffix.lower() == ".svg":
        place.write_text(drawn, "utf-8")
        return
    instead = f"call the file {place.with_suffix('.svg').name}, which needs nothing"
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise NoPicture(f"PNG is drawn by resvg-py: pip install 'segue[measure]', or {instead}") from None
    # Without a font every text is left out, silently.
    letter, none = (
        bytes(
            svg_to_bytes(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="30"><style>{_STYLE}</style>{text}</svg>'
            )
        )
        for text in ('<text x="5" y="20">M</text>', "")
    )
    if letter == none:
        raise NoPicture(f"PNG needs a font, and this machine has none: apt-get install fonts-dejavu-core, or {instead}")
    place.write_bytes(bytes(svg_to_bytes(drawn, zoom=_SHARP)))


def draw(result: Comparison, currency: str = "") -> str:
    """A line for each channel: a dot for each model, a band over all of them, whiskers where there are intervals.
    ``currency`` stands in the title, where conversions in others are drawn apart."""
    title = f"Conversions by {result.by}" + (f", {currency}" if currency else "")
    bands = sorted(result.bands.items(), key=lambda band: -sum(band[1]))
    shown, others = bands[:MOST], len(bands) - MOST
    figures = [edge for _, band in shown for edge in band]
    for intervals in result.intervals.values():
        figures += [edge for name, one in intervals.items() if name in dict(shown) for edge in one.conversions]
    step = _step(max([*figures, 0.0]) - min([*figures, 0.0]))
    low, high = (math.floor(min([*figures, 0.0]) / step) * step, math.ceil(max([*figures, step]) / step) * step)

    def x(value: float) -> float:
        return round(_LEFT + (value - low) / (high - low) * (_WIDE - _LEFT - _RIGHT), 1)

    bottom = _TOP + _ROW * len(shown)
    models = list(result.credits)
    keys = _keys(models)
    height = bottom + 44 + 24 * len(keys) + (24 if others > 0 else 0)
    total = sum(credit.conversions for credit in next(iter(result.credits.values())))
    said = f"{total:,.10g} conversions shared by {', '.join(models)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" width="{_WIDE}" height="{height}" '
        f'role="img"><title>{escape(title)}</title><desc>{escape(said)}</desc><style>{_STYLE}</style>',
        f'<rect width="{_WIDE}" height="{height}" fill="#fff"/>',
        _text(24, 40, title, "title"),
        _text(24, 64, _cut(_reading(result, total), 110), "said"),
    ]
    for number in range(round((high - low) / step) + 1):
        tick = low + number * step
        parts.append(f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="{_TOP - 8}" y2="{bottom}"/>')
        parts.append(_text(x(tick), bottom + 20, f"{tick:,.6g}", "tick", "middle"))
    for place, (name, (least, most)) in enumerate(shown):
        middle = _TOP + _ROW * place + _ROW / 2 - 4
        parts.append(_text(_LEFT - 16, middle + 5, _cut(name, 24), "", "end"))
        wide = max(x(most) - x(least), 0)
        parts.append(
            f'<rect class="band" x="{x(least) - 8}" y="{middle - 8}" width="{wide + 16:.1f}" height="16" rx="8"/>'
        )
        for number, model in enumerate(models):
            parts += _dot(result, model, name, x, middle, _COLOURS[number % len(_COLOURS)], number)
    for line, key in enumerate(keys):
        at = 24.0
        for number, model in key:
            y = bottom + 52 + 24 * line
            parts.append(_mark(at + 6, y - 4, _COLOURS[number % len(_COLOURS)], number))
            parts.append(_text(at + 18, y, model, "key"))
            at += 40 + 7.5 * width(model)
    if others > 0:
        parts.append(_text(24, height - 12, f"and {others:,} more with less", "said"))
    return "\n".join([*parts, "</svg>\n"])


def _reading(result: Comparison, total: float) -> str:
    if len(result.credits) == 1:
        (model,) = result.credits
        return f"{total:,.10g} conversions, shared by the model {model}"
    return (
        f"{total:,.10g} conversions, shared by {len(result.credits)} models. The wider a band, the less the data alone "
        "can say."
    )


def _dot(
    result: Comparison, model: str, name: str, x: Callable[[float], float], middle: float, colour: str, number: int
) -> list[str]:
    credit = next((credit for credit in result.credits[model] if credit.channel == name), None)
    if credit is None:
        return []
    parts = []
    interval = result.intervals.get(model, {}).get(name)
    if interval is not None:
        low, high = interval.conversions
        y = middle + 12 + 3 * (number % 4)
        parts.append(f'<line class="whisker" stroke="{colour}" x1="{x(low)}" x2="{x(high)}" y1="{y}" y2="{y}"/>')
    said = escape(printable(f"{model}: {credit.conversions:,.2f}"))
    return [*parts, f"<g><title>{said}</title>{_mark(x(credit.conversions), middle, colour, number)}</g>"]


def _mark(x: float, y: float, colour: str, number: int) -> str:
    """Every second model's dot is hollow, so that colours are not all that tells them apart."""
    fill = colour if number % 2 == 0 else "#fff"
    return f'<circle cx="{x:g}" cy="{y:g}" r="5.5" fill="{fill}" stroke="{colour}" stroke-width="2"/>'


def _keys(models: list[str]) -> list[list[tuple[int, str]]]:
    """The models' names in lines that are not too long."""
    lines: list[list[tuple[int, str]]] = [[]]
    taken = 0.0
    for number, model in enumerate(models):
        wide = 40 + 7.5 * width(model)
        if lines[-1] and taken + wide > _WIDE - 48:
            lines.append([])
            taken = 0
        lines[-1].append((number, model))
        taken += wide
    return lines


def _step(spread: float) -> float:
    """Between four and ten ticks: 1, 2 or 5 times a power of ten."""
    if not spread > 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(spread / 4))
    return next(size * part for part in (5, 2, 1) if size * part <= spread / 4 or part == 1)


def _text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(printable(words))}</text>'


def _cut(words: str, most: int) -> str:
    words = printable(words)
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
