"""The steps of a version in the words of `segue graph` and `segue explain`, in the order of the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

import msgspec

from segue.measure.funnels.courses import Version
from segue.program.picture.chart import Box, Fork, Item, Turns, draw_chart
from segue.program.picture.chart import Kind as BoxKind
from segue.program.program import Program


class Stage(msgspec.Struct, frozen=True):
    """One step. ``depth`` is how many blocks it stands in, ``way`` the label of the way that begins with it, ``line``
    its line in the rule's file."""

    step: int
    line: int
    depth: int
    kind: BoxKind
    title: str
    detail: str
    way: str = ""

    @property
    def words(self) -> str:
        """What it does, in one line."""
        return f"{self.title}: {self.detail}" if self.detail else self.title


def stages_of(program: Program) -> tuple[Stage, ...]:
    """All steps of a version."""
    return tuple(_stages(program, draw_chart(program).items, 0, ""))


def stages_by_version(versions: Mapping[int, Version]) -> dict[int, dict[int, Stage]]:
    """The steps of each version by number."""
    return {row: {stage.step: stage for stage in stages_of(version.program)} for row, version in versions.items()}


def _stages(program: Program, items: Sequence[Item], depth: int, way: str) -> Iterator[Stage]:
    for item in items:
        match item:
            case Box():
                yield _stage(program, item, depth, way)
            case Fork(box=box, ways=ways):
                yield _stage(program, box, depth, way)
                for one in ways:
                    yield from _stages(program, one.items, depth + 1, one.label)
            case Turns(box=box, items=inner):
                yield _stage(program, box, depth, way)
                yield from _stages(program, inner, depth + 1, "each time")
            case _:
                assert_never(item)
        way = ""


def _stage(program: Program, box: Box, depth: int, way: str) -> Stage:
    assert box.step is not None, "below the beginning every box is of a step"
    line = program.steps[box.step].line
    return Stage(box.step, line, depth, box.kind, box.title, box.detail, way)
