"""What analytics.js (npm ``@segment/analytics-next``) asks for before it sends anything.

It reads ``/v1/projects/KEY/settings`` from its ``cdnURL`` and then posts to the ``apiHost`` of the integration that is
named Segment.io.
Source: the type ``CDNSettings`` of that package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from segue.api.bodies import Refused

__all__ = ["settings_for"]

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:\d+)?")


def settings_for(key: str, url: str | None, headers: Mapping[str, str]) -> dict[str, Any]:
    """The settings for the browser: send everything here, and nothing anywhere else."""
    protocol, host = _address(url, headers)
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": f"{host}/v1",
                "protocol": protocol,
                "unbundledIntegrations": [],
                "addBundledMetadata": False,
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
    }


def _address(url: str | None, headers: Mapping[str, str]) -> tuple[str, str]:
    """The protocol and host under which browsers reach us: as configured, else as the request shows it."""
    if url is not None:
        protocol, _, host = url.rstrip("/").rpartition("://")
        return protocol or "https", host
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise Refused("host", "is no host name")
    forwarded = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    if forwarded in ("http", "https"):
        return forwarded, host
    # A browser page is on https everywhere but on a developer's own machine, and may then call https only.
    return ("http" if _LOOPBACK.fullmatch(host) else "https"), host
