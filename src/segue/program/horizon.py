"""When the truth of a condition may change by time alone: what lets a segment's crossing be noticed in its very moment.

The law: between now and the instant given here the truth does not change, as long as nothing happens to the customer.
The instant may be too early (who looks then asks again), and is never too late. It is exact for windows without
months, for weekdays, for clock times and for plain comparisons with ``now``; near dates moved by months or days it is
early by up to the days that such dates can jump.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, tzinfo
from typing import Final, TypeVar, assert_never

from segue.api import Instant, Period
from segue.api.values import DAY, SECOND
from segue.language import model as m
from segue.program.aggregates import Definition, definition_of
from segue.program.calendar import add_elapsed, local
from segue.program.conditions import Evaluate, compile_expression
from segue.program.facts import Customer, LongHistory, Past, Scene
from segue.program.reads import NO_SEGMENTS, Reads, Segments, collect_reads
from segue.program.values import zone_of

T = TypeVar("T")

Change = Callable[[Scene], Instant | None]
"""From a scene to the next instant at which the value there may be another; None: never, by time alone."""

_QUARTER: Final = 900 * SECOND
"""Clocks are changed, and midnights fall, on quarters of an hour: between two of them local time runs evenly."""

_FAR: Final = 200 * 365 * DAY
_MONTHS_JUMP: Final = 4 * DAY
_DAYS_JUMP: Final = 12 * _QUARTER
"""How far calendar arithmetic may run ahead of itself: "a month ago" is one day for up to four, and a day that has an
hour twice has its moments twice."""


def next_change(
    expression: m.Expression, customer: Customer, now: Instant, segments: Segments = NO_SEGMENTS
) -> Instant | None:
    """The earliest instant after ``now`` at which the truth of a segment's condition may change by time alone, None
    if never. ``segments`` are the published ones, which the customer carries compiled. To ask for many customers,
    keep what `compile_change` gives."""
    return compile_change(expression, segments)(Scene(customer, now))


def compile_change(expression: m.Expression, segments: Segments = NO_SEGMENTS) -> Change:
    """The function behind `next_change`, for a scene without a journey."""
    return _Compiler(segments, frozenset()).change(expression)


def _never(_: Scene) -> None:
    return None


class _Compiler:
    """``within`` are the segments whose conditions are being compiled: one that names itself changes nothing."""

    def __init__(self, segments: Segments, within: frozenset[str]) -> None:
        self.segments = segments
        self.within = within

    def change(self, expression: m.Expression) -> Change:
        if not collect_reads(expression, Reads(self.segments)).clock:
            return _never
        match expression:
            case m.All(parts=parts):
                return self.joined(parts, decisive=False)
            case m.Any_(parts=parts):
                return self.joined(parts, decisive=True)
            case m.Not(value=value) | m.Present(value=value):
                return self.change(value)
            case m.Between(value=value, low=low, high=high):
                return self.joined((m.Compare(">=", value, low), m.Compare("<=", value, high)), decisive=False)
            case m.OneOf(value=value, among=among):
                return self.joined(tuple(m.Compare("=", value, choice) for choice in among), decisive=True)
            case m.Compare():
                return self.compared(expression)
            case m.Arithmetic(left=left, right=right) | m.Contains(value=left, list=right):
                return _earliest((self.change(left), self.change(right)))
            case m.Happened() | m.Aggregate():
                return self.past(expression)
            case m.InSegment(name=name):
                return self.segment(name)
            case m.Weekday():
                return lambda scene: _next_wall(scene.now, scene.customer.zone, (0,))
            case m.TimeBetween(start=start, end=end, zone=zone):
                if start == end:
                    return _never
                ends = (start.minute, end.minute)
                return lambda scene: _next_wall(scene.now, zone_of(zone, scene), ends)
            case m.Now():
                return _never  # its order beside another value is what changes: see `compared`
            case (
                m.Literal_()
                | m.TriggerField()
                | m.Trait()
                | m.EventField()
                | m.Reacted()
                | m.CanGet()
                | m.InRule()
                | m.Coupon()
            ):
                return _never
            case _:
                assert_never(expression)

    def joined(self, parts: tuple[m.Expression, ...], *, decisive: bool) -> Change:
        """``and`` (decided by one part that is false) or ``or`` (by one that is true). While decisive parts stand,
        all of them must change first; while none does, any change counts."""
        compiled = tuple((compile_expression(part), self.change(part)) for part in parts)

        def change(scene: Scene) -> Instant | None:
            deciding = [next_ for judge, next_ in compiled if bool(judge(scene)) is decisive]
            if not deciding:
                return min(_moments(scene, (next_ for _, next_ in compiled)), default=None)
            latest: Instant | None = None
            for next_ in deciding:
                moment = next_(scene)
                if moment is None:
                    return None
                latest = moment if latest is None else max(latest, moment)
            return latest

        return change

    def compared(self, expression: m.Compare) -> Change:
        left, right = expression.left, expression.right
        beside = _earliest((self.change(left), self.change(right)))
        if not (_has_now(left) or _has_now(right)):
            return beside
        # equality with a moment holds between two orders, and each of them changes once
        below, above = m.Compare("<", left, right), m.Compare(">", left, right)
        orders = (below, above) if expression.op in ("=", "!=") else (expression,)
        judges = tuple(compile_expression(order) for order in orders)
        jump = max(_jump(left), _jump(right))

        def change(scene: Scene) -> Instant | None:
            limit = beside(scene)
            last = limit - 1 if limit is not None else scene.now + _FAR
            found = [moment for judge in judges if (moment := _first_flip(_along(judge, scene), scene.now, last, jump))]
            return min(found) if found else limit

        return change

    def segment(self, name: str) -> Change:
        segment = self.segments.get(name)
        if segment is None or name in self.within:
            return _never
        inner = _Compiler(self.segments, self.within | {name}).change(segment.condition)
        return lambda scene: inner(Scene(scene.customer, scene.now))

    def past(self, node: m.Happened | m.Aggregate) -> Change:
        period = node.window.period if node.window.since == "last" else None
        where = compile_expression(node.where) if node.where is not None else None
        where_change = self.change(node.where) if node.where is not None else _never
        steady = where_change is _never
        times = node.times if isinstance(node, m.Happened) else None

        definition = definition_of(node)

        def change(scene: Scene) -> Instant | None:
            long = scene.customer.long.get(node.event)
            if long is not None and steady:
                return _of_long(long, scene, period, definition, times)
            rows = scene.customer.past(node.event, _in_reach(scene, period) if period is not None else None)
            if times is not None and period is not None and not period.months and steady:
                return _leaves_short(scene, rows, where, period, times)
            moments = []
            for row in rows:
                if row.at > scene.now:
                    moments.append(row.at)
                    continue
                if period is not None and (moment := _leaves(row.at, period, scene)) is not None:
                    moments.append(moment)
                if not steady and (moment := _with_subject(where_change, scene, row)) is not None:
                    moments.append(moment)
            return min(moments, default=None)

        return change


def _earliest(changes: tuple[Change, ...]) -> Change:
    changes = tuple(change for change in changes if change is not _never)
    if not changes:
        return _never
    return lambda scene: min(_moments(scene, changes), default=None)


def _moments(scene: Scene, changes: Iterable[Change]) -> Iterator[Instant]:
    return (moment for change in changes if (moment := change(scene)) is not None)


# Windows


def _leaves_short(
    scene: Scene, rows: Iterable[Past], where: Evaluate | None, period: Period, times: int
) -> Instant | None:
    """When so many events are no longer in a window: when the last of the newest so many leaves it."""
    length = period.days * DAY + period.micros
    now = scene.now
    counted = sorted(
        (
            row.at
            for row in rows
            if now - length < row.at and (row.at > now or where is None or _with_subject(where, scene, row))
        ),
        reverse=True,
    )
    ahead = min((at for at in counted if at > now), default=None)  # what has not happened yet
    counted = [at for at in counted if at <= now]
    left = Instant(counted[times - 1] + length) if 0 < times <= len(counted) else None
    return min((moment for moment in (ahead, left) if moment is not None), default=None)


def _of_long(
    long: LongHistory, scene: Scene, period: Period | None, definition: Definition | None, times: int | None
) -> Instant | None:
    """As for a few events, by the ones that matter: of those inside a window the earliest leaves it first, and of
    those that have left it, the latest comes back first."""
    now, zone = scene.now, scene.customer.zone
    found = [long.first_after(now)]
    if period is not None:
        try:
            low = add_elapsed(now, period, zone, -1)
        except (OverflowError, ValueError):
            return found[0]  # a window longer than the calendar: ever
        if times is not None and not period.months and definition is not None:
            newest = long.newest(definition, times, low, now) if times > 0 else None
            found.append(_leaves(newest, period, scene) if newest is not None else None)
        else:
            for at in (long.first_after(low), long.last_until(low) if period.months else None):
                found.append(_leaves(at, period, scene) if at is not None and at <= now else None)
    return min((moment for moment in found if moment is not None), default=None)


def _in_reach(scene: Scene, period: Period) -> Instant | None:
    """From when on an event may be inside a window, or come back into one of months; None: from the beginning."""
    try:
        return Instant(add_elapsed(scene.now, period, scene.customer.zone, -1) - 2 * _MONTHS_JUMP)
    except (OverflowError, ValueError):
        return None


def _leaves(at: Instant, period: Period, scene: Scene) -> Instant | None:
    """When an event leaves a window, or comes back into one of months; None: it is out for good."""
    now, zone = scene.now, scene.customer.zone
    if not period.months:
        left = Instant(at + period.days * DAY + period.micros)
        return left if left > now else None

    def inside(moment: Instant) -> bool:
        return at > add_elapsed(moment, period, zone, -1)

    try:
        if at < add_elapsed(now, period, zone, -1) - 2 * _MONTHS_JUMP:
            return None
        last = add_elapsed(now, period, zone) + 3 * _MONTHS_JUMP
    except (OverflowError, ValueError):
        return None  # a window longer than the calendar: ever
    return _first_flip(inside, now, last, _MONTHS_JUMP)


def _with_subject(function: Callable[[Scene], T], scene: Scene, subject: Past) -> T:
    outer, scene.subject = scene.subject, subject
    try:
        return function(scene)
    finally:
        scene.subject = outer


# Clocks


def _next_wall(now: Instant, zone: tzinfo, minutes: tuple[int, ...]) -> Instant:
    """The next instant at which the wall clock shows one of these, or at which it is put forward or back."""
    wall = local(now, zone)
    shown = ((wall.hour * 60 + wall.minute) * 60 + wall.second) * SECOND + wall.microsecond
    ahead = min((minute * 60 * SECOND - shown - 1) % DAY + 1 for minute in minutes)
    if zone is UTC:
        return Instant(now + ahead)
    offset, before = wall.utcoffset(), now
    for moment in (*range(now + 3600 * SECOND, now + ahead, 3600 * SECOND), now + ahead):
        if local(Instant(moment), zone).utcoffset() != offset:
            return _bisect(lambda instant: local(instant, zone).utcoffset() == offset, before, Instant(moment))
        before = Instant(moment)
    return Instant(now + ahead)


# Orders beside ``now``


def _has_now(value: m.Expression) -> bool:
    match value:
        case m.Now():
            return True
        case m.Arithmetic(left=left, right=right):
            return _has_now(left) or _has_now(right)
        case _:
            return False


def _jump(value: m.Expression) -> int:
    """How far a value may run ahead of itself while ``now`` goes on evenly: where it is moved by calendar, or
    compared by its day."""
    match value:
        case m.Arithmetic(left=left, right=right):
            return max(_jump(left), _jump(right), _calendar(left), _calendar(right))
        case m.Literal_(value=m.Day()):
            return _DAYS_JUMP
        case _:
            return 0


def _calendar(value: m.Expression) -> int:
    match value:
        case m.Literal_(value=Period(months=months, days=days)):
            return _MONTHS_JUMP if months else _DAYS_JUMP if days else 0
        case _:
            return 0


def _along(judge: Evaluate, scene: Scene) -> Callable[[Instant], bool]:
    """A condition's truth as time goes on and nothing else does."""

    def at(moment: Instant) -> bool:
        then = Scene(scene.customer, moment)
        then.subject = scene.subject
        return bool(judge(then))

    return at


def _first_flip(truth: Callable[[Instant], bool], now: Instant, last: int, jump: int) -> Instant | None:
    """The first instant up to ``last`` at which a truth is another than now; early where it may turn more than once
    within ``jump``. Apart from that it turns at most once."""
    here = truth(now)
    if last <= now:
        return None
    if truth(Instant(last)) != here:
        flip = _bisect(lambda moment: truth(moment) == here, now, Instant(last))
        if not jump:
            return flip
        if flip - jump > now:
            return Instant(flip - jump)
    elif not jump or truth(Instant(now - jump)) == here:
        return None
    return _scan(truth, here, now, min(last, now + 2 * jump))


def _scan(truth: Callable[[Instant], bool], here: bool, now: Instant, last: int) -> Instant | None:
    start = int(now)
    while start < last:
        end = min((start // _QUARTER + 1) * _QUARTER - 1, last)
        if truth(Instant(start)) != here:
            return Instant(start)
        if truth(Instant(end)) != here:
            return _bisect(lambda moment: truth(moment) == here, Instant(start), Instant(end))
        start = end + 1
    return None


def _bisect(still: Callable[[Instant], bool], low: Instant, high: Instant) -> Instant:
    """The first instant after ``low`` at which it is no longer so: so at ``low``, not at ``high``, and in between it
    turns once."""
    while high - low > 1:
        middle = Instant((low + high) // 2)
        if still(middle):
            low = middle
        else:
            high = middle
    return high
