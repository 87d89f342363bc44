"""Which customer a command is about."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.ending import USAGE, counted, fail
from segue.customers.identity import Rules
from segue.runtime.whom import name_of, whom
from segue.store.database import Transaction

Whom = Annotated[
    str,
    typer.Argument(
        metavar="CUSTOMER",
        help="A user id, a device's id, an email address, a phone number, KIND:ID, or c:… as the log says it.",
    ),
]


def the_one(tx: Transaction, text: str, rules: Rules) -> int:
    """The customer whom an identifier means; ends the command where that is nobody, or not one."""
    found = whom(tx, text, rules)
    if not found:
        fail(f"nobody is known by {text}")
    if len(found) > 1:
        names = ", ".join(name_of(tx, one) for one in found[:10])
        fail(f"{counted(len(found), 'customer')} are known by {text}: name one of {names}", USAGE)
    return found[0]
