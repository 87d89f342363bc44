"""The index of who is in which segment: built for many at once, kept as things happen, and found anew on request."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Instant, Rejected, to_rfc3339
from segue.api.values import DAY, HOUR
from segue.customers.bulk.crowd import NEVER
from segue.customers.reach import ChannelReach, Reach
from segue.customers.suppression import REASONS, Reason, Suppression
from segue.program.horizon import next_change
from segue.runtime.census import Question, take
from segue.runtime.ingest import ingest
from segue.runtime.membership import explain_membership, load_kept, midnights
from segue.runtime.running import Running
from segue.runtime.surveying import Surveyor
from segue.runtime.sweeping import Pioneer, Swept, chores, sweep
from segue.runtime.turn import Done, Turn
from segue.store.consent import put_suppressions
from segue.store.crossings import Crossings, load_crossings
from segue.store.database import Store, Transaction
from segue.store.lookouts import begin_anew, load_watches
from tests.runtime.rulebook import T0, event, pass_all_time, publish_text, sweep_all
from tests.runtime.stage import Stage

WORDS = """\
event ordered
  total money
event seen
event quiz_done
  answer text
customer
  country text
  joined date
  persona text
"""
SEGMENTS = """\
segment finns where customer.country = "FI"
segment buyers where ordered ever
segment lapsed where in buyers and not ordered in last 30d
segment this_quarter where ordered in last 3mo
segment regulars where ordered at least 2 times in last 60d
segment big where sum(ordered.total) >= 100
segment lately_big where ordered where (total > 50) in last 30d
segment dear where average(ordered.total in last 60d) between 40 and 80
segment green where last(quiz_done.answer) = "green" and customer.persona != "saver"
segment reachable where can get email
segment inside_welcome where in welcome
segment old_hand where customer.joined < now - 365d
segment odd where count(ordered) > count(seen)
rule welcome when seen wait 5d send email "hello"
"""
BOOK = WORDS + SEGMENTS


@pytest.fixture
def store() -> Store:
    return Store(None)


# One judgement, two ways


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, str, int, dict[str, Any]]]:
    """What happens to a few customers: who, what, after how many hours, and its fields and traits."""
    found = []
    for _ in range(draw(st.integers(0, 25))):
        name = draw(st.sampled_from(["ordered", "ordered", "seen", "quiz_done", "unsubscribed"]))
        more: dict[str, Any] = {}
        if name == "ordered":
            more["total"] = draw(st.sampled_from([10, 50, 59.9, 100, "80", "x", None]))
            more["currency"] = draw(st.sampled_from(["EUR", "EUR", "SEK"]))
        elif name == "quiz_done":
            more["answer"] = draw(st.sampled_from(["green", "red", 3]))
        traits = {
            "country": draw(st.sampled_from(["FI", "SE"])),
            "joined": draw(st.sampled_from(["2024-01-01", "2026-05-01"])),
            "email": draw(st.sampled_from(["a@example.com", None])),
            "persona": draw(st.sampled_from(["saver", "dreamer"])),
            "timezone": draw(st.sampled_from(["Europe/Helsinki", "Asia/Tokyo"])),
        }
        kept = {key: value for key, value in traits.items() if draw(st.booleans())}
        found.append((draw(st.sampled_from("abcdef")), name, draw(st.integers(0, 24 * 100)), {**more, "traits": kept}))
    return sorted(found, key=lambda one: one[2])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lives(), st.integers(0, 24 * 110), st.sampled_from([None, *REASONS]))
def test_a_survey_of_the_store_finds_what_each_customers_own_facts_say(
    lived: list[tuple[str, str, int, dict[str, Any]]], later: int, suppressed: Reason | None
) -> None:
    store = Store(None)
    running = publish_text(store, BOOK, T0)
    for number, (who, name, hours, more) in enumerate(lived):
        one = event(name, who, at=Instant(T0 + hours * HOUR), id=str(number), **more)
        store.apply(partial(ingest, running=running, events=[one], now=one.timestamp))
    moment = Instant(T0 + later * HOUR)
    if suppressed is not None:
        dead = Suppression("email", "a@example.com", suppressed, T0, "test", channel="email")
        store.apply(lambda tx: put_suppressions(tx, [dead]))

    def job(tx: Transaction) -> None:
        surveyor = Surveyor(running, running.segments)
        turn = Turn(tx, running, moment)
        rows = [row for (row,) in tx.rows("select id from customer order by id")]
        if not rows:
            return
        crowd = surveyor.gather(turn, rows)
        turn.load(rows)
        for name in surveyor.names:
            found = surveyor.look(turn, crowd, name, moment)
            for place, row in enumerate(rows):
                facts = turn.people[row].facts
                assert bool(found.member[place]) == facts.belongs(name, moment), name
                due = next_change(running.segments[name].condition, facts, moment, running.segments)
                exact = NEVER if due is None else due
                if name == "this_quarter":  # windows of months are told early
                    assert moment < found.due[place] <= exact
                else:
                    assert found.due[place] == exact, (name, to_rfc3339(moment))

    store.apply(job)


def members(store: Store, name: str) -> list[str]:
    rows = store.apply(
        lambda tx: tx.rows(
            "select customer.key from lookout join customer on customer.id = lookout.customer "
            "where subject = ? and member = 1 order by customer.key",
            (name,),
        )
    )
    return [key[2:] for (key,) in rows]


def fill(store: Store, running: Running, names: list[str], now: Instant, **fields: Any) -> None:
    events = [event("ordered", name, at=now, traits={}, **fields) for name in names]
    store.apply(lambda tx: ingest(tx, running, events, now))


# What is kept


def test_a_segment_that_the_settings_name_is_kept_though_no_rule_asks_for_it(store: Store) -> None:
    running = publish_text(store, BOOK, T0)
    fill(store, running, ["ann", "bob"], T0)
    assert not running.beginnings.watched
    running = publish_text(store, BOOK, Instant(T0 + DAY), kept=frozenset({"buyers", "nobody_published_this"}))
    sweep_all(store, running, Instant(T0 + DAY))
    assert members(store, "buyers") == ["ann", "bob"]
    fill(store, running, ["cid"], Instant(T0 + 2 * DAY))
    assert members(store, "buyers") == ["ann", "bob", "cid"]
    running = publish_text(store, BOOK, Instant(T0 + 3 * DAY), kept=frozenset({"all"}))
    assert set(running.beginnings.watched) == set(running.segments)


def test_who_lapses_by_nothing_happening_leaves_and_enters_in_that_instant_and_is_counted(store: Store) -> None:
    running = publish_text(store, BOOK, T0, kept=frozenset({"lapsed"}))
    fill(store, running, ["ann"], T0)
    pass_all_time(store, running, Instant(T0 + 30 * DAY - 1))
    assert members(store, "lapsed") == []
    pass_all_time(store, running, Instant(T0 + 30 * DAY))
    assert members(store, "lapsed") == ["ann"]
    fill(store, running, ["ann"], Instant(T0 + 31 * DAY))
    assert members(store, "lapsed") == []
    first, second = (to_rfc3339(Instant(T0 + days * DAY))[:10] for days in (30, 31))
    crossings = store.apply(lambda tx: load_crossings(tx, "lapsed", ""))
    assert crossings == [Crossings(first, 1, 0), Crossings(second, 0, 1)]


def test_a_dead_address_takes_its_customer_out_of_those_who_can_get_email(store: Store) -> None:
    text = 'segment reachable where can get email\nrule letter when customer leaves reachable send sms "hello"\n'
    stage = Stage(store, f'event paid\n{text}rule paid when paid send email "hello"')
    stage.arrive("paid")
    (claimed,), _ = stage.claim()
    assert members(store, "reachable") == ["ann"]
    assert ("letter", "entered", "") in stage.answer(claimed, Rejected("no such mailbox", address_gone=True))
    assert members(store, "reachable") == []


def test_a_different_way_to_reach_customers_has_everybody_looked_at_again(store: Store) -> None:
    kept = frozenset({"reachable"})
    running = publish_text(store, BOOK, T0, kept=kept)
    store.apply(lambda tx: ingest(tx, running, [event("seen", "ann", at=T0)], T0))
    strict = Reach({"email": ChannelReach("email", consent="opt-in"), "sms": ChannelReach("phone")})
    running = publish_text(store, BOOK, Instant(T0 + DAY), kept=kept, reach=strict)
    sweep_all(store, running, Instant(T0 + DAY))
    assert members(store, "reachable") == []


# Finding anew


def test_what_was_wrong_in_the_index_is_right_after_it_was_found_anew(store: Store) -> None:
    kept = frozenset({"buyers", "lapsed", "big"})
    running = publish_text(store, BOOK, T0, kept=kept)
    names = [f"c{number:02}" for number in range(12)]
    fill(store, running, names, T0, total=120, currency="EUR")
    store.apply(lambda tx: tx.run("update lookout set member = 0, due = null where customer % 2 = 0"))
    store.apply(lambda tx: tx.run("delete from lookout where customer % 3 = 0"))
    assert members(store, "buyers") != names
    now = Instant(T0 + 40 * DAY)
    store.apply(lambda tx: begin_anew(tx, ["buyers", "lapsed"], now))
    assert not all(watch.complete for watch in store.apply(load_watches).values())
    assert sweep_all(store, running, now, limit=5) == []
    assert members(store, "buyers") == names
    assert members(store, "lapsed") == names
    assert members(store, "big") != names  # it was not asked for
    assert all(watch.complete for watch in store.apply(load_watches).values())


def test_whom_an_input_reached_during_the_rebuild_is_not_put_back(store: Store) -> None:
    running = publish_text(store, BOOK, T0, kept=frozenset({"lapsed"}))
    names = [f"c{number}" for number in range(8)]
    fill(store, running, names, T0)
    now = Instant(T0 + 40 * DAY)
    pass_all_time(store, running, now)
    store.apply(lambda tx: begin_anew(tx, ["lapsed"], now))
    fill(store, running, ["c7"], Instant(now + HOUR))
    sweep_all(store, running, Instant(now + HOUR), limit=3)
    assert members(store, "lapsed") == names[:7]


def test_what_was_found_ahead_of_the_writer_undoes_no_input_and_brings_nobody_back(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "segue.db")) as store:
        running = publish_text(store, BOOK, T0, kept=frozenset({"lapsed", "buyers"}))
        names = [f"c{number}" for number in range(8)]
        fill(store, running, names, T0)
        now = Instant(T0 + 40 * DAY)
        pass_all_time(store, running, now)
        store.apply(lambda tx: begin_anew(tx, ["buyers", "lapsed"], now))
        store.apply(lambda tx: tx.run("update lookout set member = 0 where customer = 5"))
        (chore,) = store.apply(lambda tx: chores(tx, running))
        ahead = Pioneer(store.path).look_ahead(running, chore, None)
        assert ahead is not None
        fill(store, running, ["c7"], Instant(now + HOUR))
        store.apply(lambda tx: tx.run("delete from customer where id = 2"))
        store.apply(lambda tx: tx.run("delete from lookout where customer = 2"))
        left, pieces = Swept(Done(()), chore, ahead), 0
        while left.left is not None:
            job = partial(sweep, running=running, chore=chore, now=now, limit=3, ahead=left.ahead)
            left, pieces = store.apply(job), pieces + 1
        assert pieces == 3
        assert members(store, "lapsed") == [name for name in names if name not in ("c1", "c7")]
        assert store.apply(lambda tx: tx.rows("select * from lookout where customer = 2")) == []


# Beside a daemon


def test_a_census_counts_members_on_past_days_and_who_came_and_went(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    with contextlib.closing(Store(path)) as store:
        running = publish_text(store, BOOK, T0)
        for day in range(40):
            fill(store, running, [f"c{day}"], Instant(T0 + day * DAY), total=1, currency="EUR")
        moments = tuple(Instant(T0 + day * DAY + HOUR) for day in (29, 30, 31, 39))
        found = take(running, Question(path, ("lapsed", "odd"), moments, listed=True), lambda done, total: None)
    assert found["lapsed"].members == [0, 1, 2, 10]
    assert found["lapsed"].entered == [1, 1, 8]
    assert found["lapsed"].departed == [0, 0, 0]
    assert found["lapsed"].listed == list(range(1, 11))
    assert found["lapsed"].alone == 0
    assert found["odd"].alone > 0  # two figures beside each other: each customer is judged alone, and that is told


def test_midnights_are_those_of_the_projects_zone_since_history_began() -> None:
    running = publish_text(Store(None), BOOK, T0, zone="Europe/Helsinki")
    now = Instant(T0 + 10 * DAY)
    found = [to_rfc3339(one) for one in midnights(now, running.zone, 2, T0)]
    assert [one[11:19] for one in found] == ["21:00:00"] * 3
    assert len(midnights(now, running.zone, 28, Instant(now - 3 * DAY))) == 3
    assert midnights(now, running.zone, 28, None) == ()


def test_a_segment_is_taken_apart_for_one_customer(store: Store) -> None:
    running = publish_text(store, BOOK, T0)
    fill(store, running, ["ann"], T0, total=120, currency="EUR")
    now = Instant(T0 + 10 * DAY)
    reason = store.apply(lambda tx: explain_membership(tx, running, "lapsed", 1, now))
    assert (reason.customer, reason.member, reason.due) == ("ann", False, T0 + 30 * DAY)
    assert reason.part.needs == "all"
    buyers, recently = reason.part.under
    assert (buyers.text, buyers.holds) == ("in buyers", True)
    assert buyers.under[0].seen.startswith("1 time, last on ")
    assert (recently.text, recently.holds) == ("not ordered in last 30d", False)
    (amount,) = (store.apply(lambda tx: explain_membership(tx, running, "big", 1, now)).part,)
    assert (amount.holds, amount.seen) == (True, "it is 120 EUR")


def test_what_is_kept_tells_members_and_days(store: Store) -> None:
    running = publish_text(store, BOOK, T0, kept=frozenset({"buyers"}))
    fill(store, running, ["ann"], T0)
    kept = store.apply(lambda tx: load_kept(tx, running, "buyers", ""))
    assert kept is not None
    assert (kept.members, kept.complete, [one.entered for one in kept.crossings]) == (1, True, [1])
    assert store.apply(lambda tx: load_kept(tx, running, "big", "")) is None
