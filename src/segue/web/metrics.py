"""What the web counts, in Prometheus's terms.

Label values come from routes and sources that were declared, never from what a client wrote: their number is bounded.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

__all__ = ["HttpMetrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """Counts of requests and events, in ``registry`` (the daemon's own; a fresh one where none is given)."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._requests = Counter(
            "segue_http_requests_total", "Requests answered", ["route", "status"], registry=self.registry
        )
        self._accepted = Counter(
            "segue_events_accepted_total", "Events committed and acknowledged", ["source"], registry=self.registry
        )
        self._rejected = Counter(
            "segue_events_rejected_total", "Calls and requests refused", ["source"], registry=self.registry
        )
        self._seconds = Histogram(
            "segue_events_acknowledged_seconds",
            "From a source's request being read to its answer, the commit included",
            ["source"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        # `labels` builds and looks up a key on each call; here it is done once for each pair that occurs.
        self._children: dict[tuple[str, int], Counter] = {}

    def declare(self, source: str) -> None:
        """Show a source's counts from the start, as zeroes."""
        self._accepted.labels(source)
        self._rejected.labels(source)
        self._seconds.labels(source)

    def answered(self, route: str, status: int) -> None:
        child = self._children.get((route, status))
        if child is None:
            child = self._children[route, status] = self._requests.labels(route, str(status))
        child.inc()

    def accepted(self, source: str, events: int, seconds: float) -> None:
        self._accepted.labels(source).inc(events)
        self._seconds.labels(source).observe(seconds)

    def rejected(self, source: str, calls: int) -> None:
        self._rejected.labels(source).inc(calls)
