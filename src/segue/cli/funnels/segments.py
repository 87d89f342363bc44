"""Channels by segment: who is in which, whom a channel may reach, and who chose it."""

from __future__ import annotations

from array import array

import numpy as np

from segue.api import Instant, Kind
from segue.cli.funnels.reading import Read
from segue.cli.segments.progress import Telling
from segue.customers.wishes import chosen_channel
from segue.measure.funnels.preferences import Contactable, Numbers, as_numbers, preferences_table
from segue.measure.funnels.results import newest
from segue.measure.table import Table
from segue.runtime.assembly import Assembly
from segue.runtime.census import Question, take
from segue.runtime.publishing import load
from segue.runtime.running import Running
from segue.runtime.suppressing import Suppressions
from segue.store.customers import load_customers
from segue.store.database import read_only

_PIECE = 5_000


def read_preferences(assembly: Assembly, read: Read, now: Instant) -> Table:
    """Which channels the customers of each published segment answer. Segments are judged as they are now."""
    path = assembly.project.database
    with read_only(path) as tx:
        running = load(tx, assembly.setting)
    names = tuple(sorted(running.segments)) if running is not None else ()
    members: dict[str, Numbers] = {}
    if running is not None and names:
        with Telling("who is in which segment") as tell:
            found = take(running, Question(path, names, (now,), listed=True), tell)
        members = {name: np.array(found[name].listed, dtype=np.int64) for name in names}
    version = newest(read.funnel)
    kind: Kind = version.program.rule.kind if version is not None else "promotional"
    standing = _standing(assembly, running, read, kind) if running is not None else Contactable({}, {})
    return preferences_table(read.funnel, members, standing)


def _standing(assembly: Assembly, running: Running, read: Read, kind: Kind) -> Contactable:
    """Whom the channels of the rule may reach now, and who chose which, of those who entered it."""
    customers = read.funnel.customers().tolist()
    channels = sorted(set().union(*(one.program.channels for one in read.funnel.versions.values())))
    if any(one.program.prefers for one in read.funnel.versions.values()):
        channels = sorted({*channels, *(name for name, spec in running.channels.items() if not spec.stands)})
    reachable = {channel: array("q") for channel in channels}
    chosen = {channel: array("q") for channel in channels}
    with Telling("at how customers may be reached") as tell:
        for start in range(0, len(customers), _PIECE):
            with read_only(assembly.project.database) as tx:
                suppressed = Suppressions(tx, None)
                for number, row in load_customers(tx, customers[start : start + _PIECE]).items():
                    wish = chosen_channel(row.traits, kind)
                    if wish is not None and wish in chosen:
                        chosen[wish].append(number)
                    for channel in channels:
                        if running.reach.refusal(channel, kind, row.traits, row.consent, suppressed.find) is None:
                            reachable[channel].append(number)
            tell(min(start + _PIECE, len(customers)), len(customers))
    return Contactable(
        {channel: as_numbers(found) for channel, found in reachable.items()},
        {channel: as_numbers(found) for channel, found in chosen.items()},
    )
