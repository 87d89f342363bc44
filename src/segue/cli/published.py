"""Reading the project's store beside a daemon that may be running, by the rules that are published in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from segue.cli.ending import USAGE, fail
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.runtime.running import Running
from segue.store.database import Transaction, read_only
from segue.store.errors import StoreError

T = TypeVar("T")


def read_published(assembly: Assembly, job: Callable[[Transaction, Running], T]) -> T:
    """What ``job`` finds in one consistent look at the store; ends the command where there is none, or where nothing
    was published to it yet."""
    try:
        with read_only(assembly.project.database) as tx:
            running = load(tx, assembly.setting)
            if running is None:
                fail("no rule book was ever published to this store", USAGE)
            return job(tx, running)
    except StoreError as error:
        fail(str(error))
