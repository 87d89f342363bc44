"""Advice about contact policies: lines that never hold anything back, and messages that they never let through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from segue.api import Kind
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.items import Items
from segue.language.lengths import least, longest_until, minutes_of, most
from segue.language.looking import nodes
from segue.language.policies import CheckedPolicy, Line, Written
from segue.language.report import Report
from segue.language.rules import CheckedRule
from segue.language.vocabulary import Lexicon

_ALL_DAY = 24 * 60
_LOOKED_AT = 100
"""Messages in a row that are compared with a limit, turns of a `repeat` unrolled."""


def quiet_hours(items: Items) -> dict[Kind, tuple[model.Quiet, ...]]:
    """The quiet hours for each kind of message."""
    return {
        checked.policy.kind: tuple(line for line in checked.policy.lines if isinstance(line, model.Quiet))
        for checked in items.policies
        if checked.sound
    }


def advise_on_policies(items: Items, lexicon: Lexicon) -> None:
    """What can be said about the policies, with the rules whose messages they are for."""
    sent = _sent(items)
    policies = [checked for checked in items.policies if checked.sound]
    for checked in policies:
        _for_nothing(checked, sent, lexicon)
        _all_day(checked)
        _stricter(checked)
    strict = [(checked, written, line) for checked in policies for written, line in checked.lines]
    dropping = [each for each in strict if isinstance(each[2], model.Limit | model.Space)]
    if dropping:
        for rule in items.rules:
            if rule.sound:
                _never_through(rule, dropping)


def _sent(items: Items) -> Mapping[str, set[str | None]]:
    """The channels by which messages of each kind go."""
    sent: dict[str, set[str | None]] = {}
    for checked in items.rules:
        for node in nodes(checked.rule.steps):
            if isinstance(node, model.Delivery):
                sent.setdefault(node.kind, set()).add(node.channel)
    return sent


# Lines that never bind


def _for_nothing(checked: CheckedPolicy, sent: Mapping[str, set[str | None]], lexicon: Lexicon) -> None:
    kind, report = checked.policy.kind, checked.report
    if kind == "transactional":
        report.add(
            "W0902",
            checked.written.kind,
            "transactional messages pass every policy but consent, so these lines never hold anything back",
            label="never asked",
            hint="write the policy for promotional or informational messages",
        )
        return
    if kind not in sent:
        # In a book that sends nothing yet, policies come first.
        if sent:
            report.add(
                "W0902",
                checked.written.kind,
                f"no rule sends {kind} messages, so this policy never holds anything back",
                label="never asked",
                hint=f"messages are promotional unless a rule says `as {kind}`",
            )
        return
    for written, line in checked.lines:
        if not isinstance(line, model.Limit) or line.channel is None:
            continue
        if lexicon.channels[line.channel].stands:
            _binds_never(
                report, written, f"what {line.channel} sends stands until it is taken back, and counts for no limit"
            )
        elif not sent[kind] & {line.channel, None}:
            _binds_never(report, written, f"no rule sends {kind} messages by {line.channel}")


def _binds_never(report: Report, written: Written, reason: str, also: tuple[Label, ...] = ()) -> None:
    report.add(
        "W0902",
        written,
        f"this line never holds anything back: {reason}",
        label="never binds",
        hint="take it out, or correct it",
        also=also,
    )


def _stricter(checked: CheckedPolicy) -> None:
    """A limit beside one that is stricter in everything."""
    for place, (written, line) in enumerate(checked.lines):
        if not isinstance(line, model.Limit):
            continue
        for other_place, (other_written, other) in enumerate(checked.lines):
            if other_place == place or not _implied(line, other):
                continue
            if isinstance(other, model.Limit) and _implied(other, line) and other_place > place:
                continue  # the same twice: told once, at the second
            reason = "another line lets no more through"
            also = (Label(checked.report.span(other_written), "this one comes first"),)
            _binds_never(checked.report, written, reason, also)
            break


def _implied(line: model.Limit, other: Line) -> bool:
    """Whether ``other`` already keeps within ``line``."""
    match other:
        case model.Limit(count=count, channel=channel, per=per):
            return channel in (None, line.channel) and count <= line.count and least(per) >= most(line.per)
        case model.Space(period=period) if least(period):
            return line.count >= most(line.per) // least(period) + 1
        case _:
            return False


def _all_day(checked: CheckedPolicy) -> None:
    by_zone: dict[str | None, set[int]] = {}
    for written, line in checked.lines:
        if not isinstance(line, model.Quiet):
            continue
        minutes = by_zone.setdefault(line.zone, set())
        if len(minutes) == _ALL_DAY:
            continue
        hours = minutes_of(line.start, line.end)
        for part in hours if isinstance(hours, tuple) else (hours,):
            minutes.update(part)
        if len(minutes) == _ALL_DAY:
            others = [each for each, other in checked.lines if isinstance(other, model.Quiet) and each is not written]
            checked.report.add(
                "W0903",
                written,
                f"these quiet hours take up the whole day: no {checked.policy.kind} message ever goes out",
                label="the whole day",
                hint="leave some hours in which messages may go",
                also=tuple(Label(checked.report.span(other), "together with these") for other in others[:3]),
            )


# Messages that never get through


class _Message(msgspec.Struct, frozen=True):
    """A send that every journey comes to, and the most time since the one before it, None where that is open."""

    written: t.Send
    send: model.Send
    after: int | None


def _never_through(
    rule: CheckedRule,
    lines: list[tuple[CheckedPolicy, Written, model.Quiet | model.Limit | model.Space | model.Budget]],
) -> None:
    row = list(_row(rule))
    if len(row) < 2 and not any(len(message.send.together) > 1 for message in row):
        return
    for policy, written, line in lines:
        match line:
            case model.Limit(count=count, channel=channel, per=per, overflow=model.Overflow(action="drop")):
                over = _over(row, policy.policy.kind, channel, count, least(per))
            case model.Space(period=period, overflow=model.Overflow(action="drop")):
                over = _over(row, policy.policy.kind, None, 1, least(period))
            case _:
                continue
        if over is not None:
            rule.report.add(
                "W0904",
                over.written,
                f"who got the messages before this one never gets it: `{policy.report.text(written)}` lets no more "
                "through by then",
                label="dropped each time",
                hint="wait longer before it, send fewer, or let the line `defer` instead of drop",
                also=(Label(policy.report.span(written), "this line"),),
            )


def _over(row: list[_Message], kind: str, channel: str | None, count: int, window: int) -> _Message | None:
    """The first message that certainly comes within ``window`` of ``count`` others that count."""
    times: list[int | None] = []
    now: int | None = 0
    begins = 0
    for message in row:
        now = None if now is None or message.after is None else now + message.after
        if now is None:
            times, now, begins = [], 0, 0
        counted = [group for group in message.send.together if _counts(group, kind, channel)]
        for _ in counted:
            while begins < len(times) and now - (times[begins] or 0) >= window:
                begins += 1
            if len(times) - begins >= count:
                return message
            times.append(now)
    return None


def _counts(group: tuple[model.Delivery, ...], kind: str, channel: str | None) -> bool:
    """Whether one of a row of alternatives certainly counts, should any go."""
    return all(each.kind == kind and (channel is None or each.channel == channel) for each in group)


def _row(rule: CheckedRule) -> Iterator[_Message]:
    """The sends that every journey comes to, in order."""
    made: dict[int, list[model.Step]] = {}
    for written, understood in rule.made:
        made.setdefault(id(written), []).append(understood)
    since: int | None = 0
    left = _LOOKED_AT

    def walk(steps: tuple[t.Step, ...]) -> Iterator[_Message]:
        nonlocal since, left
        for step in steps:
            if left <= 0:
                return
            match step:
                case t.Send():
                    for send in made[id(step)]:
                        if isinstance(send, model.Send):
                            yield _Message(step, send, since)
                            left -= 1
                            since = 0
                case t.Wait(duration=duration):
                    since = None if since is None else since + most(duration.period)
                case t.WaitFor(up_to=up_to):
                    since = None if since is None else since + most(up_to.period)
                case t.WaitUntil():
                    (understood,) = made[id(step)]
                    longest = longest_until(understood.moment) if isinstance(understood, model.WaitUntil) else None
                    since = None if since is None or longest is None else since + longest
                case t.Repeat(times=times, until=None, steps=inner):
                    for _ in range(min(times, left)):
                        yield from walk(inner)
                case t.If() | t.Split() | t.Repeat():
                    since = None
                case t.Stop():
                    left = 0
                case _:
                    pass

    yield from walk(rule.written.steps)
