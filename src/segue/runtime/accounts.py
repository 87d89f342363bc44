"""The provider accounts of a running Segue: several channels may share one.

How an account stands is kept in the store, in the transactions that claim and that note answers. Between them it lives
here, where the store's writer and the channels' loops ask.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from segue.api import Answer, ChannelSpec, Instant, to_rfc3339
from segue.delivery.accounts import (
    LATEST,
    AccountState,
    Breaker,
    Tempo,
    after_restart,
    heard,
    let_go,
    next_room,
    note_call,
    room,
    take,
)
from segue.store.accounts import put_account
from segue.store.database import Transaction

_log = structlog.get_logger("segue")

_SHORTEST_WAIT: Final = 0.005
"""Seconds. What is asked of the clock in shorter steps is asked too often."""


class AccountTerms(msgspec.Struct, frozen=True):
    """What a project says of an account: ``channels`` share it; at most ``rate`` messages a second and ``in_flight``
    calls at once (None: as its channels say, each for itself)."""

    name: str
    channels: tuple[str, ...]
    rate: float | None = None
    in_flight: int | None = None


def wall() -> Instant:
    """The machine's clock, which providers share."""
    return Instant(time.time_ns() // 1000)


class Flight(msgspec.Struct, eq=False):
    """Messages claimed at a moment, on their way to the provider: when the call ``begun``."""

    claimed: Instant
    begun: Instant | None = None


class Account:
    """One account. ``listeners``, by channel, are called on their loop when something may be called again."""

    def __init__(self, terms: AccountTerms, now: Callable[[], Instant] = wall) -> None:
        self.terms = terms
        self.state = AccountState()
        self.listeners: dict[str, Callable[[], None]] = {}
        self.opened = 0
        """How often its breaker opened, since the start."""
        self._tempo = Tempo.of(terms.rate) if terms.rate is not None else None
        self._now = now
        self._calls = 0
        self._flights: set[Flight] = set()
        self._prober: str | None = None
        self._turned_away = False
        self._slots = asyncio.Semaphore(terms.in_flight) if terms.in_flight is not None else None
        self._lock = threading.Lock()
        self._kept = self.state

    @property
    def name(self) -> str:
        return self.terms.name

    @property
    def breaker(self) -> Breaker:
        """The state of its circuit breaker."""
        return self.state.breaker(self._now())

    def go_on(self, state: AccountState) -> None:
        """Begin with how it stood when Segue last ran."""
        self._kept = state
        self.state = after_restart(state)

    def let_go(self) -> None:
        """Somebody has it called again, whatever holds it."""
        with self._lock:
            before, self.state = self.state, let_go(self.state)
        self._tell(before, self.state)

    # Before a claim

    async def enter(self) -> None:
        """Wait until one more call may be under way."""
        if self._slots is not None:
            await self._slots.acquire()

    def leave(self, channel: str) -> None:
        """A channel gives back the place that `enter` gave it."""
        if self._slots is not None:
            self._slots.release()
        if self._prober == channel:
            self._prober = None
            if self._turned_away:  # it may have had nothing to try: another's turn
                self._turned_away = False
                self.wake(without=channel)

    def room(self, most: int, channel: str) -> int:
        """How many messages a channel may claim now. While the breaker is half-open, one, and none beside it."""
        now = self._now()
        with self._lock:
            if self.state.breaker(now) == "half-open":
                if self._calls or self._prober is not None:
                    self._turned_away = True
                    return 0
                self._prober = channel
            self._hear(now)
            return room(self.state, self._tempo, now, most)

    def held(self) -> bool:
        """Whether it is not called for now, whatever there is to send."""
        return self.state.held_until(self._now()) is not None

    def wait(self) -> float | None:
        """Seconds until there may be room, at the earliest; None while one message tries: its end will be heard of."""
        now = self._now()
        with self._lock:
            if self.state.breaker(now) == "half-open":
                return None
            return max(_SHORTEST_WAIT, (next_room(self.state, self._tempo, now) - now) / 1_000_000)

    def take(self, tx: Transaction, count: int) -> Instant:
        """So many messages were claimed in this transaction, which is committed before they are called: gives when."""
        now = self._now()
        with self._lock:
            self.state = take(self.state, self._tempo, now, count)
        self.keep(tx)
        return now

    # The call

    def depart(self, claimed: Instant) -> Flight:
        """What was claimed at a moment is about to be called; it is heard of by `arrive` in any case."""
        flight = Flight(claimed)
        if self._tempo is not None:
            with self._lock:
                self._flights.add(flight)
        return flight

    def arrive(self, flight: Flight) -> None:
        """Nothing of it will be called any more."""
        with self._lock:
            self._hear(self._now())
            self._flights.discard(flight)

    def _hear(self, now: Instant) -> None:
        """What is on its way counts as of now, for as long as its provider may not have heard of it."""
        for flight in self._flights:
            by = now if flight.begun is None else min(now, Instant(flight.begun + LATEST))
            self.state = heard(self.state, flight.claimed, by)

    def begin_call(self, flight: Flight) -> None:
        """A call begins."""
        self._calls += 1
        flight.begun = self._now()

    def end_call(self, answers: Sequence[Answer]) -> None:
        """A call ended, with these answers."""
        self._calls -= 1
        now = self._now()
        with self._lock:
            before = self.state
            self.state = after = note_call(before, answers, now, random.random())
        self._tell(before, after)
        if before.opened is not None:
            self.wake()

    def wake(self, without: str | None = None) -> None:
        """Have the channels look that share the account, but for one."""
        for channel, listener in self.listeners.items():
            if channel != without:
                listener()

    def _tell(self, before: AccountState, after: AccountState) -> None:
        """Once for each time that the breaker opens or closes, and for each wait that the provider asks for."""
        if after.opened is not None and before.opened is None:
            self.opened += 1
            _log.error(
                "the circuit breaker opened: messages wait, and one of them tries again later",
                account=self.name,
                failures=after.failures,
                reason=after.reason,
                next_try=to_rfc3339(after.probe),
            )
        elif before.opened is not None and after.opened is None:
            _log.info("the circuit breaker closed: messages go again", account=self.name)
        if after.asked is not None and (before.asked is None or before.asked <= self._now()) != (
            after.asked <= self._now()
        ):
            _log.warning(
                "the provider asks for a wait: messages go after it",
                account=self.name,
                until=to_rfc3339(after.asked),
                reason=after.wish,
            )

    def keep(self, tx: Transaction) -> None:
        """Have the store know how it stands, where that has changed."""
        with self._lock:
            if self.state != self._kept:
                put_account(tx, self.name, self.state)
                self._kept = self.state


def open_accounts(terms: Iterable[AccountTerms], channels: Mapping[str, ChannelSpec]) -> dict[str, Account]:
    """The account of each channel; one of its own, with the plugin's rate, for a channel of which nothing is said."""
    found: dict[str, Account] = {}
    for one in terms:
        account = Account(one)
        found.update(dict.fromkeys(one.channels, account))
    for name, spec in channels.items():
        if name not in found:
            found[name] = Account(AccountTerms(name, (name,), spec.rate))
    return found


def go_on(accounts: Mapping[str, Account], stored: Mapping[str, AccountState]) -> None:
    """Begin with how the accounts stood when Segue last ran."""
    for account in set(accounts.values()):
        if account.name in stored:
            account.go_on(stored[account.name])
