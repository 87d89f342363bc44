"""Messages between the commit of their claim and the call: what a withdrawal can still stop.

The moment of sending is the commit of the claim. Between it and the call lies a little time all the same (what is
rendered, a call before it), and a withdrawal that commits in it stops the message too. The store's writer tells of
both, in the order in which it commits them: of a claim before it commits, and of a withdrawal before it commits. So
whoever is about to call, and asks here, hears of every withdrawal that is committed; one whose commit fails merely has
the message looked at once more. Of what another process commits (``segue suppress``) nobody tells: that is read in the
moment of asking.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import structlog

from segue.customers.suppression import comparable
from segue.store.consent import NewlySuppressed
from segue.store.errors import StoreUnavailable

_log = structlog.get_logger("segue")


class InHand:
    """What is claimed and not called yet, by message. Used by the store's writer and by the channels' loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, tuple[int, str | None, str]] = {}
        self._stopped: set[int] = set()
        self._outside: NewlySuppressed | None = None

    def open(self, path: Path | None) -> None:
        """Before anything is held: the store that other processes may write to; None where none can. Raises
        StoreUnavailable."""
        self._outside = NewlySuppressed(path) if path is not None else None

    def close(self) -> None:
        """Nothing is asked any more."""
        if self._outside is not None:
            self._outside.close()
            self._outside = None

    def hold(self, message: int, customer: int, sort: str | None, address: str) -> None:
        """A message is being claimed, for a customer, to an address of that sort."""
        with self._lock:
            self._held[message] = (customer, sort, address)
            self._stopped.discard(message)

    def stop_customers(self, customers: Iterable[int]) -> None:
        """Customers are withdrawing their consent, or become one with another."""
        people = set(customers)
        with self._lock:
            self._stopped.update(message for message, (customer, *_) in self._held.items() if customer in people)

    def stop_address(self, sort: str, address: str) -> None:
        """An address, as it is compared, is being suppressed."""
        with self._lock:
            self._stopped.update(
                message
                for message, (_, of, held) in self._held.items()
                if of == sort and comparable(sort, held) == address
            )

    def let_go(self, messages: Iterable[int]) -> frozenset[int]:
        """These messages are about to be called: gives those that must not be. They are in hand no more."""
        if self._outside is not None:
            try:
                for sort, address in self._outside.look():
                    self.stop_address(sort, address)
            except StoreUnavailable as error:  # what this process suppresses is known all the same
                _log.error("what was just suppressed cannot be read", error=str(error))
        with self._lock:
            stopped = set()
            for message in messages:
                if self._held.pop(message, None) is not None and message in self._stopped:
                    self._stopped.discard(message)
                    stopped.add(message)
            return frozenset(stopped)
