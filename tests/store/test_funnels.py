"""Funnels are read from the store as journeys went: what the engine decided, counted apart."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Answer, Event, Instant, Rejected, Report, Sent
from segue.api.values import DAY, HOUR, MINUTE
from segue.measure.funnels import losses, tables
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import CLICKED, OPENED
from segue.measure.period import Period
from segue.messages.catalogue import Catalogue
from segue.program.program import Loop, Send
from segue.runtime.dispatch import Claim
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario.replay import Arrival, RecordedReport, Replay
from segue.store.database import Store, Transaction, read_only
from segue.store.funnels import count_sources, find_rules, read_courses
from segue.store.history import REPORT
from tests.acceptance.drivers import read_rules, setting

START = Instant(1_780_000_000_000_000)
ALWAYS = Period(Instant(0), Instant(2**60))

RULES = """
event asked
customer
  country text

rule carts
  when cart_abandoned where total > 20
  once per 2d
  goal ordered within 3d
  holdout 20%
  wait 3h unless ordered
  send email "offer" then sms "offer"
  wait 1d
  if opened email
    send push "thanks" or email "again"
  else
    send sms "again" or email "again"
  end

rule ticks
  when asked
  on repeat restart
  until ordered
  repeat 3 times
    send email "tick"
    wait 6h
  end
  send email "tick"

rule visits
  when app_opened
  on edit follow
  wait 6h
  send push "hello"
  wait 2d
  send email "hello"

policy promotional
  quiet 22:00 to 07:00 local
  limit 3 messages per 1d
"""
EDITED = RULES.replace("  wait 6h\n  send push", "  wait 2h\n  send sms").replace("rule ticks", "rule ticking")


class Busy:
    """Some days of a shop in virtual time, decided by the loops of the daemon, with an edit in the middle."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self._draw = random.Random(seed)
        self.lines: list[DecisionLine] = []
        store = Store(path, durable=False)
        try:
            self._replay = Replay(store, self._publish(store, RULES, START), Catalogue(), answer=self._answer)
            arrivals = list(self._arrivals())
            middle = Instant(START + 4 * DAY)
            self._run([one for one in arrivals if one.received < middle], middle)
            self.lines += self._replay.edit(self._publish(store, EDITED, middle), middle)
            self._run([one for one in arrivals if one.received >= middle], None)
        finally:
            store.close()

    def _publish(self, store: Store, rules: str, now: Instant) -> Running:
        def job(tx: Transaction) -> Running:
            publish(tx, read_rules(rules), now, "test")
            running = resume(tx, setting())
            assert running is not None
            return running

        return store.apply(job)

    def _arrivals(self) -> Iterator[Arrival]:
        at = START
        for number in range(500):
            at = Instant(at + self._draw.randrange(40 * MINUTE))
            customer = f"c{self._draw.randrange(60)}"
            name = self._draw.choice(("cart_abandoned", "cart_abandoned", "ordered", "asked", "app_opened"))
            traits = {"email": f"{customer}@x.test", "push_token": customer}
            if len(customer) == 3:
                traits["phone"] = f"+3584000{customer[1:]}00"
            fields = {"total": self._draw.randrange(100)}
            event = Event(
                message_id=str(number),
                timestamp=at,
                source="test",
                name=name,
                user_id=customer,
                properties=fields,
                traits=traits,
            )
            yield Arrival(event, at)

    def _answer(self, claimed: Claim, moment: Instant) -> Answer:
        return Rejected(f"no such box: ann{self._draw.randrange(99)}@x.test") if self._draw.random() < 0.1 else Sent()

    def _run(self, arrivals: list[Arrival], until: Instant | None) -> None:
        for line in self._replay.run(arrivals, until=until):
            self.lines.append(line)
            if line.decision == "sent":
                for what in ("delivered", "opened", "clicked"):
                    if self._draw.random() < 0.5:
                        at = Instant(line.at + self._draw.randrange(HOUR, 10 * HOUR))
                        report = Report(id=f"{what}-{line.key}", what=what, at=at, key=line.key)
                        self._replay.hear(RecordedReport(line.channel, report, at))

    # What was decided, counted

    def decided(self, rule: str, decision: str) -> set[str]:
        return {line.key for line in self.lines if (line.rule, line.decision) == (rule, decision)}

    def reasons(self, rule: str, decision: str) -> Counter[str]:
        return Counter(line.reason for line in self.lines if (line.rule, line.decision) == (rule, decision))

    @cached_property
    def reports(self) -> set[tuple[str, str]]:
        """The reports that arrived: of which message, and what."""
        with read_only(self.path) as tx:
            rows = tx.rows("select fields from event where kind = ?", (REPORT,))
        told = [msgspec.json.decode(fields) for (fields,) in rows]
        return {(one["key"], one["what"]) for one in told}

    def funnel(self, rule: str) -> Funnel:
        look = partial(read_only, self.path)
        with look() as tx:
            found = find_rules(tx, [rule])[rule]
        funnel = Funnel(rule, found.versions, setting().zone)
        for course in read_courses(look, found.versions, found.newest, ALWAYS, lambda _done, _of: None):
            funnel.take(course, Instant(2**60))
        assert not tables.faults(funnel, found.books)
        return funnel


@pytest.fixture(scope="module", params=[1, 2])
def busy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Busy:
    return Busy(tmp_path_factory.mktemp("busy") / "segue.db", request.param)


@pytest.mark.parametrize("rule", ["carts", "ticks", "ticking", "visits"])
def test_journeys_stand_where_they_were_decided_to(busy: Busy, rule: str) -> None:
    lines = tables.lines_of(busy.funnel(rule))
    entered = busy.decided(rule, "entered")
    ended = [busy.decided(rule, how) for how in ("finished", "exited", "failed")]
    assert sum(line.entered for line in lines) == len(entered) > 10
    assert [sum(line.states[state] for line in lines) for state in range(4)] == [
        len(entered) - sum(map(len, ended)),
        *map(len, ended),
    ]


@pytest.mark.parametrize("rule", ["carts", "ticks", "visits"])
def test_reasons_of_exits_and_skips_are_those_decided(busy: Busy, rule: str) -> None:
    funnel = busy.funnel(rule)
    exits = Counter[str]()
    for record in losses.exits_table(funnel).records():
        exits[str(record["reason"])] += int(str(record["journeys"]))
    assert exits == busy.reasons(rule, "exited")
    skips = Counter[str]()
    for record in losses.dropped_table(funnel).records():
        if record["outcome"] == "skipped":
            skips[str(record["reason"])] += int(str(record["messages"]))
    decided = Counter[str]()
    for reason, count in busy.reasons(rule, "skipped").items():
        decided[reason.split(", taken by")[0]] += count
    assert skips == decided
    assert skips


@pytest.mark.parametrize("rule", ["carts", "ticks", "visits"])
def test_messages_and_answers_are_those_that_went(busy: Busy, rule: str) -> None:
    counts = Counter[str]()
    by_content = Counter[tuple[str, str]]()
    for letter, count in busy.funnel(rule).letters.items():
        tables.add_letter(counts, letter, count)
        if letter.fate == "sent":
            by_content[letter.channel, letter.message] += count
    sent = busy.decided(rule, "sent")
    assert counts["sent"] == len(sent) > 10
    assert counts["failed"] == len(busy.decided(rule, "undelivered"))
    for what in ("delivered", "opened", "clicked"):
        assert counts[what] == len({key for key, told in busy.reports if told == what and key in sent})
    assert by_content == Counter(
        (line.channel, line.message) for line in busy.lines if (line.rule, line.decision) == (rule, "sent")
    )


def test_what_providers_say_is_told_without_addresses(busy: Busy) -> None:
    reasons = losses.dropped_table(busy.funnel("carts")).column("reason")
    assert "no such box: …" in reasons
    assert not any("@" in str(reason) for reason in reasons)


def test_conversions_are_those_decided_and_the_holdout_is_told_apart(busy: Busy) -> None:
    funnel = busy.funnel("carts")
    converted = sum(count for reach, count in funnel.reaches.items() if reach.converted)
    assert converted == len(busy.decided("carts", "converted")) > 0
    held_out = [line for line in tables.lines_of(funnel) if line.held_out]
    assert sum(line.entered for line in held_out) > 0
    assert not any(reach.touches for reach in funnel.reaches if reach.held_out)
    assert any(letter.reason == "holdout" for letter in funnel.letters if letter.held_out)


def test_journeys_that_an_edit_took_over_stand_in_the_new_text(busy: Busy) -> None:
    funnel = busy.funnel("visits")
    versions = {version.number: row for row, version in funnel.versions.items()}
    assert [version.current for version in funnel.versions.values()] == [False, True]
    moved = funnel.moved[versions[2], False]
    assert moved > 0
    entered_before = sum(
        line.at < START + 4 * DAY for line in busy.lines if (line.rule, line.decision) == ("visits", "entered")
    )
    first = next(line.entered for line in tables.lines_of(funnel) if line.version == versions[1])
    assert moved + first == entered_before


def test_a_rule_that_was_removed_still_has_its_funnel(busy: Busy) -> None:
    funnel = busy.funnel("ticks")
    assert not any(version.current for version in funnel.versions.values())
    (line,) = tables.lines_of(funnel)
    assert line.states[tables.INSIDE] == 0


@pytest.mark.parametrize("rule", ["carts", "ticks", "ticking", "visits"])
def test_whoever_reached_a_step_is_there_went_on_or_ended_there(busy: Busy, rule: str) -> None:
    funnel = busy.funnel(rule)
    for line in tables.lines_of(funnel):
        found = tables.standings(funnel, line.version, held_out=line.held_out)
        program = funnel.versions[line.version].program
        assert found[0].reached == line.entered or line.version != min(funnel.versions)
        assert all(0 <= number <= len(program.steps) for number in found)
        for number, standing in found.items():
            if number < len(program.steps):
                assert standing.reached == standing.here + standing.went_on + sum(standing.ended)


def test_a_repeat_counts_a_journey_once_and_its_turns_apart(busy: Busy) -> None:
    funnel = busy.funnel("ticking")
    (line,) = tables.lines_of(funnel)
    (loop,) = [
        step
        for (_, _, number), step in funnel.steps.items()
        if isinstance(funnel.versions[line.version].program.steps[number], Loop)
    ]
    assert loop.reached == line.entered < loop.times
    assert loop.outcomes["turn 1"] == line.entered >= loop.outcomes["turn 2"] >= loop.outcomes["turn 3"] > 0


def test_messages_of_one_name_are_of_the_step_that_sent_them(busy: Busy) -> None:
    funnel = busy.funnel("ticking")
    (line,) = tables.lines_of(funnel)
    sends = tables.letters_at(funnel, line.version, held_out=False)
    program = funnel.versions[line.version].program
    in_loop, after = (number for number, step in enumerate(program.steps) if isinstance(step, Send))
    assert set(sends) == {in_loop, after}
    found = tables.standings(funnel, line.version, held_out=False)
    assert sends[after]["decided"] == found[after].reached > 0
    assert sends[in_loop]["decided"] == found[in_loop].times


def test_messages_not_even_tried_are_of_the_step_that_the_journey_came_to(busy: Busy) -> None:
    funnel = busy.funnel("carts")
    held_out = next(line for line in tables.lines_of(funnel) if line.held_out)
    sends = tables.letters_at(funnel, held_out.version, held_out=True)
    steps = funnel.versions[held_out.version].program.steps
    assert {step: counts["skipped"] for step, counts in sends.items()} == {
        number: standing.reached
        for number, standing in tables.standings(funnel, held_out.version, held_out=True).items()
        if number < len(steps) and isinstance(steps[number], Send)
    }


def test_only_the_journeys_of_the_period_are_counted(busy: Busy) -> None:
    look: Any = partial(read_only, busy.path)
    entries = sorted(line.at for line in busy.lines if (line.rule, line.decision) == ("carts", "entered"))
    middle = entries[len(entries) // 2]
    with look() as tx:
        found = find_rules(tx, ["carts"])["carts"]
    counted = [
        len(list(read_courses(look, found.versions, found.newest, period, lambda _done, _of: None)))
        for period in (ALWAYS, Period(Instant(0), middle), Period(middle, Instant(2**60)))
    ]
    assert counted[0] == counted[1] + counted[2]
    assert counted[1] == sum(at < middle for at in entries)


@pytest.fixture
def opened_once(tmp_path: Path) -> Iterator[tuple[Store, int]]:
    """A store in which one customer opened one message, by a provider's report; and the message's number."""
    store = Store(tmp_path / "segue.db", durable=False)

    def prepare(tx: Transaction) -> Running:
        publish(tx, read_rules('rule hello when app_opened send push "hello"'), START, "test")
        running = resume(tx, setting())
        assert running is not None
        return running

    replay = Replay(store, store.apply(prepare), Catalogue())
    event = Event(
        message_id="1",
        timestamp=START,
        source="app",
        name="app_opened",
        user_id="ann",
        properties={},
        traits={"push_token": "x"},
    )
    (sent,) = [line for line in replay.run([Arrival(event, START)]) if line.decision == "sent"]
    at = Instant(START + HOUR)
    replay.hear(RecordedReport("push", Report(id="1", what="opened", at=at, key=sent.key), at))
    assert not list(replay.run([]))
    row = store.apply(lambda tx: tx.row("select id from message"))
    assert row is not None
    yield store, row[0]
    store.close()


def _deeds(store: Store) -> tuple[int, int]:
    assert store.path is not None
    look = partial(read_only, store.path)
    with look() as tx:
        found = find_rules(tx, ["hello"])["hello"]
    (course,) = read_courses(look, found.versions, found.newest, ALWAYS, lambda _done, _of: None)
    (contact,) = course.contacts
    return contact.persons, contact.machines


@pytest.mark.parametrize(
    ("hits", "persons", "machines"),
    [
        ([], OPENED, 0),
        ([("opened", "")], OPENED, 0),
        ([("opened", "a scanner")], 0, OPENED),  # rules were told before that was known
        ([("opened", "a scanner"), ("opened", "")], OPENED, OPENED),
        ([("clicked", "")], OPENED | CLICKED, 0),
        ([("clicked", "a scanner")], OPENED, CLICKED),
        ([("opened", None)], OPENED, 0),  # not judged yet
    ],
)
def test_what_a_machine_did_is_no_persons_deed(
    opened_once: tuple[Store, int], hits: list[tuple[str, str | None]], persons: int, machines: int
) -> None:
    store, message = opened_once
    store.apply(
        lambda tx: tx.run_many(
            "insert into hit (message, customer, what, link, links, at, agent, due, machine, known, latest) "
            "values (?, 1, ?, 0, 1, ?, 'mail', null, ?, 0, 0)",
            [(message, what, START, machine) for what, machine in hits],
        )
    )
    assert _deeds(store) == (persons, machines)


def test_entries_are_counted_by_the_source_of_their_event(opened_once: tuple[Store, int]) -> None:
    store, _ = opened_once
    versions = store.apply(lambda tx: find_rules(tx, ["hello"])["hello"].versions)
    assert store.apply(lambda tx: count_sources(tx, versions, ALWAYS)) == {"app": 1}
