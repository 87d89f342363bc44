"""``segue customer looks``: who looked at a customer."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.api import to_rfc3339
from segue.cli.customer.reading import read_of
from segue.cli.customer.whom import Whom
from segue.cli.ending import print_json
from segue.store.access import load_accesses


def looks(
    customer: Whom,
    json: Annotated[bool, typer.Option("--json", help="One look a line, as JSON.")] = False,
) -> None:
    """List who looked a customer up over HTTP: when, whose key, in what role, by which kind of identifier."""
    _, found = read_of(customer, lambda tx, _, row: load_accesses(tx, row))
    if json:
        for one in found:
            print_json({"at": to_rfc3339(one.at), "reader": one.reader, "role": one.role, "known_by": one.known_by})
        return
    if not found:
        print(f"Nobody looked {customer} up.")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("when", "who", "role", "by"):
        table.add_column(heading)
    for one in found:
        table.add_row(to_rfc3339(one.at)[:19].replace("T", " "), one.reader, one.role, one.known_by)
    Console(highlight=False).print(table)
