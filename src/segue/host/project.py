"""segue.toml: the project's own settings, read and checked before anything is started."""

from __future__ import annotations

import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from segue.api import Money
from segue.api.values import DAY
from segue.customers.identity import NO_RULES, Rules
from segue.host.configuration import nearest
from segue.host.limits import Limits, read_limits
from segue.host.pages import Pages, read_links, read_pages
from segue.host.privacy import Privacy, Retention, read_privacy, read_retention
from segue.host.project_brand import read_brand
from segue.host.project_identity import read_identity
from segue.host.segments import read_segments
from segue.host.tables import Problem, ProjectError, TableReader
from segue.host.terms import Terms, read_terms
from segue.host.touchpoints import Touchpoints, read_touchpoints
from segue.host.tracking import read_tracking
from segue.messages.brand import Brand
from segue.messages.links import Tracking

FILE: Final = "segue.toml"

Consent = Literal["opt-in", "opt-out"]


class Http(msgspec.Struct, frozen=True):
    """Where Segue listens, and ``url``, without a final slash, by which the outside reaches it."""

    host: str = "127.0.0.1"
    port: int = 8080
    url: str = "http://127.0.0.1:8080"


class ChannelSettings(msgspec.Struct, frozen=True):
    """``[channels.NAME]``: the plugin in ``use``, whether a customer must have agreed first (None: not said), how
    it is isolated, what a message costs (None: what the plugin says), the ``terms`` of its account, and the plugin's
    own ``settings``, in which secrets are still references."""

    use: str
    consent: Consent | None = None
    isolate: Literal["thread"] = "thread"
    settings: dict[str, Any] = {}
    cost: Money | None = None
    terms: Terms = Terms()


class SourceSettings(msgspec.Struct, frozen=True):
    """``[sources.NAME]``: the plugin in ``use`` and its own ``settings``, in which secrets are still references.
    ``cart_abandoned`` is after how many microseconds without an order its carts count as abandoned (0: Segue derives
    nothing; None: not said). One that is ``late`` sends what is old on purpose: that is no sign of a wrong clock."""

    use: str
    settings: dict[str, Any] = {}
    cart_abandoned: int | None = None
    late: bool = False


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project folder. Paths are absolute. ``stale`` is in microseconds, ``best_time`` in minutes since midnight.
    ``links`` are references to the keys of signed links, ``readers`` the settings of those who may look at customers
    (`segue.host.readers`), ``segments`` those whose members are kept though no rule asks for it, ``brand`` what the
    shop looks like (None: nothing is said of it). ``configured``: whether there is a segue.toml."""

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
    links: tuple[dict[str, str], ...] = ()
    pages: Pages = Pages()
    privacy: Privacy = Privacy()
    retention: Retention = Retention()
    readers: dict[str, dict[str, Any]] = {}
    identity: Rules = NO_RULES
    limits: Limits = Limits()
    segments: frozenset[str] = frozenset()
    brand: Brand | None = None
    tracking: Tracking = Tracking()
    touchpoints: Touchpoints = Touchpoints()
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


_TOP: Final = (
    *("zone", "locale", "currency", "best_time", "stale", "database", "rules"),
    *("http", "channels", "sources", "links", "pages", "privacy", "retention", "readers", "identity", "limits"),
    *("segments", "brand", "tracking", "touchpoints"),
)
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_MONEY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ([A-Z]{3})")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_HIGHEST_PORT: Final = 65_535


class _Reader(TableReader):
    """Reads the project's settings."""

    def project(self, tables: Mapping[str, Any]) -> Project:
        self.refuse_others(tables, _TOP, ())
        locale = self._locale(tables)
        brand = read_brand(self, self.table(tables, "brand", ()))
        return Project(
            root=self.root,
            zone=self._zone(tables),
            locale=locale,
            currency=self._currency(tables),
            best_time=self._best_time(tables),
            stale=self.span(tables, "stale", "24h"),
            database=self._path(tables, "database") or self.root / "segue.db",
            rules=self._rules(tables),
            http=(http := self._http(self.table(tables, "http", ()))),
            channels=self._channels(self.table(tables, "channels", ())),
            sources=self._sources(self.table(tables, "sources", ())),
            links=read_links(self, self.table(tables, "links", ())),
            pages=read_pages(self, self.table(tables, "pages", ()), brand.name if brand is not None else ""),
            privacy=read_privacy(self, self.table(tables, "privacy", ())),
            retention=read_retention(self, self.table(tables, "retention", ())),
            readers=self._readers(self.table(tables, "readers", ())),
            identity=read_identity(self, self.table(tables, "identity", ()), locale),
            limits=read_limits(self, self.table(tables, "limits", ())),
            segments=read_segments(self, self.table(tables, "segments", ())),
            brand=brand,
            tracking=read_tracking(self, self.table(tables, "tracking", ()), http.url),
            touchpoints=read_touchpoints(self, self.table(tables, "touchpoints", ())),
            configured=True,
        )

    def _zone(self, tables: Mapping[str, Any]) -> str:
        zone = self.text(tables, "zone", "UTC")
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            close = nearest(zone, zoneinfo.available_timezones())
            hint = f"did you mean {close}?" if close else 'write one such as "Europe/Helsinki"'
            self.say(("zone",), f"{zone!r} is not a time zone; {hint}")
            return "UTC"
        return zone

    def _locale(self, tables: Mapping[str, Any]) -> str:
        locale = self.text(tables, "locale", "en")
        if _LOCALE.fullmatch(locale) is None:
            language, _, country = locale.replace("_", "-").partition("-")
            fixed = f"{language.lower()}-{country.upper()}" if country else language.lower()
            hint = f'write "{fixed}"' if _LOCALE.fullmatch(fixed) else 'write one such as "en" or "pt-BR"'
            self.say(("locale",), f"{locale!r} is not a locale; {hint}")
        return locale

    def _currency(self, tables: Mapping[str, Any]) -> str:
        currency = self.text(tables, "currency", "EUR")
        if _CURRENCY.fullmatch(currency) is None:
            upper = currency.upper()
            hint = (
                f'write "{upper}"'
                if _CURRENCY.fullmatch(upper)
                else 'write its three letters (ISO 4217), such as "EUR"'
            )
            self.say(("currency",), f"{currency!r} is not a currency; {hint}")
        return currency

    def _best_time(self, tables: Mapping[str, Any]) -> int:
        written = self.text(tables, "best_time", "10:00")
        found = _CLOCK.fullmatch(written)
        if found is None:
            self.say(("best_time",), f'{written!r} is not a time of day; write one such as "10:00"')
            return 600
        return int(found.group(1)) * 60 + int(found.group(2))

    def _cost(self, table: Mapping[str, Any], path: tuple[str, ...]) -> Money | None:
        if "cost" not in table:
            return None
        found = _MONEY.fullmatch(table["cost"]) if isinstance(table["cost"], str) else None
        if found is None:
            self.say(
                (*path, "cost"),
                f'should be an amount and its currency, such as "0.06 EUR", and is {table["cost"]!r}',
            )
            return None
        return Money(Decimal(found.group(1)), found.group(2))

    def _path(self, tables: Mapping[str, Any], name: str) -> Path | None:
        return (self.root / self.text(tables, name, name)).resolve() if name in tables else None

    def _rules(self, tables: Mapping[str, Any]) -> Path:
        rules = self._path(tables, "rules")
        if rules is None:
            return _default_rules(self.root)
        if not rules.is_dir():
            self.say(
                ("rules",),
                f"names {tables['rules']!r}, and there is no such folder; make it, or name the right one",
            )
        return rules

    def _http(self, table: Mapping[str, Any]) -> Http:
        self.refuse_others(table, ("host", "port", "url"), ("http",))
        host = self.text(table, "host", "127.0.0.1", ("http",))
        port = table.get("port", 8080)
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= _HIGHEST_PORT:
            self.say(("http", "port"), f"should be a whole number from 1 to {_HIGHEST_PORT}, and is {port!r}")
            port = 8080
        default = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return Http(host, port, self._url(self.text(table, "url", default, ("http",))))

    def _url(self, url: str) -> str:
        try:
            parts = urlsplit(url)
            good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
            parts = urlsplit("")
        if not good or parts.query or parts.fragment or parts.username is not None or re.search(r"[\s\\]", url):
            self.say(
                ("http", "url"), 'should be an address such as "https://segue.example", without user name, ? and #'
            )
        return url.rstrip("/")

    def _channels(self, tables: Mapping[str, Any]) -> dict[str, ChannelSettings]:
        found: dict[str, ChannelSettings] = {}
        for name in tables:
            path = ("channels", name)
            table = self.table(tables, name, ("channels",))
            if not isinstance(tables[name], dict):
                continue
            if not name.isidentifier():
                self.say(path, "is not a name that a rule can write: use letters, digits and _")
            consent = table.get("consent")
            if consent not in (None, "opt-in", "opt-out"):
                self.say((*path, "consent"), f'should be "opt-in" or "opt-out", and is {consent!r}')
                consent = None
            isolate = table.get("isolate", "thread")
            if isolate == "process":
                self.say(
                    (*path, "isolate"),
                    '= "process" is not carried out yet; leave it out, and the channel runs on a thread of its own',
                )
            elif isolate != "thread":
                self.say((*path, "isolate"), f'should be "thread" (or be left out), and is {isolate!r}')
            settings = self.settings(table, (*Terms.__struct_fields__, "use", "consent", "isolate", "cost"), path)
            found[name] = ChannelSettings(
                self.use(table, path),
                consent,
                "thread",
                settings,
                self._cost(table, path),
                read_terms(self, table, path),
            )
        return found

    def _sources(self, tables: Mapping[str, Any]) -> dict[str, SourceSettings]:
        found: dict[str, SourceSettings] = {}
        for name in tables:
            path = ("sources", name)
            table = self.table(tables, name, ("sources",))
            if not isinstance(tables[name], dict):
                continue
            settings = self.settings(table, ("use", "cart_abandoned", "late"), path)
            late = table.get("late", False)
            if not isinstance(late, bool):
                self.say((*path, "late"), f"should be true or false, and is {late!r}")
            quiet = self._cart_abandoned(table, path)
            found[name] = SourceSettings(self.use(table, path), settings, quiet, late is True)
        return found

    def _readers(self, tables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return {
            name: self.settings(self.table(tables, name, ("readers",)), (), ("readers", name))
            for name in tables
            if isinstance(tables[name], dict) or not self.table(tables, name, ("readers",))
        }

    def _cart_abandoned(self, table: Mapping[str, Any], path: tuple[str, ...]) -> int | None:
        if "cart_abandoned" not in table:
            return None
        if table["cart_abandoned"] is False:
            return 0
        if table["cart_abandoned"] is True:
            self.say((*path, "cart_abandoned"), 'says after how long; write a span of time such as "1h", or false')
            return None
        quiet = self.span(table, "cart_abandoned", "1h", path)
        if quiet == 0:
            self.say((*path, "cart_abandoned"), 'is no time at all; write a span of time such as "1h", or false')
        return quiet
