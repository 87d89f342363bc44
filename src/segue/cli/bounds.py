"""The bounds of each rule, as `segue check` shows them."""

from __future__ import annotations

from typing import Any, Final, assert_never

from segue.language import model as m
from segue.language.bounds import Binding, Bounds, bounds_of
from segue.program.wording import word_period

MANY: Final = 20
"""Rules up to which the bounds are shown without being asked for."""

_HEADS: Final = ("rule", "messages at the most", "lasts at the most", "held back by")
_WIDEST: Final = 44


def bounds_table(book: m.Book) -> str:
    """A line for each rule: its messages, its length, and what holds its messages back."""
    rows = [_row(rule.name, bounds_of(rule, book)) for rule in book.rules]
    if not rows:
        return ""
    columns = [_HEADS, *rows] if any(row[3] for row in rows) else [head[:3] for head in (_HEADS, *rows)]
    widths = [min(max(len(row[column]) for row in columns), _WIDEST) for column in range(len(columns[0]))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in columns
    )


def bounds_records(book: m.Book) -> list[dict[str, Any]]:
    """The same for ``--json``: one record for each rule."""
    return [_record(rule.name, bounds_of(rule, book)) for rule in book.rules]


def _record(rule: str, bounds: Bounds) -> dict[str, Any]:
    return {
        "rule": rule,
        "messages": bounds.messages,
        "by_channel": bounds.by_channel,
        "longest": word_period(bounds.longest) if bounds.longest is not None else None,
        "dates": list(bounds.dates),
        "policies": [_line(binding.line) for binding in bounds.policies],
        "a_week": bounds.a_week,
    }


def _row(rule: str, bounds: Bounds) -> tuple[str, ...]:
    return rule, _messages(bounds), _length(bounds), _policies(bounds)


def _messages(bounds: Bounds) -> str:
    channels = [f"{number:,} {channel}" for channel, number in bounds.by_channel.items()]
    if len(channels) == 1:
        return channels[0]
    return f"{bounds.messages:,}: {', '.join(channels)}" if channels else "none"


def _length(bounds: Bounds) -> str:
    if bounds.longest is not None:
        return word_period(bounds.longest)
    lines = ", ".join(str(line) for line in sorted(set(bounds.dates)))
    return f"until the date on line {lines}" if len(set(bounds.dates)) == 1 else f"until the dates on lines {lines}"


def _policies(bounds: Bounds) -> str:
    """The lines that may hold messages back, without the kind where there is one kind."""
    kinds = {binding.kind for binding in bounds.policies}
    words = [_bound(binding, named=len(kinds) > 1) for binding in bounds.policies]
    if bounds.a_week is not None:
        words.append(f"leaves {bounds.a_week:,} a week")
    return ", ".join(words)


def _bound(binding: Binding, *, named: bool) -> str:
    return f"{binding.kind} {_line(binding.line)}" if named else _line(binding.line)


def _line(line: m.Quiet | m.Limit | m.Space | m.Budget) -> str:
    """A line of a policy as it is written."""
    match line:
        case m.Quiet(start=start, end=end, zone=zone):
            return f"quiet {_clock(start)} to {_clock(end)}{f' {zone}' if zone else ''}"
        case m.Limit(count=count, channel=channel, per=per):
            return f"limit {count} {channel or 'messages'} per {word_period(per)}"
        case m.Space(period=period):
            return f"space {word_period(period)}"
        case m.Budget(amount=amount, per=per):
            return f"budget {amount.amount} {amount.currency} per {word_period(per)}"
        case _:
            assert_never(line)


def _clock(clock: m.Clock) -> str:
    return f"{clock.minute // 60:02}:{clock.minute % 60:02}"
