"""Customers inside the rules that an edit changes: at which step they are, and where each would go.

This is asked of the engine itself: what `follow` gives for a journey is where that journey goes. The store is read in
pieces, each a short look of its own, so that a daemon that uses it is not held up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal

import msgspec

from segue.api import Instant
from segue.engine.alignment import align, next_place
from segue.engine.follow import follow
from segue.engine.journey import Decide, Journey
from segue.program import program as p
from segue.program.program import Program
from segue.program.sentences import word_step
from segue.runtime.people import Person
from segue.runtime.running import Running
from segue.runtime.sweeping import REMOVED
from segue.runtime.turn import Turn
from segue.store import journeys as journey_rows
from segue.store.database import Transaction
from segue.store.journeys import Standing

Look = Callable[[], AbstractContextManager[Transaction]]
"""Opens one short look at the store."""

Fate = Literal["keeps", "stays", "moves", "goes on", "finishes", "exits", "fails"]
"""What becomes of customers at a step: they keep the old text, stay at the same step of the new one, move to the next
one that is still there, go on from it at once, or leave the rule."""

_PIECE = 2000
_COUNTED = 20_000


class Move(msgspec.Struct, frozen=True):
    """Customers at one step who fare alike. ``step`` is its place among the steps of the text they are in, from 1,
    ``text`` its words; ``to`` and ``to_text`` likewise in the new text, 0 and empty where they leave or keep the old
    one. ``removed``: the new text has no such step. ``messages`` are decided for them at once."""

    step: int
    text: str
    fate: Fate
    customers: int
    to: int = 0
    to_text: str = ""
    reason: str = ""
    removed: bool = False
    messages: int = 0


class Inside(msgspec.Struct, frozen=True):
    """Everyone inside one rule that is changed or removed. ``on_edit`` is what its new text says, None where the rule
    is removed; ``steps`` are those of the new text, in words."""

    rule: str
    on_edit: Literal["finish", "follow"] | None
    customers: int
    moves: tuple[Move, ...]
    steps: tuple[str, ...] = ()

    def count(self, *fates: Fate) -> int:
        """How many fare so."""
        return sum(move.customers for move in self.moves if move.fate in fates)

    @property
    def skipping(self) -> int:
        """How many were at a step that the new text does not have."""
        return sum(move.customers for move in self.moves if move.removed)


def look_inside(
    look: Look, running: Running, now: Instant, rules: Mapping[str, Program | None], *, one_by_one: bool = True
) -> tuple[Inside, ...]:
    """Who is inside these rules, and where they would go as ``running``, the book as it would be, is published at
    ``now``. ``rules`` gives the new program of each, None where it is removed. Unless they are asked ``one_by_one``,
    which takes a while for a million, those who follow an edit are told by their step alone, and not whether they go
    on from it at once."""
    with look() as tx:
        inside = journey_rows.programs_inside(tx)
    fates: dict[str, Counter[Move]] = {rule: Counter() for rule in rules}
    followed = [content for content, rule in inside.items() if one_by_one and _follows(rules.get(rule), content)]
    counted = [content for content, rule in inside.items() if rule in rules and content not in followed]
    for content, step, count in _counts(look, counted):
        rule = inside[content]
        fates[rule][_kept(running.programs.get(content), content, step, rules[rule])] += count
    _follow_all(look, running, now, followed, rules, fates)
    return tuple(
        Inside(
            rule,
            program.rule.on_edit if program is not None else None,
            counts.total(),
            tuple(
                msgspec.structs.replace(move, customers=count, messages=move.messages * count)
                for move, count in sorted(counts.items(), key=lambda one: _order(one[0]))
            ),
            tuple(word_with_message(step) for step in program.steps if not isinstance(step, p.Jump)) if program else (),
        )
        for rule, program in rules.items()
        for counts in (fates[rule],)
    )


def _order(move: Move) -> tuple[int, int, str, str]:
    return move.step, move.to, move.fate, move.reason


def _follows(program: Program | None, content: str) -> bool:
    return program is not None and program.rule.on_edit == "follow" and program.hash != content


def _counts(look: Look, programs: list[str]) -> list[tuple[str, int, int]]:
    """How many journeys are at each step of these programs."""
    totals: Counter[tuple[str, int]] = Counter()
    after: Standing | None = (0, 0)
    while after is not None and programs:
        with look() as tx:
            counts, after = journey_rows.count_steps(tx, programs, after, _COUNTED)
        totals += counts
    return [(content, step, count) for (content, step), count in totals.items()]


def _kept(old: Program | None, content: str, step: int, new: Program | None) -> Move:
    """What becomes of those at a step, as far as the step says."""
    number, text = place_of(old, step)
    if new is None:
        return Move(number, text, "exits", 0, reason=REMOVED)
    if new.hash == content:
        return Move(number, text, "stays", 0, number, text)
    if old is None or not _follows(new, content):
        return Move(number, text, "keeps", 0)
    alignment = align(old, new)
    there = alignment.places[step]
    to, to_text = place_of(new, there if there is not None else next_place(alignment, old, new, step))
    if there is None and not to:
        return Move(number, text, "finishes", 0, removed=True)
    return Move(number, text, "moves" if there is None else "stays", 0, to, to_text, removed=there is None)


def _follow_all(
    look: Look,
    running: Running,
    now: Instant,
    programs: list[str],
    rules: Mapping[str, Program | None],
    fates: dict[str, Counter[Move]],
) -> None:
    after: Standing | None = (0, 0)
    while after is not None and programs:
        with look() as tx:
            found, after = journey_rows.load_inside_after(tx, programs, after, _PIECE)
            turn = Turn(tx, running, now)
            turn.load([customer for customer, _ in found])
            turn.load_ahead(journey for _, journey in found)
            for customer, journey in found:
                new = rules[journey.rule]
                assert new is not None
                fates[journey.rule][_follow(running, new, journey, turn.people[customer], now)] += 1


def _follow(running: Running, new: Program, journey: Journey, person: Person, now: Instant) -> Move:
    old = running.programs.get(journey.program)
    number, text = place_of(old, journey.step)
    if old is None:
        return Move(number, text, "fails", 0, reason="its program is missing from the store")
    try:
        after, effects = follow(old, new, journey, person.facts, now)
    except Exception as error:  # as it would in the daemon: the journey fails, and no other
        return Move(number, text, "fails", 0, reason=f"{type(error).__name__}: {error}")
    there = align(old, new).places[journey.step]
    messages = sum(isinstance(effect, Decide) for effect in effects)
    if after.state != "inside":
        fate: Fate = {"finished": "finishes", "exited": "exits", "failed": "fails"}[after.state]  # type: ignore[assignment]
        return Move(number, text, fate, 0, reason=after.reason, removed=there is None, messages=messages)
    to, to_text = place_of(new, after.step)
    fate = "moves" if there is None else "stays" if after.step == there else "goes on"
    return Move(number, text, fate, 0, to, to_text, removed=there is None, messages=messages)


def place_of(program: Program | None, step: int) -> tuple[int, str]:
    """A step's place among those that are written, from 1, and its words."""
    if program is None or step >= len(program.steps):
        return 0, "the end"
    written = sum(not isinstance(one, p.Jump) for one in program.steps[: step + 1])
    return max(written, 1), word_with_message(program.steps[step])


def word_with_message(step: p.AnyStep) -> str:
    """A step in words; a send of one message with its name."""
    words = word_step(step)
    if isinstance(step, p.Send):
        messages = {one.message for group in step.together for one in group}
        return f'{words} "{messages.pop()}"' if len(messages) == 1 else words
    return words
