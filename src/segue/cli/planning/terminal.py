"""A plan on the terminal: one sentence first, then tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.cli.planning.words import change_of, cost_words, fate_words, reason_rows, signed
from segue.scenario.edits import Edit
from segue.scenario.moves import Inside
from segue.scenario.plan import Plan, cost_difference, summarise
from segue.scenario.trying import Trial

_MARKS: Final = {"added": "+", "changed": "~", "removed": "-"}
_STYLES: Final = {"added": "green", "changed": "yellow", "removed": "red", "+": "green", "-": "red", "@": "dim"}
_WIDTH: Final = 100
"""Columns where the output is no terminal."""


def show(plan: Plan) -> None:
    """Print a plan."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    console.print(Text(textwrap.fill(summarise(plan), min(console.width, _WIDTH)), style="bold"))
    for edit in plan.edits:
        console.print()
        _show_edit(console, edit, plan.inside_of(edit.name) if edit.kind == "rule" else None)
    if plan.trial is not None and plan.trial.arrivals:
        console.print()
        _show_trial(console, plan.trial)


def _show_edit(console: Console, edit: Edit, inside: Inside | None) -> None:
    head = Text(f"{_MARKS[edit.change]} {edit.kind} {edit.name}", style=f"bold {_STYLES[edit.change]}")
    if said := change_of(edit, inside):
        head.append(f"  {said}", style="default not bold")
    console.print(head)
    if edit.change == "changed":
        for line in edit.difference:
            shown = "…" if line == "@" else line
            console.print(Text(f"    {shown}".rstrip(), style=_STYLES.get(line[:1], "")))
    if inside is not None and inside.moves:
        _print(console, _moves(inside))


def _moves(inside: Inside) -> Table:
    table = _table("customers", "at step", "what becomes of them")
    for move in inside.moves:
        at = f"{move.step}  {move.text}" if move.step else move.text
        table.add_row(f"{move.customers:,}", at, fate_words(move))
    return table


def _table(first: str, *others: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, collapse_padding=True, show_edge=False)
    table.add_column(first, justify="right" if not right else "left", no_wrap=True)
    for other in others:
        table.add_column(other, justify="right" if other in right else "left", no_wrap=other in right)
    return table


def _print(console: Console, table: Table) -> None:
    """A table after an empty line, without the spaces that a frame would have held."""
    with console.capture() as captured:
        console.print(table)
    console.file.write("\n" + "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines() if line.strip()))


def _show_trial(console: Console, trial: Trial) -> None:
    days = f"{trial.days:,.0f} days" if trial.days >= 1.5 else "one day"
    console.print(f"[bold]{days} of the past by both books[/] ({trial.arrivals:,} events): as it runs ▸ as it would be")
    head = ("entries", "messages", "skips", "cost")
    by_rule = _table("rule", *head, right=head)
    for rule in trial.rules:
        by_rule.add_row(rule, *_cells(trial, rule=rule))
    if len(trial.rules) > 1:
        by_rule.add_section()
        by_rule.add_row("all", *_cells(trial), style="bold")
    _print(console, by_rule)
    if trial.channels:
        head = ("messages", "a day", "skips", "cost")
        by_channel = _table("channel", *head, right=head)
        for channel in trial.channels:
            _, messages, skips, cost = _cells(trial, channel=channel)
            difference = trial.after.count("sent", channel=channel) - trial.before.count("sent", channel=channel)
            by_channel.add_row(channel, messages, signed(trial.per_day(difference)), skips, cost)
        _print(console, by_channel)
    if rows := reason_rows(trial):
        why = _table("skipped", "rule", "channel", "why", right=("skipped",))
        for rule, channel, reason, before, after in rows:
            why.add_row(_pair(before, after), rule, channel, reason)
        _print(console, why)


def _cells(trial: Trial, **of: str) -> list[str]:
    pairs = [
        _pair(trial.before.count(what, **of), trial.after.count(what, **of)) for what in ("entered", "sent", "skipped")
    ]
    return [*pairs, cost_words(cost_difference(trial.before, trial.after, **of))]


def _pair(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} ▸ {after:,}"
