"""segue.toml: the project's own settings, read and checked before anything is started."""

from __future__ import annotations

import re
import tomllib
import zoneinfo
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from segue.api import Money
from segue.api.values import DAY, HOUR, MINUTE
from segue.host.configuration import nearest, unknown_key
from segue.host.secrets import is_reference, is_secret

FILE: Final = "segue.toml"

Consent = Literal["opt-in", "opt-out"]


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


class Http(msgspec.Struct, frozen=True):
    """Where Segue listens, and ``url``, without a final slash, by which the outside reaches it."""

    host: str = "127.0.0.1"
    port: int = 8080
    url: str = "http://127.0.0.1:8080"


class ChannelSettings(msgspec.Struct, frozen=True):
    """``[channels.NAME]``: the plugin in ``use``, whether a customer must have agreed first (None: not said), how
    it is isolated, what a message costs (None: what the plugin says), and the plugin's own ``settings``, in which
    secrets are still references."""

    use: str
    consent: Consent | None = None
    isolate: Literal["thread"] = "thread"
    settings: dict[str, Any] = {}
    cost: Money | None = None


class SourceSettings(msgspec.Struct, frozen=True):
    """``[sources.NAME]``: the plugin in ``use`` and its own ``settings``, in which secrets are still references."""

    use: str
    settings: dict[str, Any] = {}


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project folder. Paths are absolute. ``stale`` is in microseconds, ``best_time`` in minutes since midnight.
    ``configured``: whether there is a segue.toml."""

    root: Path
    zone: str = "UTC"
    locale: str = "en"
    currency: str = "EUR"
    best_time: int = 600
    stale: int = DAY
    database: Path
    rules: Path
    http: Http = Http()
    channels: dict[str, ChannelSettings] = {}
    sources: dict[str, SourceSettings] = {}
    configured: bool = False


def load_project(folder: Path) -> Project:
    """The project in ``folder``, from its segue.toml or from defaults where there is none.

    Raises ProjectError with every problem of the file. Plugins are not asked: what stands in ``settings`` is checked
    by `segue.host.configuration.configure` when they are opened.
    """
    root = folder.resolve()
    if not root.is_dir():
        raise ProjectError((Problem(root, None, "there is no such folder"),))
    file = root / FILE
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Project(root=root, database=root / "segue.db", rules=_default_rules(root))
    except OSError as error:
        raise ProjectError((Problem(file, None, f"cannot be read: {error.strerror}"),)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ProjectError((Problem(file, line, "is not UTF-8 text; save it as UTF-8"),)) from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectError((_syntax(file, text, str(error)),)) from None
    except RecursionError:
        raise ProjectError((Problem(file, None, "is nested too deeply"),)) from None
    reader = _Reader(root, file, text)
    project = reader.project(tables)
    if reader.problems:
        raise ProjectError(tuple(sorted(reader.problems, key=lambda problem: problem.line or 0)))
    return project


def nearest_project(path: Path) -> Path:
    """The folder whose segue.toml a path belongs to: the nearest above it that has one, else the folder itself."""
    start = path.resolve()
    start = start if start.is_dir() else start.parent
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    return start


def _default_rules(root: Path) -> Path:
    return root / "rules" if (root / "rules").is_dir() else root


_POSITION: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def _syntax(file: Path, text: str, error: str) -> Problem:
    match = _POSITION.search(error)
    line = int(match.group(1)) if match and match.group(1) else text.count("\n") + 1
    said = error[: match.start()] if match else error
    return Problem(file, line, f"is not valid TOML here: {said[:1].lower()}{said[1:]}")


_TOP: Final = ("zone", "locale", "currency", "best_time", "stale", "database", "rules", "http", "channels", "sources")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_MONEY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_UNITS: Final = {"min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_PART_OF_SPAN: Final = re.compile(r"(\d{1,4})(min|h|d|w)")
_SPAN: Final = re.compile(r"(\d{1,4}(min|h|d|w))+")
_HIGHEST_PORT: Final = 65_535


class _Reader:
    """Reads one file and gathers its problems, so that all of them are told at once."""

    def __init__(self, root: Path, file: Path, text: str) -> None:
        self.root = root
        self.file = file
        self.lines = _lines_of_keys(text)
        self.problems: list[Problem] = []

    def project(self, tables: Mapping[str, Any]) -> Project:
        self._refuse_others(tables, _TOP, ())
        return Project(
            root=self.root,
            zone=self._zone(tables),
            locale=self._locale(tables),
            currency=self._currency(tables),
            best_time=self._best_time(tables),
            stale=self._stale(tables),
            database=self._path(tables, "database") or self.root / "segue.db",
            rules=self._rules(tables),
            http=self._http(self._table(tables, "http", ())),
            channels=self._channels(self._table(tables, "channels", ())),
            sources=self._sources(self._table(tables, "sources", ())),
            configured=True,
        )

    def _say(self, path: tuple[str, ...], text: str) -> None:
        line = next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), None)
        self.problems.append(Problem(self.file, line, f"{'.'.join(path)} {text}"))

    def _refuse_others(self, table: Mapping[str, Any], known: Collection[str], path: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                self._say((*path, name), unknown_key(name, known))

    def _text(self, table: Mapping[str, Any], name: str, default: str, path: tuple[str, ...] = ()) -> str:
        value = table.get(name, default)
        if isinstance(value, str) and (value or not default) and "\0" not in value:
            return value
        self._say((*path, name), "should be text in quotes" if not isinstance(value, str) else "may not be empty")
        return default

    def _table(self, table: Mapping[str, Any], name: str, path: tuple[str, ...]) -> Mapping[str, Any]:
        value = table.get(name, {})
        if isinstance(value, dict):
            return value
        self._say((*path, name), f"should be a table: write [{'.'.join((*path, name))}] and its settings below")
        return {}

    def _zone(self, tables: Mapping[str, Any]) -> str:
        zone = self._text(tables, "zone", "UTC")
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            close = nearest(zone, zoneinfo.available_timezones())
            hint = f"did you mean {close}?" if close else 'write one such as "Europe/Helsinki"'
            self._say(("zone",), f"{zone!r} is not a time zone; {hint}")
            return "UTC"
        return zone

    def _locale(self, tables: Mapping[str, Any]) -> str:
        locale = self._text(tables, "locale", "en")
        if _LOCALE.fullmatch(locale) is None:
            language, _, country = locale.replace("_", "-").partition("-")
            fixed = f"{language.lower()}-{country.upper()}" if country else language.lower()
            hint = f'write "{fixed}"' if _LOCALE.fullmatch(fixed) else 'write one such as "en" or "pt-BR"'
            self._say(("locale",), f"{locale!r} is not a locale; {hint}")
        return locale

    def _currency(self, tables: Mapping[str, Any]) -> str:
        currency = self._text(tables, "currency", "EUR")
        if _CURRENCY.fullmatch(currency) is None:
            upper = currency.upper()
            hint = (
                f'write "{upper}"'
                if _CURRENCY.fullmatch(upper)
                else 'write its three letters (ISO 4217), such as "EUR"'
            )
            self._say(("currency",), f"{currency!r} is not a currency; {hint}")
        return currency

    def _best_time(self, tables: Mapping[str, Any]) -> int:
        written = self._text(tables, "best_time", "10:00")
        found = _CLOCK.fullmatch(written)
        if found is None:
            self._say(("best_time",), f'{written!r} is not a time of day; write one such as "10:00"')
            return 600
        return int(found.group(1)) * 60 + int(found.group(2))

    def _cost(self, table: Mapping[str, Any], path: tuple[str, ...]) -> Money | None:
        if "cost" not in table:
            return None
        found = _MONEY.fullmatch(table["cost"]) if isinstance(table["cost"], str) else None
        if found is None:
            self._say(
                (*path, "cost"),
                f'should be an amount and its currency, such as "0.06 EUR", and is {table["cost"]!r}',
            )
            return None
        return Money(Decimal(found.group(1)), found.group(2))

    def _stale(self, tables: Mapping[str, Any]) -> int:
        written = self._text(tables, "stale", "24h")
        parts = _SPAN.fullmatch(written)
        if parts is None:
            self._say(("stale",), f'{written!r} is not a span of time; write one such as "24h" or "3d"')
            return DAY
        return sum(int(number) * _UNITS[unit] for number, unit in _PART_OF_SPAN.findall(written))

    def _path(self, tables: Mapping[str, Any], name: str) -> Path | None:
        return (self.root / self._text(tables, name, name)).resolve() if name in tables else None

    def _rules(self, tables: Mapping[str, Any]) -> Path:
        rules = self._path(tables, "rules")
        if rules is None:
            return _default_rules(self.root)
        if not rules.is_dir():
            self._say(
                ("rules",),
                f"names {tables['rules']!r}, and there is no such folder; make it, or name the right one",
            )
        return rules

    def _http(self, table: Mapping[str, Any]) -> Http:
        self._refuse_others(table, ("host", "port", "url"), ("http",))
        host = self._text(table, "host", "127.0.0.1", ("http",))
        port = table.get("port", 8080)
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= _HIGHEST_PORT:
            self._say(("http", "port"), f"should be a whole number from 1 to {_HIGHEST_PORT}, and is {port!r}")
            port = 8080
        default = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return Http(host, port, self._url(self._text(table, "url", default, ("http",))))

    def _url(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
            parts = urlsplit("")
        if not good or parts.query or parts.fragment or parts.username is not None or re.search(r"[\s\\]", url):
            self._say(
                ("http", "url"), 'should be an address such as "https://segue.example", without user name, ? and #'
            )
        return url.rstrip("/")

    def _channels(self, tables: Mapping[str, Any]) -> dict[str, ChannelSettings]:
        found: dict[str, ChannelSettings] = {}
        for name in tables:
            path = ("channels", name)
            table = self._table(tables, name, ("channels",))
            if not isinstance(tables[name], dict):
                continue
            if not name.isidentifier():
                self._say(path, "is not a name that a rule can write: use letters, digits and _")
            consent = table.get("consent")
            if consent not in (None, "opt-in", "opt-out"):
                self._say((*path, "consent"), f'should be "opt-in" or "opt-out", and is {consent!r}')
                consent = None
            isolate = table.get("isolate", "thread")
            if isolate == "process":
                self._say(
                    (*path, "isolate"),
                    '= "process" is not carried out yet; leave it out, and the channel runs on a thread of its own',
                )
            elif isolate != "thread":
                self._say((*path, "isolate"), f'should be "thread" (or be left out), and is {isolate!r}')
            settings = self._settings(table, ("use", "consent", "isolate", "cost"), path)
            found[name] = ChannelSettings(self._use(table, path), consent, "thread", settings, self._cost(table, path))
        return found

    def _sources(self, tables: Mapping[str, Any]) -> dict[str, SourceSettings]:
        found: dict[str, SourceSettings] = {}
        for name in tables:
            path = ("sources", name)
            table = self._table(tables, name, ("sources",))
            if not isinstance(tables[name], dict):
                continue
            found[name] = SourceSettings(self._use(table, path), self._settings(table, ("use",), path))
        return found

    def _use(self, table: Mapping[str, Any], path: tuple[str, ...]) -> str:
        if "use" not in table:
            self._say(path, 'does not say which plugin serves it; add use = "…" (segue plugins lists them)')
            return ""
        return self._text(table, "use", "?", path)

    def _settings(self, table: Mapping[str, Any], core: tuple[str, ...], path: tuple[str, ...]) -> dict[str, Any]:
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
            self._say(
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


def _lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
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
