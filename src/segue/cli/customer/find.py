"""``segue customer find``: who an identifier, or a name in the log, stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.customer.whom import Whom
from segue.cli.ending import fail, open_project, print_json
from segue.customers.pseudonyms import pseudonym
from segue.runtime.whom import name_of, whom
from segue.store.database import read_only
from segue.store.erasures import secret
from segue.store.errors import StoreError


def find(
    customer: Whom, json: Annotated[bool, typer.Option("--json", help="One customer a line, as JSON.")] = False
) -> None:
    """Find customers by any identifier, and show their id and what stands for it in the log. Exits with 1 when there is
    none."""
    project = open_project(Path.cwd()).project
    try:
        with read_only(project.database) as tx:
            found = [name_of(tx, one) for one in whom(tx, customer, project.identity)]
            key = secret(tx)
    except StoreError as error:
        fail(str(error))
    if not found:
        fail(f"nobody is known by {customer}")
    for name in found:
        if json:
            print_json({"customer": name, "pseudonym": pseudonym(key, name)})
        else:
            print(f"{name}  {pseudonym(key, name)}")
