"""How fast the language server answers in a long file while one types."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import msgspec

from segue.cli.benchmarks.rulebook import write_book
from segue.language.yardstick import bare_parse
from segue.lsp.yardstick import time_answers

_KEYS: Final = 30
_LINES: Final = 1_000
_SETTINGS: Final = 'zone = "Europe/Helsinki"\n'


class Answered(msgspec.Struct, frozen=True):
    """How long answers to one kind of request took, in milliseconds: the median and the longest."""

    kind: str
    median: float
    worst: float


class Editing(msgspec.Struct, frozen=True):
    """Answers in a file of so many ``lines``, and the milliseconds in which Lark alone parses
    it."""

    lines: int
    answers: tuple[Answered, ...]
    parsed: float


def measure_editing(folder: Path, lines: int = _LINES, keys: int = _KEYS) -> Editing:
    """Type in the middle of a file of at most so many lines, and ask each kind of question after each key."""
    text = _long_text(folder, lines)
    (folder / "segue.toml").write_text(_SETTINGS, "utf-8")
    rules = folder / "rules"
    rules.mkdir()
    path = rules / "long.rules"
    path.write_text(text, "utf-8")
    seconds = asyncio.run(time_answers(folder, path, text, keys))
    answers = tuple(
        Answered(kind, sorted(took)[len(took) // 2] * 1000, max(took) * 1000) for kind, took in seconds.items()
    )
    parse = bare_parse([text])
    parsed = []
    for _ in range(5):
        began = time.perf_counter()
        parse()
        parsed.append(time.perf_counter() - began)
    return Editing(text.count("\n"), answers, min(parsed) * 1000)


def _long_text(folder: Path, lines: int) -> str:
    """A file of whole rules, from a book of many."""
    book = folder / "book"
    book.mkdir()
    write_book(book, 1 + lines // 12)
    whole = "\n".join(file.read_text("utf-8") for file in sorted(book.glob("*.rules")))
    text = "\n".join(whole.splitlines()[:lines])
    return text[: text.rindex("\n# ") + 1]  # each rule begins with a comment: none is cut in two
