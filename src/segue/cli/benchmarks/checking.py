"""How fast a rule book is checked: its files, its messages, and every check there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from segue.cli.benchmarks.rulebook import WORDS, write_book
from segue.language.book import check_book
from segue.language.reading import read_book
from segue.language.yardstick import bare_parse
from segue.messages.loading import load_messages

_TIMES: Final = 3
"""Each is measured so often; the best counts, since what disturbs only ever adds."""


class Checking(msgspec.Struct, frozen=True):
    """Rules that are checked in a second, and that Lark alone parses."""

    rules: int
    checked: float
    parsed: float


def measure_checking(folder: Path, rules: int) -> Checking:
    """Check a book of so many rules, read from files as in `segue check`, once the parser is built."""
    write_book(folder, rules)
    sources, _ = read_book([folder])
    parse = bare_parse([source.text for source in sources])

    def check() -> None:
        found, unreadable = read_book([folder])
        catalogue = load_messages([folder])
        messages = {name: frozenset(catalogue.names(name)) for name in WORDS.channels}
        checked = check_book(found, msgspec.structs.replace(WORDS, messages=messages))
        if unreadable or catalogue.problems or checked.diagnostics or len(checked.book.rules) != rules:
            raise RuntimeError(f"the book of {rules} rules is not right: {checked.diagnostics[:1]}")

    return Checking(rules, rules / _best(check), rules / _best(parse))


def _best(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
