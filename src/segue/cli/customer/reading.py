"""Reading something of one customer, beside a daemon that may be running."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from segue.cli.customer.whom import the_one
from segue.cli.ending import open_project
from segue.cli.published import read_published
from segue.runtime.assembly import Assembly
from segue.runtime.running import Running
from segue.store.database import Transaction

T = TypeVar("T")


def read_of(customer: str, job: Callable[[Transaction, Running, int], T]) -> tuple[Assembly, T]:
    """What ``job`` finds of the customer whom an identifier means, with the project; ends the command where that is
    nobody."""
    assembly = open_project(Path.cwd())

    def find(tx: Transaction, running: Running) -> T:
        return job(tx, running, the_one(tx, customer, running.identity))

    return assembly, read_published(assembly, find)
