"""The contact policy: whether a message may go now, later, or not at all.

The laws:

1. Lines are asked in one order: quiet hours, then limits and spacing, then the budget; within these as written. The
   first line that does not let the message through decides.
2. A limit counts messages of the policy's kind to one customer. A message takes its slot in the moment it is claimed,
   and keeps it until the same time of the clock, one period later, to the microsecond: windows roll, and are open at
   their beginning.
3. A line that defers does so until the earliest moment at which it can let the message through, and at most for as long
   as it says, counted from the first time it held this message back; never longer than the message's ``within``. At
   that last moment the message is looked at once more, and then dropped in the line's words.
4. Of two messages that may go now and want one slot, the one that was due earlier goes, whatever its channel and
   whoever looks first; of those due in one moment, by the names of their rules, then in the order of the text.
5. How often a customer wants to hear at most is a limit like any other, asked before those of the project; it holds
   where the project has no policy, too.
6. Transactional messages pass. What stands until it is taken back (an audience, a banner) takes no slot, and passes
   quiet hours, limits and spacing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from math import ceil
from typing import Final, assert_never

import msgspec

from segue.api import Instant, Kind, Money, Period, to_rfc3339
from segue.api.values import DAY, SECOND
from segue.language import model as m
from segue.program.calendar import add_elapsed, at_wall, find_zone, local, window_closes, within_window
from segue.program.wording import word_clock, word_period

MILLIONTHS: Final = 1_000_000
"""Money is counted in millionths of its currency: an SMS costs 0.0625, and a sum must be exact."""

Line = m.Quiet | m.Limit | m.Space | m.Budget


class Taken(msgspec.Struct, frozen=True):
    """A slot: when a message was claimed, on which channel, for which rule. ``row`` is the message. ``due`` is since
    when a message has been due that is before this one in the line and will be claimed in a moment; None: it was."""

    at: Instant
    channel: str
    rule: str
    row: int
    due: Instant | None = None

    @property
    def words(self) -> str:
        """Whose slot it is, by name, and since when: to the second."""
        return f"{self.rule} at {_second(self.at)}"


def _second(at: Instant) -> str:
    return to_rfc3339(Instant(at // SECOND * SECOND))


class Asking(msgspec.Struct, frozen=True):
    """A message in the moment of its claim. ``zone`` is its customer's, ``cost`` what the channel takes for it,
    ``held`` since when each line, by its words, has held it back. ``stands``: its channel's messages stay until they
    are taken back."""

    channel: str
    kind: Kind
    expires: Instant
    zone: tzinfo
    cost: Money | None = None
    stands: bool = False
    held: Mapping[str, Instant] = {}


class Go(msgspec.Struct, frozen=True):
    """It may go. ``checks`` are the lines asked, each with the value seen."""

    checks: tuple[str, ...] = ()


class Defer(msgspec.Struct, frozen=True):
    """It waits until a moment, and is then looked at anew. ``words`` are the line's, ``reason`` says more."""

    until: Instant
    words: str
    reason: str
    checks: tuple[str, ...]


class Drop(msgspec.Struct, frozen=True):
    """It does not go. ``words`` are the line's, ``reason`` says more."""

    words: str
    reason: str
    checks: tuple[str, ...]


Verdict = Go | Defer | Drop

Spent = Callable[[str, date, date], int]
"""What was spent on messages of the kind in a currency, from one day up to and without another, in millionths."""


class _Look(msgspec.Struct, frozen=True):
    """What one line saw. ``holds``: it does not let the message through before ``free`` (None: nobody knows when), and
    ``because`` names what is in the way."""

    value: str
    holds: bool = False
    free: Instant | None = None
    because: str = ""


def in_words(policy: m.Policy) -> tuple[tuple[Line, str], ...]:
    """The lines of a policy in the order in which they are asked, each with its words. Once for a batch is enough."""
    return tuple((line, word_line(line)) for line in in_order(policy.lines))


def judge(
    lines: Iterable[tuple[Line, str]], asking: Asking, taken: Sequence[Taken], spent: Spent, home: tzinfo, now: Instant
) -> Verdict:
    """Whether a message may go now, by the lines of `in_words`. ``taken`` are the slots that messages of this kind to
    this customer hold, at least those of the longest window; ``home`` is the project's zone, whose days a budget counts
    by."""
    if asking.kind == "transactional":
        return Go()
    checks: list[str] = []
    for line, words in lines:
        if asking.stands and not isinstance(line, m.Budget):
            continue
        look = _look(line, asking, taken, spent, home, now)
        checks.append(f"{words}: {look.value}")
        if look.holds:
            return _held_back(line, f"{words} ({asking.kind})", look, asking, tuple(checks), now)
    return Go(tuple(checks))


def in_order(lines: Iterable[Line]) -> list[Line]:
    """The lines in the order in which they are asked."""
    return sorted(lines, key=rank)


def rank(line: Line) -> int:
    """The place of a line in the order in which lines are asked."""
    match line:
        case m.Quiet():
            return 0
        case m.Limit() | m.Space():
            return 1
        case m.Budget():
            return 2
        case _:
            assert_never(line)


def _held_back(
    line: Line, words: str, look: _Look, asking: Asking, checks: tuple[str, ...], now: Instant
) -> Defer | Drop:
    reason = f"{words}, {look.because}" if look.because else words
    if line.overflow.action == "drop":
        return Drop(words, reason, checks)
    last = asking.expires
    if line.overflow.longest is not None:
        last = min(last, add_elapsed(asking.held.get(words, now), line.overflow.longest, asking.zone))
    if now >= last:
        return Drop(words, reason, checks)
    until = last if look.free is None else min(look.free, last)
    return Defer(until, words, f"{reason}, until {to_rfc3339(until)}", checks)


def _look(line: Line, asking: Asking, taken: Sequence[Taken], spent: Spent, home: tzinfo, now: Instant) -> _Look:
    match line:
        case m.Quiet(start=start, end=end, zone=zone):
            return _quiet(start.minute, end.minute, _zone(zone, asking.zone), now)
        case m.Limit(channel=channel):
            if channel is not None and channel != asking.channel:
                return _Look("another channel")
            return _limit(line, [one for one in taken if channel in (None, one.channel)], asking.zone, now)
        case m.Space(period=period):
            return _space(period, taken, asking.zone, now)
        case m.Budget(amount=amount, per=per):
            return _budget(amount, per, asking.cost, spent, home, now)
        case _:
            assert_never(line)


def _zone(name: str | None, customer: tzinfo) -> tzinfo:
    return (find_zone(name) or customer) if name is not None else customer


def _quiet(start: int, end: int, zone: tzinfo, now: Instant) -> _Look:
    clock = f"{local(now, zone):%H:%M}"
    if not within_window(now, start, end, zone):
        return _Look(clock)
    return _Look(clock, True, window_closes(now, start, end, zone))


def _limit(limit: m.Limit, taken: Sequence[Taken], zone: tzinfo, now: Instant) -> _Look:
    free, latest = [], None
    for one in taken:
        until = add_elapsed(one.at, limit.per, zone)
        if until > now:
            free.append(until)
            if latest is None or one.at >= latest.at:
                latest = one
    value = f"{len(free)} of {limit.count} taken"
    if len(free) < limit.count or latest is None:
        return _Look(value)
    value = f"{value}, the latest by {latest.words}{_line_before(taken)}"
    return _Look(value, True, sorted(free)[len(free) - limit.count], f"taken by {latest.words}")


def _line_before(taken: Sequence[Taken]) -> str:
    """Who of those before a message is still in the line, and why they are before it."""
    waiting = [f"{one.rule} is due since {_second(one.due)} and goes first" for one in taken if one.due is not None]
    return "".join(f", {words}" for words in dict.fromkeys(waiting))


def _space(period: Period, taken: Sequence[Taken], zone: tzinfo, now: Instant) -> _Look:
    latest = max(taken, key=lambda one: one.at, default=None)
    if latest is None:
        return _Look("nothing before")
    free = add_elapsed(latest.at, period, zone)
    value = f"the last went at {to_rfc3339(latest.at)}, by {latest.rule}{_line_before(taken)}"
    return _Look(value, True, free, f"after {latest.words}") if free > now else _Look(value)


def _budget(amount: Money, per: Period, cost: Money | None, spent: Spent, home: tzinfo, now: Instant) -> _Look:
    first, end = budget_days(per, local(now, home).date())
    before = spent(amount.currency, first, end)
    asked = to_millionths(cost) if cost is not None and cost.currency == amount.currency else 0
    value = f"{word_millionths(before, amount.currency)} spent"
    if asked == 0 or before + asked <= to_millionths(amount):
        return _Look(value)
    return _Look(value, True, at_wall(end, 0, home))


def budget_days(per: Period, today: date) -> tuple[date, date]:
    """The calendar days a budget counts together with a day: from the first up to and without the second. ``1d`` is
    that day, ``7d`` the week from Monday, ``1mo`` the month; several of them follow each other from 1970 on. What is
    shorter than a day is one."""
    if per.months:
        block = (today.year * 12 + today.month - 1) // per.months * per.months
        return _month(block), _month(block + per.months)
    length = max(1, per.days)
    origin = date(1970, 1, 5) if length % 7 == 0 else date(1970, 1, 1)
    first = today - timedelta(days=(today - origin).days % length)
    return first, first + timedelta(days=length)


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def to_millionths(money: Money) -> int:
    """An amount as it is counted, rounded up."""
    return ceil(money.amount * MILLIONTHS)


def word_millionths(amount: int, currency: str) -> str:
    """``12.40 EUR``: two places, more where they say something."""
    whole, rest = divmod(abs(amount), MILLIONTHS)
    places = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{places} {currency}"


def word_line(line: Line) -> str:
    """A line of a policy in the words of the language, without what it does to a message it holds back."""
    match line:
        case m.Quiet(start=start, end=end, zone=zone):
            return f"quiet {word_clock(start)} to {word_clock(end)} {zone or 'local'}"
        case m.Limit(count=count, channel=channel, per=per):
            return f"limit {count} {channel or 'messages'} per {word_period(per)}"
        case m.Space(period=period):
            return f"space {word_period(period)}"
        case m.Budget(amount=amount, per=per):
            return f"budget {amount.amount:f} {amount.currency} per {word_period(per)}"
        case _:
            assert_never(line)


def counts_slots(words: str) -> bool:
    """Whether a line, by its words, holds messages back since others took their slots: one given back frees them."""
    return words.startswith(("limit ", "space "))


def counts_money(words: str) -> bool:
    """Whether a line, by its words, holds messages back since there is no money left: some that is given back frees
    them."""
    return words.startswith("budget ")


def goes_by_clock(words: str) -> bool:
    """Whether a line, by its words, holds messages back by the clock, which may be another one elsewhere."""
    return words.startswith("quiet ")


def longest_window(lines: Iterable[Line]) -> int:
    """For how long slots matter to these lines, in microseconds and rather too long; 0 where none counts messages."""
    lengths = [
        (period.months * 31 + period.days + 1) * DAY + period.micros
        for line in lines
        if (period := line.per if isinstance(line, m.Limit) else line.period if isinstance(line, m.Space) else None)
    ]
    return max(lengths, default=0)
