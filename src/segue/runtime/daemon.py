"""The daemon: the loops together on one asyncio loop, the store's writer in its thread, each channel in one of its own.

It owns no truth: stopped at any instant, by any means, it goes on from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from segue.api import Callback, Event, Inbound, Instant, Report
from segue.api.values import HOUR
from segue.clock.bell import Bell
from segue.clock.clock import Clock
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.runtime.accounts import Account, go_on, open_accounts
from segue.runtime.attaching import MakesReports
from segue.runtime.busy import Busy
from segue.runtime.counts import Counts
from segue.runtime.crashpoints import reach
from segue.runtime.dispatch import recover, report
from segue.runtime.due import next_due, pass_time, postpone_first
from segue.runtime.fetching import Fetchers, Fetches
from segue.runtime.importing import Importer
from segue.runtime.in_hand import InHand
from segue.runtime.inbound import take_inbound
from segue.runtime.inbox import Inbox
from segue.runtime.ingest import Ingested
from segue.runtime.links import Links
from segue.runtime.pausing import Pauses
from segue.runtime.publishing import Setting, publish, resume
from segue.runtime.refusals import Refusals
from segue.runtime.running import DecisionLine, Running, with_content
from segue.runtime.sender import NoChannel, Sender, Sends
from segue.runtime.sweeping import Pioneer, chores, do_chore
from segue.runtime.turn import Done
from segue.runtime.wake import Woke
from segue.runtime.watches import Watches
from segue.store import books
from segue.store.accounts import load_accounts
from segue.store.books import Changes
from segue.store.database import FIRST, LAST, Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.ledger import due_channels, find_message
from segue.store.sweeps import latest_moment

_log = structlog.get_logger("segue")

ANSWER_WITHIN = 5.0
"""Seconds that a report waits for the answer to the call it is about."""
WAKE_PIECE = 500
"""Waits ended in one transaction."""


class Daemon:
    """One running Segue. `start` it, hand it events with `accept`, and `stop` it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        setting: Setting,
        channels: Mapping[str, Sends],
        content: Catalogue,
        listener: Callable[[DecisionLine], None] | None = None,
        sources: Mapping[str, Fetches] | None = None,
        links: Links | None = None,
        reports: MakesReports | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.content = content
        self.counts = Counts()
        self.links, self._reports = links, reports
        self.in_hand = InHand()
        self.held = False
        self.progress = 0
        """Grows with every turn that ends well: what the watchdog is fed by."""
        self._setting = setting
        self._listener = listener
        self._running: Running | None = None
        self._bell = Bell(clock)
        self._waking = asyncio.Event()
        self._stopping = False
        self._fired_before = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._releasing: asyncio.Task[None] | None = None
        self.watches = Watches(store, lambda: self.running, clock.now, setting.late)
        self.inbox = Inbox(store, lambda: self.running, clock.now, self._on_ingested, clocks=self.watches.clocks)
        self.fetchers = Fetchers(sources or {}, store, self.inbox, clock, self._bell)
        self.refusals = Refusals(store, clock.now)
        self._importer = Importer(store, lambda: self.running, clock.now, self.tell, self.watches.clocks)
        self.accounts = open_accounts(setting.accounts, {name: channel.spec for name, channel in channels.items()})
        self.pauses = Pauses(store, self._wake_senders, self.accounts.values())
        self.senders = {name: self._sender(name, channel, self.accounts[name]) for name, channel in channels.items()}

    def _sender(self, name: str, channel: Sends, account: Account | None = None) -> Sender:
        return Sender(
            name,
            channel,
            self.store,
            running=lambda: self.running,
            content=lambda: self.content,
            now=self.clock.now,
            listener=self.tell,
            ring=self._ring_sender,
            held=lambda: self.held,
            links=self.links,
            account=account,
            pauses=self.pauses,
            reports=self._reports,
        )

    @property
    def running(self) -> Running:
        """What runs. Only after `start`."""
        if self._running is None:
            raise RuntimeError("the daemon has not started")
        return self._running

    # Life

    async def start(
        self, book: m.Book | None, who: str = "segue run", sources: Mapping[str, str] | None = None
    ) -> None:
        """Begin, from what the store says. ``book`` is published first, read from ``sources``; None keeps the one that
        runs."""
        self.clock.not_before(await self._write(latest_moment))
        if book is not None:
            await self.publish(book, who, sources=sources)
        else:
            self._running = await self._write(lambda tx: resume(tx, self._setting))
        if self._running is None:
            raise RuntimeError("no rule book was ever published to this store")
        self._running = with_content(self._running, self.content, self.in_hand)
        self.in_hand.open(self.store.path)
        self.held = await self._write(lambda tx: books.load_meta(tx, "hold")) is not None
        go_on(self.accounts, await self._write(load_accounts))
        self.tell(await self._write(lambda tx: recover(tx, self.running, self.clock.now())))
        for name in await self._write(due_channels):
            if name not in self.senders:
                _log.warning(
                    "messages wait for a channel that the project does not have: they are skipped", channel=name
                )
                self.senders[name] = self._sender(name, NoChannel(name))
        await self.watches.start(self._bell)
        self._bell.start()
        self.inbox.start()
        self._importer.start()
        self._tasks.append(asyncio.create_task(self._wake(), name="waker"))
        for sender in self.senders.values():
            sender.start()
        self.pauses.start(self._bell)
        self._bell.ring_every("look", 10.0, self._look)
        self._bell.ring_every("rejections", 3600.0, self.refusals.sweep)
        await self._sweep()
        self.watches.look()
        self.fetchers.start()

    async def stop(self) -> None:
        """Drain: commit what was taken, hand over what is claimed, then let go. The store stays open."""
        self._stopping = True
        await self.fetchers.stop()
        await self.refusals.stop()
        await self._importer.stop()
        await self.inbox.drain()
        self._bell.stop()
        self._waking.set()
        for sender in self.senders.values():
            await sender.stop()
        self.pauses.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self.in_hand.close()

    async def publish(
        self, book: m.Book, who: str, content: Catalogue | None = None, sources: Mapping[str, str] | None = None
    ) -> None:
        """Make a checked book the one that runs, with its messages and the files it was read from.
        Journeys inside keep the version they began with, or are taken over, as their rules say."""
        before, setting = self._running, self._setting

        def job(tx: Transaction) -> Changes:
            changes = publish(tx, book, self.clock.now(), who, sources)
            running = resume(tx, setting, before)
            reach("in-publish")
            # At once: whatever the writer does next goes by the new book, since it finds the customers of the new one.
            messages = content or self.content
            self._running = with_content(running, messages, self.in_hand) if running is not None else None
            return changes

        try:
            changes = await self._write(job)
        except BaseException:
            self._running = before
            raise
        if content is not None:
            self.content = content
        reach("after-publish")
        _log.info(
            "published",
            rules=len(book.rules),
            added=list(changes.added),
            changed=list(changes.changed),
            removed=list(changes.removed),
        )
        if self._tasks:
            self._waking.set()
            await self._sweep()

    async def _sweep(self) -> None:
        """Do what a publication leaves to do. Asks the store what is left, so that it goes on where a crash, or a store
        that could not write, cut it off."""
        pause = 0.1
        while not self._stopping:
            try:
                pioneer = Pioneer(self.store.path)
                for chore in await self._write(lambda tx: chores(tx, self.running), LAST):
                    await do_chore(
                        chore,
                        pioneer,
                        lambda: self.running,
                        self.clock.now,
                        lambda job: self._write(job, LAST),
                        self._tell_swept,
                    )
                return
            except StoreUnavailable as error:
                _log.error("the store cannot write", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    def _tell_swept(self, done: Done) -> bool:
        self.tell(done)
        return not self._stopping

    # What comes in

    async def accept(self, events: Sequence[Event]) -> None:
        """Take events; returns once they are committed. Raises Busy or StoreUnavailable, and then kept nothing."""
        await self.inbox.put(events)

    async def settle_callback(self, channel: str, callback: Callback) -> None:
        """Take what a provider's call meant, or what a channel brought; returns once it is committed."""
        if callback.reports:
            reports = callback.reports
            await self._let_answers_come_first(channel, reports)
            self.tell(await self._write(lambda tx: report(tx, self.running, channel, reports, self.clock.now()), FIRST))
        if callback.inbound:
            messages: tuple[Inbound, ...] = callback.inbound
            self.tell(await self._write(lambda tx: take_inbound(tx, self.running, channel, messages, self.clock.now())))
        self.counts.reported[channel] += len(callback.reports) + len(callback.inbound)

    async def _let_answers_come_first(self, channel: str, reports: Sequence[Report]) -> None:
        """A report may be quicker than the answer that brings the receipt it names.
        Raises Busy where the call is still under way."""
        sender = self.senders.get(channel)
        if sender is None or not any(one.receipt and not one.key for one in reports):
            return

        def unknown(tx: Transaction) -> bool:
            return any(
                not one.key and find_message(tx, channel=channel, receipt=one.receipt) is None for one in reports
            )

        if await self._write(unknown) and not await sender.wait_for_calls(ANSWER_WITHIN) and await self._write(unknown):
            raise Busy(5.0, "the call that the report is about is still under way")

    # What is due

    async def _wake(self) -> None:
        pause, piece = 0.1, WAKE_PIECE

        def job(tx: Transaction) -> Woke:
            woke = pass_time(tx, self.running, self.clock.now(), piece)
            if woke.fired:
                reach("in-wake")
            return woke

        while not self._stopping:
            self._waking.clear()
            try:
                while not self._stopping:
                    woke = await self._write(job)
                    piece = min(piece * 2, WAKE_PIECE)
                    self.counts.fired += woke.fired
                    self.tell(woke.done)
                    if woke.next_due is None:
                        break
                    if woke.next_due > self.clock.look():
                        self._bell.ring_at("waits", woke.next_due, self._waking.set)
                        break
                pause = 0.1
            except StoreUnavailable as error:
                _log.error("the store cannot write", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            except Exception:
                # One journey that cannot even be read must not keep the others from waking: smaller pieces find it.
                _log.exception("waits cannot be ended", piece=piece)
                if piece == 1:
                    await self._postpone_earliest()
                piece = max(1, piece // 2)
                continue
            await self._waking.wait()

    async def _postpone_earliest(self) -> None:
        """What is due first cannot be done: the rest goes before it, and it is tried again later."""

        def job(tx: Transaction) -> str:
            now = self.clock.now()
            return postpone_first(tx, self.running, now, Instant(now + HOUR))

        try:
            _log.error("what is due cannot be done: it is tried again in an hour", key=await self._write(job))
        except StoreUnavailable as error:
            _log.error("the store cannot write", error=str(error))
            await asyncio.sleep(1.0)

    def _ring_sender(self, name: str, instant: Instant) -> None:
        self._bell.ring_at(f"channel {name}", instant, self.senders[name].wake)

    def _look(self) -> None:
        """Look at everything, due or not: heals a ring that was lost and a wall clock that was set."""
        self._waking.set()
        self._wake_senders()
        self.fetchers.look()
        if self.held:
            self._releasing = asyncio.create_task(self._look_for_release())

    async def _look_for_release(self) -> None:
        try:
            self.held = await self._write(lambda tx: books.load_meta(tx, "hold"), LAST) is not None
        except StoreUnavailable:
            return  # the next look asks again
        if not self.held:
            self._wake_senders()

    def _wake_senders(self) -> None:
        for sender in self.senders.values():
            sender.wake()

    # What was done

    def _on_ingested(self, ingested: Ingested) -> None:
        self.counts.events += ingested.accepted
        self.counts.duplicates += ingested.duplicates
        self.counts.refused += ingested.refused
        self.tell(ingested.done)

    def tell(self, done: Done) -> None:
        """Count what was done, and see to what follows from it by time."""
        self.progress += 1
        for line in done.lines:
            self.counts.decisions[line.rule, line.decision] += 1
            if self._listener is not None:
                self._tell_one(self._listener, line)
        if done.due is not None:
            if done.due <= self.clock.look():
                self._waking.set()
            else:
                self._bell.ring_at("waits", done.due, self._waking.set)
        for channel in done.channels:
            sender = self.senders.get(channel)
            if sender is not None:
                sender.wake()

    def _tell_one(self, listener: Callable[[DecisionLine], None], line: DecisionLine) -> None:
        try:
            listener(line)
        except Exception:  # whoever only listens (a log whose reader went away) must not stop a loop
            self._listener = None
            with contextlib.suppress(Exception):
                _log.exception("decisions cannot be told any more")

    async def _write(self, job: Callable[[Any], Any], priority: int = 1) -> Any:
        return await asyncio.wrap_future(self.store.write(job, priority))

    # How it is

    async def prove(self) -> bool:
        """Whether there is progress: the writer commits, and nothing that is due has been waiting for a minute."""
        try:
            overdue = await asyncio.wait_for(self._write(self._overdue, LAST), 20.0)
        except (StoreUnavailable, TimeoutError):
            return False
        fired, self._fired_before = self._fired_before, self.counts.fired
        # After a long halt everything is late, and a daemon that works through it must not be taken for one that is
        # stuck.
        return bool(overdue < 60_000_000 * max(1.0, self.clock.speed)) or self.counts.fired > fired

    def _overdue(self, tx: Transaction) -> int:
        due = next_due(tx, self.running)
        return max(0, self.clock.look() - due) if due is not None else 0
