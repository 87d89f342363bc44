"""The files of a rule book, read from the disk: what is there, and what cannot be read."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from segue.diagnostics import Diagnostic, Span
from segue.language.book import Source

LARGEST = 16_000_000
"""The largest rule file that is read, in bytes."""


def read_book(paths: Sequence[Path]) -> tuple[tuple[Source, ...], tuple[Diagnostic, ...]]:
    """The `*.rules` files under folders, and files named themselves: each once, sorted by path.

    A file that cannot be read, or is not UTF-8, is told in a diagnostic and left out. Never raises for what is on
    the disk.
    """
    found: dict[Path, bool] = {}
    problems: list[Diagnostic] = []
    for path in paths:
        if path.is_dir():
            for file in _rule_files(path, problems):
                found.setdefault(file, False)
        else:
            found[path] = True
    sources: list[Source] = []
    for file, named in sorted(found.items()):
        source = _read_file(file, named=named)
        if isinstance(source, Source):
            sources.append(source)
        else:
            problems.append(source)
    return tuple(sources), tuple(problems)


def _rule_files(folder: Path, problems: list[Diagnostic]) -> Iterator[Path]:
    """The `*.rules` files of a folder tree. A folder that cannot be looked into is told: its rules would be missing."""

    def tell(error: OSError) -> None:
        path = str(error.filename)
        message = f"this folder cannot be read: {error.strerror or error}"
        problems.append(_unreadable(path, Span(path, 0, 0, 1, 1), message, "check its permissions"))

    for place, _, files in os.walk(folder, onerror=tell):
        yield from (Path(place, name) for name in files if name.endswith(".rules"))


def _read_file(file: Path, *, named: bool) -> Source | Diagnostic:
    """The text of a file. A pipe is read only where the user named it (``segue check <(…)``): one that lies in a folder
    would be waited for without end."""
    path = str(file)
    shown = path.encode("utf-8", "replace").decode("utf-8")
    if shown != path:
        # The name goes into records and answers, all of them UTF-8.
        span = Span(shown, 0, 0, 1, 1)
        return _unreadable(shown, span, "the name of this file is not UTF-8", "give the file another name")
    try:
        if not named and not stat.S_ISREG(file.stat().st_mode):
            span = Span(path, 0, 0, 1, 1)
            return _unreadable(path, span, "this is a pipe or a device, not a file", "move it out of the rules' folder")
        data = file.read_bytes() if file.stat().st_size <= LARGEST else None
    except OSError as error:
        return _unreadable(
            path,
            Span(path, 0, 0, 1, 1),
            f"this file cannot be read: {error.strerror or error}",
            "it is a link to a file that is not there" if file.is_symlink() else "check its name and permissions",
        )
    if data is None:
        return _unreadable(
            path,
            Span(path, 0, 0, 1, 1),
            f"this file is larger than {LARGEST // 1_000_000} MB",
            "cut it into several files",
        )
    return source_of(path, data)


def source_of(path: str, data: bytes) -> Source | Diagnostic:
    """The text in the bytes of a rule file; a diagnostic where they are not UTF-8."""
    try:
        return Source(path, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _unreadable(
                path,
                Span(path, 0, 0, 1, 1),
                "this file is UTF-16, which some editors call “Unicode”, and not UTF-8",
                "save the file as UTF-8 in your editor",
            )
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        span = Span(path, len(before), len(before) + 1, line, column)
        return _unreadable(
            path,
            span,
            f"this file is not UTF-8: the byte {data[error.start]:#04x} on line {line} does not belong to it",
            "save the file as UTF-8 in your editor",
        )


def _unreadable(path: str, span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic(severity="error", code="E0107", message=message, primary=span, hint=hint)
