"""Surveys of all customers, beside a daemon that goes on: counts, lists, and what came and went on past days.

Each piece of the customers is one short look at the database, so that the log of writes does not grow meanwhile. With
many customers two processes share them. Whatever is asked of the past is asked of the history there is, with the traits
and the consent that customers have now: of these no earlier state is kept.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from segue.api import Instant
from segue.runtime.running import Running
from segue.runtime.surveying import PIECE, Surveyor
from segue.runtime.turn import Turn
from segue.store.crowds import customers_with
from segue.store.database import read_only
from segue.store.schedules import load_customers_in, newest_customer

_SHARED: Final = 100_000
"""Customers from whose number on processes share the work."""
_WORKERS: Final = min(os.cpu_count() or 1, 4)
_EVENTS: Final = 2_000_000
"""Events that a process holds at once: about 100 MB."""
_RANGES: Final = 10
"""Ranges of customers that are surveyed one after another, or beside each other, at the least."""

Progress = Callable[[int, int], None]
"""Told how many customers have been looked at, and of how many."""


class Counted(msgspec.Struct):
    """What came of a survey of one segment. ``members`` are counts at each moment, ``entered`` and ``departed`` the
    changes from each moment to the next. ``alone`` is how often a customer was judged alone. ``listed`` are the numbers
    of the members at the last moment, where they were asked for; ``failed`` how many the condition raised for."""

    members: list[int]
    entered: list[int]
    departed: list[int]
    alone: int = 0
    failed: int = 0
    listed: list[int] = []

    def add(self, other: Counted) -> None:
        """The same for other customers, too."""
        for mine, theirs in (
            (self.members, other.members),
            (self.entered, other.entered),
            (self.departed, other.departed),
        ):
            mine[:] = [one + two for one, two in zip(mine, theirs, strict=True)]
        self.alone += other.alone
        self.failed += other.failed
        self.listed = self.listed + other.listed


class Question(msgspec.Struct, frozen=True):
    """Which segments are surveyed, at which moments (in order), and whether members are listed. With ``dues`` it is
    also found when time alone may change a membership, as the index needs it."""

    path: Path
    names: tuple[str, ...]
    moments: tuple[Instant, ...]
    listed: bool = False
    dues: bool = False


def take(running: Running, question: Question, tell: Progress) -> dict[str, Counted]:
    """Survey all customers."""
    with read_only(question.path) as tx:
        last = newest_customer(tx)
        size = min(customers_with(tx, _EVENTS), max(PIECE, -(-last // _RANGES)))
    ranges = [(first, min(first + size, last)) for first in range(0, last, size)]
    total = {name: _nothing(question) for name in question.names}
    done = 0
    for upto, found in _surveyed(running, question, ranges, shared=last >= _SHARED):
        done += upto
        tell(min(done, last), last)
        for name, one in found.items():
            total[name].add(one)
    for one in total.values():
        one.listed.sort()
    return total


def _nothing(question: Question) -> Counted:
    moments = len(question.moments)
    return Counted([0] * moments, [0] * (moments - 1), [0] * (moments - 1))


def _surveyed(
    running: Running, question: Question, ranges: Sequence[tuple[int, int]], *, shared: bool
) -> Iterator[tuple[int, dict[str, Counted]]]:
    if not shared or _WORKERS == 1 or "fork" not in multiprocessing.get_all_start_methods():
        worker = _Worker(running, question)
        for after, last in ranges:
            yield last - after, worker.survey(after, last)
        return
    # Forked, since what runs has functions in it that no pipe carries. No thread runs yet, and no database is open.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(_WORKERS, context, _begin, (running, question)) as pool:
        waiting = {pool.submit(_go_on, *one): one for one in ranges}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                after, last = waiting.pop(future)
                yield last - after, future.result()


class _Worker:
    """Surveys one range after another: what it learned of values holds on."""

    def __init__(self, running: Running, question: Question) -> None:
        self._running = running
        self._question = question
        self._surveyor = Surveyor(running, question.names)

    def survey(self, after: int, last: int) -> dict[str, Counted]:
        """Survey the customers above a number, up to another."""
        question = self._question
        total = {name: _nothing(question) for name in question.names}
        look = partial(read_only, question.path, much=True)
        histories = self._surveyor.load_histories(look, after + 1, last)
        cursor: int | None = after
        while cursor is not None and cursor < last:
            with look() as tx:
                rows, cursor = load_customers_in(tx, None, cursor, last, PIECE)
                if not rows:
                    break
                turn = Turn(tx, self._running, question.moments[-1])
                crowd = self._surveyor.gather(turn, rows, histories)
                for name in question.names:
                    before: npt.NDArray[np.bool_] | None = None
                    one = total[name]
                    for place, moment in enumerate(question.moments):
                        found = self._surveyor.look(turn, crowd, name, moment, dues=question.dues)
                        one.alone += found.alone
                        one.failed += int(found.failed.sum())
                        one.members[place] += int(found.member.sum())
                        if before is not None:
                            one.entered[place - 1] += int((found.member & ~before).sum())
                            one.departed[place - 1] += int((before & ~found.member).sum())
                        before = found.member
                    if question.listed and before is not None:
                        one.listed += crowd.numbers[before].tolist()
        return total


_workers: list[_Worker] = []
"""The worker of this process, where it is one that was forked."""


def _begin(running: Running, question: Question) -> None:
    _workers[:] = [_Worker(running, question)]


def _go_on(after: int, last: int) -> dict[str, Counted]:
    return _workers[0].survey(after, last)
