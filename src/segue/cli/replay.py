"""``segue replay``: a rule book over recorded events, in virtual time."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from segue.api import Instant, SourceSpec, to_rfc3339
from segue.cli.ending import USAGE, WRONG, fail, nearest_project, open_project, print_json, show_diagnostics
from segue.runtime import process
from segue.runtime.assembly import Assembly
from segue.runtime.assembly import check as check_book
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine, Running, as_json
from segue.scenario.recording import Recording
from segue.scenario.replay import Progress, Replay
from segue.store.database import Store

_IN_MEMORY = 50_000
"""Events up to which the replay's store stays in memory; above it lies in a temporary file."""


def replay(
    rules: Annotated[Path, typer.Option("--rules", help="A rule file, or a folder with rule files.")],
    events: Annotated[Path, typer.Option("--events", help="Recorded Segment calls, one JSON object a line.")],
    json: Annotated[bool, typer.Option("--json", help="One decision a line, as JSON.")] = False,
) -> None:
    """Carry rules out over recorded events, to the end of the last wait.

    Channels answer as the record says, else they take every message at once. Exits with 0 when every line of the record
    could be read, 1 when not or when the rules are wrong, 2 on wrong usage.
    """
    for path in (rules, events):
        if not path.exists():
            fail(f"{path}: there is no such file or folder", USAGE)
    assembly = open_project(nearest_project(rules))
    found = check_book(assembly, [rules], content=False)
    show_diagnostics(found)
    if not found.ok:
        fail("the rules have errors: nothing was replayed", WRONG)
    if not found.checked.book.rules:
        fail(f"no rules in {rules}", USAGE)
    decode = find_source(assembly).decode
    assert decode is not None
    try:
        recording = Recording(events, decode)
    except OSError as error:
        fail(f"{events}: {error.strerror or error}", USAGE)
    for bad in recording.bad[:20]:
        print(f"segue: {events}:{bad.number}: {bad.reason}", file=sys.stderr)
    if len(recording.bad) > 20:
        print(f"segue: and {len(recording.bad) - 20:,} more lines that cannot be read", file=sys.stderr)
    process.settle()
    setting = assembly.setting
    counts: Counter[str] = Counter()
    with _open_store(len(recording)) as store:

        def prepare(tx):  # type: ignore[no-untyped-def]
            publish(tx, found.checked.book, Instant(recording.first - 1), "replay", found.sources)
            return resume(tx, setting)

        running: Running = store.apply(prepare)
        run = Replay(store, running, found.content, recording.record)
        with _progress(len(recording), sys.stderr.isatty() and len(recording) > 2000) as report:
            for line in run.run(recording.arrivals(), progress=report):
                counts[line.decision] += 1
                if json:
                    print_json(as_json(line))
                else:
                    print(_shown(line))
    if not json:
        total = ", ".join(f"{count:,} {decision}" for decision, count in counts.items()) or "no decisions"
        print(f"{run.arrivals:,} events: {total}", file=sys.stderr)
    if recording.bad:
        raise typer.Exit(WRONG)


def find_source(assembly: Assembly) -> SourceSpec:
    """The source whose format the record has: the Segment one."""
    for spec, _ in assembly.sources.values():
        if spec.name == "segment" and spec.decode is not None:
            return spec
    installed = assembly.plugins.sources.get("segment")
    if installed is None or installed.decode is None:
        fail("recorded events are read by the source plugin segment, which is not installed: pip install segue-segment")
    return installed


@contextlib.contextmanager
def _open_store(events: int) -> Iterator[Store]:
    if events <= _IN_MEMORY:
        store = Store(None)
        yield store
        store.close()
        return
    with tempfile.TemporaryDirectory(prefix="segue-replay-") as folder:
        store = Store(Path(folder) / "replay.db", durable=False)
        yield store
        store.close()


@contextlib.contextmanager
def _progress(total: int, wanted: bool):  # type: ignore[no-untyped-def]
    if not wanted:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replaying", total=total, pace="")

        def report(progress: Progress) -> None:
            pace = progress.arrivals / max(time.monotonic() - began, 0.001)
            day = to_rfc3339(progress.moment)[:16].replace("T", " ")
            bar.update(task, completed=progress.arrivals, description=day, pace=f"{pace:,.0f} events/s")

        yield report


def _shown(line: DecisionLine) -> str:
    what = " ".join(part for part in (line.channel, f'"{line.message}"' if line.message else "") if part)
    reason = f"  ({line.reason})" if line.reason else ""
    return f"{to_rfc3339(line.at)}  {line.customer}  {line.rule}  {line.decision}  {what}{reason}".rstrip()
