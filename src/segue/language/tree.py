"""The tree of a rule file: what was written, with its places, before any name is looked up.

``start`` and ``end`` are offsets in the file's text (``end`` excluded). Nothing that the author wrote is lost:
brackets are `Group`, comments stand on the `File`, so a formatter can write the text back.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from segue.api import Period


class Syntax(msgspec.Struct, frozen=True, tag_field="syntax"):
    """Base of everything that has a place in a file."""

    start: int
    end: int


class Name(Syntax, frozen=True):
    """A name, in Unicode's composed form (NFC)."""

    text: str


class Comment(Syntax, frozen=True):
    """A comment, with its ``#``. It belongs to what follows: ``follows`` is the offset of the next word, or the
    file's end."""

    text: str
    follows: int


# Values and conditions


class Number(Syntax, frozen=True):
    value: int | Decimal


class Amount(Syntax, frozen=True):
    amount: Decimal
    currency: str


class Text(Syntax, frozen=True):
    value: str


class Truth(Syntax, frozen=True):
    value: bool


class DayOfWeek(Syntax, frozen=True):
    """0 is Monday."""

    day: int


class Duration(Syntax, frozen=True):
    period: Period


class Date(Syntax, frozen=True):
    iso: str


class ClockTime(Syntax, frozen=True):
    """Minutes since midnight."""

    minute: int


class Zone(Syntax, frozen=True):
    """``name`` None is `local`: the customer's."""

    name: str | None


class Now(Syntax, frozen=True):
    pass


class Path(Syntax, frozen=True):
    """``total``, ``ordered.total``, ``trigger.total``."""

    names: tuple[Name, ...]


class TraitPath(Syntax, frozen=True):
    """``customer.name``."""

    name: Name


class Call(Syntax, frozen=True):
    name: Name
    arguments: tuple[Expression, ...]


class Signed(Syntax, frozen=True):
    sign: Literal["+", "-"]
    value: Expression


class Group(Syntax, frozen=True):
    """What stands in brackets."""

    value: Expression


class Calculation(Syntax, frozen=True):
    """``first`` and then, from left to right, an operator and its operand each."""

    first: Expression
    rest: tuple[tuple[Literal["+", "-", "*", "/"], Expression], ...]


class Comparison(Syntax, frozen=True):
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Expression
    right: Expression


class BetweenTest(Syntax, frozen=True):
    value: Expression
    low: Expression
    high: Expression


class OneOfTest(Syntax, frozen=True):
    value: Expression
    among: tuple[Expression, ...]


class ContainsTest(Syntax, frozen=True):
    value: Expression
    list: Path | TraitPath


class InLast(Syntax, frozen=True):
    duration: Duration


class Ever(Syntax, frozen=True):
    pass


class History(Syntax, frozen=True):
    """``ordered where (…) at least 2 times in last 90d``; at least one of the three stands there."""

    path: Path | TraitPath
    where: Expression | None
    times: int | None
    window: InLast | Ever | None


class Reaction(Syntax, frozen=True):
    """``opened email`` or ``clicked "cart_reminder"``."""

    name: Name
    channel: Name | None
    message: Text | None


class TimeOfDayTest(Syntax, frozen=True):
    first: ClockTime
    last: ClockTime
    zone: Zone | None


class InsideTest(Syntax, frozen=True):
    """``in lapsed``: a segment or a rule."""

    name: Name


class CanGetTest(Syntax, frozen=True):
    channel: Name


class Not(Syntax, frozen=True):
    value: Expression


class And(Syntax, frozen=True):
    parts: tuple[Expression, ...]


class Or(Syntax, frozen=True):
    parts: tuple[Expression, ...]


Expression = (
    Number
    | Amount
    | Text
    | Truth
    | DayOfWeek
    | Duration
    | Date
    | ClockTime
    | Now
    | Path
    | TraitPath
    | Call
    | Signed
    | Group
    | Calculation
    | Comparison
    | BetweenTest
    | OneOfTest
    | ContainsTest
    | History
    | Reaction
    | TimeOfDayTest
    | InsideTest
    | CanGetTest
    | Not
    | And
    | Or
)


# Steps


class ClockMoment(Syntax, frozen=True):
    """``[tomorrow | friday | 2026-11-27] 09:00 [zone]``."""

    day: DayOfWeek | Date | Literal["tomorrow"] | None
    clock: ClockTime
    zone: Zone | None


class WindowMoment(Syntax, frozen=True):
    """``time between 09:00 and 20:00 [zone]``."""

    first: ClockTime
    last: ClockTime
    zone: Zone | None


class DateMoment(Syntax, frozen=True):
    date: Expression


class At(Syntax, frozen=True):
    """``at 09:00 [zone]``."""

    clock: ClockTime
    zone: Zone | None


class OffsetMoment(Syntax, frozen=True):
    """``2d before DATE [at 09:00]``."""

    duration: Duration
    side: Literal["before", "after"]
    date: Expression
    at: At | None


class BestTime(Syntax, frozen=True):
    """``best time``."""


Moment = ClockMoment | WindowMoment | DateMoment | OffsetMoment | BestTime


class Wait(Syntax, frozen=True):
    duration: Duration
    unless: Expression | None


class WaitUntil(Syntax, frozen=True):
    moment: Moment
    unless: Expression | None


class WaitFor(Syntax, frozen=True):
    condition: Expression
    next: bool
    up_to: Duration
    unless: Expression | None


class Assignment(Syntax, frozen=True):
    name: Name
    value: Expression


class Delivery(Syntax, frozen=True):
    """One channel of a send; ``channel`` None is `preferred`. ``place`` is the channel's word."""

    channel: Name | None
    place: Name
    message: Text | None
    values: tuple[Assignment, ...] | None
    kind: Name | None
    within: Duration | None


class Alternatives(Syntax, frozen=True):
    """``A or B``."""

    deliveries: tuple[Delivery, ...]


class Together(Syntax, frozen=True):
    """``A and B``."""

    groups: tuple[Alternatives, ...]


class Send(Syntax, frozen=True):
    """``A then B``."""

    parts: tuple[Together, ...]


class Branch(Syntax, frozen=True):
    condition: Expression
    steps: tuple[Step, ...]


class If(Syntax, frozen=True):
    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...]


class Arm(Syntax, frozen=True):
    percent: Decimal
    name: Text | None
    steps: tuple[Step, ...]


class Split(Syntax, frozen=True):
    name: Text | None
    towards: Expression | None
    arms: tuple[Arm, ...]


class Repeat(Syntax, frozen=True):
    times: int
    until: Expression | None
    steps: tuple[Step, ...]


class Set(Syntax, frozen=True):
    trait: TraitPath
    value: Expression


class Emit(Syntax, frozen=True):
    event: Name
    values: tuple[Assignment, ...]


class Stop(Syntax, frozen=True):
    """``stop``."""


Step = Wait | WaitUntil | WaitFor | Send | If | Split | Repeat | Set | Emit | Stop


# Triggers


class OnEvent(Syntax, frozen=True):
    """``when E or "External Name"``."""

    events: tuple[Name | Text, ...]


class OnMembership(Syntax, frozen=True):
    change: Literal["enters", "leaves"]
    segment: Name


class OnChange(Syntax, frozen=True):
    trait: TraitPath
    to: Expression | None


class OnOffset(Syntax, frozen=True):
    duration: Duration
    side: Literal["before", "after"]
    trait: TraitPath
    at: At | None


class Weekdays(Syntax, frozen=True):
    """``every day`` when ``days`` is empty."""

    days: tuple[DayOfWeek, ...]


class Monthly(Syntax, frozen=True):
    day: int


class Yearly(Syntax, frozen=True):
    """On a date trait, or a while before or after it."""

    trait: TraitPath
    duration: Duration | None
    side: Literal["before", "after"] | None


class OnSchedule(Syntax, frozen=True):
    recurrence: Weekdays | Monthly | Yearly
    at: At | None


class OnDate(Syntax, frozen=True):
    date: Date
    at: At | None


Trigger = OnEvent | OnMembership | OnChange | OnOffset | OnSchedule | OnDate


class Where(Syntax, frozen=True):
    condition: Expression


class Per(Syntax, frozen=True):
    field: Name


class Audience(Syntax, frozen=True):
    """``for S``."""

    name: Name


Clause = Where | Per | Audience


# Header lines


class Once(Syntax, frozen=True):
    per: Duration | None


class OnRepeat(Syntax, frozen=True):
    action: Literal["ignore", "restart"]


class OnEdit(Syntax, frozen=True):
    action: Literal["finish", "follow"]


class Until(Syntax, frozen=True):
    condition: Expression


class Goal(Syntax, frozen=True):
    condition: Expression
    within: Duration
    worth: Name | None


class Expect(Syntax, frozen=True):
    count: int
    per: Duration


class Share(Syntax, frozen=True):
    """``rollout 10%`` or ``holdout 5%``."""

    use: Literal["rollout", "holdout"]
    percent: Decimal


class Active(Syntax, frozen=True):
    """``from DATE [to DATE]``."""

    first: Date
    last: Date | None


class As(Syntax, frozen=True):
    kind: Name


Header = Once | OnRepeat | OnEdit | Until | Goal | Expect | Share | Active | As


# Tests


class Fact(Syntax, frozen=True):
    name: Name
    value: Expression


class TestMoment(Syntax, frozen=True):
    """A duration since the start, or a date with an optional clock time."""

    after: Duration | None
    date: Date | None
    clock: ClockTime | None


class GivenCustomer(Syntax, frozen=True):
    facts: tuple[Fact, ...]


class GivenArm(Syntax, frozen=True):
    arm: Text


class Happens(Syntax, frozen=True):
    """An event with its fields, or a reaction with the message it answers."""

    at: TestMoment
    name: Name | Text
    message: Text | None
    facts: tuple[Fact, ...]


class Alters(Syntax, frozen=True):
    """``at 1h customer plan "gold"``: traits change."""

    at: TestMoment
    facts: tuple[Fact, ...]


class Fails(Syntax, frozen=True):
    at: TestMoment
    channel: Name


class ExpectNone(Syntax, frozen=True):
    what: Name


class ExpectOne(Syntax, frozen=True):
    what: Name
    message: Text | None
    at: TestMoment | None


class ExpectCount(Syntax, frozen=True):
    count: int
    what: Name


TestLine = GivenCustomer | GivenArm | Happens | Alters | Fails | ExpectNone | ExpectOne | ExpectCount


# What stands in a file


class Edition(Syntax, frozen=True):
    year: int


class Field(Syntax, frozen=True):
    name: Name
    type: Name


class EventDeclaration(Syntax, frozen=True):
    name: Name
    sent_as: Text | None
    fields: tuple[Field, ...]


class CustomerDeclaration(Syntax, frozen=True):
    traits: tuple[Field, ...]


class Segment(Syntax, frozen=True):
    name: Name
    title: Text | None
    condition: Expression


class Overflow(Syntax, frozen=True):
    action: Literal["defer", "drop"]
    longest: Duration | None


class Quiet(Syntax, frozen=True):
    first: ClockTime
    last: ClockTime
    zone: Zone | None
    overflow: Overflow | None


class Limit(Syntax, frozen=True):
    count: int
    channel: Name
    per: Duration
    overflow: Overflow | None


class Space(Syntax, frozen=True):
    duration: Duration
    overflow: Overflow | None


class Budget(Syntax, frozen=True):
    amount: Amount
    per: Duration
    overflow: Overflow | None


class Policy(Syntax, frozen=True):
    kind: Name
    lines: tuple[Quiet | Limit | Space | Budget, ...]


class Rule(Syntax, frozen=True):
    name: Name | None
    title: Text | None
    trigger: Trigger
    clauses: tuple[Clause, ...]
    headers: tuple[Header, ...]
    steps: tuple[Step, ...]


class Test(Syntax, frozen=True):
    title: Text
    rule: Name | None
    lines: tuple[TestLine, ...]


class Broken(Syntax, frozen=True):
    """A piece that could not be read. ``begins`` is its first word and ``name`` the name after it, where there is
    one: what it would have declared still counts as known, so that one mistake is told once."""

    begins: str
    name: str | None


Item = Edition | EventDeclaration | CustomerDeclaration | Segment | Policy | Rule | Test | Broken


class File(msgspec.Struct, frozen=True):
    """A rule file. ``text`` is as it was written."""

    path: str
    text: str
    items: tuple[Item, ...]
    comments: tuple[Comment, ...]
