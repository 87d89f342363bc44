"""``segue customer code``: a code that a customer shows in a shop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.customer.reading import read_of
from segue.cli.customer.whom import Whom
from segue.cli.ending import USAGE, fail
from segue.host import ConfigurationError
from segue.host.pages import link_keys
from segue.runtime.codes import sign_code
from segue.runtime.links import load_keys
from segue.runtime.whom import name_of
from segue.store.database import change
from segue.store.errors import StoreError


def code(
    customer: Whom,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A picture: FILE.svg or FILE.png.", dir_okay=False)
    ] = None,
) -> None:
    """Make the signed code by which a shop's till finds a customer, and show it as a QR code. It holds the customer's
    id, and stays good until the project's link keys are replaced."""
    import segno

    assembly, name = read_of(customer, lambda tx, _, row: name_of(tx, row))
    try:
        keys = link_keys(assembly.project.links)
        signer = change(assembly.project.database, lambda tx: load_keys(tx, keys))
    except (ConfigurationError, StoreError) as error:
        fail(str(error))
    token = sign_code(signer, name)
    picture = segno.make(token, error="m")
    if output is None:
        picture.terminal(compact=True)
        print(token)
    elif output.suffix in (".svg", ".png"):
        picture.save(str(output), scale=8, border=4)
    else:
        fail(f"{output}: give the picture's name an ending of .svg or .png", USAGE)
