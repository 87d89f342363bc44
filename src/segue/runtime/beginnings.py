"""What begins journeys besides events: live segments, traits that change, dates of customers, and the calendar; and
which customers are watched for that.

All of it is derived from the book and from the programs that customers inside still run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from segue.customers.bulk.reading import nodes, whole
from segue.customers.reach import Reach
from segue.host.segments import EVERY
from segue.language import model as m
from segue.program import program as p
from segue.program.calendar import longest
from segue.program.codec import encode_node
from segue.program.facts import ZONE_TRAIT
from segue.program.horizon import Change, compile_change
from segue.program.program import Condition, Program
from segue.program.reads import Reads, collect_reads


class Subject(msgspec.Struct, frozen=True):
    """What is watched for every customer: a segment's membership (``condition``; ``change`` tells when time alone may
    turn it, None: never), or the date that begins a rule (``program``). ``definition`` is a hash of its meaning: where
    that changes, all customers are looked at anew."""

    name: str
    definition: str
    condition: Condition | None = None
    change: Change | None = None
    program: Program | None = None

    @property
    def recurs(self) -> bool:
        """Whether its date comes again every year."""
        return self.program is not None and isinstance(self.program.rule.trigger, m.OnSchedule)


class Beginnings(msgspec.Struct, frozen=True):
    """What begins journeys without an event, by what brings it about.

    ``watched``      the subjects, by name
    ``by_event``     the segments whose membership an event of a name may change; ``by_trait`` a trait; ``by_rule``
    beginning and ending a journey of a rule
    ``looks_back``   the same segments as ``by_event``, each with how far it looks back for the event, in microseconds;
    None: to the beginning
    ``dates``        the rules that a date begins, by the traits it hangs on
    ``memberships``  the programs begun by a change (``enters``, ``leaves``) of a segment
    ``changes``      the programs begun by a change of a trait
    ``schedules``    the programs begun by the calendar
    ``names``        for each program, the segments and rules that its watched conditions name
    """

    watched: Mapping[str, Subject] = {}
    by_event: Mapping[str, tuple[str, ...]] = {}
    by_trait: Mapping[str, tuple[str, ...]] = {}
    by_rule: Mapping[str, tuple[str, ...]] = {}
    looks_back: Mapping[str, Mapping[str, int | None]] = {}
    dates: Mapping[str, tuple[str, ...]] = {}
    memberships: Mapping[tuple[str, str], tuple[Program, ...]] = {}
    changes: Mapping[str, tuple[Program, ...]] = {}
    schedules: Mapping[str, Program] = {}
    names: Mapping[str, frozenset[str]] = {}
    rules: frozenset[str] = frozenset()

    @property
    def local(self) -> tuple[Program, ...]:
        """Programs begun by the calendar in each customer's own zone."""
        return tuple(program for program in self.schedules.values() if zone_written(program) is None)


NONE: Final = Beginnings()


def find_beginnings(
    book: Mapping[str, Program],
    programs: Iterable[Program],
    segments: Mapping[str, m.Segment],
    conditions: Mapping[str, Condition],
    reach: Reach,
    kept: frozenset[str] = frozenset(),
) -> Beginnings:
    """What begins the journeys of a book. ``programs`` are all that customers may be inside of, ``conditions`` the
    compiled segments, ``kept`` the segments that are watched though no rule asks for it (``all``: every one)."""
    memberships: dict[tuple[str, str], tuple[Program, ...]] = {}
    changes: dict[str, tuple[Program, ...]] = {}
    schedules: dict[str, Program] = {}
    watched: dict[str, Subject] = {}
    dates: dict[str, tuple[str, ...]] = {}
    for program in book.values():
        match program.rule.trigger:
            case m.OnMembership(change=change, segment=segment):
                memberships[change, segment] = (*memberships.get((change, segment), ()), program)
            case m.OnChange(trait=trait):
                changes[trait] = (*changes.get(trait, ()), program)
            case m.OnOffset(trait=trait) | m.OnSchedule(recurrence=m.Yearly(trait=trait)):
                watched[program.name] = Subject(program.name, _digest([program.rule.trigger]), program=program)
                for each in (trait, ZONE_TRAIT):
                    dates[each] = (*dates.get(each, ()), program.name)
            case m.OnSchedule() | m.OnDate():
                schedules[program.name] = program
            case None:
                pass
    names = {program.hash: named for program in programs if (named := _names_watched(program))}
    wanted = {segment for _, segment in memberships} | (set(conditions) if EVERY in kept else kept)
    for named in names.values():
        wanted |= {
            name for name in named & conditions.keys() if conditions[name].volatile or _names_rule(conditions, name)
        }
    for name in sorted(wanted & conditions.keys()):
        meaning = [segments[each] for each in sorted({name, *conditions[name].names} & segments.keys())]
        watched[name] = Subject(
            name,
            _digest(meaning, _how_reached(segments[name], segments, reach)),
            condition=conditions[name],
            change=compile_change(segments[name].condition, segments) if conditions[name].volatile else None,
        )
    tracked = [subject for subject in watched.values() if subject.condition is not None]
    return Beginnings(
        watched=watched,
        by_event=_index((one.name, one.condition.events) for one in tracked if one.condition),
        by_trait=_index((one.name, one.condition.traits) for one in tracked if one.condition),
        by_rule=_index((one.name, one.condition.names - segments.keys()) for one in tracked if one.condition),
        looks_back=_look_back(segments, (one.name for one in tracked)),
        dates=dates,
        memberships=memberships,
        changes=changes,
        schedules=schedules,
        names=names,
        rules=frozenset().union(*names.values(), *(one.condition.names for one in tracked if one.condition))
        - segments.keys(),
    )


def _names_rule(conditions: Mapping[str, Condition], name: str) -> bool:
    """Whether a segment asks who is inside a rule."""
    return bool(conditions[name].names - conditions.keys())


def _index(reads: Iterable[tuple[str, frozenset[str]]]) -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for name, facts in reads:
        for fact in facts:
            index[fact] = (*index.get(fact, ()), name)
    return index


def _look_back(segments: Mapping[str, m.Segment], names: Iterable[str]) -> dict[str, dict[str, int | None]]:
    found: dict[str, dict[str, int | None]] = {}
    for name in names:
        for expression in whole([segments[name].condition], segments):
            for node in nodes(expression):
                if isinstance(node, m.Happened | m.Aggregate):
                    back = found.setdefault(node.event, {})
                    here = longest(node.window.period) if node.window.since == "last" and node.window.period else None
                    known = back.get(name, here)
                    back[name] = max(known, here) if known is not None and here is not None else None
    return found


def _names_watched(program: Program) -> frozenset[str]:
    return frozenset().union(*(condition.names for condition in _conditions_watched(program)))


def _conditions_watched(program: Program) -> Iterator[Condition]:
    for guard in program.guards:
        yield guard.condition
    if program.goal is not None:
        yield program.goal.condition
    for step in program.steps:
        if isinstance(step, p.WaitFor):
            yield step.condition
        elif isinstance(step, p.Split) and step.towards is not None:
            yield step.towards


def _how_reached(segment: m.Segment, segments: Mapping[str, m.Segment], reach: Reach) -> bytes:
    """How the project's channels reach customers, as far as a segment asks whether they do."""
    asked = collect_reads(segment.condition, Reads(segments)).reach
    found = {channel: reach.channels[channel] for channel in sorted(asked) if channel in reach.channels}
    return msgspec.json.encode(found) if asked else b""


def _digest(nodes: Iterable[m.Node], also: bytes = b"") -> str:
    digest = blake2b(digest_size=16)
    for node in nodes:
        digest.update(encode_node(node, meaning=True))
    digest.update(also)
    return digest.hexdigest()


def zone_written(program: Program) -> str | None:
    """The zone that a program's calendar names; None: each customer's own."""
    trigger = program.rule.trigger
    return trigger.zone if isinstance(trigger, m.OnSchedule | m.OnDate) else None


def trigger_digest(program: Program) -> str:
    """A hash of what begins a program, that is of nothing else in its rule."""
    trigger = program.rule.trigger
    return _digest([trigger] if trigger is not None else [])
