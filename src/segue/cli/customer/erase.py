"""``segue customer erase``: end a customer's journeys, and delete everything that is kept of them."""

from __future__ import annotations

import contextlib
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.api import Instant
from segue.cli.customer.whom import Whom, the_one
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.cli.publish import who
from segue.runtime import erasing
from segue.runtime.assembly import Assembly
from segue.runtime.publishing import load
from segue.runtime.whom import name_of
from segue.store import erasures
from segue.store.database import Store, Transaction, change, empty_log, read_only
from segue.store.erasures import Erasure
from segue.store.errors import StoreError, StoreInUse
from segue.store.sweeps import latest_moment

ANSWERED_WITHIN: Final = 30.0
"""Seconds that a running daemon has to delete everything."""
CHANNELS_WITHIN: Final = 10.0
"""Seconds that channels then have to answer, before the command says for whom it does not wait."""


def erase(
    customer: Whom,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Erase a customer, while Segue runs or not: their journeys exit, what waits is not sent, what stands is taken
    back, everything that is kept of them is deleted, and channels that keep data are asked to delete it too. There is
    no way back. What happened before does not bring them back either, however it comes in again."""
    assembly = open_project(Path.cwd())
    path = assembly.project.database
    try:
        with read_only(path) as tx:
            row = the_one(tx, customer, assembly.project.identity)
            name = name_of(tx, row)
            counts = erasures.count_all(tx, row)
            inside = _inside(tx, row)
        if dry_run and json:
            print_json({"customer": name, "would_delete": counts, "inside": inside, "asks": _asked(assembly)})
            return
        if dry_run or not yes:
            _show(name, counts, inside, _asked(assembly))
        if dry_run:
            return
        if not yes:
            if not sys.stdin.isatty():
                fail("nothing was erased: say --yes where nobody can be asked", USAGE)
            if not typer.confirm("Erase for good?"):
                fail("nothing was erased")
        done, waiting = _carry_out(path, assembly, row)
    except StoreError as error:
        fail(str(error))
    if json:
        print_json({"erasure": done.number, "deleted": dict(done.deleted), "waiting_for": waiting})
        return
    print(f"Erased: {counted(sum(done.deleted.values()), 'row')}. The record of it is erasure {done.number}.")
    if waiting:
        print(f"Waiting for an answer of {', '.join(waiting)}: see `segue customer erasures`.")


def _inside(tx: Transaction, row: int) -> list[str]:
    return [
        rule
        for (rule,) in tx.rows(
            "select distinct rule from journey join program on program.id = journey.program "
            "where customer = ? and live = 1 and state = 0 order by rule",
            (row,),
        )
    ]


def _asked(assembly: Assembly) -> list[str]:
    return [name for name, spec in assembly.setting.channels.items() if spec.keeps]


def _show(name: str, counts: dict[str, int], inside: list[str], asked: list[str]) -> None:
    print(f"Everything that is kept of {name}:")
    width = max(map(len, counts))
    for table, count in counts.items():
        print(f"  {table:<{width}}  {count:,}")
    print(f"Inside {', '.join(inside)}: these journeys exit as erased." if inside else "Inside no journey.")
    if asked:
        print(f"Asked to delete what they keep: {', '.join(asked)}.")


def _carry_out(path: Path, assembly: Assembly, row: int) -> tuple[Erasure, list[str]]:
    """Erase, or have the daemon that uses the store do so. Gives the record, and the channels that have not
    answered."""
    asked_by = who()
    try:
        with contextlib.closing(Store(path)) as store:
            number = store.apply(partial(_here, assembly=assembly, row=row, asked_by=asked_by))
            while store.apply(lambda tx: erasing.go_on(tx, number, _now(tx))):
                pass
        empty_log(path)
    except StoreInUse:
        number = change(path, lambda tx: erasures.ask(tx, row, asked_by, _now(tx)))
        _wait_for(path, number)
    with read_only(path) as tx:
        found = erasures.find_erasure(tx, number)
        assert found is not None
        return found, sorted({call.channel for call in erasures.load_calls(tx, number) if call.due is not None})


def _here(tx: Transaction, assembly: Assembly, row: int, asked_by: str) -> int:
    running = load(tx, assembly.setting)
    if running is None:
        fail("no rule book was ever published to this store", USAGE)
    number = erasures.ask(tx, row, asked_by, _now(tx))
    erasing.begin(tx, running, number, _now(tx))
    return number


def _now(tx: Transaction) -> Instant:
    """The present; never before what is stored, whose clock may have been compressed."""
    return Instant(max(time.time_ns() // 1000, latest_moment(tx) + 1))


def _wait_for(path: Path, number: int) -> None:
    """Until the daemon has erased; then a moment longer, since most channels answer at once."""
    until, done = time.monotonic() + ANSWERED_WITHIN, False
    while time.monotonic() < until:
        with read_only(path) as tx:
            found = erasures.find_erasure(tx, number)
            open_calls = any(call.due is not None for call in erasures.load_calls(tx, number))
        if found is not None and found.state == erasures.DONE:
            if not open_calls:
                return
            if not done:
                until, done = time.monotonic() + CHANNELS_WITHIN, True
        time.sleep(0.2)
    if done:
        return
    fail(f"the running Segue has not finished erasure {number} yet: `segue customer erasures` shows how far it is")
