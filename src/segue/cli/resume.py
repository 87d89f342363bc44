"""``segue resume``: a channel or a rule that was paused sends again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from segue.api import Instant
from segue.cli.ending import USAGE, fail, open_project, print_json
from segue.runtime.assembly import account_terms
from segue.store.accounts import call_again
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
    sent, which `segue why` tells. A channel whose provider asked for a wait, or whose circuit breaker is open, is
    called again at once. Exits with 1 where nothing holds it.
    """
    assembly = open_project(Path.cwd())
    path = assembly.project.database
    accounts = {channel: terms.name for terms in account_terms(assembly.channels) for channel in terms.channels}
    if (name is None) != everything:
        fail("say which channel or rule, or --all: segue pause lists what is paused", USAGE)
    if not path.exists():
        fail("nothing is paused")

    def job(tx: Transaction) -> tuple[list[Pause], bool]:
        wanted = [one for one in load_pauses(tx) if everything or one.name == name]
        if not everything and len(wanted) > 1:
            wanted = [one for one in wanted if (one.sort == "rule") is rule]
        ended = [one for one in wanted if remove_pause(tx, one.sort, one.name)]
        if name is None or name not in assembly.channels or rule:
            return ended, False
        return ended, call_again(tx, accounts.get(name, name), Instant(time.time_ns() // 1000)) is not None

    try:
        ended, called = change(path, job)
    except StoreError as error:
        fail(str(error))
    if not ended and not called:
        fail("nothing is paused" if everything else f"{name} is not paused: segue pause lists what is")
    for one in ended:
        if json:
            print_json({"sort": one.sort, "name": one.name})
        else:
            print(f"The {one.sort} {one.name} goes on. What has become too late meanwhile is not sent.")
    if called and name is not None:
        account = accounts.get(name, name)
        if json:
            print_json({"sort": "account", "name": account})
        else:
            print(f"The account {account} is called again, whatever its provider asked for before.")
