"""Opens and clicks: noted, judged a few seconds later, and a person's told to the journey."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from segue.api import Instant, Sent
from segue.api.values import DAY, MINUTE, SECOND
from segue.clock.clock import Clock
from segue.delivery.hits import HOLD, Hit, What
from segue.messages.links import TRAP, Mark, ShortLink
from segue.runtime.explaining import Explanation, explain
from segue.runtime.hits import Hits, Judged, judge_due, note
from segue.store import hits as hit_rows
from segue.store.database import Store
from segue.store.errors import StoreUnavailable
from segue.store.retention import sweep_journeys
from tests.runtime.stage import Stage

RULES = """
event paid
when paid
  send email "hello"
  wait for clicked "hello" up to 7d
  send sms "thanks"
"""


class Mailed(Stage):
    """One message that was handed over ten minutes ago."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, RULES)
        self.arrive("paid")
        (self.claimed,), _ = self.claim()
        self.answer(self.claimed, Sent())
        self.later(10 * MINUTE)

    def hit(
        self,
        link: int = 1,
        what: What = "clicked",
        *,
        links: int = 3,
        machine: str = "",
        agent: str = "phone",
        key: str = "",
    ) -> None:
        one = Hit(key or self.claimed.key, what, link, links, self.now, agent, machine, "https://shop.example/")
        self.store.apply(lambda tx: note(tx, self.running, [one]))

    def judge(self) -> Judged:
        return self.store.apply(lambda tx: judge_due(tx, self.running, self.now))

    def verdicts(self) -> list[tuple[int, str | None]]:
        return self.store.apply(lambda tx: [tuple(row) for row in tx.rows("select link, machine from hit order by id")])

    def reactions(self) -> list[str]:
        return [fact.what for fact in self.why().facts if fact.what in ("clicked", "opened")]

    def why(self) -> Explanation:
        found = self.store.apply(lambda tx: explain(tx, self.running, "ann", "paid"))
        assert isinstance(found, Explanation)
        return found

    def thanked(self) -> bool:
        return self.store.apply(lambda tx: tx.row("select 1 from message where channel = 'sms'")) is not None


@pytest.fixture
def mailed() -> Iterator[Mailed]:
    store = Store(None)
    yield Mailed(store)
    store.close()


def test_a_persons_click_reaches_the_rule_once_it_was_held_for_a_moment(mailed: Mailed) -> None:
    mailed.hit()
    assert mailed.judge().next_due == mailed.now + HOLD
    assert not mailed.thanked()
    clicked = mailed.now
    mailed.later(HOLD)
    assert mailed.judge().tally == {("clicked", "human"): 1}
    assert mailed.thanked()
    assert [fact.at for fact in mailed.why().facts if fact.what == "clicked"] == [clicked]


def test_each_link_counts_once(mailed: Mailed) -> None:
    for _ in range(3):
        mailed.hit()
        mailed.later(HOLD)
        mailed.judge()
    mailed.hit(agent="computer")
    mailed.later(HOLD)
    mailed.judge()
    assert mailed.reactions() == ["clicked"]
    assert mailed.store.apply(lambda tx: tx.rows("select agent, times from hit")) == [("phone", 3), ("computer", 1)]


def test_a_machines_click_never_reaches_the_rule(mailed: Mailed) -> None:
    mailed.hit(machine="a security scanner fetched it")
    mailed.later(DAY)
    assert mailed.judge().seen == 0
    assert mailed.reactions() == []
    assert not mailed.thanked()


def test_all_links_at_once_reach_no_rule_though_each_looked_like_a_persons(mailed: Mailed) -> None:
    for link in (1, 2, 3):
        mailed.hit(link)
        mailed.later(SECOND)
    mailed.later(HOLD)
    assert mailed.judge().tally == {("clicked", "machine"): 3}
    assert mailed.reactions() == []


def test_a_person_who_clicks_after_a_scanner_is_heard(mailed: Mailed) -> None:
    for link in (1, 2, 3):
        mailed.hit(link)
    mailed.later(HOLD)
    mailed.judge()
    mailed.later(MINUTE)
    mailed.hit(2)
    mailed.later(HOLD)
    assert mailed.judge().tally == {("clicked", "human"): 1}
    assert mailed.thanked()


def test_what_is_found_out_later_changes_what_is_shown(mailed: Mailed) -> None:
    mailed.hit(what="opened", link=0)
    mailed.later(HOLD)
    mailed.judge()
    mailed.hit(TRAP, machine="it is the link that nobody can see")
    mailed.later(HOLD)
    assert mailed.judge().tally == {("clicked", "machine"): 0, ("opened", "reclassified"): 1}
    first, _ = mailed.verdicts()
    assert first[1] is not None
    assert first[1].endswith("rules had been told of it before that was known")
    assert mailed.reactions() == ["opened"]


def test_why_shows_each_hit_with_its_class_and_reason(mailed: Mailed) -> None:
    mailed.hit(machine="a program fetched it, not a browser", agent="program")
    mailed.hit(2)
    hit = [fact.detail for fact in mailed.why().facts if fact.what == "hit"]
    assert hit == [
        'a link of email "hello" (https://shop.example/) was opened with a program, '
        "by a machine: a program fetched it, not a browser",
        'a link of email "hello" (https://shop.example/) was opened with a phone, '
        "it is judged in a moment whether a person did",
    ]
    mailed.later(HOLD)
    mailed.judge()
    assert [fact.detail for fact in mailed.why().facts if fact.what == "hit"][1].endswith("by a person")


def test_a_link_of_a_message_that_is_not_known_is_passed_over(mailed: Mailed) -> None:
    mailed.hit(key="f" * 32)
    assert mailed.verdicts() == []


def test_a_thousand_fetches_are_few_rows(mailed: Mailed) -> None:
    for number in range(300):
        mailed.hit(number + 1, machine="it calls itself a robot", links=500)
    ((rows, times),) = mailed.store.apply(lambda tx: tx.rows("select count(*), sum(times) from hit"))
    assert (rows, times) == (hit_rows.MOST, 300)


def test_a_click_on_a_message_that_was_erased_meanwhile_is_forgotten(mailed: Mailed) -> None:
    mailed.hit()
    mailed.store.apply(lambda tx: tx.run("delete from message"))
    mailed.later(HOLD)
    mailed.judge()
    assert mailed.store.apply(hit_rows.next_due) is None


def test_hits_go_with_their_message_when_it_has_become_too_old(mailed: Mailed) -> None:
    mailed.hit(machine="it calls itself a robot")
    mailed.store.apply(lambda tx: tx.run("update journey set live = 0, ended = ?", (mailed.now,)))
    later = Instant(mailed.now + DAY)
    mailed.store.apply(lambda tx: sweep_journeys(tx, 0, later, later, 10))
    assert mailed.verdicts() == []

    mailed.hit(machine="it calls itself a robot")
    assert mailed.verdicts() == []  # its message is not known any more


def test_a_short_code_stands_for_one_link_only(mailed: Mailed) -> None:
    def put(code: str, target: str, message: int = mailed.claimed.row) -> set[str]:
        one = ShortLink(code, Mark(mailed.claimed.key, 1, 1, target), Instant(mailed.now + DAY))
        return mailed.store.apply(lambda tx: hit_rows.put_short_links(tx, [(message, one)]))

    assert put("abc", "https://shop.example/1") == set()
    assert put("abc", "https://shop.example/1") == set()
    assert put("abc", "https://shop.example/2") == {"abc"}
    found = mailed.store.apply(lambda tx: hit_rows.find_short_link(tx, "abc"))
    assert found is not None
    assert found.mark == Mark(mailed.claimed.key, 1, 1, "https://shop.example/1")
    assert mailed.store.apply(lambda tx: hit_rows.drop_short_links(tx, Instant(mailed.now + DAY), 10)) == 0
    assert mailed.store.apply(lambda tx: hit_rows.drop_short_links(tx, Instant(mailed.now + DAY + 1), 10)) == 1


def test_the_loop_answers_once_a_hit_is_committed_and_judges_it_later(mailed: Mailed) -> None:
    async def play() -> dict[Any, int]:
        # A day of its time passes in less than two seconds.
        clock = Clock(50_000.0, None, mailed.now)
        hits = Hits(mailed.store, clock, running=lambda: mailed.running, listener=lambda done: None)
        mailed.store.start()
        hits.start()
        key = mailed.claimed.key
        await asyncio.gather(
            *(hits.put(Hit(key, "clicked", 1, 1, clock.now(), "phone", "", "https://x.example")) for _ in range(5)),
            hits.put(Hit(key, "opened", 0, 1, clock.now(), "gmail proxy", "it is a proxy")),
        )
        async with asyncio.timeout(10):
            while not hits.tally["clicked", "human"]:
                await asyncio.sleep(0.01)
        await hits.stop()
        return dict(hits.tally)

    assert asyncio.run(play()) == {("clicked", "human"): 1, ("opened", "machine"): 1}
    assert mailed.thanked()


def test_a_hit_that_the_store_cannot_keep_is_said_to_be_lost(mailed: Mailed) -> None:
    async def play() -> int:
        hits = Hits(mailed.store, Clock(), running=lambda: mailed.running, listener=lambda done: None)
        mailed.store.start()
        hits.start()
        mailed.store.close()
        with pytest.raises(StoreUnavailable):
            await hits.put(Hit(mailed.claimed.key, "clicked", 1, 1, mailed.now, "phone"))
        await hits.stop()
        return hits.tally["clicked", "lost"]

    assert asyncio.run(play()) == 1
