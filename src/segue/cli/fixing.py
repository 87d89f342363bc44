"""Rule files that were fixed or formatted: shown as a difference, or written so that nobody sees half of one."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from segue.diagnostics.render.printable import printable
from segue.language.book import Source
from segue.runtime.assembly import MendedBook

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_RED, _GREEN, _CYAN, _BOLD, _OFF = "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m"


def changed(mended: MendedBook) -> list[tuple[Source, Source]]:
    """The files that the fixes change: as they are, and as they would be."""
    pairs = zip(mended.before, mended.after, strict=True)
    return [(before, after) for before, after in pairs if before.text != after.text]


def difference(before: Source, after: Source, *, colour: bool = False) -> str:
    """The change of a file as a unified diff, which `patch` takes; coloured for a terminal, which gets no control
    characters from the file."""
    path = Path(before.path).as_posix()
    out: list[str] = []
    lines = unified_diff(_LINE.findall(before.text), _LINE.findall(after.text), path, path)
    for number, line in enumerate(lines):
        whole = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        out.append(_painted(whole, heads=number < 2) if colour else whole)
    return "".join(out)


def _painted(line: str, *, heads: bool) -> str:
    tint = _BOLD if heads else {"-": _RED, "+": _GREEN, "@": _CYAN}.get(line[0], "")
    return f"{tint}{printable(line.rstrip())}{_OFF if tint else ''}\n"


def write(before: Source, after: Source) -> None:
    """Put the new text in the file's place at once, with the mode that the file has.

    Raises OSError where that fails or the file is write-protected, FileChanged where it is no longer what was read.
    """
    path = Path(before.path).resolve()  # behind a link the file is written, and the link stays
    if path.read_bytes() != before.text.encode():
        raise FileChanged
    if not os.access(path, os.W_OK):
        # A folder that may be written would let it be replaced all the same.
        raise PermissionError(errno.EACCES, "it is write-protected")
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
    """The file was changed after it was read."""
