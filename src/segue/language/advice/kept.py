"""Advice about looks at history that go further back than history is kept."""

from __future__ import annotations

from math import inf

from segue.api import Period
from segue.api.values import DAY
from segue.language import model
from segue.language import tree as t
from segue.language.items import Items
from segue.language.looking import nodes, parts
from segue.language.report import Report
from segue.language.vocabulary import Lexicon


def advise_on_kept(items: Items, lexicon: Lexicon) -> None:
    """Once for each rule or segment and event, at the look that goes furthest back. What a journey looks at since it
    began is kept for it in any case."""
    if not lexicon.words.kept:
        return
    for checked in items.rules:
        if checked.sound:
            _advise(checked.rule, checked.written, checked.report, lexicon)
    for segment in items.segments:
        _advise(segment.segment.condition, segment.written.condition, segment.report, lexicon)


def _advise(understood: model.Node, written: t.Syntax, report: Report, lexicon: Lexicon) -> None:
    reaches: dict[str, float] = {}
    for node in nodes(understood):
        if isinstance(node, model.Happened | model.Aggregate) and node.window.since != "entry":
            reaches[node.event] = max(reaches.get(node.event, 0), _reach(node.window))
    for event, reach in reaches.items():
        kept = lexicon.words.kept_for(event)
        if kept is None or reach <= kept:
            continue
        report.add(
            "W0905",
            _place(written, event, lexicon),
            f"this looks at all that ever happened, and `{event}` is kept for {_days(kept)}"
            if reach == inf
            else f"this looks {_days(reach)} back, and `{event}` is kept for {_days(kept)}",
            label="what is older is deleted",
            hint=f"look less far back, or keep it longer: {event} under [retention] in segue.toml",
        )


def _reach(window: model.Window) -> float:
    """How far back a window goes at the least, in microseconds."""
    return _length(window.period) if window.period is not None else inf


def _length(period: Period) -> int:
    return period.months * 365 * DAY // 12 + period.days * DAY + period.micros


def _days(micros: float) -> str:
    days = int(micros // DAY)
    return f"{days:,} day{'' if days == 1 else 's'}"


def _place(written: t.Syntax, event: str, lexicon: Lexicon) -> t.Syntax:
    """Where the event is looked at: a look that says how far it goes is likelier meant than one that does not."""
    found: list[tuple[bool, t.Syntax]] = []
    for part in parts(written):
        path = part.path if isinstance(part, t.History) else part
        if isinstance(path, t.Path):
            name = path.names[0].text
            if name == event or lexicon.event_sent_as(name) == event:
                found.append((isinstance(part, t.History) and part.window is not None, part))
    return max(found, key=lambda one: one[0], default=(False, written))[1]
