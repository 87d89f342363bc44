"""Reading something of one customer, beside a daemon that may be running."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from segue.cli.customer.whom import the_one
from segue.cli.ending import USAGE, fail, open_project
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.runtime.running import Running
from segue.store.database import Transaction, read_only
from segue.store.errors import StoreError

T = TypeVar("T")


def read_of(customer: str, job: Callable[[Transaction, Running, int], T]) -> tuple[Assembly, T]:
    """What ``job`` finds of the customer whom an identifier means, with the project; ends the command where that is
    nobody."""
    assembly = open_project(Path.cwd())
    try:
        with read_only(assembly.project.database) as tx:
            running = load(tx, assembly.setting)
            if running is None:
                fail("no rule book was ever published to this store", USAGE)
            return assembly, job(tx, running, the_one(tx, customer))
    except StoreError as error:
        fail(str(error))
