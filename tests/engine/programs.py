"""Random programs and random lives: strategies for what the reference and the engine are both given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from segue.api import Event, Instant, Kind, Period
from segue.language import model as m
from tests.engine.stage import at

BASE = at("2026-03-27T09:00Z")
"""A Friday: Paris changes its clock on the Sunday after, Lord Howe a week later."""
MINUTE = 60_000_000
HOUR = 60 * MINUTE
ZONES = ("UTC", "Europe/Paris", "Australia/Lord_Howe", "America/New_York")
EVENTS = ("cart", "ordered", "paid")
EMITTED = ("pinged", "ordered")
TEXTS = ("a", "b")
ADDRESSES: dict[str, str | None] = {"email": "email", "push": None, "sms": "phone"}
CUSTOMERS = ("ann", "bob")

T = TypeVar("T")


def make(kind: Callable[..., T], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """`hypothesis.strategies.builds` without its look at the types, which costs minutes for a union of this size."""
    return st.tuples(*parts).map(lambda values: kind(*values))


def pick(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """One of some strategies, by weight."""
    weighted = [choice for weight, choice in choices for _ in range(weight)]
    return st.integers(0, len(weighted) - 1).flatmap(weighted.__getitem__)


periods = st.sampled_from(
    [
        Period(micros=HOUR),
        Period(micros=2 * HOUR),
        Period(micros=24 * HOUR),
        Period(days=1),
        Period(days=2),
        Period(days=1, micros=HOUR),
        Period(months=1),
        Period(micros=30 * MINUTE),
    ]
)
usually = st.sampled_from([True, True, True, False])
clocks = st.sampled_from([m.Clock(0), m.Clock(2 * 60 + 30), m.Clock(9 * 60), m.Clock(10 * 60), m.Clock(23 * 60)])
zones = st.sampled_from([None, None, "Europe/Paris", "Asia/Tokyo"])
windows = st.one_of(
    st.just(m.Window("entry")),
    st.just(m.Window("entry")),
    st.just(m.Window("ever")),
    make(m.Window, st.just("last"), periods),
)
numbers = st.integers(0, 3).map(m.Literal_)
texts = st.sampled_from(TEXTS).map(m.Literal_)
orders = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])

_number_leaves: list[m.Expression] = [m.Trait("level", "number"), m.TriggerField("total", "number")]
_text_leaves: list[m.Expression] = [m.Trait("city", "text"), m.TriggerField("key", "text")]
dates: st.SearchStrategy[m.Expression] = st.one_of(
    st.just(m.Trait("due", "date")),
    st.just(m.TriggerField("starts", "date")),
    st.sampled_from([m.Day("2026-03-28"), m.Day("2026-03-29")]).map(m.Literal_),
    make(m.Arithmetic, st.sampled_from(["+", "-"]), st.just(m.Now()), periods.map(m.Literal_)),
)


@cache
def _inner_fields() -> st.SearchStrategy[m.Expression]:
    """What may stand in the brackets of ``where (…)``."""
    return st.one_of(
        make(
            m.Compare,
            orders,
            st.just(m.EventField("total", "number")),
            st.one_of(numbers, st.sampled_from(_number_leaves)),
        ),
        make(
            m.Compare, st.sampled_from(["=", "!="]), st.just(m.EventField("key", "text")), st.sampled_from(_text_leaves)
        ),
        st.just(m.Present(m.EventField("total", "number"))),
    )


@cache
def _atoms(*, clock: bool) -> st.SearchStrategy[m.Expression]:
    where = st.none() | _inner_fields()
    window = windows if clock else windows.filter(lambda window: window.since != "last")
    counted = make(
        m.Aggregate,
        st.sampled_from(["count", "sum", "average", "min", "max", "first", "last"]),
        st.sampled_from(EVENTS),
        st.just("total"),
        st.just("number"),
        window,
        where,
    )
    number = st.one_of(numbers, st.sampled_from(_number_leaves), counted)
    parts: list[st.SearchStrategy[m.Expression]] = [
        make(m.Happened, st.sampled_from((*EVENTS, "pinged")), window, where, st.integers(1, 2)),
        make(m.Happened, st.sampled_from(EVENTS), st.just(m.Window("entry"))),
        st.just(m.Present(m.Trait("vip", "boolean"))),
        make(m.Compare, orders, number, number),
        make(m.Between, number, numbers, numbers),
        make(m.OneOf, st.sampled_from(_text_leaves), st.lists(texts, max_size=2).map(tuple)),
        make(m.Compare, st.sampled_from(["=", "!="]), st.sampled_from(_text_leaves), texts),
    ]
    if clock:
        parts += [
            make(m.TimeBetween, clocks, clocks, zones),
            make(m.Compare, st.sampled_from(["=", "!="]), st.just(m.Weekday()), st.integers(0, 6).map(m.Literal_)),
            make(m.Compare, orders, st.just(m.Now()), st.just(m.Trait("due", "date"))),
        ]
    return st.one_of(parts)


SEGMENTS = ("first", "second")
ANOTHER = "another rule"
"""Stands for a rule that is not the one being written: no rule asks whether a customer is inside itself."""


_simple: st.SearchStrategy[m.Expression] = pick(
    (1, st.sampled_from(SEGMENTS).map(m.InSegment)),
    (1, st.just(m.InRule(ANOTHER))),
    (4, make(m.Happened, st.sampled_from(EVENTS), st.just(m.Window("entry")))),
    (2, st.just(m.Present(m.Trait("vip", "boolean")))),
    (1, make(m.Compare, st.just(">"), st.just(m.Trait("level", "number")), numbers)),
    (1, st.just(m.Happened("pinged", m.Window("entry")))),
    (1, st.sampled_from(sorted(ADDRESSES)).map(m.CanGet)),
    (1, st.sampled_from(sorted(ADDRESSES)).map(lambda channel: m.Not(m.CanGet(channel)))),
)
"""Conditions that a life often meets: with nothing but chance in them, most guards would never be true."""


@cache
def conditions(*, clock: bool = True) -> st.SearchStrategy[m.Expression]:
    tangled = st.recursive(
        _atoms(clock=clock),
        lambda inner: st.one_of(
            make(m.Not, inner),
            make(m.All, st.tuples(inner, inner)),
            make(m.Any_, st.tuples(inner, inner)),
        ),
        max_leaves=3,
    )
    return pick((3, _simple), (2, tangled))


moments: st.SearchStrategy[m.Moment] = st.one_of(
    make(m.AtClock, clocks, st.sampled_from([None, "tomorrow", 0, 5, 6]), st.none(), zones),
    make(m.AtClock, clocks, st.none(), st.sampled_from([m.Day("2026-03-28"), m.Day("2026-03-29")]), zones),
    make(m.InWindow, clocks, clocks, zones),
    st.just(m.BestTime()),
    make(m.AtDate, dates),
    make(m.Offset, periods, st.sampled_from(["before", "after"]), dates, st.none() | clocks, zones),
)
_channels = st.permutations(sorted(ADDRESSES)).flatmap(lambda names: st.integers(1, 3).map(lambda count: names[:count]))


@st.composite
def sends(draw: st.DrawFn) -> m.Send:
    kinds: list[Kind] = ["promotional", "transactional"]
    kind = draw(st.sampled_from(kinds))
    groups = []
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        message = draw(st.sampled_from(["x", "y"]))
        names: list[str | None] = [*draw(_channels)]
        if draw(st.integers(0, 5)) == 0:  # in a channel's place: `preferred`
            names[draw(st.integers(0, len(names) - 1))] = None
        groups.append(tuple(m.Delivery(name, message, (), kind, Period(days=1)) for name in names))
    return m.Send(tuple(groups))


percentages = st.sampled_from([(100,), (50, 50), (10, 90), (34, 33, 33), (0, 100), (99, 1)])


@st.composite
def splits(draw: st.DrawFn, inner: st.SearchStrategy[tuple[m.Step, ...]]) -> m.Split:
    inside = st.just(()) | inner
    arms = tuple(
        m.Arm(Decimal(percent), name, draw(inside)) for percent, name in zip(draw(percentages), "abc", strict=False)
    )
    return m.Split("", arms)


def with_names(block: tuple[m.Step, ...], numbers: Iterator[int]) -> tuple[m.Step, ...]:
    """Splits named by their place, as those without a name are."""
    found: list[m.Step] = []
    for step in block:
        match step:
            case m.Split(arms=arms):
                name = str(next(numbers))
                named = tuple(m.Arm(arm.percent, arm.name, with_names(arm.steps, numbers)) for arm in arms)
                found.append(m.Split(name, named))
            case m.If(branches=branches, otherwise=otherwise):
                inside = tuple(m.Branch(one.condition, with_names(one.steps, numbers)) for one in branches)
                found.append(m.If(inside, with_names(otherwise, numbers)))
            case m.Repeat(times=times, steps=steps_, until=until):
                found.append(m.Repeat(times, with_names(steps_, numbers), until))
            case _:
                found.append(step)
    return tuple(found)


@cache
def steps(depth: int = 2, *, emits: bool = False, sets: bool = True) -> st.SearchStrategy[tuple[m.Step, ...]]:
    guards = pick((1, st.none()), (1, conditions()))
    setters = st.one_of(
        make(m.Set, st.just("vip"), st.just("boolean"), st.booleans().map(m.Literal_)),
        make(m.Set, st.just("level"), st.just("number"), st.one_of(numbers, st.sampled_from(_number_leaves))),
    )
    kinds: list[tuple[int, st.SearchStrategy[m.Step]]] = [
        (5, make(m.Wait, periods, guards)),
        (3, make(m.WaitUntil, moments, guards)),
        (4, make(m.WaitFor, conditions(), periods, st.booleans(), guards)),
        (6, sends()),
        (1, st.just(m.Stop())),
    ]
    if sets:
        kinds.append((3, setters))
    if emits:
        values = [(), (("total", m.TriggerField("total", "number")),), (("key", m.TriggerField("key", "text")),)]
        kinds.append((4, make(m.Emit, st.sampled_from(EMITTED), st.sampled_from(values))))
    if depth > 0:
        inner = st.deferred(lambda: steps(depth - 1, emits=emits, sets=sets))
        branches = st.lists(make(m.Branch, conditions(), inner), min_size=1, max_size=2).map(tuple)
        kinds.append((4, make(m.If, branches, pick((1, st.just(())), (1, inner)))))
        kinds.append((2, splits(inner)))
        kinds.append((3, make(m.Repeat, st.integers(1, 3), inner, pick((2, st.none()), (1, conditions())))))
    return st.lists(pick(*kinds), min_size=1, max_size=5).map(tuple)


_percent = st.sampled_from([Decimal(0), Decimal(20), Decimal(50), Decimal("80.5"), Decimal(100)])
_NO_TRIGGER: st.SearchStrategy[m.Trigger | None] = st.none()
_FIRST_DAYS = [m.Day("2026-03-26"), m.Day("2026-03-27"), m.Day("2026-03-28")]
_LAST_DAYS = [None, m.Day("2026-03-27"), m.Day("2026-03-28"), m.Day("2026-03-30")]


@cache
def segments() -> st.SearchStrategy[dict[str, m.Expression]]:
    """Two segments, of which the second may ask about the first."""
    days = st.sampled_from([Period(micros=HOUR), Period(micros=90 * MINUTE), Period(days=1), Period(days=30)])
    simple: st.SearchStrategy[m.Expression] = pick(
        (
            3,
            make(
                m.Happened, st.sampled_from(EVENTS), make(m.Window, st.just("last"), days), st.none(), st.integers(1, 2)
            ),
        ),
        (
            2,
            make(
                m.Happened,
                st.sampled_from((*EVENTS, "pinged")),
                st.just(m.Window("ever")),
                st.none(),
                st.integers(1, 2),
            ),
        ),
        (2, st.just(m.Present(m.Trait("vip", "boolean")))),
        (1, make(m.Compare, st.just(">"), st.just(m.Trait("level", "number")), numbers)),
        (1, make(m.Compare, st.sampled_from(["<", ">="]), st.just(m.Now()), st.just(m.Trait("due", "date")))),
        (1, make(m.TimeBetween, clocks, clocks, zones)),
        (1, make(m.Compare, st.just("="), st.just(m.Weekday()), st.integers(0, 6).map(m.Literal_))),
    )

    def tangle(inner: st.SearchStrategy[m.Expression]) -> st.SearchStrategy[m.Expression]:
        both = st.tuples(inner, inner)
        return pick((3, inner), (1, make(m.Not, inner)), (1, make(m.All, both)), (1, make(m.Any_, both)))

    one, other = tangle(simple), tangle(pick((3, simple), (1, st.just(m.InSegment("first")))))
    return st.tuples(one, other).map(lambda found: dict(zip(SEGMENTS, found, strict=True)))


_recurrences: st.SearchStrategy[m.Weekdays | m.Monthly | m.Yearly] = st.one_of(
    st.sampled_from([m.Weekdays((0, 1, 2, 3, 4, 5, 6)), m.Weekdays((0, 5)), m.Monthly(28), m.Monthly(31)]),
    st.sampled_from([m.Yearly("due"), m.Yearly("due", Period(days=1)), m.Yearly("due", Period(days=2), "after")]),
)
triggers: st.SearchStrategy[m.Trigger] = st.one_of(
    make(m.OnMembership, st.sampled_from(["enters", "enters", "leaves"]), st.sampled_from(SEGMENTS)),
    make(m.OnMembership, st.sampled_from(["enters", "enters", "leaves"]), st.sampled_from(SEGMENTS)),
    make(m.OnChange, st.just("vip"), st.just("boolean"), st.none() | st.just(m.Literal_(True))),
    make(m.OnChange, st.just("level"), st.just("number"), st.none() | numbers),
    make(m.OnOffset, periods, st.sampled_from(["before", "after"]), st.just("due"), st.none() | clocks, zones),
    make(m.OnSchedule, _recurrences, clocks, zones),
    make(m.OnDate, st.sampled_from([m.Day("2026-03-27"), m.Day("2026-03-29")]), clocks, zones),
)


@st.composite
def rules(draw: st.DrawFn, name: str, begins: st.SearchStrategy[m.Trigger | None] = _NO_TRIGGER) -> m.Rule:
    """A rule. One that emits is begun by no event that rules emit, and one that no event begins neither emits nor sets
    anything, so that no book goes round for ever."""
    trigger = draw(begins)
    emits = trigger is None and draw(st.sampled_from([True, False, False]))
    begin = ("cart", "paid") if emits else ("cart", "cart", "ordered", "paid", "pinged")
    goal = None
    if draw(st.sampled_from([True, False, False])):
        aim = m.Happened(
            draw(st.sampled_from(EVENTS)),
            m.Window("entry"),
            draw(pick((2, st.none()), (1, _inner_fields()))),
            draw(st.integers(1, 2)),
        )
        goal = m.Goal(aim, draw(periods))
    return m.Rule(
        name=name,
        title=None,
        events=tuple(draw(st.lists(st.sampled_from(begin), min_size=1, max_size=2, unique=True)))
        if not trigger
        else (),
        steps=with_names(draw(steps(emits=emits, sets=trigger is None)), count(1)),
        where=draw(pick((5, st.none()), (1, conditions()))),
        per=draw(st.sampled_from([None, "key"])) if trigger is None else None,
        once=draw(pick((4, st.none()), (1, st.just(m.Once())), (2, make(m.Once, periods)))),
        on_repeat=draw(st.sampled_from(["ignore", "restart"])),
        until=draw(pick((3, st.none()), (1, conditions()))),
        goal=goal,
        trigger=trigger,
        audience=draw(pick((4, st.none()), (1, st.sampled_from(SEGMENTS)))),
        rollout=draw(pick((5, st.none()), (1, _percent))),
        holdout=draw(pick((2, st.none()), (1, _percent))),
        active=draw(
            pick((5, st.none()), (1, make(m.Active, st.sampled_from(_FIRST_DAYS), st.sampled_from(_LAST_DAYS))))
        ),
    )


def meaning(node: Any, another: str) -> Any:
    """A rule that asks about `ANOTHER` asks about this one."""
    match node:
        case m.InRule():
            return m.InRule(another)
        case msgspec.Struct():
            return type(node)(*(meaning(getattr(node, field), another) for field in node.__struct_fields__))
        case tuple():
            return tuple(meaning(part, another) for part in node)
        case _:
            return node


class Life(msgspec.Struct, frozen=True):
    """A book, what arrives and when, and what channels answer: everything a decision may depend on."""

    rules: tuple[m.Rule, ...]
    zone: str
    arrivals: tuple[tuple[Instant, Event], ...]
    answers: dict[tuple[str, str], tuple[str, timedelta]]
    segments: dict[str, m.Expression] = {}
    edit: tuple[Instant, tuple[m.Rule, ...]] | None = None


class Edit:
    """Another text of a rule, with the same steps, of which some wait for another time: one that no other step has, so
    that each step can only be itself."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.changed = 0

    def rule(self, rule: m.Rule) -> m.Rule:
        return msgspec.structs.replace(
            rule,
            steps=self.block(rule.steps),
            until=self.draw(pick((2, st.just(rule.until)), (1, conditions()))),
            once=self.draw(st.sampled_from([rule.once, m.Once()])),
            on_edit=self.draw(st.sampled_from(["finish", "follow", "follow"])),
        )

    def block(self, steps: tuple[m.Step, ...]) -> tuple[m.Step, ...]:
        return tuple(self.step(step) for step in steps)

    def step(self, step: m.Step) -> m.Step:
        match step:
            case m.Wait(period=period):
                return msgspec.structs.replace(step, period=self.period(period))
            case m.WaitFor(up_to=up_to):
                return msgspec.structs.replace(step, up_to=self.period(up_to))
            case m.If(branches=branches, otherwise=otherwise):
                inside = tuple(m.Branch(one.condition, self.block(one.steps)) for one in branches)
                return m.If(inside, self.block(otherwise))
            case m.Split(arms=arms):
                return m.Split(step.name, tuple(m.Arm(arm.percent, arm.name, self.block(arm.steps)) for arm in arms))
            case m.Repeat(times=times, steps=steps, until=until):
                return m.Repeat(times, self.block(steps), until)
            case _:
                return step

    def period(self, period: Period) -> Period:
        if self.draw(st.booleans()):
            return period
        self.changed += 1
        return Period(micros=self.draw(st.sampled_from([1, 6, 30, 60])) * HOUR + 3 * MINUTE + self.changed)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[tuple[Instant, Event], ...]:
    """Up to a dozen events over days, on a grid of half hours so that equal instants are common; some late, some ahead
    of their time, some twice."""
    found = []
    for customer in CUSTOMERS:
        traits: dict[str, Any] = {}
        if draw(usually):
            traits["email"] = f"{customer}@example.com"
        if draw(usually):
            traits["phone"] = "+80012345678"
        if draw(st.booleans()):
            traits["timezone"] = draw(st.sampled_from(ZONES))
        if draw(st.booleans()):
            traits["due"] = draw(_dates())
        hello = Event(message_id=f"traits {customer}", timestamp=BASE, source="shop", user_id=customer, traits=traits)
        found.append((BASE, hello))
    moment: int = BASE
    for number in range(draw(st.integers(1, 14))):
        moment += draw(st.sampled_from([0, 0, 1, 1, 2, 2, 4, 10, 30, 48])) * 30 * MINUTE
        late = draw(st.sampled_from([0, 0, 0, 0, 0, 30, 120, 25 * 60, -60])) * MINUTE
        found.append((Instant(moment), draw(_event(number, Instant(moment - late)))))
        if draw(st.integers(0, 5)) == 0:
            found.append((Instant(moment), found[-1][1]))
    return tuple(found)


@cache
def _dates() -> st.SearchStrategy[str]:
    return st.sampled_from(
        ["2026-03-28", "2026-03-29T02:30:00", "2026-03-28T10:00:00Z", "2026-03-27T05:00:00Z", "2026-04-05T02:00:00"]
    )


@st.composite
def _event(draw: st.DrawFn, number: int, when: Instant) -> Event:
    customer = draw(st.sampled_from((*CUSTOMERS, *CUSTOMERS[:1] * 3)))
    shared: dict[str, Any] = {"message_id": f"m{number}", "timestamp": when, "source": "shop", "user_id": customer}
    what = draw(st.sampled_from(["event"] * 8 + ["traits", "traits", "unsubscribed"]))
    if what == "unsubscribed":
        return Event(name="unsubscribed", properties={"channel": draw(st.sampled_from(sorted(ADDRESSES)))}, **shared)
    if what == "traits":
        changes: dict[str, Any] = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "vip": st.none() | st.booleans(),
                    "level": st.none() | st.integers(0, 3),
                    "city": st.sampled_from(TEXTS),
                    "due": st.none() | _dates(),
                    "phone": st.none() | st.just("+80012345678"),
                },
            )
        )
        return Event(traits=changes, **shared)
    fields: dict[str, Any] = {}
    if draw(usually):
        fields["key"] = draw(st.sampled_from((*TEXTS, "")))
    if draw(usually):
        fields["total"] = draw(st.integers(0, 3))
    if draw(st.booleans()):
        fields["starts"] = draw(_dates())
    return Event(name=draw(st.sampled_from(("cart", *EVENTS))), properties=fields, **shared)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A whole example."""
    answers = {}
    for customer in CUSTOMERS:
        for channel in sorted(ADDRESSES):
            how = draw(st.sampled_from(["sent"] * 4 + ["rejected", "unknown"]))
            delay = draw(st.sampled_from([0, 0, 0, 30, 90]))
            answers[customer, channel] = (how, timedelta(minutes=delay))
    count = draw(st.sampled_from([1, 1, 2, 3]))
    text = tuple(
        meaning(draw(rules(f"rule{number}", pick((2, st.none()), (1, triggers)))), f"rule{(number + 1) % 3}")
        for number in range(count)
    )
    happens = draw(arrivals())
    edit = None
    half_hours = (happens[-1][0] - happens[0][0]) // (30 * MINUTE)
    if half_hours and draw(st.booleans()):
        moment = happens[0][0] + draw(st.integers(0, half_hours - 1)) * 30 * MINUTE + 7 * MINUTE
        writing = Edit(draw)
        edit = Instant(moment), tuple(writing.rule(rule) for rule in text)
    return Life(
        rules=text,
        segments=draw(segments()),
        zone=draw(st.sampled_from(ZONES)),
        arrivals=happens,
        edit=edit,
        answers=answers,
    )
