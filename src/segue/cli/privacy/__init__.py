"""``segue privacy``: what the project does with personal data."""

from __future__ import annotations

import typer

from segue.cli.privacy.record import record

privacy = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Show what the project does with personal data.",
)


@privacy.callback()
def _group() -> None:
    """Show what the project does with personal data."""


privacy.command("record")(record)
