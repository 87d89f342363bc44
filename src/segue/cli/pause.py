"""``segue pause``: a channel or a rule sends nothing for now; whoever is to get something waits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from segue.api import Instant, to_rfc3339
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.cli.publish import who
from segue.diagnostics.render.printable import printable
from segue.language.nearest import nearest
from segue.runtime.assembly import Assembly
from segue.store.books import list_rules
from segue.store.database import change, read_only
from segue.store.errors import StoreError
from segue.store.pauses import Pause, Sort, count_waiting, load_pauses, put_pause


def pause(
    name: Annotated[
        str | None, typer.Argument(help="A channel or a rule; without one, all that is paused is listed.")
    ] = None,
    rule: Annotated[bool, typer.Option("--rule", help="The rule of this name, where a channel has it too.")] = False,
    note: Annotated[str, typer.Option("--note", help="What there is to say about it.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One pause a line, as JSON.")] = False,
) -> None:
    """Send nothing by a channel, or for a rule, until `segue resume`; while Segue runs or not. Without a name, list
    what is paused.

    Nobody is lost: customers enter, waits end when they are due, and whoever comes to a `send` waits there. A message
    that has become too late by the end of the pause is not sent. Exits with 2 where there is no such channel or rule.
    """
    assembly = open_project(Path.cwd())
    path = assembly.project.database
    try:
        if name is None:
            _list(path, json)
            return
        sort = find_sort(assembly, name, rule=rule)
        one = Pause(sort, name, Instant(time.time_ns() // 1000), who(), note)
        new = change(path, lambda tx: put_pause(tx, one))
    except StoreError as error:
        fail(str(error))
    if json:
        print_json(_as_json(one, None))
    elif new:
        print(f"The {sort} {name} is paused: nothing is sent. `segue resume {name}` lets it go on.")
    else:
        print(f"The {sort} {name} was paused already.")


def find_sort(assembly: Assembly, name: str, *, rule: bool) -> Sort:
    """Whether a name is a channel's or a rule's; ends the command where it is neither's."""
    path = assembly.project.database
    rules: list[str] = []
    if path.exists():
        with read_only(path) as tx:
            rules = list_rules(tx)
    if name in assembly.channels and not rule:
        return "channel"
    if name in rules:
        return "rule"
    known = rules if rule else [*assembly.channels, *rules]
    near = nearest(name, known)
    hint = f"; did you mean {near}?" if near else f": there are {', '.join(known) or 'none'}"
    fail(f"no {'rule' if rule else 'channel or rule'} {name}{hint}", USAGE)


def _list(path: Path, json: bool) -> None:
    found: list[Pause] = []
    waiting: dict[tuple[Sort, str], int] = {}
    if path.exists():
        with read_only(path) as tx:
            found, waiting = load_pauses(tx), count_waiting(tx)
    for one in found:
        behind = waiting.get((one.sort, one.name), 0)
        if json:
            print_json(_as_json(one, behind))
            continue
        since = to_rfc3339(one.since)[:16].replace("T", " ")
        note = f" ({one.note})" if one.note else ""
        held = f"waiting: {counted(behind, 'message')}"
        print(printable(f"{one.sort} {one.name}  since {since} by {one.who}{note}; {held}"))
    if not json:
        print("`segue resume NAME` lets one go on." if found else "Nothing is paused.")


def _as_json(one: Pause, waiting: int | None) -> dict[str, object]:
    line: dict[str, object] = {"sort": one.sort, "name": one.name, "since": to_rfc3339(one.since), "who": one.who}
    line["note"] = one.note or None
    return line if waiting is None else {**line, "waiting": waiting}
