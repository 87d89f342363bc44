"""What came of a funnel, as tables: how soon, by how many messages, by which content and channel, and week by week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from segue.api.values import DAY
from segue.measure.funnels.counting import Funnel, values_of
from segue.measure.funnels.courses import ANSWERED, Version
from segue.measure.funnels.rates import QUANTILES, counted, interval, quantiles, share
from segue.measure.funnels.tables import ALL, add_letter
from segue.measure.table import Cell, Column, Table
from segue.messages.template import Template
from segue.program import program as p

_SECOND: Final = 1_000_000
_SHARED: Final = (
    "A conversion counts for every message that its journey was sent before; `segue attribute` shares it out."
)
FEWEST: Final = 20
"""Conversions from which on it is said whether a window fits."""
MANY_TOUCHES: Final = 20
"""From so many messages on, journeys and customers are counted together."""


def times_table(funnel: Funnel) -> Table:
    """How long it took until the first message, the goal and the end: quantiles, for each version and for all."""
    rows: list[tuple[Cell, ...]] = []
    for what, times in (
        ("entry to first message", funnel.first_touch),
        ("entry to goal", funnel.to_goal),
        ("entry to end", funnel.to_end),
    ):
        newest_first = sorted(times, key=lambda row: -funnel.versions[row].number)
        for row in (None, *(newest_first if len(newest_first) > 1 else ())):
            values = values_of(times, row)
            if not len(values):
                continue
            seconds = [None if one is None else one / _SECOND for one in quantiles(values)]
            version = ALL if row is None else str(funnel.versions[row].number)
            rows.append((funnel.rule, version, what, len(values), *seconds))
    return Table(
        "times",
        "How long it took",
        (
            Column("rule", "Rule"),
            Column("version", "Version"),
            Column("what", "From … to"),
            Column("journeys", "Journeys", "count"),
            *(Column(f"p{round(at * 100)}", _QUANTILE[at], "duration") for at in QUANTILES),
        ),
        tuple(rows),
    )


_QUANTILE: Final[Mapping[float, str]] = {0.1: "10%", 0.25: "25%", 0.5: "half", 0.75: "75%", 0.9: "90%"}


def window_table(funnel: Funnel) -> Table:
    """On which day after the entry the goal was met, of journeys whose window is over: whether the window fits."""
    days = Counter((values_of(funnel.in_window) // DAY).tolist())
    total, so_far = days.total(), 0
    rows: list[tuple[Cell, ...]] = []
    for day in sorted(days):
        so_far += days[day]
        rows.append((funnel.rule, day + 1, days[day], share(days[day], total), share(so_far, total)))
    notes = []
    if funnel.open_windows:
        notes.append(f"{counted(funnel.open_windows, 'journey')} may still meet the goal, and do not count here.")
    if (told := judge_window(funnel)) is not None:
        notes.append(told)
    return Table(
        "window",
        "When the goal was met",
        (
            Column("rule", "Rule"),
            Column("day", "Day after entry", "count"),
            Column("conversions", "Conversions", "count"),
            Column("share", "Of all", "share"),
            Column("so_far", "So far", "share"),
        ),
        tuple(rows),
        tuple(notes),
    )


def window_of(version: Version) -> int | None:
    """How long the goal of a version counts, in microseconds; None without a goal. A month is 30 days."""
    goal = version.program.goal
    if goal is None:
        return None
    return (goal.within.months * 30 + goal.within.days) * DAY + goal.within.micros


def judge_window(funnel: Funnel) -> str | None:
    """One sentence on whether the window of the current goal fits, where enough converted to tell: those in the current
    text of the rule, whose window it is."""
    version = newest(funnel)
    window = window_of(version) if version is not None else None
    if version is None or not window:
        return None
    values = values_of(funnel.in_window, version.row)
    if len(values) < FEWEST:
        return None
    late = int((values > window * 3 // 4).sum())
    if late > len(values) * 0.15:
        return (
            f"{late / len(values):.0%} of the conversions came in the last quarter of the window: "
            "a longer one may count more."
        )
    early = int((values <= window // 4).sum())
    if early > len(values) * 0.95:
        return (
            f"{early / len(values):.0%} of the conversions came in the first quarter of the window: "
            "a shorter one would do."
        )
    return "The window fits: few conversions come near its end."


def newest(funnel: Funnel) -> Version | None:
    """The version that runs, else the latest there was."""
    versions = sorted(funnel.versions.values(), key=lambda one: (one.current, one.number))
    return versions[-1] if versions else None


def touches_table(funnel: Funnel) -> Table:
    """How many messages journeys and customers got, and which journeys converted."""
    journeys: Counter[int] = Counter()
    converted: Counter[int] = Counter()
    for reach, count in funnel.reaches.items():
        if not reach.held_out:
            touches = min(reach.touches, MANY_TOUCHES)
            journeys[touches] += count
            converted[touches] += count * reach.converted
    customers: Counter[int] = Counter()
    for touches, count in funnel.touches_by_customer().items():
        customers[min(touches, MANY_TOUCHES)] += count
    rows = []
    for touches in sorted(journeys.keys() | customers.keys()):
        sure = interval(converted[touches], journeys[touches])
        rows.append(
            (
                funnel.rule,
                f"{touches} or more" if touches == MANY_TOUCHES else str(touches),
                journeys[touches],
                customers[touches],
                *(
                    (converted[touches], share(converted[touches], journeys[touches]), *sure)
                    if funnel.has_goal
                    else (None,) * 4
                ),
            )
        )
    return Table(
        "touches",
        "Messages sent to each",
        (
            Column("rule", "Rule"),
            Column("messages", "Messages"),
            Column("journeys", "Journeys", "count"),
            Column("customers", "Customers", "count"),
            Column("converted", "Converted", "count"),
            Column("conversion", "Conversion", "share"),
            Column("conversion_low", "from", "share"),
            Column("conversion_high", "to", "share"),
        ),
        tuple(rows),
        ("Who converts soon gets fewer messages: this does not say that fewer work better.",)
        if rows and funnel.has_goal
        else (),
    )


def channels_table(funnel: Funnel) -> Table:
    """Which channels were answered."""
    counts: dict[str, Counter[str]] = {}
    answered: Counter[str] = Counter()
    for letter, count in funnel.letters.items():
        if letter.fate == "sent":
            add_letter(counts.setdefault(letter.channel, Counter()), letter, count)
            answered[letter.channel] += count if letter.persons & ANSWERED else 0
    rows = []
    for channel, found in sorted(counts.items(), key=lambda one: (-one[1]["sent"], one[0])):
        low, high = interval(answered[channel], found["sent"])
        rows.append(
            (
                funnel.rule,
                channel,
                *(found[name] for name in ("sent", "delivered", "opened", "clicked", "replied")),
                answered[channel],
                share(answered[channel], found["sent"]),
                low,
                high,
            )
        )
    return Table(
        "channels",
        "Channels that are answered",
        (
            Column("rule", "Rule"),
            Column("channel", "Channel"),
            *_COUNTS,
            Column("answered", "Answered", "count"),
            Column("answer_rate", "Of sent", "share"),
            Column("answer_low", "from", "share"),
            Column("answer_high", "to", "share"),
        ),
        tuple(rows),
    )


_COUNTS: Final = tuple(
    Column(name, name.title(), "count") for name in ("sent", "delivered", "opened", "clicked", "replied")
)


def content_table(funnel: Funnel, templates: Mapping[str, Template], *, machines: bool = False) -> Table:
    """Each message by channel and language: what was done with it, and how many journeys converted after it."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    personal: dict[tuple[str, str, str], set[str]] = {}
    for letter, count in funnel.letters.items():
        if letter.fate != "sent":
            continue
        template = templates.get(letter.template)
        locale = template.language if template is not None else ""
        key = (letter.message, letter.channel, locale)
        add_letter(counts.setdefault(key, Counter()), letter, count)
        read = personal.setdefault(key, set())
        if template is not None:
            read.update(template.reads())
    given = _given(funnel)
    by_machines = ("opened by machines", "clicked by machines") if machines else ()
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    for key, found in sorted(counts.items(), key=lambda one: (-one[1]["sent"], one[0])):
        message, channel, locale = key
        names = ", ".join(sorted(personal[key] | given.get((message, channel), set())))
        if names:
            notes.append(f"{message} by {channel}{f' in {locale}' if locale else ''} reads {names}.")
        rates: list[Cell] = []
        for name in ("opened", "clicked", "converted"):
            known = name != "converted" or funnel.has_goal
            rates += [share(found[name], found["sent"]), *interval(found[name], found["sent"])] if known else [None] * 3
        rows.append(
            (
                funnel.rule,
                message,
                channel,
                locale or None,
                *(found[name] for name in ("sent", "delivered", "opened", "clicked", "replied")),
                *(found[name] for name in by_machines),
                found["converted"] if funnel.has_goal else None,
                *rates,
                names or None,
            )
        )
    return Table(
        "content",
        "Content that converts",
        (
            Column("rule", "Rule"),
            Column("message", "Message"),
            Column("channel", "Channel"),
            Column("locale", "Language"),
            *_COUNTS,
            *(Column(name.replace(" ", "_"), name.capitalize(), "count") for name in by_machines),
            Column("converted", "Converted", "count"),
            *(
                column
                for name in ("open", "click", "conversion")
                for column in (
                    Column(f"{name}_rate", f"{name.capitalize()} rate", "share"),
                    Column(f"{name}_low", "from", "share"),
                    Column(f"{name}_high", "to", "share"),
                )
            ),
            Column("personal", "Personal"),
        ),
        tuple(rows),
        (
            *((_SHARED,) if funnel.has_goal else ()),
            "Rates are of the messages sent, with the interval that holds 95%.",
            *notes,
        )
        if rows
        else (),
    )


def _given(funnel: Funnel) -> dict[tuple[str, str], set[str]]:
    """The names of the values that rules give each message, by message and channel."""
    found: dict[tuple[str, str], set[str]] = {}
    for version in funnel.versions.values():
        for step in version.program.steps:
            if isinstance(step, p.Send):
                for group in step.together:
                    for one in group:
                        names = found.setdefault((one.message, one.channel or ""), set())
                        names.update(name for name, _ in (*one.values, *one.coupons))
    return found
