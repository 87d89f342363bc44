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


Moment = AtClock | InWindow | AtDate | Offset


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
    and how late it may go."""

    channel: str
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


Step = Wait | WaitUntil | WaitFor | Send | If | Set | Emit | Stop


# Rules


class Goal(Node, frozen=True):
    """``worth`` is a field of the event that met the goal."""

    condition: Expression
    within: Period
    worth: str | None = None


class Once(Node, frozen=True):
    """``per`` None: once ever."""

    per: Period | None = None


class Rule(Node, frozen=True):
    """One rule. ``events`` are names as in rules (not as sent). ``kind`` is that of messages without one of their own.
    ``line`` and ``file`` are for messages to the marketer and no part of the meaning."""

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
