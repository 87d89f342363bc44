"""A running Segue put together: store, channels, daemon and HTTP server, with one start, one reload and one stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from segue.api import Callback, Event, SourceTools, Tools
from segue.cli.clocks import Anchor, load_clock, put_anchor
from segue.clock.clock import Clock
from segue.host import ConfigurationError, OpenChannel, OpenSource, configure
from segue.host.http import AiohttpClient
from segue.host.pages import link_keys
from segue.host.readers import Readers, open_readers
from segue.messages.links import ShortLink
from segue.messages.tokens import Signer
from segue.runtime.assembly import Assembly, CheckedBook, check, check_version, configure_fetching, open_sources
from segue.runtime.attaching import Reports
from segue.runtime.daemon import Daemon
from segue.runtime.floor import Floor
from segue.runtime.hits import Hits
from segue.runtime.links import Links, load_keys
from segue.runtime.polling import Pollers
from segue.runtime.preferences import Choices, look
from segue.runtime.running import DecisionLine
from segue.runtime.upkeep import Upkeep
from segue.store import books
from segue.store.books import Request
from segue.store.coupons import Pool, load_pools
from segue.store.database import Store, Transaction, beside
from segue.store.errors import StoreUnavailable
from segue.store.hits import find_short_link
from segue.store.sweeps import RuleCount, count_rules, latest_moment
from segue.web.app import create_app
from segue.web.endpoints import Endpoint
from segue.web.gauges import DaemonCollector, HitCollector
from segue.web.links import FollowedLinks
from segue.web.lookup import look_up_endpoint
from segue.web.metrics import HttpMetrics
from segue.web.preferences import CustomerPages
from segue.web.serve import HttpServer
from segue.web.wording import load_words

_log = structlog.get_logger("segue")

PROVE = 5.0
"""Wall seconds between two proofs of progress, which feed health and the watchdog."""
_RARELY = 60.0
"""Wall seconds between two counts of what takes longer to count: the codes of pools."""


class CannotStart(Exception):
    """Segue cannot start; the text says what to mend."""


class Service:
    """One Segue on one store. ``start`` raises CannotStart; ``port`` is where it then listens."""

    def __init__(
        self,
        assembly: Assembly,
        store: Store,
        *,
        speed: float = 1.0,
        listener: Callable[[DecisionLine], None] | None = None,
    ) -> None:
        self.assembly = assembly
        self.store = store
        self.clock = _clock(store, speed)
        self.port = 0
        self.healthy = True
        self._listener = listener
        self._daemon: Daemon | None = None
        self._upkeep: Upkeep | None = None
        self._pollers: Pollers | None = None
        self._hits: Hits | None = None
        self._reports: Reports | None = None
        self._server: HttpServer | None = None
        self._channels: dict[str, OpenChannel] = {}
        self._fetching: dict[str, OpenSource] = {}
        self._counts: list[Any] = []
        self._pools: list[Pool] = []
        self._pools_counted = -_RARELY
        self._proved = time.monotonic()
        self._reloading = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def daemon(self) -> Daemon:
        if self._daemon is None:
            raise RuntimeError("the service has not started")
        return self._daemon

    async def start(self, book: CheckedBook, *, publish: bool, who: str, on_proof: Callable[[bool], None]) -> None:
        """Open everything and begin. ``on_proof`` hears, every few seconds, whether there is progress."""
        assembly = self.assembly
        sources, problems = open_sources(assembly)
        fetching, more = configure_fetching(assembly)
        problems += [problem for problem in more if problem not in problems]
        configs: dict[str, msgspec.Struct] = {}
        readers = Readers({})
        try:
            readers = open_readers(assembly.project.readers)
        except ConfigurationError as error:
            problems += error.problems
        for name, (spec, settings) in assembly.channels.items():
            try:
                configs[name] = configure(spec.config, settings.settings, f"channels.{name}")
            except ConfigurationError as error:
                problems.append(str(error))
        problems += [text for text in assembly.problems if text.startswith(("channels.", "sources."))]
        keys: tuple[str, ...] = ()
        try:
            keys = link_keys(assembly.project.links)
        except ConfigurationError as error:
            problems.append(str(error))
        if problems:
            raise CannotStart("\n".join(problems))
        for text in assembly.problems:
            _log.warning("a plugin is set aside", problem=text)
        client = AiohttpClient()
        for name, (channel, _) in assembly.channels.items():
            tools = Tools(channel=name, http=client, callback_url=assembly.project.http.url)
            self._channels[name] = await OpenChannel.open(
                channel, configs[name], tools, on_fault=_telling("channel", name)
            )
        for name, source, config in fetching:
            lent = SourceTools(source=name, http=client, url=assembly.project.http.url)
            self._fetching[name] = await OpenSource.open(source, config, lent, on_fault=_telling("source", name))
        self.store.start()
        signer = await asyncio.wrap_future(self.store.write(lambda tx: load_keys(tx, keys)))
        links = Links(signer, assembly.project.http.url, assembly.project.tracking)
        self._reports = Reports(assembly.project.root, assembly.setting.zone, self.clock)
        self._daemon = Daemon(
            self.store,
            self.clock,
            assembly.setting,
            self._channels,
            book.content,
            self._listener,
            sources=self._fetching,
            links=links,
            reports=self._reports,
        )
        await self._daemon.start(book.checked.book if publish else None, who, book.sources)
        self._upkeep = self._see_to_upkeep(self._daemon)
        polled = {name: channel for name, channel in self._channels.items() if channel.spec.polls}
        self._pollers = Pollers(polled, self._daemon.settle_callback)
        self._pollers.start()
        self._hits = hits = self._watch_links(self._daemon)
        self._warn_of_open_doors()
        registry = CollectorRegistry()
        deleted = self._upkeep.deleted
        registry.register(
            DaemonCollector(self._daemon, self._channels, lambda: self._counts, lambda: deleted, lambda: self._pools)
        )
        registry.register(HitCollector(hits))
        await self._refresh()
        app = create_app(
            sources=sources,
            accept=self._accept,
            refuse=self._daemon.refusals.take,
            callbacks={name: channel.receive for name, channel in self._channels.items()},
            settle_callback=self._settle,
            health=self._health,
            metrics=partial(generate_latest, registry),
            now=self.clock.look,
            counts=HttpMetrics(registry),
            pages=[*self._pages(links, hits), *self._floor(readers, signer)],
        )
        self._server = HttpServer(app)
        http = assembly.project.http
        try:
            self.port = await self._server.start(http.host, http.port)
        except OSError as error:
            await self.stop()
            raise CannotStart(f"cannot listen on {http.host}:{http.port}: {error.strerror or error}") from error
        self._tasks.append(asyncio.create_task(self._prove(on_proof), name="proof"))

    def _see_to_upkeep(self, daemon: Daemon) -> Upkeep:
        upkeep = Upkeep(
            self.store,
            self.clock,
            self.assembly.project.retention,
            self._channels,
            running=lambda: daemon.running,
            listener=daemon.tell,
            held=lambda: daemon.held,
        )
        upkeep.start()
        return upkeep

    def _watch_links(self, daemon: Daemon) -> Hits:
        hits = Hits(self.store, self.clock, running=lambda: daemon.running, listener=daemon.tell)
        hits.start()
        return hits

    async def stop(self) -> None:
        """Drain and close: no acknowledged event and no answer of a provider is lost."""
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            await self._server.stop()
        if self._pollers is not None:
            await self._pollers.stop()
        if self._hits is not None:
            await self._hits.stop()
        if self._upkeep is not None:
            await self._upkeep.stop()
        if self._daemon is not None:
            await self._daemon.stop()
        if self._reports is not None:
            await self._reports.stop()
        for source in self._fetching.values():
            await source.close()
        for channel in self._channels.values():
            await channel.close()
        if self.clock.speed != 1.0:
            with contextlib.suppress(StoreUnavailable):  # then the clock goes on as fast as it went
                await asyncio.to_thread(rest_clock, self.store, self.clock)
        await asyncio.to_thread(self.store.close)

    async def reload(self, who: str) -> CheckedBook:
        """Check the rule book on disk, or the earlier version that was asked for, and publish it when it is right; a
        wrong one changes nothing."""
        async with self._reloading:  # of two at once the one that read the disk later is the one that stays
            wanted, files = await asyncio.wrap_future(self.store.write(_take_request))
            if files is not None:
                book = await asyncio.to_thread(check_version, self.assembly, files)
            else:
                book = await asyncio.to_thread(check, self.assembly)
            if book.ok:
                asked_by = wanted.who if wanted is not None else who
                await self.daemon.publish(book.checked.book, asked_by, book.content, book.sources)
            return book

    async def _accept(self, events: Any, source: str) -> None:
        taken: list[Event] = list(events)
        await self.daemon.accept(taken)

    async def _settle(self, channel: str, callback: Callback) -> None:
        await self.daemon.settle_callback(channel, callback)

    def _pages(self, links: Links, hits: Hits) -> list[Endpoint]:
        """What the links of messages lead to."""
        project, daemon = self.assembly.project, self.daemon
        words = load_words(project.pages.words)
        for text in words.problems:
            _log.warning("words of the pages are left out", problem=text)

        async def look_up(key: str) -> Choices | None:
            return await asyncio.to_thread(
                beside, self.store, lambda tx: look(tx, daemon.running, key, daemon.clock.look())
            )

        async def find(code: str) -> ShortLink | None:
            return await asyncio.to_thread(beside, self.store, lambda tx: find_short_link(tx, code))

        name, locale, now = project.pages.name, project.locale, daemon.clock.now
        pages = CustomerPages(links, look_up, daemon.accept, words, now, name=name, locale=locale)
        followed = FollowedLinks(links, project.tracking, hits.put, find, words, now, name=name, locale=locale)
        return [*pages.endpoints(), *followed.endpoints()]

    def _floor(self, readers: Readers, signer: Signer) -> list[Endpoint]:
        """The look-up for those who serve customers, where the project lets anybody."""
        if not readers:
            return []
        floor = Floor(self.store, lambda: self.daemon.running, signer, self.clock.look)
        return [look_up_endpoint(readers, floor.look_up)]

    def _warn_of_open_doors(self) -> None:
        host = self.assembly.project.http.host
        if host in ("127.0.0.1", "::1", "localhost"):
            return
        for name, (spec, settings) in self.assembly.sources.items():
            if spec.name == "segment" and not settings.settings.get("write_keys"):
                _log.warning("anyone who reaches this address may send events: set write_keys", source=name, host=host)

    async def _prove(self, on_proof: Callable[[bool], None]) -> None:
        while True:
            await asyncio.sleep(PROVE)
            self.healthy = await self.daemon.prove()
            if self.healthy:
                self._proved = time.monotonic()
                with contextlib.suppress(Exception):  # a store that cannot read now is what the next proof says
                    await self._refresh()
            on_proof(self.healthy)

    async def _refresh(self) -> None:
        self._counts = await asyncio.to_thread(_count, self.store)
        if time.monotonic() - self._pools_counted >= _RARELY:
            now = self.clock.look()
            self._pools = await asyncio.to_thread(beside, self.store, lambda tx: load_pools(tx, now))
            self._pools_counted = time.monotonic()

    def _health(self) -> Mapping[str, Any]:
        daemon = self.daemon
        inside = sum(count.inside for count in self._counts)
        return {
            "status": "ok" if self.healthy else "stuck",
            "held": daemon.held,
            "rules": len(daemon.running.current),
            "inside": inside,
            "waiting_events": daemon.inbox.waiting,
            "seconds_since_progress": round(time.monotonic() - self._proved, 1),
            "channels": {name: channel.state for name, channel in self._channels.items()},
            "accounts": {account.name: account.breaker for account in daemon.accounts.values()},
            "paused": [f"{one.sort} {one.name}" for one in daemon.pauses.now],
            "sources": {name: source.state for name, source in self._fetching.items()},
            "clocks": {name: clock.state for name, clock in daemon.watches.clocks.clocks.items()},
            "balanced": all(count.balanced for count in self._counts),
        }


def _telling(kind: str, name: str) -> Callable[[str], None]:
    """What logs the faults of a channel or a source. Their text is not ours: it is never taken for a format."""

    def tell(reason: str) -> None:
        _log.error(f"{kind} fault", reason=reason, **{kind: name})

    return tell


def _take_request(tx: Transaction) -> tuple[Request | None, Mapping[str, str] | None]:
    """What `segue publish` asked for, and the files of the version where it named one."""
    wanted = books.take_request(tx)
    files = books.load_sources(tx, wanted.version) if wanted is not None and wanted.version is not None else None
    return wanted, files


def _count(store: Store) -> list[RuleCount]:
    """Counted beside the writer: a million journeys take longer than anything may hold it."""
    return beside(store, count_rules)


def _clock(store: Store, speed: float) -> Clock:
    """The store's clock: wall time, unless it was ever compressed; then it goes on from where it stood."""
    before = store.apply(load_clock)
    if before is None and speed == 1.0:
        return Clock()
    clock = Clock(speed) if before is None else Clock(speed, None, max(before.look(), store.apply(latest_moment)))
    anchor = Anchor(clock.speed, clock.real, clock.shown)
    store.apply(lambda tx: put_anchor(tx, anchor))
    return clock


def rest_clock(store: Store, clock: Clock) -> None:
    """Have a compressed clock go at wall speed while nothing runs: a store that is opened a day later is a day older,
    not thirty years. After a crash it goes on as fast as it went: then nobody was there to rest it."""
    anchor = Anchor(1.0, time.time_ns() // 1000, clock.look())
    store.apply(lambda tx: put_anchor(tx, anchor))
