"""``segue resume``: a channel or a rule that was paused sends again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.ending import USAGE, fail, open_project, print_json
from segue.store.database import Transaction, change
from segue.store.errors import StoreError
from segue.store.pauses import Pause, load_pauses, remove_pause


def resume(
    name: Annotated[str | None, typer.Argument(help="A channel or a rule that is paused.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is paused.")] = False,
    rule: Annotated[bool, typer.Option("--rule", help="The rule of this name, where a channel has it too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One that goes on a line, as JSON.")] = False,
) -> None:
    """Let a channel or a rule send again that was paused. A daemon that runs begins within a second.

    What waited is looked at anew: consent, policy and guards are as they are now, and what has become too late is not
    sent, which `segue why` tells. Exits with 1 where it is not paused.
    """
    path = open_project(Path.cwd()).project.database
    if (name is None) != everything:
        fail("say which channel or rule, or --all: segue pause lists what is paused", USAGE)
    if not path.exists():
        fail("nothing is paused")

    def job(tx: Transaction) -> list[Pause]:
        wanted = [one for one in load_pauses(tx) if everything or one.name == name]
        if not everything and len(wanted) > 1:
            wanted = [one for one in wanted if (one.sort == "rule") is rule]
        return [one for one in wanted if remove_pause(tx, one.sort, one.name)]

    try:
        ended = change(path, job)
    except StoreError as error:
        fail(str(error))
    if not ended:
        fail("nothing is paused" if everything else f"{name} is not paused: segue pause lists what is")
    for one in ended:
        if json:
            print_json({"sort": one.sort, "name": one.name})
        else:
            print(f"The {one.sort} {one.name} goes on. What has become too late meanwhile is not sent.")
