"""How many customers are in segments, and how many come and go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segue.api import Instant, to_rfc3339
from segue.api.values import DAY, MINUTE
from segue.cli.ending import counted, print_json
from segue.cli.segments.progress import Telling
from segue.program.calendar import local
from segue.program.wording import word
from segue.runtime.census import Counted, Question, take
from segue.runtime.membership import Kept, asked_by, load_kept, look_around, midnights
from segue.runtime.running import Running
from segue.store.database import read_only
from segue.store.lookouts import next_due

_SHOWN: int = 7
"""Days in the table; all of them are in ``--json``."""


def show_all(path: Path, running: Running, *, json: bool) -> None:
    """The published segments and how many members each has: as kept, else counted now."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    now = Instant(time.time_ns() // 1000)
    names = sorted(running.segments)
    with read_only(path) as tx:
        customers, _ = look_around(tx)
        kept = {name: one for name in names if (one := load_kept(tx, running, name, "")) is not None}
        due = next_due(tx)
    late = due is not None and due < now - MINUTE  # nobody runs it: what time changed is not noted yet
    asked = tuple(name for name in names if late or name not in kept or not kept[name].complete)
    counts = {name: one.members for name, one in kept.items()}
    if asked:
        with Telling("who is in which segment") as tell:
            found = take(running, Question(path, asked, (now,)), tell)
        counts |= {name: one.members[-1] for name, one in found.items()}
    if json:
        for name in names:
            print_json(
                {
                    "segment": name,
                    "title": running.segments[name].title,
                    "customers": counts[name],
                    "of": customers,
                    "kept": name in kept,
                    "asked_by": asked_by(running, name),
                }
            )
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("segment", no_wrap=True)
    table.add_column("customers", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("kept", no_wrap=True)
    table.add_column("what it is", overflow="fold")
    for name in names:
        segment = running.segments[name]
        table.add_row(
            name,
            f"{counts[name]:,}",
            _share(counts[name], customers),
            "yes" if name in kept else "",
            segment.title or word(segment.condition),
        )
    Console().print(table)
    print(f"{counted(customers, 'customer')} in all. The members of a kept segment are noted as they come and go.")


def show_one(path: Path, running: Running, name: str, days: int, *, json: bool) -> None:
    """One segment: how many are in it, and how many came and left on past days."""
    now = Instant(time.time_ns() // 1000)
    with read_only(path) as tx:
        customers, first = look_around(tx)
        past = midnights(now, running.zone, days, first) if days else ()
        since = local(Instant(now - days * DAY), running.zone).date().isoformat()
        kept = load_kept(tx, running, name, since)
    with Telling(f"who is in {name}, now and on past days") as tell:
        found = take(running, Question(path, (name,), (*past, now)), tell)[name]
    rows = _days(running, past, found, kept)
    if json:
        print_json(_record(running, name, customers, found, kept, rows, now))
        return
    _print_one(running, name, customers, found, kept, rows)


def _days(running: Running, past: Sequence[Instant], found: Counted, kept: Kept | None) -> list[dict[str, Any]]:
    """Each past day and today: how many were in at its end (today: are in now), and came and left in it."""
    noticed = {one.day: one for one in kept.crossings} if kept is not None else {}
    rows = []
    for place, moment in enumerate(past):
        day = local(moment, running.zone).date().isoformat()
        row = {
            "day": day,
            "members": found.members[place + 1],
            "entered": found.entered[place],
            "left": found.departed[place],
        }
        if kept is not None:
            one = noticed.get(day)
            row |= {"noticed_entering": one.entered if one else 0, "noticed_leaving": one.departed if one else 0}
        rows.append(row)
    return rows


def _estimate(rows: Sequence[dict[str, Any]], what: str) -> float | None:
    """How many on an ordinary day; today, which is not over, does not count."""
    whole = [row[what] for row in rows[:-1]]
    return sum(whole) / len(whole) if whole else None


def _record(
    running: Running,
    name: str,
    customers: int,
    found: Counted,
    kept: Kept | None,
    rows: list[dict[str, Any]],
    now: Instant,
) -> dict[str, Any]:
    segment = running.segments[name]
    entered, left = _estimate(rows, "entered"), _estimate(rows, "left")
    return {
        "segment": name,
        "title": segment.title,
        "where": word(segment.condition),
        "at": to_rfc3339(now),
        "customers": found.members[-1],
        "of": customers,
        "kept": kept.members if kept is not None else None,
        "kept_complete": kept.complete if kept is not None else None,
        "asked_by": asked_by(running, name),
        "entries_per_day": None if entered is None else round(entered, 2),
        "leaving_per_day": None if left is None else round(left, 2),
        "days": rows,
        "judged_alone": found.alone,
        "failed": found.failed,
    }


def _print_one(
    running: Running, name: str, customers: int, found: Counted, kept: Kept | None, rows: list[dict[str, Any]]
) -> None:
    from rich.console import Console
    from rich.text import Text

    segment, console = running.segments[name], Console(soft_wrap=True)
    console.print(Text.assemble(("segment ", "dim"), (name, "bold"), (f"  {segment.title}" if segment.title else "")))
    console.print(Text(f"  where {word(segment.condition)}"))
    members = found.members[-1]
    share = _share(members, customers)
    of_all = f" of {counted(customers, 'customer')} are in it{f': {share}' if share else ''}"
    console.print(Text.assemble("  ", (f"{members:,}", "bold"), of_all))
    for line in _about_keeping(running, name, kept, members):
        console.print(Text(f"  {line}"))
    entered, left = _estimate(rows, "entered"), _estimate(rows, "left")
    if entered is not None and left is not None:
        whole = [row["entered"] for row in rows[:-1]]
        console.print(
            Text(
                f"  About {_per_day(entered)} come in a day (from {min(whole):,} to {max(whole):,}), "
                f"and {_per_day(left)} leave: by the {counted(len(whole), 'day')} before today"
            )
        )
    elif not rows:
        console.print(Text("  No history, or none asked for: entries per day are not estimated"))
    if found.failed:
        console.print(Text(f"  For {counted(found.failed, 'customer')} the condition could not be judged", style="red"))
    if found.alone:
        console.print(Text("  Some customers were judged one by one: arrays do not hold all it asks", style="dim"))
    if rows:
        _print_days(console, rows, kept)


def _about_keeping(running: Running, name: str, kept: Kept | None, members: int) -> list[str]:
    if kept is None:
        return ["Not kept: no rule waits for who comes or goes, so it is judged whenever somebody asks"]
    rules = asked_by(running, name)
    sake = f"for {', '.join(rules)}" if rules else "as segue.toml asks"
    if not kept.complete:
        return [f"Kept {sake}, once `segue run` has looked at everybody who existed before"]
    if kept.members != members:
        return [f"Kept {sake}: {kept.members:,} members are noted (the rest is noted when `segue run` comes to it)"]
    return [f"Kept {sake}"]


def _print_days(console: Any, rows: list[dict[str, Any]], kept: Kept | None) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("day", no_wrap=True)
    headings = ["came in", "left", "in it"]
    if kept is not None:
        headings += ["noticed in", "noticed out"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows[-_SHOWN - 1 :]:
        shown = [row["entered"], row["left"], row["members"]]
        if kept is not None:
            shown += [row["noticed_entering"], row["noticed_leaving"]]
        table.add_row(f"{row['day']}{' so far' if row is rows[-1] else ''}", *(f"{number:,}" for number in shown))
    console.print(table)
    if kept is not None:
        told = "  Noticed: what the daemon saw come and go. The rest is found from the history as it is now"
        console.print(Text(told, style="dim"))


def _share(members: int, customers: int) -> str:
    return f"{100 * members / customers:.1f} %" if customers else ""


def _per_day(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")
