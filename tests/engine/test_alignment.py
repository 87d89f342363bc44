"""Whose step is whose after an edit. A step's line says here which step it is; for the engine it means nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.api import Period
from segue.engine.alignment import align, next_place
from segue.language import model as m
from segue.program import program as p
from segue.program.program import Program, compile_rule
from tests.engine.stage import deliver, happened

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "200"))
pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)
Block = tuple[m.Step, ...]


def program(steps: Block) -> Program:
    return compile_rule(m.Rule("any", None, ("cart",), steps))


def wait(days: int, line: int = 0) -> m.Wait:
    return m.Wait(Period(days=days), None, line)


def send(message: str, line: int = 0) -> m.Send:
    return m.Send(((deliver("push", message),),), line)


def places(old: Block, new: Block) -> dict[int, int | None]:
    """The line at which each old line goes on, None at the end."""
    before, after = program(old), program(new)
    alignment = align(before, after)
    found: dict[int, int | None] = {}
    for number, step in enumerate(before.steps):
        if isinstance(step, (p.Wait, p.Send)):
            place = alignment.places[number]
            if place is None:
                place = next_place(alignment, before, after, number)
            found[step.line] = after.steps[place].line if place < len(after.steps) else None
    return found


def test_a_shortened_wait_is_the_same_wait() -> None:
    assert places((wait(7, 1), send("a", 2)), (wait(1, 1), send("a", 2))) == {1: 1, 2: 2}


def test_an_unchanged_wait_is_known_among_new_ones() -> None:
    old = (wait(7, 1), send("a", 2))
    assert places(old, (wait(1, 8), send("b", 9), wait(7, 1), send("a", 2))) == {1: 1, 2: 2}


def test_a_changed_wait_is_known_by_what_follows_it() -> None:
    old = (send("a", 1), wait(3, 2), send("b", 3), wait(4, 4), send("c", 5))
    assert places(old, (send("a", 1), wait(3, 2), send("b", 3), send("x", 9), wait(5, 4), send("c", 5))) == {
        1: 1, 2: 2, 3: 3, 4: 4, 5: 5
    }  # fmt: skip


def test_of_several_waits_that_it_could_be_now_it_is_the_first() -> None:
    old = (wait(7, 1), send("a", 2))
    assert places(old, (wait(5, 1), send("b", 8), wait(3, 9), send("c", 7))) == {1: 1, 2: None}


def test_from_a_removed_step_the_next_one_that_is_still_there_follows() -> None:
    old = (wait(1, 1), send("a", 2), wait(2, 3), send("b", 4))
    assert places(old, (wait(1, 1), send("b", 4))) == {1: 1, 2: 4, 3: 4, 4: 4}
    assert places(old, (wait(1, 1),)) == {1: 1, 2: None, 3: None, 4: None}
    assert places(old, ()) == {1: None, 2: None, 3: None, 4: None}


def vip(*steps: m.Step, otherwise: Block = (), of: str = "vip", line: int = 50) -> m.If:
    return m.If((m.Branch(m.Present(m.Trait(of, "boolean")), steps),), otherwise, line)


def test_whoever_is_inside_an_if_does_not_fall_into_its_else() -> None:
    old = (vip(wait(1, 1), send("a", 2), otherwise=(send("b", 3),)), send("c", 4))
    assert places(old, (vip(send("a", 2), otherwise=(send("b", 3),)), send("c", 4)))[1] == 2
    assert places(old, (vip(wait(1, 1), otherwise=(send("b", 3),)), send("c", 4)))[2] == 4
    assert places(old, (send("b", 3), send("c", 4))) == {1: 4, 2: 4, 3: 3, 4: 4}


def test_whoever_comes_to_an_if_with_another_condition_is_asked_it() -> None:
    old = (wait(1, 1), vip(send("a", 2), line=9), send("c", 4))
    assert places(old, (vip(send("a", 2), of="member", line=9), send("c", 4)))[1] == 9


def test_a_step_taken_out_of_an_if_or_put_into_one_is_still_that_step() -> None:
    old = (wait(1, 1), vip(wait(2, 2), send("a", 3)), send("c", 4))
    assert places(old, (wait(1, 1), wait(2, 2), send("a", 3), send("c", 4))) == {1: 1, 2: 2, 3: 3, 4: 4}
    assert places((wait(1, 1), wait(2, 2), send("a", 3), send("c", 4)), old) == {1: 1, 2: 2, 3: 3, 4: 4}


def split(name: str, *arms: tuple[str, Block], line: int = 60) -> m.Split:
    share = Decimal(100) / len(arms)
    return m.Split(name, tuple(m.Arm(share, arm, steps) for arm, steps in arms), None, line)


A, B, C = (wait(1, 1), send("x", 2)), (wait(1, 3), send("x", 4)), (wait(1, 5), send("x", 6))


def test_whoever_is_in_an_arm_stays_in_that_arm() -> None:
    old = (split("offer", ("a", A), ("b", B)), send("end", 9))
    swapped = (split("offer", ("b", B), ("a", A)), send("end", 9))
    assert places(old, swapped) == {1: 1, 2: 2, 3: 3, 4: 4, 9: 9}
    assert places(old, (split("offer", ("c", C), ("b", B)), send("end", 9))) == {1: 9, 2: 9, 3: 3, 4: 4, 9: 9}


def test_a_split_without_a_name_is_known_by_what_is_in_its_arms() -> None:
    old = (split("1", ("a", (wait(2, 1),)), ("b", (send("x", 2),))), send("end", 9))
    inserted = split("1", ("a", (wait(5, 7),)), ("b", (send("y", 8),)))
    moved = split("2", ("a", (wait(2, 1),)), ("b", (send("x", 2),)))
    new = (inserted, moved, send("end", 9))
    assert places(old, new) == {1: 1, 2: 2, 9: 9}
    assert align(program(old), program(new)).splits == {"1": "2"}


def test_a_split_that_was_decided_leaves_its_better_arm() -> None:
    old = (split("offer", ("a", (wait(2, 1), send("x", 2))), ("b", (wait(3, 3), send("y", 4)))), send("end", 9))
    assert places(old, (wait(3, 3), send("y", 4), send("end", 9))) == {1: 9, 2: 9, 3: 3, 4: 4, 9: 9}


def test_from_the_end_of_a_repeat_the_next_turn_follows() -> None:
    old = (m.Repeat(3, (send("a", 1), wait(1, 2)), None, 70), send("end", 9))
    assert places(old, (m.Repeat(3, (send("a", 1),), None, 70), send("end", 9))) == {1: 1, 2: 70, 9: 9}
    assert places(old, (send("end", 9),)) == {1: 9, 2: 9, 9: 9}


# Any edit


class Writing:
    """Texts with steps that are all different, so that nobody could take one for another."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.line = 0
        self.splits = 0

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def next(self) -> int:
        self.line += 1
        return self.line

    def block(self, depth: int, least: int, *kinds: str) -> Block:
        return tuple(self.step(depth, *kinds) for _ in range(self.draw(st.integers(least, 3))))

    def step(self, depth: int, *kinds: str) -> m.Step:
        line = self.next()
        match self.one(*(kinds or ("wait", "send", "wait for")), *(["if", "split", "repeat"] if depth else [])):
            case "wait":
                return wait(line, line)
            case "send":
                return send(f"m{line}", line)
            case "wait for":
                return m.WaitFor(happened("ordered", times=line), Period(days=1), line=line)
            case "if":
                branches = tuple(
                    m.Branch(
                        m.Compare("=", m.Trait(f"t{line}", "number"), m.Literal_(number)),
                        self.block(depth - 1, 1, *kinds),
                    )
                    for number in range(self.one(1, 1, 2))
                )
                return m.If(branches, self.block(depth - 1, 0, *kinds) if self.one(True, False) else (), line)
            case "split":
                arms = tuple(
                    m.Arm(Decimal(50), name, self.block(depth - 1, 1, *kinds)) for name in self.one("ab", "ba")
                )
                return m.Split(f"s{line}", arms, None, line)
            case _:
                return m.Repeat(line, self.block(depth - 1, 1, *kinds), None, line)


def edited(block: Block, writing: Writing, gone: set[int], *, durations: bool) -> Block:
    """Steps inserted and removed anywhere, or inserted and durations changed. A wait is not inserted: beside one that
    was removed, or changed, it would be that one changed."""
    found: list[m.Step] = []
    for step in block:
        while writing.draw(st.integers(0, 5)) == 0:
            found.append(writing.step(1, "send", "wait for"))
        match step:
            case m.If():
                branches = tuple(
                    m.Branch(one.condition, edited(one.steps, writing, gone, durations=durations))
                    for one in step.branches
                )
                otherwise = edited(step.otherwise, writing, gone, durations=durations)
                found.append(m.If(branches, otherwise, step.line))
            case m.Split():
                arms = [
                    m.Arm(one.percent, one.name, edited(one.steps, writing, gone, durations=durations))
                    for one in step.arms
                ]
                if writing.one(True, False):
                    arms.reverse()
                found.append(m.Split(step.name, tuple(arms), None, step.line))
            case m.Repeat():
                found.append(
                    m.Repeat(step.times, edited(step.steps, writing, gone, durations=durations), None, step.line)
                )
            case m.Wait() if durations:
                found.append(wait(1000 + writing.draw(st.integers(0, 400)), step.line))
            case _:
                if not durations and writing.one(True, False, False):
                    gone.add(step.line)
                else:
                    found.append(step)
    return tuple(found)


def following(block: Block, after: int | None, gone: set[int], found: dict[int, int | None]) -> int | None:
    """Where each line goes on, by the text alone; ``after`` is what follows the block. Gives where the block begins."""
    here = after
    for step in reversed(block):
        match step:
            case m.If():
                for branch in step.branches:
                    following(branch.steps, here, gone, found)
                following(step.otherwise, here, gone, found)
            case m.Split():
                for arm in step.arms:
                    following(arm.steps, here, gone, found)
            case m.Repeat():
                following(step.steps, step.line, gone, found)
            case _:
                found[step.line] = here if step.line in gone else step.line
                if step.line in gone:
                    continue
        here = step.line
    return here


def steps_at_rest(compiled: Program) -> Iterator[tuple[int, p.AnyStep]]:
    for number, step in enumerate(compiled.steps):
        if isinstance(step, (p.Wait, p.WaitFor, p.Send)):
            yield number, step


@st.composite
def edits(draw: st.DrawFn) -> tuple[Block, Block, set[int]]:
    """A text, what an edit made of it, and the lines that are gone."""
    writing = Writing(draw)
    text = writing.block(2, 1)
    gone: set[int] = set()
    return text, edited(text, writing, gone, durations=draw(st.booleans())), gone


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits())
def test_an_edit_elsewhere_moves_nobody_to_a_wrong_step(edit: tuple[Block, Block, set[int]]) -> None:
    text, new, gone = edit
    expected: dict[int, int | None] = {}
    following(text, None, gone, expected)
    before, after = program(text), program(new)
    alignment = align(before, after)
    for number, step in steps_at_rest(before):
        place = alignment.places[number]
        assert (place is None) is (step.line in gone), step.anchor
        if place is None:
            place = next_place(alignment, before, after, number)
        assert (after.steps[place].line if place < len(after.steps) else None) == expected[step.line], step.anchor


def test_a_text_is_aligned_with_itself_step_by_step() -> None:
    text = (wait(1), send("a"), split("1", ("a", A), ("b", B)), vip(wait(1), otherwise=(wait(1),)), wait(1), send("a"))
    one = program(text)
    other = compile_rule(msgspec.structs.replace(one.rule, once=m.Once()))
    kept = align(one, other).places
    assert [place for place in kept if place is not None] == [
        number for number, step in enumerate(one.steps) if not isinstance(step, p.Jump)
    ]


def test_long_texts_are_aligned_in_time() -> None:
    text: Sequence[m.Step] = [step for number in range(150) for step in (wait(number + 1), send(f"m{number}"))]
    shorter = [step for number, step in enumerate(text) if number % 7]
    assert sum(place is not None for place in align(program(tuple(text)), program(tuple(shorter))).places) == len(
        shorter
    )
