"""``segue run``: the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from segue.api import to_rfc3339
from segue.cli import logs
from segue.cli.discretion import Discretion
from segue.cli.ending import USAGE, WRONG, fail, open_project, show_diagnostics
from segue.cli.publish import who
from segue.cli.service import CannotStart, Service
from segue.runtime import process
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.assembly import check as check_book
from segue.runtime.notify import Notifier
from segue.runtime.publishing import compare
from segue.runtime.running import DecisionLine
from segue.store import books
from segue.store.database import Store
from segue.store.erasures import secret
from segue.store.errors import StoreError

_log = structlog.get_logger("segue")


def run(
    publish: Annotated[bool, typer.Option("--publish", help="Publish the rules on disk before starting.")] = False,
    speed: Annotated[
        float, typer.Option("--speed", help="Compressed time, for trials: 3600 makes an hour pass in a second.")
    ] = 1.0,
    log: Annotated[str, typer.Option("--log", help="auto, json or console.")] = "auto",
    level: Annotated[str, typer.Option("--level", help="debug, info, warning or error.")] = "info",
    json: Annotated[bool, typer.Option("--json", help="The same as --log json.")] = False,
) -> None:
    """Run the project in this folder until it is told to stop.

    The first start publishes the rules it finds; later starts go on with what runs, unless --publish is said. SIGHUP
    checks the rules on disk and publishes them when they are right. SIGTERM and Ctrl-C drain and stop. Exits with 1
    when the rules or the store cannot be used, 2 when the settings are wrong.
    """
    if speed <= 0:
        fail("--speed must be above 0", USAGE)
    try:
        style = "json" if json else log
        if style not in ("auto", "json", "console"):
            fail(f"--log {log}: there are auto, json and console", USAGE)
        logs.configure(level=level, style=style)  # type: ignore[arg-type]  # checked above
    except ValueError as error:
        fail(str(error), USAGE)
    early: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: early.append(number))  # `segue publish` may find us before we are up
    assembly = open_project(Path.cwd())
    try:
        store = Store(assembly.project.database)
    except StoreError as error:
        fail(str(error))
    try:
        shown = assembly.project.privacy.log_ids == "clear"
        discretion = None if shown else Discretion(store.apply(secret))
        logs.configure(level=level, style=style, discretion=discretion)  # type: ignore[arg-type]
        first = store.apply(books.load_words) is None
        book = check_book(assembly)
        _inspect(assembly, book, publish or first)
        code = process.run(_serve(assembly, store, book, publish or first, speed, early))
    except StoreError as error:
        fail(str(error))
    finally:
        store.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a plugin's thread that hangs must not keep a stopped daemon alive


def _inspect(assembly: Assembly, book: CheckedBook, publishing: bool) -> None:
    """Show what the check found; end where rules are to be published and are wrong."""
    if book.diagnostics and publishing:
        if sys.stderr.isatty():
            show_diagnostics(book, "full")
        else:
            _log_diagnostics(book)
    if not book.ok and publishing:
        fail("the rules have errors: nothing was published and nothing runs", WRONG)
    if not book.ok:
        _log.warning("the rules on disk have errors; the published ones go on", errors=len(book.diagnostics))
    if publishing and not book.checked.book.rules:
        fail(f"no rules in {assembly.project.rules}: write one, or begin with `segue init`", USAGE)


async def _serve(
    assembly: Assembly, store: Store, book: CheckedBook, publishing: bool, speed: float, early: list[int]
) -> int:
    notifier = Notifier()
    stopping, started = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    service = Service(assembly, store, speed=speed, listener=_log_decision)

    def on_proof(healthy: bool) -> None:
        if healthy:
            notifier.watchdog()
        else:
            _log.error("no progress: the store does not write, or waits are a minute late")
        notifier.status(_status(service))

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    reloads: set[asyncio.Task[None]] = set()

    def on_hangup() -> None:
        if not started.is_set():
            early.append(signal.SIGHUP)
            return
        task = loop.create_task(_reload(service, notifier))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, on_hangup)
    try:
        await service.start(book, publish=publishing, who=who(), on_proof=on_proof)
    except CannotStart as error:
        for line in str(error).splitlines():
            print(f"segue: {line}", file=sys.stderr)
        return USAGE
    http = assembly.project.http
    if not publishing:
        await _say_if_different(service, book)
    _log.info(
        "running",
        url=f"http://{http.host}:{service.port}",
        rules=len(service.daemon.running.current),
        channels=sorted(assembly.channels),
        database=str(assembly.project.database),
        speed=speed,
        held=service.daemon.held,
    )
    process.settle()
    notifier.ready(_status(service))
    started.set()
    if early:
        on_hangup()
    await stopping.wait()
    _log.info("stopping")
    notifier.stopping()
    with contextlib.suppress(asyncio.CancelledError):
        await service.stop()
    _log.info("stopped")
    return 0


async def _reload(service: Service, notifier: Notifier) -> None:
    notifier.reloading()
    try:
        book = await service.reload(who())
        _log_diagnostics(book)
        if book.ok:
            _log.info("reloaded", rules=len(book.checked.book.rules))
        else:
            _log.error("the rules on disk have errors; the old ones go on")
    except StoreError as error:
        _log.error("nothing was reloaded; the old rules go on", error=str(error))
    except Exception:
        _log.exception("nothing was reloaded; the old rules go on")
    finally:
        notifier.ready(_status(service))


async def _say_if_different(service: Service, book: CheckedBook) -> None:
    changes = await asyncio.wrap_future(service.store.write(lambda tx: compare(tx, book.checked.book)))
    if book.ok and changes:
        changed = sorted((*changes.added, *changes.changed, *changes.removed))
        _log.warning("the rules on disk differ from those that run: `segue publish`, or --publish", rules=changed)


def _log_diagnostics(book: CheckedBook) -> None:
    """What the check of the rules found, one entry each: whatever reads the log expects entries."""
    for found in book.diagnostics:
        say = _log.error if found.is_error else _log.warning
        place = found.primary
        say(
            found.message,
            code=found.code,
            place=f"{place.file}:{place.line}:{place.column}" if place is not None else None,
            label=found.label or None,
            hint=found.hint or None,
        )


def _status(service: Service) -> str:
    counts = service.daemon.counts
    held = "; HELD: `segue release` lets it send" if service.daemon.held else ""
    rules = len(service.daemon.running.current)
    return f"{rules} rules, {counts.events:,} events and {counts.fired:,} waits since the start{held}"


def _log_decision(line: DecisionLine) -> None:
    _log.debug(
        line.decision,
        at=to_rfc3339(line.at),
        customer=line.customer,
        rule=line.rule,
        key=line.key,
        channel=line.channel or None,
        message=line.message or None,
        reason=line.reason or None,
    )
