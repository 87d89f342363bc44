"""``segue why``: why a customer did, or did not, get what a rule sends."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segue.api import Instant, to_rfc3339
from segue.cli.ending import fail, open_project, print_json
from segue.cli.published import read_published
from segue.runtime.assembly import account_terms
from segue.runtime.explaining import Explanation, explain


def why(
    customer: Annotated[str, typer.Argument(help="The customer's user id, or another identifier.")],
    rule: Annotated[str, typer.Argument(help="The rule's name.")],
    json: Annotated[bool, typer.Option("--json", help="One fact a line, as JSON.")] = False,
) -> None:
    """Tell, step by step, what a rule decided about a customer: entries and triggers that were ignored, each check and
    what it came to, each message and what became of it. Exits with 1 when nothing is known of the customer or the
    rule."""
    assembly = open_project(Path.cwd())
    accounts = {channel: terms.name for terms in account_terms(assembly.channels) for channel in terms.channels}
    found = read_published(assembly, lambda tx, running: explain(tx, running, customer, rule, accounts))
    if isinstance(found, str):
        fail(found)
    if json:
        for fact in found.facts:
            print_json(
                {
                    "at": to_rfc3339(fact.at),
                    "customer": customer,
                    "rule": rule,
                    "what": fact.what,
                    "detail": fact.detail,
                    "journey": fact.journey,
                }
            )
        return
    _show(customer, rule, found)


def _show(customer: str, rule: str, found: Explanation) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(soft_wrap=True)
    console.print(Text.assemble(("customer ", "dim"), (customer, "bold"), ("  rule ", "dim"), (rule, "bold")))
    for line in found.now:
        console.print(Text(f"  {line}"))
    table = Table(box=None, pad_edge=False, show_header=False)
    for fact in found.facts:
        table.add_row(
            Text(_moment(fact.at), style="dim"), Text(fact.what, style=_STYLES.get(fact.what, "")), Text(fact.detail)
        )
    if found.facts:
        console.print(table)
    else:
        console.print("  Nothing happened between them: no trigger of this rule ever came for this customer.")


_STYLES: dict[str, Any] = {
    "entered": "bold",
    "sent": "green",
    "exited": "yellow",
    "skipped": "yellow",
    "ignored": "yellow",
    "failed": "red",
    "undelivered": "red",
}


def _moment(at: Instant) -> str:
    return to_rfc3339(at)[:19].replace("T", " ")
