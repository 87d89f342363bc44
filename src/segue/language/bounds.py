"""The bounds of a rule, from its text alone: the most messages that one journey can send, the longest that it can
last, and which lines of the contact policies hold its messages back."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Final

import msgspec

from segue.api import Kind, Period
from segue.api.values import DAY
from segue.language import model
from segue.language.lengths import least, most
from segue.language.looking import nodes

PREFERRED: Final = "preferred"
"""Where `Bounds.by_channel` counts the messages that go by the customer's own channel."""

WEEK: Final = 7 * DAY


class Binding(msgspec.Struct, frozen=True):
    """A line of a policy that may hold back messages of a rule."""

    kind: Kind
    line: model.Quiet | model.Limit | model.Space | model.Budget


class Bounds(msgspec.Struct, frozen=True):
    """What one journey of a rule comes to at the most.

    ``messages``   in all; ``by_channel`` the same for each channel alone, where alternatives (`or`) count for each
    ``longest``    from entry to the end when every wait lasts as long as it can, and every message goes as late as its
                   `within` lets it; None where ``dates`` are waited for
    ``dates``      the lines of the waits for a date, however far it may be
    ``policies``   the lines that may hold its messages back, in the order in which they are asked
    ``a_week``     the most messages that these leave one customer in seven days, None where none says
    """

    messages: int
    by_channel: dict[str, int]
    longest: Period | None
    dates: tuple[int, ...]
    policies: tuple[Binding, ...]
    a_week: int | None


def bounds_of(rule: model.Rule, book: model.Book) -> Bounds:
    """The bounds of a rule of a book."""
    count = _most(rule.steps).best()
    duration = _longest(rule.steps)
    dates = tuple(
        node.line for node in nodes(rule.steps) if isinstance(node, model.WaitUntil) and _moment(node.moment) is None
    )
    policies = binding(rule, book)
    return Bounds(
        messages=count.pop(_ALL, 0),
        by_channel=dict(sorted(count.items())),
        longest=None if dates else duration,
        dates=dates,
        policies=policies,
        a_week=_a_week(policies),
    )


def binding(rule: model.Rule, book: model.Book) -> tuple[Binding, ...]:
    """The lines of policies that may hold back messages of a rule. Transactional ones pass them all."""
    sent: dict[Kind, set[str | None]] = {}
    for node in nodes(rule.steps):
        if isinstance(node, model.Delivery) and node.kind != "transactional":
            sent.setdefault(node.kind, set()).add(node.channel)
    return tuple(
        Binding(policy.kind, line)
        for policy in book.policies
        if policy.kind in sent
        for line in policy.lines
        if not isinstance(line, model.Limit) or line.channel is None or sent[policy.kind] & {line.channel, None}
    )


def _a_week(policies: tuple[Binding, ...]) -> int | None:
    """Each line for itself: the strictest on messages of whatever channel holds."""
    figures = []
    for each in policies:
        match each.line:
            case model.Limit(count=count, channel=None, per=per):
                weeks = Decimal(WEEK) / max(least(per), 1)
                figures.append(count if weeks <= 1 else int((count * weeks).to_integral_value(ROUND_DOWN)))
            case model.Space(period=period) if least(period):
                figures.append(WEEK // least(period) + 1)
            case _:
                pass
    return min(figures, default=None)


# How many messages

Count = dict[str, int]

_ALL: Final = ""
"""Where a count holds the messages of all channels together."""


class _Ways(msgspec.Struct, frozen=True):
    """The most messages on ways that go on after some steps, and on those that have ended; None where there are
    none."""

    on: Count | None
    ended: Count | None

    def best(self) -> Count:
        return _larger(self.on, self.ended) or {}


def _most(steps: Iterable[model.Step]) -> _Ways:
    on: Count | None = {}
    ended: Count | None = None
    for step in steps:
        if on is None:
            break
        match step:
            case model.Send():
                on = _sum(on, _of_send(step))
            case model.Stop():
                ended, on = _larger(ended, on), None
            case model.If(branches=branches, otherwise=otherwise):
                ways = [_most(branch.steps) for branch in branches] + [_most(otherwise)]
                on, ended = _after(on, ended, ways)
            case model.Split(arms=arms):
                on, ended = _after(on, ended, [_most(arm.steps) for arm in arms])
            case model.Repeat(times=times, steps=inner):
                on, ended = _after(on, ended, [_turns(_most(inner), times)])
            case _:
                pass
    return _Ways(on, ended)


def _turns(turn: _Ways, times: int) -> _Ways:
    if turn.on is None:
        return turn
    before = {channel: number * (times - 1) for channel, number in turn.on.items()}
    return _Ways(_sum(before, turn.on), None if turn.ended is None else _sum(before, turn.ended))


def _after(on: Count, ended: Count | None, ways: list[_Ways]) -> tuple[Count | None, Count | None]:
    through: Count | None = None
    for way in ways:
        if way.on is not None:
            through = _larger(through, _sum(on, way.on))
        if way.ended is not None:
            ended = _larger(ended, _sum(on, way.ended))
    return through, ended


def _of_send(send: model.Send) -> Count:
    """Of alternatives one goes; each channel alone may be the one."""
    count: Count = {_ALL: len(send.together)}
    for group in send.together:
        for channel in {delivery.channel or PREFERRED for delivery in group}:
            count[channel] = count.get(channel, 0) + 1
    return count


def _sum(one: Count, other: Count) -> Count:
    return {channel: one.get(channel, 0) + other.get(channel, 0) for channel in {**one, **other}}


def _larger(one: Count | None, other: Count | None) -> Count | None:
    if one is None or other is None:
        return one if other is None else other
    return {channel: max(one.get(channel, 0), other.get(channel, 0)) for channel in {**one, **other}}


# How long


def _longest(steps: Iterable[model.Step]) -> Period:
    """The longest that steps can take, a wait for a date not counted. Ways that end early are shorter than those that
    go on, or as long."""
    total = Period()
    for step in steps:
        match step:
            case model.Wait(period=period) | model.WaitFor(up_to=period):
                total = _add(total, period)
            case model.WaitUntil(moment=moment):
                total = _add(total, _moment(moment) or Period())
            case model.Send(together=together):
                # Each channel of a row of alternatives has its own time, one after the other.
                total = _add(total, _longer([_row(each.within for each in group) for group in together]))
            case model.If(branches=branches, otherwise=otherwise):
                blocks = [branch.steps for branch in branches] + [otherwise]
                total = _add(total, _longer([_longest(block) for block in blocks]))
            case model.Split(arms=arms):
                total = _add(total, _longer([_longest(arm.steps) for arm in arms]))
            case model.Repeat(times=times, steps=inner):
                turn = _longest(inner)
                total = _add(total, Period(turn.months * times, turn.days * times, turn.micros * times))
            case model.Stop():
                break
            case _:
                pass
    return total


def _moment(moment: model.Moment) -> Period | None:
    """The longest wait for a time of day, None for a date."""
    match moment:
        case model.AtClock(date=model.Day()) | model.AtDate() | model.Offset():
            return None
        case model.AtClock(day=int()):
            return Period(days=7)
        case model.AtClock(day="tomorrow"):
            return Period(days=2)
        case _:
            return Period(days=1)


def _row(periods: Iterable[Period]) -> Period:
    total = Period()
    for period in periods:
        total = _add(total, period)
    return total


def _add(one: Period, other: Period) -> Period:
    return Period(one.months + other.months, one.days + other.days, one.micros + other.micros)


def _longer(periods: list[Period]) -> Period:
    return max(periods, key=most, default=Period())
