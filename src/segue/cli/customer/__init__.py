"""``segue customer``: one customer at a time; a module for each thing that can be done."""

from __future__ import annotations

import typer

from segue.cli.customer.code import code
from segue.cli.customer.consent import consent
from segue.cli.customer.erase import erase
from segue.cli.customer.erasures import erasures
from segue.cli.customer.export import export
from segue.cli.customer.find import find
from segue.cli.customer.looks import looks
from segue.cli.customer.part import part
from segue.cli.customer.show import show

customer = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Look at a customer, hand out what is kept of them, erase it, or part what is not theirs.",
)
customer.command("show")(show)
customer.command("code")(code)
customer.command("looks")(looks)
customer.command("consent")(consent)
customer.command("find")(find)
customer.command("export")(export)
customer.command("erase")(erase)
customer.command("erasures")(erasures)
customer.command("part")(part)
