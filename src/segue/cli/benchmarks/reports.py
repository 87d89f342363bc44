"""What the commands that read a whole store take where it is large: the demo's shop, six weeks old, with every customer
many times; beside them a bare loop that reads the same rows and does nothing with them."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from segue.api import Instant
from segue.api.values import DAY
from segue.cli.benchmarks.figures import Tell
from segue.cli.demonstration.project import make_project
from segue.cli.demonstration.stage import fill_pools
from segue.cli.demonstration.truth import REMINDING
from segue.cli.demonstration.weeks import live_through
from segue.cli.ending import open_project
from segue.measure.table import Column, Table
from segue.runtime.assembly import check
from segue.store.database import Store
from segue.store.multiplying import count_rows, multiply
from segue.store.positions import count_customers

WHOLE: Final = 500_000
QUICK: Final = 10_000
_COMMANDS: Final = {
    "attribute": ("attribute", "--model", "linear", "--model", "markov", "--last", "30d"),
    "spend": ("spend", "--last", "30d"),
    "funnel, all rules": ("funnel",),
    "funnel, one rule": ("funnel", REMINDING),
    "funnel, one week": ("funnel", REMINDING, "--last", "7d"),
    "experiment": ("experiment",),
    "report": ("report", "--last", "30d", "--out", "report.html"),
}
_LOOP: Final = "bare loop"
_SPEED: Final = 10_800.0
_WEEKS: Final = 6
_BARE: Final = """
import sys, apsw
store = apsw.Connection(sys.argv[1], flags=apsw.SQLITE_OPEN_READONLY)
for query in (
    "select id, customer, rule, channel, message, state, handed, cost from message",
    "select id, customer, at, name, fields from event",
    "select id, customer, program, entered, state, ended, reason, converted from journey",
):
    for row in store.execute(query):
        pass
"""
_COMMAND: Final = "from segue.cli.main import main; main()"
_MEASURED: Final = """
import sys
try:
    exec(sys.argv.pop(1))
finally:  # the system's own count for a child begins with what its parent held
    print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0], file=sys.stderr)
"""


class Spent(msgspec.Struct, frozen=True):
    """What a process took: seconds of CPU, seconds by the clock, and bytes of memory at the most."""

    cpu: float
    clock: float
    memory: int


Row = tuple[str, float, float, int, float]
"""What was run, seconds of CPU, seconds by the clock, megabytes at the most, and times the bare loop's CPU."""


def measure_reports(customers: int, tell: Tell, folder: Path | None = None) -> Table:
    """A row for each command, the bare loop first."""
    with TemporaryDirectory(prefix="segue-bench-", dir=folder) as name:
        place = Path(name)
        sizes = fill(place, customers, tell)
        rows = measure(place, tell)
    columns = (
        Column("command", "command"),
        Column("cpu_seconds", "seconds of CPU", "number"),
        Column("seconds", "by the clock", "number"),
        Column("megabytes", "MB at the most", "count"),
        Column("times", "times the bare loop", "number"),
    )
    notes = (f"{sizes}; the bare loop reads messages, events and journeys in Python and does nothing with them",)
    return Table("bench-reports", "Reports of a large store", columns, tuple(rows), notes)


def measure(place: Path, tell: Tell) -> list[Row]:
    """Run the bare loop and each command in the folder of a project."""
    tell(_LOOP)
    bare = _run(_BARE, ("segue.db",), place)
    rows = [(_LOOP, bare.cpu, bare.clock, _mega(bare), 1.0)]
    for title, command in _COMMANDS.items():
        tell(title)
        spent = _run(_COMMAND, command, place)
        rows.append((title, spent.cpu, spent.clock, _mega(spent), spent.cpu / bare.cpu))
    return rows


def fill(folder: Path, customers: int, tell: Tell, *, weeks: float = _WEEKS) -> str:
    """Make a project whose store has about so many customers, at least those of the demo. What is in it, in words."""
    tell(f"{weeks:g} weeks of the demo's shop")
    make_project(folder)
    assembly = open_project(folder)
    book = check(assembly)
    until = Instant(time.time_ns() // 1000)
    since = Instant(until - round(weeks * 7 * DAY))
    with contextlib.closing(Store(assembly.project.database, durable=False)) as store:
        store.apply(fill_pools)
        live_through(store, assembly, book, since, until, speed=_SPEED, seed=1, pace=4.0)
        times = max(1, math.ceil(customers / store.apply(count_customers)))
        multiply(store, times, lambda table: tell(f"the shop {times:,} times: {table}"))
        counts = store.apply(count_rows)
    return ", ".join(f"{number:,} {table}s" for table, number in counts.items())


def _run(program: str, arguments: Sequence[str], folder: Path) -> Spent:
    command = [sys.executable, "-c", _MEASURED, program, *arguments]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {said[-2000:]}")
    memory = int(said.split()[-1]) * 1024
    return Spent(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, memory)


def _mega(spent: Spent) -> int:
    return round(spent.memory / 1_000_000)
