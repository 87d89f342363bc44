"""Reading the tables of segue.toml: every problem is gathered, with its line; secrets stand there only by reference."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from segue.api.values import DAY, HOUR, MINUTE
from segue.host.configuration import unknown_key
from segue.host.secrets import is_reference, is_secret

_UNITS: Final = {"min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}
_PART_OF_SPAN: Final = re.compile(r"(\d{1,4})(min|h|d|w|y)")
_SPAN: Final = re.compile(r"\d{1,4}(min|h|d|w|y)( ?\d{1,4}(min|h|d|w|y))*")


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong in segue.toml. ``line`` counts from 1; None where the file has no such line."""

    file: Path
    line: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class ProjectError(Exception):
    """segue.toml cannot be used. ``problems`` holds everything that was found, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.file = problems[0].file
        self.line = problems[0].line


class TableReader:
    """Reads one file and gathers its problems, so that all of them are told at once. A path names a table or key as
    the file does: ``("channels", "email", "use")``."""

    def __init__(self, root: Path, file: Path, text: str) -> None:
        self.root = root
        self.file = file
        self.lines = lines_of_keys(text)
        self.problems: list[Problem] = []

    def say(self, path: tuple[str, ...], text: str) -> None:
        """Note a problem of the key at ``path``."""
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        self.problems.append(Problem(self.file, line, f"{'.'.join(path)} {text}"))

    def refuse_others(self, table: Mapping[str, Any], known: Collection[str], path: tuple[str, ...]) -> None:
        """Note every key of a table that nobody reads."""
        for name in table:
            if name not in known:
                self.say((*path, name), unknown_key(name, known))

    def text(self, table: Mapping[str, Any], name: str, default: str, path: tuple[str, ...] = ()) -> str:
        """A text of a table; the default, with a problem noted, where it is none."""
        value = table.get(name, default)
        if isinstance(value, str) and (value or not default) and "\0" not in value:
            return value
        self.say((*path, name), "should be text in quotes" if not isinstance(value, str) else "may not be empty")
        return default

    def span(self, table: Mapping[str, Any], name: str, default: str, path: tuple[str, ...] = ()) -> int:
        """A span of time of a table (``24h``, ``1w 3d``; a year is 365 days), in microseconds."""
        written = self.text(table, name, default, path)
        if _SPAN.fullmatch(written) is None:
            self.say((*path, name), f'{written!r} is not a span of time; write one such as "24h" or "3d"')
            written = default
        return sum(int(number) * _UNITS[unit] for number, unit in _PART_OF_SPAN.findall(written))

    def table(self, table: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Mapping[str, Any]:
        """A table inside a table; an empty one where there is none."""
        value = table.get(name, {})
        if isinstance(value, dict):
            return value
        self.say((*path, name), f"should be a table: write [{'.'.join((*path, name))}] and its settings below")
        return {}

    def use(self, table: Mapping[str, Any], path: tuple[str, ...]) -> str:
        """The plugin that a table names; empty, with a problem noted, where it names none."""
        if "use" not in table:
            self.say(path, 'does not say which plugin serves it; add use = "…" (segue plugins lists them)')
            return ""
        return self.text(table, "use", "?", path)

    def settings(self, table: Mapping[str, Any], core: tuple[str, ...], path: tuple[str, ...]) -> dict[str, Any]:
        """The settings that are a plugin's, not Segue's own (``core``), with references to secrets left as they are."""
        return {name: self._setting(value, name, (*path, name)) for name, value in table.items() if name not in core}

    def _setting(self, value: Any, name: str, path: tuple[str, ...]) -> Any:
        if is_reference(value):
            # A secret's file is meant from the project's folder, wherever the daemon was started.
            return {"file": str(self.root / value["file"])} if isinstance(value.get("file"), str) else value
        if isinstance(value, dict):
            return {inner: self._setting(found, inner, (*path, inner)) for inner, found in value.items()}
        if isinstance(value, list):
            return [self._setting(found, name, path) for found in value]
        if is_secret(name) and (
            isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool))
        ):
            variable = re.sub(r"\W", "_", "_".join(path[1:])).upper()
            self.say(
                path,
                f'holds a secret in plain sight; write a reference to it instead: {name} = {{ env = "{variable}" }} '
                f'(an environment variable), {{ file = "…" }} or {{ credential = "…" }} (systemd)',
            )
            return ""
        return value


_HEADER: Final = re.compile(r"^\s*\[\[?\s*([^\]#]+?)\s*\]\]?\s*(#.*)?$")
_KEY: Final = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
    """The line of each table and key, for messages: tomllib tells none.

    A key inside a multi-line value may be taken for one of the table; the first line found for a key stands.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if (header := _HEADER.match(line)) is not None:
            table = _parts(header.group(1))
            path = table
        elif (key := _KEY.match(line)) is not None:
            path = (*table, *_parts(key.group(1)))
        else:
            continue
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
