"""``segue rejected``: what could not become an event, why, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from segue.api import to_datetime, to_rfc3339
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.diagnostics.render.printable import printable
from segue.store.database import read_only
from segue.store.errors import StoreError
from segue.store.rejections import KeptRejection, RejectedCount, count_rejections, list_rejections


def rejected(
    source: Annotated[str | None, typer.Argument(help="Only of this source, by its name in segue.toml.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many of the newest to show.", min=1)] = 20,
    raw: Annotated[bool, typer.Option("--raw", help="Show each also as it came.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One rejection a line, as JSON.")] = False,
) -> None:
    """List what sources brought that could not become an event, the newest first, each with its reason.

    Of each source the newest 10,000 of the last 30 days are kept, without secrets. Exits with 2 where there is no such
    source.
    """
    project = open_project(Path.cwd()).project
    try:
        with read_only(project.database) as tx:
            counts = count_rejections(tx)
            found = list_rejections(tx, source, limit)
    except StoreError as error:
        fail(str(error))
    names = {count.source for count in counts} | set(project.sources)
    if source is not None and source not in names:
        fail(f"no source {source}: there are {', '.join(sorted(names)) or 'none'}", USAGE)
    counts = [count for count in counts if source in (None, count.source)]
    if json:
        for one in found:
            print_json(_as_json(one, raw))
    elif not found:
        _say_none(source, counts)
    else:
        _print_table(found, project.zone, raw)
        _print_counts(counts, found, raw)


def _as_json(one: KeptRejection, raw: bool) -> dict[str, object]:
    came = {"raw": one.raw.decode("utf-8", "replace")} if raw else {}
    return {"source": one.source, "at": to_rfc3339(one.at), "place": one.place, "reason": one.reason, **came}


def _print_table(found: list[KeptRejection], zone: str, raw: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    several = len({one.source for one in found}) > 1
    placed = any(one.place for one in found)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    if several:
        table.add_column("source", no_wrap=True)
    table.add_column(f"when ({zone})", no_wrap=True)
    if placed:
        table.add_column("where", overflow="fold", max_width=40)
    table.add_column("why", overflow="fold", ratio=1)
    for one in found:
        at = to_datetime(one.at).astimezone(ZoneInfo(zone))
        why = Text(printable(one.reason))
        if raw and one.raw:
            why.append(f"\n{printable(one.raw.decode('utf-8', 'replace'))}", style="dim")
        cells = [Text(one.source)] if several else []
        cells += [Text(f"{at:%Y-%m-%d %H:%M:%S}")]
        cells += [Text(printable(one.place))] if placed else []
        table.add_row(*cells, why)
    Console().print(table)


def _print_counts(counts: list[RejectedCount], found: list[KeptRejection], raw: bool) -> None:
    kept = sum(count.kept for count in counts)
    total = sum(count.total for count in counts)
    shown = f"the newest {len(found):,} of {kept:,}" if len(found) < kept else counted(kept, "rejection")
    ever = f"; {total:,} ever, of which the rest is counted only" if total > kept else ""
    print(f"\n{shown}{ever}.")
    print(
        "Next: mend them where they come from and send them again; what was taken in before is found to be a duplicate."
    )
    if not raw and any(one.raw for one in found):
        print("      --raw shows each as it came.")


def _say_none(source: str | None, counts: list[RejectedCount]) -> None:
    total = sum(count.total for count in counts)
    of = f" of {source}" if source is not None else ""
    if total:
        print(f"No rejection{of} is kept any more; there were {total:,}.")
    else:
        print(f"Nothing{of} was rejected.")
