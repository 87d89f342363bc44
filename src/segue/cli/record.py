"""``segue record``: what arrived at the running store and what channels answered, as a file for ``segue replay``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from segue.cli.ending import fail, open_project
from segue.scenario.record_writing import write_answers, write_arrivals, write_suppressions
from segue.store.database import read_only
from segue.store.errors import StoreError

_PIECE = 2000


def record(
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; standard output by default.")] = None,
) -> None:
    """Write all arrivals, answers, reports and suppressions of the project's store as JSON lines: Segment calls,
    and three types of Segue's own.

    `segue replay` over such a file decides what the daemon decided. Works while the daemon runs.
    """
    project = open_project(Path.cwd()).project
    if out is not None and out.exists():
        fail(f"{out} exists already: give another name")
    target: BinaryIO = out.open("wb") if out is not None else sys.stdout.buffer
    try:
        with read_only(project.database) as tx:
            _write(target, partial(write_arrivals, tx))
            _write(target, partial(write_answers, tx))
            _write(target, partial(write_suppressions, tx))
    except StoreError as error:
        fail(str(error))
    finally:
        target.flush()
        if out is not None:
            target.close()


def _write(target: BinaryIO, piece: Callable[[int, int], tuple[int, list[bytes]]]) -> None:
    after = 0
    while True:
        last, lines = piece(after, _PIECE)
        for line in lines:
            target.write(line + b"\n")
        if not last:
            return
        after = last
