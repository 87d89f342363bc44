"""The table of coverage on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from segue.scenario.coverage import Covered


def table(covered: Sequence[Covered]) -> Table:
    """Each rule with the steps and ways that its tests took, and the places of those that none did."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    shown.add_column("rule", overflow="fold")
    for title in ("tests", "steps", "ways"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("not taken", ratio=1, overflow="fold")
    for one in covered:
        shown.add_row(
            Text(one.rule),
            Text(str(one.tests) if one.tests else "no test", style="" if one.tests else "yellow"),
            Text(f"{one.steps_taken}/{one.steps}", style="green" if not one.steps_missed else "yellow"),
            Text(f"{one.ways_taken}/{one.ways}", style="green" if not one.ways_missed else "yellow"),
            _missed(one),
        )
    return shown


def _missed(one: Covered) -> Text:
    """Ways that were not taken, each on a line with its place; then lines whose steps nobody reached."""
    if not one.tests or one.whole:
        return Text()
    lines = [f"{one.file}:{way.line}  {way.text}" for way in one.ways_missed]
    told = {way.line for way in one.ways_missed}
    lines += [
        f"{one.file}:{line}  a step that was not reached"
        for line in dict.fromkeys(one.steps_missed)
        if line not in told
    ]
    return Text("\n".join(lines))
