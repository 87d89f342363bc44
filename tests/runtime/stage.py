"""One store and one moment: what happens to messages there, call by call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from segue.api import Answer, Instant, Money, Report
from segue.customers.reach import ChannelReach, Reach
from segue.delivery.ledger import MessageState
from segue.delivery.policy import Line
from segue.language import model as m
from segue.messages.catalogue import Catalogue
from segue.runtime.claiming import Claims, claim
from segue.runtime.dispatch import Claim, Outcome, recover, report, settle
from segue.runtime.ingest import ingest
from segue.runtime.running import Running
from segue.runtime.wake import wake
from segue.store.database import Store
from tests.engine.stage import REACH, spec
from tests.runtime.rulebook import T0, event, publish_text, told

Told = list[tuple[str, str, str]]
RULE = "event paid\nwhen paid "


class Stage:
    """One store and one moment, which only grows."""

    def __init__(self, store: Store, text: str, **specs: Any) -> None:
        self.store = store
        self.channels = {name: spec(name) for name in ("email", "sms", "push")} | specs
        reach = Reach({name: ChannelReach(None) for name in specs} | dict(REACH.channels))
        self.running: Running = publish_text(store, text, channels=self.channels, reach=reach)
        self.now = T0
        self.content = Catalogue()

    def later(self, micros: int) -> None:
        self.now = Instant(self.now + micros)

    def arrive(self, name: str | None, customer: str | None = "ann", **fields: Any) -> Told:
        one = event(name, customer, at=self.now, **fields)
        return told(self.store.apply(lambda tx: ingest(tx, self.running, [one], self.now)).done.lines)

    def wake(self) -> Told:
        return told(self.store.apply(lambda tx: wake(tx, self.running, self.now)).done.lines)

    def claim(self, channel: str = "email", limit: int = 10) -> tuple[Sequence[Claim], Told]:
        found = self.look(channel, limit)
        return found.claims, told(found.done.lines)

    def look(self, channel: str = "email", limit: int = 100) -> Claims:
        """What one look at a channel gives, with its decisions as they are recorded."""
        return self.store.apply(lambda tx: claim(tx, self.running, self.content, channel, self.now, limit))

    def under(self, *lines: Line, costs: Mapping[str, Money] | None = None) -> None:
        """From now on there is a policy for promotional messages."""
        policies = {"promotional": m.Policy("promotional", lines)}
        self.running = msgspec.structs.replace(self.running, policies=policies, costs=costs or {})

    def answer(self, claimed: Claim, answer: Answer | None, *, retraction: bool = False) -> Told:
        outcome = Outcome(claimed.row, answer, retraction)
        return told(self.store.apply(lambda tx: settle(tx, self.running, [outcome], self.now)).lines)

    def report(self, claimed: Claim, what: str, channel: str = "email", **more: Any) -> Told:
        one = Report(**{"id": what, "what": what, "at": self.now, "key": claimed.key, **more})
        return told(self.store.apply(lambda tx: report(tx, self.running, channel, [one], self.now)).lines)

    def recover(self) -> Told:
        return told(self.store.apply(lambda tx: recover(tx, self.running, self.now)).lines)

    def state(self, channel: str = "email") -> MessageState:
        rows = self.store.apply(
            lambda tx: tx.rows("select state from message where channel = ? order by id", (channel,))
        )
        return MessageState(rows[-1][0])

    def due(self) -> Instant:
        found: list[tuple[Any, ...]] = self.store.apply(lambda tx: tx.rows("select min(due) from message"))
        return Instant(found[0][0])
