"""Why one customer is in a segment, or out of it."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from segue.api import Instant, to_rfc3339
from segue.cli.customer.whom import the_one
from segue.cli.ending import print_json
from segue.program.parts import Part
from segue.runtime.membership import Reason, explain_membership
from segue.runtime.running import Running
from segue.store.database import read_only

_NEEDS = {"all": "all of these hold", "any": "one of these holds", "none": "this does not hold", "": ""}


def show_reason(path: Path, running: Running, name: str, customer: str, *, json: bool) -> None:
    """Take the condition apart for a customer."""
    now = Instant(time.time_ns() // 1000)
    with read_only(path) as tx:
        reason = explain_membership(tx, running, name, the_one(tx, customer, running.identity), now)
    if json:
        print_json(
            {
                "customer": reason.customer,
                "segment": name,
                "member": reason.member,
                "at": to_rfc3339(now),
                "changes": to_rfc3339(reason.due) if reason.due is not None else None,
                "because": msgspec.to_builtins(reason.part),
            }
        )
        return
    _print(name, reason)


def _print(name: str, reason: Reason) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    member = ("is in", "bold green") if reason.member else ("is not in", "bold yellow")
    console.print(Text.assemble((reason.customer, "bold"), " ", member, " ", (name, "bold")))
    part = reason.part
    parts = part.under if not part.text and part.needs in ("all", "any") else (part,)
    if len(parts) > 1:
        console.print(Text(f"  {_NEEDS[part.needs]}:", style="dim"))
    for one in parts:
        _print_part(console, one, 1)
    if reason.due is not None:
        console.print(
            f"  If nothing happens meanwhile, this stays so until {to_rfc3339(reason.due)[:19].replace('T', ' ')} UTC; "
            "then it is looked at again."
        )
    else:
        console.print("  Time alone does not change this.")


def _print_part(console: object, part: Part, depth: int) -> None:
    from rich.console import Console
    from rich.text import Text

    assert isinstance(console, Console)
    mark = ("yes  ", "green") if part.holds else ("no   ", "yellow")
    said = part.text
    if part.under:
        said = f"{said}: {_NEEDS[part.needs]}" if said and len(part.under) > 1 else said or _NEEDS[part.needs]
    line = Text.assemble("  " * depth, mark, said)
    if part.seen:
        line.append(f"  ({part.seen})", style="dim")
    console.print(line)
    for one in part.under:
        _print_part(console, one, depth + 1)
