"""What each channel did."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from segue.cli.reporting.charts import Bar, Bars
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.cells import plain
from segue.engine.sending import PREFERRED
from segue.measure.results.counts import Deed, OfChannel
from segue.measure.results.tables import channels_table, reasons_table
from segue.measure.table import Table

_REASONS = 12
_DRAWN = 20
"""Channels that are drawn; the table has more."""
_DEEDS: tuple[tuple[Deed, int], ...] = (("opened", 1), ("clicked", 2))


def sections(material: Material) -> list[Section]:
    """Channels: how much went out, what was opened and clicked, and why the rest did not go."""
    now, shown = material.now, material.shown
    table = channels_table(now)
    if not table.rows:
        missing = "No message was decided: a rule that sends something fills this."
        return [Section("channels", "What each channel did", missing=(missing,))]
    channels = now.channels()
    sent = {channel: of.sent for channel, of in channels.items()}
    drawn = dict(islice(sent.items(), _DRAWN))
    reasons = reasons_table(now)
    bars = tuple(
        Bar(_called(channel), number, f"· {_costs(material, channels[channel])}" if channels[channel].cost else "")
        for channel, number in drawn.items()
    )
    rates = tuple(
        Bar(what, now.deeds[channel, what] / number, colour=colour, group=_called(channel))
        for channel, number in drawn.items()
        if number
        for what, colour in _DEEDS
        if now.deeds[channel, what]
    )
    charts = [Bars("Messages sent", _most(material, sent), table, bars)]
    if rates:
        said = "Of the messages sent by each channel, the part that was opened, and clicked."
        charts.append(Bars("Opened and clicked, of those sent", said, table, rates, "share", whole=1.0))
    if reasons.rows:
        by_reason: Counter[str] = Counter()
        for (_, fate, reason), number in now.reasons.items():
            by_reason[plain(reason) if fate == "skipped" else f"{fate}: {reason}"] += number
        common = by_reason.most_common(_REASONS)
        times = "once" if common[0][1] == 1 else f"{shown.number(common[0][1])} times"
        said = f"The most frequent reason is “{common[0][0]}”, {times}."
        charts.append(
            Bars("Why messages did not arrive", said, reasons, tuple(Bar(name, n, colour=0) for name, n in common))
        )
    return [
        Section(
            "channels", "What each channel did", _sentences(material, sent), (), tuple(charts), (_shortened(table),)
        )
    ]


def _costs(material: Material, channel: OfChannel) -> str:
    return ", ".join(material.shown.money(float(amount), currency) for currency, amount in channel.cost.items())


def _most(material: Material, sent: dict[str, int]) -> str:
    channel = max(sent, key=lambda one: sent[one])
    cost = ", and what they cost" if material.now.cost() else ""
    few = f" The {_DRAWN} of {material.shown.number(len(sent))} that sent most." if len(sent) > _DRAWN else ""
    return f"By channel{cost}. Most went by {channel}: {material.shown.number(sent[channel])}.{few}"


def _sentences(material: Material, sent: dict[str, int]) -> tuple[str, ...]:
    shown, total = material.shown, sum(sent.values())
    decided = material.now.messages.total()
    if not total:
        if decided == 1:
            return ("The one message decided did not go out.",)
        return (f"None of the {shown.number(decided)} messages decided went out.",)
    channel = max(sent, key=lambda one: sent[one])
    most = "All messages" if sent[channel] == total else "Most messages"
    part = "" if sent[channel] == total else f": {shown.brief(sent[channel] / total)}"
    first = f"{most} went by {channel}{part}."
    held = decided - total
    if not held:
        return (first, "Everything that was decided went out.")
    return (first, f"{shown.brief(held / decided)} of those decided did not go, or not yet, for the reasons below.")


def _shortened(table: Table) -> Table:
    """A table without the counts that are nought everywhere."""
    keep = [
        at
        for at, column in enumerate(table.columns)
        if column.kind not in ("count", "share") or any(row[at] for row in table.rows)
    ]
    kept = table.only(keep)
    rows = tuple((_called(str(row[0])), *row[1:]) for row in kept.rows)
    return Table(kept.name, kept.title, kept.columns, rows, kept.notes)


def _called(channel: str) -> str:
    """A channel as people call it: ``preferred`` is what found none that the customer prefers."""
    return "no preferred channel" if channel == PREFERRED else channel
