"""The daemon's own figures for Prometheus, read at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from segue.api.values import SECOND
from segue.runtime.daemon import Daemon
from segue.runtime.hits import Hits
from segue.store.coupons import Pool
from segue.store.names import Sort
from segue.store.sweeps import RuleCount


class _Open(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def faults(self) -> int: ...


class HitCollector(Collector):
    """Opens and clicks since the start, by whether persons made them."""

    def __init__(self, hits: Hits) -> None:
        self._hits = hits

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand, as below."""
        return ()

    def collect(self) -> Iterable[Metric]:
        hit = CounterMetricFamily("segue_hits", "Opens and clicks.", labels=("what", "class"))
        for what in ("clicked", "opened"):
            for sort in ("human", "machine", "reclassified", "lost"):
                hit.add_metric((what, sort), self._hits.tally[what, sort])
        yield hit


class DaemonCollector(Collector):
    """Counts of events, waits and decisions since the start, and of journeys by rule and state; the law entered =
    inside + finished + exited + failed can be checked from ``segue_journeys``."""

    def __init__(
        self,
        daemon: Daemon,
        channels: Mapping[str, _Open],
        counts: Callable[[], Sequence[RuleCount]],
        deleted: Callable[[], Mapping[str, int]] = dict,
        pools: Callable[[], Sequence[Pool]] = tuple,
    ) -> None:
        self._daemon = daemon
        self._channels = channels
        self._counts = counts
        self._deleted = deleted
        self._pools = pools

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: families are known by collecting."""
        return ()

    def collect(self) -> Iterable[Metric]:
        counts = self._daemon.counts
        yield CounterMetricFamily("segue_events", "Events committed.", value=counts.events)
        yield CounterMetricFamily("segue_duplicate_events", "Events that had come before.", value=counts.duplicates)
        yield CounterMetricFamily(
            "segue_refused_events",
            "Events about customers who were erased, or under a name too many.",
            value=counts.refused,
        )
        deleted = CounterMetricFamily("segue_deleted_rows", "Rows deleted by age.", labels=("sort",))
        for sort, number in sorted(self._deleted().items()):
            deleted.add_metric((sort,), number)
        yield deleted
        yield CounterMetricFamily("segue_waits_fired", "Waits that ended.", value=counts.fired)
        decisions = CounterMetricFamily("segue_decisions", "Decisions made.", labels=("rule", "decision"))
        for (rule, decision), number in sorted(counts.decisions.items()):
            decisions.add_metric((rule, decision), number)
        yield decisions
        journeys = GaugeMetricFamily("segue_journeys", "Journeys by state, ever.", labels=("rule", "state"))
        for count in self._counts():
            for state in ("entered", "inside", "finished", "exited", "failed"):
                journeys.add_metric((count.rule, state), getattr(count, state))
        yield journeys
        counted = GaugeMetricFamily("segue_entries_in_period", "Entries in the period of `expect`.", labels=("rule",))
        expected = GaugeMetricFamily("segue_entries_expected", "Entries that `expect` names.", labels=("rule",))
        paused = GaugeMetricFamily("segue_entries_paused", "1 while nobody may enter the rule.", labels=("rule",))
        for rule, pace in sorted(self._daemon.watches.pace.paces.items()):
            counted.add_metric((rule,), pace.counted)
            expected.add_metric((rule,), pace.expected)
            paused.add_metric((rule,), int(pace.state == "paused"))
        yield counted
        yield expected
        yield paused
        yield GaugeMetricFamily(
            "segue_inbox_events", "Events taken and not committed yet.", value=self._daemon.inbox.waiting
        )
        yield GaugeMetricFamily("segue_store_jobs", "Jobs that wait for the store.", value=self._daemon.store.waiting)
        yield CounterMetricFamily("segue_store_commits", "Transactions committed.", value=self._daemon.store.commits)
        yield GaugeMetricFamily(
            "segue_store_longest_transaction_seconds", "The longest since the start.", value=self._daemon.store.longest
        )
        yield GaugeMetricFamily("segue_held", "1 while a restored store sends nothing.", value=int(self._daemon.held))
        opened = GaugeMetricFamily("segue_channel_open", "1 while the channel is open.", labels=("channel",))
        faults = CounterMetricFamily("segue_channel_faults", "Faults of the channel's plugin.", labels=("channel",))
        reported = CounterMetricFamily("segue_channel_reports", "Reports and replies committed.", labels=("channel",))
        for name, channel in self._channels.items():
            opened.add_metric((name,), int(channel.state == "open"))
            faults.add_metric((name,), channel.faults)
            reported.add_metric((name,), self._daemon.counts.reported[name])
        yield from (opened, faults, reported)
        yield from self._sending()
        yield from self._sources()
        yield from self._clocks()
        names = GaugeMetricFamily("segue_undeclared_names", "Names nobody declared.", labels=("source", "sort"))
        left_out = CounterMetricFamily("segue_left_out", "Events and traits left out.", labels=("source", "sort"))
        found = {(one.source, one.sort): one for one in self._daemon.watches.names.found}
        sources = {source for source, _ in found} | self._daemon.fetchers.all.keys()
        for source, sort in ((source, sort) for source in sorted(sources) for sort in get_args(Sort)):
            one = found.get((source, sort))
            names.add_metric((source, sort), one.names if one is not None else 0)
            left_out.add_metric((source, sort), one.left_out if one is not None else 0)
        yield from (names, left_out)
        yield from self._coupons()

    def _coupons(self) -> Iterable[Metric]:
        free = GaugeMetricFamily("segue_coupons_free", "Codes of a pool that nobody has.", labels=("pool",))
        low = GaugeMetricFamily("segue_coupons_low", "1 while a pool runs low.", labels=("pool",))
        for pool in self._pools():
            free.add_metric((pool.name,), pool.free)
            low.add_metric((pool.name,), int(pool.runs_low))
        yield from (free, low)

    def _sending(self) -> Iterable[Metric]:
        """Of provider accounts, and what is paused."""
        breaker = GaugeMetricFamily(
            "segue_account_breaker_open",
            "1 while its circuit breaker is not closed.",
            labels=("account",),
        )
        opened = CounterMetricFamily("segue_account_breaker_openings", "How often it opened.", labels=("account",))
        held = GaugeMetricFamily("segue_account_held", "1 while the account is not called.", labels=("account",))
        for account in sorted(set(self._daemon.accounts.values()), key=lambda one: one.name):
            breaker.add_metric((account.name,), int(account.breaker != "closed"))
            opened.add_metric((account.name,), account.opened)
            held.add_metric((account.name,), int(account.held()))
        paused = GaugeMetricFamily("segue_paused", "1 while nothing is sent.", labels=("sort", "name"))
        now = {(one.sort, one.name) for one in self._daemon.pauses.now}
        everything = [("channel", name) for name in self._channels]
        everything += [("rule", name) for name in self._daemon.running.current]
        for sort, name in sorted({*everything, *now}):
            paused.add_metric((sort, name), int((sort, name) in now))
        yield from (breaker, opened, held, paused)

    def _clocks(self) -> Iterable[Metric]:
        offset = GaugeMetricFamily(
            "segue_source_clock_offset_seconds", "By how much its clock is ahead; below 0: behind.", labels=("source",)
        )
        future = GaugeMetricFamily(
            "segue_source_future_share", "The share of its events dated in the future.", labels=("source",)
        )
        clocks = self._daemon.watches.clocks.clocks
        for name in sorted({*clocks, *self._daemon.fetchers.all}):
            clock = clocks.get(name)
            offset.add_metric((name,), clock.offset / SECOND if clock is not None else 0)
            future.add_metric((name,), clock.share / 1000 if clock is not None else 0)
        yield from (offset, future)

    def _sources(self) -> Iterable[Metric]:
        """Of sources that fetch; those that are called are counted where they are answered."""
        open_ = GaugeMetricFamily("segue_source_open", "1 while a source that fetches is open.", labels=("source",))
        faults = CounterMetricFamily("segue_source_faults", "Faults of the source's plugin.", labels=("source",))
        fetched = CounterMetricFamily("segue_source_events", "Events fetched and committed.", labels=("source",))
        rejected = CounterMetricFamily("segue_source_rejections", "What could not become an event.", labels=("source",))
        unsettled = CounterMetricFamily(
            "segue_source_unsettled_batches", "Batches committed, and not acknowledged.", labels=("source",)
        )
        lag = GaugeMetricFamily(
            "segue_source_lag_seconds", "From the newest event of the last batch to its commit.", labels=("source",)
        )
        reached = GaugeMetricFamily(
            "segue_source_last_success_timestamp_seconds",
            "When the other side last answered; 0: never yet.",
            labels=("source",),
        )
        for name, fetcher in self._daemon.fetchers.all.items():
            open_.add_metric((name,), int(fetcher.source.state == "open"))
            faults.add_metric((name,), fetcher.source.faults)
            fetched.add_metric((name,), fetcher.fetched)
            rejected.add_metric((name,), fetcher.rejected)
            unsettled.add_metric((name,), fetcher.unsettled)
            lag.add_metric((name,), fetcher.lag)
            reached.add_metric((name,), (fetcher.reached or 0) / SECOND)
        yield from (open_, faults, fetched, rejected, unsettled, lag, reached)
