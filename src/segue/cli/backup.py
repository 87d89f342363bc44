"""``segue backup``: a copy of the store, while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import fail, open_project, print_json
from segue.store.database import back_up
from segue.store.errors import StoreError


def backup(
    target: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Copy the project's store to a file. The daemon goes on meanwhile; the copy is of one moment."""
    project = open_project(Path.cwd()).project
    try:
        back_up(project.database, target)
    except (StoreError, OSError) as error:
        fail(f"no backup was made: {error}")
    size = target.stat().st_size
    if json:
        print_json({"backup": str(target), "bytes": size})
    else:
        print(f"{target}: {size / 1_000_000:,.1f} MB. Bring it back with: segue restore --hold {target}")
