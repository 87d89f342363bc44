"""Campaign parameters (``utm_source`` and so on), added to addresses of the shop's own.

An address is handled as the text it is: everything but what is added stays as it was written, however it is encoded,
since a shop may have signed it.
Names: https://support.google.com/analytics/answer/10917952
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, unquote_plus, urlsplit

__all__ = ["EVERYWHERE", "NAMES", "add_parameters", "host_of", "is_own"]

NAMES: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "utm_id")
EVERYWHERE: Final = "*"
"""In the place of a domain: every address counts as the shop's own."""


def host_of(address: str) -> str:
    """The host of an http or https address, in lower case; empty where it has none, or is no such address at all."""
    try:
        parts = urlsplit(address)
        host = parts.hostname if parts.scheme.lower() in ("http", "https") else None
        _ = parts.port
    except ValueError:
        return ""
    return (host or "").rstrip(".")


def is_own(host: str, domains: Sequence[str]) -> bool:
    """Whether a host is one of these domains, or below one of them."""
    return any(domain in (EVERYWHERE, host) or host.endswith(f".{domain}") for domain in domains)


def add_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """The address with these parameters at the end of its query. One that it has already stays as it is; an empty one
    is not added."""
    base, hash_mark, fragment = address.partition("#")
    path, mark, query = base.partition("?")
    present = {unquote_plus(pair.partition("=")[0]).lower() for pair in query.split("&")}
    added = "&".join(
        f"{name}={quote(value, safe='')}" for name, value in parameters.items() if value and name not in present
    )
    if not added:
        return address
    if not mark:
        joined = f"{path}?{added}"
    elif not query or query.endswith("&"):
        joined = f"{base}{added}"
    else:
        joined = f"{base}&{added}"
    return f"{joined}{hash_mark}{fragment}"
