"""Counting journeys into a funnel, one after another.

What is kept are counts by what tells journeys apart, and of each journey three numbers: when its first message went,
when it converted, and how many messages its customer got. So a million journeys take some tens of megabytes.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, tzinfo
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from segue.api import Instant
from segue.api.values import DAY, MINUTE
from segue.measure.funnels.courses import ANSWERED, Course, Sort, Version
from segue.measure.funnels.reasons import Reasons
from segue.program.calendar import local
from segue.program.program import Split

_QUARTER: Final = 15 * MINUTE
"""No zone's midnight lies elsewhere than at a quarter of an hour."""
_MOST_WAYS: Final = 20_000
"""Different ways through a rule that are told apart before they are counted into its steps."""
_MACHINES: Final = 4
_DEEDS: Final = 0b1111
_AFTER: Final = 1 << 8
_OF_HELD_OUT: Final = 9
"""Of a number that says what became of a message: how far up what machines did stands, after what persons did; whether
its journey converted after it; and whether that was held out."""
_HELD_OUT: Final = -1
"""Stands for the number of messages of a journey that is sent none."""


class Place(msgspec.Struct, frozen=True):
    """Where a journey is, or ended: ``state`` as in `Course`, ``reason`` of an end."""

    version: int
    held_out: bool
    state: int
    step: int
    reason: str


class Letter(msgspec.Struct, frozen=True):
    """What messages have in common that count as one. ``after``: their journeys converted after they were sent."""

    version: int
    held_out: bool
    step: int | None
    channel: str
    message: str
    template: str
    fate: str
    reason: str
    persons: int
    machines: int
    after: bool


class Reach(msgspec.Struct, frozen=True):
    """What journeys have in common that got as much: what was done with any of their messages, and how many were
    sent."""

    version: int
    held_out: bool
    persons: int
    machines: int
    touches: int
    converted: bool


class Step(msgspec.Struct):
    """Of one step of a version: ``reached`` journeys, of them ``passed`` went on, those of a `repeat` ``times`` in
    all."""

    reached: int = 0
    passed: int = 0
    times: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)


class Arm(msgspec.Struct):
    """Of one arm of a split: the journeys that took it, by their state as in `Course`, and those that converted."""

    entered: int = 0
    states: Counter[int] = msgspec.field(default_factory=Counter)
    converted: int = 0


StepKey = tuple[int, bool, int]
"""Version, held out, number of the step."""
ArmKey = tuple[int, bool, int, str]
"""The same of a split, and the name of its arm."""


class Funnel:
    """The counts of one rule. ``zone`` is the project's, by whose calendar a day is one."""

    def __init__(self, rule: str, versions: Mapping[int, Version], zone: tzinfo, *, by_customer: bool = False) -> None:
        """``by_customer``: also keep which customers got and answered something by each channel."""
        self.rule = rule
        self.versions = versions
        self.journeys = 0
        self.moved: Counter[tuple[int, bool]] = Counter()
        """Journeys that began with an earlier version, by the one they run and whether they were held out."""
        self.open_windows = 0
        """Journeys whose goal may still be met at ``now`` of `take`."""
        self.in_window: defaultdict[int, array[int]] = defaultdict(_numbers)
        """From entry to goal, of journeys whose window is over."""
        self.first_touch: defaultdict[int, array[int]] = defaultdict(_numbers)
        self.to_goal: defaultdict[int, array[int]] = defaultdict(_numbers)
        self.to_end: defaultdict[int, array[int]] = defaultdict(_numbers)
        self.reached_by: defaultdict[str, array[int]] = defaultdict(_numbers)
        """With ``by_customer``: whom each channel reached, once for each message."""
        self.answered_by: defaultdict[str, array[int]] = defaultdict(_numbers)
        self._by_customer = by_customer
        self._customers: array[int] = array("q")
        self._entries: array[int] = array("q")
        self._touches: array[int] = array("q")
        self._ways: dict[tuple[int, bool, int, int, str, bool, tuple[tuple[int, str], ...]], int] = {}
        self._steps: dict[StepKey, Step] = {}
        self._places: Counter[Place] = Counter()
        self._arms: dict[ArmKey, Arm] = {}
        self._posts: dict[tuple[int, Sort, int], int] = {}
        self._letters: Counter[Letter] = Counter()
        self._reaches: dict[tuple[int, bool, int, int, int, bool], int] = {}
        self._days: dict[tuple[bool, int, int | None], int] = {}
        self._zone = zone
        self._day_of: dict[int, int] = {}
        self._reasons = Reasons()

    def take(self, one: Course, now: Instant) -> None:
        """Count one more journey."""
        self.journeys += 1
        version, held_out, entered, converted = one.version, one.held_out, one.entered, one.converted
        reason = self._reasons.tell(one.reason) if one.reason else ""
        way = (version, held_out, one.state, one.step, reason, converted is not None, one.passed)
        self._ways[way] = self._ways.get(way, 0) + 1
        if len(self._ways) > _MOST_WAYS:
            self._count_ways()
        if one.moved:
            self.moved[version, held_out] += 1
        persons = machines = touches = 0
        first: Instant | None = None
        posts = self._posts
        group = held_out << _OF_HELD_OUT
        for contact in one.contacts:
            sort, handed, did, machine = contact.sort, contact.handed, contact.persons, contact.machines
            persons |= did
            machines |= machine
            bits = did | machine << _MACHINES | group
            if converted is not None and handed is not None and handed <= converted:
                bits |= _AFTER
            post = (version, sort, bits)
            posts[post] = posts.get(post, 0) + 1
            if sort.fate == "sent":
                touches += 1
                if handed is not None and (first is None or handed < first):
                    first = handed
                if self._by_customer:
                    self.reached_by[sort.channel].append(one.customer)
                    if did & ANSWERED:
                        self.answered_by[sort.channel].append(one.customer)
        if len(posts) > _MOST_WAYS:
            self._count_posts()
        reach = (version, held_out, persons, machines, touches, converted is not None)
        self._reaches[reach] = self._reaches.get(reach, 0) + 1
        self._customers.append(one.customer)
        self._entries.append(entered)
        self._touches.append(_HELD_OUT if held_out else touches)
        if first is not None:
            self.first_touch[version].append(first - entered if first > entered else 0)
        if one.ended is not None:
            self.to_end[version].append(one.ended - entered if one.ended > entered else 0)
        taken: int | None = None
        if converted is not None:
            taken = converted - entered if converted > entered else 0
            self.to_goal[version].append(taken)
        day = (held_out, self._day(entered), taken // DAY if taken is not None else None)
        self._days[day] = self._days.get(day, 0) + 1
        if one.goal_until is not None:
            if one.goal_until > now:
                self.open_windows += 1
            elif taken is not None:
                self.in_window[version].append(taken)

    def _day(self, moment: Instant) -> int:
        """The day of a moment, as an ordinal."""
        quarter = moment // _QUARTER
        day = self._day_of.get(quarter)
        if day is None:
            day = self._day_of[quarter] = local(moment, self._zone).date().toordinal()
        return day

    # What was counted

    @property
    def has_goal(self) -> bool:
        """Whether any version has a goal: without one, nothing can convert."""
        return any(version.program.goal is not None for version in self.versions.values())

    @property
    def places(self) -> Counter[Place]:
        """Journeys by where they are, or ended."""
        self._count_ways()
        return self._places

    @property
    def letters(self) -> Counter[Letter]:
        """Messages by what they have in common."""
        self._count_posts()
        return self._letters

    @property
    def reaches(self) -> dict[Reach, int]:
        """Journeys by what was sent in them and done with it."""
        return {Reach(*reach): count for reach, count in self._reaches.items()}

    @property
    def days(self) -> dict[tuple[bool, date, int | None], int]:
        """Journeys by whether they were held out, the day of their entry, and how many days later they converted."""
        return {(held_out, date.fromordinal(day), later): n for (held_out, day, later), n in self._days.items()}

    @property
    def steps(self) -> Mapping[StepKey, Step]:
        """The steps that any journey reached. One that finished behind the last step reached none there."""
        self._count_ways()
        return self._steps

    @property
    def arms(self) -> Mapping[ArmKey, Arm]:
        """The arms of splits that any journey took."""
        self._count_ways()
        return self._arms

    def _count_posts(self) -> None:
        for (version, sort, bits), count in self._posts.items():
            letter = Letter(
                version,
                bool(bits >> _OF_HELD_OUT),
                sort.step,
                sort.channel,
                sort.message,
                sort.template,
                sort.fate,
                self._reasons.tell(sort.reason),
                bits & _DEEDS,
                bits >> _MACHINES & _DEEDS,
                bool(bits & _AFTER),
            )
            self._letters[letter] += count
        self._posts.clear()

    def _count_ways(self) -> None:
        for (version, held_out, state, at, reason, converted, passed), count in self._ways.items():
            self._places[Place(version, held_out, state, at, reason)] += count
            known = self.versions.get(version)
            for number, outcome in dict.fromkeys(passed):
                if known is not None and isinstance(known.program.steps[number], Split):
                    arm = self._arms.setdefault((version, held_out, number, outcome), Arm())
                    arm.entered += count
                    arm.states[state] += count
                    arm.converted += count * converted
            seen: set[int] = set()
            for number, outcome in passed:
                step = self._step(version, held_out, number)
                step.times += count
                if outcome:
                    step.outcomes[outcome] += count
                if number not in seen:
                    seen.add(number)
                    step.reached += count
                    step.passed += number != at and count
            if known is not None and at >= len(known.program.steps):
                continue
            here = self._step(version, held_out, at)
            here.times += count
            here.reached += count * (at not in seen)
        self._ways.clear()

    def _step(self, version: int, held_out: bool, number: int) -> Step:
        return self._steps.setdefault((version, held_out, number), Step())

    def touches_by_customer(self) -> Counter[int]:
        """Customers by how many messages they got; of those held out, who are sent none, there are none."""
        touches = np.frombuffer(self._touches, dtype=np.int64)
        sent_to = touches != _HELD_OUT
        _, place = np.unique(np.frombuffer(self._customers, dtype=np.int64)[sent_to], return_inverse=True)
        if not len(place):
            return Counter()
        each = np.bincount(place, weights=touches[sent_to]).astype(np.int64)
        numbers, counts = np.unique(each, return_counts=True)
        return Counter(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))

    def entries_by_customer(self) -> npt.NDArray[np.int64]:
        """How often each customer entered."""
        _, counts = np.unique(np.frombuffer(self._customers, dtype=np.int64), return_counts=True)
        return counts.astype(np.int64)

    def times_between_entries(self) -> npt.NDArray[np.int64]:
        """How long after their last entry customers entered again, in microseconds."""
        customers = np.frombuffer(self._customers, dtype=np.int64)
        entries = np.frombuffer(self._entries, dtype=np.int64)
        order = np.lexsort((entries, customers))
        again = np.diff(customers[order]) == 0
        between: npt.NDArray[np.int64] = np.diff(entries[order])[again]
        return between

    def customers(self) -> npt.NDArray[np.int64]:
        """The customers who entered, by number, in order."""
        return np.unique(np.frombuffer(self._customers, dtype=np.int64))


def _numbers() -> array[int]:
    return array("q")


def values_of(times: Mapping[int, array[int]], version: int | None = None) -> npt.NDArray[np.int64]:
    """Times of a version, or of all of them, in microseconds."""
    parts = [np.frombuffer(part, dtype=np.int64) for number, part in times.items() if version in (None, number)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
