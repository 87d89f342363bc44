"""Lark's tree to the typed tree: rules, declarations, policies and tests."""

from __future__ import annotations

from typing import Any, cast, get_args

from lark import Token

from segue.language import tree as t
from segue.language.transform_steps import StepTransformer
from segue.language.transform_values import Node, places

_TRIGGERS = get_args(t.Trigger)
_CLAUSES = get_args(t.Clause)
_HEADERS = get_args(t.Header)
_STEPS = get_args(t.Step)


class Transformer(StepTransformer):
    """Makes the typed item of one piece."""

    def item(self, piece: Node) -> t.Item:
        return cast(t.Item, self._read(cast(Node, piece.children[0])))

    # Declarations

    def _edition(self, node: Node) -> t.Edition:
        return t.Edition(*places(node), self._int(cast(Token, node.children[0])))

    def _event(self, node: Node) -> t.EventDeclaration:
        name, *rest = self._all(node)
        sent_as = rest.pop(0) if rest and isinstance(rest[0], t.Text) else None
        return t.EventDeclaration(*places(node), self._new_name(name), sent_as, tuple(rest))

    def _sent_as(self, node: Node) -> t.Text:
        return self._string(cast(Token, node.children[0]))

    def _customer(self, node: Node) -> t.CustomerDeclaration:
        return t.CustomerDeclaration(*places(node), tuple(self._all(node)))

    def _field(self, node: Node) -> t.Field:
        name, type_ = node.children
        return t.Field(*places(node), self._new_name(cast(Token, name)), self._name(cast(Token, type_)))

    def _segment(self, node: Node) -> t.Segment:
        name, *rest = self._all(node)
        title = self._string(rest.pop(0)) if isinstance(rest[0], Token) else None
        return t.Segment(*places(node), self._new_name(name), title, rest[0])

    def _policy(self, node: Node) -> t.Policy:
        kind, *lines = self._all(node)
        return t.Policy(*places(node), self._name(kind), tuple(lines))

    def _quiet(self, node: Node) -> t.Quiet:
        first, last, *rest = self._all(node)
        zone = next((part for part in rest if isinstance(part, t.Zone)), None)
        return t.Quiet(*places(node), self._clock_token(first), self._clock_token(last), zone, _overflow(rest))

    def _limit(self, node: Node) -> t.Limit:
        count, channel, per, *rest = self._all(node)
        return t.Limit(*places(node), self._int(count), self._name(channel), per, _overflow(rest))

    def _space(self, node: Node) -> t.Space:
        duration, *rest = self._all(node)
        return t.Space(*places(node), duration, _overflow(rest))

    def _budget(self, node: Node) -> t.Budget:
        amount, per, *rest = self._all(node)
        return t.Budget(*places(node), amount, per, _overflow(rest))

    def _defer(self, node: Node) -> t.Overflow:
        children = self._all(node)
        return t.Overflow(*places(node), "defer", children[0] if children else None)

    def _drop(self, node: Node) -> t.Overflow:
        return t.Overflow(*places(node), "drop", None)

    # Rules

    def _rule(self, node: Node) -> t.Rule:
        name: t.Name | None = None
        title: t.Text | None = None
        parts = self._all(node)
        if cast(Node, node.children[0]).data == "head":
            name, title = parts.pop(0)
        trigger, clauses = parts.pop(0)
        headers = tuple(part for part in parts if isinstance(part, _HEADERS))
        steps = tuple(part for part in parts if isinstance(part, _STEPS))
        self._once_each(clauses)
        self._once_each(headers)
        return t.Rule(*places(node), name, title, trigger, clauses, headers, steps)

    def _once_each(self, lines: tuple[t.Clause | t.Header, ...]) -> None:
        seen: set[str] = set()
        for line in lines:
            word = line.use if isinstance(line, t.Share) else _LINE_WORDS[type(line)]
            if word in seen:
                self._problem(
                    "E0210",
                    line.start,
                    line.end,
                    f"`{word}` is given twice in this rule",
                    "the second time",
                    "keep one; two conditions are joined with `and` or `or`",
                )
            seen.add(word)

    def _head(self, node: Node) -> tuple[t.Name, t.Text | None]:
        name, *title = node.children
        return self._new_name(cast(Token, name)), self._string(cast(Token, title[0])) if title else None

    def _happening(self, node: Node) -> tuple[t.Name | t.Text, ...]:
        return tuple(self._event_name(cast(Token, child)) for child in node.children)

    def _event_name(self, token: Token) -> t.Name | t.Text:
        return self._string(token) if token.type == "STRING" else self._name(token)

    def _on_event(self, node: Node) -> Any:
        events, *clauses = self._all(node)
        return t.OnEvent(*places(node), events), tuple(clauses)

    def _on_enter(self, node: Node) -> Any:
        return self._membership(
            node, t.OnMembership(*places(node), "enters", self._name(cast(Token, node.children[0])))
        )

    def _on_leave(self, node: Node) -> Any:
        return self._membership(
            node, t.OnMembership(*places(node), "leaves", self._name(cast(Token, node.children[0])))
        )

    def _membership(self, node: Node, trigger: t.OnMembership) -> Any:
        return trigger, tuple(self._all(node)[1:])

    def _on_change(self, node: Node) -> Any:
        trait, *rest = self._all(node)
        to = rest.pop(0) if rest and not isinstance(rest[0], _CLAUSES) else None
        return t.OnChange(*places(node), trait, to), tuple(rest)

    def _changed_to(self, node: Node) -> Any:
        return self._all(node)[0]

    def _on_offset(self, node: Node) -> Any:
        duration, side, trait, *rest = self._all(node)
        at = rest.pop(0) if rest and isinstance(rest[0], t.At) else None
        return t.OnOffset(*places(node), duration, side, trait, at), tuple(rest)

    def _on_schedule(self, node: Node) -> Any:
        recurrence, *rest = self._all(node)
        at = rest.pop(0) if rest and isinstance(rest[0], t.At) else None
        return t.OnSchedule(*places(node), recurrence, at), tuple(rest)

    def _on_date(self, node: Node) -> Any:
        day, *rest = self._all(node)
        at = rest.pop(0) if rest and isinstance(rest[0], t.At) else None
        return t.OnDate(*places(node), self._date_token(day), at), tuple(rest)

    def _every_day(self, node: Node) -> t.Weekdays:
        return t.Weekdays(*places(node), ())

    def _every_weekday(self, node: Node) -> t.Weekdays:
        return t.Weekdays(*places(node), tuple(self._weekday_token(cast(Token, child)) for child in node.children))

    def _every_month(self, node: Node) -> t.Monthly:
        token = cast(Token, node.children[0])
        day = self._int(token)
        if not 1 <= day <= 31:
            start, end = places(node)
            self._problem("E0208", start, end, f"no month has a day {token}", "", "write a day from 1 to 31")
        return t.Monthly(*places(node), day)

    def _every_year(self, node: Node) -> t.Yearly:
        *offset, trait = self._all(node)
        duration, side = offset or (None, None)
        return t.Yearly(*places(node), trait, duration, side)

    def _where(self, node: Node) -> t.Where:
        return t.Where(*places(node), self._all(node)[0])

    def _per(self, node: Node) -> t.Per:
        return t.Per(*places(node), self._name(cast(Token, node.children[0])))

    def _audience(self, node: Node) -> t.Audience:
        return t.Audience(*places(node), self._name(cast(Token, node.children[0])))

    # Header lines

    def _once(self, node: Node) -> t.Once:
        per = self._all(node)
        return t.Once(*places(node), per[0] if per else None)

    def _period_of_once(self, node: Node) -> Any:
        return self._all(node)[0]

    def _on_repeat_ignore(self, node: Node) -> t.OnRepeat:
        return t.OnRepeat(*places(node), "ignore")

    def _on_repeat_restart(self, node: Node) -> t.OnRepeat:
        return t.OnRepeat(*places(node), "restart")

    def _on_edit_finish(self, node: Node) -> t.OnEdit:
        return t.OnEdit(*places(node), "finish")

    def _on_edit_follow(self, node: Node) -> t.OnEdit:
        return t.OnEdit(*places(node), "follow")

    def _until(self, node: Node) -> t.Until:
        return t.Until(*places(node), self._all(node)[0])

    def _goal(self, node: Node) -> t.Goal:
        condition, within, *worth = self._all(node)
        return t.Goal(*places(node), condition, within, worth[0] if worth else None)

    def _worth(self, node: Node) -> t.Name:
        return self._name(cast(Token, node.children[0]))

    def _expect(self, node: Node) -> t.Expect:
        count, per = self._all(node)
        return t.Expect(*places(node), self._int(count), per)

    def _rollout(self, node: Node) -> t.Share:
        return t.Share(*places(node), "rollout", self._percent(cast(Token, node.children[0])))

    def _holdout(self, node: Node) -> t.Share:
        return t.Share(*places(node), "holdout", self._percent(cast(Token, node.children[0])))

    def _active(self, node: Node) -> t.Active:
        first, *last = self._all(node)
        return t.Active(*places(node), self._date_token(first), last[0] if last else None)

    def _last_day(self, node: Node) -> t.Date:
        return self._date_token(cast(Token, node.children[0]))

    def _kind(self, node: Node) -> t.As:
        return t.As(*places(node), self._name(cast(Token, node.children[0])))

    # Tests

    def _test(self, node: Node) -> t.Test:
        title, *lines = self._all(node)
        rule = lines.pop(0).name if isinstance(lines[0], t.Audience) else None
        return t.Test(*places(node), self._string(title), rule, tuple(lines))

    def _given_customer(self, node: Node) -> t.GivenCustomer:
        return t.GivenCustomer(*places(node), tuple(self._all(node)))

    def _given_arm(self, node: Node) -> t.GivenArm:
        return t.GivenArm(*places(node), self._string(cast(Token, node.children[0])))

    def _happens(self, node: Node) -> t.Happens:
        at, name, *rest = self._all(node)
        message = self._string(rest.pop(0)) if rest and isinstance(rest[0], Token) else None
        return t.Happens(*places(node), at, self._event_name(name), message, tuple(rest))

    def _alters(self, node: Node) -> t.Alters:
        at, *facts = self._all(node)
        return t.Alters(*places(node), at, tuple(facts))

    def _fails(self, node: Node) -> t.Fails:
        at, channel = self._all(node)
        return t.Fails(*places(node), at, self._name(channel))

    def _fact(self, node: Node) -> t.Fact:
        name, value = self._all(node)
        return t.Fact(*places(node), self._name(name), value)

    def _expect_none(self, node: Node) -> t.ExpectNone:
        return t.ExpectNone(*places(node), self._name(cast(Token, node.children[0])))

    def _expect_one(self, node: Node) -> t.ExpectOne:
        what, *rest = self._all(node)
        message = self._string(rest.pop(0)) if rest and isinstance(rest[0], Token) else None
        return t.ExpectOne(*places(node), self._name(what), message, rest[0] if rest else None)

    def _moment_expected(self, node: Node) -> Any:
        return self._all(node)[0]

    def _expect_count(self, node: Node) -> t.ExpectCount:
        count, what = node.children
        return t.ExpectCount(*places(node), self._int(cast(Token, count)), self._name(cast(Token, what)))

    def _moment_after(self, node: Node) -> t.TestMoment:
        return t.TestMoment(*places(node), self._duration(node), None, None)

    def _moment_on(self, node: Node) -> t.TestMoment:
        day, *clock = self._all(node)
        return t.TestMoment(*places(node), None, self._date_token(day), self._clock_token(clock[0]) if clock else None)


_LINE_WORDS: dict[type, str] = {
    t.Where: "where",
    t.Per: "per",
    t.Audience: "for",
    t.Once: "once",
    t.OnRepeat: "on repeat",
    t.OnEdit: "on edit",
    t.Until: "until",
    t.Goal: "goal",
    t.Expect: "expect",
    t.Active: "from",
    t.As: "as",
}


def _overflow(parts: list[Any]) -> t.Overflow | None:
    return next((part for part in parts if isinstance(part, t.Overflow)), None)
