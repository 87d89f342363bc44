"""The law, rule by rule: entered = inside + finished + exited + failed. As a table, and where that has no room as a
grid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from rich.text import Text

from segue.cli.demonstration.drawing import STATES, share_bar, shorten
from segue.cli.demonstration.freshness import Freshness
from segue.cli.demonstration.scene import Counts

_LONGEST = 24
"""Letters of a rule's name that are shown at the most."""


def draw_table(
    rules: Sequence[str], counts: Counts, width: int, in_view: Collection[str], fresh: Freshness
) -> list[Text]:
    """A line for each rule, below a head. The rules whose text is in view stand out."""
    name = min(_LONGEST, max([len(rule) for rule in rules], default=4))
    rest = width - name - 2 - 8 - 4 * 11 - 12
    worth = rest >= 14
    bar = min(rest - (14 if worth else 0), 60)
    head = Text(" " * (name + 2))
    head.append(f"{'entered':>7} ", "dim")
    for mark, (state, colour) in zip("=+++", STATES, strict=True):
        head.append(f"{mark} ", "dim")
        head.append(f"{state:>8} ", colour)
    head.append(f"{'converted':>11}", "magenta")
    lines = [head]
    for rule in rules:
        count = counts.of(rule)
        line = _name(rule, name, in_view)
        line.append_text(fresh.number(f"{rule} entered", count.entered, 7, "bold"))
        line.append(" ")
        for mark, (state, colour) in zip("=+++", STATES, strict=True):
            line.append(f"{mark} ", "dim")
            n = getattr(count, state)
            line.append_text(fresh.number(f"{rule} {state}", n, 8, colour if n else "dim"))
            line.append(" ")
        line.append_text(fresh.number(f"{rule} converted", count.converted, 11, "magenta"))
        if worth:
            line.append(f"{word_worth(counts.worth.get(rule, {})):>13}", "magenta")
        if bar >= 8:
            line.append(" ")
            line.append_text(share_bar(count, bar))
        lines.append(line)
    return lines


def draw_grid(
    rules: Sequence[str], counts: Counts, width: int, in_view: Collection[str], fresh: Freshness
) -> list[Text]:
    """The law of all rules together, which is also the legend of the bars, and below it for each rule how many entered
    and what became of them."""
    law = _law(counts, fresh)
    if law.cell_len + 9 <= width:
        law.append("  ★ ", "magenta")
        law.append_text(fresh.number("all converted", counts.all.converted, 0, "magenta"))
    return [law, *_cells(rules, counts, width, in_view, fresh)]


def grid_height(rules: Sequence[str], width: int) -> int:
    """How many lines `draw_grid` takes."""
    return 1 + -(-len(rules) // _columns(rules, width))


def _law(counts: Counts, fresh: Freshness) -> Text:
    total = counts.all
    line = Text.assemble((" all  ", "bold"))
    line.append_text(fresh.number("all entered", total.entered, 0, "bold"))
    line.append(" entered ", "dim")
    for mark, (state, colour) in zip("=+++", STATES, strict=True):
        line.append(f"{mark} ", "dim")
        line.append_text(fresh.number(f"all {state}", getattr(total, state), 0, colour))
        line.append(f" {state} ", colour)
    line.rstrip()
    return line


def _columns(rules: Sequence[str], width: int) -> int:
    name = min(_LONGEST, max([len(rule) for rule in rules], default=4))
    return max(1, width // (name + 12))


def _cells(rules: Sequence[str], counts: Counts, width: int, in_view: Collection[str], fresh: Freshness) -> list[Text]:
    columns = _columns(rules, width)
    cell = width // columns
    name = min(_LONGEST, max([len(rule) for rule in rules], default=4))
    height = -(-len(rules) // columns)
    lines = [Text() for _ in range(height)]
    for place, rule in enumerate(rules):  # down the columns, so that the eye finds a name
        count = counts.of(rule)
        line = _name(rule, name, in_view)
        line.append_text(fresh.number(f"{rule} entered", count.entered, 5, "bold" if count.entered else "dim"))
        line.append(" ")
        line.append_text(share_bar(count, max(2, cell - name - 9)))
        line.append(" ")
        lines[place % height].append_text(line)
    return lines


def _name(rule: str, width: int, in_view: Collection[str]) -> Text:
    style = "bold bright_cyan" if rule in in_view else "bold"
    return Text.assemble(("▸" if rule in in_view else " ", "bright_cyan"), (f"{shorten(rule, width):<{width}} ", style))


def word_worth(sums: dict[str, Decimal]) -> str:
    """``2,310 EUR``; nothing for nothing."""
    return " ".join(f"{amount:,.0f} {currency}" for currency, amount in sorted(sums.items()))
