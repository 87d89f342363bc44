"""``segue plugins``: what is installed, what each offers, and what was set aside."""

from __future__ import annotations

import json as json_
from typing import Annotated

import typer

from segue.api import SourceSpec
from segue.host.plugins import Distribution, Plugins, discover


def plugins(json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """List the plugins that are installed, what each offers, and what is wrong with them.

    Exits with 1 when something had to be set aside. With --json there is one line for each distribution
    ({"distribution", "version", "channels", "sources", "fetching", "attribution_models", "events"}) and one for each
    problem ({"problem", "distributions"}).
    """
    found = discover()
    if json:
        _print_lines(found)
    else:
        _print_table(found)
    if found.problems:
        raise typer.Exit(1)


def _print_lines(found: Plugins) -> None:
    for one in found.distributions:
        line = {
            "distribution": one.name,
            "version": one.version,
            "channels": one.channels,
            "sources": one.sources,
            "fetching": [name for name in one.sources if found.sources[name].fetches],
            "attribution_models": one.models,
            "events": one.events,
        }
        print(json_.dumps(line, ensure_ascii=False))
    for problem in found.problems:
        print(json_.dumps({"problem": problem.text, "distributions": problem.distributions}, ensure_ascii=False))


def _print_table(found: Plugins) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not found.distributions:
        console.print(
            "No plugins are installed. A plugin is a Python package: pip install segue-console", soft_wrap=True
        )
        return
    table = Table("distribution", "version", "offers", box=None, pad_edge=False, header_style="bold")
    for one in found.distributions:
        table.add_row(Text(one.name), Text(one.version or "–"), Text(_offers(one, found)))
    console.print(table)
    for problem in found.problems:
        console.print(Text(f"! {problem}", style="red"), soft_wrap=True)


def _with_kind(name: str, spec: SourceSpec) -> str:
    """A source, with whether it is called over HTTP or fetches by itself."""
    kinds = (["called"] if spec.routes else []) + (["fetches"] if spec.fetches else [])
    return f"{name} ({', '.join(kinds)})"


def _offers(one: Distribution, found: Plugins) -> str:
    kinds = (
        ("channel", "channels", one.channels),
        ("source", "sources", tuple(_with_kind(name, found.sources[name]) for name in one.sources)),
        ("attribution model", "attribution models", one.models),
    )
    lines = [
        f"{single if len(names) == 1 else several} {', '.join(names)}" for single, several, names in kinds if names
    ]
    if one.events:
        lines.append(f"words for {len(one.events)} event{'s' if len(one.events) > 1 else ''}")
    return "\n".join(lines) or "nothing"
