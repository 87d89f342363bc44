"""From the files of a rule book to its messages.

Content stands in ``**/messages/NAME/CHANNEL[.LOCALE].EXT`` below a rule folder. A file may begin with front matter,
``key: value`` lines between two ``---`` lines; each key is a part of the message, and so is the rest of the file.
What is wrong is reported, never raised, and costs only the message that it is about.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from segue.messages.catalogue import Catalogue, Problem, normalise
from segue.messages.rendering import RenderError, compile_part
from segue.messages.template import BODIES, Template, template_of

LARGEST = 256_000
"""Most characters in one file. Mail programs cut an email off at about 100 KB already."""

_PART_OF = {"txt": "text", "md": "text", "html": "html"}
_CHANNEL = re.compile(r"[^\W\d]\w*")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_FENCE = "---"

_Key = tuple[str, str, str | None]


class _Part(msgspec.Struct, frozen=True):
    """A part as found: its source, where it stands."""

    name: str
    source: str
    path: Path
    line: int


class _Wrong(Exception):
    """A file that cannot be used; becomes a Problem."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def load_messages(folders: Sequence[Path]) -> Catalogue:
    """Read the content below these folders. Links to folders are not followed. Never raises: see ``problems``."""
    problems: list[Problem] = []
    homes: defaultdict[str, list[Path]] = defaultdict(list)
    for home in _message_folders(folders, problems):
        homes[home.name].append(home)

    templates: dict[_Key, Template] = {}
    for name, places in sorted(homes.items()):
        if len(places) > 1:
            others = " and ".join(str(place) for place in places)
            message = f"two messages are called “{name}”: {others}. Rename one: a name is used once in a rule book"
            problems.extend(Problem(str(place), 0, message) for place in places)
            continue
        templates.update(_read_message(places[0], problems))
    return Catalogue(templates, tuple(sorted(problems, key=lambda problem: (problem.path, problem.line))))


def _message_folders(folders: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    """Folders directly below one called ``messages``, each once, even where the given folders overlap."""
    seen: set[Path] = set()
    for folder in folders:
        for place, below, files in os.walk(folder, onerror=lambda error: problems.append(_closed(error))):
            below[:] = sorted(name for name in below if not name.startswith("."))
            here = Path(place)
            if here.name != "messages":
                continue
            for stray in sorted(name for name in files if not name.startswith(".")):
                problems.append(
                    Problem(str(here / stray), 0, "content belongs in a folder with the message's name: messages/NAME/")
                )
            for name in below:
                home = here / name
                if (real := home.resolve()) not in seen:
                    seen.add(real)
                    yield home
            below.clear()


def _closed(error: OSError) -> Problem:
    said = f"this folder cannot be read, and what messages it holds is not known: {error.strerror}"
    return Problem(str(error.filename), 0, said)


def _unreadable(error: OSError) -> Problem:
    return Problem(str(error.filename), 0, f"cannot be read: {error.strerror}")


def _read_message(home: Path, problems: list[Problem]) -> dict[_Key, Template]:
    """The templates of one message folder. A bad file takes the others of its channel and locale with it: half an
    email (the text without its HTML) must not go out."""
    parts: defaultdict[_Key, list[_Part]] = defaultdict(list)
    bad: set[_Key] = set()
    try:
        paths = sorted(path for path in home.iterdir() if not path.name.startswith("."))
    except OSError as error:
        problems.append(_unreadable(error))
        return {}
    for path in paths:
        try:
            key, part = _place(home.name, path)
        except _Wrong as wrong:
            problems.append(Problem(str(path), wrong.line, str(wrong)))
            continue
        try:
            parts[key].extend(_read_file(path, part))
        except _Wrong as wrong:
            problems.append(Problem(str(path), wrong.line, str(wrong)))
            bad.add(key)

    templates = {}
    for key, found in parts.items():
        found_problems = _clashes(found)
        if not found_problems and key not in bad:
            found_problems = _faults(found)
            if not found_problems:
                sources = {part.name: part.source for part in found}
                templates[key] = template_of(*key, sources, {part.name: part.line for part in found})
        problems.extend(found_problems)
    return templates


def _place(name: str, path: Path) -> tuple[_Key, str]:
    """Which message, channel, locale and part a file is for, from its name."""
    if path.is_dir():
        raise _Wrong("a message's folder holds files, not folders: CHANNEL.EXT or CHANNEL.LOCALE.EXT")
    channel, *middle, extension = path.name.split(".") if "." in path.name else (path.name, "")
    if extension not in _PART_OF:
        known = ", ".join(f".{known}" for known in _PART_OF)
        raise _Wrong(f"files of a message end in one of {known}")
    if len(middle) > 1 or _CHANNEL.fullmatch(channel) is None:
        raise _Wrong("name the file CHANNEL.EXT or CHANNEL.LOCALE.EXT, as in email.html or email.pt-BR.html")
    locale = None
    if middle and (locale := normalise(middle[0])) is None:
        raise _Wrong(f"“{middle[0]}” is no locale; write a language, or a language and a country: fi, pt-BR")
    return (name, channel, locale), _PART_OF[extension]


def _read_file(path: Path, body: str) -> list[_Part]:
    if path.exists() and not path.is_file():
        raise _Wrong("is a pipe or a device, not a file")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _Wrong(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _Wrong("is not UTF-8 text; save it as UTF-8", line) from error
    if len(text) > LARGEST:
        raise _Wrong(f"is longer than {LARGEST:,} characters; put images and long texts behind links")
    if "\0" in text:
        raise _Wrong("holds a NUL character, which no message may", text.count("\n", 0, text.index("\0")) + 1)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parts, begin = _front_matter(path, lines)
    while begin < len(lines) and not lines[begin].strip():
        begin += 1
    source = "\n".join(lines[begin:]).rstrip()
    if source:
        parts.append(_Part(body, source, path, begin + 1))
    if not parts:
        raise _Wrong("is empty")
    return parts


def _front_matter(path: Path, lines: list[str]) -> tuple[list[_Part], int]:
    """The parts of the front matter, and the index of the line after it."""
    if lines[0].rstrip() != _FENCE:
        return [], 0
    parts: dict[str, _Part] = {}
    for index, line in enumerate(lines[1:], start=1):
        stripped = line.strip()
        if line.rstrip() == _FENCE:
            return list(parts.values()), index + 1
        if not stripped or stripped.startswith("#"):
            continue
        key, colon, value = (piece.strip() for piece in line.partition(":"))
        if not colon or _KEY.fullmatch(key) is None:
            raise _Wrong(
                f"between the --- lines write key: value, as in subject: Hello; this is “{stripped[:60]}”", index + 1
            )
        if key in BODIES:
            raise _Wrong(f"“{key}” is the body of the message; write it below the second --- line", index + 1)
        if key in parts:
            raise _Wrong(f"“{key}” is given twice, first on line {parts[key].line}", index + 1)
        parts[key] = _Part(key, _unquoted(value), path, index + 1)
    raise _Wrong("the first --- line has no second one; close the front matter with ---", 1)


def _unquoted(value: str) -> str:
    """The value without the quotes that people put around it."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
        return value[1:-1]
    return value


def _clashes(found: list[_Part]) -> list[Problem]:
    """Parts that two files give, with different content."""
    first: dict[str, _Part] = {}
    problems = []
    for part in found:
        other = first.setdefault(part.name, part)
        if other.source != part.source:
            message = f"“{part.name}” is also given in {other.path.name}, line {other.line}, with other words; keep one"
            problems.append(Problem(str(part.path), part.line, message))
    return problems


def _faults(found: list[_Part]) -> list[Problem]:
    """Every part that is no correct Liquid."""
    problems = []
    for part in found:
        try:
            compile_part(part.name, part.source)
        except RenderError as error:
            problems.append(Problem(str(part.path), part.line + max(error.line, 1) - 1, error.message))
    return problems
