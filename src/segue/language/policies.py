"""Contact policies: written to checked."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from segue.api import Kind, Money
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions
from segue.language.headers import positive
from segue.language.kinds import read_kind
from segue.language.names import Names, Scope
from segue.language.report import Report
from segue.language.vocabulary import Lexicon

ANY_CHANNEL: Final = ("messages", "message")
"""What a limit says in a channel's place when it counts them all."""

_SCOPE: Final = Scope(fields={})
_LATER: Final[dict[type, int]] = {model.Quiet: 0, model.Limit: 1, model.Space: 1, model.Budget: 2}
"""The order in which lines are asked: quiet hours, limits and spacing, budget."""


Written = t.Quiet | t.Limit | t.Space | t.Budget
Line = model.Quiet | model.Limit | model.Space | model.Budget


class CheckedPolicy(msgspec.Struct, frozen=True):
    """A policy as it was written and as it was understood, and the report of its file. ``lines`` are those of
    ``policy``, each with what was written; ``sound`` tells whether everything was understood."""

    written: t.Policy
    policy: model.Policy
    lines: tuple[
        tuple[t.Quiet | t.Limit | t.Space | t.Budget, model.Quiet | model.Limit | model.Space | model.Budget], ...
    ]
    report: Report
    sound: bool


class Policies:
    """Reads the policies of a book: one for each kind of message."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._first: dict[str, tuple[t.Policy, Report]] = {}

    def check(self, policy: t.Policy, report: Report, file: str) -> CheckedPolicy | None:
        """The checked policy, None when its kind is unknown or has one already."""
        before = len(report.found)
        kind = read_kind(policy.kind, report)
        read = _Lines(self._lexicon, report)
        lines = [(line, understood) for line in policy.lines if (understood := read.line(line)) is not None]
        if kind is None or not self._take(kind, policy, report):
            return None
        lines.sort(key=lambda line: _LATER[type(line[1])])
        checked = model.Policy(kind, tuple(understood for _, understood in lines), file, report.line(policy))
        return CheckedPolicy(policy, checked, tuple(lines), report, report.is_sound(policy, before))

    def _take(self, kind: Kind, policy: t.Policy, report: Report) -> bool:
        if kind not in self._first:
            self._first[kind] = policy, report
            return True
        first, where = self._first[kind]
        report.add(
            "E0308",
            policy.kind,
            f"there is a policy for {kind} messages already",
            label="the second one",
            hint="put all its lines into one policy",
            also=(Label(where.span(first.kind), "the first one"),),
        )
        return False


class _Lines:
    def __init__(self, lexicon: Lexicon, report: Report) -> None:
        self._report = report
        self._names = Names(lexicon, report, _SCOPE)
        self._values = Expressions(lexicon, report, _SCOPE)

    def line(self, line: Written) -> Line | None:
        match line:
            case t.Quiet(first=first, last=last, zone=zone):
                if first.minute == last.minute:
                    self._report.add(
                        "E0212",
                        last,
                        "these quiet hours end when they begin, so it is unclear whether they are all day or never",
                        label="the same time",
                        hint="for never leave the line out; to send nothing at all take the rules out",
                    )
                clocks = self._values.clock(first), self._values.clock(last)
                return model.Quiet(*clocks, self._values.zone(zone), self._overflow(line.overflow, "defer"))
            case t.Limit(count=count, channel=channel, per=per):
                if count < 1:
                    self._report.add(
                        "E0212",
                        line,
                        f"`limit 0 {channel.text}` lets nothing through, ever",
                        label="none at all",
                        hint="write 1 or more; to send nothing on a channel take its sends out of the rules",
                    )
                positive(per, "a limit", self._report)
                overflow = self._overflow(line.overflow, "drop")
                if channel.text in ANY_CHANNEL:
                    return model.Limit(count, None, per.period, overflow)
                return model.Limit(count, channel.text, per.period, overflow) if self._names.channel(channel) else None
            case t.Space(duration=duration):
                positive(duration, "`space`", self._report, "leave the line out to need no space")
                return model.Space(duration.period, self._overflow(line.overflow, "defer"))
            case t.Budget(amount=amount, per=per):
                if amount.amount <= 0:
                    self._report.add(
                        "E0212",
                        amount,
                        "a budget of nothing lets nothing through that costs something",
                        label="no money at all",
                        hint="write an amount above zero",
                    )
                if per.period.micros or not (per.period.days or per.period.months):
                    self._report.add(
                        "E0212",
                        per,
                        "a budget goes by calendar days, not by hours",
                        label="not whole days",
                        hint="write for instance `per 1d`",
                    )
                money = Money(amount.amount, amount.currency)
                return model.Budget(money, per.period, self._overflow(line.overflow, "drop"))
            case _:
                assert_never(line)

    def _overflow(self, written: t.Overflow | None, otherwise: str) -> model.Overflow:
        if written is None:
            return model.Overflow("defer" if otherwise == "defer" else "drop")
        if written.longest is not None:
            positive(written.longest, "`defer`", self._report, "write `drop` to hold nothing back for later")
        return model.Overflow(written.action, written.longest.period if written.longest else None)
