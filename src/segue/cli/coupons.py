"""``segue coupons``: the pools of codes that messages carry, and how to fill them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.store.coupons import Pool, add_codes, load_pools
from segue.store.database import change, read_only
from segue.store.errors import StoreError

coupons = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    help="List the pools of coupon codes, or add codes to one.",
)

Json = Annotated[bool, typer.Option("--json", help="One pool a line, as JSON.")]

_PIECE: Final = 1000
_LONGEST: Final = 200


@coupons.callback()
def pools(context: typer.Context, json: Json = False) -> None:
    """List the pools of coupon codes with how many are left, or add codes to one."""
    if context.invoked_subcommand is not None:
        return
    path = open_project(Path.cwd()).project.database
    if not path.exists():
        found: list[Pool] = []
    else:
        try:
            with read_only(path) as tx:
                found = load_pools(tx)
        except StoreError as error:
            fail(str(error))
    if json:
        for pool in found:
            print_json({"pool": pool.name, "codes": pool.codes, "free": pool.free})
    elif not found:
        print("There are no pools yet. Put codes into one: segue coupons add POOL FILE")
    else:
        width = max(len(pool.name) for pool in found)
        for pool in found:
            print(f"{pool.name:<{width}}  {pool.free:,} of {counted(pool.codes, 'code')} left")


@coupons.command()
def add(
    pool: Annotated[str, typer.Argument(help='The pool, as rules name it: coupon("POOL").')],
    file: Annotated[Path, typer.Argument(help="A text file with one code a line.")],
    json: Json = False,
) -> None:
    """Put codes into a pool, while Segue runs or not. A code that the pool has already stays as it is, so adding the
    same file again changes nothing."""
    path = open_project(Path.cwd()).project.database
    if not pool.strip() or len(pool) > _LONGEST:
        fail(f"{pool!r} is no name for a pool: write up to {_LONGEST} letters", USAGE)
    new = read = 0
    try:
        codes = _read(file)
        while piece := list(islice(codes, _PIECE)):
            read += len(piece)
            new += change(path, partial(add_codes, pool=pool, codes=piece))
        with read_only(path) as tx:
            found = next((one for one in load_pools(tx) if one.name == pool), Pool(pool, 0, 0))
    except StoreError as error:
        fail(str(error))
    if json:
        print_json({"pool": pool, "codes": found.codes, "free": found.free, "new": new})
        return
    known = f"; {counted(read - new, 'code')} it had already" if read > new else ""
    print(f"{pool}: {counted(new, 'new code')}{known}. {found.free:,} of {counted(found.codes, 'code')} left.")


def _read(file: Path) -> Iterator[str]:
    """The codes of a file, one a line; empty lines are passed over."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                code = line.strip()
                if len(code) > _LONGEST or "\0" in code:
                    fail(f"{file}:{number}: this is no code: a line holds one code of up to {_LONGEST} letters", USAGE)
                if code:
                    yield code
    except OSError as error:
        fail(f"{file}: {error.strerror or error}", USAGE)
    except UnicodeDecodeError:
        fail(f"{file}: this is not UTF-8 text; save it as plain text with one code a line", USAGE)
