"""The settings of a source of webhooks."""

from __future__ import annotations

import msgspec

__all__ = ["Config"]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[sources.NAME]``; see the README for how paths are written.

    ``secret`` is what the tool signs with by Standard Webhooks (``whsec_…``), or several while it is changed; for a
    tool that cannot sign, ``header`` names the header in which it sends one of ``token``.

    ``id``, ``name``, ``time``, ``user_id`` and ``anonymous_id`` are the paths of what every event has. ``names`` turns
    the names that the tool sends into those of rules. ``data`` is the object whose entries become fields as they are;
    ``fields`` and ``traits`` name further ones with their paths, ``ids`` further identifiers by kind. ``lines`` makes
    the products of a list: ``each`` is its path, the other keys are paths within a line.
    """

    secret: str | tuple[str, ...] = ()
    header: str = ""
    token: str | tuple[str, ...] = ()
    id: str = ""
    name: str = "type"
    time: str = "timestamp"
    user_id: str = ""
    anonymous_id: str = ""
    data: str = "data"
    names: dict[str, str] = {}
    ids: dict[str, str] = {}
    fields: dict[str, str] = {}
    traits: dict[str, str] = {}
    lines: dict[str, str] = {}
