"""The settings of a source of webhooks."""

from __future__ import annotations

import msgspec

from segue.api.mapping import Mapping

__all__ = ["Config"]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[sources.NAME]``.

    ``secret`` is what the tool signs with by Standard Webhooks (``whsec_…``), or several while it is changed; for a
    tool that cannot sign, ``header`` names the header in which it sends one of ``token``. ``map`` says what of a body
    is what; without it, bodies are Segment-style calls.
    """

    secret: str | tuple[str, ...] = ()
    header: str = ""
    token: str | tuple[str, ...] = ()
    map: Mapping | None = None
