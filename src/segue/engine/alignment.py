"""Which step of an edited rule is which step of the old one.

Two steps may be the same when they are of one kind and name; they most likely are when nothing else changed either.
Of all ways to pair the steps of both texts in order, the one that leaves most of them as they were is taken. An `if`
has no name, and is known by its place. The arms of a split are paired by their names, each on its own; the splits
themselves by their names where they have one, and by what is in their arms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from segue.program import program as p

_SAME, _EDITED, _IN_PLACE, _IN_A_ROW = 1000, 600, 100, 50
"""What a pair counts: unchanged, with another content, an `if` with another condition; and more behind another pair."""


class Alignment(msgspec.Struct, frozen=True):
    """``places`` gives, for each old step, its number in the new program, None where it was removed;
    ``splits`` the new name of each old split that is still there."""

    places: tuple[int | None, ...]
    splits: dict[str, str]


def align(old: p.Program, new: p.Program) -> Alignment:
    """Pair the steps of two versions of a rule. Remembered for the edits at hand: an edit moves many journeys."""
    return _align(_Edit(old, new))


class _Edit:
    """Two versions, known by their hashes."""

    __slots__ = ("key", "new", "old")

    def __init__(self, old: p.Program, new: p.Program) -> None:
        self.old, self.new = old, new
        self.key = (old.hash, new.hash)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Edit) and self.key == other.key


def next_place(alignment: Alignment, old: p.Program, new: p.Program, removed: int) -> int:
    """Where a journey goes on that was at a step which is no more: at the next one, in the old order, that is still
    there. At the end of the block that it was in, it goes on as the old text says: past the other blocks of an `if`
    or a split, to the next turn of a `repeat`."""
    places, number = alignment.places, removed + 1
    while number < len(old.steps):
        place, step = places[number], old.steps[number]
        if place is not None:
            return place
        number += 1
        if isinstance(step, p.Jump) and step.begins <= removed:
            if step.target >= number:
                number = step.target
            elif (head := places[step.target]) is not None:
                return head
    return len(new.steps)


@lru_cache(maxsize=64)
def _align(edit: _Edit) -> Alignment:
    old, new = edit.old.steps, edit.new.steps
    places: list[int | None] = [None] * len(old)
    splits = _pair_splits(old, new)
    spans = [(range(len(old)), range(len(new)))]
    for number, partner in splits.items():
        arms = dict(_arms(new, partner))
        spans += [(span, arms[name]) for name, span in _arms(old, number) if name in arms]
    for before, after in spans:
        ours = list(_outside(old, before, set(splits)))
        theirs = list(_outside(new, after, set(splits.values())))
        for number, partner in _pair(old, ours, new, theirs, splits):
            places[number] = partner
    names: dict[str, str] = {}
    for number, partner in splits.items():
        places[number] = partner
        before_, after_ = old[number], new[partner]
        assert isinstance(before_, p.Split)
        assert isinstance(after_, p.Split)
        names[before_.name] = after_.name
    return Alignment(tuple(places), names)


def _outside(steps: Sequence[p.AnyStep], span: range, splits: set[int]) -> Iterator[int]:
    """The steps of a span that may be paired: what is in the arms of these splits is paired by arm, and no journey
    stands at the end of a block."""
    number = span.start
    while number < span.stop:
        step = steps[number]
        if not isinstance(step, p.Jump):
            yield number
        number = step.end if number in splits and isinstance(step, p.Split) else number + 1


def _arms(steps: Sequence[p.AnyStep], number: int) -> Iterator[tuple[str, range]]:
    split = steps[number]
    assert isinstance(split, p.Split)
    for (name, _, first), (_, _, after) in zip(split.arms, (*split.arms[1:], ("", 0, split.end)), strict=True):
        yield name, range(first, after)


def _pair_splits(old: Sequence[p.AnyStep], new: Sequence[p.AnyStep]) -> dict[int, int]:
    likeness = sorted(
        (-_likeness(old, number, new, partner), number, partner)
        for number, ours in enumerate(old)
        if isinstance(ours, p.Split)
        for partner, theirs in enumerate(new)
        if isinstance(theirs, p.Split)
    )
    pairs: dict[int, int] = {}
    for score, number, partner in likeness:
        if score and number not in pairs and partner not in pairs.values():
            pairs[number] = partner
    return pairs


def _likeness(old: Sequence[p.AnyStep], number: int, new: Sequence[p.AnyStep], partner: int) -> int:
    ours, theirs = old[number], new[partner]
    assert isinstance(ours, p.Split)
    assert isinstance(theirs, p.Split)
    alike = 0
    arms = dict(_arms(new, partner))
    for name, span in _arms(old, number):
        if name in arms:
            kept = Counter(_known_by(old[one]) for one in span) & Counter(_known_by(new[one]) for one in arms[name])
            alike += 2 * kept.total()
    if ours.name != theirs.name:
        return alike if ours.name.isdigit() and theirs.name.isdigit() else 0
    return alike + 1 if ours.name.isdigit() else alike + 1_000_000


def _known_by(step: p.AnyStep) -> str:
    """Kind and name, without the occurrence."""
    return step.anchor.rpartition(" ")[0]


def _weight(ours: p.AnyStep, theirs: p.AnyStep) -> int:
    if type(ours) is not type(theirs):
        return 0
    if _known_by(ours) == _known_by(theirs):
        return _SAME if ours.content == theirs.content else _EDITED
    return _IN_PLACE if isinstance(ours, p.Branch) else 0


def _pair(
    old: Sequence[p.AnyStep], ours: list[int], new: Sequence[p.AnyStep], theirs: list[int], splits: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """The pairs, in order, that count most together. Of equal steps of the new text the first
    is taken, so that nobody misses what follows it; of the old text the last, so that who stands before it goes on."""

    def weigh(number: int, partner: int) -> int:
        if isinstance(old[number], p.Split) or isinstance(new[partner], p.Split):
            return 10 * _SAME if splits.get(number) == partner else 0
        return _weight(old[number], new[partner])

    while ours and theirs and weigh(ours[-1], theirs[-1]) >= _SAME:
        yield ours.pop(), theirs.pop()
    while ours and theirs and weigh(ours[0], theirs[0]) >= _SAME:
        yield ours.pop(0), theirs.pop(0)
    width = len(theirs) + 1
    best = [[0] * width]
    paired = [[-1] * width]  # the best that ends with this very pair; -1: it is none
    for number in ours:
        above, above_paired = best[-1], paired[-1]
        row, row_paired = [0], [-1]
        for column, partner in enumerate(theirs, 1):
            weight = weigh(number, partner)
            together = -1
            if weight:
                together = weight + above[column - 1]
                if above_paired[column - 1] >= 0:
                    together = max(together, weight + above_paired[column - 1] + _IN_A_ROW)
            row_paired.append(together)
            row.append(max(together, above[column], row[-1]))
        best.append(row)
        paired.append(row_paired)
    line, column = len(ours), len(theirs)
    in_a_row = False
    while line and column:
        if not in_a_row and best[line][column - 1] == best[line][column]:
            column -= 1
        elif paired[line][column] >= 0 and (in_a_row or paired[line][column] == best[line][column]):
            yield ours[line - 1], theirs[column - 1]
            weight = weigh(ours[line - 1], theirs[column - 1])
            before = paired[line - 1][column - 1]
            in_a_row = before >= 0 and paired[line][column] == weight + before + _IN_A_ROW
            line, column = line - 1, column - 1
        else:
            line -= 1
