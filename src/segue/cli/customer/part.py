"""``segue customer part``: part an identifier from a customer whose it is not."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.api import Instant
from segue.cli.customer.whom import Whom, the_one
from segue.cli.ending import USAGE, fail, open_project, print_json
from segue.customers.identity import Rules, describe, show
from segue.runtime import parting
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.runtime.whom import name_of, possible_keys
from segue.store.database import Store, Transaction, change, read_only
from segue.store.errors import StoreError, StoreInUse
from segue.store.identity import find_customers, identifiers_of, want_parting, wanted_partings
from segue.store.sweeps import latest_moment

ANSWERED_WITHIN: Final = 30.0
"""Seconds that a running daemon has to carry it out."""


def part(
    customer: Whom,
    identifier: Annotated[str, typer.Argument(help="The user id, device's id, address or KIND:ID that is not theirs.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Part an identifier from a customer, while Segue runs or not: it becomes a customer of its own, with the traits
    and the history that came under it, and the two are never made one again. Journeys and messages stay as they are."""
    assembly = open_project(Path.cwd())
    path, rules = assembly.project.database, assembly.project.identity
    try:
        with read_only(path) as tx:
            row = the_one(tx, customer, rules)
            name, key = name_of(tx, row), _key_of(tx, row, identifier, rules)
        _carry_out(path, assembly, key)
        with read_only(path) as tx:
            other = name_of(tx, find_customers(tx, (key,))[0][key])
    except StoreError as error:
        fail(str(error))
    if json:
        print_json({"customer": name, "identifier": identifier, "parted": other})
    else:
        print(f"Parted: {describe(key)} is no longer {name}'s. It belongs to customer {other} now.")


def _key_of(tx: Transaction, row: int, identifier: str, rules: Rules) -> str:
    members = identifiers_of(tx, row)
    key = next((one for one in possible_keys(identifier, rules) if one in members), None)
    if key is None:
        fail(f"{identifier} is not an identifier of theirs: they have {', '.join(map(show, members))}")
    if key == members[0]:
        rest = ", ".join(map(show, members[1:])) or "nothing else"
        fail(f"the customer goes by {identifier}: name what is to go from them instead ({rest})", USAGE)
    return key


def _carry_out(path: Path, assembly: Assembly, key: str) -> None:
    try:
        with contextlib.closing(Store(path)) as store:
            store.apply(partial(_here, assembly=assembly, key=key))
    except StoreInUse:
        number = change(path, lambda tx: want_parting(tx, key, _now(tx)))
        _wait_for(path, number)


def _here(tx: Transaction, assembly: Assembly, key: str) -> None:
    running = load(tx, assembly.setting)
    if running is None:
        fail("no rule book was ever published to this store", USAGE)
    parting.part(tx, running, key, _now(tx))


def _now(tx: Transaction) -> Instant:
    """The present; never before what is stored, whose clock may have been compressed."""
    return Instant(max(time.time_ns() // 1000, latest_moment(tx) + 1))


def _wait_for(path: Path, number: int) -> None:
    until = time.monotonic() + ANSWERED_WITHIN
    while time.monotonic() < until:
        with read_only(path) as tx:
            if all(wanted != number for wanted, _ in wanted_partings(tx)):
                return
        time.sleep(0.2)
    fail("the running Segue has not parted them yet: it will, as soon as it comes to it")
