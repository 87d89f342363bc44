"""Opens and clicks come in: noted in batches before whoever opened a link is sent on, judged a few seconds later, and a
person's told to the journey as a report on its message, like one of a provider's.

So rules hear of persons only, seconds late; a record holds what they heard, and a replay needs no hits. What is
found out later (the link that nobody sees was opened a minute afterwards) changes what is shown and counted, never what
a journey did.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from segue.api import Instant, Report
from segue.api.values import SECOND
from segue.clock.bell import Bell
from segue.clock.clock import Clock
from segue.delivery.hits import HOLD, Hit, Seen, judge
from segue.delivery.ledger import LedgerRow
from segue.messages.links import TRAP
from segue.runtime.busy import Busy
from segue.runtime.dispatch import take_report
from segue.runtime.running import Running
from segue.runtime.turn import Done, Turn
from segue.store import hits as hit_rows
from segue.store.customers import find_seen, hash_id
from segue.store.database import FIRST, LAST, Store, Transaction
from segue.store.errors import StoreUnavailable
from segue.store.hits import HitRow

_log = structlog.get_logger("segue")

BATCH: Final = 500
"""Hits noted, or judged, in one transaction at most."""
MOST_WAITING: Final = 10_000
"""Hits that may wait to be noted. Beyond it people are sent on, and what they opened is not kept."""
LOOK_EVERY: Final = 10.0
"""Wall seconds after which is looked in any case: heals a ring that was lost, and a wall clock that was set."""
CLEAN_EVERY: Final = 3600.0
"""Wall seconds between two looks for short codes that are good no more."""

Tally = Counter[tuple[str, str]]
"""How many hits, by what they were, and whether a person or a machine made them."""


class Judged(msgspec.Struct, frozen=True):
    """What one look at the hits that are due gave, and when the next are."""

    done: Done
    seen: int
    next_due: Instant | None
    tally: Tally


def note(tx: Transaction, running: Running, hits: Sequence[Hit]) -> tuple[Instant | None, Tally]:
    """Note hits; those of messages that are not known (any more) are passed over. Gives when the next is to be
    judged, and how many machines' there were."""
    turn = Turn(tx, running, hits[0].at)
    found: list[tuple[int, int, Hit, Instant | None]] = []
    tally: Tally = Counter()
    for one in hits:
        row = turn.outgoing.find_claimed(key=one.key, channel="", receipt="")
        if row is None:
            continue
        held = not one.machine or one.link == TRAP
        found.append((row.row, row.customer, one, Instant(one.at + HOLD) if held else None))
    for _, _, one, _ in hit_rows.put_hits(tx, found):
        if one.machine:
            tally[one.what, "machine"] += 1
    return hit_rows.next_due(tx), tally


def judge_due(tx: Transaction, running: Running, now: Instant, limit: int = BATCH) -> Judged:
    """Judge hits that are due, and tell the journeys of those that persons made."""
    due = hit_rows.load_due(tx, now, limit)
    if not due:
        return Judged(Done(()), 0, hit_rows.next_due(tx), Counter())
    all_of = hit_rows.load_of_messages(tx, {one.message for one in due})
    turn = Turn(tx, running, now)
    turn.outgoing.load(all_of)
    verdicts: list[tuple[int, str]] = []
    reports: list[tuple[str, Report, LedgerRow]] = []
    tally: Tally = Counter()
    for message, hits in all_of.items():
        row = turn.outgoing.find(message)
        seen = [Seen(one.what, one.link, one.at, one.agent, one.known) for one in hits]
        for one in hits:
            is_due = one.due is not None and one.due <= now
            if not is_due and (one.due is not None or one.machine):
                continue
            handed = None if row is None else row.handed or row.claimed
            machine = one.machine or judge(one.what, one.links, one.at, one.agent, seen, handed)
            if is_due:
                tally[one.what, "machine" if machine else "human"] += not one.known
                if row is not None and not machine:
                    reports.append(_report(one, row))
            elif machine:  # a person's, it was thought
                tally[one.what, "reclassified"] += 1
                machine = f"{machine}; rules had been told of it before that was known"
            if is_due or machine:
                verdicts.append((one.row, machine))
    hit_rows.put_verdicts(tx, verdicts)
    known = find_seen(tx, [hash_id(name) for name, _, _ in reports])
    told = [one for one in reports if one[0] not in known]
    turn.load([row.customer for _, _, row in told])
    turn.load_ahead(turn.load_journeys_by_number({row.journey for _, _, row in told}))
    for name, report, row in told:
        if row.customer in turn.people and name not in known:
            known.add(name)
            take_report(turn, name, report, row, now)
    return Judged(turn.flush(), len(due), hit_rows.next_due(tx), tally)


def _report(one: HitRow, row: LedgerRow) -> tuple[str, Report, LedgerRow]:
    """A person's hit as a report on its message, and the name of its arrival: that of a provider's report, since a
    record tells them alike. Each link of a message counts once."""
    number = f"hit:{row.key}:{one.what}:{one.link}"
    return f"report:{row.channel}:{number}", Report(id=number, what=one.what, at=one.at, key=row.key), row


class Hits:
    """The loop that notes and judges. ``listener`` hears of each turn."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        running: Callable[[], Running],
        listener: Callable[[Done], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._bell = Bell(clock)
        self._running = running
        self._listener = listener
        self._waiting: deque[tuple[Hit, asyncio.Future[None]]] = deque()
        self._ring = asyncio.Event()
        self._stopping = False
        self._clean = True
        self._loop: asyncio.Task[None] | None = None
        self.tally: Tally = Counter()
        """Hits since the start, by what they were, and by ``human``, ``machine``, ``reclassified`` or ``lost``."""

    def start(self) -> None:
        """Begin with whatever is due."""
        self._bell.start()
        self._ring.set()
        self._bell.ring_every("hits again", LOOK_EVERY, self._ring.set)
        self._bell.ring_every("short links", CLEAN_EVERY, self._clean_up)
        self._loop = asyncio.create_task(self._serve(), name="hits")

    def _clean_up(self) -> None:
        self._clean = True
        self._ring.set()

    async def put(self, hit: Hit) -> None:
        """Take a hit; returns once it is committed. Raises Busy where too many wait, StoreUnavailable where the store
        cannot write; then it is not kept."""
        if self._stopping or len(self._waiting) >= MOST_WAITING:
            self.tally[hit.what, "lost"] += 1
            raise Busy(1.0)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((hit, done))
        self._ring.set()
        await done

    async def stop(self) -> None:
        """Take no more, and note what was taken. What is held is judged after the next start."""
        self._stopping = True
        self._bell.stop()
        self._ring.set()
        if self._loop is not None:
            await asyncio.wait({self._loop})

    async def _serve(self) -> None:
        pause = 0.1
        while True:
            await self._ring.wait()
            self._ring.clear()
            while self._waiting:
                await self._note([self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH))])
            if self._stopping:
                return
            try:
                await self._judge()
                pause = 0.1
            except Exception as error:
                if isinstance(error, StoreUnavailable):
                    _log.error("the store cannot write", error=str(error))
                else:
                    _log.exception("opens and clicks cannot be judged; they are again later")
                self._bell.ring_at("hits", Instant(self._clock.look() + int(pause * SECOND)), self._ring.set)
                pause = min(pause * 2, 60.0)

    async def _note(self, batch: Sequence[tuple[Hit, asyncio.Future[None]]]) -> None:
        fault: Exception | None = None
        try:
            due, tally = await asyncio.wrap_future(
                self._store.write(lambda tx: note(tx, self._running(), [hit for hit, _ in batch]), FIRST)
            )
            self.tally.update(tally)
            self._ring_at(due)
        except Exception as raised:
            if len(batch) > 1 and not isinstance(raised, StoreUnavailable):
                for one in batch:  # one that cannot be noted must not harm the others
                    await self._note((one,))
                return
            fault = raised
            if not isinstance(raised, StoreUnavailable):
                _log.exception("an open or a click cannot be noted")
            for hit, _ in batch:
                self.tally[hit.what, "lost"] += 1
        for _, done in batch:
            if done.done():
                continue  # whoever waited went away; what they opened is kept all the same
            if fault is None:
                done.set_result(None)
            else:
                done.set_exception(fault)

    async def _judge(self) -> None:
        while not self._waiting and not self._stopping:
            judged = await asyncio.wrap_future(
                self._store.write(lambda tx: judge_due(tx, self._running(), self._clock.now()))
            )
            self.tally.update(judged.tally)
            self._listener(judged.done)
            if judged.seen < BATCH:
                self._ring_at(judged.next_due)
                break
        while self._clean and not self._stopping:
            dropped = await asyncio.wrap_future(
                self._store.write(lambda tx: hit_rows.drop_short_links(tx, self._clock.look(), BATCH), LAST)
            )
            self._clean = dropped == BATCH

    def _ring_at(self, due: Instant | None) -> None:
        if due is not None:
            self._bell.ring_at("hits", due, self._ring.set)
