"""``segue coupons``: the pools of codes that messages carry, how to fill them, and who has which code."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from msgspec.structs import replace

from segue.api import Instant, from_datetime, to_rfc3339
from segue.api.values import DAY
from segue.cli.code_files import LONGEST, read_codes
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.cli.spreadsheets import cell
from segue.customers.identity import show
from segue.messages.codes import problem_with
from segue.program.calendar import at_wall, find_zone, local
from segue.store.coupons import Pool, add_codes, describe_pool, load_given, load_pools
from segue.store.database import Transaction, change, read_only
from segue.store.errors import StoreError

coupons = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="List the pools of coupon codes, fill them, or tell who has which code.",
)

Json = Annotated[bool, typer.Option("--json", help="One pool a line, as JSON.")]

_PIECE: Final = 1000


@coupons.callback()
def pools(context: typer.Context, json: Json = False) -> None:
    """List the pools of coupon codes with how many are left, fill them, or tell who has which code."""
    if context.invoked_subcommand is not None:
        return
    project = open_project(Path.cwd()).project
    path = project.database
    if not path.exists():
        found: list[Pool] = []
    else:
        try:
            with read_only(path) as tx:
                found = load_pools(tx, _now())
        except StoreError as error:
            fail(str(error))
    if json:
        for pool in found:
            print_json(_shown(pool))
    elif not found:
        print("There are no pools yet. Put codes into one: segue coupons add POOL FILE")
        print('or have Segue make them: segue coupons set POOL --pattern "SUMMER-{8}"')
    else:
        width = max(len(pool.name) for pool in found)
        for pool in found:
            print(f"{pool.name:<{width}}  {_words(pool, project.zone)}")


def _words(pool: Pool, zone: str) -> str:
    left = f"{pool.free:,} of {counted(pool.codes, 'code')} left"
    if pool.pattern is not None:
        left = (
            f"{left}, then made as {pool.pattern}"
            if pool.free
            else f"{counted(pool.codes, 'code')}, made as {pool.pattern}"
        )
    parts = [left, f"{pool.redeemed:,} used" if pool.redeemed else "", "runs low" if pool.runs_low else ""]
    if pool.until is not None:
        last = local(Instant(pool.until - 1), find_zone(zone) or UTC).date()
        parts.append(f"closed since {last}" if pool.until <= _now() else f"open until {last}")
    return "; ".join(part for part in parts if part)


def _shown(pool: Pool) -> dict[str, Any]:
    return {
        "pool": pool.name,
        "codes": pool.codes,
        "free": pool.free,
        "redeemed": pool.redeemed,
        "pattern": pool.pattern,
        "days": pool.valid // DAY if pool.valid is not None else None,
        "until": _moment(pool.until),
        "low": pool.runs_low,
    }


def _moment(at: Instant | None) -> str | None:
    return to_rfc3339(at) if at is not None else None


def _now() -> Instant:
    return from_datetime(datetime.now(UTC))


def _end_of(written: str | None, zone: str) -> Instant | None:
    """The end of a day, which is included."""
    if written is None:
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        fail(f"{written!r} is no day: write one such as 2026-12-31", USAGE)
    return at_wall(day + timedelta(days=1), 0, find_zone(zone) or UTC)


def _name(pool: str) -> str:
    if not pool.strip() or len(pool) > LONGEST:
        fail(f"{pool!r} is no name for a pool: write up to {LONGEST} letters", USAGE)
    return pool


@coupons.command()
def add(
    pool: Annotated[str, typer.Argument(help='The pool, as rules name it: coupon("POOL").')],
    file: Annotated[Path, typer.Argument(help="A text file with one code a line, or a CSV file with a column code.")],
    expires: Annotated[
        str | None, typer.Option("--expires", help="The last day on which these codes hold, as in 2026-12-31.")
    ] = None,
    json: Json = False,
) -> None:
    """Put codes into a pool, while Segue runs or not. A code that the pool has already stays as it is, so adding the
    same file again changes nothing."""
    project = open_project(Path.cwd()).project
    path = project.database
    last = _end_of(expires, project.zone)
    if last is not None and last <= _now():
        fail(f"--expires {expires}: that day is over, so nobody would get any of these codes", USAGE)
    _name(pool)
    new = read = 0
    try:
        codes = read_codes(file)
        while piece := list(islice(codes, _PIECE)):
            read += len(piece)
            new += change(path, partial(add_codes, pool=pool, codes=piece, expires=last))
        with read_only(path) as tx:
            found = next((one for one in load_pools(tx, _now()) if one.name == pool), Pool(pool, 0, 0))
    except StoreError as error:
        fail(str(error))
    if json:
        print_json({"pool": pool, "codes": found.codes, "free": found.free, "new": new})
        return
    known = f"; {counted(read - new, 'code')} it had already" if read > new else ""
    print(f"{pool}: {counted(new, 'new code')}{known}. {found.free:,} of {counted(found.codes, 'code')} left.")


@coupons.command("set")
def set_(
    pool: Annotated[str, typer.Argument(help='The pool, as rules name it: coupon("POOL").')],
    pattern: Annotated[
        str | None, typer.Option("--pattern", help='How codes are made where none is left: "SUMMER-{8}".')
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="For how many days a code that is made holds.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="The last day on which any are given out.")] = None,
    low: Annotated[int | None, typer.Option("--low", min=0, help="Warn when fewer than so many are left.")] = None,
    json: Json = False,
) -> None:
    """Say how a pool makes codes, until when it gives any out, and when it runs low; what is not named stays."""
    project = open_project(Path.cwd()).project
    _name(pool)
    if pattern is not None and (problem := problem_with(pattern)) is not None:
        fail(f"{pattern!r}: {problem}", USAGE)
    last = _end_of(until, project.zone)
    try:
        found = change(project.database, lambda tx: _set(tx, pool, pattern, days, last, low))
    except StoreError as error:
        fail(str(error))
    if json:
        print_json(_shown(found))
    else:
        print(f"{pool}: {_words(found, project.zone)}.")


def _set(
    tx: Transaction, name: str, pattern: str | None, days: int | None, until: Instant | None, low: int | None
) -> Pool:
    before = next((one for one in load_pools(tx, _now()) if one.name == name), Pool(name, 0, 0))
    after = replace(
        before,
        pattern=pattern if pattern is not None else before.pattern,
        valid=days * DAY if days is not None else before.valid,
        until=until if until is not None else before.until,
        low=low if low is not None else before.low,
    )
    describe_pool(tx, after)
    return after


@coupons.command()
def export(
    pool: Annotated[str, typer.Argument(help="The pool.")],
    json: Json = False,
) -> None:
    """Print who has which code of a pool as CSV: code, customer, rule, when it was given, until when it holds, and when
    it was used."""
    path = open_project(Path.cwd()).project.database
    table = csv.writer(sys.stdout, lineterminator="\n")
    names = ("code", "customer", "rule", "at", "expires", "redeemed")
    after = 0
    try:
        with read_only(path) as tx:
            if not any(one.name == pool for one in load_pools(tx)):
                fail(f"there is no pool {pool}: `segue coupons` lists them")
            if not json:
                table.writerow(names)
            while piece := load_given(tx, pool, after, _PIECE):
                after = piece[-1][0]
                for _, one in piece:
                    customer = show(one.customer) if one.customer else ""
                    moments = (_moment(one.at), _moment(one.expires), _moment(one.redeemed))
                    row = (one.code, customer, one.rule, *moments)
                    if json:
                        print_json(dict(zip(names, row, strict=True)))
                    else:
                        table.writerow([cell(value) for value in row])
    except StoreError as error:
        fail(str(error))
