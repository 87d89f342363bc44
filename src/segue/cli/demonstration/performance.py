"""The demo from curtain to curtain: started, shown until it is over, stopped, and summed up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import tzinfo
from signal import SIGINT, SIGTERM
from typing import Final, Literal

import msgspec

from segue.api import Instant, to_datetime
from segue.api.values import DAY
from segue.cli.demonstration.evidence import tell, weigh, write_report
from segue.cli.demonstration.plain import Reporter, tell_counts
from segue.cli.demonstration.project import LOG, MAILBOX
from segue.cli.demonstration.scene import Counts
from segue.cli.demonstration.screen import Places, Screen
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.stage import Stage, fill_pools
from segue.cli.demonstration.weeks import live_through
from segue.cli.ending import WRONG, print_json
from segue.measure.experiments.missing import NotInstalled
from segue.program.calendar import find_zone
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.explaining import explain
from segue.runtime.running import DecisionLine, as_json
from segue.store.database import Store, read_only
from segue.store.positions import count_customers

FRAME: Final = 0.12
"""Wall seconds between two pictures."""
INTERRUPTED: Final = 130
"""The exit status of what Ctrl-C has ended, as shells have it."""
TOLD: Final = 12
"""Lines of an explanation at the end."""
_TUTORIAL: Final = "docs/tutorial/your-first-journey.md"


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line. ``seconds`` 0: until a signal. ``weeks``: how long a new shop has been
    open when the demo begins. ``kept``: the folder stays."""

    seconds: float
    speed: float
    pace: float
    weeks: float
    seed: int
    style: Literal["live", "lines", "json"]
    kept: bool


def perform(assembly: Assembly, store: Store, book: CheckedBook, wishes: Wishes) -> int:
    """Run the demo; its exit status. Raises CannotStart, and KeyboardInterrupt where it is ended before the shop is
    open, or while it is summed up."""
    out = _Output(to_error=wishes.style == "json")
    new = not store.apply(count_customers)
    shop = _live_through(assembly, store, book, wishes, out) if new and wishes.weeks else None
    stage, counts, seconds = asyncio.run(_play(assembly, store, book, wishes, out, shop))
    _sum_up(stage, counts, wishes, out, seconds, stage.shop if new else None)
    if stage.failure is not None:
        print(f"segue: the demo came to an end by itself: {stage.failure}", file=sys.stderr)
        return WRONG
    return 0 if all(count.balanced for count in counts.rules) else WRONG


async def _play(
    assembly: Assembly, store: Store, book: CheckedBook, wishes: Wishes, out: _Output, shop: Shop | None
) -> tuple[Stage, Counts, float]:
    """Have the shop trade until the demo is over: what there was to see, the last counts, and the seconds it took."""
    stage = Stage(
        assembly,
        store,
        speed=wishes.speed,
        seed=wishes.seed,
        pace=wishes.pace,
        shop=shop,
        hears=out.show_decision if wishes.style == "json" else None,
    )
    out.on_gone = stage.ended.set
    _listen_for_signals(stage, wishes)
    await stage.start(book)
    zone = _zone_of(assembly)
    if wishes.style != "live":
        _say_where(stage, out)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wishes.seconds or None):
                match wishes.style:
                    case "live":
                        await _show_picture(stage, zone)
                    case "lines":
                        await _show_lines(stage, zone, out)
                    case "json":
                        await stage.ended.wait()
    finally:
        ended = time.monotonic()
        counts = await stage.stop()
    return stage, counts, ended - stage.scene.started


def _zone_of(assembly: Assembly) -> tzinfo:
    zone = find_zone(assembly.project.zone)
    assert zone is not None, "the project was checked"
    return zone


def _live_through(assembly: Assembly, store: Store, book: CheckedBook, wishes: Wishes, out: _Output) -> Shop:
    """Have a new shop be open for some weeks before anybody looks."""
    store.apply(fill_pools)
    until = Instant(time.time_ns() // 1000)
    since = Instant(until - round(wishes.weeks * 7 * DAY))
    weeks = f"{wishes.weeks:g} week{'' if wishes.weeks == 1 else 's'} of the shop before the demo, in virtual time"
    with _interrupts() as look, _progress(weeks, until - since, wishes, out) as tell:

        def pass_on(at: Instant) -> None:
            look()
            tell(at - since)

        return live_through(
            store,
            assembly,
            book,
            since,
            until,
            speed=wishes.speed,
            seed=wishes.seed,
            pace=wishes.pace,
            progress=pass_on,
        )


@contextlib.contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Ctrl-C is noted, and raised where it is looked for: what it meets in the middle of a call of SQLite's is lost."""
    noted: list[int] = []
    before = {name: signal.signal(name, lambda number, _: noted.append(number)) for name in (SIGINT, SIGTERM)}

    def look() -> None:
        if noted:
            raise KeyboardInterrupt

    try:
        yield look
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@contextlib.contextmanager
def _progress(what: str, total: int, wishes: Wishes, out: _Output) -> Iterator[Callable[[int], None]]:
    """Tell how much of the total has been done: by a bar, where somebody watches."""
    if wishes.style != "live":
        out.write(what)
        yield lambda _: None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %")
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _listen_for_signals(stage: Stage, wishes: Wishes) -> None:
    def stop() -> None:
        if stage.ended.is_set():  # asked twice: at once
            if not wishes.kept:
                shutil.rmtree(stage.assembly.project.root, ignore_errors=True)
            os._exit(INTERRUPTED)
        stage.ended.set()

    for name in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop)


async def _show_picture(stage: Stage, zone: tzinfo) -> None:
    from rich.console import Console
    from rich.live import Live

    places = Places(url=stage.url, folder=str(stage.assembly.project.root), mailbox=MAILBOX, tutorial=_TUTORIAL)
    screen = Screen(stage.scene, list(stage.service.daemon.running.current.values()), places, zone)
    console = Console(highlight=False)
    with Live(
        screen, console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    ) as live:
        while not stage.ended.is_set():
            live.refresh()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stage.ended.wait(), FRAME)


async def _show_lines(stage: Stage, zone: tzinfo, out: _Output) -> None:
    reporter = Reporter(stage.scene, zone, out.write)
    while not stage.ended.is_set():
        reporter.report()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stage.ended.wait(), FRAME)


def _say_where(stage: Stage, out: _Output) -> None:
    root = stage.assembly.project.root
    out.write(f"A shop with its customers, at {stage.url}; Ctrl-C ends it")
    out.write(f"  {stage.url}/healthz and /metrics")
    out.write(f"  {root / MAILBOX}")


def _sum_up(stage: Stage, counts: Counts, wishes: Wishes, out: _Output, seconds: float, shop: Shop | None) -> None:
    """What happened, whether it adds up, what came of it, and where to go from here. ``shop``: the one that all orders
    were placed in."""
    scene, zone = stage.scene, _zone_of(stage.assembly)
    passed = max(0, round((scene.now - scene.began) / 3_600_000_000))
    life = f"{passed // 24} days and {passed % 24} hours" if passed >= 48 else f"{passed} hours"
    events, messages = stage.service.daemon.counts.events, scene.messages
    out.write("")
    out.write(f"{life} of a shop in {seconds:.0f} seconds: {events:,} events over HTTP, {messages:,} messages")
    out.write("")
    rules = [program.rule for program in stage.service.daemon.running.current.values()]
    today = to_datetime(scene.now).astimezone(zone).date()
    for text in tell_counts(counts, rules, today, shutil.get_terminal_size((100, 24)).columns - 2):
        out.write(f"  {text}")
    customer, rule = scene.known
    if customer and wishes.style != "json":
        out.write("")
        out.write(f"segue why {customer} {rule}")
        for text in _explain(stage, customer, rule, zone):
            out.write(f"  {text}")
    _tell_what_came_of_it(stage, wishes, out, shop)
    out.write("")
    command = _command()
    root = shlex.quote(str(stage.assembly.project.root))
    if wishes.kept:
        out.write(f"Kept: {root}")
        out.write(f"  cd {root}")
        out.write(f"  {command} why {customer or 'CUSTOMER'} {rule or 'RULE'}")
        out.write(f"  {command} run --speed {wishes.speed:g}     goes on from here, without the shop")
        out.write(f"  {MAILBOX}, {LOG}, and rules/ to edit before the next demo")
    else:
        again = 'make demo ARGS="--keep ../shop"' if "MAKELEVEL" in os.environ else f"{command} demo --keep shop"
        out.write("Keep the next one, to edit its rules and to ask it why:")
        out.write(f"  {again}")
    out.write("Write a rule of your own:")
    out.write(f"  {_TUTORIAL}")


def _tell_what_came_of_it(stage: Stage, wishes: Wishes, out: _Output, shop: Shop | None) -> None:
    """Write the report, and say what experiments and last touch show beside what is true."""
    assembly, scene = stage.assembly, stage.scene
    since = Instant(scene.began - round(wishes.weeks * 7 * DAY))
    out.write("")
    try:
        lines = tell(weigh(assembly, shop, scene.now))
    except NotInstalled as error:
        lines = [f"What its experiments show beside what is true takes statistics: {error}"]
    for text in lines:
        out.write(text)
    if lines:
        out.write("")
    try:
        place = write_report(assembly, since, scene.now, kept=wishes.kept)
    except OSError as error:
        print(f"segue: no report: {error.strerror or error}", file=sys.stderr)
        return
    out.write("The report, to be opened in a browser:")
    out.write(f"  {place}")


def _explain(stage: Stage, customer: str, rule: str, zone: tzinfo) -> list[str]:
    with read_only(stage.assembly.project.database) as tx:
        found = explain(tx, stage.service.daemon.running, customer, rule)
    if isinstance(found, str):
        return [found]
    lines = [
        f"{to_datetime(fact.at).astimezone(zone):%a %d %b %H:%M}  {fact.what:<9}  {fact.detail}" for fact in found.facts
    ]
    return lines if len(lines) <= TOLD else [*lines[:TOLD], f"… and {len(lines) - TOLD} more"]


def _command() -> str:
    """How this very program is called from a terminal."""
    here = sys.argv[0]
    if shutil.which("segue") is not None or not here.endswith("segue"):
        return "segue"
    return shlex.quote(os.path.abspath(here))


class _Output:
    """Where lines go: standard output, or beside the JSON lines standard error. A reader who goes away ends the demo
    quietly."""

    def __init__(self, *, to_error: bool) -> None:
        self.on_gone: Callable[[], None] = lambda: None
        self._to_error = to_error
        self._gone = False
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without UTF-8 shows question marks

    def write(self, text: str) -> None:
        """A line for people."""
        stream = sys.stderr if self._to_error else sys.stdout
        if not self._gone:
            try:
                print(text, file=stream, flush=True)
            except BrokenPipeError:
                self._leave()

    def show_decision(self, line: DecisionLine) -> None:
        """A line for programs."""
        if not self._gone:
            try:
                print_json(as_json(line))
                sys.stdout.flush()
            except BrokenPipeError:
                self._leave()

    def _leave(self) -> None:
        self._gone = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing complains when the program ends
        self.on_gone()
