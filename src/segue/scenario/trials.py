"""A test of a rule, carried out: the real program, store and loops on a virtual clock.

The tested rule runs, and beside it only the rules that it asks about (``in welcome``): a rule that somebody adds to the
book does not break the tests of another. Holdout, rollout and audience estimates are off. The customer exists before
the rules are published, with the traits that are given. Unless the test says otherwise every channel reaches them: an
address that is not given is made up, consent is there until it is withdrawn, and a message counts as handed over at
once.

At one instant events come first, then waits, then messages, then reactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from segue.api import Answer, Event, Instant, Money, Period, Rejected, Report, Sent
from segue.api.values import SECOND
from segue.customers.identity import user_key
from segue.customers.reach import Reach
from segue.customers.zones import clock_of
from segue.engine.journey import Journey
from segue.language import model as m
from segue.language.looking import nodes
from segue.messages.catalogue import Catalogue
from segue.program.calendar import add
from segue.program.conditions import compile_expression
from segue.program.facts import Customer, Scene
from segue.program.program import Program
from segue.program.steps import Split
from segue.program.values import to_json
from segue.program.wording import word
from segue.runtime.dispatch import Claim
from segue.runtime.publishing import Setting, publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario.moments import find_start, last_of, resolve, word_after
from segue.scenario.replay import Arrival, RecordedReport, Replay
from segue.scenario.verdicts import Unmet, judge
from segue.store import journeys as journey_rows
from segue.store import ledger as ledger_rows
from segue.store.arms import put_assignments
from segue.store.customers import CustomerRow, insert_customers
from segue.store.database import Store, Transaction

CUSTOMER: Final = "the customer"
"""The id of the one customer of a test."""
_ROW: Final = 1
_MOST_DECISIONS: Final = 10_000
_LONGEST: Final = Period(months=60)
"""How long a test goes on after the last moment it names, while something is still due."""


Happening = m.Happens | m.Reacts | m.Alters | m.Fails


class Input(msgspec.Struct, frozen=True):
    """What a test has happen: when, and in the words of its line. A ``reaction`` comes last in its moment."""

    at: Instant
    text: str
    reaction: bool


class Outcome(msgspec.Struct, frozen=True):
    """What came of a test. ``decisions`` are those about its rule; ``unmet`` what was expected and did not come true;
    ``problem`` is why the test itself could not be carried out. ``program`` and ``journeys`` tell which steps were
    taken."""

    test: m.Test
    start: Instant
    zone: tzinfo
    inputs: tuple[Input, ...] = ()
    decisions: tuple[DecisionLine, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    problem: str | None = None
    program: Program | None = None
    journeys: tuple[Journey, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.unmet and self.problem is None


class Trials:
    """Carries out the tests of one checked book. A rule is compiled once for all its tests."""

    def __init__(self, book: m.Book, setting: Setting, content: Catalogue) -> None:
        self._book = book
        self._content = content
        self._rules = {rule.name: rule for rule in book.rules}
        self._segments = {segment.name: segment for segment in book.segments}
        self._setting = replace(
            setting,
            reach=Reach(
                {name: replace(how, consent="opt-out", optional=False) for name, how in setting.reach.channels.items()}
            ),
            channels={name: replace(spec, settles="acceptance") for name, spec in setting.channels.items()},
        )
        self._compiled: dict[str, Running] = {}

    def run(self, test: m.Test) -> Outcome:
        """Carry out one test."""
        rule = self._rules.get(test.rule)
        if rule is None:
            problem = f"the rule {test.rule} has errors, so it cannot be tested; `segue check` tells them"
            return Outcome(test, Instant(0), self._setting.zone, problem=problem)
        store = Store(None)
        try:
            return _Trial(self, store, test, rule).carry_out()
        finally:
            store.close()

    def traits_of(self, test: m.Test) -> tuple[dict[str, Any], tzinfo]:
        """The traits of the test's customer, and their zone."""
        traits = self.values_of(test.traits)
        for name, how in self._setting.reach.channels.items():
            if how.address is not None:
                traits.setdefault(
                    how.address, f"{name}@example.com" if how.address == "email" else f"test-{how.address}"
                )
        return traits, clock_of(traits, self._setting.zone)

    def values_of(self, traits: Sequence[tuple[str, m.Expression]]) -> dict[str, Any]:
        """Traits as they are written in a test, as JSON."""
        nobody = Customer(CUSTOMER, {}, self._setting.zone, self._setting.currency, {}, lambda *_: None)
        scene = Scene(nobody, Instant(0))
        return {name: to_json(compile_expression(value)(scene)) for name, value in traits}

    def prepare(self, tx: Transaction, test: m.Test, traits: Mapping[str, Any], start: Instant) -> Running:
        """Have the customer exist, and publish the rules of a test just before it begins."""
        insert_customers(tx, [CustomerRow(_ROW, user_key(CUSTOMER), dict(traits), {})])
        publish(tx, self._book_of(test.rule), Instant(start - SECOND), "segue test")
        running = resume(tx, self._setting, self._compiled.get(test.rule))
        assert running is not None
        self._compiled[test.rule] = running
        put_assignments(tx, _arms(running.current[test.rule], test.arms))
        return running

    @property
    def setting(self) -> Setting:
        return self._setting

    @property
    def content(self) -> Catalogue:
        return self._content

    def _book_of(self, rule: str) -> m.Book:
        """The rule, and the rules and segments that it, or one of those, asks about: they share one name space."""
        seen: set[str] = set()
        left = [rule]
        while left:
            name = left.pop()
            one = self._rules.get(name) or self._segments.get(name)
            if one is not None and name not in seen:
                seen.add(name)
                left += [part.name for part in nodes(one) if isinstance(part, m.InRule | m.InSegment)]
                left += [part.segment for part in nodes(one) if isinstance(part, m.OnMembership)]
                left += [one.audience] if isinstance(one, m.Rule) and one.audience is not None else []
        return replace(
            self._book,
            rules=tuple(
                replace(one, holdout=None, rollout=None, expect=None) for one in self._book.rules if one.name in seen
            ),
            segments=tuple(one for one in self._book.segments if one.name in seen),
            tests=(),
        )


def _arms(program: Program, given: Sequence[str]) -> dict[tuple[int, str, str], str]:
    """The arms that a test gives its customer, of whatever split has them."""
    return {
        (_ROW, program.name, step.name): arm
        for step in program.steps
        if isinstance(step, Split)
        for arm, *_ in step.arms
        if arm in given
    }


class _Trial:
    """One test under way."""

    def __init__(self, trials: Trials, store: Store, test: m.Test, rule: m.Rule) -> None:
        self._trials = trials
        self._store = store
        self._test = test
        self._traits, self._zone = trials.traits_of(test)
        self._start = find_start(test, rule, self._traits, trials.setting.zone, self._zone)
        self._fails = {one.channel: self._moment(one.at) for one in reversed(self._timed()) if isinstance(one, m.Fails)}
        prepared = store.apply(lambda tx: trials.prepare(tx, test, self._traits, self._start))
        self._running = replace(prepared, recurs_until=self._recurs_until(rule.trigger))
        self._replay = Replay(store, self._running, trials.content, answer=self._answer)
        self._decisions = self._replay.edit(self._running, Instant(self._start - SECOND))
        self._reactions = 0

    def carry_out(self) -> Outcome:
        problem = self._happen()
        decisions = tuple(line for line in self._decisions if line.rule == self._test.rule)
        journeys = self._store.apply(lambda tx: journey_rows.load_of_customer(tx, _ROW, self._test.rule))
        unmet = () if problem else judge(self._test, decisions, self._start, self._zone)
        return Outcome(
            test=self._test,
            start=self._start,
            zone=self._zone,
            inputs=tuple(
                Input(self._moment(one.at), word_happening(one), isinstance(one, m.Reacts)) for one in self._timed()
            ),
            decisions=decisions,
            unmet=unmet,
            problem=problem,
            program=self._running.current[self._test.rule],
            journeys=tuple(journeys),
        )

    def _moment(self, moment: m.TestMoment) -> Instant:
        return resolve(moment, self._start, self._zone)

    def _timed(self) -> list[Happening]:
        """What happens, in the order of time; at one instant in that of the text."""
        return sorted(self._test.happens, key=lambda one: self._moment(one.at))

    # What happens

    def _happen(self) -> str | None:
        """Everything, to the end. Gives why the test could not be carried out."""
        waiting: list[Arrival] = []
        for number, one in enumerate(self._timed()):
            at = self._moment(one.at)
            match one:
                case m.Happens():
                    waiting.append(Arrival(self._event(one, number, at), at))
                case m.Reacts():
                    if problem := self._run(waiting, Instant(at + 1)) or self._react(one, at):
                        return problem
                    waiting = []
                case m.Alters(traits=traits):
                    waiting.append(Arrival(self._identify(traits, number, at), at))
                case m.Fails():
                    pass  # the channel's answers know
        return self._run(waiting, add(self._last(), _LONGEST, self._zone))

    def _recurs_until(self, trigger: m.Trigger | None) -> Instant:
        """Up to when a recurring rule begins journeys: the last moment that the test names, and a round at least."""
        match trigger:
            case m.OnSchedule(recurrence=m.Weekdays()):
                around = Period(days=7)
            case m.OnSchedule(recurrence=m.Monthly()):
                around = Period(months=1)
            case m.OnSchedule(recurrence=m.Yearly()):
                around = Period(months=12)
            case _:
                around = Period()
        return max(self._last(), Instant(add(self._start, around, self._zone) - 1))

    def _last(self) -> Instant:
        """The last moment that the test names; its start where it names none."""
        named = [last_of(one.at, self._start, self._zone) for one in self._test.happens]
        named += [
            last_of(one.at, self._start, self._zone)
            for one in self._test.expects
            if isinstance(one, m.ExpectOne) and one.at is not None
        ]
        return max(named, default=self._start)

    def _run(self, arrivals: Iterable[Arrival], until: Instant) -> str | None:
        for line in self._replay.run(arrivals, until=until):
            self._decisions.append(line)
            if len(self._decisions) >= _MOST_DECISIONS:
                return (
                    f"it goes round and round: {_MOST_DECISIONS:,} decisions by "
                    f"{word_after(line.at, self._start, self._zone)}"
                )
        return None

    def _event(self, one: m.Happens, number: int, at: Instant) -> Event:
        nobody = Customer(CUSTOMER, self._traits, self._zone, self._trials.setting.currency, {}, lambda *_: None)
        scene = Scene(nobody, at)
        fields: dict[str, Any] = {}
        for name, expression in one.fields:
            value = compile_expression(expression)(scene)
            if isinstance(value, Money):  # as sources send it: an amount, and its currency beside it
                fields[name] = to_json(value.amount)
                fields.setdefault("currency", value.currency)
            else:
                fields[name] = to_json(value)
        return Event(
            message_id=f"test-{number}",
            timestamp=at,
            source="test",
            name=one.event,
            user_id=CUSTOMER,
            properties=fields,
        )

    def _identify(self, traits: Sequence[tuple[str, m.Expression]], number: int, at: Instant) -> Event:
        return Event(
            message_id=f"test-{number}",
            timestamp=at,
            source="test",
            user_id=CUSTOMER,
            traits=self._trials.values_of(traits),
        )

    def _react(self, one: m.Reacts, at: Instant) -> str | None:
        """The customer reacts to the rule's latest message that it can be a reaction to."""
        rule = self._test.rule
        messages = self._store.apply(lambda tx: ledger_rows.select_messages(tx, "rule = ? order by id", (rule,)))
        sent = [
            row for row in messages if row.handed is not None and (one.message is None or row.message == one.message)
        ]
        reported = [row for row in sent if self._reports(row.channel, one.reaction)]
        latest = max(reported or sent, key=lambda row: (row.handed or 0, row.row), default=None)
        if latest is None:
            what = f'message "{one.message}"' if one.message else "message"
            return (
                f"line {one.line}: there is nothing to react to with `{one.reaction}`, "
                f"no {what} was sent by {word_after(at, self._start, self._zone)}"
            )
        self._reactions += 1
        report = Report(id=f"reaction-{self._reactions}", what=one.reaction, at=at, key=latest.key)
        self._replay.hear(RecordedReport(latest.channel, report, at))
        return None

    def _reports(self, channel: str, reaction: str) -> bool:
        spec = self._trials.setting.channels.get(channel)
        return spec is not None and (reaction in spec.reactions or reaction in ("delivered", "undelivered"))

    def _answer(self, claimed: Claim, moment: Instant) -> Answer:
        since = self._fails.get(claimed.channel)
        if since is not None and since <= moment:
            return Rejected(f"the test says: {claimed.channel} fails")
        return Sent()


def word_happening(one: Happening) -> str:
    """What a line has happen, without its moment: ``cart_abandoned total 60 EUR``."""
    match one:
        case m.Happens(event=event, fields=fields):
            said = ", ".join(f"{name} {word(value)}" for name, value in fields)
            return f"{event} {said}".rstrip()
        case m.Reacts(reaction=reaction, message=message):
            return f'{reaction} "{message}"' if message else reaction
        case m.Alters(traits=traits):
            return f"customer {', '.join(f'{name} {word(value)}' for name, value in traits)}"
        case m.Fails(channel=channel):
            return f"{channel} fails"
