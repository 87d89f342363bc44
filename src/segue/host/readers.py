"""Who may look at customers: keys with a role, as ``[readers.NAME]`` in segue.toml gives them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from segue.host.configuration import ConfigurationError, configure

Role = Literal["associate", "support"]
"""``associate`` serves one customer in a shop: the card, with addresses masked. ``support`` also sees addresses, all
traits, and what happened."""

SHORTEST: Final = 16
"""Characters of a key. Shorter ones are guessed."""


class ReaderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[readers.NAME]``: the ``key`` that is shown, what its holder may see, and how many look-ups a
    minute it may make."""

    key: str
    role: Role = "associate"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 60


class Reader(msgspec.Struct, frozen=True):
    """Someone who may look at customers."""

    name: str
    role: Role
    per_minute: int


class Readers:
    """All who may look at customers. Keys are kept only as hashes."""

    def __init__(self, known: Mapping[bytes, Reader]) -> None:
        self._known = known

    def __bool__(self) -> bool:
        return bool(self._known)

    def admit(self, key: str) -> Reader | None:
        """Whose key it is. Every key is compared, each in constant time."""
        shown = _digest(key)
        found: Reader | None = None
        for digest, reader in self._known.items():
            if hmac.compare_digest(shown, digest):
                found = reader
        return found


def open_readers(settings: Mapping[str, Mapping[str, Any]]) -> Readers:
    """The readers of a project, their keys resolved. Raises ConfigurationError with everything that is wrong."""
    problems: list[str] = []
    known: dict[bytes, Reader] = {}
    for name, table in settings.items():
        where = f"readers.{name}"
        try:
            config = configure(ReaderConfig, table, where)
        except ConfigurationError as error:
            problems += error.problems
            continue
        digest = _digest(config.key)
        if len(config.key) < SHORTEST:
            problems.append(f"{where}.key is shorter than {SHORTEST} characters; make one with: openssl rand -hex 24")
        elif digest in known:
            problems.append(f"{where}.key is also that of readers.{known[digest].name}; give each a key of its own")
        else:
            known[digest] = Reader(name, config.role, config.per_minute)
    if problems:
        raise ConfigurationError(tuple(problems))
    return Readers(known)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
