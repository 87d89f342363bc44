"""``segue customer``: one customer at a time; a module for each thing that can be done."""

from __future__ import annotations

import typer

from segue.cli.customer.consent import consent

customer = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Look at one customer.",
)


@customer.callback()
def _group() -> None:
    """Look at one customer."""


customer.command("consent")(consent)
