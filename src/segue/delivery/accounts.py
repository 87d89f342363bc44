"""A provider account: how much may be handed to it, and whether it is called at all.

The laws:

1. At most `Tempo.count` messages are claimed for it in any window of `Tempo.window`, whatever was claimed before a
   restart: what was taken is part of the state, and the state is kept in the transaction that claims. The provider
   counts when it hears of them, which is later: what is taken counts until its call ends, at most `LATEST` after it
   began.
2. A wait that the provider asks of the whole account (429 with Retry-After) holds all of it until then.
3. After `FAILURES` calls in a row that came to nothing the circuit breaker opens: nothing is claimed until `probe`,
   and then one message alone. If that is taken the breaker closes, else it opens again, for twice as long.
4. A call that the provider answered at all, be it with a refusal, is no failure; nor is a "not now" that it says of
   one address alone, such as greylisting.

Moments are those of the machine's clock, which no ``--speed`` compresses: a provider counts its own seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from segue.api import Answer, Instant, Retry, Unknown
from segue.api.values import DAY, MINUTE, SECOND

FAILURES: Final = 5
"""Calls in a row that come to nothing before the breaker opens."""
FIRST_REST: Final = 5 * SECOND
LONGEST_REST: Final = 5 * MINUTE
LATEST: Final = SECOND // 4
"""So long after a call began its provider has heard of its messages; a first call makes the connection, too."""
_STEPS: Final = 20
"""Into how many pieces a window is parted, so that the state stays small."""

Breaker = Literal["closed", "open", "half-open"]


class Tempo(msgspec.Struct, frozen=True):
    """At most ``count`` messages in any ``window``, in microseconds."""

    count: int
    window: int

    @classmethod
    def of(cls, rate: float) -> Tempo:
        """So many messages a second: a second's worth at once; for less than one a second, one at a time."""
        count = max(1, int(rate))
        return cls(count, max(1, int(count * SECOND / rate)))


class Taken(msgspec.Struct, frozen=True, array_like=True):
    """``count`` messages claimed from ``first`` on, of which the provider has heard by ``last``."""

    first: Instant
    last: Instant
    count: int


class AccountState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an account stands. ``asked`` is until when its provider wants no call, with its ``wish``; ``failures`` are
    those in a row, ``opened`` is since when the breaker is open, ``probe`` when one message may try, ``rests`` how
    often it opened in a row, ``reason`` what the latest failure was."""

    taken: tuple[Taken, ...] = ()
    asked: Instant | None = None
    wish: str = ""
    failures: int = 0
    opened: Instant | None = None
    probe: Instant = Instant(0)
    rests: int = 0
    reason: str = ""

    def breaker(self, now: Instant) -> Breaker:
        """The state of the circuit breaker."""
        return "closed" if self.opened is None else "half-open" if now >= self.probe else "open"

    def held_until(self, now: Instant) -> Instant | None:
        """Until when the account is not called; None where it may be called now. A clock that was set back holds
        nothing for longer than what asked for it could."""
        asked = min(self.asked, Instant(now + DAY + SECOND)) if self.asked is not None else now
        probe = min(self.probe, Instant(now + 2 * LONGEST_REST)) if self.opened is not None else now
        until = max(asked, probe)
        return until if until > now else None


def let_go(state: AccountState) -> AccountState:
    """Somebody who knows better has the account called again: no wait holds it, and its breaker is closed."""
    return AccountState(taken=state.taken)


def room(state: AccountState, tempo: Tempo | None, now: Instant, most: int) -> int:
    """How many messages, of ``most``, may be claimed now."""
    if state.held_until(now) is not None:
        return 0
    if state.breaker(now) == "half-open":
        most = min(most, 1)
    if tempo is None:
        return most
    return max(0, min(most, tempo.count - sum(one.count for one in _recent(state, tempo, now))))


def next_room(state: AccountState, tempo: Tempo | None, now: Instant) -> Instant:
    """When, at the earliest, there is room, as far as is known now."""
    held = state.held_until(now)
    if held is not None:
        return held
    recent = _recent(state, tempo, now) if tempo is not None else ()
    return Instant(min(one.last for one in recent) + tempo.window) if tempo is not None and recent else now


def take(state: AccountState, tempo: Tempo | None, now: Instant, count: int) -> AccountState:
    """So many messages were claimed now."""
    if tempo is None or count == 0:
        return state
    *before, last = (*_recent(state, tempo, now), Taken(now, now, 0))
    if before and now - before[-1].first < tempo.window // _STEPS:
        last = before.pop()
    joined = Taken(last.first, max(now, last.last), last.count + count)
    return msgspec.structs.replace(state, taken=(*before, joined))


def heard(state: AccountState, claimed: Instant, at: Instant) -> AccountState:
    """What was claimed at a moment counts from another on, by which its provider has heard of it."""
    taken = tuple(
        msgspec.structs.replace(one, last=at) if one.first <= claimed <= one.last < at else one for one in state.taken
    )
    return msgspec.structs.replace(state, taken=taken) if taken != state.taken else state


def after_restart(state: AccountState) -> AccountState:
    """What was taken before a restart, whose calls nobody saw end."""
    taken = tuple(msgspec.structs.replace(one, last=Instant(one.last + LATEST)) for one in state.taken)
    return msgspec.structs.replace(state, taken=taken) if taken else state


def _recent(state: AccountState, tempo: Tempo, now: Instant) -> tuple[Taken, ...]:
    """What was taken in the window that ends now. What lies in the future was taken by a clock that was wrong."""
    return tuple(one for one in state.taken if one.last + tempo.window > now and one.first <= now)


def note_call(state: AccountState, answers: Sequence[Answer], now: Instant, chance: float) -> AccountState:
    """What a call's answers say of the account. ``chance``, from 0 to 1, spreads the rests of many that lost the same
    provider."""
    waits = [one for one in answers if isinstance(one, Retry) and one.account and one.after]
    if waits:
        longest = max(waits, key=lambda one: one.after or 0)
        asked = Instant(now + int(min(longest.after or 0.0, 86_400.0) * SECOND))
        if state.asked is None or not asked <= state.asked <= now + DAY:  # the day's limit outlasts the second's
            state = msgspec.structs.replace(state, asked=asked, wish=longest.reason)
    failures = [one for one in answers if isinstance(one, Unknown) or (isinstance(one, Retry) and not one.address)]
    if waits or len(failures) < len(answers) or not answers:  # it answers, at least
        return msgspec.structs.replace(state, failures=0, opened=None, probe=Instant(0), rests=0, reason="")
    failed = msgspec.structs.replace(state, failures=state.failures + 1, reason=failures[-1].reason)
    if state.breaker(now) == "open" or (state.opened is None and failed.failures < FAILURES):
        return failed
    rest = min(LONGEST_REST, FIRST_REST * 2 ** min(state.rests, 20))
    return msgspec.structs.replace(
        failed,
        opened=state.opened if state.opened is not None else now,
        probe=Instant(now + rest // 2 + int(chance * rest)),
        rests=state.rests + 1,
    )
