"""Settings of the source."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from segue.api.cells import read_zone
from segue.api.mapping import Mapping

__all__ = ["Config", "check"]

_COLUMN: Final = re.compile(r"[^\W\d]\w{0,62}")
_LONGEST_QUERY: Final = 100_000


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings under ``[sources.NAME]``.

    ``system`` is postgresql or mariadb. It is reached at ``host`` and ``port``, or by the ``socket`` (a path: for
    PostgreSQL the folder it lies in); ``database``, ``user`` and ``password`` let in. ``tls`` is "verify" (encrypted,
    and the server shows a certificate that ``ca``, else the system, vouches for), "require" (encrypted, to whoever
    answers) or "none"; over a socket there is none.

    ``query`` is a select without order and limit. Its column ``watermark`` grows whenever a row is new or changed (a
    time or a number), its column ``row_id`` tells rows with the same watermark apart. ``:since`` in the query stands
    for the watermark from which rows are asked for. ``overlap`` is how far behind the newest watermark rows are looked
    at again, in seconds (of a number: that many), since a transaction may commit late. ``every`` is how often to ask,
    and ``timeout`` how long a query may take, in seconds. ``zone`` is where times without a zone are meant.

    ``map`` says what of a row is what: see the mapping of payloads. A row is an object of its columns.
    """

    system: Literal["postgresql", "mariadb"]
    database: str
    query: str
    watermark: str
    row_id: str
    map: Mapping
    host: str = "127.0.0.1"
    port: int = 0
    socket: str = ""
    user: str = ""
    password: str = ""
    tls: Literal["verify", "require", "none"] = "verify"
    ca: str = ""
    every: float = 10.0
    overlap: float = 300.0
    timeout: float = 30.0
    zone: str = "UTC"


def check(config: Config) -> None:
    """Raise ValueError with a sentence where a setting cannot be meant."""
    for name in ("watermark", "row_id"):
        if _COLUMN.fullmatch(getattr(config, name)) is None:
            raise ValueError(f"`{name}` should name a column of the query, and is {getattr(config, name)!r}")
    query = config.query.strip().rstrip(";").strip()
    if re.match(r"(?is)(select|with|table|values)\b", query) is None:
        raise ValueError("`query` should be a select: rows are only read")
    if len(query) > _LONGEST_QUERY:
        raise ValueError(f"`query` has {len(query):,} characters; it may have {_LONGEST_QUERY:,}")
    if not 0 <= config.port <= 65_535:
        raise ValueError(f"`port` should be from 1 to 65535, and is {config.port}")
    for name, least, most in (("every", 0.1, 86_400), ("overlap", 0, 31 * 86_400), ("timeout", 0.1, 3_600)):
        if not least <= getattr(config, name) <= most:
            raise ValueError(f"`{name}` should be from {least:g} to {most:g}, and is {getattr(config, name):g}")
    if config.ca and config.tls == "none":
        raise ValueError('`ca` is for encrypted connections, and `tls` is "none"')
    read_zone(config.zone)
