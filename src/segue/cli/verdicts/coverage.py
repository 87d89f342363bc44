"""Coverage on the terminal: a row for each rule, and below it the places that no test took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.text import Text

from segue.diagnostics.render.printable import printable
from segue.scenario.coverage import Covered

_TITLES = ("rule", "tests", "steps", "ways")


def table(covered: Sequence[Covered]) -> Group:
    """Each rule with the steps and ways that its tests took, and the places of those that none did."""
    cells = [_TITLES, *(_cells(one) for one in covered)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_TITLES))]
    lines = [Text(_row(_TITLES, widths), style="dim")]
    for one, row in zip(covered, cells[1:], strict=True):
        lines.append(Text(_row(row, widths), style="green" if one.tests and one.whole else "yellow"))
        lines += [Text(f"  {missed}", no_wrap=True, overflow="ignore") for missed in _missed(one)]
    return Group(*lines)


def _cells(one: Covered) -> tuple[str, str, str, str]:
    tests = str(one.tests) if one.tests else "no test"
    return one.rule, tests, f"{one.steps_taken}/{one.steps}", f"{one.ways_taken}/{one.ways}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = cells
    return "  ".join(
        (name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True)))
    )


def _missed(one: Covered) -> Iterator[str]:
    """Ways that were not taken, each with its place; then lines whose steps nobody reached. Nothing where there is no
    test: all of them would be."""
    if not one.tests:
        return
    file = printable(one.file)
    told = {way.line for way in one.ways_missed}
    for way in one.ways_missed:
        yield f"{file}:{way.line}  {printable(way.text)}"
    for line in dict.fromkeys(one.steps_missed):
        if line not in told:
            yield f"{file}:{line}  a step that was not reached"
