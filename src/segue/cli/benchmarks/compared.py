"""All measurements of a run, side by side."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from segue.api import Event, Instant
from segue.api.values import HOUR
from segue.cli.benchmarks.backlog import measure_backlog
from segue.cli.benchmarks.checking import measure_checking
from segue.cli.benchmarks.editing import Answered, Editing, measure_editing
from segue.cli.benchmarks.figures import Figure, Sizes, Tell
from segue.cli.benchmarks.histories import EVENTS, measure_histories
from segue.cli.benchmarks.over_http import NoSource, measure_over_http
from segue.cli.benchmarks.replaying import measure_replaying
from segue.cli.benchmarks.spine import LATER, measure_spine
from segue.cli.benchmarks.workload import Shop
from segue.clock.yardstick import JobRates, MissingLibrary, measure_jobs
from segue.runtime import process
from segue.store.yardstick import BareLoop, PlainEvent


class Result(msgspec.Struct, frozen=True):
    """The figures of a run, and notes: what could not be measured, and in which circumstances the rest
    was."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


class BareRates(msgspec.Struct, frozen=True):
    """What the bare loop reached, each in 1/s."""

    journeys: float
    events: float
    waits: float


def measure_bare(folder: Path, customers: int, mixed: int) -> BareRates:
    """The same customers and events through the bare loop."""
    shop, now = Shop(), Instant(time.time_ns() // 1000)
    loop = BareLoop(folder / "bare.db")
    starting = loop.take([_plain(event) for event in shop.carts(0, customers, now)])
    fired, firing = loop.fire(now + LATER)
    loop.close()
    if fired != customers:
        raise RuntimeError(f"the bare loop fired {fired} of {customers} waits")
    loop = BareLoop(folder / "bare-events.db")
    stream = [_plain(event) for event in shop.stream(0, mixed, Instant(now - HOUR))]
    deciding = loop.take(stream)
    loop.close()
    return BareRates(customers / starting, len(stream) / deciding, customers / firing)


def _plain(event: Event) -> PlainEvent:
    return PlainEvent(event.message_id, event.user_id or "", event.name == "ordered", event.timestamp, event.properties)


def measure(sizes: Sizes, tell: Tell, folder: Path | None = None) -> Result:
    """Measure everything, each database in a folder of its own below ``folder`` (else the system's place for temporary
    files), which is empty again afterwards."""
    notes: list[str] = []
    with TemporaryDirectory(prefix="segue-bench-", dir=folder) as name:
        place = Path(name)
        tell(f"the bare loop of Python and SQLite: {sizes.customers:,} customers")
        bare = measure_bare(place, sizes.customers, sizes.mixed)
        tell(f"journeys, events and waits: {sizes.customers:,} customers")
        spine = process.run(measure_spine(place, sizes.customers, sizes.mixed))
        tell(f"events over HTTP: {sizes.over_http:,} customers")
        try:
            over_http = process.run(measure_over_http(place, sizes.over_http))
        except NoSource as error:
            over_http = None
            notes.append(str(error))
        tell(f"a month of {sizes.replayed:,} customers, replayed")
        try:
            replaying = measure_replaying(place, sizes.replayed)
        except NoSource:
            replaying = None
        tell(f"an event after up to {sizes.past:,} of the same customer")
        histories = measure_histories(place, (10, 1_000, sizes.past))
        tell(f"APScheduler with a job for each wait: {sizes.jobs:,} jobs")
        jobs: JobRates | None = None
        try:
            jobs = measure_jobs(place, [f"customer-{number}" for number in range(sizes.jobs)])
        except MissingLibrary as error:
            notes.append(str(error))
        tell(f"a store with {sizes.waiting:,} customers waiting: this takes the longest")
        backlog = measure_backlog(place, sizes.waiting)
        tell(f"the check of a book of {sizes.rules:,} rules")
        with TemporaryDirectory(prefix="rules-", dir=place) as rules:
            checking = measure_checking(Path(rules), sizes.rules)
        tell("the language server in a long file")
        with TemporaryDirectory(prefix="editing-", dir=place) as rules:
            editing = measure_editing(Path(rules))
            notes.append(
                f"the language server's longest answer of each kind (and median) in a file of {editing.lines:,} "
                f"lines, which Lark alone parses in {editing.parsed:.0f} ms; load of the machine meanwhile: "
                f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
            )
    whole = sizes.waiting >= 1_000_000
    figures = [
        Figure(
            "journeys",
            "journeys started",
            "1/s",
            spine.customers,
            spine.journeys,
            bare.journeys,
            jobs.journeys if jobs else None,
            20_000,
            50_000,
        ),
        Figure(
            "events",
            "events decided",
            "1/s",
            spine.events,
            spine.decided,
            bare.events,
            jobs.events if jobs else None,
            20_000,
            45_000,
        ),
        Figure(
            "waits",
            "waits fired",
            "1/s",
            spine.waits,
            spine.fired,
            bare.waits,
            jobs.waits if jobs else None,
            30_000,
            100_000,
        ),
    ]
    if over_http is not None:
        figures.append(Figure("http", "events over HTTP", "1/s", over_http.events, over_http.decided))
    if replaying is not None:
        figures.append(
            Figure(
                "replay",
                "events replayed",
                "1/s",
                replaying.events,
                replaying.replayed,
                replaying.decoded,
                good=20_000,
                aim=50_000,
            )
        )
    figures += [
        *(
            Figure(f"history: {one.past}", f"events after {one.past:,}", "1/s", EVENTS, one.taken, one.looked_through)
            for one in histories
        ),
        Figure("check", "rules checked", "1/s", checking.rules, checking.checked, checking.parsed, None, 500, 1_000),
        *(_answer(editing, one) for one in editing.answers),
        Figure("filling", f"filled to {sizes.waiting:,}", "1/s", backlog.waiting, backlog.journeys),
        Figure("memory", "memory with these", "MB", backlog.waiting, backlog.memory, good=400, aim=250),
        Figure("disk", "disk with these", "MB", backlog.waiting, backlog.disk, good=800, aim=500),
        Figure("ready", "start with these", "s", backlog.waiting, backlog.ready, good=4, aim=1),
    ]
    if not whole:  # the marks for memory, disk and start are set for a million
        figures = [
            msgspec.structs.replace(one, good=None, aim=None) if one.unit in ("MB", "s") else one for one in figures
        ]
    return Result(tuple(figures), tuple(notes))


def _answer(editing: Editing, one: Answered) -> Figure:
    return Figure(
        f"editing: {one.kind}",
        one.kind,
        "ms",
        editing.lines,
        one.worst,
        editing.parsed,
        good=50,
        aim=25,
        median=one.median,
    )
