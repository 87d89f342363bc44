"""A funnel as tables: how many are where, and what was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from segue.api import to_rfc3339
from segue.measure.funnels.counting import Funnel, Letter
from segue.measure.funnels.courses import CLICKED, DELIVERED, OPENED, REPLIED, Books
from segue.measure.funnels.rates import share
from segue.measure.funnels.stages import stages_of
from segue.measure.table import Cell, Column, Table
from segue.program.plain import listed

INSIDE, FINISHED, EXITED, FAILED = range(4)
"""States of journeys, by number."""
STATES: Final = ("inside", "finished", "exited", "failed")
GROUPS: Final = ("sent to", "held out")
"""Journeys that send, and those of the holdout, which run and send nothing."""
ALL: Final = "all"
LAW: Final = "In every line entered = inside + finished + exited + failed."
_SILENT: Final = 12
"""So many rules that nobody entered are named."""
_BITS: Final = (("delivered", DELIVERED), ("opened", OPENED), ("clicked", CLICKED), ("replied", REPLIED))
_BY_MACHINES: Final = (("opened", OPENED), ("clicked", CLICKED))
_OF_MACHINES: Final = tuple(
    Column(f"{name}_by_machines", f"{name.title()} by machines", "count") for name, _ in _BY_MACHINES
)


class Line(msgspec.Struct, frozen=True):
    """The journeys of a version in one group. ``entered`` is counted apart from where they are."""

    version: int
    held_out: bool
    entered: int
    states: tuple[int, int, int, int]

    @property
    def balanced(self) -> bool:
        return self.entered == sum(self.states)


def lines_of(funnel: Funnel) -> list[Line]:
    """How the journeys of each version and group stand, the latest version first."""
    entered: Counter[tuple[int, bool]] = Counter()
    states: dict[tuple[int, bool], list[int]] = {}
    for reach, count in funnel.reaches.items():
        entered[reach.version, reach.held_out] += count
    for place, count in funnel.places.items():
        if 0 <= place.state < len(STATES):
            states.setdefault((place.version, place.held_out), [0] * 4)[place.state] += count
    newest_first = sorted(entered.keys() | states.keys(), key=lambda one: (-funnel.versions[one[0]].number, one[1]))
    return [
        Line(version, held_out, entered[version, held_out], _four(states.get((version, held_out), (0, 0, 0, 0))))
        for version, held_out in newest_first
    ]


def _four(states: Sequence[int]) -> tuple[int, int, int, int]:
    inside, finished, exited, failed = states
    return inside, finished, exited, failed


def faults(funnel: Funnel, books: Books | None) -> list[str]:
    """Where entered = inside + finished + exited + failed does not hold, in sentences. ``books`` are those of all
    time, where these were asked for."""
    found = []
    for line in lines_of(funnel):
        if not line.balanced:
            number = funnel.versions[line.version].number
            found.append(
                f"version {number} of {funnel.rule}, {GROUPS[line.held_out]}: {line.entered:,} entered, but "
                f"{sum(line.states):,} are inside, finished, exited or failed"
            )
    if books is not None and not books.balanced:
        together = books.inside + books.finished + books.exited + books.failed
        found.append(
            f"{funnel.rule}, as counted when it happened: {books.entered:,} entered, but {together:,} are inside, "
            "finished, exited or failed"
        )
    if books is not None and funnel.journeys > books.entered:
        found.append(
            f"{funnel.rule}: {funnel.journeys:,} journeys are there, but only {books.entered:,} were counted when they "
            "entered"
        )
    return found


def journeys_table(funnels: Iterable[tuple[Funnel, Books | None]], *, machines: bool = False) -> Table:
    """One line for each version of each rule, and for those held out of it."""
    rows: list[tuple[Cell, ...]] = []
    notes: list[str] = []
    balanced = True
    silent: list[str] = []
    for funnel, books in funnels:
        if not funnel.journeys and any(version.current for version in funnel.versions.values()):
            silent.append(funnel.rule)
        balanced = balanced and not faults(funnel, books)
        rows += _journey_rows(funnel, machines=machines)
        if books is not None:
            notes += _gone(funnel, books)
    if rows and balanced:
        notes.insert(0, LAW)
    if silent:
        more = len(silent) - _SILENT
        names = [*silent[:_SILENT], *([f"{more:,} more"] if more > 0 else [])]
        notes.append(f"Of the rules that run nobody entered {listed(names)}.")
    columns = (
        Column("rule", "Rule"),
        Column("version", "Version"),
        Column("published", "Published", "instant"),
        Column("current", "Current"),
        Column("group", "Group"),
        Column("entered", "Entered", "count"),
        *(Column(state, state.title(), "count") for state in STATES),
        Column("moved_here", "Moved here", "count"),
        Column("sent_to", "Sent to", "count"),
        *(Column(name, name.title(), "count") for name, _ in _BITS),
        *(_OF_MACHINES if machines else ()),
        Column("converted", "Converted", "count"),
        Column("conversion", "Conversion", "share"),
    )
    return Table("journeys", "Journeys by rule and version", columns, tuple(rows), tuple(notes))


def _gone(funnel: Funnel, books: Books) -> Iterator[str]:
    """What was counted once and is not in the store any more."""
    journeys = books.entered - funnel.journeys
    if journeys > 0:
        yield (
            f"{funnel.rule}: {books.entered:,} ever entered; {journeys:,} of these journeys were deleted, by age or "
            "with their customer, and are not counted here."
        )
    messages = books.sent - sum(count for letter, count in funnel.letters.items() if letter.fate == "sent")
    if messages > 0:
        yield (
            f"{funnel.rule}: {books.sent:,} messages ever went; {messages:,} of them were deleted, or went again after "
            "they had failed, and are not counted here."
        )


def _journey_rows(funnel: Funnel, *, machines: bool) -> Iterator[tuple[Cell, ...]]:
    for line in lines_of(funnel):
        version = funnel.versions[line.version]
        ours = [
            (reach, count)
            for reach, count in funnel.reaches.items()
            if (reach.version, reach.held_out) == (line.version, line.held_out)
        ]
        converted = sum(count for reach, count in ours if reach.converted)
        aims = version.program.goal is not None or converted > 0
        yield (
            funnel.rule,
            str(version.number),
            to_rfc3339(version.published) if version.published is not None else None,
            "yes" if version.current else "no",
            GROUPS[line.held_out],
            line.entered,
            *line.states,
            funnel.moved[line.version, line.held_out] if version.published is not None else None,
            sum(count for reach, count in ours if reach.touches),
            *(sum(count for reach, count in ours if reach.persons & bit) for _, bit in _BITS),
            *(
                (sum(count for reach, count in ours if reach.machines & bit) for _, bit in _BY_MACHINES)
                if machines
                else ()
            ),
            converted if aims else None,
            share(converted, line.entered) if aims else None,
        )


class Standing(msgspec.Struct):
    """What became of the journeys that reached a step: they are here, went on, or ended here."""

    reached: int = 0
    times: int = 0
    here: int = 0
    went_on: int = 0
    ended: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0, 0])


def standings(funnel: Funnel, version: int, *, held_out: bool) -> dict[int, Standing]:
    """Each step of a version that journeys reached. The end has the number after the last."""
    found: dict[int, Standing] = {}
    for (of, held, number), step in funnel.steps.items():
        if (of, held) == (version, held_out):
            found[number] = Standing(step.reached, step.times, 0, step.passed)
    for place, count in funnel.places.items():
        if (place.version, place.held_out) == (version, held_out):
            standing = found.setdefault(place.step, Standing())
            if place.state == INSIDE:
                standing.here += count
            elif 0 <= place.state < len(STATES):
                standing.ended[place.state] += count
    return found


def letters_at(funnel: Funnel, version: int, *, held_out: bool) -> dict[int | None, Counter[str]]:
    """Of each step's messages how many were sent, skipped and so on, delivered and answered by persons."""
    found: dict[int | None, Counter[str]] = {}
    for letter, count in funnel.letters.items():
        if (letter.version, letter.held_out) == (version, held_out):
            add_letter(found.setdefault(letter.step, Counter()), letter, count)
    return found


def add_letter(to: Counter[str], letter: Letter, count: int) -> None:
    """Count messages by what became of them."""
    to["decided"] += count
    to[letter.fate] += count
    for name, bit in _BITS:
        if letter.persons & bit:
            to[name] += count
    for name, bit in _BY_MACHINES:
        if letter.machines & bit:
            to[f"{name} by machines"] += count
    if letter.after and letter.fate == "sent":
        to["converted"] += count


_OF_MESSAGES: Final = {
    "decided": ("messages", "Messages"),
    "waiting": ("waiting", "Waiting"),
    "sent": ("sent", "Sent"),
    "skipped": ("skipped", "Skipped"),
    "failed": ("refused", "Refused"),
    "unknown": ("unknown", "Unknown"),
    "delivered": ("delivered", "Delivered"),
    "opened": ("opened", "Opened"),
    "clicked": ("clicked", "Clicked"),
    "replied": ("replied", "Replied"),
    "converted": ("converted", "Converted after"),
}
"""What is told of the messages of a step: messages = waiting + sent + skipped + refused + unknown."""


def steps_table(funnel: Funnel, *, machines: bool = False) -> Table:
    """One line for each step of each version."""
    rows: list[tuple[Cell, ...]] = []
    by_machines = [f"{name} by machines" for name, _ in _BY_MACHINES] if machines else []
    for line in lines_of(funnel):
        version = funnel.versions[line.version]
        found = standings(funnel, line.version, held_out=line.held_out)
        letters = letters_at(funnel, line.version, held_out=line.held_out)
        for stage in stages_of(version.program):
            standing = found.get(stage.step, Standing())
            sent = letters.get(stage.step, Counter()) if stage.kind == "send" else None
            rows.append(
                (
                    funnel.rule,
                    str(version.number),
                    GROUPS[line.held_out],
                    stage.step,
                    stage.line,
                    stage.way or None,
                    stage.words,
                    standing.reached,
                    share(standing.reached, line.entered),
                    standing.times,
                    standing.here,
                    standing.went_on,
                    *standing.ended[FINISHED:],
                    *(None if sent is None else sent[name] for name in _OF_MESSAGES),
                    *(None if sent is None else sent[name] for name in by_machines),
                )
            )
    columns = (
        Column("rule", "Rule"),
        Column("version", "Version"),
        Column("group", "Group"),
        Column("step", "Step", "count"),
        Column("line", "Line", "count"),
        Column("way", "Way"),
        Column("words", "What happens"),
        Column("reached", "Reached", "count"),
        Column("reached_share", "Of all", "share"),
        Column("times", "Times", "count"),
        Column("here", "Here now", "count"),
        Column("went_on", "Went on", "count"),
        Column("finished", "Finished here", "count"),
        Column("exited", "Exited here", "count"),
        Column("failed", "Failed here", "count"),
        *(Column(column, title, "count") for column, title in _OF_MESSAGES.values()),
        *(_OF_MACHINES if machines else ()),
    )
    return Table("steps", "Steps", columns, tuple(rows))
