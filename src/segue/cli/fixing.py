"""The files of ``segue check --fix``: shown as a difference, or written so that nobody sees half of one."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from segue.diagnostics.render.printable import printable
from segue.language.book import Source
from segue.runtime.assembly import MendedBook

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_OFF: Final = "\x1b[0m"


def changed(mended: MendedBook) -> list[tuple[Source, Source]]:
    """The files that the fixes change: as they are, and as they would be."""
    pairs = zip(mended.before, mended.after, strict=True)
    return [(before, after) for before, after in pairs if before.text != after.text]


def difference(before: Source, after: Source) -> Iterator[str]:
    """The change of a file as a unified diff, which `patch` takes."""
    path = Path(before.path).as_posix()
    for line in unified_diff(_LINE.findall(before.text), _LINE.findall(after.text), path, path):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def painted(line: str) -> str:
    """A line of a difference for a terminal: what goes in red, what comes in green."""
    tint = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}.get(line[:1], "")
    return f"{tint}{printable(line.rstrip())}{_OFF if tint else ''}\n"


def write(before: Source, after: Source) -> None:
    """Put the new text in the file's place at once, with the mode that the file has.

    Raises OSError where that fails, FileChanged where the file is no longer what was checked.
    """
    path = Path(before.path).resolve()  # behind a link the file is written, and the link stays
    if path.read_bytes() != before.text.encode():
        raise FileChanged
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "wb") as file:
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.write(after.text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


class FileChanged(Exception):
    """The file was changed while it was checked."""
