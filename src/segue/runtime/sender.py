"""A channel's loop: claim what is due, render it, hand it over, note the answers. One for each channel,
so none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog

from segue.api import (
    Answer,
    Attachment,
    Channel,
    ChannelSpec,
    Instant,
    Message,
    Rejected,
    Retry,
    Unknown,
    from_datetime,
)
from segue.delivery.batches import Batches, after_call
from segue.delivery.dead_letters import NOT_MADE, NOT_RENDERED
from segue.messages.catalogue import Catalogue
from segue.messages.rendering import RenderError, render
from segue.runtime.accounts import Account, Flight
from segue.runtime.attaching import MakesReports
from segue.runtime.choosing import Turns
from segue.runtime.claiming import Claims, claim
from segue.runtime.crashpoints import reach
from segue.runtime.dispatch import Claim, Outcome, settle
from segue.runtime.following import Short, follow, keep
from segue.runtime.links import Links
from segue.runtime.pausing import Pauses
from segue.runtime.running import Running
from segue.runtime.turn import Done
from segue.store.database import FIRST, Store, Transaction
from segue.store.errors import StoreUnavailable

_log = structlog.get_logger("segue")


class Sends(Protocol):
    """What hands messages over: `segue.host.channels.OpenChannel`."""

    @property
    def spec(self) -> ChannelSpec: ...

    async def send(self, messages: Sequence[Message]) -> list[Answer]: ...

    async def retract(self, messages: Sequence[Message]) -> list[Answer]: ...


class NoChannel:
    """In the place of a channel that the project does not have any more: what waits for it is looked at,
    and skipped with that reason."""

    def __init__(self, name: str) -> None:
        self.spec = ChannelSpec(name=name, doc="", config=msgspec.Struct, open=_never, address=None)

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        return [Retry(f"no channel {self.spec.name}") for _ in messages]

    async def retract(self, messages: Sequence[Message]) -> list[Answer]:
        return [Rejected(f"no channel {self.spec.name}") for _ in messages]


def _never(config: object, tools: object) -> Channel:
    raise AssertionError("it is never opened")


class Sender:
    """The loop of one channel. ``listener`` hears of each turn, ``ring`` is asked to call `wake` at an instant.
    ``links`` makes the links of messages, where there are any; ``account`` is the provider's, where there is one;
    ``pauses`` are asked once more before a call; ``reports`` makes what messages have attached."""

    def __init__(
        self,
        name: str,
        channel: Sends,
        store: Store,
        *,
        running: Callable[[], Running],
        content: Callable[[], Catalogue],
        now: Callable[[], Instant],
        listener: Callable[[Done], None],
        ring: Callable[[str, Instant], None],
        held: Callable[[], bool],
        links: Links | None = None,
        account: Account | None = None,
        pauses: Pauses | None = None,
        reports: MakesReports | None = None,
    ) -> None:
        self.name = name
        self.channel = channel
        self._store = store
        self._running = running
        self._content = content
        self._now = now
        self._listener = listener
        self._ring = ring
        self._held = held
        self._links = links
        self._due = asyncio.Event()
        self._due.set()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._account = account
        self._pauses = pauses
        self._reports = reports
        self._turns = Turns()
        self._batches = Batches.of(channel.spec.batch, stands=channel.spec.stands)
        self._again: asyncio.TimerHandle | None = None
        if account is not None:
            account.listeners[name] = self.wake

    def start(self) -> None:
        """Begin with whatever is due."""
        self._loop = asyncio.create_task(self._serve(), name=f"sender {self.name}")

    def wake(self) -> None:
        """Something may be due."""
        self._due.set()

    async def stop(self) -> None:
        """Claim no more; what is claimed is handed over and noted."""
        self._stopping = True
        self._due.set()
        if self._again is not None:
            self._again.cancel()
        if self._loop is not None:
            await asyncio.wait({self._loop})
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def wait_for_calls(self, seconds: float) -> bool:
        """Wait until the calls that are under way now are noted; False where some still are after ``seconds``."""
        calls = set(self._under_way)
        return not calls or not (await asyncio.wait(calls, timeout=seconds))[1]

    async def _serve(self) -> None:
        pause = 0.1
        while True:
            await self._due.wait()
            self._due.clear()
            if self._stopping:
                return
            if self._held():
                continue
            try:
                await self._send_due()
                pause = 0.1
            except Exception as error:
                if not isinstance(error, StoreUnavailable):
                    _log.exception("the channel's messages cannot be looked at", channel=self.name)
                await asyncio.sleep(pause)  # nothing was claimed, or the outcome is repeated by the next start
                pause = min(pause * 2, 5.0)
                self._due.set()

    async def _send_due(self) -> None:
        while True:
            # First the room, then the claim: what is claimed goes out at once,
            # and until then a withdrawal of consent wins.
            await self._slot(self.channel.spec.in_flight)
            calling = False
            try:
                if self._stopping or self._held():
                    return
                claims = await self._claim(self._batches.most)
                if calling := bool(claims.claims or claims.retractions):
                    task = asyncio.create_task(self._call(claims))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
            finally:
                if not calling:
                    self._leave()
            self._listener(claims.done)
            if claims.wait is not None:
                self._look_in(claims.wait)
            if not claims.more:
                if claims.next_due is not None:
                    self._ring(self.name, claims.next_due)
                return

    async def _claim(self, limit: int) -> Claims:
        running, content, now, name = self._running, self._content, self._now, self.name
        account, turns = self._account, self._turns
        return await asyncio.wrap_future(
            self._store.write(
                lambda tx: claim(tx, running(), content(), name, now(), limit, account=account, turns=turns), FIRST
            )
        )

    async def _slot(self, most: int) -> None:
        """Wait until one more call may be under way."""
        while len(self._under_way) >= most:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        if self._account is not None:
            await self._account.enter()

    def _leave(self) -> None:
        if self._account is not None:
            self._account.leave(self.name)

    def _look_in(self, seconds: float) -> None:
        """Look again in so many seconds of the machine's clock."""
        if self._again is not None:
            self._again.cancel()
        self._again = asyncio.get_running_loop().call_later(seconds, self.wake)

    async def _call(self, claims: Claims) -> None:
        """Have the channel send what was claimed, and take back what is to be taken back."""
        account = self._account
        flight = account.depart(claims.at) if account is not None else None
        try:
            if claims.claims:
                await self._hand_over(claims.claims, flight)
            if claims.retractions:
                await self._hand_over(claims.retractions, flight, retraction=True)
        finally:
            if account is not None and flight is not None:
                account.arrive(flight)
            self._leave()
            self._due.set()

    async def _hand_over(self, claims: Sequence[Claim], flight: Flight | None, retraction: bool = False) -> None:
        """Have the channel send what was claimed, or take it back."""
        reach("after-claim-commit")
        messages: list[Message] = []
        rows: list[int] = []
        outcomes: list[Outcome] = []
        links = self._links
        short: list[Short] = []
        for one in claims:
            attached = () if retraction else self._attached(one)
            if not isinstance(attached, tuple):
                outcomes.append(Outcome(one.row, attached))
                continue
            try:
                content = render(one.template, _values(one, links)) if one.template is not None else {}
                tracked = follow(links, self.channel.spec, one, content)
            except Exception as error:
                what = str(error) if isinstance(error, RenderError) else f"{type(error).__name__}: {error}"
                outcomes.append(Outcome(one.row, Rejected(f"{NOT_RENDERED}{what}"), retraction))
                continue
            rows.append(one.row)
            messages.append(_message(one, tracked.content, self._unsubscribe(one, links), attached))
            short += [(one.row, link) for link in tracked.short]
        if short and links is not None and not await self._keep(short, messages, links):
            return
        if messages and not retraction:
            stopped = self._stopped(rows, messages)
            outcomes += [Outcome(row, None) for row in rows if row in stopped]
            messages = [message for row, message in zip(rows, messages, strict=True) if row not in stopped]
            rows = [row for row in rows if row not in stopped]
        if messages:
            answers = await self._answers(messages, flight, retraction)
            reach("after-call")
            outcomes += [Outcome(row, answer, retraction) for row, answer in zip(rows, answers, strict=True)]
        for done in await self._note_all(outcomes):
            reach("after-outcome-commit")
            self._listener(done)

    def _attached(self, one: Claim) -> tuple[Attachment, ...] | Retry | Rejected:
        """What goes with a message; that it is still to be made, or cannot be."""
        days = one.template.report_days if one.template is not None else None
        if days is None:
            return ()
        if self._reports is None or not self.channel.spec.attachments:
            return Rejected(f"{NOT_MADE}{self.name} carries no attachments")
        made = self._reports.ask(days, from_datetime(datetime.fromisoformat(one.values["now"])))
        return (made,) if isinstance(made, Attachment) else made

    def _stopped(self, rows: Sequence[int], messages: Sequence[Message]) -> frozenset[int]:
        """Those of messages about to be called that must not be: since their claim a withdrawal or a pause was
        committed."""
        held = self._running().in_hand
        stopped = held.let_go(rows) if held is not None else frozenset()
        if self._pauses is None:
            return stopped
        self._pauses.look()
        paused = {(one.sort, one.name) for one in self._pauses.now}
        return stopped | {
            row
            for row, message in zip(rows, messages, strict=True)
            if not paused.isdisjoint((("channel", self.name), ("rule", message.rule)))
        }

    async def _answers(self, messages: Sequence[Message], flight: Flight | None, retraction: bool) -> Sequence[Answer]:
        """What the channel says to them."""
        if self._account is not None and flight is not None:
            self._account.begin_call(flight)
        begun = asyncio.get_running_loop().time()
        try:
            answers = await (self.channel.retract(messages) if retraction else self.channel.send(messages))
        except Exception as error:
            _log.exception("a call was cut off", channel=self.name)
            answers = [Unknown(f"{type(error).__name__}: {error}") for _ in messages]
        taken = asyncio.get_running_loop().time() - begun
        self._batches = after_call(self._batches, len(messages), taken, stands=self.channel.spec.stands)
        if self._account is not None:
            self._account.end_call(answers)
        return answers

    async def _keep(self, short: Sequence[Short], messages: list[Message], links: Links) -> bool:
        """Store the short links of messages before they go, however long the store needs. False where Segue stops
        first: the next start then finds the messages claimed."""
        pause = 0.1
        while True:
            try:
                messages[:] = await keep(self._store, short, messages, links.short_url)
                return True
            except StoreUnavailable:
                if self._stopping:
                    return False
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    def _unsubscribe(self, one: Claim, links: Links | None) -> str | None:
        """Where one unsubscribes from messages like this. What an order needs has no such place, nor what stands."""
        if links is None or one.kind == "transactional" or self.channel.spec.stands:
            return None
        return links.link("unsubscribe", one.key)

    async def _note_all(self, outcomes: Sequence[Outcome]) -> list[Done]:
        """Commit the answers together; one at a time where one of them cannot be, so that it harms no other."""
        try:
            together = await self._note(outcomes)
            return [together] if together is not None else []
        except Exception:
            _log.exception("answers cannot be noted together", channel=self.name)
        noted: list[Done] = []
        for outcome in outcomes:
            try:
                if (done := await self._note((outcome,))) is not None:
                    noted.append(done)
            except Exception:
                _log.exception("an answer cannot be noted", channel=self.name, message=outcome.row)
        return noted

    async def _note(self, outcomes: Sequence[Outcome]) -> Done | None:
        """Commit the answers, however long the store needs. None where Segue stops first: the next start then finds the
        messages claimed, and calls again with the same keys."""
        running, now, account = self._running, self._now, self._account

        def job(tx: Transaction) -> Done:
            if account is not None:
                account.keep(tx)
            return settle(tx, running(), outcomes, now())

        pause = 0.1
        while True:
            try:
                return await asyncio.wrap_future(self._store.write(job, FIRST))
            except StoreUnavailable:
                if self._stopping:
                    return None
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)


def _values(one: Claim, links: Links | None) -> Mapping[str, Any]:
    """What rendering reads: what the claim fixed, the kind of message, and the links that its template asks for."""
    if links is None or one.template is None:
        return {"kind": one.kind, **one.values}
    return {"kind": one.kind, **one.values, **links.values(one.template, one.key)}


def _message(one: Claim, content: dict[str, str], unsubscribe: str | None, attached: tuple[Attachment, ...]) -> Message:
    return Message(
        key=one.key,
        channel=one.channel,
        name=one.message,
        kind=one.kind,  # type: ignore[arg-type]  # the ledger holds only kinds
        customer=one.customer,
        address=one.address,
        content=content,
        rule=one.rule,
        expires=one.expires,
        attempt=one.attempt,
        unsubscribe=unsubscribe,
        locale=one.template.language if one.template is not None else "",
        attachments=attached,
    )
