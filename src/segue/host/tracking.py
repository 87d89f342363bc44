"""``[tracking]``: whether and how the links of messages tell when they are opened."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from segue.api import Kind
from segue.host.tables import TableReader
from segue.messages.links import Tracking
from segue.messages.utm import EVERYWHERE, NAMES, host_of

_PATH: Final = ("tracking",)
KEYS: Final = (
    "clicks",
    "opens",
    "honeypot",
    "kinds",
    "short",
    "consent",
    "expires",
    "domain",
    "domains",
    "home",
    "utm",
)
_UTM: Final = {
    "source": "segue",
    "medium": "{channel}",
    "campaign": "{rule}",
    "content": "{message}",
    "term": "",
    "id": "",
}
_PLACES: Final = ("{channel}", "{rule}", "{message}")
_DOMAIN: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


def read_tracking(reader: TableReader, table: Mapping[str, Any], url: str) -> Tracking:
    """The settings under ``[tracking]``. ``url`` is the address by which the outside reaches Segue, as far as known:
    links lead there where no address of their own is given, and it is one that the outside can reach."""
    reader.refuse_others(table, KEYS, _PATH)
    kinds = _names(reader, table, "kinds", get_args(Kind))
    consent = table.get("consent", "opt-out")
    if consent not in ("opt-in", "opt-out"):
        reader.say((*_PATH, "consent"), f'should be "opt-in" or "opt-out", and is {consent!r}')
    return Tracking(
        url=_own_domain(reader, table) or (url if is_public(url) else None),
        clicks=_flag(reader, table, "clicks"),
        opens=_flag(reader, table, "opens"),
        trap=_flag(reader, table, "honeypot"),
        kinds=frozenset(get_args(Kind) if kinds is None else kinds),
        short=frozenset(_names(reader, table, "short", None) or ()),
        asked=consent == "opt-in",
        expires=reader.span(table, "expires", "1y", _PATH),
        parameters=_parameters(reader, table),
        domains=_domains(reader, table),
        home=_home(reader, table),
    )


def is_public(url: str) -> bool:
    """Whether an address looks like one that a customer's browser can reach."""
    host = host_of(url)
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".localhost", ".internal", ".lan", ".home.arpa"))


def _flag(reader: TableReader, table: Mapping[str, Any], name: str) -> bool:
    value = table.get(name, True)
    if not isinstance(value, bool):
        reader.say((*_PATH, name), f"should be true or false, and is {value!r}")
        return True
    return value


def _names(
    reader: TableReader, table: Mapping[str, Any], name: str, known: Sequence[str] | None
) -> tuple[str, ...] | None:
    if name not in table:
        return None
    value = table[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        reader.say((*_PATH, name), f'should be a list of names such as ["{known[0] if known else "sms"}"]')
        return None
    for one in value:
        if known is not None and one not in known:
            reader.say((*_PATH, name), f"names {one!r}; there are {', '.join(known)}")
    return tuple(value)


def _own_domain(reader: TableReader, table: Mapping[str, Any]) -> str | None:
    """``domain``: a host, or an address with a scheme, where a test needs one."""
    if "domain" not in table:
        return None
    written = reader.text(table, "domain", "links.shop.example", _PATH).rstrip("/")
    url = written if "://" in written else f"https://{written}"
    if not host_of(url) or re.search(r"[\s?#@\\]", url):
        reader.say((*_PATH, "domain"), f'{written!r} is no domain; write one such as "links.shop.example"')
        return None
    return url


def _domains(reader: TableReader, table: Mapping[str, Any]) -> tuple[str, ...]:
    domains = tuple(one.lower().rstrip(".") for one in _names(reader, table, "domains", None) or ())
    for one in domains:
        if one != EVERYWHERE and _DOMAIN.fullmatch(one) is None:
            reader.say((*_PATH, "domains"), f'{one!r} is no domain; write one such as "shop.example", without https://')
    return domains


def _home(reader: TableReader, table: Mapping[str, Any]) -> str:
    if "home" not in table:
        domain = next((one for one in _names(reader, table, "domains", None) or () if one != EVERYWHERE), "")
        return f"https://{domain.lower()}/" if _DOMAIN.fullmatch(domain.lower()) else ""
    home = reader.text(table, "home", "https://shop.example/", _PATH)
    if not host_of(home) or re.search(r"[\s\\]", home):
        reader.say((*_PATH, "home"), f'{home!r} is no address; write one such as "https://shop.example/"')
        return ""
    return home


def _parameters(reader: TableReader, table: Mapping[str, Any]) -> dict[str, str]:
    """``utm``: false for none, else a table of what is written otherwise than usual."""
    if table.get("utm") is False:
        return {}
    written = reader.table(table, "utm", _PATH) if table.get("utm") is not True else {}
    path = (*_PATH, "utm")
    reader.refuse_others(written, tuple(_UTM), path)
    found = {}
    for name, usual in _UTM.items():
        value = written.get(name, usual)
        if not isinstance(value, str):
            reader.say((*path, name), "should be text in quotes")
        else:
            for place in re.findall(r"\{[^{}]*\}", value):
                if place not in _PLACES:
                    reader.say((*path, name), f"has {place} in it; what is filled in is {', '.join(_PLACES)}")
            found[f"utm_{name}"] = value
    assert all(name in NAMES for name in found)
    return {name: value for name, value in found.items() if value}
