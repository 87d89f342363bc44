"""The figures of segments as a table, or as JSON lines."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.cli.benchmarks.segments import Kept, Rebuilt, Result
from segue.cli.ending import print_json


def show(result: Result, *, json: bool) -> None:
    """Print the figures."""
    if json:
        print_json({"figure": "rebuild", **msgspec.to_builtins(result.rebuilt), "to_bare_loop": _ratio(result.rebuilt)})
        for one in result.kept:
            print_json({"figure": "kept", **msgspec.to_builtins(one), "event_to_fewest": _to_fewest(result, one)})
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rebuilt, console = result.rebuilt, Console(soft_wrap=True)
    console.print(
        f"Everybody found anew: {rebuilt.customers:,} customers in {rebuilt.segments} segments in "
        f"[bold]{rebuilt.seconds:.1f} s[/], by {rebuilt.processes} processes of at most {rebuilt.memory:,.0f} MB\n"
        f"  {rebuilt.members:,} memberships; {rebuilt.alone:,} customers had to be judged one by one\n"
        f"  A plain loop that only reads these events takes {rebuilt.bare:.1f} s in one process: "
        f"this is {_ratio(rebuilt):.1f} times that"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("all segments kept", no_wrap=True)
    for one in result.kept:
        table.add_column(f"{one.customers:,}", justify="right", no_wrap=True)
    for title, shown in _ROWS:
        table.add_row(title, *(shown(result, one) for one in result.kept))
    console.print(table)


def _ratio(rebuilt: Rebuilt) -> float:
    return round(rebuilt.seconds / rebuilt.bare, 2)


def _to_fewest(result: Result, one: Kept) -> float:
    return round(one.event / result.kept[0].event, 2)


_ROWS: tuple[tuple[str, Any], ...] = (
    ("an event, µs", lambda result, one: f"{one.event:,.0f}"),
    ("  to that with the fewest", lambda result, one: f"{_to_fewest(result, one):.2f}"),
    ("looks that time brings, 1/s", lambda result, one: f"{one.per_second:,.0f}"),
    ("  of so many, in a week", lambda result, one: f"{one.looks:,}"),
    ("  by which so many came or left", lambda result, one: f"{one.crossed:,}"),
    ("finding the next, µs", lambda result, one: f"{one.finding:.1f}"),
    ("building the index, s", lambda result, one: f"{one.built:.1f}"),
    ("  usual transaction, ms", lambda result, one: f"{one.usual:.0f}"),
    ("  longest transaction, ms", lambda result, one: f"{one.longest:.0f}"),
    ("  rows", lambda result, one: f"{one.rows:,}"),
    ("disk, MB", lambda result, one: f"{one.disk:,.0f}"),
)
