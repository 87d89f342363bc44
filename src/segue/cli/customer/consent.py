"""``segue customer consent``: what a customer said about being written to, with its proof, and what stands."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from segue.api import Instant, to_rfc3339
from segue.cli.customer.reading import read_of
from segue.cli.customer.whom import Whom
from segue.cli.ending import print_json
from segue.customers.consent import KINDS, Statement
from segue.diagnostics.render.printable import printable
from segue.runtime.running import Running
from segue.runtime.turn import Turn
from segue.store.consent import load_statements
from segue.store.database import Transaction


class _Known(msgspec.Struct, frozen=True):
    """What is known: the ledger, and for each channel and kind why it is refused (None: it reaches them)."""

    said: list[Statement]
    refusals: dict[tuple[str, str], str | None]


def consent(
    customer: Whom,
    json: Annotated[bool, typer.Option("--json", help="One statement a line, as JSON.")] = False,
) -> None:
    """Show what a customer agreed to and withdrew, when, on what lawful basis, with its proof; and which messages reach
    them now, or why not. Exits with 1 when nothing is known of the customer."""

    def read(tx: Transaction, running: Running, row: int) -> _Known:
        turn = Turn(tx, running, Instant(2**62))
        turn.load([row])
        refusal = turn.people[row].facts.refusal
        refusals = {(name, kind): refusal(name, kind) for name in running.reach.channels for kind in KINDS}
        return _Known(load_statements(tx, row), refusals)

    _, known = read_of(customer, read)
    if json:
        for one in known.said:
            print_json({"customer": customer, **_as_json(one)})
    else:
        _show(customer, known)


def _as_json(one: Statement) -> dict[str, object]:
    return {
        "at": to_rfc3339(one.at),
        "received": to_rfc3339(one.received) if one.received is not None else None,
        "channel": one.channel,
        "kind": one.kind,
        "state": one.state,
        "basis": one.basis or None,
        "wording": one.wording or None,
        "source": one.source,
        "proof": one.proof or None,
        "event": one.event or None,
    }


def _show(customer: str, known: _Known) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(soft_wrap=True)
    console.print(Text.assemble(("customer ", "dim"), (customer, "bold")))
    table = Table(box=None, pad_edge=False, show_header=False)
    for (channel, kind), refusal in known.refusals.items():
        told = Text("reaches them", style="green") if refusal is None else Text(refusal, style="yellow")
        table.add_row(Text(channel), Text(kind), told)
    console.print(table)
    if not known.said:
        console.print("They never said anything about being written to.")
        return
    console.print()
    for one in known.said:
        basis = f", on the basis of {one.basis.replace('_', ' ')}" if one.basis else ""
        console.print(
            Text.assemble(
                (f"{to_rfc3339(one.at)[:19].replace('T', ' ')}  ", "dim"),
                (one.state, "green" if one.state == "granted" else "yellow"),
                f" {one.kind} by {printable(one.channel)}{basis}",
            )
        )
        shown = [("source", one.source), ("wording", one.wording), ("proof", one.proof), ("event", one.event)]
        for name, value in shown:
            if value:
                console.print(Text(f"    {name}: {printable(value)}", style="dim"))
