"""What is going to happen in the shop, each thing at its moment, and the calls that tell Segue of it.

The simulation knows no wall clock and no network: it is told the present, and gives what is due by then, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from random import Random
from typing import Any, Literal

import msgspec

from segue.api import Instant, to_rfc3339

Call = dict[str, Any]
"""One call of the Segment tracking API, as it stands in a batch."""


class Reaction(msgspec.Struct, frozen=True):
    """What a customer did with a message, which is named by its key."""

    channel: str
    key: str
    what: Literal["opened", "clicked", "replied"]


Deed = Call | Reaction
"""Something that a customer, or the shop, has done."""

Act = Callable[[Instant], Iterable[Deed]]
"""Carried out when its moment comes: gives what is done then."""


class Diary:
    """A seeded chance, and the acts that are still to come. ``run`` makes the ids of calls differ from those of an
    earlier run."""

    def __init__(self, seed: int, run: str) -> None:
        self.random = Random(seed)
        self.run = run
        self._calls = 0
        self._acts: list[tuple[Instant, int, Act]] = []
        self._order = 0

    def later(self, at: Instant, after: int, act: Act) -> None:
        """Have something happen so many microseconds after a moment."""
        self._order += 1
        heappush(self._acts, (Instant(at + after), self._order, act))

    def until(self, now: Instant) -> list[Deed]:
        """Everything that is done up to this moment, in order."""
        deeds: list[Deed] = []
        while self._acts and self._acts[0][0] <= now:
            at, _, act = heappop(self._acts)
            deeds.extend(act(at))
        return deeds

    def track(self, customer: str | None, event: str, at: Instant | None = None, **properties: Any) -> Call:
        """An event of a customer, or of nobody in particular; with ``at``, one that happened then and not now."""
        whose = {} if customer is None else {"userId": customer}
        return self._call("track", at, **whose, event=event, properties=properties)

    def identify(self, customer: str, at: Instant | None = None, *, device: str = "", **traits: Any) -> Call:
        """What becomes known of a customer; with ``device``, that it was theirs all along."""
        seen_as = {"anonymousId": device} if device else {}
        return self._call("identify", at, userId=customer, **seen_as, traits=traits)

    def look(self, device: str, event: str, **properties: Any) -> Call:
        """An event of somebody whose name is not known yet."""
        return self._call("track", None, anonymousId=device, event=event, properties=properties)

    def page(self, customer: str, name: str, at: Instant | None = None) -> Call:
        """A page of the website was seen."""
        return self._call("page", at, userId=customer, name=name)

    def _call(self, kind: str, at: Instant | None, **fields: Any) -> Call:
        self._calls += 1
        moment = {} if at is None else {"timestamp": to_rfc3339(at)}
        return {"type": kind, "messageId": f"{self.run}-{self._calls}", **fields, **moment}

    def between(self, least: int, most: int) -> int:
        """A whole number by chance, both ends included."""
        return self.random.randint(least, most)

    def chance(self, share: float) -> bool:
        """Whether it happens, where it happens in such a share of cases."""
        return self.random.random() < share
