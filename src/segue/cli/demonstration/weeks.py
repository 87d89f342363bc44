"""The weeks before the demo: the same shop and the same rules, lived through in virtual time.

So there is something to measure when the curtain rises: a goal's window alone is a week, which compressed time takes a
minute for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from segue.api import Answer, Event, Instant, Report, Sent, to_rfc3339
from segue.api.values import MINUTE
from segue.cli.demonstration.answers import Answers
from segue.cli.demonstration.diary import Call, Deed, Reaction
from segue.cli.demonstration.mailbox import Letter
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.stage import open_shop
from segue.cli.replay import find_source
from segue.runtime.assembly import Assembly, CheckedBook
from segue.runtime.dispatch import Claim
from segue.runtime.publishing import publish, resume
from segue.runtime.running import Running
from segue.scenario.replay import Arrival, RecordedReport, Replay
from segue.store.database import Store, Transaction

STEP: Final = 30 * MINUTE
"""How long the shop trades between two looks of its customers at their messages."""

Decode = Callable[[bytes], tuple[Event, Instant]]


def live_through(
    store: Store,
    assembly: Assembly,
    book: CheckedBook,
    since: Instant,
    until: Instant,
    *,
    speed: float,
    seed: int,
    pace: float,
    progress: Callable[[Instant], None] = lambda _: None,
) -> Shop:
    """Have a new shop trade from ``since`` up to ``until``, in a store that nobody else has open. ``speed``, ``seed``
    and ``pace`` are those of `open_shop`; ``progress`` hears each moment that is reached."""
    shop = open_shop(assembly, since, speed=speed, seed=seed, pace=pace)
    decode = find_source(assembly).decode
    assert decode is not None, "the demo's source reads records"

    def prepare(tx: Transaction) -> Running:
        publish(tx, book.checked.book, Instant(since - 1), "segue demo", book.sources)
        running = resume(tx, assembly.setting)
        assert running is not None, "the book was just published"
        return running

    answers = Answers(shop)

    def deliver(claim: Claim, moment: Instant) -> Answer:
        letter = Letter(
            to_rfc3339(moment), claim.key, claim.channel, claim.message, claim.customer, claim.address, claim.rule
        )
        answers.hear(letter, moment)
        return Sent()

    replay = Replay(store, store.apply(prepare), book.content, answer=deliver)
    deeds: list[Deed] = [*shop.past]
    moment = since
    while moment < until:
        arrivals = []
        for deed in deeds:
            if isinstance(deed, Reaction):
                replay.hear(_report(deed, moment))
            else:
                arrivals.append(Arrival(_read(decode, deed, moment), moment))
        moment = Instant(min(moment + STEP, until))
        for _ in replay.run(arrivals, until=moment):
            pass
        deeds = shop.until(moment)
        progress(moment)
    return shop


def _read(decode: Decode, call: Call, moment: Instant) -> Event:
    when = to_rfc3339(moment)
    event, _ = decode(msgspec.json.encode({"timestamp": when, **call, "receivedAt": when}))
    return event


def _report(deed: Reaction, moment: Instant) -> RecordedReport:
    report = Report(id=f"{deed.key}:{deed.what}", what=deed.what, at=moment, key=deed.key)
    return RecordedReport(deed.channel, report, moment)
