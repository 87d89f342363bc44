"""The checked model: rules with every name resolved, every type known, every default filled in.

It is what the checker hands to `segue.program`, and holds only what can be carried out: a rule with an error
in it has no model. Nothing here has spans except where a later message to the marketer needs a line.

Expressions are values of a small algebra. A *condition* is an expression of type boolean. Missing values and
their laws (a missing value equals nothing) are the meaning of these nodes, and stand in `segue.program.conditions`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from segue.api import FieldType, Kind, Money, Period


class Node(msgspec.Struct, frozen=True, tag_field="node"):
    """Base of all nodes: frozen, compared by value."""


# Values


class Clock(Node, frozen=True):
    """A time of day; ``minute`` counts from midnight, 0 to 1439."""

    minute: int


class Day(Node, frozen=True):
    """A calendar day, ISO 8601 (``2026-11-27``)."""

    iso: str


class Literal_(Node, frozen=True, tag="literal"):
    """A constant. Numbers are Decimal or int; weekdays are 0 (Monday) to 6; a bare number used as money is already
    Money in the project's currency."""

    value: str | int | Decimal | bool | Money | Period | Clock | Day


class Now(Node, frozen=True, tag="now"):
    """The instant at which the condition is judged."""


class Weekday(Node, frozen=True, tag="weekday"):
    """The customer's day of the week, 0 (Monday) to 6."""


class TriggerField(Node, frozen=True, tag="trigger"):
    """A field of the event that began the journey."""

    name: str
    type: FieldType


class Trait(Node, frozen=True, tag="trait"):
    """A trait of the customer, as it is now."""

    name: str
    type: FieldType


class EventField(Node, frozen=True, tag="field"):
    """Inside the brackets of ``where (…)``: a field of the event being looked at."""

    name: str
    type: FieldType


# Looking back


class Window(Node, frozen=True):
    """Which past counts: since the journey began (``entry``), all of it (``ever``), or the last ``period`` (a day is
    24 hours, a month calendar)."""

    since: Literal["entry", "ever", "last"]
    period: Period | None = None


class Happened(Node, frozen=True, tag="happened"):
    """Whether ``event`` happened at least ``times`` times in the window, counting those for which ``where`` is true."""

    event: str
    window: Window
    where: Expression | None = None
    times: int = 1


class Aggregate(Node, frozen=True, tag="aggregate"):
    """A figure over past events. ``field`` is None for ``count``. ``last(ordered.total)`` and a bare ``ordered.total``
    (window ``entry``) are the same node."""

    function: Literal["count", "sum", "average", "min", "max", "first", "last"]
    event: str
    field: str | None
    type: FieldType
    window: Window
    where: Expression | None = None


class Reacted(Node, frozen=True, tag="reacted"):
    """Whether the customer reacted to a message of this journey; None stands for any channel or message."""

    reaction: str
    channel: str | None = None
    message: str | None = None


class CanGet(Node, frozen=True, tag="can_get"):
    """Whether the channel can reach the customer (address and consent) for the rule's kind of message."""

    channel: str


class InSegment(Node, frozen=True, tag="in_segment"):
    """Whether the customer is in a segment, by the segment's definition as it is published now."""

    name: str


class InRule(Node, frozen=True, tag="in_rule"):
    """Whether the customer is inside a rule now."""

    name: str


class Coupon(Node, frozen=True, tag="coupon"):
    """A code of a pool: one for each journey and pool, taken when the message is claimed.
    Stands only as a value of ``with``."""

    pool: str


# Operators


class Compare(Node, frozen=True, tag="compare"):
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    left: Expression
    right: Expression


class Between(Node, frozen=True, tag="between"):
    """Both ends are included."""

    value: Expression
    low: Expression
    high: Expression


class OneOf(Node, frozen=True, tag="one_of"):
    value: Expression
    among: tuple[Expression, ...]


class Contains(Node, frozen=True, tag="contains"):
    """``"X1" in items``."""

    value: Expression
    list: Expression


class TimeBetween(Node, frozen=True, tag="time_between"):
    """Whether it is between two clock times, the end excluded; may cross midnight. ``zone`` None is the customer's."""

    start: Clock
    end: Clock
    zone: str | None = None


class Present(Node, frozen=True, tag="present"):
    """A bare trait or field as a condition: present, and true where it is a boolean."""

    value: Expression


class Not(Node, frozen=True, tag="not"):
    value: Expression


class All(Node, frozen=True, tag="and"):
    parts: tuple[Expression, ...]


class Any_(Node, frozen=True, tag="or"):
    parts: tuple[Expression, ...]


class Arithmetic(Node, frozen=True, tag="arithmetic"):
    """Numbers, money with numbers, date ± period, date − date (a period in elapsed time), number * period."""

    op: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression


Expression = (
    Literal_
    | Now
    | Weekday
    | TriggerField
    | Trait
    | EventField
    | Happened
    | Aggregate
    | Reacted
    | CanGet
    | InSegment
    | InRule
    | Coupon
    | Compare
    | Between
    | OneOf
    | Contains
    | TimeBetween
    | Present
    | Not
    | All
    | Any_
    | Arithmetic
)


# Steps


class AtClock(Node, frozen=True, tag="at_clock"):
    """``wait until [tomorrow or weekday] 09:00 [zone]``: the next such moment. ``day`` is 0 to 6, ``tomorrow`` or None;
    ``zone`` None is the customer's. ``date`` with a clock is that very moment (``wait until 2026-11-27 08:00``)."""

    clock: Clock
    day: int | Literal["tomorrow"] | None = None
    date: Day | None = None
    zone: str | None = None


class InWindow(Node, frozen=True, tag="in_window"):
    """``wait until time between A and B``: at once inside, else the next start."""

    start: Clock
    end: Clock
    zone: str | None = None


class AtDate(Node, frozen=True, tag="at_date"):
    """``wait until DATE``; already past: go on. A day without a clock time is its midnight, the customer's."""

    date: Expression


class Offset(Node, frozen=True, tag="offset"):
    """``wait until 2d before DATE [at 09:00]``; ``before`` and already past exits with that reason."""

    period: Period
    direction: Literal["before", "after"]
    date: Expression
    clock: Clock | None = None
    zone: str | None = None


class BestTime(Node, frozen=True, tag="best_time"):
    """``wait until best time``: the next time it is the hour that this customer answers most, else the project's."""


Moment = AtClock | InWindow | AtDate | Offset | BestTime


class Wait(Node, frozen=True, tag="wait"):
    period: Period
    unless: Expression | None = None
    line: int = 0


class WaitUntil(Node, frozen=True, tag="wait_until"):
    moment: Moment
    unless: Expression | None = None
    line: int = 0


class WaitFor(Node, frozen=True, tag="wait_for"):
    """``next`` looks only forward from here; otherwise back to the journey's entry."""

    condition: Expression
    up_to: Period
    next: bool = False
    unless: Expression | None = None
    line: int = 0


class Delivery(Node, frozen=True):
    """One channel of a ``send``, with its defaults filled in: the message's name, ``with`` values, kind,
    and how late it may go. ``channel`` None is `preferred`."""

    channel: str | None
    message: str
    values: tuple[tuple[str, Expression], ...]
    kind: Kind
    within: Period


class Send(Node, frozen=True, tag="send"):
    """``together``: groups that go at the same time (``and``); each is a tuple of alternatives (``or``).
    ``A then B`` is two Sends."""

    together: tuple[tuple[Delivery, ...], ...]
    line: int = 0


class Branch(Node, frozen=True):
    condition: Expression
    steps: tuple[Step, ...]


class If(Node, frozen=True, tag="if"):
    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] = ()
    line: int = 0


class Arm(Node, frozen=True):
    """One way of a split. ``name`` is the written one, else ``a``, ``b`` … by its place. The percentages of a split
    add up to 100."""

    percent: Decimal
    name: str
    steps: tuple[Step, ...]


class Split(Node, frozen=True, tag="split"):
    """``name`` is the written one, else the split's place among the rule's nameless ones (``1``, ``2`` …); it is part
    of how customers are assigned, so a renamed split assigns anew. ``towards``: the arm whose journeys meet this more
    often grows for new customers."""

    name: str
    arms: tuple[Arm, ...]
    towards: Expression | None = None
    line: int = 0


class Repeat(Node, frozen=True, tag="repeat"):
    """``until`` is looked at before each turn."""

    times: int
    steps: tuple[Step, ...]
    until: Expression | None = None
    line: int = 0


class Set(Node, frozen=True, tag="set"):
    trait: str
    type: FieldType
    value: Expression
    line: int = 0


class Emit(Node, frozen=True, tag="emit"):
    event: str
    values: tuple[tuple[str, Expression], ...] = ()
    line: int = 0


class Stop(Node, frozen=True, tag="stop"):
    line: int = 0


Step = Wait | WaitUntil | WaitFor | Send | If | Split | Repeat | Set | Emit | Stop


# What begins a journey, where that is no event


class OnMembership(Node, frozen=True, tag="on_membership"):
    """``when customer enters S`` / ``leaves S``."""

    change: Literal["enters", "leaves"]
    segment: str


class OnChange(Node, frozen=True, tag="on_change"):
    """``when customer.plan changes [to "gold"]``. The trigger's fields are ``old`` and ``new``, of the trait's type."""

    trait: str
    type: FieldType
    to: Expression | None = None


class OnOffset(Node, frozen=True, tag="on_offset"):
    """``when 3d before customer.renewal [at 09:00]``: once for each date the trait has."""

    period: Period
    direction: Literal["before", "after"]
    trait: str
    clock: Clock | None = None
    zone: str | None = None


class Weekdays(Node, frozen=True, tag="weekdays"):
    """0 is Monday; ``every day`` names all seven."""

    days: tuple[int, ...]


class Monthly(Node, frozen=True, tag="monthly"):
    """A day of the month, 1 to 31; one that a month lacks is its last."""

    day: int


class Yearly(Node, frozen=True, tag="yearly"):
    """Each year on the day and month of a date trait, or ``period`` before or after it (29 February is the 28th in a
    common year)."""

    trait: str
    period: Period | None = None
    direction: Literal["before", "after"] = "before"


class OnSchedule(Node, frozen=True, tag="on_schedule"):
    """``every monday thursday at 09:00 local``. ``zone`` None is each customer's own."""

    recurrence: Weekdays | Monthly | Yearly
    clock: Clock = Clock(0)
    zone: str | None = None


class OnDate(Node, frozen=True, tag="on_date"):
    """``on 2026-11-27 at 08:00 Europe/Helsinki``: one broadcast."""

    day: Day
    clock: Clock = Clock(0)
    zone: str | None = None


Trigger = OnMembership | OnChange | OnOffset | OnSchedule | OnDate


# Rules


class Goal(Node, frozen=True):
    """``worth`` is a field of the event that met the goal."""

    condition: Expression
    within: Period
    worth: str | None = None


class Once(Node, frozen=True):
    """``per`` None: once ever."""

    per: Period | None = None


class Expect(Node, frozen=True):
    """``expect 100 per 1d``: how many journeys are expected to begin in any such period."""

    count: int
    per: Period


class Active(Node, frozen=True):
    """``from 2026-11-20 to 2026-11-30``: entries only then, both days included, in the customer's zone."""

    first: Day
    last: Day | None = None


class Rule(Node, frozen=True):
    """One rule. ``events`` begin it, names as in rules (not as sent); where there are none ``trigger`` does.
    ``audience`` is the segment after ``for``; ``rollout`` and ``holdout`` are percentages. ``kind`` is that of messages
    without one of their own. ``line`` and ``file`` are for messages to the marketer and no part of the meaning."""

    name: str
    title: str | None
    events: tuple[str, ...]
    steps: tuple[Step, ...]
    where: Expression | None = None
    per: str | None = None
    once: Once | None = None
    on_repeat: Literal["ignore", "restart"] = "ignore"
    until: Expression | None = None
    goal: Goal | None = None
    kind: Kind = "promotional"
    file: str = ""
    line: int = 0
    trigger: Trigger | None = None
    audience: str | None = None
    on_edit: Literal["finish", "follow"] = "finish"
    expect: Expect | None = None
    rollout: Decimal | None = None
    holdout: Decimal | None = None
    active: Active | None = None


# Segments and policies: they have no versions, what is published holds for everyone at once


class Segment(Node, frozen=True):
    """A live segment. In its condition history is all of it (``ever``) where nothing else is said."""

    name: str
    title: str | None
    condition: Expression
    file: str = ""
    line: int = 0


class Overflow(Node, frozen=True):
    """What happens to a message that a line of a policy holds back. ``longest`` None: as long as its ``within``."""

    action: Literal["defer", "drop"]
    longest: Period | None = None


class Quiet(Node, frozen=True, tag="quiet"):
    """``quiet 21:00 to 08:00 local``; may cross midnight, the end is exclusive. ``zone`` None is the customer's."""

    start: Clock
    end: Clock
    zone: str | None = None
    overflow: Overflow = Overflow("defer")


class Limit(Node, frozen=True, tag="limit"):
    """``limit 2 email per 7d``; ``channel`` None is ``messages``: any channel."""

    count: int
    channel: str | None
    per: Period
    overflow: Overflow = Overflow("drop")


class Space(Node, frozen=True, tag="space"):
    """``space 4h``: at least so long between two messages."""

    period: Period
    overflow: Overflow = Overflow("defer")


class Budget(Node, frozen=True, tag="budget"):
    """``budget 200 EUR per 1d``: the project's spending on messages of this kind, by calendar days in its zone."""

    amount: Money
    per: Period
    overflow: Overflow = Overflow("drop")


class Policy(Node, frozen=True):
    """The contact policy for one kind of message. Lines are in the order in which they are asked."""

    kind: Kind
    lines: tuple[Quiet | Limit | Space | Budget, ...]
    file: str = ""
    line: int = 0


# Tests of rules


class TestMoment(Node, frozen=True):
    """A while after the test's start, or a day (with or without a clock time) in the customer's zone."""

    after: Period | None = None
    day: Day | None = None
    clock: Clock | None = None


class Happens(Node, frozen=True, tag="happens"):
    """An event arrives, with these fields (as JSON values)."""

    at: TestMoment
    event: str
    fields: tuple[tuple[str, Expression], ...] = ()
    line: int = 0


class Reacts(Node, frozen=True, tag="reacts"):
    """The customer reacts to the latest message of the journey, or to the one named."""

    at: TestMoment
    reaction: str
    message: str | None = None
    line: int = 0


class Alters(Node, frozen=True, tag="alters"):
    """Traits of the customer change."""

    at: TestMoment
    traits: tuple[tuple[str, Expression], ...]
    line: int = 0


class Fails(Node, frozen=True, tag="fails"):
    """From this moment on the channel refuses every message for good."""

    at: TestMoment
    channel: str
    line: int = 0


class ExpectNone(Node, frozen=True, tag="expect_none"):
    """``what``: a channel, ``messages``, or one of the other words of `segue.language.tests.DECIDED` (``entry``,
    ``exit``, ``finish``, ``conversion`` …)."""

    what: str
    line: int = 0


class ExpectOne(Node, frozen=True, tag="expect_one"):
    what: str
    message: str | None = None
    at: TestMoment | None = None
    line: int = 0


class ExpectCount(Node, frozen=True, tag="expect_count"):
    count: int
    what: str
    line: int = 0


class Test(Node, frozen=True):
    """A test of one rule on virtual time. ``traits`` are given; ``arms`` are the arms given, of whatever split."""

    title: str
    rule: str
    traits: tuple[tuple[str, Expression], ...] = ()
    arms: tuple[str, ...] = ()
    happens: tuple[Happens | Reacts | Alters | Fails, ...] = ()
    expects: tuple[ExpectNone | ExpectOne | ExpectCount, ...] = ()
    file: str = ""
    line: int = 0

    __test__ = False  # for pytest this is no test


class EventType(Node, frozen=True):
    """An event that the book knows: ``sent_as`` are the names that sources use for it, its own name always among them;
    ``spellings`` maps other spellings of its fields (``orderId``) to those of rules."""

    name: str
    fields: dict[str, FieldType]
    sent_as: tuple[str, ...]
    spellings: dict[str, str] = {}


class Book(Node, frozen=True):
    """A whole rule book, checked. ``events`` and ``traits`` are the joined vocabulary of declarations and plugins."""

    rules: tuple[Rule, ...]
    events: dict[str, EventType]
    traits: dict[str, FieldType]
    currency: str = "EUR"
    segments: tuple[Segment, ...] = ()
    policies: tuple[Policy, ...] = ()
    tests: tuple[Test, ...] = ()
