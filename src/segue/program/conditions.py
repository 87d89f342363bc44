"""Expressions to functions, once per program: nothing here is walked while journeys run.

A condition is judged at ``scene.now`` and by the events' own timestamps; events after ``now`` have not happened yet.
What values mean stands in `segue.program.values`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, assert_never

from segue.api import FieldType, Instant
from segue.language import model as m
from segue.program.aggregates import Bucket, Function, amount_of, answer, definition_of, of_one_unit
from segue.program.calendar import add_elapsed, local, within_window
from segue.program.facts import Past, Scene
from segue.program.keys import reaches
from segue.program.values import align, calculate, equal, ordered, past_field, plain, read_value, zone_of

Evaluate = Callable[[Scene], Any]

_LATEST: Final = 2**63
"""After every arrival: an event as old as a window is long has left it, as in ``once per`` and in limits."""


def compile_expression(expression: m.Expression) -> Evaluate:
    """The function that gives the expression's value in a scene; None is the missing value."""
    match expression:
        case m.Literal_(value=value):
            constant = _constant(value)
            return lambda scene: constant
        case m.Now():
            return lambda scene: scene.now
        case m.Weekday():
            return lambda scene: Decimal(local(scene.now, scene.customer.zone).weekday())
        case m.TriggerField(name="timestamp"):
            return lambda scene: scene.began
        case m.TriggerField(name=name, type=kind):
            return lambda scene: read_value(scene.trigger.get(name), kind, scene, scene.trigger)
        case m.Trait(name=name, type=kind):
            return lambda scene: read_value(scene.customer.traits.get(name), kind, scene, scene.customer.traits)
        case m.EventField(name=name, type=kind):
            return lambda scene: _subject_field(scene, name, kind)
        case m.Happened():
            return _happened(expression)
        case m.Aggregate():
            return _aggregate(expression)
        case m.Reacted(reaction=what, channel=channel, message=message):
            wanted = ("bounced", "undelivered") if what in ("bounced", "undelivered") else (what,)
            return lambda scene: any(
                reaction.what in wanted
                and (channel is None or reaction.channel == channel)
                and (message is None or reaction.message == message)
                for reaction in scene.reactions
            )
        case m.CanGet(channel=channel):
            return lambda scene: scene.customer.refusal(channel, scene.kind) is None
        case m.InSegment(name=segment):
            return lambda scene: scene.customer.belongs(segment, scene.now)
        case m.InRule(name=rule):
            return lambda scene: scene.customer.standing.inside(rule)
        case m.Coupon(pool=pool):
            raise ValueError(f'coupon("{pool}") stands only as a value of a message: no condition has it')
        case m.Compare(op=op, left=left, right=right):
            return _comparison(op, compile_expression(left), compile_expression(right))
        case m.Between(value=value, low=low, high=high):
            middle, bottom, top = compile_expression(value), compile_expression(low), compile_expression(high)

            def between(scene: Scene) -> bool:
                found = middle(scene)
                return ordered(operator.ge, *align(found, bottom(scene), scene)) and ordered(
                    operator.le, *align(found, top(scene), scene)
                )

            return between
        case m.OneOf(value=value, among=among):
            one, choices = compile_expression(value), tuple(compile_expression(choice) for choice in among)

            def one_of(scene: Scene) -> bool:
                found = one(scene)
                return any(equal(*align(found, choice(scene), scene)) for choice in choices)

            return one_of
        case m.Contains(value=value, list=among):
            one, many = compile_expression(value), compile_expression(among)

            def contains(scene: Scene) -> bool:
                found, items = one(scene), many(scene)
                return isinstance(items, (list, tuple)) and any(equal(found, plain(item)) for item in items)

            return contains
        case m.TimeBetween(start=start, end=end, zone=zone):
            return lambda scene: within_window(scene.now, start.minute, end.minute, zone_of(zone, scene))
        case m.Present(value=value):
            inner = compile_expression(value)

            def present(scene: Scene) -> bool:
                found = inner(scene)
                return found is not None and found is not False

            return present
        case m.Not(value=value):
            negated = compile_expression(value)
            return lambda scene: not negated(scene)
        case m.All(parts=parts):
            needed = tuple(compile_expression(part) for part in parts)
            return lambda scene: all(part(scene) for part in needed)
        case m.Any_(parts=parts):
            enough = tuple(compile_expression(part) for part in parts)
            return lambda scene: any(part(scene) for part in enough)
        case m.Arithmetic(op=op, left=left, right=right):
            first, second = compile_expression(left), compile_expression(right)
            return lambda scene: calculate(op, first(scene), second(scene), scene)
        case _:
            assert_never(expression)


def _constant(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return Decimal(value)
        case _:
            return value


_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if op in ("=", "!="):
        wanted = op == "="
        return lambda scene: equal(*align(left(scene), right(scene), scene)) is wanted
    compare = _ORDERS[op]
    return lambda scene: ordered(compare, *align(left(scene), right(scene), scene))


def _subject_field(scene: Scene, name: str, kind: FieldType) -> Any:
    subject = scene.subject
    if subject is None:
        return None
    return past_field(subject, name, kind, scene)


def _low(scene: Scene, window: m.Window) -> tuple[int, int] | None:
    """Where a window begins, as (instant, order of arrival): what counts comes after it. None: it has no beginning."""
    if window.since == "entry":
        return scene.start
    if window.since == "last" and window.period is not None:
        try:
            return add_elapsed(scene.now, window.period, scene.customer.zone, -1), _LATEST
        except (OverflowError, ValueError):
            return None  # a window longer than the calendar: ever
    return None


def select_past(scene: Scene, event: str, window: m.Window, where: Evaluate | None) -> Iterator[Past]:
    """The past events that a window and a ``where`` leave, in no particular order."""
    now, without = scene.now, scene.without
    low = _low(scene, window)
    per = scene.per if window.since == "entry" and low is not None else None
    for past in scene.customer.past(event, Instant(low[0]) if low is not None else None):
        if past.at > now or past.order == without or (low is not None and (past.at, past.order) <= low):
            continue
        if per is not None and not reaches(past.fields, per, scene.value):
            continue
        if where is not None:
            outer, scene.subject = scene.subject, past
            try:
                if not where(scene):
                    continue
            finally:
                scene.subject = outer
        yield past


def _kept(node: m.Happened | m.Aggregate, *, counting: bool) -> Callable[[Scene], Sequence[Bucket] | None]:
    """What is kept of the events that a look into history asks about, None where they have to be looked through."""
    definition, event, window = definition_of(node), node.event, node.window

    def kept(scene: Scene) -> Sequence[Bucket] | None:
        long = scene.customer.long.get(event)
        if long is None or definition is None:
            return None
        low = _low(scene, window)
        return long.parts(
            definition, Instant(low[0]) if low is not None else None, scene.now, scene.without, counting=counting
        )

    return kept


def _happened(node: m.Happened) -> Evaluate:
    event, window, times = node.event, node.window, node.times
    where = compile_expression(node.where) if node.where is not None else None
    kept = _kept(node, counting=True)

    def happened(scene: Scene) -> bool:
        if scene.customer.long and (parts := kept(scene)) is not None:
            return sum(part.n for part in parts) >= times
        if not scene.customer.long and not scene.customer.history.get(event):
            return times <= 0  # most customers have no such event at all
        if times == 1:
            return any(True for _ in select_past(scene, event, window, where))
        for found, _ in enumerate(select_past(scene, event, window, where), 1):
            if found >= times:
                return True
        return times <= 0

    return happened


def _aggregate(node: m.Aggregate) -> Evaluate:
    function = node.function if node.field is not None else "count"
    kept = _kept(node, counting=function == "count")
    look_through = _look_through(node, function)

    def aggregate(scene: Scene) -> Any:
        if scene.customer.long and (parts := kept(scene)) is not None:
            return answer(function, node.type, parts, scene.customer.currency)
        return look_through(scene)

    return aggregate


def _look_through(node: m.Aggregate, function: Function) -> Evaluate:
    """The figure from the events themselves."""
    event, window, field, kind = node.event, node.window, node.field, node.type
    where = compile_expression(node.where) if node.where is not None else None
    if function == "count" or field is None:
        return lambda scene: Decimal(sum(1 for _ in select_past(scene, event, window, where)))

    def values(scene: Scene) -> list[tuple[tuple[int, int], Any]]:
        found = (
            ((past.at, past.order), past_field(past, field, kind, scene))
            for past in select_past(scene, event, window, where)
        )
        return [pair for pair in found if pair[1] is not None]

    if function in ("first", "last"):
        choose = min if function == "first" else max

        def edge(scene: Scene) -> Any:
            pairs = values(scene)
            return choose(pairs, key=operator.itemgetter(0))[1] if pairs else None

        return edge

    def figure(scene: Scene) -> Any:
        found = [amount_of(value) for _, value in values(scene)]
        amounts = [amount for _, amount in found]
        units = {unit for unit, _ in found}
        return of_one_unit(units, kind, amounts, function, scene.customer.currency, len(amounts))

    return figure
