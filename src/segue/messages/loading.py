"""From the files of a rule book to its messages.

Content stands in ``**/messages/NAME/CHANNEL[.LOCALE].EXT`` below a rule folder. A file may begin with front matter,
``key: value`` lines between two ``---`` lines; each key is a part of the message, and so is the rest of the file. A
``.toml`` file has a part for each key. What is wrong is reported, never raised, and costs only the message that it is
about.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from segue.messages.attaching import ATTACH, MOST_DAYS, report_days
from segue.messages.catalogue import Catalogue, Form, Origin, Problem, normalise
from segue.messages.laying_out import Layouts, Part, template_from
from segue.messages.locales import is_a_language, main_language
from segue.messages.mail import Layout
from segue.messages.rendering import RenderError, compile_part
from segue.messages.shielding import ContentError
from segue.messages.structured import read_parts
from segue.messages.template import BODIES, PLAIN, House, Template

LARGEST = 256_000
"""Most characters in one file. Mail programs cut an email off at about 100 KB already."""

EMAIL: Final = frozenset({"email"})
"""Channels that carry HTML, where nothing else is said."""

LAYOUT: Final = "_layout"
"""The folder in the place of a message's that holds the project's own layouts."""

_OTHER_NAMES: Final = {"htm": "html", "xhtml": "html", "markdown": "md", "mkd": "md", "text": "txt", "liquid": "html"}
"""Endings that others use for what Segue reads."""
_LITTER: Final = frozenset({"thumbs.db", "desktop.ini"})
"""What file managers leave behind."""
_FORMS: Final[tuple[Form, ...]] = get_args(Form)
_CHANNEL = re.compile(r"[^\W\d]\w*")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_FENCE = "---"
_SAID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*\s*:")
_CONTENT: Final = re.compile(r"\{\{-?\s*content\s*-?\}\}")

_Key = tuple[str, str, str | None]


class _Wrong(Exception):
    """A file that cannot be used; becomes a Problem."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def load_messages(
    folders: Sequence[Path],
    house: House = PLAIN,
    html: frozenset[str] = EMAIL,
    given: Mapping[str, Mapping[str, str]] | None = None,
) -> Catalogue:
    """Read the content below these folders. ``house`` is what all messages have in common, ``html`` names the channels
    that carry HTML, ``given`` are parts by channel that stand where an author wrote none. Links to
    folders are not followed. Never raises: see ``problems``."""
    problems: list[Problem] = []
    homes: defaultdict[str, list[Path]] = defaultdict(list)
    for home in _message_folders(folders, problems):
        homes[home.name].append(home)

    reader = _Reader(house, html, given or {}, problems)
    places = homes.pop(LAYOUT, [])
    if len(places) > 1:
        reader.say_twice("layouts of a rule book stand in one folder", places)
    elif places:
        reader.read_layouts(places[0])
    for name, places in sorted(homes.items()):
        if len(places) > 1:
            reader.say_twice(f"two messages are called “{name}”", places)
        else:
            reader.read_message(places[0])
    return Catalogue(
        reader.templates,
        tuple(sorted(problems, key=lambda problem: (problem.path, problem.line))),
        reader.origins,
        reader.layouts,
    )


def read_texts(catalogue: Catalogue) -> dict[str, str]:
    """The texts of the content files as places in them are counted, by path; a file that is gone meanwhile is none."""
    texts = {}
    good = {origin.path for parts in catalogue.origins.values() for origin in parts.values()}
    bad = {problem.path for problem in catalogue.problems if problem.line}
    for path in sorted(good | bad | catalogue.layouts.keys()):
        with contextlib.suppress(_Wrong):
            texts[path] = _read_text(Path(path))
    return texts


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


class _Reader:
    """Reads the folders of messages, one by one."""

    def __init__(
        self, house: House, html: frozenset[str], given: Mapping[str, Mapping[str, str]], problems: list[Problem]
    ) -> None:
        self.templates: dict[_Key, Template] = {}
        self.origins: dict[_Key, dict[str, Origin]] = {}
        self.layouts: dict[str, Origin] = {}
        self._house = house
        self._html = html
        self._given = given
        self._problems = problems
        self._layouts: Layouts = {}

    def say_twice(self, what: str, places: Sequence[Path]) -> None:
        """Note that there are two folders where one should be, in both places."""
        said = f"{what}: {' and '.join(str(place) for place in places)}. Rename one: a name is used once in a rule book"
        self._problems.extend(Problem(str(place), 0, said) for place in places)

    def read_layouts(self, home: Path) -> None:
        """The project's own layouts: ``email.html`` or ``email.mjml``, with a locale where it has one."""
        for path in self._files(home):
            try:
                (_, channel, locale), form = _place(home.name, path)
                if form not in ("html", "mjml"):
                    raise _Wrong("a layout is HTML or MJML: email.html or email.mjml")
                text = _read_text(path)
                if len(_CONTENT.findall(text)) != 1:
                    raise _Wrong("a layout says once where the content goes: {{ content }}")
                compile_part("html", text)
            except _Wrong as wrong:
                self._problems.append(Problem(str(path), wrong.line, str(wrong)))
            except RenderError as error:
                self._problems.append(Problem(str(path), error.line, error.message))
            else:
                if (channel, locale) in self._layouts:
                    self._problems.append(Problem(str(path), 0, "is a second layout for the same content; keep one"))
                self._layouts[channel, locale] = Layout(text, form == "mjml")
                self.layouts[str(path)] = Origin(str(path), 1, form, text)

    def read_message(self, home: Path) -> None:
        """The templates of one message folder. A bad file takes the others of its channel and locale with it: half an
        email (the text without its HTML) must not go out."""
        parts: defaultdict[_Key, list[Part]] = defaultdict(list)
        bad: set[_Key] = set()
        for path in self._files(home):
            try:
                key, form = _place(home.name, path)
            except _Wrong as wrong:
                self._problems.append(Problem(str(path), wrong.line, str(wrong)))
                continue
            try:
                parts[key].extend(_read_file(path, form, key[1] in self._html))
            except _Wrong as wrong:
                self._problems.append(Problem(str(path), wrong.line, str(wrong)))
                bad.add(key)
        for key, found in parts.items():
            problems = _clashes(found)
            if not problems and key not in bad:
                problems = _faults(found) or self._make(key, found)
            self._problems.extend(problems)

    def _make(self, key: _Key, found: list[Part]) -> list[Problem]:
        carries_html, given = key[1] in self._html, self._given.get(key[1])
        made = template_from(key, found, self._house, self._layouts, carries_html=carries_html, given=given)
        if isinstance(made, Problem):
            return [made]
        self.templates[key], self.origins[key] = made
        return []

    def _files(self, home: Path) -> list[Path]:
        try:
            return sorted(path for path in home.iterdir() if not _is_left_behind(path.name))
        except OSError as error:
            self._problems.append(_unreadable(error))
            return []


def _is_left_behind(name: str) -> bool:
    """Whether a file is nobody's content: hidden, an editor's copy, or a file manager's."""
    return name.startswith((".", "#")) or name.endswith("~") or name.lower() in _LITTER


def _place(name: str, path: Path) -> tuple[_Key, Form]:
    """Which message, channel and locale a file is for, and what it is written in, from its name."""
    if path.is_dir():
        raise _Wrong("a message's folder holds files, not folders: CHANNEL.EXT or CHANNEL.LOCALE.EXT")
    channel, *middle, extension = path.name.split(".") if "." in path.name else (path.name, "")
    form = next((form for form in _FORMS if form == extension), None)
    if form is None:
        meant = _OTHER_NAMES.get(extension.lower(), extension.lower())
        known = f"files of a message end in one of {', '.join(f'.{known}' for known in _FORMS)}"
        better = ".".join([channel, *middle, meant]) if meant in _FORMS else ""
        raise _Wrong(
            f"{known}; {f'call it {better}' if better else 'give it such a name, or take it out of the folder'}"
        )
    if len(middle) > 1 or _CHANNEL.fullmatch(channel) is None:
        raise _Wrong("name the file CHANNEL.EXT or CHANNEL.LOCALE.EXT, as in email.html or email.pt-BR.html")
    locale = None
    if middle and (locale := normalise(middle[0])) is None:
        raise _Wrong(f"“{middle[0]}” is no locale; write a language, or a language and a country: fi, pt-BR")
    if locale is not None and not is_a_language(language := locale.partition("-")[0]):
        own = main_language(language.upper())
        raise _Wrong(
            f"there is no language “{language}”; "
            + (f"where {language.upper()} is, people read {own}" if own else "languages are named as in fi, sv, pt-BR")
        )
    return (name, channel, locale), form


def _read_text(path: Path) -> str:
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
        raise _Wrong(
            "holds a NUL character, which no message may; take it out", text.count("\n", 0, text.index("\0")) + 1
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_file(path: Path, form: Form, carries_html: bool) -> list[Part]:
    """The parts of a file: what stands in its front matter, and its body."""
    text = _read_text(path)
    if form == "toml":
        try:
            structured = [Part(name, source, path, line, form) for name, source, line in read_parts(text)]
        except ContentError as error:
            raise _Wrong(error.message, error.line) from None
        if not structured:
            raise _Wrong("is empty; write the message into it, or take it out of the folder")
        return structured
    if form == "mjml" and not carries_html:
        raise _Wrong("is MJML, which only email is made of; write .txt or .md for this channel")
    body = "text" if form == "txt" or not (carries_html or form == "html") else "html"
    lines = text.split("\n")
    parts, begin = _front_matter(path, lines, form)
    while begin < len(lines) and not lines[begin].strip():
        begin += 1
    source = "\n".join(lines[begin:]).rstrip()
    if source:
        parts.append(Part(body, source, path, begin + 1, form))
    if not parts:
        raise _Wrong("is empty; write the message into it, or take it out of the folder")
    return parts


def _front_matter(path: Path, lines: list[str], form: Form) -> tuple[list[Part], int]:
    """The parts of the front matter, and the index of the line after it."""
    begin = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[begin].rstrip() != _FENCE:
        return [], 0
    if begin and (len(lines) < begin + 2 or _SAID.match(lines[begin + 1]) is None):
        return [], 0  # a line drawn above the text
    end = next((index for index, line in enumerate(lines) if index > begin and line.rstrip() == _FENCE), None)
    if end is None:
        raise _Wrong("the first --- line has no second one; close the front matter with ---", begin + 1)
    parts: dict[str, Part] = {}
    for index, line in enumerate(lines[begin + 1 : end], start=begin + 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, colon, value = (piece.strip() for piece in line.partition(":"))
        if colon and key != key.lower() and _KEY.fullmatch(key.lower()) is not None:
            raise _Wrong(f"keys are written in small letters; write {key.lower()}: and not {key}:", index + 1)
        if not colon or _KEY.fullmatch(key) is None:
            raise _Wrong(
                f"between the --- lines write key: value, as in subject: Hello; this is “{stripped[:60]}”", index + 1
            )
        if key in BODIES:
            raise _Wrong(f"“{key}” is the body of the message; write it below the second --- line", index + 1)
        if key in parts:
            raise _Wrong(f"“{key}” is given twice, first on line {parts[key].line}", index + 1)
        parts[key] = Part(key, _unquoted(value), path, index + 1, form)
    return list(parts.values()), end + 1


def _unquoted(value: str) -> str:
    """The value without the quotes that people put around it."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'" and value[0] not in value[1:-1]:
        return value[1:-1]
    return value


def _clashes(found: list[Part]) -> list[Problem]:
    """Parts that two files give, with different content."""
    first: dict[str, Part] = {}
    problems = []
    for part in found:
        other = first.setdefault(part.name, part)
        if other.source != part.source or (other.path != part.path and part.name in BODIES):
            message = f"“{part.name}” is also given in {other.path.name}, line {other.line}, with other words; keep one"
            problems.append(Problem(str(part.path), part.line, message))
    return problems


def _faults(found: list[Part]) -> list[Problem]:
    """Every part that is no correct Liquid, and what is to be attached and is no report."""
    problems = []
    for part in found:
        if part.name == ATTACH and report_days({ATTACH: part.source}) is None:
            said = f"write attach: report 7d: a report of 1 to {MOST_DAYS} days; this is “{part.source[:60]}”"
            problems.append(Problem(str(part.path), part.line, said))
            continue
        try:
            compile_part(part.name, part.source)
        except RenderError as error:
            problems.append(Problem(str(part.path), part.line + max(error.line, 1) - 1, error.message))
    return problems
