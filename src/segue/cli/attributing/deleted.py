"""What retention has deleted of what is counted: said beside the figures, since nothing in them shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Literal

import msgspec

from segue.api import Instant
from segue.host.privacy import Retention
from segue.host.touchpoints import Touchpoints
from segue.measure.orders import REFUNDED
from segue.program.calendar import local
from segue.runtime.assembly import Assembly
from segue.store.database import Transaction
from segue.store.retention import Kept, load_kept
from segue.store.touchpoints import PAGES


class Deleted(msgspec.Struct, frozen=True):
    """What is missing, in a sentence each, empty where nothing is."""

    orders: str = ""
    goals: str = ""
    touches: str = ""
    messages: str = ""


def find_deleted(tx: Transaction, assembly: Assembly, since: Instant, reach: Instant) -> Deleted:
    """What the store lacks of a period that begins at ``since``, and whose touches count from ``reach`` on."""
    project = assembly.project
    cuts = _Cuts(project.retention, load_kept(tx))
    orders = {**dict.fromkeys(project.touchpoints.orders, "orders"), REFUNDED: "refunds"}
    touches = cuts.of_events(_touching(project.touchpoints))
    messages = cuts.of_messages
    zone = assembly.setting.zone
    return Deleted(
        orders=_say(cuts.of_events(orders), since, zone, "they are not counted"),
        goals=_say({"journeys": cuts.of("journeys")}, since, zone, "their goals are not counted"),
        touches=_say(
            {**touches, "messages": messages}, reach, zone, "they are on no path, and their credit went to others"
        ),
        messages=_say({"messages": messages}, since, zone, "they are not counted"),
    )


def _touching(settings: Touchpoints) -> dict[str, str]:
    """Events that are touches, and what people call these."""
    pages = dict.fromkeys(PAGES, "visits") if settings.visits else {}
    return {**pages, **{name: f"{contact.what.title}s" for name, contact in settings.events.items()}}


class _Cuts:
    """Before which moment sweeps have deleted what; 0 where nothing is gone."""

    def __init__(self, keeping: Retention, kept: Mapping[str, Kept]) -> None:
        self._keeping = keeping
        self._kept = {sort: one for sort, one in kept.items() if one.deleted}

    def _cut(self, sort: str, span: int | None) -> int:
        known = self._kept.get(sort)
        return known.began - span if known is not None and span is not None else 0

    def of(self, sort: Literal["messages", "journeys"]) -> int:
        """Of messages by their own age, or of journeys."""
        return self._cut(sort, getattr(self._keeping, sort))

    @property
    def of_messages(self) -> int:
        """Messages go by their own age, or with their journey."""
        return max(self.of("messages"), self.of("journeys"))

    def of_events(self, names: Mapping[str, str]) -> dict[str, int]:
        """Of events, by what each of ``names`` is called."""
        keeping = self._keeping
        cuts: dict[str, int] = {}
        for name, called in names.items():
            cut = self._cut("events", keeping.by_event.get(name, keeping.events))
            cuts[called] = max(cut, cuts.get(called, 0))
        return cuts


def _say(cuts: Mapping[str, int], after: Instant, zone: tzinfo, therefore: str) -> str:
    days: dict[str, list[str]] = {}
    for name, cut in cuts.items():
        if cut > after:
            days.setdefault(local(Instant(cut), zone).date().isoformat(), []).append(name)
    if not days:
        return ""
    what = "; ".join(f"{', '.join(names)} from before {day}" for day, names in sorted(days.items()))
    return f"Deleted by age, as [retention] says: {what}. So {therefore}."
