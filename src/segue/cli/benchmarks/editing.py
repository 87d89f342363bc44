"""How fast the language server answers in a long file while one types: the change, what may follow, what it means."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import msgspec

from segue.api import Instant
from segue.cli.benchmarks.rulebook import write_book
from segue.language.yardstick import bare_parse
from segue.lsp.draft import NO_PLUGINS, Draft
from segue.lsp.hover import hover
from segue.lsp.suggestions import suggest

_KEYS: Final = 30
_LINES: Final = 1_000


class Editing(msgspec.Struct, frozen=True):
    """Keys answered in a second in a file of so many ``lines``, and how often Lark alone parses the file."""

    lines: int
    answered: float
    parsed: float


def measure_editing(folder: Path, lines: int = _LINES) -> Editing:
    """Type in the middle of a file of at most so many lines; after each key ask for completion and for the meaning of a
    word, which needs the file as it is now. The median key counts."""
    write_book(folder, 1 + lines // 15)
    texts = []
    for file in sorted(folder.glob("*.rules")):
        texts.append(file.read_text("utf-8"))
        file.unlink()
    whole = "\n".join(texts)
    text = "\n".join(whole.splitlines()[:lines])
    text = text[: text.rindex("\n# ") + 1]  # each rule begins with a comment: none is cut in two
    path = str(folder.resolve() / "long.rules")
    Path(path).write_text(text, "utf-8")
    draft = Draft(folder.resolve(), None, NO_PLUGINS)
    draft.index(path)
    place = text.index("\n", len(text) // 2)
    seconds = []
    for key in range(1, _KEYS + 1):
        typed = f"{text[:place]} # {'x' * key}{text[place:]}"
        began = time.perf_counter()
        draft.write(path, typed)
        suggest(draft, path, place)
        hover(draft, path, place - 1, Instant(0))
        draft.index(path)
        seconds.append(time.perf_counter() - began)
    parse = bare_parse([text])
    began = time.perf_counter()
    parse()
    return Editing(text.count("\n"), 1 / sorted(seconds)[_KEYS // 2], 1 / (time.perf_counter() - began))
